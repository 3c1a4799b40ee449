"""Labels and dates to panels and placed events, with a status and a reason for every event.

Nothing is estimated here, and nothing is lost: an event that cannot be used keeps its row in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars, Prices, priced_dates
from eventstudy.core.parts import build
from eventstudy.core.sums import links
from eventstudy.errors import InputError, one_of
from eventstudy.prepare.calendar import calendar_name, observed_calendar
from eventstudy.prepare.currency import convert_prices
from eventstudy.prepare.factors import Factors, read_factors, reasons_outside_history
from eventstudy.prepare.intraday import check_same_step, common_zone
from eventstudy.prepare.outcomes import is_return
from eventstudy.prepare.panels import Market, PanelPlan, SeriesRules, plan_panel
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
from eventstudy.types import (
    PEERS,
    AnyPanel,
    Calendar,
    Choices,
    Column,
    EventTable,
    Floats,
    Ints,
    Placed,
    Sample,
    Spec,
    Status,
)

OWN_COLUMNS = ("benchmark", "sessions", "clock", "peers")  # names of regressors that are made here
CELLS = 30_000_000  # of returns from which on a panel is made part by part, where it is needed
LARGEST = 500_000_000  # of returns that one panel may hold: 4.5 GB


class Prepared(NamedTuple):
    """The fields of :class:`eventstudy.types.StudySample` that need no look at the returns."""

    event_table: EventTable
    panels: Sequence[AnyPanel]
    placed: Placed
    sample: Sample
    calendars: Mapping[str | None, Calendar]
    other_zone: Floats
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def prepare(
    frame: pd.DataFrame,
    prices: Prices,
    choices: Choices,
    columns: tuple[Column, ...],
    factors: pd.DataFrame | None = None,
    other_news: pd.DataFrame | None = None,
    whole: bool = False,
) -> Prepared:
    """Place events on sessions, find their benchmarks, and build one panel for each calendar and benchmark.

    Parameters
    ----------
    frame : DataFrame
        ``Events.frame``.
    prices : Prices
    choices : Choices
    columns : tuple of Column
        The regressors of the return model.
    factors : DataFrame, optional
        Decimal factor returns, dates by names.
    other_news : DataFrame, optional
        ``Events.frame`` of events that are not studied, but may confound those that are.
    whole : bool
        Whether panels have all that the prices hold, to draw dates from, and are built at once.

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
    rules = SeriesRules(choices.outcome, choices.returns, choices.gaps, choices.price, columns)
    market = _market(prices, converted.prices, read_factors(factors), rules)
    _check_rules(market)
    calendar = find_calendars(frame, market.prices, attrition)
    position, placement = place_events(frame, calendar, market.calendars, choices.on_closed, attrition)
    benchmark = np.full(len(frame), None, dtype=object)
    if any(column.name == "benchmark" for column in columns):
        benchmark = find_benchmarks(frame, calendar, market.prices, choices.benchmark, attrition)
        if not is_return(choices.outcome):
            exclude_without_outcome(benchmark, market.prices, choices.outcome, attrition)
    session = sessions_at(position, calendar, market.calendars)
    exclude_without_rate(ticker, session, converted.without_rate, attrition)
    exclude_outside_prices(ticker, session, market.prices, choices.outcome, attrition)
    for name in dict.fromkeys(c.name for c in columns if c.name in market.factors):
        reason = reasons_outside_history(name, market.factors[name], session)
        attrition.exclude(reason != "", Status.NO_FACTORS, reason)
    where = event_positions(frame, calendar, position)
    pool = _pool(frame, where, market, choices, attrition) if PEERS in columns else None
    own = own_windows(frame, choices)
    stretches = screen_other_news(frame, where, own, other_news, market, choices, attrition)
    duplicate_of = exclude_duplicates(frame, ticker, session, attrition)
    made = _panels(market, choices.spec, ticker, where, benchmark, pool, attrition, whole)
    rows = made.rows
    placed = made.placed._replace(
        own=None if own is None else own[rows], hidden=masked_stretches(stretches, rows, choices),
        link=link_same_news(where.take(rows), session[rows], "firm" in frame),
    )  # fmt: skip
    table = frame[["ticker", "announced"]].assign(
        session=pd.DatetimeIndex(session).as_unit("s"), placement=placement, benchmark=benchmark,
        cluster=frame["cluster"],
    )  # fmt: skip
    if choices.contaminated != "keep":
        length = stretches[:, 2] - stretches[:, 1] + 1
        table["n_contaminated"] = np.bincount(stretches[:, 0], length, len(frame)).astype(np.int64)
    other_zone = _other_zone(ticker[rows], benchmark[rows], market.prices)
    bars = any(c.intraday for c in market.calendars.values())
    warned = () if bars else _cross_zone_warning(ticker[rows], benchmark[rows], other_zone, columns)
    zone = common_zone({name for name in calendar if name is not None}) if bars else None
    event_table = EventTable(table, attrition.status, attrition.reason, duplicate_of, rows, zone)
    sample = replace(made.sample, links=links(placed), seed=choices.seed)
    notes = _notes(market, converted.notes, warned)
    return Prepared(event_table, made.panels, placed, sample, market.calendars, other_zone, notes, warned)


