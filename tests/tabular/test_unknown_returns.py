"""An unknown stated return is missing on its own day alone, wherever returns are used, and never counted as zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import transform

DAYS = pd.bdate_range("2020-01-01", "2021-06-30")
RNG = np.random.default_rng(11)
RETURNS = pd.DataFrame(RNG.normal(0, 0.01, (len(DAYS), 3)), index=DAYS, columns=["M", "A", "B"])
DAY_0 = 300


def r(name: str, day: int, last: int | None = None) -> float:
    """Return the return of a day relative to the event, or the compounded one of several days."""
    rows = RETURNS[name].iloc[DAY_0 + day : DAY_0 + (day if last is None else last) + 1]
    return float((1 + rows).prod() - 1)


def holed(*holes: tuple[str, int]) -> pd.DataFrame:
    frame = RETURNS.copy()
    for name, day in holes:
        frame.iloc[DAY_0 + day, frame.columns.get_loc(name)] = np.nan
    return frame


def run(prices: es.Prices, **choices: Any) -> es.Result:
    defaults: dict[str, Any] = {
        "model": "market_adjusted", "benchmark": "M", "windows": ((0, 0), (1, 1)), "tests": ["cross_section"],
    }  # fmt: skip
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": [str(DAYS[DAY_0].date())]}))
    return es.Study(**{**defaults, **choices}).run(events, prices)


def ar(result: es.Result, day: int) -> float:
    return float(result.ar[day].iloc[0])


@pytest.mark.parametrize("gaps", ["missing", "span"])
@pytest.mark.parametrize("who", ["A", "M"])
def test_the_return_after_an_unknown_one_is_used(gaps: str, who: str) -> None:
    result = run(es.Prices.from_returns(holed((who, -1))), gaps=gaps)
    assert np.isnan(ar(result, -1))
    assert ar(result, 0) == pytest.approx(r("A", 0) - r("M", 0), abs=1e-14)


def test_the_day_of_an_event_after_an_unknown_return_has_its_reaction() -> None:
    moves = run(es.Prices.from_returns(holed(("A", -1)))).reactions.iloc[0]
    assert moves["close"] == pytest.approx(r("A", 0), abs=1e-14)
    unknown = run(es.Prices.from_returns(holed(("A", 0))), min_coverage=0.5, windows=((-1, 1),)).reactions.iloc[0]
    assert np.isnan(unknown["close"])


def test_stated_returns_are_compounded_over_days_without_a_benchmark() -> None:
    rows = RETURNS.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="return")
    rows = rows[~((rows["ticker"] == "M") & (rows["date"] == DAYS[DAY_0 - 1]))]
    rows.loc[(rows["ticker"] == "M") & (rows["date"] == DAYS[DAY_0]), "return"] = r("M", -1, 0)  # since the row before
    result = run(es.Prices.from_returns(rows), gaps="span")
    assert np.isnan(ar(result, -1))
    assert ar(result, 0) == pytest.approx(r("A", -1, 0) - r("M", -1, 0), abs=1e-14)
    rows.loc[(rows["ticker"] == "A") & (rows["date"] == DAYS[DAY_0 - 1]), "return"] = np.nan
    unknown = run(es.Prices.from_returns(rows), gaps="span", windows=((1, 1),))
    assert np.isnan(ar(unknown, 0))
    assert ar(unknown, 1) == pytest.approx(r("A", 1) - r("M", 1), abs=1e-14)


@pytest.mark.thorough
def test_no_span_of_prices_includes_an_unknown_return_of_the_benchmark() -> None:
    closes = 100 * (1 + RETURNS[["A"]]).cumprod()
    closes.iloc[DAY_0 - 1, 0] = np.nan
    security = es.Prices.from_frame(closes).bars["A"]
    for holes, wanted in (((), r("A", -1, 0) - r("M", -1, 0)), ((("M", -1),), np.nan), ((("M", -2),), None)):
        others = es.Prices.from_returns(holed(*holes)).bars  # B keeps the day a session
        prices = es.Prices({"A": security, "M": others["M"], "B": others["B"]})
        found = ar(run(prices, gaps="span", windows=((1, 1),)), 0)
        np.testing.assert_allclose(found, r("A", -1, 0) - r("M", -1, 0) if wanted is None else wanted, atol=1e-13)


def test_the_first_day_of_the_estimation_after_a_missing_row_has_no_return() -> None:
    rows = RETURNS.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="return")
    before = rows[~((rows["ticker"] == "A") & (rows["date"] == DAYS[DAY_0 - 101]))]
    for given, n in ((rows, 80), (before, 79)):
        result = run(es.Prices.from_returns(given), model="market", estimation=(-100, -21), min_estimation=30)
        assert result.events["n_estimation"].tolist() == [n]


def test_an_event_moves_to_its_next_known_return() -> None:
    result = run(es.Prices.from_returns(holed(("A", 0), ("A", 1))), suspended="next_trade", windows=((0, 0),))
    assert result.events["status"].tolist() == ["ok"]
    assert result.events["session"].tolist() == [DAYS[DAY_0 + 2]]
    assert ar(result, 0) == pytest.approx(r("A", 2) - r("M", 2), abs=1e-14)


def test_an_event_whose_next_trade_has_no_return_is_not_used() -> None:
    closes = 100 * (1 + RETURNS).cumprod()
    rows = pd.concat({"close": closes.stack(), "return": holed(("A", 1)).stack(future_stack=True)}, axis=1).dropna(
        subset="close"
    )
    rows = rows.rename_axis(["date", "ticker"]).reset_index()
    rows = rows[~((rows["ticker"] == "A") & (rows["date"] == DAYS[DAY_0]))]  # suspended; then a price and no return
    result = run(es.Prices.from_frame(rows), suspended="next_trade", windows=((0, 0),))
    assert result.events["status"].tolist() == ["suspended"]
    assert "return of its next trade" in result.events["reason"].iloc[0]


def test_a_portfolio_of_stated_returns_loses_the_unknown_one_alone() -> None:
    prices = es.Prices.from_returns(holed(("A", -1), ("A", 2), ("B", 2)))
    made = transform.portfolio(prices, ["A", "B"], "P", weights={"A": 3, "B": 1}).bars["P"]
    found = pd.Series(made.fields["return"], index=pd.DatetimeIndex(made.dates))
    wanted = 0.75 * RETURNS["A"] + 0.25 * RETURNS["B"]
    wanted.iloc[DAY_0 - 1] = RETURNS["B"].iloc[DAY_0 - 1]
    wanted.iloc[DAY_0 + 2] = np.nan
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    closes = transform.portfolio(es.Prices.from_frame(100 * (1 + RETURNS).cumprod()), ["A", "B"], "P").bars["P"]
    stated = transform.portfolio(es.Prices.from_returns(RETURNS), ["A", "B"], "P").bars["P"]
    growth = [b.fields["close"][1:] / b.fields["close"][:-1] for b in (closes, stated)]
    np.testing.assert_allclose(growth[0], growth[1], rtol=1e-12)


def test_a_portfolio_that_is_held_has_no_value_after_an_unknown_return() -> None:
    prices = es.Prices.from_returns(holed(("A", 0)))
    bought = transform.portfolio(prices, ["A", "B"], "P", rebalance="never")
    assert bought.bars["P"].dates[-1] == np.datetime64(DAYS[DAY_0 - 1].date())
    whole = transform.portfolio(es.Prices.from_returns(RETURNS), ["A", "B"], "P", rebalance="never").bars["P"]
    np.testing.assert_array_equal(bought.bars["P"].fields["close"], whole.fields["close"][:DAY_0])
    assert f"no level from {DAYS[DAY_0].date()} on" in str(bought.provenance)


def test_an_index_without_a_share_of_stated_returns_loses_the_unknown_one_alone() -> None:
    prices = transform.without(es.Prices.from_returns(holed(("A", 0))), "M", {"A": 0.2}, "X")
    made = prices.bars["X"].fields["return"]
    wanted = ((RETURNS["M"] - 0.2 * RETURNS["A"]) / 0.8).to_numpy()
    assert np.flatnonzero(np.isnan(made)).tolist() == [0, DAY_0]
    known = np.isfinite(made)
    np.testing.assert_allclose(made[known], wanted[known], atol=1e-14)


@pytest.mark.thorough
def test_a_benchmark_of_another_market_has_no_return_on_its_unknown_day_alone() -> None:
    found = {}
    for hole in ((), (("M", -1),)):
        one = es.Prices.from_returns(holed(*hole)[["M"]], exchange="XLON").bars["M"]
        two = es.Prices.from_returns(RETURNS[["A"]], exchange="XPAR").bars["A"]
        with pytest.warns(es.EventStudyWarning, match="another time zone"):
            result = run(es.Prices({"M": one, "A": two}), windows=((1, 1),))
        found[bool(hole)] = result.ar.iloc[0]
    assert np.isfinite(found[False]).all()
    assert found[True].isna().sum() == 1
    known = found[True].notna()
    np.testing.assert_allclose(found[True][known], found[False][known], atol=1e-13)


@pytest.mark.thorough
def test_a_row_of_a_closed_day_is_no_unknown_return_and_its_own_return_is_not_lost() -> None:
    every = RETURNS.reindex(pd.date_range(DAYS[0], DAYS[-1]))
    result = run(es.Prices.from_returns(every), windows=((-5, 5),), gaps="span")
    plain = run(es.Prices.from_returns(RETURNS), windows=((-5, 5),))
    np.testing.assert_allclose(result.ar.to_numpy(float), plain.ar.to_numpy(float), atol=1e-14)
    monday = next(d for d in range(10) if DAYS[DAY_0 + d].day_name() == "Monday")
    prices = es.Prices.from_returns(every)
    rows = every.index.get_loc(DAYS[DAY_0 + monday]) - 1
    fields = {k: v.copy() for k, v in prices.bars["A"].fields.items()}
    fields["return"][rows] = 0.02  # a row of Sunday
    moved = es.Prices({**prices.bars, "A": es.bars.Bars("A", prices.bars["A"].dates, fields)})
    found = ar(run(moved, windows=((-5, 5),)), monday)
    assert found == pytest.approx((1.02 * (1 + r("A", monday)) - 1) - r("M", monday), abs=1e-14)
