"""Assign each event its calendar, session and benchmark, or exclude it with a status and a reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Prices
from eventstudy.errors import AlignmentError, did_you_mean
from eventstudy.prepare.calendar import calendar_name, place
from eventstudy.prepare.intraday import format_session
from eventstudy.prepare.outcomes import is_return, level_of
from eventstudy.types import Bools, Calendar, Floats, Ints, Status

MOST_COMPARED = 100_000  # pairs of an unknown and a known ticker whose spelling is compared
Calendars = Mapping[str | None, Calendar]


class Attrition:
    """Status and reason of each event; the first exclusion counts."""

    def __init__(self, n: int) -> None:
        self.status = np.full(n, Status.OK, dtype=np.int64)
        self.reason = np.full(n, "", dtype=object)

    @property
    def ok(self) -> Bools:
        """Whether each event, (N,), is still included."""
        return np.asarray(self.status == Status.OK)

    def exclude(self, mask: Bools, status: Status, reason: object) -> None:
        """Exclude the events of a mask (N,), with a status and an array of reasons (N,) or one reason for all."""
        excluded = mask & self.ok
        self.status[excluded] = status
        self.reason[excluded] = np.broadcast_to(np.asarray(reason, dtype=object), excluded.shape)[excluded]

    def exclude_rows(self, rows: Ints, status: Status, reasons: Sequence[str]) -> None:
        """Exclude the events of the rows (n,), with a status and a reason for each row."""
        mask, text = np.zeros(len(self.status), dtype=bool), np.full(len(self.status), "", dtype=object)
        mask[rows], text[rows] = True, reasons
        self.exclude(mask, status, text)


def find_calendars(frame: pd.DataFrame, prices: Prices, attrition: Attrition) -> np.ndarray:
    """Return the name of the calendar of each event's ticker; exclude events whose ticker has no prices."""
    code, names = pd.factorize(frame["ticker"])
    known = np.array([name in prices.bars for name in names], dtype=bool)
    attrition.exclude(~known[code], Status.UNKNOWN_TICKER, _take_texts(_why_no_prices(names, prices), code))
    return _take_texts(
        [calendar_name(prices.bars[n].mic) if k else None for n, k in zip(names, known, strict=True)], code
    )


def intern_texts(column: pd.Series) -> np.ndarray:
    """Return a column of text as objects (N,), with one object for equal texts, to save memory with many events."""
    code, names = pd.factorize(column.to_numpy(dtype=object))
    return _take_texts(list(names), code)


def _take_texts(values: Sequence[str | None], code: Ints) -> np.ndarray:
    """Return the value of each code, (N,), as objects that share memory."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out[code] if len(values) else np.empty(len(code), dtype=object)


def firm_of_tickers(*frames: pd.DataFrame) -> dict[str, str]:
    """Return the firm of each ticker: the first entry for it in the column ``firm`` of the events."""
    firm_of: dict[str, str] = {}
    for frame in frames:
        if "firm" in frame:
            firms = _firms(frame["firm"])
            for ticker, firm in zip(frame["ticker"], firms, strict=True):
                if firm:
                    firm_of.setdefault(ticker, firm)
    return firm_of


def _firms(column: pd.Series) -> np.ndarray:
    """Return the names of firms as texts, "" where missing; a number has one text whether the column is of floats."""

    def name(value: object) -> str:
        whole = isinstance(value, float) and value.is_integer()
        return str(int(value) if whole else value).strip()  # type: ignore[call-overload]

    code, values = pd.factorize(column.astype(object))
    return np.array([*map(name, values), ""], dtype=object)[code]


def firm_names(frame: pd.DataFrame, firm_of: Mapping[str, str]) -> np.ndarray:
    """Return the firm of each event (N,): its entry in the column ``firm``, else its ticker's firm, else the ticker."""
    code, names = pd.factorize(frame["ticker"])
    by_ticker = _take_texts([firm_of.get(name, name) for name in names], code)
    if "firm" not in frame:
        return by_ticker
    firms = _firms(frame["firm"])
    return np.where(firms != "", firms, by_ticker)


