"""Conditional variances: held to ``arch`` called by hand, to simulated paths, and to storms that are known."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from arch import arch_model
from arch import univariate as arch
from scipy import stats

import eventstudy as es
from eventstudy.core.scores import standardise
from eventstudy.errors import InputError
from eventstudy.models.garch import DISTS, Garch, _Dynamics, _forecast, _log_forecast
from eventstudy.models.market import Market
from eventstudy.types import Block, Status
from tests import make

VOLS = {"garch": ("GARCH", 0), "gjr": ("GARCH", 1), "egarch": ("EGARCH", 1)}
ROWS = ("ar", "sigma", "h", "coef", "r2", "v")


def clustered(
    n: int, n_est: int, n_evt: int = 5, seed: int = 3, fall: float = 0.08, df: float | None = None
) -> tuple[Block, np.ndarray]:
    """Draw market-model returns with variances that cluster; give the block and the true variances (N, L)."""
    rng = np.random.default_rng(seed)
    given = make.block(rng, Garch().columns, n=n, n_est=n_est, n_evt=n_evt, missing=0.0)
    given = replace(given, gap=0)
    length, before, h = n_est + n_evt, 200, np.ones(n)
    e, variance = np.empty((n, length)), np.empty((n, length))
    for t in range(before + length):
        shock = rng.standard_t(df, n) * np.sqrt(1 - 2 / df) if df else rng.standard_normal(n)
        now = np.sqrt(h) * shock
        if t >= before:
            e[:, t - before], variance[:, t - before] = now, h
        h = 0.03 + (0.09 + fall * (now < 0)) * now**2 + (0.88 - fall / 2) * h
    return replace(given, r=0.001 + 0.9 * given.x[..., 0] + 0.02 * e), 0.02**2 * variance


def by_hand(given: Block, i: int, kind: str, dist: str, p: int = 1, q: int = 1, ftol: float = 1e-11) -> Any:
    """Fit one event in per cent, on its valid estimation days."""
    est = np.flatnonzero(given.ok[i, : given.n_est])
    vol, leverage = VOLS[kind]
    model = arch_model(
        100 * given.r[i, est], x=100 * given.x[i, est], mean="LS", vol=vol, p=p, o=p * leverage, q=q, dist=dist,
        rescale=False,
    )  # fmt: skip
    return model.fit(disp="off", options={"ftol": ftol, "maxiter": 1000})


# Of parameters in per cent: how far two optimisers stop from each other, more where the likelihood is flat in nu.
DIGITS = {"normal": 1e-5, "t": 2e-3, "egarch": 2e-3}
CASES = [(kind, dist, 1, 1) for kind in VOLS for dist in DISTS]


@pytest.mark.contract("kind", "dist")
@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "dist", "p", "q"), [*CASES, ("garch", "normal", 2, 2), ("garch", "t", 1, 2)])
def test_it_is_arch_called_by_hand(kind: Any, dist: Any, p: int, q: int) -> None:
    given, _ = clustered(4, 500, df=5.0 if dist == "t" else None)
    given = replace(given, gap=7)
    model = Garch(kind, dist, p, q)
    made = model.fit(given)
    assert (made.status == Status.OK).all()
    near = DIGITS.get(kind, DIGITS[dist])
    for i in range(4):
        fit = by_hand(given, i, kind, dist, p, q, 1e-8 if kind == "egarch" else 1e-11)
        own = made.coef[i].copy()
        e = given.r[i] - own[0] - own[1] * given.x[i, :, 0]
        np.testing.assert_allclose(made.ar[i], e, atol=1e-15)
        np.testing.assert_allclose(made.sigma[i] ** 2, (e[:500] ** 2).sum() / 498, rtol=1e-10)
        lags = own[[name.startswith("garch") for name in model.coefficients]].sum()
        own[0] *= 100
        own[2] = own[2] + np.log(1e4) * (1 - lags) if kind == "egarch" else own[2] * 1e4
        np.testing.assert_allclose(own, fit.params, rtol=near, atol=near)
        path = made.v[i] * made.sigma[i] ** 2 * 1e4
        np.testing.assert_allclose(path[:500], fit.conditional_volatility**2, rtol=10 * near)
        if kind != "egarch":  # for which arch has no analytic forecast
            ahead = fit.forecast(horizon=12, x={"x0": np.zeros((1, 12))}, reindex=False).variance.to_numpy()[-1]
            np.testing.assert_allclose(path[500:], ahead[7:], rtol=10 * near)


def test_the_forecast_factor_is_that_of_weighted_least_squares() -> None:
    given, _ = clustered(3, 250)
    made = Garch().fit(given)
    for i in range(3):
        design = np.column_stack([np.ones(255), given.x[i, :, 0]])
        variance = made.v[i, :250] * made.sigma[i] ** 2
        cov = np.linalg.inv(design[:250].T @ np.diag(1 / variance) @ design[:250])
        wanted = np.einsum("lp,pq,lq->l", design, cov, design) / made.sigma[i] ** 2
        np.testing.assert_allclose((made.h[i] ** 2).sum(axis=1), wanted, rtol=1e-9)
        assert ((made.h[i, :250] ** 2).sum(axis=1) < made.v[i, :250]).all()


def test_no_return_of_the_event_window_enters_its_variances() -> None:
    given, _ = clustered(3, 120)
    r = given.r.copy()
    r[:, 120:] += 0.5
    found, wanted = Garch().fit(replace(given, r=r)), Garch().fit(given)
    np.testing.assert_array_equal(found.v, wanted.v)
    np.testing.assert_array_equal(found.sigma, wanted.sigma)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["garch", "egarch"])
def test_days_without_a_return_age_the_forecast(kind: Any) -> None:
    given, _ = clustered(3, 250, n_evt=8)
    ok = given.ok.copy()
    ok[:, 247:250] = False
    late = Garch(kind).fit(replace(given, ok=ok))
    cut = [getattr(given, name)[:, :247] for name in ("r", "ok", "x")]
    rest = [getattr(given, name)[:, 250:] for name in ("r", "ok", "x")]
    r, own, x = (np.concatenate(parts, axis=1) for parts in zip(cut, rest, strict=True))
    gap = Garch(kind).fit(replace(given, r=r, ok=own, x=x, n_est=247, gap=3))
    np.testing.assert_array_equal(late.v[:, 250:], gap.v[:, 247:])
    masked = given.ok.copy()
    masked[:, 252] = False
    found, whole = Garch(kind).fit(replace(given, ok=masked)), Garch(kind).fit(given)
    np.testing.assert_array_equal(found.v[:, 253:], whole.v[:, 253:])


def test_missing_estimation_days_are_left_out_of_the_likelihood() -> None:
    given, _ = clustered(3, 250)
    ok = given.ok.copy()
    ok[:, 100:103] = False
    found = Garch().fit(replace(given, ok=ok))
    keep = np.delete(np.arange(255), [100, 101, 102])
    wanted = Garch().fit(replace(given, r=given.r[:, keep], ok=given.ok[:, keep], x=given.x[:, keep], n_est=247))
    for name in ("coef", "sigma"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    np.testing.assert_array_equal(found.v[:, keep], wanted.v)


def simulated(its: _Dynamics, e: np.ndarray, variance: np.ndarray, horizon: int, logs: bool, n: int) -> np.ndarray:
    """Draw variances of the days ahead, (n, horizon), by the recursion itself; all orders are 2."""
    rng = np.random.default_rng(8)
    es_, hs = [np.full(n, e[-2]), np.full(n, e[-1])], [np.full(n, variance[-2]), np.full(n, variance[-1])]
    for _ in range(horizon):
        h = np.full(n, its.omega)
        for j in range(2):
            past, var = es_[-1 - j], hs[-1 - j]
            if logs:
                z = past / np.sqrt(var)
                h += its.shock[j] * (np.abs(z) - np.sqrt(2 / np.pi)) + its.leverage[j] * z + its.lags[j] * np.log(var)
            else:
                h += (its.shock[j] + its.leverage[j] * (past < 0)) * past**2 + its.lags[j] * var
        h = np.exp(h) if logs else h
        nu = its.nu[0] if len(its.nu) else 0.0
        z = rng.standard_t(nu, n) * np.sqrt((nu - 2) / nu) if nu else rng.standard_normal(n)
        hs.append(h)
        es_.append(np.sqrt(h) * z)
    return np.stack(hs[2:], axis=1)


@pytest.mark.thorough
def test_forecasts_are_the_means_of_simulated_variances() -> None:
    e, variance = np.array([0.4, -1.5, 1.1]), np.array([1.2, 0.9, 1.6])
    two = np.array  # lags
    gjr = _Dynamics(0.05, two([0.06, 0.03]), two([0.1, 0.02]), two([0.5, 0.25]), np.empty(0))
    log = _Dynamics(0.02, two([0.2, 0.1]), two([-0.15, -0.05]), two([0.6, 0.3]), np.empty(0))
    for its, logs, ahead in ((gjr, False, _forecast), (log, True, _log_forecast)):
        drawn = simulated(its, e, variance, 12, logs, 200_000)
        error = drawn.std(axis=0) / np.sqrt(len(drawn))
        found = ahead(its, e, variance, 12)
        assert (np.abs(found - drawn.mean(axis=0)) < 4 * error + 1e-9).all()
        assert np.abs(found[-1] / found[0] - 1) > 0.05


@pytest.mark.thorough
def test_the_log_forecast_with_t_innovations_is_the_mean_log() -> None:
    its = _Dynamics(0.02, np.array([0.3, 0.1]), np.array([-0.1, 0.0]), np.array([0.5, 0.3]), np.array([5.0]))
    e, variance = np.array([0.4, -1.5]), np.array([1.2, 0.9])
    drawn = np.log(simulated(its, e, variance, 10, True, 200_000))
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(np.log(_log_forecast(its, e, variance, 10)) - drawn.mean(axis=0)) < 4 * error + 1e-9).all()


@pytest.mark.slow
def test_abnormal_returns_have_variance_one_in_calm_and_in_storm() -> None:
    given, variance = clustered(300, 250, n_evt=1, seed=5, fall=0.0)
    made, plain = Garch().fit(given), Market().fit(given)
    assert (made.status == Status.OK).mean() > 0.99
    own, unscaled = standardise(made)[1][:, 0], standardise(plain)[1][:, 0]
    order = np.argsort(variance[:, 250])
    calm, storm = order[:100], order[-100:]
    # 4 standard errors of the variance of 100 values are 0.57; the forecast's own error is in it
    for days in (calm, storm):
        assert 0.5 < own[days].var() < 1.6
    assert unscaled[calm].var() < 0.6
    assert unscaled[storm].var() > 1.6
    # and over all events the forecast follows the truth
    found = made.v[:, 250] * made.sigma**2
    assert np.corrcoef(np.log(found), np.log(variance[:, 250]))[0, 1] > 0.85


class Failing:
    """Stand in for the optimiser: it fails where the returns are those of one event."""

    def __init__(self, how: str, length: int) -> None:
        self.how, self.length = how, length

    def __call__(self, model: Any, *args: Any, **options: Any) -> Any:
        if len(model._y) != self.length:
            return FIT(model, *args, **options)
        if self.how == "raises":
            raise np.linalg.LinAlgError("singular")
        made = FIT(model, *args, **options)
        if self.how == "stops":
            made._optim_output["status"] = 9
        elif self.how == "is less likely than a constant":
            made._loglikelihood = stats.norm.logpdf(model._y, scale=np.std(model._y)).sum() - 2.0
        else:
            made._volatility = made._volatility * np.nan
        return made


FIT = arch.LS.fit


@pytest.mark.parametrize("how", ["raises", "stops", "is less likely than a constant", "is not finite"])
def test_a_fit_without_an_optimum_is_not_converged_and_touches_no_other(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, _ = clustered(4, 120)
    ok = given.ok.copy()
    ok[2, 50] = False
    given = replace(given, ok=ok)
    wanted = Garch().fit(given)
    failing = Failing(how, 119)
    monkeypatch.setattr(arch.LS, "fit", lambda *args, **options: failing(*args, **options))
    made = Garch().fit(given)
    assert made.status.tolist() == [Status.OK, Status.OK, Status.NOT_CONVERGED, Status.OK]
    assert np.isnan([made.sigma[2], made.r2[2], *made.coef[2]]).all()
    for name in ROWS:
        np.testing.assert_array_equal(
            np.delete(getattr(made, name), 2, axis=0), np.delete(getattr(wanted, name), 2, axis=0), err_msg=name
        )


@pytest.mark.thorough
@pytest.mark.parametrize("scale", [1.0, 3.0, 100.0])
def test_no_fit_is_less_likely_than_the_constant_variance_that_it_contains(scale: float) -> None:
    """Of samples like these, egarch's optimiser stops at points 300 below it in one of some hundred."""
    given = clustered(20, 250)[0]
    given = replace(given, r=scale * given.r, x=scale * given.x)
    made = Garch("egarch").fit(given)
    assert made.v is not None
    good = np.flatnonzero(made.status == Status.OK)
    assert len(good) > 15
    u = Market().fit(given).ar[:, :250]
    variance = (made.sigma[:, None] ** 2 * made.v)[:, :250]
    fitted = stats.norm.logpdf(made.ar[:, :250], scale=np.sqrt(variance)).sum(axis=1)
    constant = stats.norm.logpdf(u, scale=u.std(axis=1, keepdims=True)).sum(axis=1)
    assert (fitted[good] > constant[good] - 2.5).all()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", VOLS)
