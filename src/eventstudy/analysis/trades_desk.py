"""What a backtest knows and can trade: prices by instant, when each event was known, and its beta known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.analysis.trades_instants import before_opens, instants, is_coarser, of_days
from eventstudy.core.positions import NEVER, Points, estimation_lines
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.prepare.bounds import bounds_of
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.currency import MINOR, OLDEST_RATE, convert_prices, latest_rate
from eventstudy.prepare.panels import Market, SeriesRules, plan_panel
from eventstudy.prepare.phases import AFTER, BEFORE, DURING
from eventstudy.prepare.placing import distinct_pairs
from eventstudy.prepare.returns import counted_level, quoted_price, reindex
from eventstudy.types import (
    BarsView,
    Bools,
    Calendar,
    Choices,
    Column,
    Dates,
    EventTable,
    Floats,
    Ints,
    Rerun,
    Status,
    StudySample,
)

DAY = np.timedelta64(1, "D")
ZONE = "Etc/UTC"


class Lines(NamedTuple):
    """Beta and deviations estimated before each session of the asset of an event: (n,) lookups into panels."""

    panel: Ints
    asset: Ints
    beta: Sequence[Floats]
    sigma: Sequence[Floats]
    deviation: Sequence[Floats]

    def at(self, session: Ints) -> tuple[Floats, Floats, Floats]:
        """Return beta, sigma of the market model and deviation of the return before sessions of events, (..., n)."""
        out = [np.full(session.shape, np.nan) for _ in range(3)]
        for k in range(len(self.beta)):
            own = self.panel == k
            for values, of_panel in zip(out, (self.beta, self.sigma, self.deviation), strict=True):
                values[..., own] = of_panel[k][self.asset[own], session[..., own]]
        return out[0], out[1], out[2]


@dataclass(frozen=True)
class Desk:
    """The events of a study as they could be traded.

    Attributes
    ----------
    frame : DataFrame
        Index ``event_id``; ticker, benchmark, currency, known (UTC), status, reason: the placement of the study.
    rows : int array (n,)
        The events of the frame that have prices, in their order; all arrays below are of these.
    points : Points
        In the currency of the backtest; adjusted for splits and dividends.
    quoted, traded : float arrays (A, P)
        Unadjusted prices, and the value traded in the session in the currency of the backtest.
    tickers : tuple of str (A,)
    dates : dates (T,)
    asset, benchmark : int arrays (n,)
        Securities; -1 without a benchmark.
    known : int array (n,)
        The latest instant at which each event became public.
    session : int array (n,)
        The session of each event on the calendar of its security.
    lines : Lines
    shifts : sequence of int arrays
        By panel of the sample, the session of the calendar of each of its columns.
    opens : bool array (A,)
        Which securities have opens.
    intraday : bool
    sample : StudySample
    placed : int array (n,)
        The number of each event among the placed ones; -1 for one that is not placed.
    choices : Choices
    events : DataFrame
        The events of the input.
    """

    frame: pd.DataFrame
    rows: Ints
    points: Points
    quoted: Floats
    traded: Floats
    dates: Dates
    opens: Bools
    tickers: tuple[str, ...]
    asset: Ints
    benchmark: Ints
    known: Ints
    session: Ints
    lines: Lines
    shifts: Sequence[Ints]
    intraday: bool
    sample: StudySample
    placed: Ints
    choices: Choices
    events: pd.DataFrame

    def sessions_of(self, days: Ints) -> Ints:
        """Return the sessions of days of the placed events, (D, placed), on the calendars of the events, (D, n).

        An event that is not placed keeps its own session.
        """
        out = np.repeat(self.session[None], len(days), axis=0)
        for event in np.flatnonzero(self.placed >= 0):
            number = self.placed[event]
            out[:, event] = self.shifts[self.sample.placed.panel[number]][days[:, number]]
        return out


def open_desk(rerun: Rerun, currency: str | None, hedge: bool) -> Desk:
    """Return the desk of a study.

    Raises
    ------
    InputError
        If the study is none of returns, its estimation windows are not before the events, or a rate is missing.
    NotEnoughData
        If no event has a session and prices.
    """
    choices = rerun.choices
    _check(choices)
    sample = rerun.sample(full_history=True)
    table, events = sample.event_table, rerun.events
    rows = np.flatnonzero(_foreseen(table, choices))
    if not len(rows):
        raise NotEnoughData("no event of the study has a session and prices; result.events.reason has the reasons")
    benchmarks = table.frame["benchmark"].to_numpy(dtype=object)[rows]
    if hedge and any(name is None for name in benchmarks):
        raise InputError(
            "hedge is True, and the model of the study has no benchmark to sell short; give hedge=False, or run the"
            " study with a model that has one, such as 'market'"
        )
    ticker = events["ticker"].to_numpy(dtype=object)[rows]
    tickers = tuple(dict.fromkeys([*ticker, *(name for name in benchmarks if name is not None and hedge)]))
    code = {name: at for at, name in enumerate(tickers)}
    spans = _spans(rerun, sample, tickers)
    by_name = {name: _part(sample.calendars[name], *span) for name, span in spans.items()}
    market = _market(rerun, by_name, tickers, currency)
    asset = np.array([code[name] for name in ticker], dtype=np.int64)
    mics = [rerun.prices.bars[name].mic for name in tickers]
    calendars = [by_name[calendar_name(mic)] for mic in mics]
    known = _known(events.iloc[rows], asset, calendars)
    sessions = table.sessions[rows]
    session = np.array([np.searchsorted(calendars[a].dates, s) for a, s in zip(asset, sessions, strict=True)])
    named = {calendar.name or "": calendar.dates.astype(np.int64) for calendar in by_name.values()}
    shifts = [np.searchsorted(named[panel.calendar], panel.sessions) for panel in sample.panels]
    frame = pd.DataFrame(
        {
            "ticker": events["ticker"], "benchmark": table.frame["benchmark"], "currency": currency,
            "known": pd.Series(pd.DatetimeIndex(known).tz_localize("UTC"), events.index[rows]).reindex(events.index),
            "status": [Status(s).label for s in table.status], "reason": table.reason,
        },
        index=events.index,
    )  # fmt: skip
    if currency is None:
        frame["currency"] = [getattr(rerun.prices.bars.get(name), "currency", None) for name in frame["ticker"]]
    return Desk(
        frame, rows, *market, tickers=tickers, asset=asset,
        benchmark=np.array([code.get(name, -1) for name in benchmarks], dtype=np.int64),
        known=known.astype(np.int64), session=session.astype(np.int64),
        lines=_lines(rerun, sample, spans, ticker, benchmarks), shifts=shifts,
        intraday=any(c.intraday for c in calendars), sample=sample, placed=_placed(table)[rows], choices=choices,
        events=events,
    )  # fmt: skip


def _check(choices: Choices) -> None:
    """Raise InputError for choices of a study that a backtest cannot take."""
    if choices.outcome not in ("return", "volatility"):
        raise InputError(
            f"the study measures {choices.outcome!r}, and trades need prices; run it with outcome='return'"
        )
    if choices.confounding is not None:
        raise InputError(
            f"the study leaves out events with other news in {choices.confounding}, also later news, which nobody knew"
            " when they were announced; trade a study with confounding=None"
        )
    if choices.estimation_columns is not None or choices.estimation[1] >= 0:
        raise InputError(
            f"the estimation window is {choices.estimation_columns or choices.estimation}; the beta and sigma of a"
            " trade are those known before the event: run the study with one window that ends on day -1 or before"
        )


def _foreseen(table: EventTable, choices: Choices) -> Bools:
    """Return which events have a session and prices, (N,), as far as it was known when they could be traded.

    A duplicate repeats an announcement. One that the study cannot measure, for want of a price or a rate on its day or
    of factors and peers in its window, may have an entry all the same: nobody could foresee it.
    """
    unforeseen = [Status.DUPLICATE, Status.NO_FX, Status.NO_FACTORS, Status.NO_PEERS]
    unforeseen += [Status.SUSPENDED] * (choices.suspended == "keep")
    return np.asarray(np.isin(table.status, [Status.OK, *unforeseen]))


def _placed(table: EventTable) -> Ints:
    """Return the number of each event among the placed ones, (N,), -1 where there is none."""
    out = np.full(len(table.status), -1, dtype=np.int64)
    out[table.rows] = np.arange(len(table.rows))
    duplicate = table.status == Status.DUPLICATE
    out[duplicate] = out[table.duplicate_of[duplicate]]
    return out


def _lines(
    rerun: Rerun, sample: StudySample, spans: Mapping[str | None, tuple[int, int]], ticker: np.ndarray,
    benchmark: np.ndarray,
) -> Lines:  # fmt: skip
    """Return what is estimated before every session of the tickers (n,); without a benchmark beta is NaN."""
    choices, bars = rerun.choices, rerun.prices.bars
    calendar = np.array([calendar_name(bars[name].mic) for name in ticker], dtype=object)
    pairs, panel = distinct_pairs(calendar, benchmark)
    asset, parts = np.empty(len(ticker), dtype=np.int64), []
    prices = convert_prices(rerun.prices, choices.currency).prices  # type: ignore[arg-type]
    for k, (name, index) in enumerate(pairs):
        columns = () if index is None else (Column("benchmark"),)
        rules = SeriesRules("return", choices.returns, choices.gaps, "close", columns, choices.contradictory)
        asset[panel == k], names = pd.factorize(ticker[panel == k])
        market = Market(prices, sample.calendars, {}, rules)
        made = plan_panel(market, sample.calendars[name], list(names), index, np.array(spans[name])).build()
        x = np.zeros(made.r.shape) if index is None else made.x[..., 0]
        parts.append(estimation_lines(made.r, made.ok, x, choices.estimation, choices.min_estimation))
    beta, sigma, deviation = zip(*parts, strict=True)
    return Lines(panel, asset, beta, sigma, deviation)


class _Market(NamedTuple):
    """The first fields of a desk after its rows."""

    points: Points
    quoted: Floats
    traded: Floats
    dates: Dates
    opens: Bools


def _market(
    rerun: Rerun, by_name: Mapping[str | None, Calendar], tickers: Sequence[str], currency: str | None
) -> _Market:
    """Return the points of the tickers on their calendars."""
    all_bars = [rerun.prices.bars[name] for name in tickers]
    calendars = [by_name[calendar_name(bars.mic)] for bars in all_bars]
    dates = np.unique(np.concatenate([_local_dates(calendar) for calendar in by_name.values()]))
    n_points = 2 * max(len(calendar.dates) for calendar in calendars)
    shape = (len(tickers), n_points)
    price, quoted, traded = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    instant, date = np.full(shape, NEVER), np.full(shape, len(dates) - 1, dtype=np.int64)
    marks, opens = np.full((len(tickers), len(dates)), np.nan), np.zeros(len(tickers), dtype=bool)
    for row, (bars, calendar) in enumerate(zip(all_bars, calendars, strict=True)):
        n = 2 * len(calendar.dates)
        day = _local_dates(calendar)
        rate = _rates(rerun, bars, currency, calendar)
        for field, at in (("open", 0), ("close", 1)):
            level = counted_level(bars, field, rerun.choices.contradictory)
            if field == "open" and is_coarser(bars, calendar):
                continue  # nobody knows on which session it was
            price[row, at:n:2] = reindex(bars, level, calendar) * rate[at]
            quoted[row, at:n:2] = reindex(bars, quoted_price(bars, field), calendar)
        volume = bars.fields.get("volume", np.full(len(bars.dates), np.nan)) * quoted_price(bars)
        traded[row, 0:n:2] = traded[row, 1:n:2] = reindex(bars, volume, calendar) * rate[1]
        opens[row] = np.isfinite(price[row, 0:n:2]).any()
        instant[row, 0:n:2], instant[row, 1:n:2] = instants(calendar)
        date[row, :n] = np.repeat(np.clip(np.searchsorted(dates, day), 0, len(dates) - 1), 2)
        seen = np.flatnonzero(np.isfinite(price[row]))
        last = np.searchsorted(date[row, seen], np.arange(len(dates)), side="right") - 1
        marks[row] = np.where(last >= 0, price[row, seen[np.maximum(last, 0)]] if len(seen) else np.nan, np.nan)
    points = Points(price, instant, date, marks, dates.astype(np.int64))
    return _Market(points, quoted, traded, dates, opens)


def _spans(rerun: Rerun, sample: StudySample, tickers: Sequence[str]) -> dict[str | None, tuple[int, int]]:
    """Return, by calendar, the positions of the first and the last price of the tickers."""
    spans: dict[str | None, tuple[int, int]] = {}
    for bars in (rerun.prices.bars[name] for name in tickers):
        name = calendar_name(bars.mic)
        dates = sample.calendars[name].dates
        first, last = np.searchsorted(dates, [bars.dates[0], bars.dates[-1]])
        low, high = spans.get(name, (first, last))
        spans[name] = min(low, int(first)), min(max(high, int(last)), len(dates) - 1)
    return spans


def _part(whole: Calendar, first: int, last: int) -> Calendar:
    """Return the sessions of a calendar from one to another."""
    closes = None if whole.closes is None else whole.closes[first : last + 1]
    return replace(whole, dates=whole.dates[first : last + 1], closes=closes)


def _local_dates(calendar: Calendar) -> Dates:
    """Return the day of each session, or of each bar at its exchange."""
    if not calendar.intraday:
        return calendar.dates
    return markets.wall(calendar.name, calendar.dates).astype("datetime64[D]")


def _rates(
    rerun: Rerun, bars: BarsView, currency: str | None, calendar: Calendar
) -> tuple[Floats | float, Floats | float]:
    """Return the exchange rates of opens, of the row before, and of closes; NaN after a week without one."""
    if currency is None:
        return 1.0, 1.0
    if bars.currency is None:
        ticker = bars.ticker  # type: ignore[attr-defined]
        raise InputError(f"currency is {currency!r}, and that of {ticker} is not known; name it in the prices")
    code, unit = MINOR.get(bars.currency, (bars.currency, 1.0))
    if code == currency:
        return unit, unit
    rate = latest_rate(rerun.prices, code, currency, OLDEST_RATE)
    return unit * rate(before_opens(calendar, bars.step)), unit * rate(calendar.dates)


def _known(events: pd.DataFrame, asset: Ints, calendars: Sequence[Calendar]) -> Dates:
    """Return the latest instant (UTC) at which each event became public.

    The time stamp, or the bound ``not_after``; of an event known by its date alone the end of that date, at the
    exchange and in its own time zone. A phase narrows it: before the opening, or during the session.
    """
    stamp = events["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    date = events["date"].to_numpy().astype("datetime64[D]")
    empty = np.full(len(events), "", dtype=object)
    phase = events["phase"].to_numpy(dtype=object) if "phase" in events else empty
    own_zone = events["timezone"].to_numpy(dtype=object) if "timezone" in events else empty
    last = bounds_of(events).last
    known = np.where(np.isnat(last), stamp, last)
    for row in range(len(events)):
        calendar = calendars[asset[row]]
        if calendar.closes is None:
            known[row] = (date[row] + DAY).astype("datetime64[ns]") - np.timedelta64(1, "ns")
        elif np.isnat(known[row]):
            known[row] = _end_of(date[row], phase[row], own_zone[row], calendar)
    return np.asarray(known)


def _end_of(day: np.datetime64, phase: object, own_zone: object, calendar: Calendar) -> object:
    """Return the end of the time in which an event of a day became public."""
    zone = ZONE if calendar.name is None else markets.zone_of(calendar.name)
    if phase == BEFORE:
        return _midnight(day, zone)
    at = int(np.searchsorted(calendar.dates, day))
    if phase == DURING and at < len(calendar.dates) and calendar.dates[at] == day and not calendar.intraday:
        return np.int64(of_days(calendar)[0][at]).astype("datetime64[ns]")
    ends = [_midnight(day + DAY, zone)]
    if phase != AFTER and isinstance(own_zone, str) and own_zone:
        ends.append(_midnight(day + DAY, own_zone))
    return max(ends) - np.timedelta64(1, "ns")


def _midnight(day: np.datetime64, zone: str) -> np.datetime64:
    stamp = pd.Timestamp(day).tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    return np.datetime64(stamp.tz_convert("UTC").tz_localize(None), "ns")
