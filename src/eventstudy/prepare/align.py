"""Labels and dates to panels and placed events, with a status and a reason for every event.

Nothing is estimated here, and nothing is lost: an event that cannot be used keeps its row in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Prices
from eventstudy.errors import AlignmentError, InputError, one_of
from eventstudy.prepare.calendar import Calendar, key, observed, place
from eventstudy.prepare.panels import Choices, Market, panel, read_factors
from eventstudy.types import Bools, Ints, Panel, Placed, Roll, Sample, Status


@dataclass(frozen=True)
class Prepared:
    """What a run needs: every event that was given, and those that can be used as integers in panels."""

    roll: Roll
    panels: Sequence[Panel]
    placed: Placed
    sample: Sample
    calendars: Mapping[str | None, Calendar]
    notes: tuple[str, ...]


class _Fate:
    """Status and reason by event; the first loss stands."""

    def __init__(self, n: int) -> None:
        self.status = np.full(n, Status.OK, dtype=np.int64)
        self.reason = np.full(n, "", dtype=object)

    @property
    def ok(self) -> Bools:
        return np.asarray(self.status == Status.OK)

    def lose(self, where: Bools, status: Status, reason: object) -> None:
        fresh = where & self.ok
        self.status[fresh] = status
        self.reason[fresh] = np.broadcast_to(np.asarray(reason, dtype=object), fresh.shape)[fresh]


def prepare(frame: pd.DataFrame, prices: Prices, choices: Choices, factors: pd.DataFrame | None = None) -> Prepared:
    """Place events on sessions, find their benchmarks, and build one panel for each calendar and benchmark.

    Parameters
    ----------
    frame : DataFrame
        ``Events.frame``.
    prices : Prices
    choices : Choices
    factors : DataFrame, optional
        Decimal factor returns, dates by names.

    Raises
    ------
    InputError
        When a choice is not valid, or a regressor is neither a factor nor a ticker.
    AlignmentError
        When the one benchmark has no prices, or a date has no session and the policy is "raise".
    """
    fate = _Fate(len(frame))
    ticker = frame["ticker"].to_numpy(dtype=object)
    market = _market(prices, read_factors(factors))
    _check_columns(market, choices)
    if not any(choices.price in bars.fields for bars in prices.bars.values()):
        raise InputError(f"price is {choices.price!r}, and no security has that field; read prices that have it")
    known = np.array([name in prices.bars for name in ticker], dtype=bool)
    fate.lose(~known, Status.UNKNOWN_TICKER, [_absent(name, prices) for name in ticker])
    calendar = np.array([key(prices.bars[n].mic) if k else None for n, k in zip(ticker, known, strict=True)], object)
    benchmark = _benchmarks(frame, calendar, prices, choices, fate)
    position, placement = _placed(frame, known, calendar, market, choices.on_closed, fate)
    session = _sessions(position, calendar, market)
    _within_prices(ticker, session, prices, fate)
    twin = _twins(frame, ticker, session, fate)
    rows, panels, placed, sample = _panels(market, choices, ticker, calendar, benchmark, position, fate)
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
    notes = [note for c in market.calendars.values() for note in c.notes]
    notes += _cross_zone(ticker[rows], benchmark[rows], prices, choices)
    if choices.price in ("high", "low"):
        notes.append(f"day 0 is at the {choices.price}: those of security and benchmark need not be simultaneous")
    roll = Roll(table, fate.status, fate.reason, twin, rows)
    return Prepared(roll, panels, placed, sample, market.calendars, tuple(notes))


def _market(prices: Prices, factors: dict[str, tuple[np.ndarray, np.ndarray]]) -> Market:
    bars = list(prices.bars.values())
    names = {key(b.mic) for b in bars}
    calendars = {name: observed(name, [b for b in bars if key(b.mic) == name]) for name in names}
    return Market(prices, calendars, factors)


def _check_columns(market: Market, choices: Choices) -> None:
    for column in choices.columns:
        if column.name != "benchmark" and column.name not in market.factors and column.name not in market.prices.bars:
            valid = [*market.factors, *market.prices.bars]
            raise one_of("the regressor", column.name, valid)


def _absent(ticker: str, prices: Prices) -> str:
    return prices.problems.get(ticker, f"there are no prices of {ticker}")


def _benchmarks(frame: pd.DataFrame, calendar: np.ndarray, prices: Prices, choices: Choices, fate: _Fate) -> np.ndarray:
    """Give each event's benchmark; an event whose benchmark has no prices is lost, and all are an error."""
    given = choices.benchmark
    ticker = frame["ticker"].to_numpy(dtype=object)
    found = np.full(len(frame), None, dtype=object)
    if not any(column.name == "benchmark" for column in choices.columns):
        return found
    if given is None:
        raise AlignmentError("the model needs a benchmark and none was named; give Study(benchmark=...) a ticker")
    if isinstance(given, str) and given in frame.columns:
        found[:] = frame[given].to_numpy(dtype=object)
    elif isinstance(given, str):
        if given not in prices.bars:
            raise AlignmentError(f"benchmark {_absent(given, prices)}; there are prices of {', '.join(prices.bars)}")
        found[:] = given
    else:
        found[:] = [_named(given, name, prices) for name in ticker]
    lost = np.array([name not in prices.bars for name in found], dtype=bool)
    reasons = [f"benchmark: {_absent(str(name), prices)}" if name else "no benchmark is named for it" for name in found]
    fate.lose(lost, Status.NO_BENCHMARK, reasons)
    return found


