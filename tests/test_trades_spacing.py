"""Figures of a year are by the number of returns that a year has: of months, weeks, weekdays, and every day."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

KINDS = {
    "monthly": (12, "month"), "weekly": (52, "week"), "weekdays": (252, "day"), "every day": (365, "day"),
}  # fmt: skip
FREQUENCIES = {"monthly": "B", "weekly": "W-FRI", "weekdays": "B", "every day": "D"}


@cache
def traded(kind: str) -> es.Result:
    """Eight events of a ticker beside an index, on prices of a kind."""
    days = pd.date_range("2010-01-01", "2019-12-31", freq=FREQUENCIES[kind])
    rng = np.random.default_rng(4)
    moves = 0.0003 + 0.01 * rng.standard_normal((len(days), 2))
    prices = es.Prices.from_frame(pd.DataFrame(100.0 * np.cumprod(1 + moves, axis=0), days, ["AAA", "IDX"]))
    if kind == "monthly":
        prices = es.transform.monthly(prices)
    rows = prices.frame("AAA").index[np.linspace(50, len(prices.frame("AAA")) - 12, 8).astype(int)]
    events = es.Events.from_frame(pd.DataFrame({"ticker": "AAA", "announced": rows.astype(str), "s": 1}))
    study = es.Study(
        benchmark="IDX", estimation=(-36, -1), event=(0, 6), windows=((0, 0),), min_estimation=24, sign="s",
    )  # fmt: skip
    return study.run(events, prices)


def backtest(kind: str):
    return traded(kind).trades(sign="s", hold=3, cost_bps=5, hedge=False)


@pytest.mark.parametrize("kind", KINDS)
def test_figures_of_a_year_by_hand(kind: str) -> None:
    a_year, _ = KINDS[kind]
    trades = backtest(kind)
    x, value = trades.returns.to_numpy(), trades.summary()["value"]
    assert len(x) > 20
    np.testing.assert_allclose(value["annual_return"], a_year * x.mean(), rtol=1e-12)
    np.testing.assert_allclose(value["volatility"], np.sqrt(a_year) * x.std(ddof=1), rtol=1e-12)
    np.testing.assert_allclose(value["sharpe"], np.sqrt(a_year) * x.mean() / x.std(ddof=1), rtol=1e-12)
    np.testing.assert_allclose(value["turnover"], a_year * trades.traded.mean(), rtol=1e-12)
    low, high = trades.summary().loc["sharpe", ["lower", "upper"]]
    assert low < value["sharpe"] < high
    # The interval of a year of m returns is about 1.96 sqrt(m / n) to both sides, as the error of a small ratio.
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(a_year / len(x)), rel=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_total_is_the_return_a_year_times_the_years(kind: str) -> None:
    """The dates alone: what was earned in all, over the years from the first return to the last."""
    trades = backtest(kind)
    index, value = trades.returns.index, trades.summary()["value"]
    years = (index[-1] - index[0]).days / 365.25 * (len(index) / (len(index) - 1))
    assert value["annual_return"] == pytest.approx(value["total"] / years, rel=0.04)  # 252 of 261 weekdays


@pytest.mark.parametrize("kind", KINDS)
def test_words_say_what_the_rows_are(kind: str) -> None:
    a_year, row = KINDS[kind]
    trades = backtest(kind)
    adverb = {"day": "daily"}.get(row, f"{row}ly")
    table = traded(kind).table("trades", of=trades)
    for text in (repr(trades), str(table)):
        assert f"Sum of the {adverb} returns" in text
    assert f"First {row}" in repr(trades)
    assert f"A year has {a_year} {row}s." in str(table)
    assert f"{row}s" in trades.summary().loc["sharpe", "note"]
    assert trades.figures.spacing.a_year == a_year


def test_drawn_dates_are_ranked_by_the_same_year() -> None:
    trades = backtest("monthly").placebo(19)
    frame = trades.placebos.frame
    assert trades.placebos.sharpe == trades.summary().loc["sharpe", "value"]
    # Of one return of each held month: |mean / deviation| x sqrt(12) stays below what 252 would give.
    assert np.nanmedian(frame["sharpe"].abs()) < np.sqrt(12)
    own = backtest("monthly").returns
    ratio = own.mean() / own.std(ddof=1)
    assert trades.placebos.p == (1 + (frame["sharpe"].dropna() >= np.sqrt(12) * ratio).sum()) / (
        len(frame.dropna()) + 1
    )


def test_a_walk_forward_tells_the_ratio_of_a_year() -> None:
    trades = backtest("monthly")
    walked = trades.walk_forward("2016-01-01", [{"hold": 3}])
    before = trades.returns[trades.returns.index < "2016-01-01"]
    assert f"was {np.sqrt(12) * before.mean() / before.std(ddof=1):.2f}" in walked.notes[0]