def test_a_variance_that_vanishes_is_not_converged(kind: Any) -> None:
    """The residuals of a stale price are 0, and the likelihood grows without bound."""
    given, _ = clustered(2, 250)
    r = given.r.copy()
    r[1, 130:] = 0.9 * given.x[1, 130:, 0]
    r[1, :130] -= (r[1, :130] - 0.9 * given.x[1, :130, 0]).mean()
    assert Garch(kind).fit(replace(given, r=r)).status.tolist() == [Status.OK, Status.NOT_CONVERGED]


def test_fewer_days_than_parameters_are_too_few() -> None:
    given, _ = clustered(2, 120)
    ok = given.ok.copy()
    ok[1, 5:120] = False
    assert Garch().fit(replace(given, ok=ok)).status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION]


def test_it_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    given, _ = clustered(2, 60)
    Garch("egarch", "t").fit(given)
    assert capfd.readouterr() == ("", "")


def test_without_arch_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch.univariate", None)
    given, _ = clustered(2, 60)
    with pytest.raises(InputError, match=r'pip install "\.\[models\]"'):
        Garch().fit(given)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "figarch"}, "'figarch'; valid are 'garch', 'egarch', 'gjr'"),
        ({"dist": "ged"}, "'ged'; valid are 'normal', 't'"),
        ({"p": 0}, "p of the garch model is 0; give a whole number 1 to 5"),
        ({"q": 1.5}, "q of the garch model is 1.5; give a whole number 1 to 5"),
    ],
)
def test_options_that_are_none_are_named_with_the_valid_ones(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        es.model("garch", **options)
