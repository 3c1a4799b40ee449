"""Small studies of every outcome, run on simulated prices: what reports and figures must show."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.transform import attach

TICKERS = [f"T{i}" for i in range(6)]
PEERS = [f"P{i}" for i in range(12)]
SHORT: dict[str, Any] = {"benchmark": "M", "estimation": (-80, -11), "event": (-5, 5), "min_estimation": 40}
LONG: dict[str, Any] = {**SHORT, "event": (0, 249), "windows": ((0, 20), (0, 249))}
STUDIES: dict[str, dict[str, Any]] = {
    "return": SHORT,
    "volume": {**SHORT, "outcome": "volume"},
    "volatility": {**SHORT, "outcome": "volatility"},
    "spread": {**SHORT, "outcome": "spread"},
    "compound": {**LONG, "accumulate": "compound"},
    "peers": {**SHORT, "model": "synthetic_control", "peers": PEERS},
}
FULL = {
    "return": "cumulative abnormal return (CAR)",
    "volume": "cumulative abnormal log volume (CAV)",
    "volatility": "cumulative abnormal volatility (CAV)",
    "spread": "cumulative abnormal spread (CA spread)",
    "compound": "buy-and-hold abnormal return (BHAR)",
    "peers": "cumulative abnormal return (CAR)",
}


def prices(n_days: int = 620) -> es.Prices:
    """Draw prices and volumes of a few securities and their market, and a spread of each."""
    random = np.random.default_rng(11)
    days = pd.bdate_range("2018-01-02", periods=n_days)
    names = ["M", *TICKERS, *PEERS]
    market = 0.01 * random.standard_normal((n_days, 1))
    r = 0.0004 + market + 0.012 * random.standard_normal((n_days, len(names))) * (np.array(names) != "M")
    plain = es.Prices.from_frame(pd.DataFrame(50 * np.cumprod(1 + r, axis=0), index=days, columns=names))
    traded = np.exp(14 + 20 * np.abs(market) + 0.3 * random.standard_normal(r.shape))
    bars = {
        name: replace(bars_of_ticker, fields={**bars_of_ticker.fields, "volume": traded[:, k].round()})
        for k, (name, bars_of_ticker) in enumerate(plain.bars.items())
    }
    spread = 0.002 + 0.0004 * random.standard_normal(r.shape)
    return attach(replace(plain, bars=bars), "spread", pd.DataFrame(spread, index=days, columns=names))


@cache
def study(name: str) -> es.Result:
    """Run one of ``STUDIES``."""
    drawn = prices()
    days = drawn.bars["M"].dates[130:340:35]
    events = es.Events.from_frame(pd.DataFrame({"ticker": TICKERS, "announced": pd.to_datetime(days)}))
    return es.Study(**STUDIES[name]).run(events, drawn)
