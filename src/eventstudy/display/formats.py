"""Format numbers, dates and the user's text, in the same way in all plots and reports.

A missing value is an en dash, a negative number has a minus sign (not a hyphen), and text of the user is one line
without control characters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, Protocol, SupportsFloat

import pandas as pd

from eventstudy.errors import InputError, shown

GLUE = "\xa0"  # a space at which no line is broken
SHORT = 3  # days: over longer windows the SQ test of single events rejects too often
MISSING = "–"
DOES_NOT_HOLD = "†"  # after the p of a test that does not hold for the sample
STAR_LEVELS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
ONE_DATE = "one date cannot tell a common shock from an effect"
STARS = "*** p < 0.01, ** p < 0.05, * p < 0.10"
Number = SupportsFloat | None


class HasProvenance(Protocol):
    """A result, or an analysis of one, with its provenance."""

    @property
    def provenance(self) -> Mapping[str, object]:
        """Versions, settings and fingerprints."""


class HasEvents(Protocol):
    """A result with its events."""

    @property
    def events(self) -> pd.DataFrame:
        """The events."""


def is_missing(value: object) -> bool:
    """Return whether a value is missing: None, NaN, NaT or empty text.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(""), is_missing(pd.NA), is_missing(0)
    (True, True, True, False)
    """
    return value is None or value is pd.NaT or value is pd.NA or value == "" or value != value


def number(value: Number, digits: int = 2) -> str:
    """Return a number with fixed decimals.

    Examples
    --------
    >>> number(-2.345), number(float("nan")), number(float("inf"))
    ('−2.35', '–', '∞')
    """
    x = _as_float(value)
    if math.isnan(x):
        return MISSING
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    text = f"{x:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def _as_float(value: Number) -> float:
    return math.nan if value is None or is_missing(value) else float(value)


def count(value: Number) -> str:
    """Return a count, or degrees of freedom, with one decimal if it is not a whole number.

    Examples
    --------
    >>> count(12.0), count(8.26), count(1234)
    ('12', '8.3', '1234')
    """
    x = _as_float(value)
    return number(x, 0 if math.isnan(x) or math.isinf(x) or x.is_integer() else 1)


def percent(value: Number, digits: int = 2) -> str:
    """Return a decimal as a percentage with its sign.

    Examples
    --------
    >>> percent(-0.0612), percent(0.005, 1), percent(0.0), percent(None)
    ('−6.12 %', '+0.5 %', '0.00 %', '–')
    """
    x = _as_float(value)
    return MISSING if math.isnan(x) else f"{signed(100 * x, digits)} %"


def signed(value: Number, digits: int = 2) -> str:
    """Return a number with its sign.

    Examples
    --------
    >>> signed(0.5), signed(-0.5), signed(0.001), signed(None)
    ('+0.50', '−0.50', '0.00', '–')
    """
    text = number(value, digits)
    return f"+{text}" if _as_float(value) > 0 and any(c in text for c in "123456789∞") else text


def p_value(value: Number) -> str:
    """Return a p-value with three decimals; below 0.001 as a bound.

    Examples
    --------
    >>> p_value(0.0123), p_value(2e-9), p_value(1.0), p_value(float("nan"))
    ('0.012', '<0.001', '1.000', '–')
    """
    return "<0.001" if _as_float(value) < 0.001 else number(value, 3)


def marked_p(p: Number, valid: object) -> str:
    """Return the p-value of a test, with a mark if the test does not hold for the sample.

    Examples
    --------
    >>> marked_p(0.0123, True), marked_p(0.0123, False), marked_p(float("nan"), False)
    ('0.012', '0.012†', '–')
    """
    return p_value(p) + ("" if valid or is_missing(p) else DOES_NOT_HOLD)


def stars(p: Number, valid: object = True) -> str:
    """Return the stars of a p-value, as ``STARS`` explains them; none for a test that does not hold for the sample.

    Examples
    --------
    >>> stars(0.004), stars(0.04), stars(0.08), stars(0.2), stars(0.004, valid=False)
    ('***', '**', '*', '', '')
    """
    x = _as_float(p)
    return next((mark for level, mark in STAR_LEVELS if valid and x < level), "")


def terminal(text: str) -> str:
    """Return text with the signs of this module as every terminal can show them.

    Examples
    --------
    >>> terminal("−6.12 %, p 0.012†")
    '-6.12 %, p 0.012!'
    """
    return text.replace("−", "-").replace(MISSING, "-").replace(DOES_NOT_HOLD, "!")


def primary(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the row of the primary test of each group and window, which is the first."""
    return tests.drop_duplicates(["group", "start", "end"])


