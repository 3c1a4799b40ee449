"""The public surface as text: every public name with its parameters and their defaults, one a line.

``tests/surface.txt`` has it as it was last agreed, and ``tests/test_public.py`` compares the two. After a change that
is meant, and has its line in CHANGELOG.md, ``python -m tests.surface`` writes the file.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import pandas as pd

import eventstudy as es
from eventstudy import _registry, transform
from eventstudy.cli._main import parser
from eventstudy.members import settings_of

LISTING = Path(__file__).with_suffix(".txt")
HEAD = "# The public surface; `python -m tests.surface` writes it after a change that is meant.\n"
CONFIGURED: dict[str, Callable[..., Any]] = {"models": es.model, "inference": es.test}
MADE_BY_USERS = (es.Study, es.Events, es.Prices)


def parameters(thing: Callable[..., object], leave: int = 0) -> str:
    """Return the parameters of a function after the first few, with their defaults and without their types."""
    given = list(inspect.signature(thing).parameters.values())[leave:]
    return str(inspect.Signature([each.replace(annotation=inspect.Parameter.empty) for each in given]))


def own_names(kind: type) -> list[str]:
    """Return the public names of a class that the library defines, not those of what it builds on."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("eventstudy")]
    names = {name for base in bases for name in (*vars(base), *vars(base).get("__annotations__", {}))}
    return sorted(name for name in names if not name.startswith("_"))


def members(kind: type, prefix: str) -> Iterator[str]:
    """Yield a class, with its constructor if users call it, and its public methods, properties and fields."""
    yield prefix + (parameters(kind) if kind in MADE_BY_USERS else "")
    for name in own_names(kind):
        found = inspect.getattr_static(kind, name, None)
        if isinstance(found, classmethod | staticmethod):
            yield f"{prefix}.{name}{parameters(getattr(kind, name))}"
        else:
            yield f"{prefix}.{name}" + (parameters(found, 1) if inspect.isfunction(found) else "")


def records() -> Iterator[type]:
    """Yield the records that methods of the public classes return, by the types that the methods state."""
    seen: set[type] = {es.Study, es.Result, es.Prices, es.Events}
    todo: list[Any] = [es.Result, es.Study, es.Prices, es.explain_moves, es.headline, es.read_events, es.replicate]
    while todo:
        of = todo.pop(0)
        found = [of] if inspect.isfunction(of) else [inspect.getattr_static(of, name, None) for name in own_names(of)]
        functions = [function for each in found if inspect.isfunction(function := plain(each))]
        for kind in (imported(function, name) for function in functions for name in stated(function)):
            if kind is not None and kind not in seen:
                seen.add(kind)
                todo.append(kind)
                yield kind


def plain(member: object) -> object:
    """Return the function of a method, a class method or a property."""
    return getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))


def stated(function: FunctionType) -> list[str]:
    """Return the names in the type that a function returns."""
    tree = ast.parse(str(function.__annotations__.get("return")))
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def imported(function: FunctionType, name: str) -> type | None:
    """Return a class of the library by its name in the module of a function, also if imported for its type alone."""
    module = sys.modules[function.__module__]
    found = getattr(module, name, None)
    for node in ast.walk(parsed(function.__module__)) if found is None else ():
        if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
            found = getattr(importlib.import_module(str(node.module)), name, None)
    return found if isinstance(found, type) and found.__module__.startswith("eventstudy.") else None


@cache
def parsed(module: str) -> ast.Module:
    """Return the source of a module as a tree."""
    return ast.parse(inspect.getsource(sys.modules[module]))


def options() -> Iterator[str]:
    """Yield each member of an extension folder with its options."""
    for folder in _registry.CONTRACTS:
        for name in _registry.names(folder, plugins=False):
            if folder in CONFIGURED:
                given = {key: value for key, value in settings_of(CONFIGURED[folder](name)).items() if key != "name"}
                yield f"{folder} {name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"
            else:
                member, method = _registry.load(folder, name, plugins=False), _registry.REQUIRED_METHODS[folder]
                yield f"{folder} {name}{parameters(member if method == '__call__' else getattr(member, method))}"


def commands() -> Iterator[str]:
    """Yield each command with its arguments and options."""
    [subparsers] = [each for each in parser()._actions if isinstance(each, argparse._SubParsersAction)]
    for name, command in subparsers.choices.items():
        words = [each.option_strings[-1] if each.option_strings else each.dest.upper() for each in command._actions]
        yield f"$ eventstudy {name} {' '.join(sorted(word for word in words if word != '--help'))}".rstrip()


def columns() -> Iterator[str]:
    """Yield the columns of the frames of a result, and the keys of its provenance."""
    events = pd.DataFrame({"ticker": ["0700.HK", "9988.HK"], "announced": ["2021-09-13", "2021-10-18"]})
    prices = es.fetch_prices(["0700.HK", "9988.HK", "^HSI"], "2020-06-01", "2021-12-30", source="simulated")
    result = es.Study(benchmark="^HSI", tests=["cross_section", "bmp"]).run(es.Events.from_frame(events), prices)
    for each in fields(result):
        frame = getattr(result, each.name)
        if isinstance(frame, pd.DataFrame):
            names = "relative days" if frame.columns.name == "day" else ", ".join(map(str, frame.columns))
            yield f"result.{each.name}: {names}; index {', '.join(str(name) for name in frame.index.names)}"
    yield f"result.provenance: {', '.join(result.provenance)}"


def lines() -> list[str]:
    """Return the public surface."""
    found: list[str] = []
    for name in sorted(es.__all__):
        thing = getattr(es, name)
        where = f"eventstudy.{name}"
        found += members(thing, where) if isinstance(thing, type) else [where + parameters(thing)]
    found += [f"eventstudy.transform.{name}{parameters(getattr(transform, name))}" for name in transform.__all__]
    for kind in sorted(records(), key=lambda kind: kind.__name__):
        found += members(kind, f"record {kind.__name__}")
    return [*found, *options(), *commands(), *columns()]


if __name__ == "__main__":
    LISTING.write_text(HEAD + "".join(f"{line}\n" for line in lines()), encoding="utf-8", newline="\n")