def _named(given: Mapping[str, str], ticker: str, prices: Prices) -> str | None:
    """Look a benchmark up by ticker, by the ticker's MIC, then by the MIC whose sessions it keeps."""
    mic = prices.bars[ticker].mic if ticker in prices.bars else None
    return given.get(ticker, given.get(str(mic), given.get(str(key(mic)))))


def _placed(
    frame: pd.DataFrame, known: Bools, calendar: np.ndarray, market: Market, on_closed: str, fate: _Fate
) -> tuple[Ints, np.ndarray]:
    position = np.full(len(frame), -1, dtype=np.int64)
    placement = np.full(len(frame), "", dtype=object)
    for name in dict.fromkeys(calendar[known]):
        mine = known & (calendar == name)
        position[mine], placement[mine] = place(frame[mine], market.calendars[name], on_closed)
    nowhere = known & (position < 0)
    outside = np.array([text.startswith("outside") for text in placement], dtype=bool)
    fate.lose(nowhere & outside, Status.OUTSIDE_CALENDAR, placement)
    fate.lose(nowhere & ~outside, Status.CLOSED, placement)
    return position, placement


def _sessions(position: Ints, calendar: np.ndarray, market: Market) -> np.ndarray:
    session = np.full(len(position), np.datetime64("NaT"), dtype="datetime64[D]")
    for name, its in market.calendars.items():
        mine = (position >= 0) & (calendar == name)
        session[mine] = its.dates[position[mine]]
    return session


def _within_prices(ticker: np.ndarray, session: np.ndarray, prices: Prices, fate: _Fate) -> None:
    """Lose the events that lie before a ticker's first price or after its last."""
    never = np.datetime64("NaT", "D")
    first, last = np.full(len(ticker), never), np.full(len(ticker), never)
    for name in dict.fromkeys(ticker[fate.ok]):
        bars = prices.bars[name]
        seen = bars.dates[np.isfinite(bars.fields["close"])]
        mine = ticker == name
        first[mine], last[mine] = (seen[0], seen[-1]) if len(seen) else (never, never)
    fate.lose(np.isnat(first), Status.NO_PRICE, "it has no price at all")
    fate.lose(session < first, Status.NO_PRICE, [f"its first price is of {d}, after the event" for d in first])
    fate.lose(session > last, Status.NO_PRICE, [f"its last price is of {d}, before the event" for d in last])


