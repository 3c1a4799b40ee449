"""The extension folders are registries: a file in one of them is a member, its name the public name.

``names("models")`` lists without importing; ``load("models", "market")`` imports one member and gives
the object that its contract names (``MODEL``, ``TEST``, ``SOURCE``, ``REPORT``, ``PLOT``).

Another distribution adds a member by an entry point of the group ``eventstudy.models`` (or another folder): its name is
the member's, its value a module laid out as a file of the folder, or an object in one. Such plug-ins are found when a
name is first asked for, and imported when they are used.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from functools import cache
from importlib import resources
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from eventstudy.errors import InputError, one_of

CONTRACTS = {
    "models": "MODEL",
    "inference": "TEST",
    "sources": "SOURCE",
    "reports": "REPORT",
    "plots": "PLOT",
}
# What a member can at least do; the rest of a model's and a test's contract is in ``core.checks``.
CALLED = {"models": "fit", "inference": "finalize", "sources": "read", "reports": "render", "plots": "__call__"}


class Origin(NamedTuple):
    """The distribution that a member is from, and its version."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def names(folder: str, plugins: bool = True) -> tuple[str, ...]:
    """Give the sorted names of a folder's members, without importing any; with or without those of plug-ins.

    Examples
    --------
    >>> "market" in names("models")
    True
    """
    return tuple(sorted({*_built_in(folder), *_plugins(folder)})) if plugins else _built_in(folder)


@cache
def _built_in(folder: str) -> tuple[str, ...]:
    """Return the sorted names of the library's own members, listed once: the files do not change while it runs."""
    root = str(resources.files("eventstudy") / folder)
    return tuple(sorted(m.name for m in pkgutil.iter_modules([root]) if not m.name.startswith("_")))


def load(folder: str, name: str, plugins: bool = True) -> Any:
    """Import one member and give its contract object; without ``plugins`` the library's own, whoever else has the name.

    Raises
    ------
    InputError
        When no member has the name, when several have it, or when a plug-in cannot be imported or is no member.
    """
    if name not in names(folder, plugins):
        raise one_of(f"the name in {folder}", name, names(folder, plugins))
    point = _plugin(folder, name) if plugins else None
    if point is not None:
        return _imported(folder, point)
    return getattr(importlib.import_module(f"eventstudy.{folder}.{name}"), CONTRACTS[folder])


def origin(folder: str, name: str) -> Origin:
    """Give the distribution that a member is from, with its version, without importing it.

    Examples
    --------
    >>> origin("models", "market").distribution
    'eventstudy-quant'
    """
    if name not in names(folder):
        raise one_of(f"the name in {folder}", name, names(folder))
    point = _plugin(folder, name)
    return Origin("eventstudy-quant", version("eventstudy-quant")) if point is None else _origin(point)


def summaries(folder: str, plugins: bool = True) -> dict[str, str]:
    """Give the first docstring line of each member, read from the source without importing it.

    A plug-in whose source is not found beside its metadata is imported; one that fails says so in its line.
    """
    root = resources.files("eventstudy") / folder
    found = {name: _first_line((root / f"{name}.py").read_text(encoding="utf-8")) for name in names(folder, False)}
    for name, points in _plugins(folder).items() if plugins else ():
        if name not in found:
            found[name] = _summary(points[0])
    return dict(sorted(found.items()))


def present(folder: str) -> dict[str, Any]:
    """Give the members by name whose modules are imported already, and import none."""
    own = {name: f"eventstudy.{folder}.{name}" for name in names(folder, plugins=False)}
    found = {
        name: getattr(sys.modules[module], CONTRACTS[folder]) for name, module in own.items() if module in sys.modules
    }
    for name, points in _plugins(folder).items():
        if name not in own and len(points) == 1 and points[0].module in sys.modules:
            found[name] = _imported(folder, points[0])
    return found


def helper(folder: str, name: str) -> Any:
    """Import a module of a folder that is no member, one that begins with ``_``."""
    return importlib.import_module(f"eventstudy.{folder}.{name}")


@cache
def _plugins(folder: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Find the entry points of other distributions by name; reading all metadata takes some hundredths of a second."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=f"eventstudy.{folder}"):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _plugin(folder: str, name: str) -> EntryPoint | None:
    """Give the plug-in of a name, None where it is the library's own; refuse a name that several have."""
    points = _plugins(folder).get(name, ())
    whose = [str(_origin(point)) for point in points]
    if points and name in names(folder, plugins=False):
        whose.insert(0, "eventstudy itself")
    if len(whose) > 1:
        raise InputError(
            f"{name!r} in {folder} is a member of {' and of '.join(whose)}; uninstall what you do not mean, or pass the"
            " object and not its name"
        )
    return points[0] if points else None


def _imported(folder: str, point: EntryPoint) -> Any:
    """Import a plug-in, and hold it to what its folder calls."""
    whose = f"the plug-in {point.name!r} in {folder}, of {_origin(point)},"
    try:
        thing = point.load()
    except Exception as error:
        raise InputError(
            f"{whose} cannot be imported: {type(error).__name__}: {error}; update {_origin(point).distribution},"
            " or uninstall it"
        ) from error
    member = getattr(thing, CONTRACTS[folder], None) if isinstance(thing, ModuleType) else thing
    if isinstance(member, type) or not callable(getattr(member, CALLED[folder], None)):
        wanted = "that can be called" if folder == "plots" else f"with {CALLED[folder]}"
        raise InputError(f"{whose} is {member!r}; {CONTRACTS[folder]} of its module is to be an object {wanted}")
    return member


def _origin(point: EntryPoint) -> Origin:
    return Origin("an unknown distribution", "") if point.dist is None else Origin(point.dist.name, point.dist.version)


def _summary(point: EntryPoint) -> str:
    """Give a plug-in's first line: from its file where that lies beside its metadata, else by importing it."""
    stem = point.module.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        file = None if point.dist is None else Path(str(point.dist.locate_file(path)))
        if file is not None and file.is_file():
            return _first_line(file.read_text(encoding="utf-8"))
    try:
        return _line(importlib.import_module(point.module).__doc__)
    except Exception as error:
        return f"cannot be imported: {type(error).__name__}: {error}."


def _first_line(source: str) -> str:
    try:
        return _line(ast.get_docstring(ast.parse(source)))
    except SyntaxError as error:
        return f"cannot be read: {error}."


def _line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
