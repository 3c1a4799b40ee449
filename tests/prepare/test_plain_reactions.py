"""Reactions are the plain returns that news reports quote, whatever returns the study measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es


@pytest.mark.parametrize("returns", ["simple", "log"])
@pytest.mark.parametrize("stated", [False, True])
def test_reactions_are_plain_returns_in_every_study(returns: str, stated: bool):
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2020-01-01", periods=200, name="date")
    close = pd.DataFrame(100.0 * np.cumprod(1.0 + 0.03 * rng.standard_normal((200, 2)), axis=0), days, ["AAA", "IDX"])
    prices = es.Prices.from_returns(close.pct_change()) if stated else es.Prices.from_frame(close)
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["AAA"], "announced": [str(days[150].date())]}))
    choices: dict[str, Any] = {"returns": returns, "windows": ((0, 0),)}
    study = es.Study(benchmark="IDX", estimation=(-100, -3), min_estimation=60, event=(-2, 2), **choices)
    row = study.run(events, prices).reactions.iloc[0]
    wanted = close.iloc[150] / close.iloc[149] - 1.0
    assert row["close"] == pytest.approx(wanted["AAA"], rel=1e-9)
    assert row["benchmark_close"] == pytest.approx(wanted["IDX"], rel=1e-9)
