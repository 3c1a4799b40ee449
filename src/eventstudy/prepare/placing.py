"""Where each event falls: its calendar, session and benchmark; or why it falls nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.errors import AlignmentError
from eventstudy.prepare.calendar import key, place
from eventstudy.prepare.intraday import written
from eventstudy.prepare.outcomes import is_return, level_of
from eventstudy.types import Bools, Calendar, Ints, Status

Calendars = Mapping[str | None, Calendar]


class Attrition:
    """Status and reason by event; the first loss stands."""

    def __init__(self, n: int) -> None:
        self.status = np.full(n, Status.OK, dtype=np.int64)
        self.reason = np.full(n, "", dtype=object)

    @property
    def ok(self) -> Bools:
        """Whether an event can be used so far."""
        return np.asarray(self.status == Status.OK)

    def lose(self, where: Bools, status: Status, reason: object) -> None:
        """Give the events of a mask a status and a reason each, or one for all."""
        fresh = where & self.ok
        self.status[fresh] = status
        self.reason[fresh] = np.broadcast_to(np.asarray(reason, dtype=object), fresh.shape)[fresh]

    def lose_rows(self, rows: Ints, status: Status, reasons: Sequence[str]) -> None:
        """Give the events of some rows a status and a reason each."""
        mask, text = np.zeros(len(self.status), dtype=bool), np.full(len(self.status), "", dtype=object)
        mask[rows], text[rows] = True, reasons
        self.lose(mask, status, text)


def calendars_of(frame: pd.DataFrame, prices: Prices, attrition: Attrition) -> np.ndarray:
    """Give the calendar of each event's ticker; an event whose ticker has no prices is lost."""
    code, names = pd.factorize(frame["ticker"])
    known = np.array([name in prices.bars for name in names], dtype=bool)
    attrition.lose(~known[code], Status.UNKNOWN_TICKER, _each([_absent(name, prices) for name in names], code))
    return _each([key(prices.bars[n].mic) if k else None for n, k in zip(names, known, strict=True)], code)


def shared_texts(column: pd.Series[Any]) -> np.ndarray:
    """Give a column of text as objects (N,), equal texts as one object: a million events have some thousand tickers."""
    code, names = pd.factorize(column.to_numpy(dtype=object))
    return _each(list(names), code)


def _each(values: Sequence[str | None], code: Ints) -> np.ndarray:
    """Give each event (N,) the value of its number; the texts exist once."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out[code] if len(values) else np.empty(len(code), dtype=object)


def firm_of_tickers(*frames: pd.DataFrame) -> dict[str, str]:
    """Give the firm of each ticker, as the column ``firm`` of some events first names it."""
    found: dict[str, str] = {}
    for frame in frames:
        if "firm" in frame:
            named = frame["firm"].fillna("").astype(str).str.strip()
            for ticker, firm in zip(frame["ticker"], named, strict=True):
                if firm:
                    found.setdefault(ticker, firm)
    return found


def firm_names(frame: pd.DataFrame, firm_of: Mapping[str, str]) -> np.ndarray:
    """Give the firm of each event (N,): that of its own cell, else of its ticker, else the ticker."""
    code, names = pd.factorize(frame["ticker"])
    by_ticker = _each([firm_of.get(name, name) for name in names], code)
    if "firm" not in frame:
        return by_ticker
    named = frame["firm"].fillna("").astype(str).str.strip().to_numpy(dtype=object)
    return np.where(named != "", named, by_ticker)


def _absent(ticker: str, prices: Prices) -> str:
    return prices.problems.get(ticker, f"there are no prices of {ticker}")


def benchmarks(
    frame: pd.DataFrame,
    calendar: np.ndarray,
    prices: Prices,
    given: str | Mapping[str, str] | None,
    attrition: Attrition,
) -> np.ndarray:
    """Give each event's benchmark; an event whose benchmark has no prices is lost, and all are an error."""
    found = np.full(len(frame), None, dtype=object)
    if given is None:
        raise AlignmentError("the model needs a benchmark and none was named; give Study(benchmark=...) a ticker")
    if isinstance(given, str) and given in frame.columns:
        found[:] = frame[given].to_numpy(dtype=object)
    elif isinstance(given, str):
        if given not in prices.bars:
            raise AlignmentError(f"benchmark {_absent(given, prices)}; there are prices of {', '.join(prices.bars)}")
        found[:] = given
    else:
        own, names = pd.factorize(frame["ticker"].to_numpy(dtype=object))
        found[:] = _each([_named(given, name, prices) for name in names], own)
    code, each = pd.factorize(found, use_na_sentinel=False)
    lost = np.array([name not in prices.bars for name in each], dtype=bool)
    reasons = [
        f"benchmark: {_absent(name, prices)}" if isinstance(name, str) and name else "no benchmark is named for it"
        for name in each
    ]
    attrition.lose(lost[code], Status.NO_BENCHMARK, _each(reasons, code))
    return found


