"""The choices of a study with their types, defaults and descriptions, as :class:`eventstudy.Study` has them."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import NamedTuple, get_type_hints

from eventstudy.study import Study
from eventstudy.types import Choices

ROLE = re.compile(r":\w+:`~?([^`<]+)`|``([^`]+)``")


class Field(NamedTuple):
    """A choice: its type, its default, and what it means."""

    hint: object
    default: object
    text: str


def choices() -> dict[str, Field]:
    """Return the choices of a study by name, in their order.

    Examples
    --------
    >>> choices()["seed"].default, choices()["seed"].text
    (0, 'Seed of all random draws.')
    """
    hints, texts = get_type_hints(Choices), _texts(inspect.getdoc(Study) or "")
    return {field.name: Field(hints[field.name], field.default, texts[field.name]) for field in fields(Choices)}


def plain_text(text: str) -> str:
    """Return text of a docstring without its marks.

    Examples
    --------
    >>> plain_text("as in :class:`eventstudy.Study`, or ``HKD=X``")
    'as in eventstudy.Study, or HKD=X'
    """
    return ROLE.sub(lambda match: match[1] or match[2], text)


def _texts(doc: str) -> dict[str, str]:
    """Return the descriptions of the parameters of a docstring; several may share one."""
    section = doc.split("Parameters\n----------\n", 1)[1]
    entries = re.findall(r"^(\w+(?:, \w+)*) : .*\n((?:    .*\n|\n(?=    ))*)", section, re.MULTILINE)
    texts: dict[str, str] = {}
    for names, body in entries:
        text = " ".join(plain_text(body).split("\n\n", 1)[0].split())
        texts |= dict.fromkeys(names.split(", "), text)
    return texts
