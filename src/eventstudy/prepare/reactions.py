"""Plain returns of an event's session, as quoted in news reports: from the previous close to open, high, low, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.returns import compute_returns, counted_level, n_unknown, reindex_as_of
from eventstudy.types import PRICE_FIELDS, Calendar, Choices, EventTable, Floats, Ints, Status


def reactions(
    event_table: EventTable, prices: Prices, calendars: Mapping[str | None, Calendar], choices: Choices
) -> pd.DataFrame:
    """Return the plain returns on day 0 of the ticker and benchmark of every event that is used or a duplicate.

    Parameters
    ----------
    event_table : EventTable
    prices : Prices
    calendars : mapping from name to Calendar
    choices : Choices
        Of these, ``contradictory``.

    Returns
    -------
    DataFrame
        Index ``event_id``; ticker, session, open, high, low, close, benchmark, benchmark_open, benchmark_high,
        benchmark_low, benchmark_close; decimals, NaN where a price is missing.
    """
    used = np.isin(event_table.status, [Status.OK, Status.DUPLICATE])
    table = event_table.frame.loc[used, ["ticker", "session", "benchmark"]]
    code, tickers = pd.factorize(table["ticker"])
    names = [calendar_name(prices.bars[ticker].mic) for ticker in tickers]
    unique_names = list(dict.fromkeys(names))
    calendar_code = np.array([unique_names.index(name) for name in names], dtype=np.int64)[code]
    session = table["session"].to_numpy()
    parts = {}
    for prefix, column in (("", "ticker"), ("benchmark_", "benchmark")):
        values: dict[str, Floats] = {price: np.full(len(table), np.nan) for price in PRICE_FIELDS}
        for ticker, number, rows in _group_rows(table[column], calendar_code, len(unique_names), prices):
            calendar = unique_names[number]
            sessions = session[rows].astype(calendars[calendar].dates.dtype)
            for price, moves in _session_returns(ticker, prices, calendars, calendar, sessions, choices).items():
                values[price][rows] = moves
        parts[prefix] = {f"{prefix}{price}": values[price] for price in ("open", "high", "low", "close")}
    columns = {"ticker": table["ticker"], "session": table["session"], **parts[""]}
    columns |= {"benchmark": table["benchmark"], **parts["benchmark_"]}
    returned = pd.DataFrame(columns, index=table.index, copy=False)
    returned["session"] = event_table.at_the_exchange(returned["session"])
    return returned


def _group_rows(
    names: pd.Series, calendar_code: Ints, n_calendars: int, prices: Prices
) -> Iterator[tuple[str, int, Ints]]:
    """Yield each ticker and calendar with their rows, in the order in which a store reads them; None has no rows."""
    code, distinct = pd.factorize(names)
    tickers = distinct.tolist()
    place = {name: at for at, name in enumerate(prices.bars)}
    rank = np.array([*(place[name] for name in tickers), -1], dtype=np.int64)[code] * n_calendars + calendar_code
    order = np.argsort(rank, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(rank[order])) + 1):
        if len(rows) and code[rows[0]] >= 0:
            yield tickers[code[rows[0]]], int(calendar_code[rows[0]]), rows


def _session_returns(
    name: str,
    prices: Prices,
    calendars: Mapping[str | None, Calendar],
    calendar: str | None,
    sessions: np.ndarray,
    choices: Choices,
) -> dict[str, np.ndarray]:
    """Return a ticker's returns to each of its prices, on sessions of its own or of another calendar."""
    bars, target = prices.bars[name], calendars[calendar]
    home = calendars[calendar_name(bars.mic)]
    at = np.searchsorted(target.dates, sessions)
    rows = np.concatenate([np.maximum(at - 1, 0), at])
    selected = Calendar(target.name, target.dates[rows], None if target.closes is None else target.closes[rows])
    row = np.minimum(np.searchsorted(bars.dates, selected.dates), len(bars.dates) - 1)
    listed = bars.dates[row] == selected.dates

    def align(values: Floats) -> Floats:
        if home.name == target.name:
            aligned: Floats = np.where(listed, values[row], np.nan)
        else:
            aligned = reindex_as_of(bars, values, home, selected)
        return aligned.reshape(2, len(at)).T  # the session before, and the session

    close, unknown = align(counted_level(bars, "close", choices.contradictory)), None
    if "return" in bars.fields:
        unknown = align(n_unknown(bars, home.dates, choices.contradictory))
    moves: dict[str, np.ndarray] = {}
    for price in (price for price in PRICE_FIELDS if price in bars.fields):
        now = None if price == "close" else align(counted_level(bars, price, choices.contradictory))
        moves[price] = compute_returns(close, "simple", "missing", now, unknown)[:, 1]
    return moves
