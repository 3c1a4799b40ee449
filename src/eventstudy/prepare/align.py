"""Labels and dates to panels and placed events, with a status and a reason for every event.

Nothing is estimated here, and nothing is lost: an event that cannot be used keeps its row in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars, Prices, priced_dates
from eventstudy.core.parts import AnyPanel, build, cut, take
from eventstudy.core.sums import links
from eventstudy.errors import InputError, one_of
from eventstudy.prepare.calendar import Calendar, calendar_name, observed_calendar
from eventstudy.prepare.currency import convert_prices
from eventstudy.prepare.factors import read_factors, reasons_outside_history
from eventstudy.prepare.intraday import check_same_step, common_zone
from eventstudy.prepare.outcomes import is_return
from eventstudy.prepare.panels import Choices, Market, PanelPlan, plan_panel
from eventstudy.prepare.peers import Pools, Treated, pools
from eventstudy.prepare.placing import (
    Attrition,
    exclude_duplicates,
    exclude_outside_prices,
    exclude_without_outcome,
    exclude_without_rate,
    find_benchmarks,
    find_calendars,
    firm_names,
    firm_of_tickers,
    intern_texts,
    place_events,
    sessions_at,
)
from eventstudy.prepare.screens import (
    EventPositions,
    event_positions,
    link_same_news,
    masked_stretches,
    screen_other_news,
    session_dates,
)
from eventstudy.prepare.windows import own_windows
from eventstudy.types import PEERS, EventTable, Ints, Placed, Sample, Spec, Status

OWN_COLUMNS = ("benchmark", "sessions", "clock", "peers")  # names of regressors that are made here
CELLS = 30_000_000  # of returns from which on a panel is made part by part, where it is needed
LARGEST = 500_000_000  # of returns that one panel may hold: 4.5 GB


@dataclass(frozen=True)
class Prepared:
    """What a run needs: every event that was given, and those that can be used as integers in panels."""

    event_table: EventTable
    panels: Sequence[AnyPanel]
    placed: Placed
    sample: Sample
    calendars: Mapping[str | None, Calendar]
    notes: tuple[str, ...]

    def build(self) -> Prepared:
        """Give the same with every panel made; what draws dates or looks at all returns at once needs that."""
        return replace(self, panels=[_whole(its) for its in self.panels])


def prepare(
    frame: pd.DataFrame,
    prices: Prices,
    choices: Choices,
    factors: pd.DataFrame | None = None,
    other_news: pd.DataFrame | None = None,
) -> Prepared:
    """Place events on sessions, find their benchmarks, and build one panel for each calendar and benchmark.

    Parameters
    ----------
    frame : DataFrame
        ``Events.frame``.
    prices : Prices
    choices : Choices
    factors : DataFrame, optional
        Decimal factor returns, dates by names.
    other_news : DataFrame, optional
        ``Events.frame`` of events that are not studied, but may confound those that are.

    Raises
    ------
    InputError
        When a choice is not valid, or a regressor is neither a factor nor a ticker.
    AlignmentError
        When the one benchmark has no prices, or a date has no session and the policy is "raise".
    """
    attrition = Attrition(len(frame))
    ticker = intern_texts(frame["ticker"])
    converted = convert_prices(prices, choices.currency)
    market = _market(prices, converted.prices, read_factors(factors))
    _check_choices(market, choices)
    calendar = find_calendars(frame, market.prices, attrition)
    position, placement = place_events(frame, calendar, market.calendars, choices.on_closed, attrition)
    benchmark = np.full(len(frame), None, dtype=object)
    if any(column.name == "benchmark" for column in choices.columns):
        benchmark = find_benchmarks(frame, calendar, market.prices, choices.benchmark, attrition)
        if not is_return(choices.outcome):
            exclude_without_outcome(benchmark, market.prices, choices.outcome, attrition)
    session = sessions_at(position, calendar, market.calendars)
    exclude_without_rate(ticker, session, converted.without_rate, attrition)
    exclude_outside_prices(ticker, session, market.prices, choices.outcome, attrition)
    for name in dict.fromkeys(c.name for c in choices.columns if c.name in market.factors):
        reason = reasons_outside_history(name, market.factors[name], session)
        attrition.exclude(reason != "", Status.NO_FACTORS, reason)
    where = event_positions(frame, calendar, position)
    pool = _pool(frame, where, market, choices, attrition) if PEERS in choices.columns else None
    own = own_windows(frame, choices)
    stretches = screen_other_news(frame, where, own, other_news, market, choices, attrition)
    duplicate_of = exclude_duplicates(frame, ticker, session, attrition)
    made = _panels(market, choices, ticker, where, benchmark, pool, attrition)
    rows = made.rows
    placed = made.placed._replace(
        own=None if own is None else own[rows], hidden=masked_stretches(stretches, rows, choices),
        link=link_same_news(where.take(rows), session[rows], "firm" in frame),
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "ticker": frame["ticker"],
            "announced": frame["announced"],
            "session": pd.DatetimeIndex(session).as_unit("s"),
            "placement": placement,
            "benchmark": benchmark,
            "cluster": frame["cluster"],
        },
        index=frame.index,
    )
    if choices.contaminated != "keep":
        table["n_contaminated"] = np.bincount(
            stretches[:, 0], stretches[:, 2] - stretches[:, 1] + 1, len(frame)
        ).astype(np.int64)
    notes = [*converted.notes, *(note for c in market.calendars.values() for note in c.notes)]
    notes += _cross_zone(ticker[rows], benchmark[rows], market.prices, choices)
    if choices.price in ("high", "low"):
        notes.append(f"day 0 is at the {choices.price}: those of security and benchmark need not be simultaneous")
    bars = any(its.intraday for its in market.calendars.values())
    zone = common_zone({name for name in calendar if name is not None}) if bars else None
    event_table = EventTable(table, attrition.status, attrition.reason, duplicate_of, rows, zone)
    sample = replace(made.sample, links=links(placed))
    return Prepared(event_table, made.panels, placed, sample, market.calendars, tuple(notes))


def _market(given: Prices, prices: Prices, factors: dict[str, tuple[np.ndarray, np.ndarray]]) -> Market:
    """Find the calendars in the prices as given: a date without an exchange rate stays a session.

    Exchange rates, which are quoted on holidays too, make no sessions for others without an exchange.
    """
    check_same_step(given.bars.values(), factors)
    homes: dict[str | None, list[Bars]] = {}
    for bars in given.bars.values():
        homes.setdefault(calendar_name(bars.mic), []).append(bars)
    calendars = {}
    for name, its in homes.items():
        traded = [bars for bars in its if not bars.ticker.endswith("=X")]
        its = traded or its
        calendars[name] = observed_calendar(name, its, priced_dates(given.bars, [bars.ticker for bars in its]))
    return Market(prices, calendars, factors)


def _check_choices(market: Market, choices: Choices) -> None:
    every = market.prices.bars.values()
    known = {*OWN_COLUMNS, *market.factors, *market.prices.bars}
    for column in choices.columns:
        if column.name not in known:
            raise one_of("the regressor", column.name, [*market.factors, *market.prices.bars])
    if not any(choices.price in bars.fields for bars in every):
        raise InputError(f"price is {choices.price!r}, and no security has that field; read prices that have it")
    if not is_return(choices.outcome) and not any(choices.outcome in bars.fields for bars in every):
        fields = sorted({name for bars in every for name in bars.fields})
        raise one_of("outcome", choices.outcome, ["return", "volatility", *fields])
    summed = any(column.summed for column in choices.columns)
    if choices.price != "close" and (summed or PEERS in choices.columns):
        what = "sums returns since the last close" if summed else "compares with closes of other securities"
        raise InputError(f"price is {choices.price!r}, and the model {what}; take 'close'")
    if summed and not is_return(choices.outcome):
        raise InputError(f"outcome is {choices.outcome!r}, and the model sums returns; take another model")


def _pool(frame: pd.DataFrame, where: EventPositions, market: Market, choices: Choices, attrition: Attrition) -> Pools:
    """Read the peers of the events; an event whose peers cannot be used is lost."""
    firm_of = firm_of_tickers(frame)
    first, last = (session_dates(where, market.calendars, offset) for offset in choices.spec.event)
    treated = Treated(firm_names(frame, firm_of), first, last)
    pool = pools(choices.peers, frame, market.prices, choices.benchmark, firm_of, treated)
    reason = pool.reasons()
    attrition.exclude(reason != "", Status.NO_PEERS, reason)
    return pool


class _Made(NamedTuple):
    """The usable events as integers in their panels, and their rows in the frame."""

    rows: Ints
    panels: list[AnyPanel]
    placed: Placed
    sample: Sample


def _panels(
    market: Market, choices: Choices, ticker: np.ndarray, where: EventPositions, benchmark: np.ndarray,
    pool: Pools | None, attrition: Attrition,
) -> _Made:  # fmt: skip
    """Build one panel for each calendar and benchmark, and express the events that are left as integers in them."""
    rows = np.flatnonzero(attrition.ok)
    spec, calendar = choices.spec, where.calendar[rows]
    reach = np.array([spec.estimation[0], spec.event[1]])
    kinds, kind = _kinds(calendar, benchmark[rows])
    places = {name: at for at, name in enumerate(market.prices.bars)}
    panels: list[AnyPanel] = []
    asset, day = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    barred = []
    for at, (name, index) in enumerate(kinds):
        mine = np.flatnonzero(kind == at)
        position = where.position[rows[mine]]
        span = np.array([position.min(), position.max()]) + reach
        code, names = pd.factorize(ticker[rows[mine]])
        # As the prices have them, so that a store is read from its begin to its end.
        order = np.argsort([places[name] for name in names])
        tickers, asset[mine] = names[order], np.argsort(order)[code]
        if choices.whole:
            span = _history(span, market, name, tickers)
        peers = None if pool is None else pool.candidates(name, rows[mine])
        made = plan_panel(market, market.calendars[name], tickers.tolist(), index, span, choices, peers)
        small = made.n_cells * len(tickers) <= CELLS
        panels.append(_whole(made) if small or choices.whole else made)
        day[mine] = position - span[0]
        if pool is not None and peers is not None:
            event, column = pool.excluded_pairs(rows[mine], peers)
            barred.append(np.column_stack([mine[event], column]))
    cluster, dates = _clusters(panels, kind, day, calendar, spec.offsets)
    group = np.zeros(len(rows), dtype=np.int64)
    sample = Sample(spec, 1, np.zeros(len(dates), dtype=np.int64), dates)
    placed = Placed(kind, asset, day, cluster, group, np.ones(len(rows)))
    if barred:
        pairs = np.concatenate(barred)
        placed = placed._replace(barred=pairs[np.lexsort(pairs.T[::-1])])
    return _Made(rows, panels, placed, sample)


def _kinds(calendar: np.ndarray, benchmark: np.ndarray) -> tuple[list[tuple[str | None, str | None]], Ints]:
    """Give the pairs of calendar and benchmark that events have, and the number of each event's pair."""
    (one, names), (two, indices) = (pd.factorize(given) for given in (calendar, benchmark))  # None is -1
    kind, pairs = pd.factorize((one + 1) * (len(indices) + 1) + two + 1)
    found = [divmod(int(pair), len(indices) + 1) for pair in pairs]
    return [([None, *names][a], [None, *indices][b]) for a, b in found], kind.astype(np.int64)