def tested(row: Mapping[Hashable, Any]) -> str:
    """Return the p of a row of ``Result.tests`` with the name of its test, or that no test could be computed.

    Examples
    --------
    >>> tested({"p": 0.0123, "test": "bmp", "valid": True}), tested({"p": 0.0123, "test": "patell", "valid": False})
    ('p 0.012 (bmp)', 'p 0.012† (patell, does not hold here)')
    """
    if is_missing(row["p"]):
        return "no test could be computed"
    return (
        f"p {marked_p(row['p'], row['valid'])} ({plain(row['test'])}{'' if row['valid'] else ', does not hold here'})"
    )


def date(value: object) -> str:
    """Return a date in ISO form, with its time and time zone if it has them.

    Examples
    --------
    >>> date(pd.Timestamp("2021-09-13")), date(pd.Timestamp("2020-11-03T20:40+08:00")), date(pd.NaT)
    ('2021-09-13', '2020-11-03 20:40+08:00', '–')
    """
    if is_missing(value):
        return MISSING
    try:
        stamp = pd.Timestamp(value)  # type: ignore[arg-type]  # what is not a date raises and is shown as text
    except (TypeError, ValueError):
        return plain(value)
    if stamp == stamp.normalize() and stamp.tzinfo is None:
        return f"{stamp:%Y-%m-%d}"
    return stamp.isoformat(sep=" ", timespec="minutes" if stamp.second == 0 else "seconds")


def day_unit(session: pd.Series[pd.Timestamp]) -> str:
    """Return what a relative day is: a session, or a bar if the events' sessions are time stamps with a time zone.

    Examples
    --------
    >>> day_unit(pd.Series(pd.to_datetime(["2021-09-13"]))), day_unit(pd.Series(pd.to_datetime(["2021-09-13T08:00Z"])))
    ('session', 'bar')
    """
    return "bar" if isinstance(session.dtype, pd.DatetimeTZDtype) else "session"


def day_or_bar(session: pd.Series[pd.Timestamp]) -> str:
    """Return what one step of the event window is called: a day, or a bar if the events' sessions have a time zone.

    Examples
    --------
    >>> day_or_bar(pd.Series(pd.to_datetime(["2021-09-13T08:00Z"])))
    'bar'
    """
    return "day" if day_unit(session) == "session" else "bar"


def window(start: Number, end: Number) -> str:
    """Return a window in relative days.

    Examples
    --------
    >>> window(-1, 1)
    '(−1, 1)'
    """
    return f"({count(start)}, {count(end)})"


