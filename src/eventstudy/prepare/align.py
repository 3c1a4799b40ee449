"""Prepare a study: convert labels and dates to panels and placed events, with a status and a reason for every event.

Nothing is estimated here. An event that cannot be used keeps its row in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices, priced_dates, traded_dates
from eventstudy.core.parts import build
from eventstudy.core.sums import links
from eventstudy.errors import InputError, one_of
from eventstudy.prepare.calendar import calendar_name, observed_calendar
from eventstudy.prepare.currency import convert_prices
from eventstudy.prepare.factors import Factors, coded_notes, read_factors, reasons_outside_history
from eventstudy.prepare.implausible import Implausible, WindowDates, implausible_prices, peer_notes
from eventstudy.prepare.intraday import check_same_step, common_zone
from eventstudy.prepare.notes import (
    by_date_warning,
    collect_notes,
    cross_zone_warning,
    first_day_warning,
    merged_warning,
    other_zone,
)
from eventstudy.prepare.outcomes import is_return
from eventstudy.prepare.panels import Market, PanelPlan, SeriesRules, plan_panel
from eventstudy.prepare.peers import Pools, Treated, pools
from eventstudy.prepare.placing import (
    Attrition,
    distinct_pairs,
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
from eventstudy.prepare.stated import changes_of
from eventstudy.prepare.suspended import move_to_next_trade
from eventstudy.prepare.windows import note_shorter_windows, own_windows
from eventstudy.types import (
    PEERS,
    AnyPanel,
    Bools,
    Calendar,
    Choices,
    Column,
    EventTable,
    Floats,
    Gaps,
    Ints,
    Placed,
    Sample,
    Spec,
    Stated,
    Status,
)

BUILT_IN_COLUMNS = ("benchmark", "sessions", "clock", "peers")  # regressors that are neither factors nor tickers
CELLS = 30_000_000  # returns above which building a panel is deferred, part by part
LARGEST = 500_000_000  # returns in one panel at most: 4.5 GB


class Prepared(NamedTuple):
    """The fields of :class:`eventstudy.types.StudySample` that do not depend on returns."""

    event_table: EventTable
    panels: Sequence[AnyPanel]
    placed: Placed
    sample: Sample
    calendars: Mapping[str | None, Calendar]
    other_zone: Floats
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    implausible: Callable[[Bools], tuple[str, ...]]


def prepare(
    frame: pd.DataFrame,
    prices: Prices,
    choices: Choices,
    columns: tuple[Column, ...],
    factors: pd.DataFrame | None = None,
    other_news: pd.DataFrame | None = None,
    full_history: bool = False,
) -> Prepared:
    """Place events on sessions, find their benchmarks, and build or plan one panel for each calendar and benchmark.

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
    full_history : bool
        Whether panels reach to the ends of the prices, for redrawing dates, and are built immediately.

    Raises
    ------
    InputError
        If a choice is not valid, or a regressor is neither a factor nor a ticker.
    AlignmentError
        If the only benchmark has no prices, or a date has no session and ``on_closed`` is "raise".
    """
    attrition = Attrition(len(frame))
    ticker = intern_texts(frame["ticker"])
    converted = convert_prices(prices, choices.currency)
    market = _market(prices, converted.prices, read_factors(factors), _rules(choices, columns), choices.calendars)
    calendar = find_calendars(frame, market.prices, attrition)
    position, placement = _place(frame, ticker, calendar, market, choices, attrition)
    benchmark = np.full(len(frame), None, dtype=object)
    if any(column.name == "benchmark" for column in columns):
        benchmark = find_benchmarks(frame, calendar, market.prices, choices.benchmark, attrition)
        if not is_return(choices.outcome):
            exclude_without_outcome(benchmark, market.prices, choices.outcome, attrition)
    session = sessions_at(position, calendar, market.calendars)
    exclude_without_rate(ticker, session, converted.without_rate, attrition)
    exclude_outside_prices(ticker, session, market.prices, choices.outcome, attrition)
    positions = event_positions(frame, calendar, position)
    _exclude_without_factors(positions, market, choices.spec, attrition)
    peers = _peer_pools(frame, positions, market, choices, attrition) if PEERS in columns else None
    windows = own_windows(frame, choices)
    stretches = screen_other_news(frame, positions, windows, other_news, market, choices, attrition)
    duplicate_of = exclude_duplicates(frame, ticker, session, attrition)
    usable = _build_panels(market, choices.spec, ticker, positions, benchmark, peers, attrition, full_history)
    rows = usable.rows
    placed = usable.placed._replace(
        own_windows=None if windows is None else windows[rows], masked_days=masked_stretches(stretches, rows, choices),
        link=link_same_news(positions.take(rows), session[rows], "firm" in frame),
    )  # fmt: skip
    dates = partial(WindowDates.of, positions.take(rows), market.calendars, choices.spec, placed.own_windows)
    common = [c.name for c in columns if c.name in prices.bars and c.name not in market.factors]
    implausible = implausible_prices(prices.bars, dates, (ticker[rows], benchmark[rows]), common, choices)
    table = pd.DataFrame({
        "ticker": frame["ticker"], "announced": frame["announced"], "session": pd.DatetimeIndex(session).as_unit("s"),
        "placement": placement, "benchmark": benchmark, "cluster": frame["cluster"],
        **_screening_columns(choices, stretches, implausible, rows, duplicate_of),
    }, index=frame.index, copy=False)  # fmt: skip
    in_other_zone = other_zone(ticker[rows], benchmark[rows], market.prices)
    bars = any(c.intraday for c in market.calendars.values())
    warnings = merged_warning(market.prices) + by_date_warning(placement[rows]) + first_day_warning(market)
    if not bars:
        warnings += cross_zone_warning(ticker[rows], benchmark[rows], in_other_zone, columns)
    zone = common_zone({name for name in calendar if name is not None}) if bars else None
    event_table = EventTable(table, attrition.status, attrition.reason, duplicate_of, rows, zone)
    sample = replace(usable.sample, links=links(placed), seed=choices.seed)
    shorter = note_shorter_windows(placed.own_windows, choices.spec)
    data_notes = (*converted.notes, *coded_notes(factors))
    notes = (
        *collect_notes(market, data_notes, warnings, placement[rows]), *shorter,
        *peer_notes(prices.bars, usable.peers, dates, choices),
    )  # fmt: skip
    return Prepared(
        event_table, usable.panels, placed, sample, market.calendars, in_other_zone, notes, warnings, implausible.notes
    )


def _screening_columns(
    choices: Choices, stretches: Ints, implausible: Implausible, rows: Ints, duplicate_of: Ints
) -> dict[str, np.ndarray]:
    """Return columns (N,) of the table of events: what was found in their windows."""
    columns: dict[str, np.ndarray] = {}
    if choices.contaminated != "keep":
        length = stretches[:, 2] - stretches[:, 1] + 1
        columns["n_contaminated"] = np.bincount(stretches[:, 0], length, len(duplicate_of)).astype(np.int64)
    if (implausible.by_event != "").any():
        texts = np.full(len(duplicate_of), "", dtype=object)
        texts[rows] = implausible.by_event
        columns["implausible_prices"] = texts[duplicate_of]
    return columns


def _place(
    frame: pd.DataFrame, ticker: np.ndarray, calendar: np.ndarray, market: Market, choices: Choices,
    attrition: Attrition,
) -> tuple[Ints, np.ndarray]:  # fmt: skip
    """Return the position of each event's session in its calendar, and the rule applied."""
    position, placement = place_events(frame, calendar, market.calendars, choices.on_closed, attrition)
    if choices.suspended == "next_trade":
        position = move_to_next_trade(ticker, position, market.calendars, calendar, market.prices, placement, attrition)
    return position, placement


