"""Bars within the day made into others: the night as a bar of its own, the hours of regular trading alone.

They are used as ``eventstudy.transform.overnight`` and ``eventstudy.transform.hours``. Prices within the day are seldom
adjusted: the night before an ex-dividend day or a split then holds the dividend or the split.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.markets import wall
from eventstudy.prepare.calendar import key, observed
from eventstudy.transform._shared import changed, few
from eventstudy.types import Bools, Dates, Floats

SECOND = np.timedelta64(1, "s")  # a night is dated a second before the day's first bar, so that it ends with it
CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


def overnight(prices: Prices) -> Prices:
    """Give every day's opening a bar of its own, so that no bar's return holds the night.

    The return of a day's first bar spans the night: it is the move from the last close to the first open, and then from
    open to close. Here the first of the two is a bar by itself, which closes at the first bar's open; the first bar is
    left with open to close. The night is dated one second before the first bar: it ends there, so that what is
    announced at night falls on it, and it has a clock time of its own.

    The day begins with the first bar of any ticker of the exchange. Where a ticker's own first bar is later, its price
    at the end of the night is not known, and the night is missing; such days are counted in what is noticed. So is the
    night of a market that does not stop.

    Parameters
    ----------
    prices : Prices
        Bars within the day, with opens.

    Raises
    ------
    InputError
        When prices are daily, or a ticker has no opens.

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
    _check_bars(prices, "overnight")
    closed = [t for t, its in prices.bars.items() if "open" not in its.fields]
    if closed:
        raise InputError(f"{few(closed)} have no open, where the night ends; read prices that have it")
    bars, notes = {}, {}
    for home in {key(its.mic) for its in prices.bars.values()}:
        mine = {t: its for t, its in prices.bars.items() if key(its.mic) == home}
        calendar = observed(home, list(mine.values()))
        morning = _mornings(home, calendar.dates, calendar.closes)
        for ticker, its in mine.items():
            bars[ticker], missing = _with_nights(its, morning)
            if missing:
                notes[ticker] = [f"no price at the opening of {missing} of {len(morning)} days: the night is missing"]
    ordered = {ticker: bars[ticker] for ticker in prices.bars}
    return changed(prices, ordered, "overnight: every night is a bar that closes at the day's first open", notes)


def _mornings(home: str | None, starts: Dates, ends: Dates | None) -> Dates:
    """Give the starts of the days' first bars, where trading had stopped before."""
    if ends is None or not len(starts):
        return starts[:0]
    day = wall(home, starts).astype("datetime64[D]")
    stopped = starts[1:] - ends[:-1] >= SECOND
    return np.asarray(starts[1:][(day[1:] != day[:-1]) & stopped])


def _with_nights(bars: Bars, morning: Dates) -> tuple[Bars, int]:
    """Put a bar before each of a ticker's mornings; and count the days on which it has bars and no morning."""
    open_, close = bars.fields["open"], bars.fields["close"]
    at = np.flatnonzero(np.isin(bars.dates, morning) & np.isfinite(open_))
    fields = {}
    for name, values in bars.fields.items():
        night = np.full(len(at), np.nan)
        if name in ("close", "high", "low", "open"):
            night = open_[at]
        elif name == "adjusted":
            night = open_[at] * values[at] / close[at]
        fields[name] = np.insert(values, at, night)
    first, last = (bars.dates[0], bars.dates[-1]) if len(bars.dates) else (morning[:1], morning[:1])
    within = int(((morning > first) & (morning <= last)).sum())
    return replace(bars, dates=np.insert(bars.dates, at, bars.dates[at] - SECOND), fields=fields), within - len(at)


def hours(prices: Prices, first: str, last: str) -> Prices:
    """Keep the bars that start within some hours of the day, by the clock at their exchange.

    Parameters
    ----------
    prices : Prices
        Bars within the day.
    first, last : str
        As ``"09:30"`` and ``"16:00"``: bars that start at the first or later, and before the last.

    Raises
    ------
    InputError
        When prices are daily, a time is not valid, or a ticker has no bar in these hours.

    Examples
    --------
    >>> import pandas as pd
    >>> starts = pd.to_datetime(["2021-01-04 13:00", "2021-01-04 14:30", "2021-01-04 20:30"]).tz_localize("UTC")
    >>> prices = Prices.from_frame(pd.DataFrame({"BABA": [230.0, 229.0, 228.0]}, index=starts), "XNYS")
    >>> hours(prices, "09:30", "16:00").bars["BABA"].fields["close"]
    array([229., 228.])
    """
    _check_bars(prices, "hours")
    begin, end = _seconds("first", first), _seconds("last", last)
    if begin >= end:
        raise InputError(f"first is {first!r} and last {last!r}; give the earlier time first")
    bars = {}
    for ticker, its in prices.bars.items():
        there = wall(key(its.mic), its.dates)
        clock: Floats = (there - there.astype("datetime64[D]")) / SECOND
        keep: Bools = (clock >= begin) & (clock < end)
        if not keep.any():
            raise InputError(f"{ticker} has no bar that starts from {first} to {last} local time; give other hours")
        bars[ticker] = replace(its, dates=its.dates[keep], fields={n: v[keep] for n, v in its.fields.items()})
    return changed(prices, bars, f"hours: the bars that start from {first} to before {last} local time", {})


def _seconds(what: str, text: str) -> int:
    match = CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(f"{what} is {text!r}; give a local time of day as '09:30'")
    return 3600 * int(match[1]) + 60 * int(match[2])


def _check_bars(prices: Prices, what: str) -> None:
    daily = [ticker for ticker, its in prices.bars.items() if not its.intraday]
    if daily:
        raise InputError(f"{what} is for bars within the day, and {few(daily)} have daily prices")
