"""What a news report quotes: the plain returns of an event's session, previous close to open, low, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.prepare import returns as rules
from eventstudy.prepare.calendar import key
from eventstudy.types import PRICE_FIELDS, Calendar, EventTable, Floats, Ints, Status


def reactions(
    event_table: EventTable, prices: Prices, calendars: Mapping[str | None, Calendar], returns: str
) -> pd.DataFrame:
    """Give the plain returns of day 0 for every event that has a session and prices, and its benchmark's.

    Parameters
    ----------
    event_table : EventTable
    prices : Prices
    calendars : mapping from name to Calendar
    returns : {"simple", "log"}

    Returns
    -------
    DataFrame
        Index ``event_id``; ticker, session, open, high, low, close, benchmark, benchmark_open, benchmark_high,
        benchmark_low, benchmark_close; decimals, NaN where a price is missing.
    """
    kept = np.isin(event_table.status, [Status.OK, Status.DUPLICATE])
    table = event_table.frame.loc[kept, ["ticker", "session", "benchmark"]]
    code, tickers = pd.factorize(table["ticker"])
    own = np.empty(len(tickers), dtype=object)
    own[:] = [key(prices.bars[name].mic) for name in tickers]
    kinds = list(dict.fromkeys(own))
    kind = np.array([kinds.index(name) for name in own], dtype=np.int64)[code]
    session = table["session"].to_numpy()
    parts = {}
    for prefix, column in (("", "ticker"), ("benchmark_", "benchmark")):
        values: dict[str, Floats] = {price: np.full(len(table), np.nan) for price in PRICE_FIELDS}
        for name, at, mine in _by_name(table[column], kind, len(kinds), prices):
            calendar = kinds[at]
            sessions = session[mine].astype(calendars[calendar].dates.dtype)
            for price, moves in _moves(name, prices, calendars, calendar, sessions, returns).items():
                values[price][mine] = moves
        parts[prefix] = {f"{prefix}{price}": values[price] for price in ("open", "high", "low", "close")}
    its, other = ({name: table[name] for name in some} for some in (("ticker", "session"), ("benchmark",)))
    returned = pd.DataFrame({**its, **parts[""], **other, **parts["benchmark_"]}, index=table.index, copy=False)
    returned["session"] = event_table.at_the_exchange(returned["session"])
    return returned


def _by_name(names: pd.Series[Any], kind: Ints, n_kinds: int, prices: Prices) -> Iterator[tuple[str, int, Ints]]:
    """Give the rows of each ticker and calendar, in the order in which a store has them; None has no rows."""
    code, each = pd.factorize(names)
    place = {name: at for at, name in enumerate(prices.bars)}
    rank = np.array([*(place[name] for name in each), -1], dtype=np.int64)[code] * n_kinds + kind
    order = np.argsort(rank, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(rank[order])) + 1):
        if len(rows) and code[rows[0]] >= 0:
            yield str(each[code[rows[0]]]), int(kind[rows[0]]), rows


def _moves(
    name: str,
    prices: Prices,
    calendars: Mapping[str | None, Calendar],
    calendar: str | None,
    sessions: np.ndarray,
    returns: str,
) -> dict[str, np.ndarray]:
    """Give a ticker's returns on sessions of a calendar, its own or another's, to each of its prices."""
    bars, target = prices.bars[name], calendars[calendar]
    home = calendars[key(bars.mic)]
    at = np.searchsorted(target.dates, sessions)
    rows = np.concatenate([np.maximum(at - 1, 0), at])
    cut = Calendar(target.name, target.dates[rows], None if target.closes is None else target.closes[rows])

    def laid(values: Floats) -> Floats:
        if home.name == target.name:
            its: Floats = rules.lay(bars, values, target)[rows]
            return its
        return rules.carried(bars, values, home, cut)

    closes = laid(rules.adjusted(bars))
    found: dict[str, np.ndarray] = {}
    for price in (price for price in PRICE_FIELDS if price in bars.fields):
        now = closes if price == "close" else laid(rules.field(bars, price))
        ratio = now[len(at) :] / closes[: len(at)]
        found[price] = np.asarray(np.log(ratio) if returns == "log" else ratio - 1.0)
    return found