def _exclude_without_factors(positions: EventPositions, market: Market, spec: Spec, attrition: Attrition) -> None:
    """Exclude the events of which no window lies inside the history of a factor of the model."""
    names = [name for name in dict.fromkeys(c.name for c in market.rules.columns) if name in market.factors]
    if not names:
        return
    whole = spec.min_coverage == 1.0
    sides = spec.windows.T if whole else spec.windows[:, ::-1].T  # with missing days allowed, one day inside is enough
    first, last = (np.column_stack([session_dates(positions, market.calendars, day) for day in side]) for side in sides)
    session = session_dates(positions, market.calendars, 0)
    for name in names:
        reason = reasons_outside_history(name, market.factors[name], session, first, last)
        attrition.exclude(reason != "", Status.NO_FACTORS, reason)


def _rules(choices: Choices, columns: tuple[Column, ...]) -> SeriesRules:
    """Return the rules of the series; an event moved to its next trade is measured over the gap before it."""
    day_0_gaps: Gaps = "span" if choices.suspended == "next_trade" else choices.gaps
    return SeriesRules(
        choices.outcome, choices.returns, choices.gaps, choices.price, columns, choices.contradictory, day_0_gaps
    )


def _market(
    quoted: Prices, prices: Prices, factors: Factors, rules: SeriesRules, stated: Stated | None = None
) -> Market:
    """Return the market, with calendars from the quoted prices: a date without an exchange rate stays a session.

    Exchange rates are quoted on holidays too: on the calendar of securities without an exchange, their dates are not
    sessions. Raise InputError if a rule asks for what the prices do not have.
    """
    check_same_step(quoted.bars.values(), factors)
    by_calendar: dict[str | None, list[Bars]] = {}
    for bars in quoted.bars.values():
        by_calendar.setdefault(calendar_name(bars.mic), []).append(bars)
    calendars = {}
    for name, members in by_calendar.items():
        members = [bars for bars in members if not bars.ticker.endswith("=X")] or members
        tickers = [bars.ticker for bars in members]
        dates, traded = priced_dates(quoted.bars, tickers), traded_dates(quoted.bars, tickers)
        calendars[name] = observed_calendar(name, members, dates, changes_of(stated, name), traded)
    market = Market(prices, calendars, factors, rules)
    _check_rules(market)
    return market


