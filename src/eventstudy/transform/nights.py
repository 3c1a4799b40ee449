"""Transforms of intraday bars: a separate bar for the overnight return, and a selection of hours of the day.

Use them as ``eventstudy.transform.overnight`` and ``eventstudy.transform.hours``. Intraday prices are seldom adjusted:
the overnight return before an ex-dividend day or a split then contains the dividend or the split.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, shown
from eventstudy.markets import wall
from eventstudy.prepare.calendar import calendar_name, observed_calendar
from eventstudy.transform._shared import check_prices, format_names, with_record
from eventstudy.types import Bools, Dates, Floats

SECOND = np.timedelta64(1, "s")  # an overnight bar starts a second before the day's first bar, and ends at its start
CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


def overnight(prices: Prices) -> Prices:
    """Insert an overnight bar before each day's first bar, so that no other return includes the night.

    The return of a day's first bar consists of the move from the previous close to the open, and of the move from open
    to close. The first part becomes a bar that closes at the first bar's open; the first bar keeps the second part.
    The overnight bar starts one second before the first bar, and ends where that begins, so that announcements made
    overnight fall on it, and it has its own time of day.

    The day begins with the first bar of any ticker of the exchange. If a ticker's first bar is later, its price at the
    opening is not known and it has no overnight bar; notes count such days. A market that does not close between days
    has no overnight bars.

    Parameters
    ----------
    prices : Prices
        Intraday prices with opens.

    Raises
    ------
    InputError
        If prices are daily, or a ticker has no opens.

    Examples
    --------
    >>> import pandas as pd
    >>> starts = pd.to_datetime(["2021-01-04 15:30", "2021-01-05 09:30", "2021-01-05 10:30"]).tz_localize("UTC")
    >>> bars = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.5, 12.0]}, index=starts)).bars["A"]
    >>> opens = np.array([10.0, 11.0, 11.5])
    >>> prices = Prices({"A": replace(bars, fields={**bars.fields, "open": opens})})
    >>> overnight(prices).frame("A")["close"]
    date
    2021-01-04 15:30:00+00:00    10.0
    2021-01-05 09:29:59+00:00    11.0
    2021-01-05 09:30:00+00:00    11.5
    2021-01-05 10:30:00+00:00    12.0
    Name: close, dtype: float64
    """
    _check_intraday(prices, "overnight")
    without_open = [t for t, bars in prices.bars.items() if "open" not in bars.fields]
    if without_open:
        raise InputError(
            f"{format_names(without_open)} have no open, and the overnight return ends at the open; read prices with"
            " opens"
        )
    converted, notes = {}, {}
    for name in {calendar_name(bars.mic) for bars in prices.bars.values()}:
        members = {ticker: bars for ticker, bars in prices.bars.items() if calendar_name(bars.mic) == name}
        calendar = observed_calendar(name, list(members.values()))
        openings = _opening_bars(name, calendar.dates, calendar.closes)
        for ticker, bars in members.items():
            converted[ticker], missing = _insert_overnight(bars, openings)
            if missing:
                notes[ticker] = [f"no price at the opening of {missing} of {len(openings)} days: the night is missing"]
    ordered = {ticker: converted[ticker] for ticker in prices.bars}
    return with_record(prices, ordered, "overnight: every night is a bar that closes at the day's first open", notes)


def _opening_bars(name: str | None, starts: Dates, ends: Dates | None) -> Dates:
    """Return the starts of the days' first bars, if trading stopped before them."""
    if ends is None or not len(starts):
        return starts[:0]
    day = wall(name, starts).astype("datetime64[D]")
    stopped = starts[1:] - ends[:-1] >= SECOND
    return np.asarray(starts[1:][(day[1:] != day[:-1]) & stopped])


def _insert_overnight(bars: Bars, openings: Dates) -> tuple[Bars, int]:
    """Insert an overnight bar before each opening bar; count the days within a ticker's history without one."""
    open_, close = bars.fields["open"], bars.fields["close"]
    at = np.flatnonzero(np.isin(bars.dates, openings) & np.isfinite(open_))
    fields = {}
    for name, values in bars.fields.items():
        night = np.full(len(at), np.nan)
        if name in ("close", "high", "low", "open"):
            night = open_[at]
        elif name == "adjusted":
            night = open_[at] * values[at] / close[at]
        fields[name] = np.insert(values, at, night)
    first, last = (bars.dates[0], bars.dates[-1]) if len(bars.dates) else (openings[:1], openings[:1])
    n_openings = int(((openings > first) & (openings <= last)).sum())
    dates = np.insert(bars.dates, at, bars.dates[at] - SECOND)
    return replace(bars, dates=dates, fields=fields), n_openings - len(at)


def hours(prices: Prices, first: str, last: str) -> Prices:
    """Select the bars that start between two times of day, in local time of their exchange.

    Parameters
    ----------
    prices : Prices
        Intraday prices.
    first, last : str
        Local times, as ``"09:30"`` and ``"16:00"``: bars that start at or after ``first`` and before ``last`` stay.

    Raises
    ------
    InputError
        If prices are daily, a time is not valid, or a ticker has no bar between the times.

    Examples
    --------
    >>> import pandas as pd
    >>> starts = pd.to_datetime(["2021-01-04 13:00", "2021-01-04 14:30", "2021-01-04 20:30"]).tz_localize("UTC")
    >>> prices = Prices.from_frame(pd.DataFrame({"BABA": [230.0, 229.0, 228.0]}, index=starts), "XNYS")
    >>> hours(prices, "09:30", "16:00").bars["BABA"].fields["close"]
    array([229., 228.])
    """
    _check_intraday(prices, "hours")
    begin, end = _parse_clock("first", first), _parse_clock("last", last)
    if begin >= end:
        raise InputError(f"first is {shown(first)} and last {shown(last)}; first must be the earlier time")
    selected = {}
    for ticker, bars in prices.bars.items():
        local = wall(calendar_name(bars.mic), bars.dates)
        seconds: Floats = (local - local.astype("datetime64[D]")) / SECOND
        inside: Bools = (seconds >= begin) & (seconds < end)
        if not inside.any():
            raise InputError(f"{ticker} has no bar that starts from {first} to {last} local time; give other hours")
        fields = {name: values[inside] for name, values in bars.fields.items()}
        selected[ticker] = replace(bars, dates=bars.dates[inside], fields=fields)
    return with_record(prices, selected, f"hours: the bars that start from {first} to before {last} local time", {})


def _parse_clock(what: str, text: str) -> int:
    """Convert a local time of day to seconds since midnight."""
    match = CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(f"{what} is {shown(text)}; give a local time of day as '09:30'")
    return 3600 * int(match[1]) + 60 * int(match[2])


def _check_intraday(prices: Prices, what: str) -> None:
    """Raise :class:`InputError` if the prices are none, or any are daily."""
    check_prices(prices)
    daily = [ticker for ticker, bars in prices.bars.items() if not bars.intraday]
    if daily:
        raise InputError(
            f"{what} is for intraday prices, and {format_names(daily)} have daily prices; pass intraday prices"
        )
