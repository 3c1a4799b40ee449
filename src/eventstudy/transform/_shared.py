"""What the transforms of prices share: checked arguments, levels on common dates, and what is said of it all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from eventstudy import markets
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import key, observed
from eventstudy.prepare.returns import adjusted, lay
from eventstudy.types import Dates, Floats

LATE = 3  # a month whose price is older by more sessions than this is not a whole month; holidays alone explain less
DAY = np.timedelta64(1, "D")
UNITS = {"GBp": "GBP", "ZAc": "ZAR"}  # the hundredth part of a currency has the currency's returns


def changed(prices: Prices, bars: Mapping[str, Bars], done: str, notes: Mapping[str, Sequence[str]]) -> Prices:
    """Give new prices that say what was done and what is to be known of it."""
    old = prices.provenance
    noticed: dict[str, list[str]] = {ticker: list(texts) for ticker, texts in old.get("noticed", {}).items()}
    for ticker, texts in notes.items():
        if texts:
            noticed[ticker] = [*noticed.get(ticker, []), *texts]
    more: dict[str, Any] = {"transformed": [*old.get("transformed", []), done]}
    return Prices(dict(bars), dict(prices.problems), {**old, **more, **({"noticed": noticed} if noticed else {})})


def check_daily(prices: Prices, what: str) -> None:
    """Refuse bars within the day."""
    bars = [ticker for ticker, its in prices.bars.items() if its.intraday]
    if bars:
        raise InputError(f"{what} is for daily prices, and {few(bars)} have bars within the day")


def asked(prices: Prices, what: str, tickers: Iterable[Any]) -> list[str]:
    """Check that there are prices of some tickers, at least one and each once."""
    if isinstance(tickers, str):
        raise InputError(f"{what} is the text {tickers!r}; give a list, as in [{tickers!r}]")
    found = list(tickers)
    here = few(prices.tickers)
    if not found or len(set(map(str, found))) < len(found):
        raise InputError(f"{what}: {found}; name at least one ticker, and each once; there are prices of {here}")
    for ticker in found:
        if not isinstance(ticker, str) or ticker not in prices.bars:
            why = prices.problems.get(str(ticker), "no such ticker")
            raise InputError(f"{what}: {ticker!r} has no prices ({why}); there are prices of {here}")
    return found


def numbers(prices: Prices, what: str, given: Any) -> dict[str, float]:
    """Check a mapping from tickers that have prices to finite numbers."""
    if not hasattr(given, "items"):
        raise InputError(f"{what} is {given!r}; give a mapping from ticker to number, as {{'9988.HK': 0.09}}")
    found = dict(given.items())
    for ticker in asked(prices, what, found):
        value = found[ticker]
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise InputError(f"{what}: that of {ticker} is {value!r}; give a finite decimal number, as 0.09")
    return {ticker: float(value) for ticker, value in found.items()}


def new_name(prices: Prices, name: str) -> str:
    """Check the name of a ticker that is made."""
    if markets.check_ticker(name) in prices.bars:
        raise InputError(f"name is {name!r}, and there are prices of it already; choose another")
    return name


def market_of(prices: Prices, tickers: Sequence[str], what: str) -> tuple[str | None, str | None]:
    """Give the one exchange and currency of some tickers."""
    bars = [prices.bars[t] for t in tickers]
    currencies = {UNITS.get(b.currency or "", b.currency) for b in bars}
    if len({key(b.mic) for b in bars}) > 1 or len(currencies) > 1:
        where = ", ".join(f"{b.ticker} ({b.mic or 'no exchange'}, {b.currency or 'no currency'})" for b in bars)
        raise InputError(
            f"the {what} are of several calendars or currencies: {where}; returns add on the same sessions and in one"
            " currency: take those of one exchange together"
        )
    mics = {b.mic for b in bars}
    return mics.pop() if len(mics) == 1 else key(bars[0].mic), currencies.pop()


def levels(prices: Prices, tickers: Sequence[str]) -> tuple[Dates, Floats]:
    """Give the adjusted closes of some tickers, (N, T), on the dates on which any of them has one."""
    bars = [prices.bars[t] for t in tickers]
    calendar = observed(None, bars)
    level = np.stack([lay(b, adjusted(b), calendar) for b in bars])
    some = np.isfinite(level).any(axis=0)
    return calendar.dates[some], level[:, some]


def in_common(dates: Dates, level: Floats, tickers: Sequence[str], least: int) -> tuple[Dates, Floats, list[str]]:
    """Keep the dates on which all tickers have a level, and say which are missing after the first of them."""
    priced = np.isfinite(level)
    whole = np.asarray(priced.all(axis=0))
    if whole.sum() < least:
        raise InputError(f"{', '.join(tickers)} have {whole.sum()} dates with prices in common; {least} are needed")
    first = int(np.flatnonzero(whole)[0])
    notes = []
    if not whole[first:].all():
        which = counted(tickers, (~priced[:, first:]).sum(axis=1))
        notes.append(f"no level on {listed(dates[first:][~whole[first:]])}: there was no price ({which})")
    return dates[whole], level[:, whole], notes


def counted(tickers: Sequence[str], counts: np.ndarray) -> str:
    """Say of which tickers there are how many."""
    return few([f"{t} {n}" for t, n in zip(tickers, counts, strict=True) if n])


def listed(days: np.ndarray) -> str:
    """Name the first of some days or months, and say how many there are."""
    shown = ", ".join(map(str, days[:3]))
    return shown if len(days) <= 3 else f"{shown}, ... ({len(days)} in all, the last {days[-1]})"


def few(names: Sequence[str]) -> str:
    """Name the first of many."""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def sessions_after(mic: str | None, dates: Dates, until: Dates) -> np.ndarray:
    """Count the sessions after each date, up to another; weekdays where the exchange is not known."""
    if mic is None:
        return np.busday_count(dates + DAY, until + DAY)
    known, _ = markets.sessions(mic)
    return np.asarray(np.searchsorted(known, until, side="right") - np.searchsorted(known, dates, side="right"))


def months_noticed(bars: Bars, dates: Dates, ends: Dates, last: Dates) -> list[str]:
    """Say which months are missing, and which are not whole."""
    notes = []
    months = ends.astype("datetime64[M]")
    gone = np.setdiff1d(np.arange(months[0], months[-1]), months)
    if len(gone):
        notes.append(f"no price in {listed(gone)}; the return after it is missing, or of several months")
    late = sessions_after(bars.mic, last, ends) > LATE
    if late[:-1].any():
        notes.append(f"the last price of {listed(months[:-1][late[:-1]])} is more than {LATE} sessions before its end")
    if late[-1]:
        notes.append(f"{months[-1]} is not a whole month: its last price is of {last[-1]}")
    before = sessions_after(bars.mic, months[:1].astype("datetime64[D]"), dates[:1])[0]
    if before > LATE and set(bars.fields) - {"close", "adjusted"}:
        notes.append(f"{months[0]} begins on {dates[0]}: only its close is that of a whole month")
    return notes