def _why_no_prices(tickers: Iterable[object], prices: Prices) -> list[str]:
    """Return the reason why each ticker has no prices, with the one that is probably meant; empty if it has prices."""
    tickers = list(tickers)
    unknown = [ticker for ticker in tickers if ticker not in prices.bars]
    few = len(unknown) * len(prices.tickers) <= MOST_COMPARED
    alike: dict[str, list[str]] = {}
    for name in prices.tickers if unknown else ():
        alike.setdefault(_stem(name), []).append(name)
    reasons = {}
    for ticker in map(str, unknown):
        near = " or ".join(alike.get(_stem(ticker), [])[:3])
        hint = f"; did you mean {near}?" if near else did_you_mean(ticker, prices.tickers if few else ())
        reason = f"there are no prices of {ticker}{hint}"
        reasons[ticker] = prices.problems.get(ticker, reason)
    return [reasons.get(str(ticker), "") for ticker in tickers]


def _stem(ticker: str) -> str:
    """Return what tickers written for the same security have in common: 700, 0700.HK, 00700.HK."""
    return ticker.partition(".")[0].lstrip("0^")


def find_benchmarks(
    frame: pd.DataFrame,
    calendar: np.ndarray,
    prices: Prices,
    option: str | Mapping[str, str] | None,
    attrition: Attrition,
) -> np.ndarray:
    """Return each event's benchmark; exclude events whose benchmark has no prices.

    Parameters
    ----------
    frame : DataFrame
        ``Events.frame``.
    calendar : object array (N,)
    prices : Prices
    option : str, mapping or None
        A column of the events, a ticker, or a mapping from tickers or MICs to tickers; ``Study(benchmark=...)``.
    attrition : Attrition

    Raises
    ------
    AlignmentError
        If no benchmark is named, or the benchmark of all events has no prices.
    """
    benchmark = np.full(len(frame), None, dtype=object)
    if option is None:
        raise AlignmentError("the model needs a benchmark and none was named; give Study(benchmark=...) a ticker")
    if isinstance(option, str) and option in frame.columns:
        benchmark[:] = frame[option].to_numpy(dtype=object)
    elif isinstance(option, str):
        if option not in prices.bars:
            (reason,) = _why_no_prices([option], prices)
            raise AlignmentError(f"the benchmark: {reason}; there are prices of {', '.join(prices.bars)}")
        benchmark[:] = option
    else:
        ticker_code, tickers = pd.factorize(frame["ticker"].to_numpy(dtype=object))
        benchmark[:] = _take_texts([_look_up(option, ticker, prices) for ticker in tickers], ticker_code)
    code, names = pd.factorize(benchmark, use_na_sentinel=False)
    named = np.array([isinstance(name, str) and name != "" for name in names], dtype=bool)[code]
    own_code, unnamed = pd.factorize(frame["ticker"].to_numpy(dtype=object)[~named])
    why = _take_texts(_why_no_benchmark(option, unnamed, prices), own_code).tolist()
    attrition.exclude_rows(np.flatnonzero(~named), Status.NO_BENCHMARK, why)
    without_prices = np.array([name not in prices.bars for name in names], dtype=bool)
    reasons = [f"benchmark: {reason}" for reason in _why_no_prices(names, prices)]
    attrition.exclude(without_prices[code], Status.NO_BENCHMARK, _take_texts(reasons, code))
    return benchmark


def exclude_without_outcome(benchmark: np.ndarray, prices: Prices, outcome: str, attrition: Attrition) -> None:
    """Exclude the events whose benchmark lacks the outcome altogether, such as an index without volume."""
    for name in dict.fromkeys(benchmark[attrition.ok]):
        if not np.isfinite(level_of(prices.bars[name], outcome)).any():
            attrition.exclude(benchmark == name, Status.NO_BENCHMARK, f"its benchmark {name} has no {outcome} at all")


