"""Build panels from prices: returns and regressors on the sessions of one calendar that the events need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Indexed, Prices
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.factors import Factors, factor_on_dates
from eventstudy.prepare.intraday import seconds_of_day
from eventstudy.prepare.outcomes import is_return, level_of
from eventstudy.prepare.returns import adjusted_price, compute_returns, reindex, reindex_as_of, without_contradictions
from eventstudy.types import (
    NO_DATE,
    PEERS,
    Bools,
    Calendar,
    Column,
    Contradictory,
    Floats,
    Gaps,
    Ints,
    Panel,
    Price,
    Returns,
)


class SeriesRules(NamedTuple):
    """How the series of a panel are computed from prices: choices of ``Study``, and the regressors of the model."""

    outcome: str
    returns: Returns
    gaps: Gaps
    price: Price
    columns: tuple[Column, ...]
    contradictory: Contradictory

    def prices_of(self, bars: Bars, price: Price = "close") -> Floats:
        """Return the adjusted prices of a ticker; NaN where there is none, or where its bar does not count."""
        return without_contradictions(bars, adjusted_price(bars, price), self.contradictory)

    @property
    def summed(self) -> bool:
        """Whether a regressor, and with it the return, is summed over the sessions since the last price."""
        return any(column.summed for column in self.columns)

    @property
    def regressors(self) -> list[Column]:
        """The columns of ``Panel.x``."""
        return [column for column in self.columns if column != PEERS]


@dataclass(frozen=True)
class Market:
    """The input of panels: prices, their calendars by name, factor returns by name, and the rules."""

    prices: Prices
    calendars: Mapping[str | None, Calendar]
    factors: Factors
    rules: SeriesRules

    def calendar_of(self, ticker: str) -> Calendar:
        """Return the calendar of a ticker's exchange."""
        return self.calendars[calendar_name(self.prices.bars[ticker].mic)]


@dataclass(frozen=True)
class PanelPlan:
    """The input of a panel with one calendar and one benchmark; ``build`` returns the panel.

    ``bars`` are the prices of the ``assets``; ``x``, ``x0`` (T, K) and ``peers`` (T, D) are common to all assets, as in
    ``Panel``. ``from_start`` has the regressors from the start of the calendar, which each asset sums over its gaps;
    None if none is summed.
    """

    bars: Mapping[str, Bars]
    assets: tuple[str, ...]
    rules: SeriesRules
    calendar_slice: _CalendarSlice
    x: Floats
    x0: Floats | None
    from_start: tuple[_CalendarSlice, Floats] | None
    peers: Floats | None

    @property
    def calendar(self) -> str:
        """The name of the calendar."""
        return str(self.calendar_slice.calendar.name)

    @cached_property
    def sessions(self) -> Ints:
        """As in ``Panel``."""
        return self.calendar_slice.sessions()

    @property
    def n_cells(self) -> int:
        """Number of cells of a panel of one asset."""
        return len(self.x) * (1 if self.from_start is None else 1 + self.x.shape[1])

    def take(self, assets: Ints) -> PanelPlan:
        """Select assets by row, with their prices."""
        names = tuple(self.assets[a] for a in assets)
        bars = self.bars
        selected = bars.take(names) if isinstance(bars, Indexed) else {name: bars[name] for name in names}
        return replace(self, bars=selected, assets=names)

    def build(self) -> Panel:
        """Build the panel."""
        columns = self.rules.regressors
        spanning = self.rules._replace(gaps="span") if self.rules.summed else self.rules
        x: Floats = self.x
        if self.from_start is not None:
            full_slice, regressors = self.from_start
            x = np.empty((len(self.assets), *self.x.shape))
            for row, name in zip(x, self.assets, strict=True):
                row[:] = _sum_since_last_price(self.bars[name], self.rules, regressors, full_slice)[-len(row) :]
        known: Bools = np.all(np.isfinite(x), axis=-1)
        r, ok = self._returns(spanning, "close", known)
        names = tuple(f"{c.name}{c.shift:+d}" if c.shift else c.name for c in columns)
        panel = Panel(
            r, ok, np.where(known[..., None], x, 0.0), self.sessions, self.assets, names, calendar=self.calendar,
            peers=self.peers,
        )  # fmt: skip
        if self.x0 is None:
            return panel
        r0, ok0 = self._returns(self.rules, self.rules.price, np.all(np.isfinite(self.x0), axis=1))
        return replace(panel, r0=r0, ok0=ok0, x0=np.nan_to_num(self.x0))

    def _returns(self, rules: SeriesRules, price: Price, known: Bools) -> tuple[Floats, Bools]:
        """Return the returns (A, T), 0 where not known, and whether return and regressors are known, (A, T)."""
        r = np.empty((len(self.assets), len(self.x)))
        for row, name in zip(r, self.assets, strict=True):
            row[:] = self.calendar_slice.select(_security(self.bars[name], self.calendar_slice.calendar, rules, price))
        ok: Bools = np.isfinite(r)
        ok &= known
        r[~ok] = 0.0
        return r, ok