def _whole(panel: AnyPanel) -> AnyPanel:
    """Make a panel at once, where that is not too much."""
    if isinstance(panel, PanelPlan) and panel.n_cells * len(panel.assets) > LARGEST:
        raise InputError(
            f"the panel of {panel.calendar} would hold {len(panel.assets):,} securities x {len(panel.sessions):,}"
            f" sessions at once, and {LARGEST:,} returns are the most; drawn dates (placebo, calibrate, adjust, band)"
            " and diagnose need it whole: give fewer securities or shorter prices, or take tests without draws"
        )
    return build(panel)


def _history(span: Ints, market: Market, name: str | None, tickers: np.ndarray) -> Ints:
    """Widen a span to the first and last price of some tickers."""
    dates = np.concatenate([market.prices.bars[t].dates[[0, -1]] for t in tickers])
    first, last = np.searchsorted(market.calendars[name].dates, [dates.min(), dates.max()])
    return np.array([min(span[0], first), max(span[1], last)])


def _clusters(
    panels: Sequence[AnyPanel], kind: Ints, day: Ints, calendar: np.ndarray, offsets: Ints
) -> tuple[Ints, Ints]:
    """Give each event the number of its calendar and session, and each number the dates of its columns (C, L)."""
    union = np.unique(np.concatenate([p.sessions for p in panels])) if panels else np.empty(0, dtype=np.int64)
    numbers = [np.searchsorted(union, p.sessions) for p in panels]
    date = np.empty(len(day), dtype=np.int64)
    for at, its in enumerate(numbers):
        mine = kind == at
        date[mine] = its[day[mine]]
    name, names = pd.factorize(calendar, sort=False, use_na_sentinel=False)
    _, first, cluster = np.unique(date * len(names) + name, return_index=True, return_inverse=True)
    dates = [numbers[kind[e]][day[e] + offsets] for e in first]
    return cluster.astype(np.int64), np.array(dates, dtype=np.int64).reshape(len(first), len(offsets))