def _check_rules(market: Market) -> None:
    rules = market.rules
    securities = market.prices.bars.values()
    names = {*BUILT_IN_COLUMNS, *market.factors, *market.prices.bars}
    for column in rules.columns:
        if column.name not in names:
            raise one_of("the regressor", column.name, [*market.factors, *market.prices.bars])
    if not any(rules.price in bars.fields for bars in securities):
        raise InputError(f"price is {rules.price!r}, and no security has that field; read prices that have it")
    if not is_return(rules.outcome) and not any(rules.outcome in bars.fields for bars in securities):
        fields = sorted({name for bars in securities for name in bars.fields})
        raise one_of("outcome", rules.outcome, ["return", "volatility", *fields])
    if rules.price != "close" and (rules.summed or PEERS in rules.columns):
        use = "sums returns since the last close" if rules.summed else "compares with closes of other securities"
        raise InputError(f"price is {rules.price!r}, and the model {use}; use 'close'")
    if rules.spanning and PEERS in rules.columns:
        raise InputError(
            "returns span gaps (gaps='span' or suspended='next_trade'), and the model compares with daily returns of"
            " other securities; use gaps='missing' and suspended='keep', or a model with a benchmark"
        )
    if rules.summed and not is_return(rules.outcome):
        raise InputError(f"outcome is {rules.outcome!r}, and the model sums returns; use another model")


def _peer_pools(
    frame: pd.DataFrame, positions: EventPositions, market: Market, choices: Choices, attrition: Attrition
) -> Pools:
    """Return the peers of the events; exclude events without usable peers."""
    firm_of = firm_of_tickers(frame)
    first, last = (session_dates(positions, market.calendars, offset) for offset in choices.spec.event)
    treated = Treated(firm_names(frame, firm_of), first, last)
    pool = pools(choices.peers, frame, market.prices, choices.benchmark, firm_of, treated)
    reason = pool.reasons()
    attrition.exclude(reason != "", Status.NO_PEERS, reason)
    return pool


class _UsableEvents(NamedTuple):
    """The usable events as integers in their panels, and their rows in the frame."""

    rows: Ints
    panels: list[AnyPanel]
    placed: Placed
    sample: Sample
    peers: tuple[str, ...]


