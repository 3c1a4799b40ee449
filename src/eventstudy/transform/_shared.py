"""Helpers of the transforms of prices: argument checks, levels on common dates, and the texts of notes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import NamedTuple

import numpy as np

from eventstudy import arguments, markets
from eventstudy.bars import Bars, Prices, priced_dates
from eventstudy.errors import InputError, shown
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.returns import (
    adjusted_close,
    compute_returns,
    counted_level,
    n_unknown,
    reindex,
    stated_returns,
)
from eventstudy.types import Bools, Calendar, Dates, Floats

LATE = 3  # sessions between a month's last price and its end above which the month is incomplete; holidays take fewer
DAY = np.timedelta64(1, "D")
UNITS = {"GBp": "GBP", "ZAc": "ZAR"}  # prices in a hundredth of a currency have the same returns as in the currency


def with_record(
    prices: Prices, bars: Mapping[str, Bars], description: str, notes: Mapping[str, Sequence[str]]
) -> Prices:
    """Return new prices whose provenance records the transform applied and the notes on each ticker."""
    old = prices.provenance
    noticed: dict[str, list[str]] = {ticker: list(texts) for ticker, texts in old.get("noticed", {}).items()}
    for ticker, texts in notes.items():
        if texts:
            noticed[ticker] = [*noticed.get(ticker, []), *texts]
    record: dict[str, object] = {"transformed": [*old.get("transformed", []), description]}
    if noticed:
        record["noticed"] = noticed
    return Prices(dict(bars), dict(prices.problems), {**old, **record})


def check_prices(prices: object) -> None:
    """Raise InputError for an object that is no prices."""
    arguments.instance("prices", prices, Prices, "Prices, as of es.Prices.from_frame(df) or es.read_prices(path)")


def check_daily(prices: Prices, what: str) -> None:
    """Raise :class:`InputError` if the prices are none, or any are intraday."""
    check_prices(prices)
    intraday = [ticker for ticker, bars in prices.bars.items() if bars.intraday]
    if intraday:
        raise InputError(
            f"{what} is for daily prices, and {format_names(intraday)} have intraday prices; pass daily prices"
        )


def check_tickers(prices: Prices, what: str, tickers: Iterable[object]) -> list[str]:
    """Return the tickers as a list; raise unless there is at least one, each once and with prices."""
    check_prices(prices)
    if isinstance(tickers, str):
        raise InputError(f"{what} is the text {shown(tickers)}; give a list, as in [{shown(tickers)}]")
    if not isinstance(tickers, Iterable):
        raise InputError(f"{what} is {shown(tickers)}; give tickers in a list")
    names = list(tickers)
    available = format_names(prices.tickers)
    if not names or len(set(map(shown, names))) < len(names):
        raise InputError(
            f"{what}: {shown(names)}; name at least one ticker, and each once; there are prices of {available}"
        )
    checked: list[str] = []
    for ticker in names:
        if not isinstance(ticker, str) or ticker not in prices.bars:
            reason = prices.problems.get(ticker, "no such ticker") if isinstance(ticker, str) else "not a text"
            raise InputError(f"{what}: {shown(ticker)} has no prices ({reason}); there are prices of {available}")
        checked.append(ticker)
    return checked


def check_numbers(prices: Prices, what: str, values: object) -> dict[str, float]:
    """Return a mapping from tickers to numbers as a dict; raise unless all have prices and are finite."""
    if not hasattr(values, "items"):
        raise InputError(f"{what} is {shown(values)}; give a mapping from ticker to number, as {{'9988.HK': 0.09}}")
    items: dict[object, object] = dict(values.items())
    checked: dict[str, float] = {}
    for ticker in check_tickers(prices, what, items):
        value = items[ticker]
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise InputError(f"{what}: that of {ticker} is {shown(value)}; give a finite decimal number, as 0.09")
        checked[ticker] = float(value)
    return checked


def check_new_name(prices: Prices, name: str) -> str:
    """Return the name of a new ticker; raise if it is not valid or already has prices."""
    if markets.check_ticker(name) in prices.bars:
        raise InputError(f"name is {shown(name)}, and there are prices of it already; choose another")
    return name


def common_market(prices: Prices, tickers: Sequence[str], what: str) -> tuple[str | None, str | None]:
    """Return the exchange and currency that the tickers share; raise if they do not share them."""
    bars = [prices.bars[t] for t in tickers]
    currencies = {UNITS.get(b.currency or "", b.currency) for b in bars}
    if len({calendar_name(b.mic) for b in bars}) > 1 or len(currencies) > 1:
        markets_of_bars = ", ".join(
            f"{b.ticker} ({b.mic or 'no exchange'}, {b.currency or 'no currency'})" for b in bars
        )
        raise InputError(
            f"the {what} are of several calendars or currencies: {markets_of_bars}; returns can be combined only on the"
            " same sessions and in one currency: choose tickers of one exchange"
        )
    mics = {b.mic for b in bars}
    return mics.pop() if len(mics) == 1 else calendar_name(bars[0].mic), currencies.pop()


class Levels(NamedTuple):
    """The adjusted closes of tickers, (N, T), and how many stated returns are not known up to each (``n_unknown``)."""

    dates: Dates
    level: Floats
    unknown: Floats

    def take(self, dates: Bools) -> Levels:
        """Select dates."""
        return Levels(self.dates[dates], self.level[:, dates], self.unknown[:, dates])


def levels(prices: Prices, tickers: Sequence[str]) -> Levels:
    """Return the levels of the tickers on the dates on which at least one of them has one."""
    bars = [prices.bars[t] for t in tickers]
    by_row = [counted_level(b, "close", "keep") for b in bars]
    dates = np.unique(np.concatenate([b.dates[np.isfinite(row)] for b, row in zip(bars, by_row, strict=True)]))
    calendar, name = Calendar(None, dates, None), calendar_name(bars[0].mic)
    alike = [ticker for ticker, other in prices.bars.items() if calendar_name(other.mic) == name]
    sessions = priced_dates(prices.bars, alike)  # a row without a value on any other day is none of an open exchange
    level = np.stack([reindex(b, row, calendar) for b, row in zip(bars, by_row, strict=True)])
    return Levels(dates, level, np.stack([reindex(b, n_unknown(b, sessions, "keep"), calendar) for b in bars]))


def daily_returns(prices: Prices, tickers: Sequence[str], dates: Dates) -> Floats:
    """Return the simple returns of the tickers on the dates of :func:`levels`, (N, T); NaN where there is none."""
    calendar = Calendar(None, dates, None)
    return np.stack([_returns_on(prices.bars[ticker], calendar) for ticker in tickers])


def _returns_on(bars: Bars, calendar: Calendar) -> Floats:
    if "return" in bars.fields:
        return stated_returns(bars, bars.fields["return"], calendar, "simple", "missing")
    return compute_returns(reindex(bars, adjusted_close(bars), calendar), "simple", "missing")


def states_returns(prices: Prices, tickers: Sequence[str]) -> bool:
    """Return whether the returns of any of the tickers are stated, so that some may not be known."""
    return any("return" in prices.bars[ticker].fields for ticker in tickers)


def common_dates(found: Levels, tickers: Sequence[str], least: int) -> tuple[Levels, list[str]]:
    """Select the dates on which all tickers have a level, with a note on the dates dropped after the first of them."""
    priced = np.isfinite(found.level)
    complete = np.asarray(priced.all(axis=0))
    if complete.sum() < least:
        raise InputError(f"{', '.join(tickers)} have {complete.sum()} dates with prices in common; {least} are needed")
    first = int(np.flatnonzero(complete)[0])
    notes = []
    if not complete[first:].all():
        counts = format_counts(tickers, (~priced[:, first:]).sum(axis=1))
        notes.append(
            f"no level on {format_dates(found.dates[first:][~complete[first:]])}: there was no price ({counts})"
        )
    return found.take(complete), notes


def implausible_notes(prices: Prices, tickers: Sequence[str]) -> list[str]:
    """Return a note on what is implausible in the prices of the tickers, if anything is."""
    named = [
        f"{ticker} ({len(found)}, the first a {found[0].check} on {found[0].date})"
        for ticker, found in ((ticker, prices.bars[ticker].findings) for ticker in tickers)
        if found
    ]
    return [f"made from implausible prices of {', '.join(named)}; see prices.screen()"] if named else []


def format_counts(tickers: Sequence[str], counts: np.ndarray) -> str:
    """Format the tickers whose count is not zero, with their counts."""
    return format_names([f"{t} {n}" for t, n in zip(tickers, counts, strict=True) if n])


def format_dates(days: np.ndarray) -> str:
    """Format the first three days or months, with the number of all and the last."""
    shown = ", ".join(map(str, days[:3]))
    return shown if len(days) <= 3 else f"{shown}, ... ({len(days)} in all, the last {days[-1]})"


def format_names(names: Sequence[str]) -> str:
    """Format the first ten names, with the number of the others."""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def sessions_after(mic: str | None, dates: Dates, until: Dates) -> np.ndarray:
    """Count the sessions after each date, up to and including ``until``; weekdays if the exchange is not known."""
    if mic is None:
        return np.busday_count(dates + DAY, until + DAY)
    session_dates, _ = markets.sessions(mic)
    return np.asarray(
        np.searchsorted(session_dates, until, side="right") - np.searchsorted(session_dates, dates, side="right")
    )


def month_notes(bars: Bars, dates: Dates, ends: Dates, last: Dates) -> list[str]:
    """Return notes on missing and incomplete months."""
    notes = []
    months = ends.astype("datetime64[M]")
    missing = np.setdiff1d(np.arange(months[0], months[-1]), months)
    if len(missing):
        notes.append(f"no price in {format_dates(missing)}; the return after it is missing, or of several months")
    late = sessions_after(bars.mic, last, ends) > LATE
    if late[:-1].any():
        notes.append(
            f"the last price of {format_dates(months[:-1][late[:-1]])} is more than {LATE} sessions before its end"
        )
    if late[-1]:
        notes.append(f"{months[-1]} is not a whole month: its last price is on {last[-1]}")
    before = sessions_after(bars.mic, months[:1].astype("datetime64[D]"), dates[:1])[0]
    if before > LATE and set(bars.fields) - {"close", "adjusted"}:
        notes.append(f"{months[0]} begins on {dates[0]}: only its close covers a whole month")
    return notes