def _look_up(benchmarks: Mapping[str, str], ticker: str, prices: Prices) -> str | None:
    """Look up a benchmark by ticker, then by the ticker's exchange, then by the MIC whose sessions that market shares.

    An exchange has several names, such as NYSE and XNYS; a key that is a ticker of the prices names no exchange.
    """
    mic = prices.bars[ticker].mic if ticker in prices.bars else None
    if ticker in benchmarks or mic is None:
        return benchmarks.get(ticker)
    by_exchange = {markets.NAMES.get(key, key): name for key, name in benchmarks.items() if key not in prices.bars}
    own = by_exchange.get(markets.NAMES.get(mic, mic), by_exchange.get(markets.calendar_of(mic)))
    return benchmarks.get(mic, own)


def _why_no_benchmark(option: str | Mapping[str, str], tickers: Iterable[str], prices: Prices) -> list[str]:
    """Return why each ticker has no benchmark, with its exchange and the keys that the mapping has."""
    if isinstance(option, str):
        return ["no benchmark is named for it" for _ in tickers]
    keys = ", ".join([*option][:8]) + (", ..." if len(option) > 8 else "")
    mics = [prices.bars[ticker].mic if ticker in prices.bars else None for ticker in tickers]
    places = [f"its exchange is {mic}" if mic else "its exchange is not known" for mic in mics]
    return [f"no benchmark is named for it: {place}, and benchmark names {keys}" for place in places]


def place_events(
    frame: pd.DataFrame, calendar: np.ndarray, calendars: Calendars, on_closed: str, attrition: Attrition
) -> tuple[Ints, np.ndarray]:
    """Return the position of each event's session in its calendar and the rule applied; exclude events without one."""
    known = attrition.ok
    position = np.full(len(frame), -1, dtype=np.int64)
    placement = np.full(len(frame), "", dtype=object)
    status = np.full(len(frame), Status.OK, dtype=np.int64)
    for name in dict.fromkeys(calendar[known]):
        on_calendar = known & (calendar == name)
        placed = place(frame[on_calendar], calendars[name], on_closed)
        position[on_calendar], placement[on_calendar], status[on_calendar] = placed
    for code in (Status.OUTSIDE_CALENDAR, Status.CLOSED):
        attrition.exclude(status == code, code, placement)
    return position, placement


def sessions_at(position: Ints, calendar: np.ndarray, calendars: Calendars) -> np.ndarray:
    """Return the date of each event's session, or the start of its bar in UTC; NaT if it has none."""
    dtype = next((sessions.dates.dtype for sessions in calendars.values()), np.dtype("datetime64[D]"))
    session = np.full(len(position), "NaT", dtype=dtype)
    for name, sessions in calendars.items():
        on_calendar = (position >= 0) & (calendar == name)
        session[on_calendar] = sessions.dates[position[on_calendar]]
    return session


def exclude_outside_prices(
    ticker: np.ndarray, session: np.ndarray, prices: Prices, outcome: str, attrition: Attrition
) -> None:
    """Exclude the events before the first or after the last price of their ticker, or before or after its outcome."""
    what = "price" if is_return(outcome) else outcome
    not_a_time = session.dtype.type("NaT", np.datetime_data(session.dtype)[0])
    ok = attrition.ok
    code, names = pd.factorize(ticker)
    number = dict(zip(names, range(len(names)), strict=True))
    needed = set(names[np.unique(code[ok])])
    edges = np.full((len(names), 2), not_a_time)
    for name in (name for name in prices.bars if name in needed):  # in the order of a store
        bars = prices.bars[name]
        if what == "price":
            edges[number[name]] = bars.first, bars.last
            continue
        known = bars.dates[np.isfinite(level_of(bars, what))]
        edges[number[name]] = (known[0], known[-1]) if len(known) else (not_a_time, not_a_time)
    first, last = edges[code].T
    attrition.exclude(np.isnat(first), Status.NO_PRICE, f"it has no {what} at all")
    for edge, outside, name, side in (
        (first, session < first, "first", "after"),
        (last, session > last, "last", "before"),
    ):
        rows = np.flatnonzero(outside & ok)
        days = [format_session(calendar_name(prices.bars[ticker[row]].mic), edge[row]) for row in rows]
        attrition.exclude_rows(
            rows, Status.NO_PRICE, [f"its {name} {what} is on {day}, {side} the event" for day in days]
        )


