"""The text of a study file: the choices of a study that differ from their defaults, its events, and its prices."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import cast

from eventstudy import _registry
from eventstudy.errors import InputError, shown
from eventstudy.members import model, settings_of, test
from eventstudy.types import Choices, Model, Test

BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
MARK = "# written by Study.to_toml"
FOLDERS = {"model": "models", "test": "inference"}


def toml_text(choices: Choices, events: str, prices: Mapping[str, object]) -> str:
    """Return the text of a study file; see :meth:`eventstudy.Study.to_toml`."""
    study = {"events": events, **_written(choices)}
    tables = {"study": study, "prices": prices}
    lines = [MARK]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{_key(key)} = {_value(key, value)}" for key, value in table.items()), ""]
    return "\n".join(lines[:-1]) + "\n"


def _written(choices: Choices) -> dict[str, object]:
    """Return the choices that differ from their defaults, as a study file has them."""
    values = {choice.name: (getattr(choices, choice.name), choice.default) for choice in fields(choices)}
    written = {name: value for name, (value, default) in values.items() if value != default}
    if "model" in written and not isinstance(choices.model, str):
        written["model"] = _member("model", choices.model)
    tests, peers = (cast("object", value) for value in (choices.tests, choices.peers))  # also one test, or a set
    if isinstance(tests, Mapping):
        written["tests"] = {label: _name_or_member(member) for label, member in tests.items()}
    elif isinstance(tests, Test):
        written["tests"] = [_member("test", tests)]
    elif not isinstance(tests, str):
        written["tests"] = [_name_or_member(member) for member in choices.tests]
    if isinstance(peers, set | frozenset):
        written["peers"] = sorted(peers)
    if choices.calendars is not None:
        stated = choices.calendars.items()
        written["calendars"] = {mic: {day: close or "closed" for day, close in days.items()} for mic, days in stated}
    return written


def _name_or_member(member: str | Test) -> object:
    return member if isinstance(member, str) else _member("test", member)


def _member(what: str, member: Model | Test) -> object:
    """Return the name of a model or test, with the options that differ from the defaults.

    Raises
    ------
    InputError
        If it is an object of the user's own, which a study file cannot name.
    """
    settings = settings_of(member)
    name = str(settings.pop("name"))
    make = model if what == "model" else test
    known = name in _registry.names(FOLDERS[what])
    defaults = settings_of(make(name)) if known else {}
    options = {key: value for key, value in settings.items() if value != defaults.get(key)}
    if not known or settings_of(make(name, **options)) != {"name": name, **settings}:
        raise InputError(
            f"the {what} {shown(member)} is an object that a study file cannot name; name a member of"
            f" {FOLDERS[what]}/ or of a plug-in, or keep this study in Python"
        )
    return {"name": name, **options}


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise InputError(f"{shown(key)} is no text, and cannot be a key in TOML; give a text")
    return key if BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """Return a basic string of TOML, whose escapes are those of JSON."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{shown(text)} holds half a character, which no file of UTF-8 can keep; correct the text")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(name: object, value: object) -> str:
    """Return a value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | os.PathLike):
        return _text(os.fspath(value))
    if isinstance(value, date):
        return _text(value.isoformat())
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(key, item)}" for key, item in value.items())
        return f"{{{pairs}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(name, item) for item in value)}]"
    raise InputError(f"{name} is {shown(value)}, which TOML cannot write; give texts, numbers, lists or tables")