def plan_panel(
    market: Market,
    calendar: Calendar,
    tickers: Sequence[str],
    benchmark: str | None,
    span: Ints,
    peers: Sequence[str] | None = None,
) -> PanelPlan:
    """Plan the panel of tickers of one calendar, with one benchmark.

    Parameters
    ----------
    market : Market
    calendar : Calendar
    tickers : sequence of str
    benchmark : str or None
        The ticker of ``Column("benchmark")``.
    span : int array (2,)
        First and last position of the panel in the calendar, both included; positions outside it are padded.
    peers : sequence of str, optional
        Securities whose returns the model uses.
    """
    rules = market.rules
    columns = rules.regressors
    first, shift = int(span[0]), max((abs(c.shift) for c in columns), default=0)
    # A return that spans a gap starts before it, however long: returns of an event must not depend on the span.
    shift = max(shift, first) if rules.gaps == "span" or rules.summed else shift
    calendar_slice = _CalendarSlice(calendar, first, int(span[1]), shift)
    x = _regressors(market, benchmark, calendar_slice, "close")
    x0 = None if rules.price == "close" else _regressors(market, benchmark, calendar_slice, rules.price)
    from_start = None
    if any(c.summed or c.name == "sessions" for c in columns):
        full_slice = _CalendarSlice(calendar, min(first, 0), int(span[1]), shift)
        from_start = full_slice, _regressors(market, benchmark, full_slice, "close")
    peer_series = [
        calendar_slice.select(_series(market, name, calendar_slice.calendar, "close")) for name in peers or ()
    ]
    peer_returns = None if peers is None else _stack_columns(peer_series, len(x))
    return PanelPlan(market.prices.bars, tuple(tickers), rules, calendar_slice, x, x0, from_start, peer_returns)


def _stack_columns(series: Sequence[Floats], length: int) -> Floats:
    return np.stack(series, axis=1) if series else np.empty((length, 0))


def _sum_since_last_price(bars: Bars, rules: SeriesRules, x: Floats, calendar_slice: _CalendarSlice) -> Floats:
    """Return the regressors (T, K) of one security, with ``sessions`` counted and sums taken since its last price."""
    priced = np.flatnonzero(
        np.isfinite(calendar_slice.select(reindex(bars, rules.prices_of(bars), calendar_slice.calendar)))
    )
    last = np.full(len(x), -1)
    last[priced[1:]] = priced[:-1]
    with_previous = np.flatnonzero(last >= 0)
    out = x.copy()
    for k, column in enumerate(rules.regressors):
        if column.name == "sessions":
            out[:, k] = np.where(last >= 0, np.arange(len(x)) - last, np.nan)
        elif column.summed:
            total, n_missing = np.nancumsum(x[:, k]), np.cumsum(np.isnan(x[:, k]))
            out[:, k] = np.nan
            complete = with_previous[n_missing[with_previous] == n_missing[last[with_previous]]]
            out[complete, k] = total[complete] - total[last[complete]]
    return out


class _CalendarSlice:
    """A slice of a calendar from ``first`` to ``last``, extended for the first return and for shifted columns."""

    def __init__(self, calendar: Calendar, first: int, last: int, shift: int) -> None:
        self.first, self.last = first, last
        self.begin = max(first - shift - 1, 0)
        inside = slice(self.begin, min(last + shift + 1, len(calendar.dates)))
        closes = None if calendar.closes is None else calendar.closes[inside]
        self.calendar = Calendar(calendar.name, calendar.dates[inside], closes)

    def select(self, series: Floats, shift: int = 0) -> Floats:
        """Return a series of the slice from ``first`` to ``last``, led by ``shift``; NaN outside the calendar."""
        at = np.arange(self.first, self.last + 1) + shift - self.begin
        inside = (at >= 0) & (at < len(series))
        return np.where(inside, series[np.where(inside, at, 0)], np.nan)

    def sessions(self) -> Ints:
        """Return days since 1970-01-01, or seconds for bars; outside the calendar, numbers beyond all dates."""
        at = np.arange(self.first, self.last + 1) - self.begin
        outside = np.where(at < 0, at - 2 * NO_DATE, at + 2 * NO_DATE)
        inside = (at >= 0) & (at < len(self.calendar.dates))
        days = self.calendar.dates.astype(np.int64)
        return np.where(inside, days[np.where(inside, at, 0)], outside)


def _security(bars: Bars, calendar: Calendar, rules: SeriesRules, price: Price) -> Floats:
    if not is_return(rules.outcome):
        return reindex(bars, level_of(bars, rules.outcome), calendar)
    level = reindex(bars, rules.prices_of(bars), calendar)
    now = None if price == "close" else reindex(bars, rules.prices_of(bars, price), calendar)
    return compute_returns(level, rules.returns, rules.gaps, now)


def _regressors(market: Market, benchmark: str | None, calendar_slice: _CalendarSlice, price: Price) -> Floats:
    """Return the regressors of the model on the slice, (T, K)."""
    columns = []
    for name, shift, _ in market.rules.columns:
        if name == "peers":
            continue
        ticker = benchmark if name == "benchmark" else name
        series = _series(market, str(ticker), calendar_slice.calendar, price if shift == 0 else "close")
        columns.append(calendar_slice.select(series, shift))
    return _stack_columns(columns, calendar_slice.last - calendar_slice.first + 1)


def _series(market: Market, name: str, calendar: Calendar, price: Price) -> Floats:
    """Return the series of a regressor: a factor by date, or a ticker, aligned as of each session across calendars."""
    if name in market.factors:
        return factor_on_dates(market.factors[name], calendar.dates)
    if name == "sessions":  # replaced for each security by _sum_since_last_price
        return np.ones(len(calendar.dates))
    if name == "clock":
        return seconds_of_day(calendar.name, calendar.dates)
    rules, bars = market.rules, market.prices.bars[name]
    home = market.calendar_of(name)
    if home.name == calendar.name:
        return _security(bars, calendar, rules, price)
    if not is_return(rules.outcome):
        return reindex_as_of(bars, level_of(bars, rules.outcome), home, calendar)
    level = reindex_as_of(bars, rules.prices_of(bars), home, calendar)
    now = None if price == "close" else reindex_as_of(bars, rules.prices_of(bars, price), home, calendar)
    return compute_returns(level, rules.returns, rules.gaps, now)
