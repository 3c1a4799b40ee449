"""A saved result compared with the same study run again: which cells differ, and of which ticker and date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.display import formats
from eventstudy.result import Result

TOLERANCE = 1e-9  # relative; another machine may differ in the last bits
SMALLEST = 1e-12  # numbers that differ by less are equal
# The columns that name a row of a frame; those of the others are their index.
KEYS: Mapping[str, list[str]] = {
    "events": [],
    "ar": [],
    "cars": ["event_id", "start", "end"],
    "daily": [],
    "tests": ["group", "start", "end", "test"],
    "reactions": [],
    "attrition": ["reason"],
    "effects": ["start", "end"],
    "by_group": ["group", "day"],
}
DATA = ("events", "prices", "factors")


class Difference(NamedTuple):
    """A cell that differs; ``ticker`` and ``date`` are those of its event, empty for cells of averages.

    ``saved`` and ``computed`` are its values, None where the row or column is missing.
    """

    frame: str
    row: str
    column: str
    ticker: str
    date: str
    saved: object
    computed: object

    def __str__(self) -> str:
        of = f"{self.ticker} {self.date}, " if self.ticker else ""
        values = " in place of ".join(map(_shown, (self.computed, self.saved)))
        return f"{self.frame}, {of}row {self.row}, column {self.column}: {values}"


@dataclass(frozen=True)
class Comparison:
    """What differs between a saved result and the same study run again.

    Attributes
    ----------
    cells : tuple of Difference
        Cells that differ by more than one part in 10^9.
    inputs : tuple of str
        The choices and data whose record differs, such as the prices of a ticker.
    versions : tuple of str
        Libraries with another version; alone they are no difference.
    """

    cells: tuple[Difference, ...]
    inputs: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether no cell differs."""
        return not self.cells


def compare(saved: Result, computed: Result) -> Comparison:
    """Compare a saved result with the same study run again, cell by cell.

    Parameters
    ----------
    saved, computed : Result

    Returns
    -------
    Comparison

    Examples
    --------
    >>> from dataclasses import replace
    >>> from eventstudy import demo
    >>> result = demo.run().result
    >>> compare(result, result).same
    True
    >>> other = replace(result, cars=result.cars.assign(car=result.cars["car"].where(result.cars.index != 0, 1.0)))
    >>> [(cell.frame, cell.column, cell.computed) for cell in compare(result, other).cells]
    [('cars', 'car', 1.0)]
    """
    cells = [cell for name in KEYS for cell in _cells(name, saved, computed)]
    old, new = saved.provenance, computed.provenance
    versions = [f"{name} {a} then, {b} now" for name, a, b in _unequal(old.get("versions"), new.get("versions"))]
    if old.get("eventstudy") != new.get("eventstudy"):
        versions.insert(0, f"eventstudy {old.get('eventstudy')} then, {new.get('eventstudy')} now")
    return Comparison(tuple(cells), tuple(_inputs(old, new)), tuple(versions))


def _inputs(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    """Yield the choices and data that differ by the provenance."""
    for name, a, b in _unequal(old.get("settings"), new.get("settings")):
        yield f"the choice {name}: {formats.setting(b)} in place of {formats.setting(a)}"
    for name in DATA:
        a, b = (record.get(name) for record in (old, new))
        hashes = [record.get("sha256") if isinstance(record, Mapping) else None for record in (a, b)]
        if all(isinstance(sha256, Mapping) for sha256 in hashes):
            for ticker, *_ in _unequal(*hashes):
                yield f"the {name} of {ticker}"
        elif hashes[0] != hashes[1]:
            yield f"the {name}"


def _unequal(old: object, new: object) -> Iterator[tuple[str, object, object]]:
    """Yield the keys of two mappings whose values differ, in their order, with both values."""
    a, b = (record if isinstance(record, Mapping) else {} for record in (old, new))
    for name in dict.fromkeys([*a, *b]):
        if _text(a.get(name)) != _text(b.get(name)):
            yield str(name), a.get(name), b.get(name)


def _text(value: object) -> str:
    """Return a setting as text; a tuple that was saved may come back as a list."""
    return formats.setting(value)


def _cells(name: str, saved: Result, computed: Result) -> Iterator[Difference]:
    """Yield the cells of a frame that differ."""
    a, b = (_keyed(name, getattr(result, name)) for result in (saved, computed))
    rows = a.index.union(b.index, sort=False)
    columns = list(dict.fromkeys([*a.columns, *b.columns]))
    for column in columns:
        left, right = (_values(frame, column, rows) for frame in (a, b))
        for at in map(int, np.flatnonzero(_differ(left, right))):
            event = rows[at][0] if name == "cars" else rows[at]
            ticker, date = _event(event, saved, computed) if name in ("events", "ar", "cars", "reactions") else ("", "")
            yield Difference(name, _label(rows[at]), str(column), ticker, date, left[at], right[at])


def _keyed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame indexed by what names its rows, or by position if that is not unique."""
    keyed = frame.set_index(KEYS[name]) if KEYS[name] and set(KEYS[name]) <= set(frame.columns) else frame
    return keyed if keyed.index.is_unique else frame.reset_index(drop=True)


def _values(frame: pd.DataFrame, column: object, rows: pd.Index) -> np.ndarray:
    """Return a column at some rows as objects, None where the frame lacks the row or the column."""
    values = np.full(len(rows), None, dtype=object)
    if column in frame.columns:
        at = frame.index.get_indexer(rows)
        values[at >= 0] = frame[column].to_numpy(dtype=object)[at[at >= 0]]
    return values


def _differ(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return at which places two arrays of objects differ."""
    missing = [pd.isna(values) | (values == "") for values in (left, right)]
    numbers = [np.array([isinstance(v, Number) for v in values], dtype=bool) for values in (left, right)]
    different = ~(missing[0] & missing[1])
    plain = ~missing[0] & ~missing[1]
    both = plain & numbers[0] & numbers[1]
    close = np.isclose(left[both].astype(float), right[both].astype(float), rtol=TOLERANCE, atol=SMALLEST)
    different[both] = ~close
    other = plain & ~both
    different[other] = [a != b for a, b in zip(left[other], right[other], strict=True)]
    return np.asarray(different, dtype=bool)


def _event(event_id: object, saved: Result, computed: Result) -> tuple[str, str]:
    """Return the ticker and the session of an event."""
    for result in (saved, computed):
        at = result.events.index.get_indexer(pd.Index([event_id], dtype=object))[0]
        if at >= 0:
            return str(result.events["ticker"].iloc[at]), formats.date(result.events["session"].iloc[at])
    return "", ""


def _shown(value: object) -> str:
    """Return a value with enough digits to see what :data:`TOLERANCE` sees."""
    if formats.is_missing(value) or value == "":
        return "nothing"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _label(row: object) -> str:
    return " ".join(map(str, row)) if isinstance(row, tuple) else str(row)
