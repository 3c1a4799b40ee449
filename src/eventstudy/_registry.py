"""The registry of members: every file of an extension folder is a member, with the name of the file.

``names("models")`` lists members without importing them; ``load("models", "market")`` imports one member and returns
the object of its contract (``MODEL``, ``TEST``, ``SOURCE``, ``REPORT``, ``PLOT``, ``TABLE``).

Another distribution adds a member by an entry point of the group ``eventstudy.models`` (or another folder): its name is
the name of the member, its value a module like the files of the folder, or an object in a module. Plug-ins are
discovered when a folder is first listed, and imported when they are used.
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
    "tables": "TABLE",
}
KINDS = {
    "models": "the model",
    "inference": "the test",
    "sources": "the source",
    "reports": "the report",
    "plots": "the figure",
    "tables": "the table",
}
# The method that a member must have; ``core.checks`` checks the rest of the contracts of models and tests.
REQUIRED_METHODS = {
    "models": "fit",
    "inference": "finalize",
    "sources": "read",
    "reports": "render",
    "plots": "__call__",
    "tables": "__call__",
}


class Origin(NamedTuple):
    """The distribution of a member, and its version."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def names(folder: str, plugins: bool = True) -> tuple[str, ...]:
    """Return the sorted names of the members of a folder, with or without plug-ins, without importing them.

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
    """Import one member and return its contract object; without ``plugins``, the member of the library.

    Raises
    ------
    InputError
        If no member or several members have the name, or a plug-in cannot be imported or is not a member.
    """
    if not isinstance(name, str) or name not in names(folder, plugins):
        raise one_of(KINDS[folder], name, names(folder, plugins))
    point = _plugin(folder, name) if plugins else None
    if point is not None:
        return _import_plugin(folder, point)
    return getattr(importlib.import_module(f"eventstudy.{folder}.{name}"), CONTRACTS[folder])


def origin(folder: str, name: str) -> Origin:
    """Return the distribution and version of a member, without importing it.

    Examples
    --------
    >>> origin("models", "market").distribution
    'eventstudy-quant'
    """
    if name not in names(folder):
        raise one_of(KINDS[folder], name, names(folder))
    point = _plugin(folder, name)
    return Origin("eventstudy-quant", version("eventstudy-quant")) if point is None else _origin(point)


def summaries(folder: str, plugins: bool = True) -> dict[str, str]:
    """Return the first docstring line of each member, read from the source without importing it.

    A plug-in whose source is not beside its metadata is imported; if that fails, its line is the error.
    """
    root = resources.files("eventstudy") / folder
    lines = {name: _first_line((root / f"{name}.py").read_text(encoding="utf-8")) for name in names(folder, False)}
    for name, points in _plugins(folder).items() if plugins else ():
        if name not in lines:
            lines[name] = _summary(points[0])
    return dict(sorted(lines.items()))


def present(folder: str) -> dict[str, Any]:
    """Return by name the members whose modules are already imported."""
    modules = {name: f"eventstudy.{folder}.{name}" for name in names(folder, plugins=False)}
    members = {
        name: getattr(sys.modules[module], CONTRACTS[folder])
        for name, module in modules.items()
        if module in sys.modules
    }
    for name, points in _plugins(folder).items():
        if name not in modules and len(points) == 1 and points[0].module in sys.modules:
            members[name] = _import_plugin(folder, points[0])
    return members


def helper(folder: str, name: str) -> Any:
    """Import a helper module of a folder, whose name starts with ``_``."""
    return importlib.import_module(f"eventstudy.{folder}.{name}")


@cache
def _plugins(folder: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of other distributions by name, cached because reading all metadata is slow."""
    by_name: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=f"eventstudy.{folder}"):
        by_name[point.name] = (*by_name.get(point.name, ()), point)
    return by_name


def _plugin(folder: str, name: str) -> EntryPoint | None:
    """Return the plug-in of a name, None for a member of the library; raise InputError if several have the name."""
    points = _plugins(folder).get(name, ())
    origins = [str(_origin(point)) for point in points]
    if points and name in names(folder, plugins=False):
        origins.insert(0, "eventstudy itself")
    if len(origins) > 1:
        raise InputError(
            f"{name!r} in {folder} is a member of {' and of '.join(origins)}; uninstall one of them, or pass the object"
            " instead of its name"
        )
    return points[0] if points else None


def _import_plugin(folder: str, point: EntryPoint) -> Any:
    """Import a plug-in; raise InputError if that fails, or if it lacks the method of its folder."""
    description = f"the plug-in {point.name!r} in {folder}, of {_origin(point)},"
    try:
        loaded = point.load()
    except Exception as error:
        raise InputError(
            f"{description} cannot be imported: {type(error).__name__}: {error}; update {_origin(point).distribution},"
            " or uninstall it"
        ) from error
    member = getattr(loaded, CONTRACTS[folder], None) if isinstance(loaded, ModuleType) else loaded
    method = REQUIRED_METHODS[folder]
    if isinstance(member, type) or not callable(getattr(member, method, None)):
        wanted = "that can be called" if method == "__call__" else f"with {method}"
        raise InputError(f"{description} is {member!r}; {CONTRACTS[folder]} of its module must be an object {wanted}")
    return member


def _origin(point: EntryPoint) -> Origin:
    return Origin("an unknown distribution", "") if point.dist is None else Origin(point.dist.name, point.dist.version)


def _summary(point: EntryPoint) -> str:
    """Return the first line of a plug-in's docstring, from its file beside the metadata, else by importing it."""
    stem = point.module.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        file = None if point.dist is None else Path(str(point.dist.locate_file(path)))
        if file is not None and file.is_file():
            return _first_line(file.read_text(encoding="utf-8"))
    try:
        return _line(importlib.import_module(point.module).__doc__)
    except Exception as error:
        return f"cannot be imported: {type(error).__name__}: {error}."


@cache
def _first_line(source: str) -> str:
    try:
        return _line(ast.get_docstring(ast.parse(source)))
    except SyntaxError as error:
        return f"cannot be read: {error}."


def _line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
