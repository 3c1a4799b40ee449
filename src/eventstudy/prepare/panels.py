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
from eventstudy.prepare.returns import (
    compute_returns,
    counted_level,
    n_unknown,
    reindex,
    reindex_as_of,
    stated_returns,
    without_contradictions,
)
from eventstudy.prepare.spans import Growth, factor_growth, gaps_of, level_growth, shifted, spanned
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
    contradictory: Contradictory = "drop"
    day_0_gaps: Gaps = "missing"  # the rule of relative day 0, if it is not that of the other days

    def prices_of(self, bars: Bars, price: Price = "close") -> Floats:
        """Return the adjusted prices of a ticker; NaN where there is none, or where its bar does not count."""
        return counted_level(bars, price, self.contradictory)

    def stated_returns(self, bars: Bars, calendar: Calendar, counted: Bools | None = None) -> Floats:
        """Return the returns that the source states, on a calendar; NaN where the bar does not count."""
        simple = without_contradictions(bars, bars.fields["return"], self.contradictory)
        return stated_returns(bars, simple, calendar, self.returns, self.gaps, counted)

    @property
    def spanning(self) -> bool:
        """Whether a return over a gap is compared with regressors over the same gap, on all days or on day 0."""
        return "span" in (self.gaps, self.day_0_gaps) and not self.summed and is_return(self.outcome)

    @property
    def own_day_0(self) -> bool:
        """Whether relative day 0 has returns and regressors of its own."""
        return self.price != "close" or (self.spanning and self.gaps != self.day_0_gaps)

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
    None if none is summed. ``growth`` has what the regressors of a return over a gap are computed from.
    """

    bars: Mapping[str, Bars]
    assets: tuple[str, ...]
    rules: SeriesRules
    calendar_slice: _CalendarSlice
    x: Floats
    x0: Floats | None
    from_start: tuple[_CalendarSlice, Floats] | None
    peers: Floats | None
    growth: Growth | None

    @property
    def calendar(self) -> str:
        """The name of the calendar."""
        return self.calendar_slice.calendar.name or ""

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
        elif self.rules.gaps == "span":
            x = self._over_gaps(x, "close")
        known: Bools = np.all(np.isfinite(x), axis=-1)
        r, ok = self._returns(spanning, "close", known)
        names = tuple(f"{c.name}{c.shift:+d}" if c.shift else c.name for c in columns)
        panel = Panel(
            r, ok, np.where(known[..., None], x, 0.0), self.sessions, self.assets, names, calendar=self.calendar,
            peers=self.peers,
        )  # fmt: skip
        if self.x0 is None:
            return panel
        x0 = self._over_gaps(self.x0, self.rules.price)
        day_0 = self.rules._replace(gaps=self.rules.day_0_gaps)
        r0, ok0 = self._returns(day_0, self.rules.price, np.all(np.isfinite(x0), axis=-1))
        return replace(panel, r0=r0, ok0=ok0, x0=np.nan_to_num(x0))

    def _over_gaps(self, x: Floats, price: Price) -> Floats:
        """Return the regressors with those after a gap over that gap: (A, T, K), or (T, K) if no asset has a gap."""
        if self.growth is None:
            return x
        growth = self.growth if price == self.rules.price else self.growth._replace(end=self.growth.start)
        gaps = [gaps_of(self._level(self.bars[name])) for name in self.assets]
        if not any(len(its.after) for its in gaps):
            return x
        spans = np.array([column.name not in ("sessions", "clock") for column in self.rules.regressors], dtype=bool)
        first = self.calendar_slice.first - self.calendar_slice.begin
        return np.stack([spanned(x, growth, its, spans, first, self.rules.returns) for its in gaps])

    def _level(self, bars: Bars) -> Floats:
        """Return the adjusted closes on the slice, (T,); over gaps, only where the regressors have prices too."""
        level = reindex(bars, self.rules.prices_of(bars), self.calendar_slice.calendar)
        return level if self.growth is None else np.where(self.growth.priced, level, np.nan)

    def _returns(self, rules: SeriesRules, price: Price, known: Bools) -> tuple[Floats, Bools]:
        """Return the returns (A, T), 0 where not known, and whether return and regressors are known, (A, T)."""
        r = np.empty((len(self.assets), len(self.x)))
        for row, name in zip(r, self.assets, strict=True):
            bars, calendar = self.bars[name], self.calendar_slice.calendar
            level = self._level(bars) if rules.gaps == "span" and is_return(rules.outcome) else None
            row[:] = self.calendar_slice.select(_security(bars, calendar, rules, price, level))
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
    shift = max(shift, first) if rules.spanning or rules.gaps == "span" or rules.summed else shift
    calendar_slice = _CalendarSlice(calendar, first, int(span[1]), shift)
    x = _regressors(market, benchmark, calendar_slice, "close")
    x0 = _regressors(market, benchmark, calendar_slice, rules.price) if rules.own_day_0 else None
    from_start = None
    if any(c.summed or c.name == "sessions" for c in columns):
        full_slice = _CalendarSlice(calendar, min(first, 0), int(span[1]), shift)
        from_start = full_slice, _regressors(market, benchmark, full_slice, "close")
    peer_series = [
        calendar_slice.select(_series(market, name, calendar_slice.calendar, "close")) for name in peers or ()
    ]
    peer_returns = None if peers is None else _stack_columns(peer_series, len(x))
    growth = _growth(market, benchmark, calendar_slice.calendar) if rules.spanning else None
    return PanelPlan(market.prices.bars, tuple(tickers), rules, calendar_slice, x, x0, from_start, peer_returns, growth)


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
        begin, end = (edge + shift - self.begin for edge in (self.first, self.last + 1))
        first, stop = (min(max(edge, 0), len(series)) for edge in (begin, end))
        if (first, stop) == (begin, end):
            return series[first:stop]
        out = np.full(end - begin, np.nan)
        out[first - begin : stop - begin] = series[first:stop]
        return out

    def sessions(self) -> Ints:
        """Return days since 1970-01-01, or seconds for bars; outside the calendar, numbers beyond all dates."""
        at = np.arange(self.first, self.last + 1) - self.begin
        outside = np.where(at < 0, at - 2 * NO_DATE, at + 2 * NO_DATE)
        inside = (at >= 0) & (at < len(self.calendar.dates))
        days = self.calendar.dates.astype(np.int64)
        return np.where(inside, days[np.where(inside, at, 0)], outside)


def _security(bars: Bars, calendar: Calendar, rules: SeriesRules, price: Price, level: Floats | None = None) -> Floats:
    if not is_return(rules.outcome):
        return reindex(bars, level_of(bars, rules.outcome), calendar)
    if price == "close" and "return" in bars.fields:
        return rules.stated_returns(bars, calendar, None if level is None else np.isfinite(level))
    level = reindex(bars, rules.prices_of(bars), calendar) if level is None else level
    now = None if price == "close" else reindex(bars, rules.prices_of(bars, price), calendar)
    unknown = None
    if "return" in bars.fields:
        unknown = reindex(bars, n_unknown(bars, calendar.dates, rules.contradictory), calendar)
    return compute_returns(level, rules.returns, rules.gaps, now, unknown)


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
    if not is_return(rules.outcome):
        return _on_sessions(market, name, level_of(bars, rules.outcome), calendar)
    if price == "close" and "return" in bars.fields and market.calendar_of(name).name == calendar.name:
        return rules.stated_returns(bars, calendar)
    level = _on_sessions(market, name, rules.prices_of(bars), calendar)
    now = None if price == "close" else _on_sessions(market, name, rules.prices_of(bars, price), calendar)
    unknown = _unknown(market, name, calendar)
    return compute_returns(level, rules.returns, rules.gaps, now, unknown)


def _on_sessions(market: Market, name: str, values: Floats, calendar: Calendar) -> Floats:
    """Align values of a ticker with the sessions of a calendar, across calendars as of each session's close."""
    bars, home = market.prices.bars[name], market.calendar_of(name)
    if home.name == calendar.name:
        return reindex(bars, values, calendar)
    return reindex_as_of(bars, values, home, calendar)


