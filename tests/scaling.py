"""The study of ``test_scale``, in a module that worker processes can import."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.models.market import Market
from eventstudy.types import Abnormal, Block

N, TICKERS, DAYS = 1_200, 100, 700
BUNCHES = 10  # of five dates each, whose windows overlap within a bunch and not between two
ESTIMATION, EVENT = (-130, -11), (-5, 5)


@dataclass(frozen=True)
class Slow(Market):
    """The market model, with a delay before each fit of as many seconds as the variable ``SLOW``."""

    def fit(self, block: Block) -> Abnormal:
        time.sleep(float(os.environ.get("SLOW", "0")))
        return super().fit(block)


@cache
def material(seed: int = 1, n_tickers: int = TICKERS) -> tuple[es.Events, es.Prices]:
    """Draw prices of some tickers and a benchmark, and 1,200 events."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2019-01-01", periods=DAYS)
    market = 0.01 * rng.standard_normal(DAYS)
    returns = market[:, None] * rng.uniform(0.5, 1.5, n_tickers) + 0.02 * rng.standard_normal((DAYS, n_tickers))
    names = [f"S{i}" for i in range(n_tickers)]
    levels = 100.0 * np.cumprod(1.0 + np.column_stack([returns, market]), axis=0)
    prices = es.Prices.from_frame(pd.DataFrame(levels, index=dates, columns=[*names, "M"]))
    days = np.add.outer(250 + 30 * np.arange(BUNCHES), np.arange(5)).ravel()
    pairs = rng.choice(n_tickers * len(days), N, replace=False)
    frame = pd.DataFrame({"event_id": [f"E{i}" for i in range(N)], "ticker": [names[p // len(days)] for p in pairs]})
    frame["announced"] = [str(dates[days[p % len(days)]].date()) for p in pairs]
    return es.Events.from_frame(frame), prices


def study_of(
    tests: Sequence[Any], seed: int = 1, prices: es.Prices | None = None, **choices: Any
) -> Callable[..., es.Result]:
    """Return a function that runs the study with some tests, on the prices of ``material`` or on ``prices``."""
    all_choices = {"benchmark": "M", "estimation": ESTIMATION, "event": EVENT, "min_estimation": 60, **choices}
    study = es.Study(tests=tests, **all_choices)

    def run(**options: Any) -> es.Result:
        events, drawn = material(seed)
        return study.run(events, drawn if prices is None else prices, **options)

    return run
