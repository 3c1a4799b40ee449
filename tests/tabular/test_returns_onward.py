"""Returns that a source states stay returns by month, in another currency and after a delisting."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import transform

DAYS = pd.bdate_range("2020-01-01", "2021-12-31")
RNG = np.random.default_rng(4)
MARKET = RNG.normal(0, 0.01, len(DAYS))
RETURNS = pd.DataFrame({"M": MARKET, "A": MARKET + RNG.normal(0, 0.01, len(DAYS))}, index=DAYS)
LEVELS = 100 * (1 + RETURNS).cumprod()


def closes(prices: es.Prices, ticker: str = "A") -> np.ndarray:
    return prices.bars[ticker].fields["close"]


def test_months_of_returns_are_those_of_their_levels() -> None:
    found = transform.monthly(es.Prices.from_returns(RETURNS))
    wanted = transform.monthly(es.Prices.from_frame(LEVELS))
    np.testing.assert_allclose(closes(found), closes(wanted), rtol=1e-12)
    growth = closes(wanted)[1:] / closes(wanted)[:-1] - 1.0
    np.testing.assert_allclose(found.bars["A"].fields["return"][1:], growth, rtol=0, atol=1e-14)


def test_a_month_with_an_unknown_return_has_no_price() -> None:
    holed = RETURNS.copy()
    holed.loc["2020-06-10", "A"] = np.nan
    found = transform.monthly(es.Prices.from_returns(holed))
    assert pd.DatetimeIndex(found.bars["A"].dates)[np.isnan(closes(found))].strftime("%Y-%m").tolist() == ["2020-06"]
    assert "a daily return is not known" in str(found.provenance)


def test_a_delisting_return_is_the_last_return() -> None:
    bars = transform.delisted(es.Prices.from_returns(RETURNS.iloc[:-5], exchange="XNYS"), {"A": -0.3}).bars["A"]
    assert bars.fields["return"][-1] == -0.3
    assert bars.fields["close"][-1] == pytest.approx(0.7 * bars.fields["close"][-2], rel=1e-12)


@pytest.mark.thorough
@pytest.mark.parametrize("gaps", ["missing", "span"])
def test_returns_in_another_currency_are_those_of_converted_prices(gaps: str) -> None:
    rate = 7.8 * np.exp(np.cumsum(RNG.normal(0, 0.003, len(DAYS))))
    frame = LEVELS.assign(**{"HKD=X": rate})
    rows = frame.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
    rows["currency"] = rows["ticker"].map({"HKD=X": "HKD", "A": "HKD", "M": "USD"})
    rows["mic"] = rows["ticker"].map({"HKD=X": "FX", "A": "XNYS", "M": "XNYS"})
    stated = RETURNS.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="return")
    both = rows.merge(stated, "left", ["date", "ticker"])
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": ["2021-06-01T10:00-04:00"]}))
    study = es.Study(benchmark="M", currency="USD", gaps=gaps, tests=["cross_section"], windows=((-1, 1), (-5, 5)))
    found = study.run(events, es.Prices.from_frame(both)).cars["car"]
    wanted = study.run(events, es.Prices.from_frame(rows)).cars["car"]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-13)
    both.loc[(both["ticker"] == "A") & (both["date"] == "2021-05-31"), "return"] = np.nan  # day -1
    assert study.run(events, es.Prices.from_frame(both)).cars["car"].isna().all()


def test_thousands_are_groups_of_three(tmp_path) -> None:
    (tmp_path / "A.csv").write_text('"Date","Price"\n"09/13/2021","1,234.5"\n"09/10/2021","1,23.5"\n')
    with pytest.raises(es.InputError, match=r"'1,23\.5' is not a number"):
        es.read_prices(tmp_path, layout="investing")


def test_a_failed_ticker_of_a_download_loses_no_other() -> None:
    wide = LEVELS.assign(DEAD=np.nan)
    prices = es.Prices.from_frame(pd.concat({"Close": wide, "Open": wide}, axis=1))
    assert prices.tickers == ("M", "A", "DEAD")
    assert np.isnat(prices.bars["DEAD"].first)


@pytest.mark.parametrize("code", [-99.99, -999.0])
def test_a_code_divided_by_a_hundred_is_missing(code: float) -> None:
    factors = pd.DataFrame({"Mkt-RF": MARKET, "RF": 0.0}, index=DAYS) * 100
    factors.iloc[100, 0] = code
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": ["2021-06-01"]}))
    study = es.Study(model=es.model("factors", names=["Mkt-RF"], risk_free="RF"), tests=["cross_section"])
    result = study.run(events, es.Prices.from_frame(LEVELS), factors=factors / 100)
    assert any("codes of missing values" in note for note in result.provenance["notes"])
    assert abs(result.events["beta" if "beta" in result.events else "Mkt-RF"].iloc[0] - 1) < 0.5


@pytest.mark.thorough
def test_the_module_of_the_command_line_runs_it() -> None:
    done = subprocess.run([sys.executable, "-m", "eventstudy.cli", "bogus"], capture_output=True, check=False)
    assert done.returncode == 2
