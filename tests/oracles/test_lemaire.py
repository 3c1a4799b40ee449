"""The tables that J.-B. Lemaire's Python package prints: the launch of the iPhone, and releases of 10-K reports.

Its residual variance has divisor M, its variance of a CAR is L times that, without forecast error.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from tests.oracles.data import Floats, agree_as_printed, events, levels, read

pytestmark = pytest.mark.thorough

M, BUFFER = 300, 30


@pytest.fixture(scope="module")
def folder(shared) -> Path:
    found: Path = shared / "data" / "oracles" / "lemaire_eventstudy"
    return found


@pytest.fixture(scope="module")
def prices(folder) -> es.Prices:
    returns = read(folder, "returns_GAFAM.csv", index_col="date", parse_dates=True)
    return es.Prices.from_frame(levels(returns, "1999-12-31"))


def run(prices: es.Prices, event: tuple[int, int], given: es.Events) -> es.Result:
    """Run the market model with an estimation window that ends ``BUFFER`` days before the event window."""
    before = event[0] - BUFFER
    return es.Study(
        benchmark="SPY", estimation=(before - M, before - 1), event=event, min_estimation=M, tests="cross_section",
        windows=[(event[0], day) for day in range(event[0], event[1] + 1)],
    ).run(given, prices)  # fmt: skip


def plain_sigma(result: es.Result) -> Floats:
    """Give the residual standard deviation with divisor M of the used events."""
    sigma: Floats = result.events["sigma"].dropna().to_numpy(dtype=np.float64) * np.sqrt((M - 2) / M)
    return sigma


def test_iphone(folder, prices):
    printed = read(folder, "printed_iphone_market_model.csv")
    result = run(prices, (-2, 10), events(["AAPL"], ["2007-01-09"]))
    assert result.events["n_estimation"].tolist() == [M]
    assert result.ar.columns.tolist() == printed["day"].tolist()
    car: Floats = result.cars["car"].to_numpy(dtype=np.float64)
    se = plain_sigma(result)[0] * np.sqrt(np.arange(1, len(printed) + 1))
    agree_as_printed(result.ar.iloc[0], printed["AR"], digits=3)
    agree_as_printed(np.full(len(printed), se[0]), printed["se_AR"], digits=5)
    agree_as_printed(car, printed["CAR"], digits=3)
    agree_as_printed(se, printed["se_CAR"], digits=5)
    agree_as_printed(car / se, printed["t"], digits=2)
    agree_as_printed(stats.t.sf(np.abs(car / se), M - 1), printed["p_onesided"], digits=2)


def test_releases_of_10k_reports(folder, prices):
    given = read(folder, "10K.csv", encoding="utf-8-sig")
    dates = pd.to_datetime(given["event_date"], format="%d/%m/%Y").dt.strftime("%Y-%m-%d")
    result = run(prices, (-5, 10), events(given["security_ticker"], dates))
    late = dates.to_numpy() >= "2020"  # past the last price
    assert late.sum() == 3
    assert (result.events["status"].to_numpy() == np.where(late, "outside_calendar", "ok")).all()
    printed = read(folder, "printed_10K.csv")
    daily = result.daily
    assert daily.index.tolist() == printed["day"].tolist()
    assert (daily["n"] == 38).all()
    agree_as_printed(daily["aar"], printed["AAR"], digits=3)
    agree_as_printed(daily["caar"], printed["CAAR"], digits=3)
    se = np.sqrt(np.arange(1, len(printed) + 1) * (plain_sigma(result) ** 2).sum()) / 38
    agree_as_printed(daily["caar"] / se, printed["t"], digits=2)