def _build_panels(
    market: Market, spec: Spec, ticker: np.ndarray, positions: EventPositions, benchmark: np.ndarray,
    pool: Pools | None, attrition: Attrition, full_history: bool,
) -> _UsableEvents:  # fmt: skip
    """Build or plan one panel for each calendar and benchmark, and express the usable events as integers in them."""
    rows = np.flatnonzero(attrition.ok)
    calendar = positions.calendar[rows]
    reach = np.array([spec.estimation[0], spec.event[1]])
    pairs, pair = distinct_pairs(calendar, benchmark[rows])
    places = {name: at for at, name in enumerate(market.prices.bars)}
    panels: list[AnyPanel] = []
    asset, day = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    excluded_peers: list[np.ndarray] = []
    all_peers: set[str] = set()
    for at, (name, index) in enumerate(pairs):
        events = np.flatnonzero(pair == at)
        position = positions.position[rows[events]]
        span = np.array([position.min(), position.max()]) + reach
        code, names = pd.factorize(ticker[rows[events]])
        # In the order of the prices, so that a store is read sequentially.
        order = np.argsort([places[name] for name in names])
        tickers, asset[events] = names[order], np.argsort(order)[code]
        if full_history:
            span = _extend_to_prices(span, market, name, tickers)
        peers = None if pool is None else pool.candidates(name, rows[events])
        plan = plan_panel(market, market.calendars[name], tickers.tolist(), index, span, peers)
        small = plan.n_cells * len(tickers) <= CELLS
        panels.append(_build_if_possible(plan) if small or full_history else plan)
        day[events] = position - span[0]
        if pool is not None and peers is not None:
            all_peers.update(peers)
            event, column = pool.excluded_pairs(rows[events], peers)
            excluded_peers.append(np.column_stack([events[event], column]))
    cluster, dates = _clusters(panels, pair, day, calendar, spec.offsets)
    group = np.zeros(len(rows), dtype=np.int64)
    sample = Sample(spec, 1, np.zeros(len(dates), dtype=np.int64), dates)
    placed = Placed(pair, asset, day, cluster, group, np.ones(len(rows)))
    if excluded_peers:
        table = np.concatenate(excluded_peers)
        placed = placed._replace(excluded_peers=table[np.lexsort(table.T[::-1])])
    return _UsableEvents(rows, panels, placed, sample, tuple(sorted(all_peers)))


def _build_if_possible(panel: AnyPanel) -> AnyPanel:
    """Build a panel; raise InputError if it would be too large."""
    if isinstance(panel, PanelPlan) and panel.n_cells * len(panel.assets) > LARGEST:
        raise InputError(
            f"the panel of {panel.calendar} would hold {len(panel.assets):,} securities x {len(panel.sessions):,}"
            f" sessions at once; {LARGEST:,} returns are the maximum. Drawn dates (placebo, calibrate, adjust, band)"
            " need the full panel: give fewer securities or shorter prices, or use tests without draws"
        )
    return build(panel)


def _extend_to_prices(span: Ints, market: Market, name: str | None, tickers: np.ndarray) -> Ints:
    """Extend a span of positions to the first and last price of the tickers."""
    dates = np.concatenate([market.prices.bars[t].dates[[0, -1]] for t in tickers])
    first, last = np.searchsorted(market.calendars[name].dates, [dates.min(), dates.max()])
    return np.array([min(span[0], first), max(span[1], last)])


def _clusters(
    panels: Sequence[AnyPanel], panel: Ints, day: Ints, calendar: np.ndarray, offsets: Ints
) -> tuple[Ints, Ints]:
    """Return the cluster of each event, one for each calendar and session (N,), and the dates of its columns (C, L)."""
    union = np.unique(np.concatenate([p.sessions for p in panels])) if panels else np.empty(0, dtype=np.int64)
    numbers = [np.searchsorted(union, p.sessions) for p in panels]
    date = np.empty(len(day), dtype=np.int64)
    for at, number in enumerate(numbers):
        in_panel = panel == at
        date[in_panel] = number[day[in_panel]]
    name, names = pd.factorize(calendar, sort=False, use_na_sentinel=False)
    code = date * len(names) + name
    first_of = np.full(len(union) * len(names), -1)
    first_of[code[::-1]] = np.arange(len(code))[::-1]  # of repeated indices the last assignment counts
    used = first_of >= 0
    first, cluster = first_of[used], np.cumsum(used)[code] - 1
    dates = [numbers[panel[e]][day[e] + offsets] for e in first]
    return cluster.astype(np.int64), np.array(dates, dtype=np.int64).reshape(len(first), len(offsets))
