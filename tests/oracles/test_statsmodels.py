"""statsmodels, event by event, on random prices with missing days: one to four regressors, and leads and lags."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from tests.oracles.data import Floats, agree, events, per_event

pytestmark = pytest.mark.thorough

TOL = 1e-12
DAYS = list(range(-3, 6))
WINDOWS = [*((d, d) for d in DAYS), (-3, 5), (0, 2), (1, 5)]
ESTIMATION = (-140, -11)
SPAN = np.arange(ESTIMATION[0], ESTIMATION[1] + 1)
FIRMS = [f"F{i}" for i in range(8)]


class Data(NamedTuple):
    """Prices of firms and an index with holes, returns of factors with holes, and one event row a firm."""

    prices: pd.DataFrame
    factors: pd.DataFrame
    rows: list[int]

    @property
    def returns(self) -> pd.DataFrame:
        """Simple returns; missing where either price is."""
        return self.prices / self.prices.shift(1) - 1


def data(seed: int) -> Data:
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2019-01-01", periods=320)
    factors = pd.DataFrame(0.01 * rng.standard_t(4, (320, 4)), index=dates, columns=["MKT", "SMB", "HML", "MOM"])
    factors["SMB"] += 0.6 * factors["MKT"]
    returns = factors.to_numpy() @ rng.normal(0.5, 1.0, (4, 8)) + 0.02 * rng.standard_t(5, (320, 8))
    index = (1.0 + factors["MKT"] + 0.002 * rng.standard_normal(320)).cumprod()
    prices = pd.DataFrame(50.0 * np.cumprod(1.0 + returns, axis=0), index=dates, columns=FIRMS).assign(INDEX=index)
    holes = rng.random(prices.shape) < 0.03
    holes[:, 0] = False  # one firm with every price
    factors = factors.mask(rng.random(factors.shape) < 0.02)
    return Data(prices.mask(holes), factors, rng.integers(160, 300, 8).tolist())


def run(given: Data, model: str | Any, min_coverage: float = 1.0, benchmark: str | None = None) -> es.Result:
    study = es.Study(
        model=model, benchmark=benchmark, estimation=ESTIMATION, event=(DAYS[0], DAYS[-1]), windows=WINDOWS,
        min_estimation=60, min_coverage=min_coverage, tests="cross_section",
    )  # fmt: skip
    dates = [str(given.prices.index[row].date()) for row in given.rows]
    result = study.run(events(FIRMS, dates), es.Prices.from_frame(given.prices), factors=given.factors)
    assert (result.events["status"] == "ok").all()
    return result


def compare(given: Data, result: es.Result, own: pd.DataFrame, x: pd.DataFrame, names: list[str], share: float) -> None:
    """Regress each firm's returns on a constant and x in its estimation window, and compare all that we give."""
    x = sm.add_constant(x)
    expected: dict[str, list[Any]] = {name: [] for name in ("coef", "sigma", "r2", "n", "ar", "car", "se", "df")}
    for firm, row in zip(FIRMS, given.rows, strict=True):
        table = x.assign(y=own[firm])
        before = table.iloc[row + SPAN].dropna()
        fit = sm.OLS(before["y"], before[x.columns]).fit()
        during = table.iloc[row + np.array(DAYS)]
        ar = during["y"] - fit.predict(during[x.columns])
        expected["coef"].append(fit.params.to_numpy())
        expected["sigma"].append(np.sqrt(fit.mse_resid))
        expected["r2"].append(fit.rsquared)
        expected["n"].append(fit.nobs)
        expected["ar"].append(ar.to_numpy())
        expected["df"].append(fit.df_resid)
        sums = [car_and_se(fit, during[x.columns], ar.set_axis(DAYS), window, share) for window in WINDOWS]
        expected["car"].append([car for car, _ in sums])
        expected["se"].append([se for _, se in sums])
    agree(result.events[names], expected["coef"], TOL)
    agree(result.events["sigma"], expected["sigma"], TOL)
    agree(result.events["r2"], expected["r2"], TOL, scale=1.0)
    agree(result.events["n_estimation"], expected["n"], 0.0)
    agree(result.ar, expected["ar"], TOL)
    averages(result.daily, np.array(expected["ar"]), share)
    car, se = np.array(expected["car"]), np.array(expected["se"])
    agree(per_event(result, "car", WINDOWS), car, TOL)
    agree(per_event(result, "se", WINDOWS), se, TOL)
    agree(per_event(result, "t", WINDOWS), car / se, TOL)
    p = 2 * stats.t.sf(np.abs(car / se), np.array(expected["df"])[:, None])
    agree(per_event(result, "p", WINDOWS), p, TOL, scale=1.0)