def plural(n: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural.

    Examples
    --------
    >>> plural(1, "event"), plural(0, "event")
    ('1 event', '0 events')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def plain(value: object) -> str:
    r"""Return text as one line, with spaces in place of control and other invisible characters.

    Examples
    --------
    >>> plain("two\nlines and \x1b[31mred")
    'two lines and [31mred'
    """
    if is_missing(value):
        return MISSING
    visible = (" " if unicodedata.category(c).startswith("C") else c for c in str(value))
    return " ".join("".join(visible).split()) or MISSING


def columns_of(line: str) -> int:
    """Return the terminal columns of a line: a Chinese character has two, a combining accent none.

    Examples
    --------
    >>> columns_of("BABA"), columns_of("阿里")
    (4, 4)
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(bool(unicodedata.combining(c)) for c in line)


def cut(line: str, width: int) -> str:
    """Return a line cut to some terminal columns; a cut is marked by an ellipsis.

    Examples
    --------
    >>> cut("9988.HK", 7), cut("反垄断指南", 7)
    ('9988.HK', '反垄断…')
    """
    return line if columns_of(line) <= width else truncate(line, width - 1) + "…"


def truncate(line: str, width: int) -> str:
    """Return the longest beginning of a line that fits into some terminal columns, at least one character."""
    while columns_of(line) > width and len(line) > 1:
        line = line[:-1]
    return line


def wrap(line: str, width: int, indent: str = "") -> list[str]:
    """Break a line at spaces, or inside a word wider than the line; a Chinese character counts as two columns.

    A number and its % stay together.

    Examples
    --------
    >>> wrap("a note of 反垄断", 8, "  ")
    ['a note', '  of', '  反垄断']
    """
    lines, current = [], ""
    for word in (part.replace(GLUE, " ") for part in line.replace(" %", f"{GLUE}%").split(" ")):
        joined = f"{current} {word}" if current.strip() else current + word
        if columns_of(joined) > width and current.strip():
            lines.append(current)
            joined = indent + word
        while columns_of(joined) > width:
            head = truncate(joined, width)
            lines.append(head)
            joined = indent + joined[len(head) :]
        current = joined
    return [*lines, current]


def setting(value: object) -> str:
    """Return a value of a study's settings or provenance, of any type, as one line.

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


def prices_note(result: HasProvenance) -> str:
    """Return the note on the prices that every table, plot and file must show (``simulated prices``), or empty text."""
    prices = result.provenance.get("prices") or {}
    note = prices.get("note") if isinstance(prices, Mapping) else None
    return "" if is_missing(note) else plain(note)


def one_date(result: HasProvenance) -> str:
    """Return what no test can say of a study whose events all share one date; empty text for other studies."""
    clustering = result.provenance.get("clustering")
    if not isinstance(clustering, Mapping) or clustering["n_dates"] != 1 or clustering["n_events"] == 1:
        return ""
    return f"all {clustering['n_events']} events share one date, and {ONE_DATE}"


def usable_events(result: HasEvents) -> pd.DataFrame:
    """Return the rows of ``result.events`` whose status is ok."""
    return result.events[result.events["status"] == "ok"]


def is_in(index: pd.Index, event_id: object) -> bool:
    """Return whether an event is in an index, which no object of another kind is."""
    try:
        return bool(event_id in index)
    except (TypeError, ValueError):  # what cannot be hashed or compared
        return False


def first_p(cars: pd.DataFrame, start: int, end: int) -> str:
    """Return the column of ``Result.cars`` that is the first p-value of single events in a window.

    It does not assume normality: ``p_sq``, or ``p_conformal`` over more than three days; ``p`` where the model has
    neither.
    """
    name = "p_sq" if end - start < SHORT else "p_conformal"
    return name if cars.loc[(cars["start"] == start) & (cars["end"] == end), name].notna().any() else "p"


def usable_ids(result: HasEvents, event_ids: Iterable[Hashable] | None = None) -> list[Any]:
    """Return the ids of all usable events, or the ids passed after checking that each is usable.

    Raises
    ------
    InputError
        When an event is not in the study, or was not used.
    """
    usable = list(usable_events(result).index)
    if event_ids is None:
        return usable
    if isinstance(event_ids, str) or not isinstance(event_ids, Collection):
        raise InputError(f"the events are {shown(event_ids)}; give their ids in a list")
    chosen = list(event_ids)
    for event_id in chosen:
        if is_in(result.events.index, event_id) and event_id not in usable:
            event = result.events.iloc[list(result.events.index).index(event_id)]
            raise InputError(
                f"event {shown(event_id)} was not used: {event['status']}, {event['reason']}; choose another"
            )
        if not is_in(result.events.index, event_id):
            listed = ", ".join(map(repr, usable[:5])) + (f" and {len(usable) - 5} more" if len(usable) > 5 else "")
            raise InputError(f"event {shown(event_id)} is not in this study; its usable events are {listed or 'none'}")
    return chosen
