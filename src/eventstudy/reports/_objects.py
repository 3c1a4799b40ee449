"""Plain objects as JSON and back, in their types: what JSON lacks is a table with one key that begins with $."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class _Kind(NamedTuple):
    """A type that JSON lacks, how one is written as plain values, and how it is read from them."""

    of: type
    write: Callable[[Any], object]
    read: Callable[[Any], object]


def _stamp(parts: list[Any]) -> pd.Timestamp:
    text, zone, unit = parts
    stamp = pd.Timestamp(text)
    return (stamp.tz_convert(zone) if zone else stamp).as_unit(unit)


# A type stands before those of which it is one.
KINDS = {
    "$NaT": _Kind(type(pd.NaT), lambda value: None, lambda _: pd.NaT),
    "$NA": _Kind(type(pd.NA), lambda value: None, lambda _: pd.NA),
    "$stamp": _Kind(pd.Timestamp, lambda t: [t.isoformat(), str(t.tz) if t.tz else None, t.unit], _stamp),
    "$datetime": _Kind(datetime, lambda value: value.isoformat(), datetime.fromisoformat),
    "$date": _Kind(date, lambda value: value.isoformat(), date.fromisoformat),
    "$decimal": _Kind(Decimal, str, Decimal),
    "$tuple": _Kind(tuple, list, tuple),
    "$number": _Kind(np.generic, lambda value: [value.dtype.str, value.item()], lambda p: np.dtype(p[0]).type(p[1])),
}


def plain(value: Any, other: Callable[[object], object]) -> Any:
    """Return a value as JSON has it; ``other`` returns what stands for an object of another type, or raises.

    Examples
    --------
    >>> plain({"windows": ((0, 0),), "share": float("nan")}, str)
    {'windows': {'$tuple': [{'$tuple': [0, 0]}]}, 'share': {'$float': 'nan'}}
    >>> back(plain({"windows": ((0, 0),), 1: "a"}, str))
    {'windows': ((0, 0),), 1: 'a'}
    """
    if value is None or type(value) in (bool, str, int):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, list):
        return [plain(item, other) for item in value]
    if isinstance(value, Mapping):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: plain(item, other) for key, item in value.items()}
        return {"$table": [[plain(key, other), plain(item, other)] for key, item in value.items()]}
    for name, kind in KINDS.items():
        if isinstance(value, kind.of) and not (isinstance(value, np.generic) and value.dtype.kind not in "biuf"):
            return {name: plain(kind.write(value), other)}
    return other(value)


def back(written: Any) -> Any:
    """Return the value that :func:`plain` has written."""
    if isinstance(written, list):
        return [back(item) for item in written]
    if not isinstance(written, dict):
        return written
    name = next(iter(written), "")
    if not name.startswith("$"):
        return {key: back(item) for key, item in written.items()}
    content = written[name]
    if name == "$table":
        return {back(key): back(item) for key, item in content}
    return float(content) if name == "$float" else KINDS[name].read(back(content))