def exclude_without_rate(
    ticker: np.ndarray, session: np.ndarray, dates_without_rate: Mapping[str, np.ndarray], attrition: Attrition
) -> None:
    """Exclude the events on whose session the price cannot be converted to the study's currency."""
    for name, dates in dates_without_rate.items():
        rows = np.flatnonzero((ticker == name) & np.isin(session, dates))
        attrition.exclude_rows(rows, Status.NO_FX, [f"no exchange rate on {day}" for day in session[rows]])


def exclude_duplicates(frame: pd.DataFrame, ticker: np.ndarray, session: np.ndarray, attrition: Attrition) -> Ints:
    """Exclude all but one event of a ticker in a session; return the row that each event duplicates, (N,).

    The one that is counted has the lowest ``priority``, or is the first in the order of the events. The row is the
    event's own if it duplicates none.
    """
    duplicate_of = np.arange(len(frame))
    priority = _priorities(frame)
    ok = np.flatnonzero(attrition.ok)
    ok = ok[np.argsort(priority[ok], kind="stable")]  # NaN, no priority, last
    day, names = pd.factorize(session[ok], sort=False)
    code = pd.factorize(pd.factorize(ticker[ok])[0] * (len(names) + 1) + day)[0]
    first = np.empty(len(ok), dtype=np.int64)
    first[code[::-1]] = ok[::-1]  # of repeated indices the last assignment counts: the row that comes first
    duplicate_of[ok] = first[code]
    duplicates = np.flatnonzero(duplicate_of != np.arange(len(frame)))
    counted = duplicate_of[duplicates]
    names_counted = frame.index.to_numpy()[counted]
    reasons = [
        _why_duplicate(name, own, other)
        for name, own, other in zip(
            names_counted, priority[duplicates].tolist(), priority[counted].tolist(), strict=True
        )
    ]
    attrition.exclude_rows(duplicates, Status.DUPLICATE, reasons)
    return duplicate_of


def _priorities(frame: pd.DataFrame) -> Floats:
    """Return the priority of each event, (N,); NaN without one."""
    if "priority" not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame["priority"], errors="coerce"), dtype=np.float64)


def _why_duplicate(counted: object, own: float, priority: float) -> str:
    """Return the reason of a duplicate, with its own priority and that of the counted event if they decided."""
    reason = f"same ticker and session as {counted}, which is counted"
    if math.isnan(priority) or own <= priority:
        return reason
    return f"{reason} (priority {priority:g} before {'no priority' if math.isnan(own) else f'{own:g}'})"


def distinct_pairs(first: np.ndarray, second: np.ndarray) -> tuple[list[tuple[str | None, str | None]], Ints]:
    """Return the distinct pairs of values of two columns (N,), and the number of each row's pair, (N,)."""
    (first_code, first_names), (second_code, second_names) = (pd.factorize(column) for column in (first, second))
    firsts, seconds = [None, *first_names], [None, *second_names]  # the code of None is -1
    pair, numbers = pd.factorize((first_code + 1) * len(seconds) + second_code + 1)
    codes = [divmod(int(number), len(seconds)) for number in numbers]
    return [(firsts[a], seconds[b]) for a, b in codes], pair.astype(np.int64)