def averages(daily: pd.DataFrame, ar: Floats, share: float) -> None:
    """Average over the firms that have a return that day, and over those whose running sum has enough of them."""
    valid = np.isfinite(ar)
    agree(daily["n"], valid.sum(axis=0), 0.0)
    agree(daily["aar"], np.nanmean(ar, axis=0), TOL)
    seen = np.cumsum(valid, axis=1)
    enough = (seen >= share * np.arange(1, len(DAYS) + 1)) & (seen > 0)
    running = np.where(enough, np.nancumsum(ar, axis=1), np.nan)
    agree(daily["caar"], np.nanmean(running, axis=0), TOL)


def car_and_se(fit: Any, x: pd.DataFrame, ar: pd.Series, window: tuple[int, int], share: float) -> tuple[float, float]:
    """Sum the valid days of a window: one day's error is that of a prediction, a sum's follows from the covariance."""
    inside = np.arange(window[0], window[1] + 1) - DAYS[0]
    valid = inside[ar.iloc[inside].notna().to_numpy()]
    if len(valid) == 0 or len(valid) < share * len(inside):
        return np.nan, np.nan
    if len(valid) == 1:
        return float(ar.iloc[valid[0]]), float(fit.get_prediction(x.iloc[valid]).se_obs[0])
    total = x.iloc[valid].sum().to_numpy()
    return float(ar.iloc[valid].sum()), float(np.sqrt(fit.mse_resid * len(valid) + total @ fit.cov_params() @ total))


@pytest.mark.contract("k", "share")
@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_factors(k, share):
    given = data(seed=k)
    names = list(given.factors.columns[:k])
    result = run(given, es.model("factors", names=names), min_coverage=share)
    assert result.ar.isna().any(axis=None)  # days of the event window are missing too
    compare(given, result, given.returns, given.factors[names], ["alpha", *names], share)


def test_factors_over_the_risk_free_rate():
    given = data(seed=11)
    given.factors["RF"] = 0.0001 + 0.00005 * np.sin(np.arange(len(given.factors)))
    result = run(given, es.model("factors", names=["MKT", "HML"], risk_free="RF"))
    own = given.returns.sub(given.factors["RF"], axis=0)
    compare(given, result, own, given.factors[["MKT", "HML"]], ["alpha", "MKT", "HML"], 1.0)


def test_market_model():
    given = data(seed=12)
    result = run(given, "market", benchmark="INDEX")
    compare(given, result, given.returns, given.returns[["INDEX"]], ["alpha", "beta"], 1.0)


def test_constant_mean():
    given = data(seed=13)
    result = run(given, "mean")
    compare(given, result, given.returns, pd.DataFrame(index=given.prices.index), ["alpha"], 1.0)


@pytest.mark.parametrize(("leads", "lags"), [(1, 1), (0, 2), (2, 0), (2, 3)])
def test_dimson(leads, lags):
    given = data(seed=20 + 5 * leads + lags)
    result = run(given, es.model("dimson", leads=leads, lags=lags), benchmark="INDEX")
    market = given.returns["INDEX"]
    columns = {f"beta_lag{k}": market.shift(k) for k in range(lags, 0, -1)}
    columns |= {"beta": market, **{f"beta_lead{k}": market.shift(-k) for k in range(1, leads + 1)}}
    compare(given, result, given.returns, pd.DataFrame(columns), ["alpha", *columns], 1.0)


@pytest.mark.parametrize("options", [{"leads": -1}, {"lags": 11}, {"leads": 1.5}, {"lags": "1"}])
def test_dimson_with_other_leads_or_lags_is_refused(options):
    [(name, value)] = options.items()
    with pytest.raises(es.InputError, match=rf"{name} of the dimson model is {value!r}; give a whole number 0 to 10"):
        es.model("dimson", **options)


def test_a_session_is_a_day_with_any_price():
    """Where no security has a price, there is no session, and the next return spans the gap."""
    given = data(seed=30)
    closed = given.prices.index[[100, 101, 200]]
    given.prices.loc[closed] = np.nan
    rest = Data(given.prices.drop(index=closed), given.factors.drop(index=closed), [150] * len(FIRMS))
    whole = Data(given.prices, given.factors, [int(given.prices.index.get_loc(rest.prices.index[150]))] * len(FIRMS))
    compare(
        rest, run(whole, "market", benchmark="INDEX"), rest.returns, rest.returns[["INDEX"]], ["alpha", "beta"], 1.0
    )
