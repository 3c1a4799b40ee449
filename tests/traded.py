"""Prices of two exchanges, studies of a few events on them, and what the tests of trades compute by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.bars import Bars

HK, NY = "XHKG", "XNYS"
CHOICES: dict[str, Any] = {
    "benchmark": {HK: "^HSI", NY: "^GSPC"}, "estimation": (-60, -3), "event": (-2, 2), "windows": ((0, 0),),
    "min_estimation": 30, "sign": "side", "tests": ("cross_section",),
}  # fmt: skip
FREE: dict[str, Any] = {"hedge": False, "cost_bps": 0.0, "borrow_bps": 0.0}


def bars(ticker: str, mic: str, currency: str, seed: int) -> Bars:
    """Draw a year of sessions; the close is half the adjusted close, as before a payment."""
    days = es.markets.sessions_between(mic, "2021-01-04", "2021-12-31")
    rng = np.random.default_rng(seed)
    close = 50.0 * np.cumprod(1 + 0.02 * rng.standard_normal(len(days)))
    open_ = np.concatenate([[50.0], close[:-1]]) * (1 + 0.005 * rng.standard_normal(len(days)))
    fields = {
        "open": open_, "high": np.maximum(open_, close) * 1.01, "low": np.minimum(open_, close) * 0.99, "close": close,
        "adjusted": 2.0 * close, "volume": rng.uniform(1e5, 2e5, len(days)),
    }  # fmt: skip
    return Bars(ticker, days, fields, mic, currency)


def all_prices(**changed: Bars) -> dict[str, Bars]:
    made = {
        "0700.HK": bars("0700.HK", HK, "HKD", 1), "9988.HK": bars("9988.HK", HK, "HKD", 2),
        "BABA": bars("BABA", NY, "USD", 3), "^HSI": bars("^HSI", HK, "HKD", 4), "^GSPC": bars("^GSPC", NY, "USD", 5),
    }  # fmt: skip
    days = np.arange(np.datetime64("2021-01-01"), np.datetime64("2022-01-01"))
    rate = 7.8 + 0.01 * np.sin(np.arange(len(days)))
    made["HKD=X"] = Bars("HKD=X", days, {"close": rate}, "FX", None)
    return made | changed


def without_day(ticker: str, day: str) -> dict[str, Bars]:
    """The prices of a ticker without the row of a day."""
    one = all_prices()[ticker]
    kept = one.dates != np.datetime64(day)
    fields = {name: values[kept] for name, values in one.fields.items()}
    return {ticker: Bars(ticker, one.dates[kept], fields, one.mic, one.currency)}


def study(rows: list[tuple[Any, ...]], prices: dict[str, Bars] | None = None, **choices: Any) -> es.Result:
    events = pd.DataFrame(rows, columns=["event_id", "ticker", "announced", "side"])
    made = es.Prices(all_prices() if prices is None else prices)
    return es.Study(**{**CHOICES, **choices}).run(es.Events.from_frame(events), made)


def at(ticker: str, day: str, field: str = "close") -> float:
    one = all_prices()[ticker]
    return float(one.fields[field][np.searchsorted(one.dates, np.datetime64(day))])


def line(ticker: str, benchmark: str, session: str) -> tuple[float, float, float]:
    """Beta, sigma and deviation by numpy on the days -60 to -3."""
    one, other = all_prices()[ticker], all_prices()[benchmark]
    day = int(np.searchsorted(one.dates, np.datetime64(session)))
    r, m = (b.fields["close"][1:] / b.fields["close"][:-1] - 1 for b in (one, other))
    r, m = r[day - 61 : day - 3], m[day - 61 : day - 3]
    beta, alpha = np.polyfit(m, r, 1)
    return beta, float(np.sqrt(((r - alpha - beta * m) ** 2).sum() / (len(r) - 2))), float(r.std(ddof=1))
