"""Helpers of the transforms of prices: argument checks, levels on common dates, and the texts of notes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real

import numpy as np

from eventstudy import arguments, markets
from eventstudy.bars import Bars, Prices, priced_dates
from eventstudy.errors import InputError, shown
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.returns import adjusted_close, reindex
from eventstudy.types import Calendar, Dates, Floats

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


def levels(prices: Prices, tickers: Sequence[str]) -> tuple[Dates, Floats]:
    """Return the adjusted closes of the tickers, (N, T), on the dates on which at least one of them has one."""
    bars = [prices.bars[t] for t in tickers]
    calendar = Calendar(None, priced_dates({b.ticker: b for b in bars}, [b.ticker for b in bars]), None)
    level = np.stack([reindex(b, adjusted_close(b), calendar) for b in bars])
    has_price = np.isfinite(level).any(axis=0)
    return calendar.dates[has_price], level[:, has_price]


def common_dates(dates: Dates, level: Floats, tickers: Sequence[str], least: int) -> tuple[Dates, Floats, list[str]]:
    """Select the dates on which all tickers have a level, with a note on the dates dropped after the first of them."""
    priced = np.isfinite(level)
    complete = np.asarray(priced.all(axis=0))
    if complete.sum() < least:
        raise InputError(f"{', '.join(tickers)} have {complete.sum()} dates with prices in common; {least} are needed")
    first = int(np.flatnonzero(complete)[0])
    notes = []
    if not complete[first:].all():
        counts = format_counts(tickers, (~priced[:, first:]).sum(axis=1))
        notes.append(f"no level on {format_dates(dates[first:][~complete[first:]])}: there was no price ({counts})")
    return dates[complete], level[:, complete], notes


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
