"""Numbers, dates and foreign text as people read them; with this the plots and reports all say them alike.

A missing value is an en dash, a negative number has a true minus sign, and text that came from outside is one
line without control characters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol

import pandas as pd

from eventstudy.errors import InputError

MISSING = "–"


class Studied(Protocol):
    """What is shown of a result: its events, and where they come from."""

    @property
    def events(self) -> pd.DataFrame:
        """The events."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, settings and fingerprints."""


def is_missing(value: object) -> bool:
    """Say whether a cell holds nothing: None, NaN, NaT or empty text.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(""), is_missing(0)
    (True, True, False)
    """
    return value is None or value == "" or value is pd.NaT or value is pd.NA or value != value


def number(value: Any, digits: int = 2) -> str:
    """Write a number with fixed decimals.

    Examples
    --------
    >>> number(-2.345), number(float("nan")), number(float("inf"))
    ('−2.35', '–', '∞')
    """
    if is_missing(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def count(value: Any) -> str:
    """Write a count, or degrees of freedom, with decimals only where it has some.

    Examples
    --------
    >>> count(12.0), count(8.26), count(1234)
    ('12', '8.3', '1234')
    """
    return number(value, 0 if is_missing(value) or math.isinf(value) or float(value).is_integer() else 1)


def percent(value: Any, digits: int = 2) -> str:
    """Write a decimal as a percentage that carries its sign.

    Examples
    --------
    >>> percent(-0.0612), percent(0.005, 1), percent(0.0), percent(None)
    ('−6.12 %', '+0.5 %', '0.00 %', '–')
    """
    return MISSING if is_missing(value) else f"{signed(100 * value, digits)} %"


def signed(value: Any, digits: int = 2) -> str:
    """Write a number that carries its sign.

    Examples
    --------
    >>> signed(0.5), signed(-0.5), signed(0.001), signed(None)
    ('+0.50', '−0.50', '0.00', '–')
    """
    text = number(value, digits)
    return f"+{text}" if not is_missing(value) and value > 0 and any(c in text for c in "123456789∞") else text


def p_value(value: Any) -> str:
    """Write a p-value with three decimals, the smallest as a bound.

    Examples
    --------
    >>> p_value(0.0123), p_value(2e-9), p_value(1.0), p_value(float("nan"))
    ('0.012', '<0.001', '1.000', '–')
    """
    return "<0.001" if not is_missing(value) and value < 0.001 else number(value, 3)


def date(value: Any) -> str:
    """Write a date in ISO form, with its time and zone only where it carries them.

    Examples
    --------
    >>> date(pd.Timestamp("2021-09-13")), date(pd.Timestamp("2020-11-03T20:40+08:00")), date(pd.NaT)
    ('2021-09-13', '2020-11-03 20:40+08:00', '–')
    """
    if is_missing(value):
        return MISSING
    try:
        stamp = pd.Timestamp(value)
    except (TypeError, ValueError):
        return plain(value)
    if stamp == stamp.normalize() and stamp.tzinfo is None:
        return f"{stamp:%Y-%m-%d}"
    return stamp.isoformat(sep=" ", timespec="minutes" if stamp.second == 0 else "seconds")


def counted(session: pd.Series[Any]) -> str:
    """Say what relative days count, by the sessions of events: sessions, or bars within the day, which have a zone.

    Examples
    --------
    >>> counted(pd.Series(pd.to_datetime(["2021-09-13"]))), counted(pd.Series(pd.to_datetime(["2021-09-13T08:00Z"])))
    ('session', 'bar')
    """
    return "bar" if isinstance(session.dtype, pd.DatetimeTZDtype) else "session"


def window(start: Any, end: Any) -> str:
    """Write a window in relative days.

    Examples
    --------
    >>> window(-1, 1)
    '(−1, 1)'
    """
    return f"({count(start)}, {count(end)})"


def plural(n: int, noun: str) -> str:
    """Write a count of things.

    Examples
    --------
    >>> plural(1, "event"), plural(0, "event")
    ('1 event', '0 events')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def plain(value: Any) -> str:
    r"""Make one line of foreign text: control and other invisible characters become spaces.

    Examples
    --------
    >>> plain("two\nlines and \x1b[31mred")
    'two lines and [31mred'
    """
    if is_missing(value):
        return MISSING
    kept = (" " if unicodedata.category(c).startswith("C") else c for c in str(value))
    return " ".join("".join(kept).split()) or MISSING


def columns_of(line: str) -> int:
    """Count the terminal columns of a line: Chinese takes two a letter, a combining accent none.

    Examples
    --------
    >>> columns_of("BABA"), columns_of("阿里")
    (4, 4)
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(bool(unicodedata.combining(c)) for c in line)


def cut(line: str, width: int) -> str:
    """Shorten a line to some terminal columns, with an ellipsis where something is lost.

    Examples
    --------
    >>> cut("9988.HK", 7), cut("反垄断指南", 7)
    ('9988.HK', '反垄断…')
    """
    return line if columns_of(line) <= width else fitting(line, width - 1) + "…"


def fitting(line: str, width: int) -> str:
    """Give the longest beginning that fits in some terminal columns, at least one letter."""
    while columns_of(line) > width and len(line) > 1:
        line = line[:-1]
    return line


def setting(value: Any) -> str:
    """Write a value of a study's settings or provenance, whatever it is, on one line.

    Examples
    --------
    >>> setting([(0, 0), (-1, 1)]), setting({"XHKG": "^HSI"}), setting(None)
    ('(0, 0), (−1, 1)', 'XHKG: ^HSI', '–')
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(k)}: {setting(v)}" for k, v in value.items()) or MISSING
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        if len(items) == 2 and all(isinstance(i, int) for i in items):
            return window(*items)
        return ", ".join(setting(i) for i in items) or MISSING
    if isinstance(value, float):
        return f"{value:g}".replace("-", "−")
    return plain(value)


def prices_note(result: Studied) -> str:
    """Give what every table, plot and file must say of the prices (``simulated prices``), or empty text."""
    prices = result.provenance.get("prices") or {}
    note = prices.get("note") if isinstance(prices, Mapping) else None
    return "" if is_missing(note) else plain(note)


def used(result: Studied) -> pd.DataFrame:
    """Give the rows of ``result.events`` whose status is ok."""
    return result.events[result.events["status"] == "ok"]


def usable_ids(result: Studied, wanted: Iterable[Hashable] | None = None) -> list[Any]:
    """Give the ids of the usable events, or those that are wanted after a check.

    Raises
    ------
    InputError
        When a wanted event is not in the study, or is there and could not be used.
    """
    usable = list(used(result).index)
    if wanted is None:
        return usable
    chosen = list(wanted)
    for event_id in chosen:
        if event_id in result.events.index and event_id not in usable:
            event: Any = result.events.loc[event_id]  # type: ignore[call-overload]
            raise InputError(f"event {event_id!r} was not used: {event['status']}, {event['reason']}; choose another")
        if event_id not in usable:
            some = ", ".join(map(repr, usable[:5])) + (f" and {len(usable) - 5} more" if len(usable) > 5 else "")
            raise InputError(f"event {event_id!r} is not in this study; its usable events are {some or 'none'}")
    return chosen