def _notes(market: Market, of_currencies: Sequence[str], warned: Sequence[str]) -> tuple[str, ...]:
    """Collect what was noticed on the way."""
    price = market.rules.price
    at_extreme = f"day 0 is at the {price}: those of security and benchmark need not be simultaneous"
    of_calendars = (note for calendar in market.calendars.values() for note in calendar.notes)
    return (*of_currencies, *of_calendars, *warned, *((at_extreme,) if price in ("high", "low") else ()))


def _market(given: Prices, prices: Prices, factors: Factors, rules: SeriesRules) -> Market:
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
    return Market(prices, calendars, factors, rules)


def _check_rules(market: Market) -> None:
    rules = market.rules
    every = market.prices.bars.values()
    known = {*OWN_COLUMNS, *market.factors, *market.prices.bars}
    for column in rules.columns:
        if column.name not in known:
            raise one_of("the regressor", column.name, [*market.factors, *market.prices.bars])
    if not any(rules.price in bars.fields for bars in every):
        raise InputError(f"price is {rules.price!r}, and no security has that field; read prices that have it")
    if not is_return(rules.outcome) and not any(rules.outcome in bars.fields for bars in every):
        fields = sorted({name for bars in every for name in bars.fields})
        raise one_of("outcome", rules.outcome, ["return", "volatility", *fields])
    if rules.price != "close" and (rules.summed or PEERS in rules.columns):
        what = "sums returns since the last close" if rules.summed else "compares with closes of other securities"
        raise InputError(f"price is {rules.price!r}, and the model {what}; take 'close'")
    if rules.summed and not is_return(rules.outcome):
        raise InputError(f"outcome is {rules.outcome!r}, and the model sums returns; take another model")


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
    market: Market, spec: Spec, ticker: np.ndarray, where: EventPositions, benchmark: np.ndarray,
    pool: Pools | None, attrition: Attrition, whole: bool,
) -> _Made:  # fmt: skip
    """Build one panel for each calendar and benchmark, and express the events that are left as integers in them."""
    rows = np.flatnonzero(attrition.ok)
    calendar = where.calendar[rows]
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
        if whole:
            span = _history(span, market, name, tickers)
        peers = None if pool is None else pool.candidates(name, rows[mine])
        made = plan_panel(market, market.calendars[name], tickers.tolist(), index, span, peers)
        small = made.n_cells * len(tickers) <= CELLS
        panels.append(_whole(made) if small or whole else made)
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
            " need it whole: give fewer securities or shorter prices, or take tests without draws"
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


def _other_zone(ticker: np.ndarray, benchmark: np.ndarray, prices: Prices) -> Floats:
    """Say of each event whether its benchmark closes in another time zone; NaN where that is not known, (n,)."""
    pairs, code = _kinds(ticker, benchmark)
    return np.array([_differ(str(name), index, prices) for name, index in pairs], dtype=np.float64)[code]


def _differ(ticker: str, benchmark: str | None, prices: Prices) -> float:
    """Compare the time zones of a security and its benchmark."""
    if benchmark is None or any(prices.bars[name].mic is None for name in (ticker, benchmark)):
        return np.nan
    zones = {markets.zone_of(str(prices.bars[name].mic)) for name in (ticker, benchmark)}
    return float(len(zones) > 1)


def _cross_zone_warning(
    ticker: np.ndarray, benchmark: np.ndarray, other_zone: Floats, columns: Sequence[Column]
) -> tuple[str, ...]:
    """Warn where a benchmark closes at another hour and no lead of it is in the model."""
    if any(column.shift > 0 for column in columns) or not (other_zone == 1.0).any():
        return ()
    crossing = other_zone == 1.0
    pairs = sorted((str(name), str(index)) for name, index in _kinds(ticker[crossing], benchmark[crossing])[0])
    named = ", ".join(f"{name} on {index}" for name, index in pairs[:5]) + (" ..." if len(pairs) > 5 else "")
    return (
        f"the benchmark closes in another time zone than the security ({named}); part of the market's move falls on the"
        ' next day: es.model("dimson", leads=1, lags=1) takes it in',
    )