def _twins(frame: pd.DataFrame, ticker: np.ndarray, session: np.ndarray, fate: _Fate) -> Ints:
    """Lose all but the first event of a ticker in a session; give the row that each event repeats."""
    twin = np.arange(len(frame))
    ok = np.flatnonzero(fate.ok)
    firsts = pd.Series(ok).groupby([ticker[ok], session[ok]]).transform("min").to_numpy()
    twin[ok] = firsts
    again = twin != np.arange(len(frame))
    names = frame.index.to_numpy()
    fate.lose(again, Status.DUPLICATE, [f"same ticker and session as {names[t]}, which is counted" for t in twin])
    return twin


def _panels(
    market: Market,
    choices: Choices,
    ticker: np.ndarray,
    calendar: np.ndarray,
    benchmark: np.ndarray,
    position: Ints,
    fate: _Fate,
) -> tuple[Ints, list[Panel], Placed, Sample]:
    """Build one panel for each calendar and benchmark, and express the events that are left as integers in them."""
    rows = np.flatnonzero(fate.ok)
    spec = choices.spec
    reach = np.array([spec.estimation[0], spec.event[1]])
    kinds = list(dict.fromkeys(zip(calendar[rows], benchmark[rows], strict=True)))
    kind = np.array([kinds.index(pair) for pair in zip(calendar[rows], benchmark[rows], strict=True)], dtype=np.int64)
    panels: list[Panel] = []
    asset, day = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    for at, (name, index) in enumerate(kinds):
        mine = np.flatnonzero(kind == at)
        where = position[rows[mine]]
        span = np.array([where.min(), where.max()]) + reach
        tickers, asset[mine] = np.unique(ticker[rows[mine]].astype(str), return_inverse=True)
        if choices.whole:
            span = _history(span, market, name, tickers)
        panels.append(panel(market, market.calendars[name], tickers.tolist(), index, span, choices))
        day[mine] = where - span[0]
    cluster, dates = _clusters(panels, kind, day, calendar[rows], spec.offsets)
    group = np.zeros(len(rows), dtype=np.int64)
    sample = Sample(spec, 1, np.zeros(len(dates), dtype=np.int64), dates)
    return rows, panels, Placed(kind, asset, day, cluster, group, np.ones(len(rows))), sample


def _history(span: Ints, market: Market, name: str | None, tickers: np.ndarray) -> Ints:
    """Widen a span to the first and last price of some tickers."""
    dates = np.concatenate([market.prices.bars[t].dates[[0, -1]] for t in tickers])
    first, last = np.searchsorted(market.calendars[name].dates, [dates.min(), dates.max()])
    return np.array([min(span[0], first), max(span[1], last)])


def _clusters(panels: Sequence[Panel], kind: Ints, day: Ints, calendar: np.ndarray, offsets: Ints) -> tuple[Ints, Ints]:
    """Give each event the number of its calendar and session, and each number the dates of its columns (C, L)."""
    union = np.unique(np.concatenate([p.sessions for p in panels])) if panels else np.empty(0, dtype=np.int64)
    numbers = [np.searchsorted(union, p.sessions) for p in panels]
    date = np.array([numbers[k][d] for k, d in zip(kind, day, strict=True)], dtype=np.int64)
    names, name = np.unique(calendar.astype(str), return_inverse=True)
    _, first, cluster = np.unique(date * len(names) + name, return_index=True, return_inverse=True)
    dates = [numbers[kind[e]][day[e] + offsets] for e in first]
    return cluster.astype(np.int64), np.array(dates, dtype=np.int64).reshape(len(first), len(offsets))


def _cross_zone(ticker: np.ndarray, benchmark: np.ndarray, prices: Prices, choices: Choices) -> list[str]:
    """Warn where a benchmark closes at another hour and no lead of it is in the model."""
    if any(column.shift > 0 for column in choices.columns):
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
    placed, spec = prepared.placed, prepared.sample.spec
    count = np.zeros(len(placed.day), dtype=np.int64)
    for at, its in enumerate(prepared.panels):
        mine = placed.panel == at
        running = np.concatenate([np.zeros((len(its.assets), 1), dtype=np.int64), np.cumsum(its.ok, axis=1)], axis=1)
        first = placed.day[mine] + spec.estimation[0]
        count[mine] = running[placed.asset[mine], first + spec.n_est] - running[placed.asset[mine], first]
    return count