def _unknown(market: Market, name: str, calendar: Calendar) -> Floats:
    """Return the number of unknown returns of a ticker up to each session of a calendar."""
    sessions = market.calendar_of(name).dates
    counted = n_unknown(market.prices.bars[name], sessions, market.rules.contradictory)
    return _on_sessions(market, name, counted, calendar)


def _growth(market: Market, benchmark: str | None, calendar: Calendar) -> Growth:
    """Return the growth of the regressors of the model on the sessions of a calendar, (T, K)."""
    parts = []
    for name, shift, _ in market.rules.regressors:
        name = str(benchmark) if name == "benchmark" else name
        if name in market.factors:
            growth = factor_growth(factor_on_dates(market.factors[name], calendar.dates), market.rules.returns)
        elif name in market.prices.bars:
            bars, price = market.prices.bars[name], market.rules.price if shift == 0 else "close"
            close, now = (
                _on_sessions(market, name, values, calendar)
                for values in (market.rules.prices_of(bars), market.rules.prices_of(bars, price))
            )
            growth = level_growth(close, now, _unknown(market, name, calendar))
        else:  # the time of day, which does not accumulate
            ones = np.ones(len(calendar.dates))
            growth = level_growth(ones, ones, ones)
        parts.append(Growth(*(shifted(values, shift) for values in growth)))
    return (
        Growth(*(_stack_columns(series, len(calendar.dates)) for series in zip(*parts, strict=True)))
        if parts
        else (Growth(*[np.empty((len(calendar.dates), 0))] * 3))
    )
