"""One exchange's prices to a panel: returns of the securities and regressors on the sessions that the events need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eventstudy.bars import Prices
from eventstudy.errors import InputError
from eventstudy.prepare import returns as rules
from eventstudy.prepare.calendar import Calendar, key
from eventstudy.types import Bools, Column, Floats, Ints, Panel, Spec

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Choices:
    """What the study chose of all that preparation can do; the names are those of ``Study``."""

    spec: Spec
    columns: tuple[Column, ...]
    benchmark: str | Mapping[str, str] | None
    returns: str
    gaps: str
    price: str
    on_closed: str
    whole: bool = False  # panels with all that the prices hold, to draw dates from


@dataclass(frozen=True)
class Market:
    """All that a panel is made from: prices, their calendars by name, and factor returns by name."""

    prices: Prices
    calendars: Mapping[str | None, Calendar]
    factors: Mapping[str, tuple[np.ndarray, Floats]]

    def calendar_of(self, ticker: str) -> Calendar:
        """Give the calendar that a ticker's exchange keeps."""
        return self.calendars[key(self.prices.bars[ticker].mic)]


def read_factors(frame: pd.DataFrame | None) -> dict[str, tuple[np.ndarray, Floats]]:
    """Take factor returns (decimal, dates by names) from a frame: name to dates and values.

    Raises
    ------
    InputError
        When dates repeat or are not dates, or a column is not numeric.
    """
    import pandas as pd

    if frame is None:
        return {}
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(frame.index, format="ISO8601")).to_numpy().astype("datetime64[D]")
        values = {str(name): frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in frame.columns}
    except (ValueError, TypeError) as error:
        raise InputError(f"factors are not decimal returns indexed by date: {error}") from None
    if len(np.unique(dates)) < len(dates):
        raise InputError("factors have two rows for one date; keep one row a date")
    order = np.argsort(dates)
    return {name: (dates[order], column[order]) for name, column in values.items()}


def panel(
    market: Market, calendar: Calendar, tickers: Sequence[str], benchmark: str | None, span: Ints, choices: Choices
) -> Panel:
    """Build the panel of some tickers of one calendar, with one benchmark.

    Parameters
    ----------
    market : Market
    calendar : Calendar
    tickers : sequence of str
    benchmark : str or None
        What ``Column("benchmark")`` stands for.
    span : int array (2,)
        First and last position of the panel in the calendar, both included; a position beyond its ends is padded.
    choices : Choices
    """
    cut = _Cut(calendar, int(span[0]), int(span[1]), max((abs(c.shift) for c in choices.columns), default=0))
    r = np.stack([cut.exact(_security(market, ticker, cut.calendar, choices, "close")) for ticker in tickers])
    x = _regressors(market, benchmark, cut, choices, "close")
    known: Bools = np.all(np.isfinite(x), axis=1)
    ok: Bools = np.isfinite(r) & known
    names = tuple(f"{c.name}{c.shift:+d}" if c.shift else c.name for c in choices.columns)
    made = Panel(
        np.where(ok, r, 0.0), ok, np.where(known[:, None], x, 0.0), cut.sessions(), tuple(tickers), names,
        calendar=str(calendar.name),
    )  # fmt: skip
    if choices.price == "close":
        return made
    r0 = np.stack([cut.exact(_security(market, ticker, cut.calendar, choices, choices.price)) for ticker in tickers])
    x0 = _regressors(market, benchmark, cut, choices, choices.price)
    ok0 = np.isfinite(r0) & np.isfinite(x0).all(axis=1)
    return replace(made, r0=np.where(ok0, r0, 0.0), ok0=ok0, x0=np.nan_to_num(x0))


class _Cut:
    """A stretch of a calendar, from ``first`` to ``last``, with room for one return and for shifted columns."""

    def __init__(self, calendar: Calendar, first: int, last: int, shift: int) -> None:
        self.first, self.last = first, last
        self.begin = max(first - shift - 1, 0)
        inside = slice(self.begin, min(last + shift + 1, len(calendar.dates)))
        closes = None if calendar.closes is None else calendar.closes[inside]
        self.calendar = Calendar(calendar.name, calendar.dates[inside], closes)

    def exact(self, series: Floats, shift: int = 0) -> Floats:
        """Give a series on the cut's calendar from ``first`` to ``last``, led by ``shift``; NaN beyond its ends."""
        at = np.arange(self.first, self.last + 1) + shift - self.begin
        inside = (at >= 0) & (at < len(series))
        return np.where(inside, series[np.where(inside, at, 0)], np.nan)

    def sessions(self) -> Ints:
        """Give days since 1970-01-01; sessions beyond the calendar's ends get numbers far from any date, in order."""
        at = np.arange(self.first, self.last + 1) - self.begin
        beyond = np.where(at < 0, at - 10**9, at + 10**9)
        inside = (at >= 0) & (at < len(self.calendar.dates))
        days = self.calendar.dates.astype("datetime64[D]").astype(np.int64)
        return np.where(inside, days[np.where(inside, at, 0)], beyond)


def _security(market: Market, ticker: str, calendar: Calendar, choices: Choices, price: str) -> Floats:
    bars = market.prices.bars[ticker]
    level = rules.lay(bars, rules.adjusted(bars), calendar)
    now = None if price == "close" else rules.lay(bars, rules.field(bars, price), calendar)
    return rules.change(level, choices.returns, choices.gaps, now)


def _regressors(market: Market, benchmark: str | None, cut: _Cut, choices: Choices, price: str) -> Floats:
    """Give the columns of the model on the cut, (T, K)."""
    columns = []
    for name, shift, _ in choices.columns:
        ticker = benchmark if name == "benchmark" else name
        series = _series(market, str(ticker), cut.calendar, choices, price if shift == 0 else "close")
        columns.append(cut.exact(series, shift))
    return np.stack(columns, axis=1) if columns else np.empty((cut.last - cut.first + 1, 0))


def _series(market: Market, name: str, calendar: Calendar, choices: Choices, price: str) -> Floats:
    """Give a regressor's returns: a factor's by date, a ticker's of the same calendar, or one carried over."""
    if name in market.factors:
        dates, values = market.factors[name]
        out = np.full(len(calendar.dates), np.nan)
        at = np.searchsorted(dates, calendar.dates)
        inside = at < len(dates)
        inside[inside] &= dates[at[inside]] == calendar.dates[inside]
        out[inside] = values[at[inside]]
        return out
    bars = market.prices.bars[name]
    own = market.calendar_of(name)
    if own.name == calendar.name:
        return _security(market, name, calendar, choices, price)
    level = rules.carried(bars, rules.adjusted(bars), own, calendar)
    now = None if price == "close" else rules.carried(bars, rules.field(bars, price), own, calendar)
    return rules.change(level, choices.returns, choices.gaps, now)
