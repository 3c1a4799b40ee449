"""CAPM and the models of Fama, French and Carhart against statsmodels, event by event, on real prices and factors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.core.linear import Factors
from eventstudy.errors import InputError
from eventstudy.prepare.french import read_french
from eventstudy.types import Model, Status
from tests import make
from tests.oracles.data import agree, per_event

TOL = 1e-12
TICKERS = ["BABA", "JD", "NIO"]
DATES = ["2020-03-16", "2020-11-03", "2021-07-26", "2022-03-14", "2022-11-11"]
DAYS = list(range(-5, 6))
SPAN = np.arange(-200, -20)
WINDOWS = [*((day, day) for day in DAYS), (-1, 1), (0, 5), (-5, 5)]
THREE, FIVE = ["Mkt-RF", "SMB", "HML"], ["Mkt-RF", "SMB", "HML", "RMW", "CMA"]
PRESETS = {
    "ff3": (["ff3"], THREE),
    "carhart": (["ff3", "mom"], [*THREE, "Mom"]),
    "ff5": (["ff5"], FIVE),
    "ff6": (["ff5", "mom"], [*FIVE, "Mom"]),
}


@pytest.fixture(scope="module")
def prices(shared: Path) -> es.Prices:
    return es.read_prices(shared / "data" / "prices")


@pytest.fixture(scope="module")
def returns(shared: Path) -> pd.DataFrame:
    """Simple returns of the adjusted closes, read and made by pandas alone."""
    files = {"BABA": "BABA", "JD": "JD", "NIO": "NIO", "^GSPC": "GSPC"}
    folder = shared / "data" / "prices"
    levels = {t: pd.read_csv(folder / f"{f}.csv", index_col=0, parse_dates=True)["Adj Close"] for t, f in files.items()}
    return pd.DataFrame(levels).pct_change(fill_method=None)


def files(shared: Path, names: list[str]) -> list[Path]:
    return [shared / "data" / "oracles" / "fama_french_daily" / f"{name}_daily.csv" for name in names]


def in_decimals(shared: Path, names: list[str]) -> pd.DataFrame:
    tables = [pd.read_csv(path, index_col=0, parse_dates=True) for path in files(shared, names)]
    return pd.concat(tables, axis=1) / 100


def run(model: str | Model, prices: es.Prices, factors: pd.DataFrame, **choices: Any) -> es.Result:
    events = es.Events.from_frame(
        pd.DataFrame([(t, d) for t in TICKERS for d in DATES], columns=["ticker", "announced"])
    )
    study = es.Study(
        model=model, estimation=(int(SPAN[0]), int(SPAN[-1])), event=(DAYS[0], DAYS[-1]), windows=WINDOWS,
        tests="cross_section", **choices,
    )  # fmt: skip
    result = study.run(events, prices, factors=factors)
    assert (result.events["status"] == "ok").all()
    return result


def compare(result: es.Result, y: pd.DataFrame, x: pd.DataFrame, names: list[str]) -> None:
    """Fit the excess returns y by ticker on the columns of x, event by event."""
    design = sm.add_constant(x)
    wanted: dict[str, list[Any]] = {name: [] for name in ("coef", "sigma", "r2", "n", "ar", "car", "se")}
    for ticker in TICKERS:
        for date in DATES:
            at = y.index.get_loc(pd.Timestamp(date))
            before, during = at + SPAN, at + np.array(DAYS)
            fit = sm.OLS(y[ticker].iloc[before], design.iloc[before]).fit()
            ar = (y[ticker].iloc[during] - fit.predict(design.iloc[during])).to_numpy()
            wanted["coef"].append(fit.params)
            wanted["sigma"].append(np.sqrt(fit.mse_resid))
            wanted["r2"].append(fit.rsquared)
            wanted["n"].append(fit.nobs)
            wanted["ar"].append(ar)
            inside = [slice(a - DAYS[0], b - DAYS[0] + 1) for a, b in WINDOWS]
            wanted["car"].append([ar[i].sum() for i in inside])
            sums = [(i.stop - i.start, design.iloc[during[i]].sum().to_numpy()) for i in inside]
            wanted["se"].append([np.sqrt(n * fit.mse_resid + total @ fit.cov_params() @ total) for n, total in sums])
    agree(result.events[names], wanted["coef"], TOL)
    for name, scale in (("sigma", None), ("r2", 1.0)):
        agree(result.events[name], wanted[name], TOL, scale)
    agree(result.events["n_estimation"], wanted["n"], 0.0)
    agree(result.ar, wanted["ar"], TOL)
    agree(per_event(result, "car", WINDOWS), wanted["car"], TOL)
    agree(per_event(result, "se", WINDOWS), wanted["se"], TOL)


@pytest.mark.thorough
@pytest.mark.parametrize("name", PRESETS)
def test_presets(name, shared, prices, returns):
    read, names = PRESETS[name]
    result = run(name, prices, read_french(*files(shared, read)))
    factors = in_decimals(shared, read).loc[returns.index]
    compare(result, returns.sub(factors["RF"], axis=0), factors[names], ["alpha", *names])


@pytest.mark.thorough
def test_capm(shared, prices, returns):
    result = run("capm", prices, read_french(*files(shared, ["ff3"])), benchmark="^GSPC")
    over = returns.sub(in_decimals(shared, ["ff3"])["RF"].loc[returns.index], axis=0)
    compare(result, over, over[["^GSPC"]], ["alpha", "beta"])


@pytest.mark.thorough
def test_capm_over_the_return_of_a_ticker(shared, prices, returns):
    """Any ticker of the prices serves; here one that moves enough to be seen."""
    levels = (1 + 0.0001 + 0.001 * np.sin(np.arange(len(returns)))).cumprod()
    bills = es.Prices.from_frame(
        pd.DataFrame({t: (1 + returns[t].fillna(0)).cumprod() for t in returns}).assign(BIL=levels)
    )
    result = run(es.model("capm", risk_free="BIL"), bills, None, benchmark="^GSPC")
    over = returns.sub(pd.Series(levels, returns.index).pct_change(), axis=0)
    compare(result, over, over[["^GSPC"]], ["alpha", "beta"])


@pytest.mark.thorough
def test_capm_with_a_constant_rate_is_the_market_model_with_another_alpha(shared, prices):
    factors = in_decimals(shared, ["ff3"]).assign(RF=0.0002)
    capm, market = (run(name, prices, factors, benchmark="^GSPC") for name in ("capm", "market"))
    agree(capm.ar, market.ar, TOL)
    agree(capm.events["beta"], market.events["beta"], TOL)
    agree(capm.events["alpha"], market.events["alpha"] - 0.0002 * (1 - market.events["beta"]), 1e-11)  # a small alpha


@pytest.mark.thorough
def test_a_preset_is_the_factor_model_with_its_names(shared, prices):
    factors = read_french(*files(shared, ["ff5", "mom"]))
    for name, (_, names) in PRESETS.items():
        assert es.model(name) == es.model("factors", names=names, risk_free="RF")
    named = {"Mom": "WML", "Mkt-RF": "Mkt"}
    renamed = es.model("carhart", names=("Mkt", "SMB", "HML", "WML"))
    own = run(renamed, prices, factors.rename(columns=named))
    wanted = run("carhart", prices, factors)
    agree(own.ar, wanted.ar, 0.0)
    assert {"Mkt", "WML"} <= set(own.events.columns)


def test_a_factor_that_is_absent_is_named(shared, prices):
    with pytest.raises(InputError, match="'Mom'"):
        run("carhart", prices, read_french(*files(shared, ["ff3"])))
    with pytest.raises(InputError, match="'RF'"):
        run("capm", prices, read_french(*files(shared, ["mom"])), benchmark="^GSPC")


@pytest.mark.parametrize("name", ["capm", *PRESETS])
@pytest.mark.parametrize("level", [0.0, 0.001])
def test_a_security_that_does_not_move_has_no_variation_though_the_rate_moves(name, level):
    model = es.model(name)
    given = make.block(np.random.default_rng(4), model.columns)
    given.r[7] = level
    made = model.fit(given)
    assert np.flatnonzero(made.status != Status.OK).tolist() == [7]
    assert made.status[7] == Status.NO_VARIATION
    assert np.isnan([made.sigma[7], made.r2[7], *made.coef[7]]).all()


@pytest.mark.parametrize("name", ["capm", *PRESETS])
def test_the_plain_return_stays_beside_the_abnormal_one(name):
    """Compounding needs the normal return, R - AR, with the risk-free return in it."""
    model = es.model(name)
    given = make.block(np.random.default_rng(6), model.columns)
    made = model.fit(given)
    np.testing.assert_array_equal(made.block.r, given.r)
    risk_free = given.x[..., -1]
    x = given.x[..., :-1] - (risk_free[..., None] if name == "capm" else 0.0)
    normal = risk_free + made.coef[:, :1] + np.einsum("nlk,nk->nl", x, made.coef[:, 1:])
    np.testing.assert_allclose((given.r - made.ar)[given.ok], normal[given.ok], atol=1e-15)


@pytest.mark.parametrize("names", ["SMB", (), ("SMB", "SMB"), ("SMB", 1)])
def test_names_that_are_not_valid(names):
    with pytest.raises(InputError, match=r"names of a factor model is .*; give a list of different column names"):
        es.model("ff3", names=names)


@pytest.mark.parametrize("risk_free", ["", 1, "benchmark"])
def test_a_risk_free_column_that_is_not_valid(risk_free):
    with pytest.raises(InputError, match=r"risk_free of the capm model is .*; give the name of a column other than"):
        es.model("capm", risk_free=risk_free)
    with pytest.raises(InputError, match=r"risk_free of a factor model is"):
        Factors(("benchmark", "SMB"), risk_free)


def test_capm_is_not_without_a_rate():
    with pytest.raises(InputError, match="risk_free of the capm model is None"):
        es.model("capm", risk_free=None)