def _cross_zone(ticker: np.ndarray, benchmark: np.ndarray, prices: Prices, choices: Choices) -> list[str]:
    """Warn where a benchmark closes at another hour and no lead of it is in the model."""
    if any(column.shift > 0 for column in choices.columns) or any(b.intraday for b in prices.bars.values()):
        return []
    found = []
    for name, index in sorted({(str(t), str(b)) for t, b in zip(ticker, benchmark, strict=True) if b}):
        own, other = prices.bars[name].mic, prices.bars[index].mic
        if own and other and markets.zone_of(own) != markets.zone_of(other):
            found.append((name, index))
    if not found:
        return []
    pairs = ", ".join(f"{name} on {index}" for name, index in found[:5]) + (" ..." if len(found) > 5 else "")
    return [
        f"the benchmark closes in another time zone than the security ({pairs}); part of the market's move falls on the"
        ' next day: es.model("dimson", leads=1, lags=1) takes it in'
    ]


def valid_estimation_days(prepared: Prepared) -> Ints:
    """Count the valid estimation days of each placed event, (n,), without cutting any window."""
    count = np.zeros(len(prepared.placed.day), dtype=np.int64)
    for rows in cut(prepared.placed, prepared.panels):
        count[rows] = _valid(*take(prepared.panels, prepared.placed, rows), prepared.sample.spec)
    return count


def _valid(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> Ints:
    count = np.zeros(len(placed.day), dtype=np.int64)
    first = np.full(len(count), spec.estimation[0]) if placed.own is None else placed.own[:, 0]
    last = np.full(len(count), spec.estimation[1]) if placed.own is None else placed.own[:, 1]
    hidden = np.empty((0, 3), dtype=np.int64) if placed.hidden is None else placed.hidden
    for at, its in enumerate(panels):
        mine = placed.panel == at
        asset, day = placed.asset[mine], placed.day[mine]
        ok = build(its).ok
        running = np.zeros((len(ok), ok.shape[1] + 1), dtype=np.int32)
        np.cumsum(ok, axis=1, dtype=np.int32, out=running[:, 1:])
        count[mine] = running[asset, day + last[mine] + 1] - running[asset, day + first[mine]]
        event, start, stop = hidden[mine[hidden[:, 0]]].T
        start, stop = np.maximum(start, first[event]), np.minimum(stop, last[event])
        there = stop >= start
        event, start, stop = event[there], start[there], stop[there]
        asset, day = placed.asset[event], placed.day[event]
        np.subtract.at(count, event, running[asset, day + stop + 1] - running[asset, day + start])
    return count
