"""Random prices on weekdays, and events at a number of the day."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es

DAYS = 200
DATES = pd.bdate_range("2020-01-01", periods=DAYS)


def prices(names: Sequence[str], exchange: Any = None, seed: int = 1, dates: pd.DatetimeIndex = DATES) -> es.Prices:
    rng = np.random.default_rng(seed)
    levels = 100 * np.cumprod(1 + 0.02 * rng.standard_normal((len(dates), len(names))), axis=0)
    return es.Prices.from_frame(pd.DataFrame(levels, index=dates, columns=list(names)), exchange)


def events(rows: Sequence[tuple[str, int]], **columns: Any) -> es.Events:
    frame = pd.DataFrame({
        "event_id": [f"E{i}" for i in range(len(rows))],
        "ticker": [ticker for ticker, _ in rows],
        "announced": [str(DATES[day].date()) for _, day in rows],
        **columns,
    })  # fmt: skip
    return es.Events.from_frame(frame)


STUDY: dict[str, Any] = {"model": "mean", "tests": ["cross_section"], "windows": ((0, 0),), "event": (-5, 5)}


@cache
def market() -> es.Prices:
    """Prices of one share in New York and one in Hong Kong, on the sessions of both in 2020 and 2021."""
    bars = {}
    for name, mic in (("BABA", "XNYS"), ("9988.HK", "XHKG")):
        dates = es.markets.sessions(mic)[0]
        dates = dates[(dates >= np.datetime64("2020-01-01")) & (dates <= np.datetime64("2021-12-31"))]
        close = 100 * np.cumprod(1 + 0.01 * np.random.default_rng(1).standard_normal(len(dates)))
        bars[name] = es.bars.Bars(name, dates, {"close": np.asarray(close, dtype=np.float64)}, mic, None)
    return es.Prices(bars)
