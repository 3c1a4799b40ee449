"""Intraday bars: their ends, their time of day, and the check that a study has bars of one length."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars
from eventstudy.errors import InputError
from eventstudy.prepare.factors import Factors
from eventstudy.tabular.steps import minutes
from eventstudy.types import Dates, Floats

DAILY = "daily prices"


def bar_ends(name: str | None, starts: Dates, step: np.timedelta64, stated: markets.Changes = ()) -> Dates:
    """Return the end of each bar: its start plus ``step``, or earlier if the next bar begins or trading stops.

    Trading stops at the close and for lunch, but a stop does not end a bar that the next one follows without a gap.

    Parameters
    ----------
    name : str or None
        The exchange; if None, only the start of the next bar shortens a bar.
    starts : datetime64[s] array (T,)
        UTC, increasing.
    step : timedelta64
        Length of a full bar.
    stated : tuple of (date, close)
        As in :func:`eventstudy.markets.sessions`.

    Examples
    --------
    >>> starts = np.array(["2021-01-04T14:00", "2021-01-04T14:30", "2021-01-04T20:30"], dtype="datetime64[s]")
    >>> bar_ends("XNYS", starts, np.timedelta64(3600, "s")).astype(str).tolist()
    ['2021-01-04T14:30:00', '2021-01-04T15:30:00', '2021-01-04T21:00:00']
    """
    full = starts + step
    following = np.append(starts[1:], full[-1:] + step)
    end = np.minimum(full, following)
    if name is None or not len(starts):
        return np.asarray(end)
    stops = markets.pauses(name, stated)
    stop = stops[np.minimum(np.searchsorted(stops, starts, side="right"), len(stops) - 1)]
    return np.where((stop > starts) & (stop < end) & (following != full), stop, end)


def missing_sessions(
    name: str | None, starts: Dates, step: np.timedelta64, stated: markets.Changes = ()
) -> tuple[Dates, Dates]:
    """Return the start of a last bar for each session in whose hours no bar starts, and the dates of these sessions.

    Both are empty if most sessions have no bar in their hours, because the prices then come from other hours.
    """
    none = starts[:0]
    if name is None or not len(starts):
        return none, none
    dates, last = markets.sessions(name, stated)
    first, last = markets.opens(name, stated), last.astype("datetime64[s]")
    inside = (first > starts[0]) & (last < starts[-1])
    count = np.searchsorted(starts, last, side="left") - np.searchsorted(starts, first, side="left")
    empty = inside & (count == 0)
    if not empty.any() or 2 * empty.sum() > inside.sum():
        return none, none
    return np.maximum(last[empty] - step, first[empty]), dates[empty]


def seconds_of_day(name: str | None, starts: Dates) -> Floats:
    """Return the seconds since local midnight at which bars start; 0 for daily sessions.

    Examples
    --------
    >>> seconds_of_day("XNYS", np.array(["2021-01-04T14:30", "2021-07-06T13:30"], dtype="datetime64[s]"))
    array([34200., 34200.])
    """
    if np.datetime_data(starts.dtype)[0] != "s":
        return np.zeros(len(starts))
    local = markets.wall(name, starts)
    return np.asarray((local - local.astype("datetime64[D]")) / np.timedelta64(1, "s"))


def format_session(name: str | None, when: np.datetime64) -> str:
    """Format a session as its date, and a bar as its start in local time.

    Examples
    --------
    >>> format_session("XNYS", np.datetime64("2021-09-13T08:00:00"))
    '2021-09-13 04:00-04:00'
    >>> format_session("XNYS", np.datetime64("2021-09-13"))
    '2021-09-13'
    """
    if np.isnat(when) or np.datetime_data(when)[0] != "s":
        return str(when)
    local = pd.Timestamp(when, tz="UTC").tz_convert("UTC" if name is None else markets.zone_of(name))
    return local.isoformat(sep=" ", timespec="minutes" if local.second == 0 else "seconds")


def common_zone(names: Iterable[str | None]) -> str:
    """Return the time zone that the calendars share, or UTC if they have several or none."""
    zones = {"UTC" if name is None else markets.zone_of(name) for name in names}
    return zones.pop() if len(zones) == 1 else "UTC"


def check_same_step(bars: Iterable[Bars], factors: Factors) -> None:
    """Check that all prices have the same step, and that factors are intraday if and only if prices are.

    Raises
    ------
    InputError
        If daily prices and bars, or bars of different lengths, are mixed, or factors and prices, of which one is
        intraday; the message names one ticker of each kind, or a factor.
    """
    ticker_by_step: dict[str, str] = {}
    for security in bars:
        step = DAILY if security.step is None else f"bars of {minutes(security.step)}"
        ticker_by_step.setdefault(step, security.ticker)
    if len(ticker_by_step) > 1:
        (step, ticker), (other_step, other_ticker) = list(ticker_by_step.items())[:2]
        raise InputError(
            f"{ticker} has {step} and {other_ticker} has {other_step}; a study needs one length of step: use daily"
            " prices, or bars of one length, for all its tickers and benchmarks"
        )
    daily = [name for name, (dates, _) in factors.items() if np.datetime_data(dates.dtype)[0] == "D"]
    if daily and ticker_by_step and DAILY not in ticker_by_step:
        raise InputError(
            f"factor {daily[0]} has one value a day, and the prices are intraday; index the factors by the starts of"
            " bars, with their time zone, or choose a model without factors"
        )
    if len(daily) < len(factors) and DAILY in ticker_by_step:
        intraday = next(name for name in factors if name not in daily)
        raise InputError(
            f"factor {intraday} has values by time of day, and the prices are daily; give one return per date, indexed"
            " by dates"
        )
