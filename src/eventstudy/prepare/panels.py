"""One exchange's prices to a panel: returns of the securities and regressors on the sessions that the events need."""

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
from eventstudy.prepare.returns import adjusted_close, adjusted_price, compute_returns, reindex, reindex_as_of
from eventstudy.types import BEYOND, PEERS, Bools, Calendar, Column, Floats, Gaps, Ints, Panel, Price, Returns


class SeriesRules(NamedTuple):
    """How the series of a panel are computed from prices: names of ``Study``, and the model's regressors."""

    outcome: str
    returns: Returns
    gaps: Gaps
    price: Price
    columns: tuple[Column, ...]

    @property
    def summed(self) -> bool:
        """Whether a regressor is summed over the sessions since the last price, and the return spans them too."""
        return any(column.summed for column in self.columns)

    @property
    def regressors(self) -> list[Column]:
        """The columns of ``Panel.x``."""
        return [column for column in self.columns if column != PEERS]


@dataclass(frozen=True)
class Market:
    """All that a panel is made from: prices, their calendars by name, factor returns by name, and the rules."""

    prices: Prices
    calendars: Mapping[str | None, Calendar]
    factors: Factors
    rules: SeriesRules

    def calendar_of(self, ticker: str) -> Calendar:
        """Give the calendar that a ticker's exchange keeps."""
        return self.calendars[calendar_name(self.prices.bars[ticker].mic)]


@dataclass(frozen=True)
class PanelPlan:
    """All that the panel of some tickers is made of, one calendar's, with one benchmark; ``build`` makes it.

    ``bars`` are of the ``assets``; ``x``, ``x0`` (T, K) and ``peers`` (T, D) are what all assets share, as in
    ``Panel``; ``long`` has the regressors on the calendar from its begin, where each asset sums them over its own gaps.
    """

    bars: Mapping[str, Bars]
    assets: tuple[str, ...]
    rules: SeriesRules
    cut: _Cut
    x: Floats
    x0: Floats | None
    long: tuple[_Cut, Floats] | None
    peers: Floats | None

    @property
    def calendar(self) -> str:
        """The name of the calendar."""
        return str(self.cut.calendar.name)

    @cached_property
    def sessions(self) -> Ints:
        """As in ``Panel``."""
        return self.cut.sessions()

    @property
    def n_cells(self) -> int:
        """How many cells a panel of one asset has."""
        return len(self.x) * (1 if self.long is None else 1 + self.x.shape[1])

    def take(self, assets: Ints) -> PanelPlan:
        """Select some assets, with their prices alone."""
        names = tuple(self.assets[a] for a in assets)
        its = self.bars
        bars = its.take(names) if isinstance(its, Indexed) else {name: its[name] for name in names}
        return replace(self, bars=bars, assets=names)

    def build(self) -> Panel:
        """Build the panel."""
        columns = self.rules.regressors
        spanning = self.rules._replace(gaps="span") if self.rules.summed else self.rules
        x: Floats = self.x
        if self.long is not None:
            x = np.empty((len(self.assets), *self.x.shape))
            for row, name in zip(x, self.assets, strict=True):
                row[:] = _since_last(self.bars[name], columns, self.long[1], self.long[0])[-len(row) :]
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
        """Give the returns (A, T), 0 where not known, and where they are."""
        r = np.empty((len(self.assets), len(self.x)))
        for row, name in zip(r, self.assets, strict=True):
            row[:] = self.cut.exact(_security(self.bars[name], self.cut.calendar, rules, price))
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
    """Plan the panel of some tickers of one calendar, with one benchmark.

    Parameters
    ----------
    market : Market
    calendar : Calendar
    tickers : sequence of str
    benchmark : str or None
        What ``Column("benchmark")`` stands for.
    span : int array (2,)
        First and last position of the panel in the calendar, both included; a position beyond its ends is padded.
    peers : sequence of str, optional
        Securities whose returns the model asks for.
    """
    rules = market.rules
    columns = rules.regressors
    first, shift = int(span[0]), max((abs(c.shift) for c in columns), default=0)
    # A return that spans a gap begins before it, however long: what an event has must not hang on where others begin.
    shift = max(shift, first) if rules.gaps == "span" or rules.summed else shift
    cut = _Cut(calendar, first, int(span[1]), shift)
    x = _regressors(market, benchmark, cut, "close")
    x0 = None if rules.price == "close" else _regressors(market, benchmark, cut, rules.price)
    long = None
    if any(c.summed or c.name == "sessions" for c in columns):
        whole = _Cut(calendar, min(first, 0), int(span[1]), shift)
        long = whole, _regressors(market, benchmark, whole, "close")
    others = [cut.exact(_series(market, name, cut.calendar, "close")) for name in peers or ()]
    beside = None if peers is None else _side_by_side(others, len(x))
    return PanelPlan(market.prices.bars, tuple(tickers), rules, cut, x, x0, long, beside)


