"""Bounds of the time of an announcement: the columns ``not_before`` and ``not_after`` of events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.prepare.stamps import Problems, as_texts, read_times
from eventstudy.types import Dates

BOUNDS = ("not_before", "not_after")
DAY = np.timedelta64(1, "D")
NO_TIME = "is a date; a bound is a time, as in 2021-07-06T16:10+08:00"


class Bounds(NamedTuple):
    """The earliest and latest moment of each announcement, (N,), in UTC; NaT where there are no bounds."""

    first: Dates
    last: Dates


def read_bounds(events: pd.DataFrame, times: pd.DataFrame) -> tuple[dict[str, list[str]], Problems]:
    """Return the bounds as canonical text, empty without one, and the rows whose bounds are not valid.

    Parameters
    ----------
    events : DataFrame
    times : DataFrame
        As :func:`eventstudy.prepare.stamps.read_times` returns it.
    """
    texts, problems = {}, Problems()
    for name in (name for name in BOUNDS if name in events):
        texts[name], bad = _read(events, name)
        problems += bad
    if problems:
        return texts, problems
    bounds = bounds_of(times.assign(**texts))
    stamp = times["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    outside = (stamp < bounds.first) | (stamp > bounds.last)
    for row in np.flatnonzero((bounds.first > bounds.last) | outside):
        stated = " and ".join(f"{name} {texts[name][row]}" for name in texts if texts[name][row])
        wrong = "is outside its bounds" if outside[row] else "has no moment within its bounds"
        problems.append((int(row), f"announced {times['announced'].iloc[row]} {wrong}, {stated}; correct one of them"))
    return texts, problems


def _read(events: pd.DataFrame, name: str) -> tuple[list[str], Problems]:
    """Return one bound of each row as canonical text, and the rows in which it is no time."""
    stated = np.flatnonzero([text != "" for text in as_texts(events[name])])
    zones = events[["timezone"]] if "timezone" in events else pd.DataFrame(index=events.index)
    rows = zones.assign(announced=events[name]).iloc[stated].reset_index(drop=True)
    texts = [""] * len(events)
    if not len(rows):
        return texts, []
    times, bad = read_times(rows, dates=False)
    problems = [(int(stated[row]), reason.replace("announced", name, 1)) for row, reason in bad]
    invalid = {row for row, _ in bad}
    for at, (row, text, stamp) in enumerate(zip(stated, times["announced"], times["stamp"], strict=True)):
        if at not in invalid and stamp is pd.NaT:
            problems.append((int(row), f"{name} {text!r} {NO_TIME}"))
        texts[row] = text
    return texts, problems


def bounds_of(frame: pd.DataFrame) -> Bounds:
    """Return the bounds of events, as in ``Events.frame``.

    A bound that is not given is the time of the announcement or, where only its date is known, the beginning or the end
    of that date, at the offset of the other bound.
    """
    never = np.datetime64("NaT", "ns")
    if not any(name in frame for name in BOUNDS):
        return Bounds(*[np.full(len(frame), never)] * 2)
    moments = [_moments(frame, name) for name in BOUNDS]
    stamp = frame["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    midnight = frame["date"].to_numpy().astype("datetime64[ns]")
    offset = np.where(np.isnat(moments[0].offset), moments[1].offset, moments[0].offset)
    bounded = ~np.isnat(offset)
    filled = []
    for end, moment in zip((midnight, midnight + DAY - np.timedelta64(1, "ns")), moments, strict=True):
        default = np.where(np.isnat(stamp), end - offset, stamp)
        filled.append(np.where(np.isnat(moment.stamp), default, moment.stamp))
    return Bounds(np.where(bounded, filled[0], never), np.where(bounded, filled[1], never))


class _Moments(NamedTuple):
    """Moments in UTC, and the offsets from UTC with which they are written."""

    stamp: np.ndarray
    offset: np.ndarray


def _moments(frame: pd.DataFrame, name: str) -> _Moments:
    texts = pd.Series(as_texts(frame[name]) if name in frame else [""] * len(frame), dtype=object)
    stated = texts.where(texts != "")
    stamp = pd.to_datetime(stated, format="ISO8601", utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    local = pd.to_datetime(stated.str.replace(r"(?:Z|[+-]\d\d:?\d\d)$", "", regex=True), format="ISO8601")
    return _Moments(stamp, local.to_numpy().astype("datetime64[ns]") - stamp)
