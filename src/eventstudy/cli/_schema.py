"""The JSON schema of a study file, made from the fields of a study and from the options of its members."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from eventstudy import _registry, members
from eventstudy.cli._fields import choices
from eventstudy.types import Model, Test

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that the editors' TOML plug-ins read
SIMPLE: dict[object, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", Path: "string", date: "string"
}  # fmt: skip
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def schema() -> Schema:
    """Return the JSON schema of a study file, with the models, tests and sources that are installed.

    Examples
    --------
    >>> schema()["properties"]["study"]["properties"]["returns"]["enum"]
    ['simple', 'log']
    """
    return {
        "$schema": DRAFT,
        "title": "Study file of eventstudy",
        "type": "object",
        "required": ["study", "prices"],
        "additionalProperties": False,
        "properties": {"study": _study(), "prices": _prices()},
    }


def _study() -> Schema:
    fields = choices()
    named = {
        "events": {"type": "string", "description": "The file of events, relative to the study file."},
        "catalogue": {
            "description": "A shipped catalogue of events, or a version of it.",
            "anyOf": [{"type": "string"}, _table({"name": str, "version": str}, ["name"])],
        },
        "factors": {
            "description": "A CSV file of decimal factor returns, or files of Kenneth French's data library.",
            "anyOf": [{"type": "string"}, TEXTS],
        },
    }
    own = {"model": _member("models", members.model), "tests": _tests()}
    for name, field in fields.items():
        found = own.get(name) or of_type(field.hint) or {}
        default = {} if field.default is None else {"default": _plain(field.default)}
        named[name] = {"description": field.text, **default, **found}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": named,
        "oneOf": [{"required": ["events"]}, {"required": ["catalogue"]}],
    }


def _tests() -> Schema:
    member = _member("inference", members.test)
    names = {"enum": ["default", "all", *_registry.names("inference")]}
    return {"anyOf": [names, {"type": "array", "items": member}, {"type": "object", "additionalProperties": member}]}


def _member(folder: str, make: Callable[[str], Model | Test]) -> Schema:
    """Return the schema of a model or test: its name, or a table of its name and options."""
    names, summaries = list(_registry.names(folder)), _registry.summaries(folder)
    tables = [
        {"if": {"properties": {"name": {"const": name}}, "required": ["name"]}, "then": _options(make(name))}
        for name in names
    ]
    table = {"type": "object", "required": ["name"], "properties": {"name": {"enum": names}}, "allOf": tables}
    listed = {"enum": names, "description": "; ".join(f"{name}: {text}" for name, text in summaries.items())}
    return {"if": {"type": "object"}, "then": table, "else": listed}


def _options(member: Model | Test) -> Schema:
    options = members.options_of(member)
    properties = {
        name: {"default": _plain(default), **(of_type(hint) or {})} for name, (hint, default) in options.items()
    }
    return {"properties": {"name": True, **properties}, "additionalProperties": False}


def sources() -> dict[str, Schema]:
    """Return the sources that a study file can name, with the schema of their options."""
    return {name: table for name in _registry.names("sources") if (table := _source(name)) is not None}


def _prices() -> Schema:
    tables = sources()
    return {
        "type": "object",
        "required": ["source"],
        "properties": {"source": {"enum": list(tables), "description": "Where the prices come from."}},
        "allOf": [
            {"if": {"properties": {"source": {"const": name}}, "required": ["source"]}, "then": table}
            for name, table in tables.items()
        ],
    }


def _source(name: str) -> Schema | None:
    """Return the schema of the options of a source; None if it needs one that no text can hold, as a data frame."""
    read = _registry.load("sources", name).read
    try:
        hints = get_type_hints(read)
    except NameError:  # a type of a library that is imported for type checking alone
        hints = {}
    found: dict[str, Schema] = {
        "source": {}, "start": {"type": "string"}, "end": {"type": "string"},
        "also": {**TEXTS, "description": "Further tickers, such as peers and exchange rates."},
    }  # fmt: skip
    required = []
    for option in inspect.signature(read).parameters.values():
        if option.kind is not option.KEYWORD_ONLY:
            continue
        own = of_type(hints.get(option.name))
        if option.default is option.empty:
            required.append(option.name)
        if own is not None:
            found[option.name] = own if option.default in (option.empty, None) else {**own, "default": option.default}
    if not set(required) <= set(found):
        return None
    return {"properties": found, "required": required, "additionalProperties": False}


def of_type(hint: object) -> Schema | None:
    """Return the schema of a type; None for one that a study file cannot hold.

    Examples
    --------
    >>> of_type(tuple[int, int] | None)
    {'type': 'array', 'items': {'type': 'integer'}, 'minItems': 2, 'maxItems': 2}
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint in SIMPLE:
        return {"type": SIMPLE[hint]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        parts = [part for kind in inner if kind is not NoneType and (part := of_type(kind)) is not None]
        unique = list({str(part): part for part in parts}.values())
        return (unique[0] if len(unique) == 1 else {"anyOf": unique}) if unique else None
    if origin is tuple and (item := of_type(inner[0])) is not None:
        return {"type": "array", "items": item, "minItems": len(inner), "maxItems": len(inner)}
    if origin is Sequence and (item := of_type(inner[0])) is not None:
        return {"type": "array", "items": item}
    if origin is Mapping and inner[0] is str and (item := of_type(inner[1])) is not None:
        return {"type": "object", "additionalProperties": item}
    return None


def _table(kinds: Mapping[str, object], required: Sequence[str]) -> Schema:
    properties = {name: of_type(kind) for name, kind in kinds.items()}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
