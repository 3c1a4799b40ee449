"""The level that returns imply, 100 before the first, is no price: no value, rate or price per share is of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.prepare.returns import is_level

CHOICES: dict[str, Any] = {
    "benchmark": "IDX", "estimation": (-120, -3), "min_estimation": 60, "event": (-2, 5), "windows": ((0, 0),),
    "sign": "side", "tests": ["cross_section"],
}  # fmt: skip
NAMES = ("AAA", "IDX", "HKD=X")


def closes() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    moves = rng.standard_normal((200, 3)) * [0.02, 0.01, 0.001]
    return pd.DataFrame(
        np.array([480.0, 25_000.0, 7.8]) * np.cumprod(1.0 + moves, axis=0),
        pd.bdate_range("2020-01-01", periods=200, name="date"), list(NAMES),
    )  # fmt: skip


def long(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """One row per ticker and date."""
    rows = frame.reset_index().melt("date", var_name="ticker", value_name=value)
    return rows.assign(currency="HKD", volume=1e6)


def returns() -> es.Prices:
    return es.Prices.from_frame(long(closes().pct_change(), "return"))


def result(prices: es.Prices) -> es.Result:
    row = {"ticker": "AAA", "announced": str(closes().index[150].date()), "side": 1, "worth": 5e9, "shares": 9.5e9}
    return es.Study(**CHOICES).run(es.Events.from_frame(pd.DataFrame([row])), prices)


def test_returns_have_a_level_and_prices_do_not():
    assert all(is_level(returns().bars[name]) for name in NAMES)
    assert not is_level(es.Prices.from_frame(closes()).bars["AAA"])
    both = long(closes(), "close").merge(long(closes().pct_change(), "return")[["date", "ticker", "return"]])
    assert not is_level(es.Prices.from_frame(both).bars["AAA"])


def test_a_level_stays_one_in_months_stores_and_files(tmp_path: Path):
    prices = returns()
    assert is_level(es.transform.monthly(prices).bars["AAA"])
    es.write_prices([prices], tmp_path / "store")
    assert is_level(es.read_prices(tmp_path / "store").bars["AAA"])
    frame = prices.frame("AAA")[["close", "return"]].assign(ticker="AAA").rename_axis("date").reset_index()
    frame.to_csv(tmp_path / "all.csv", index=False)
    again = es.read_prices(tmp_path / "all.csv").bars["AAA"]
    assert is_level(again)
    np.testing.assert_array_equal(again.fields["close"], prices.bars["AAA"].fields["close"])


def test_months_of_returns_have_the_returns_of_months():
    prices = returns()
    bars = es.transform.monthly(prices).bars["AAA"]
    growth = (1.0 + closes()["AAA"].pct_change()).resample("ME").prod() - 1.0
    np.testing.assert_allclose(bars.fields["return"][2:], growth.to_numpy()[2:], rtol=1e-12)
    # The first daily return is not known, so that January has no level.
    assert np.isnan(bars.fields["return"][:2]).all()


def test_shares_times_a_level_are_no_value():
    money = result(returns()).money(shares="shares")
    row = money.frame.iloc[0]
    assert row["status"] == "no_value"
    assert np.isnan(row["value"])
    assert "its prices are returns" in row["reason"]


def test_the_level_of_a_rate_is_no_rate():
    found = result(returns())
    with pytest.raises(es.InputError, match="those of HKD=X are returns"):
        found.money(value="worth", currency="USD")
    rates = closes()[["HKD=X"]]
    priced = es.Prices({**returns().bars, "HKD=X": es.Prices.from_frame(rates).bars["HKD=X"]})
    row = result(priced).money(value="worth", currency="USD").frame.iloc[0]
    assert row["value"] == pytest.approx(5e9 / rates.loc[row["valued_on"], "HKD=X"], rel=1e-12)


def test_an_event_has_no_price_per_share_and_a_trade_no_price():
    found = result(returns())
    single = found.single()
    assert single.prices.empty
    assert any("its prices are returns" in note for note in single.notes)
    assert "per share" not in single.answer()
    trades = found.trades(hedge=False, hold=1)
    row = trades.frame.iloc[0]
    assert row["status"] == "traded"
    assert np.isnan(row["entry_price"])
    assert np.isnan(row["capacity"])
    entry = closes().index.get_loc(row["entry_date"])
    assert row["gross"] / row["weight"] == pytest.approx(closes()["AAA"].pct_change().iloc[entry + 1], rel=1e-9)
    assert any("prices are returns" in note for note in trades.notes)


def test_a_level_has_no_points():
    when, move = str(closes().index[150].date()), float(closes()["AAA"].pct_change().iloc[150])
    assert es.headline("AAA", when, round(move, 4), prices=returns()).frame["matches"].iloc[0]
    with pytest.raises(es.InputError, match="are returns"):
        es.headline("AAA", when, -3.0, prices=returns(), kind="points")