def with_outcome(benchmark: np.ndarray, prices: Prices, outcome: str, attrition: Attrition) -> None:
    """Lose the events whose benchmark has nothing of what is studied, as an index without volume."""
    for name in dict.fromkeys(benchmark[attrition.ok]):
        if not np.isfinite(level_of(prices.bars[name], outcome)).any():
            attrition.lose(benchmark == name, Status.NO_BENCHMARK, f"its benchmark {name} has no {outcome} at all")


def _named(given: Mapping[str, str], ticker: str, prices: Prices) -> str | None:
    """Look a benchmark up by ticker, by the ticker's MIC, then by the MIC whose sessions it keeps."""
    mic = prices.bars[ticker].mic if ticker in prices.bars else None
    return given.get(ticker, given.get(str(mic), given.get(str(key(mic)))))


def placed_by(
    frame: pd.DataFrame, calendar: np.ndarray, calendars: Calendars, on_closed: str, attrition: Attrition
) -> tuple[Ints, np.ndarray]:
    """Give the position of each event's session in its calendar and why; an event without one is lost."""
    known = attrition.ok
    position = np.full(len(frame), -1, dtype=np.int64)
    placement = np.full(len(frame), "", dtype=object)
    for name in dict.fromkeys(calendar[known]):
        mine = known & (calendar == name)
        position[mine], placement[mine] = place(frame[mine], calendars[name], on_closed)
    nowhere = known & (position < 0)
    outside = np.zeros(len(frame), dtype=bool)
    outside[nowhere] = [text.startswith("outside") for text in placement[nowhere]]
    attrition.lose(nowhere & outside, Status.OUTSIDE_CALENDAR, placement)
    attrition.lose(nowhere & ~outside, Status.CLOSED, placement)
    return position, placement


def sessions_at(position: Ints, calendar: np.ndarray, calendars: Calendars) -> np.ndarray:
    """Give the date of each event's session, or the start of its bar in UTC; NaT where it has none."""
    kind = next((its.dates.dtype for its in calendars.values()), np.dtype("datetime64[D]"))
    session = np.full(len(position), np.datetime64("NaT"), dtype=kind)
    for name, its in calendars.items():
        mine = (position >= 0) & (calendar == name)
        session[mine] = its.dates[position[mine]]
    return session


def within_prices(ticker: np.ndarray, session: np.ndarray, prices: Prices, outcome: str, attrition: Attrition) -> None:
    """Lose the events that lie before a ticker's first price, or other outcome, or after its last."""
    what = "price" if is_return(outcome) else outcome
    never = session.dtype.type("NaT", np.datetime_data(session.dtype)[0])
    ok = attrition.ok
    code, names = pd.factorize(ticker)
    number = dict(zip(names, range(len(names)), strict=True))
    needed = set(names[np.unique(code[ok])])
    edges = np.full((len(names), 2), never)
    for name in (name for name in prices.bars if name in needed):  # in the order of a store
        bars = prices.bars[name]
        if what == "price":
            edges[number[name]] = bars.first, bars.last
            continue
        seen = bars.dates[np.isfinite(level_of(bars, what))]
        edges[number[name]] = (seen[0], seen[-1]) if len(seen) else (never, never)
    first, last = edges[code].T
    attrition.lose(np.isnat(first), Status.NO_PRICE, f"it has no {what} at all")
    for edge, out, name, side in ((first, session < first, "first", "after"), (last, session > last, "last", "before")):
        rows = np.flatnonzero(out & ok)
        days = [written(key(prices.bars[ticker[row]].mic), edge[row]) for row in rows]
        attrition.lose_rows(rows, Status.NO_PRICE, [f"its {name} {what} is of {day}, {side} the event" for day in days])


def within_rates(
    ticker: np.ndarray, session: np.ndarray, lacking: Mapping[str, np.ndarray], attrition: Attrition
) -> None:
    """Lose the events on whose session a price cannot be expressed in the study's currency."""
    for name, dates in lacking.items():
        rows = np.flatnonzero((ticker == name) & np.isin(session, dates))
        attrition.lose_rows(rows, Status.NO_FX, [f"no exchange rate on {day}" for day in session[rows]])


def duplicates_of(frame: pd.DataFrame, ticker: np.ndarray, session: np.ndarray, attrition: Attrition) -> Ints:
    """Lose all but the first event of a ticker in a session; give the row that each event repeats."""
    duplicate_of = np.arange(len(frame))
    ok = np.flatnonzero(attrition.ok)
    day, names = pd.factorize(session[ok], sort=False)
    code = pd.factorize(pd.factorize(ticker[ok])[0] * (len(names) + 1) + day)[0]
    first = np.empty(len(ok), dtype=np.int64)
    first[code[::-1]] = ok[::-1]  # of equal places the last that is written stands, the first row
    duplicate_of[ok] = first[code]
    again = np.flatnonzero(duplicate_of != np.arange(len(frame)))
    reasons = [f"same ticker and session as {frame.index[t]}, which is counted" for t in duplicate_of[again]]
    attrition.lose_rows(again, Status.DUPLICATE, reasons)
    return duplicate_of
