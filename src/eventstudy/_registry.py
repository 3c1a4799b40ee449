"""The extension folders are registries: a file in one of them is a member, its name the public name.

``names("models")`` lists without importing; ``load("models", "market")`` imports one member and gives
the object that its contract names (``MODEL``, ``TEST``, ``SOURCE``, ``REPORT``, ``PLOT``).
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from importlib import resources
from typing import Any

from eventstudy.errors import one_of

CONTRACTS = {
    "models": "MODEL",
    "inference": "TEST",
    "sources": "SOURCE",
    "reports": "REPORT",
    "plots": "PLOT",
}


def names(folder: str) -> tuple[str, ...]:
    """Give the sorted names of a folder's members, without importing any.

    Examples
    --------
    >>> "market" in names("models")
    True
    """
    root = str(resources.files("eventstudy") / folder)
    return tuple(sorted(m.name for m in pkgutil.iter_modules([root]) if not m.name.startswith("_")))


def load(folder: str, name: str) -> Any:
    """Import one member and give its contract object; an unknown name raises InputError."""
    if name not in names(folder):
        raise one_of(f"the name in {folder}", name, names(folder))
    return getattr(importlib.import_module(f"eventstudy.{folder}.{name}"), CONTRACTS[folder])


def summaries(folder: str) -> dict[str, str]:
    """Give the first docstring line of each member, read from the source without importing it."""
    root = resources.files("eventstudy") / folder
    found = {}
    for name in names(folder):
        doc = ast.get_docstring(ast.parse((root / f"{name}.py").read_text(encoding="utf-8"))) or ""
        found[name] = doc.splitlines()[0] if doc else ""
    return found


def helper(folder: str, name: str) -> Any:
    """Import a module of a folder that is no member, one that begins with ``_``."""
    return importlib.import_module(f"eventstudy.{folder}.{name}")
