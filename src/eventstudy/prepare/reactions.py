"""What a news report quotes: the plain returns of an event's session, previous close to open, low, close."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.bars import PRICE_FIELDS, Prices
from eventstudy.prepare import returns as rules
from eventstudy.prepare.calendar import Calendar, key
from eventstudy.types import Roll, Status


def reactions(roll: Roll, prices: Prices, calendars: Mapping[str | None, Calendar], returns: str) -> pd.DataFrame:
    """Give the plain returns of day 0 for every event that has a session and prices, and its benchmark's.

    Parameters
    ----------
    roll : Roll
    prices : Prices
    calendars : mapping from name to Calendar
    returns : {"simple", "log"}

    Returns
    -------
    DataFrame
        Index ``event_id``; ticker, session, open, high, low, close, benchmark, benchmark_open, benchmark_high,
        benchmark_low, benchmark_close; decimals, NaN where a price is missing.
    """
    kept = np.isin(roll.status, [Status.OK, Status.DUPLICATE])
    table = roll.table.loc[kept, ["ticker", "session", "benchmark"]]
    own = np.array([key(prices.bars[str(name)].mic) for name in table["ticker"]], dtype=object)
    parts = {}
    for prefix, column in (("", "ticker"), ("benchmark_", "benchmark")):
        names = table[column].to_numpy(dtype=object)
        values = {price: np.full(len(table), np.nan) for price in PRICE_FIELDS}
        for name, calendar in dict.fromkeys(zip(names, own, strict=True)):
            if name is None:
                continue
            mine = (names == name) & (own == calendar)
            sessions = table["session"].to_numpy().astype(calendars[calendar].dates.dtype)[mine]
            for price in PRICE_FIELDS:
                values[price][mine] = _moves(str(name), prices, calendars, calendar, sessions, price, returns)
        parts[prefix] = {f"{prefix}{price}": values[price] for price in ("open", "high", "low", "close")}
    frame = table[["ticker", "session"]].assign(**parts[""], benchmark=table["benchmark"])
    made: pd.DataFrame = frame.assign(**parts["benchmark_"])
    return made


def _moves(
    name: str,
    prices: Prices,
    calendars: Mapping[str | None, Calendar],
    calendar: str | None,
    sessions: np.ndarray,
    price: str,
    returns: str,
) -> np.ndarray:
    """Give a ticker's returns on sessions of a calendar, its own or another's."""
    bars, target = prices.bars[name], calendars[calendar]
    home = calendars[key(bars.mic)]
    at = np.searchsorted(target.dates, sessions)
    rows = np.concatenate([np.maximum(at - 1, 0), at])
    cut = Calendar(target.name, target.dates[rows], None if target.closes is None else target.closes[rows])
    series = [rules.adjusted(bars), rules.field(bars, price)]
    before, now = (
        rules.lay(bars, values, target)[rows] if home.name == target.name else rules.carried(bars, values, home, cut)
        for values in series
    )
    ratio = now[len(at) :] / before[: len(at)]
    return np.asarray(np.log(ratio) if returns == "log" else ratio - 1.0)
