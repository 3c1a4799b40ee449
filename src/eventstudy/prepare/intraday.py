"""Bars within the day: when each ends, what the clock shows when it starts, and which bars make one study."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars, minutes
from eventstudy.errors import InputError
from eventstudy.prepare.factors import Factors
from eventstudy.types import Dates, Floats

DAILY = "daily prices"


def ends(name: str | None, starts: Dates, step: np.timedelta64) -> Dates:
    """Give the end of each bar: its start and a step, or earlier where the next bar begins or trading stops.

    Trading stops at the close and for lunch; a bar that the next one follows without a gap goes on over it.

    Parameters
    ----------
    name : str or None
        The exchange; where it is None, only the next bar's start is known.
    starts : datetime64[s] array (T,)
        UTC, increasing.
    step : timedelta64
        Of a full bar.

    Examples
    --------
    >>> starts = np.array(["2021-01-04T14:00", "2021-01-04T14:30", "2021-01-04T20:30"], dtype="datetime64[s]")
    >>> ends("XNYS", starts, np.timedelta64(3600, "s")).astype(str).tolist()
    ['2021-01-04T14:30:00', '2021-01-04T15:30:00', '2021-01-04T21:00:00']
    """
    full = starts + step
    following = np.append(starts[1:], full[-1:] + step)
    end = np.minimum(full, following)
    if name is None or not len(starts):
        return np.asarray(end)
    stops = markets.pauses(name)
    stop = stops[np.minimum(np.searchsorted(stops, starts, side="right"), len(stops) - 1)]
    return np.where((stop > starts) & (stop < end) & (following != full), stop, end)


def holes(name: str | None, starts: Dates, step: np.timedelta64) -> tuple[Dates, Dates]:
    """Give a last bar for each session in whose hours no bar starts, and the dates of these sessions.

    None where most sessions have no bar in their hours: the prices are of other hours.
    """
    none = starts[:0]
    if name is None or not len(starts):
        return none, none
    dates, last = markets.sessions(name)
    first, last = markets.opens(name), last.astype("datetime64[s]")
    inside = (first > starts[0]) & (last < starts[-1])
    count = np.searchsorted(starts, last, side="left") - np.searchsorted(starts, first, side="left")
    empty = inside & (count == 0)
    if not empty.any() or 2 * empty.sum() > inside.sum():
        return none, none
    return np.maximum(last[empty] - step, first[empty]), dates[empty]


def clock(name: str | None, starts: Dates) -> Floats:
    """Give the seconds since local midnight at which bars start; 0 for sessions.

    Examples
    --------
    >>> clock("XNYS", np.array(["2021-01-04T14:30", "2021-07-06T13:30"], dtype="datetime64[s]"))
    array([34200., 34200.])
    """
    if np.datetime_data(starts.dtype)[0] != "s":
        return np.zeros(len(starts))
    there = markets.wall(name, starts)
    return np.asarray((there - there.astype("datetime64[D]")) / np.timedelta64(1, "s"))


def written(name: str | None, when: np.datetime64) -> str:
    """Write a session as its date, and a bar as its start in local time.

    Examples
    --------
    >>> written("XNYS", np.datetime64("2021-09-13T08:00:00")), written("XNYS", np.datetime64("2021-09-13"))
    ('2021-09-13 04:00-04:00', '2021-09-13')
    """
    if np.isnat(when) or np.datetime_data(when)[0] != "s":
        return str(when)
    there = pd.Timestamp(when, tz="UTC").tz_convert("UTC" if name is None else markets.zone_of(name))
    return there.isoformat(sep=" ", timespec="minutes" if there.second == 0 else "seconds")


def zone_of_all(names: Iterable[str | None]) -> str:
    """Give the one zone of some calendars, or UTC where they have several or none."""
    zones = {"UTC" if name is None else markets.zone_of(name) for name in names}
    return zones.pop() if len(zones) == 1 else "UTC"


def check_one_kind(bars: Iterable[Bars], factors: Factors) -> None:
    """Refuse prices of which some are sessions and some bars, or bars of different lengths; and daily factors for bars.

    Raises
    ------
    InputError
        Naming one ticker of each.
    """
    found: dict[str, str] = {}
    for its in bars:
        found.setdefault(DAILY if its.step is None else f"bars of {minutes(its.step)}", its.ticker)
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise InputError(
            f"{first} has {one} and {second} has {other}; a study counts one kind of step: give all its tickers, the"
            " benchmarks too, daily prices or bars of one length"
        )
    daily = [name for name, (dates, _) in factors.items() if np.datetime_data(dates.dtype)[0] == "D"]
    if daily and found and DAILY not in found:
        raise InputError(
            f"factor {daily[0]} has one value a day, and the prices are bars within the day; index the factors by the"
            " starts of bars, with their time zone, or take a model without factors"
        )