def _side_by_side(series: Sequence[Floats], length: int) -> Floats:
    return np.stack(series, axis=1) if series else np.empty((length, 0))


def _since_last(bars: Bars, columns: Sequence[Column], x: Floats, cut: _Cut) -> Floats:
    """Give the regressors (T, K) of one security: its sessions since the last price, and what is summed over them."""
    priced = np.flatnonzero(np.isfinite(cut.exact(reindex(bars, adjusted_close(bars), cut.calendar))))
    last = np.full(len(x), -1)
    last[priced[1:]] = priced[:-1]
    there = np.flatnonzero(last >= 0)
    out = x.copy()
    for k, column in enumerate(columns):
        if column.name == "sessions":
            out[:, k] = np.where(last >= 0, np.arange(len(x)) - last, np.nan)
        elif column.summed:
            total, lost = np.nancumsum(x[:, k]), np.cumsum(np.isnan(x[:, k]))
            out[:, k] = np.nan
            whole = there[lost[there] == lost[last[there]]]
            out[whole, k] = total[whole] - total[last[whole]]
    return out


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
        """Give days since 1970-01-01, or seconds for bars; beyond the calendar's ends, numbers far away, in order."""
        at = np.arange(self.first, self.last + 1) - self.begin
        beyond = np.where(at < 0, at - 2 * BEYOND, at + 2 * BEYOND)
        inside = (at >= 0) & (at < len(self.calendar.dates))
        days = self.calendar.dates.astype(np.int64)
        return np.where(inside, days[np.where(inside, at, 0)], beyond)


def _security(bars: Bars, calendar: Calendar, rules: SeriesRules, price: Price) -> Floats:
    if not is_return(rules.outcome):
        return reindex(bars, level_of(bars, rules.outcome), calendar)
    level = reindex(bars, adjusted_close(bars), calendar)
    now = None if price == "close" else reindex(bars, adjusted_price(bars, price), calendar)
    return compute_returns(level, rules.returns, rules.gaps, now)


def _regressors(market: Market, benchmark: str | None, cut: _Cut, price: Price) -> Floats:
    """Give the columns of the model on the cut, (T, K)."""
    columns = []
    for name, shift, _ in market.rules.columns:
        if name == "peers":
            continue
        ticker = benchmark if name == "benchmark" else name
        series = _series(market, str(ticker), cut.calendar, price if shift == 0 else "close")
        columns.append(cut.exact(series, shift))
    return np.stack(columns, axis=1) if columns else np.empty((cut.last - cut.first + 1, 0))


def _series(market: Market, name: str, calendar: Calendar, price: Price) -> Floats:
    """Give a regressor's returns: a factor's by date, a ticker's of the same calendar, or one carried over."""
    if name in market.factors:
        return factor_on_dates(market.factors[name], calendar.dates)
    if name == "sessions":  # each security's own, put in later
        return np.ones(len(calendar.dates))
    if name == "clock":
        return seconds_of_day(calendar.name, calendar.dates)
    rules, bars = market.rules, market.prices.bars[name]
    own = market.calendar_of(name)
    if own.name == calendar.name:
        return _security(bars, calendar, rules, price)
    if not is_return(rules.outcome):
        return reindex_as_of(bars, level_of(bars, rules.outcome), own, calendar)
    level = reindex_as_of(bars, adjusted_close(bars), own, calendar)
    now = None if price == "close" else reindex_as_of(bars, adjusted_price(bars, price), own, calendar)
    return compute_returns(level, rules.returns, rules.gaps, now)
