"""Robust lines: held to statsmodels' RLM, to the medians by hand, and to the spread of estimates over samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from eventstudy.core.scores import standardise
from eventstudy.errors import InputError
from eventstudy.models.market import Market
from eventstudy.models.robust import Robust
from eventstudy.types import Abnormal, Block, Status
from tests import make

METHODS = ("huber", "theil_sen")


def draw(n: int = 15, seed: int = 1, n_est: int = 60, df: float = 3.0, **choices: Any) -> Block:
    """Draw returns with fat tails."""
    rng = np.random.default_rng(seed)
    given = make.block(rng, Robust().columns, n=n, n_est=n_est, **choices)
    r = 0.001 + 0.9 * given.x[..., 0] + 0.015 * rng.standard_t(df, given.r.shape)
    return replace(given, r=np.where(given.ok, r, 0.0))


def days_of(given: Block, i: int) -> tuple[np.ndarray, np.ndarray]:
    est = np.flatnonzero(given.ok[i, : given.n_est])
    return given.r[i, est], given.x[i, est, 0]


def covariance(made: Abnormal, i: int) -> np.ndarray:
    """Give Cov(alpha, beta) back from the forecast factor."""
    ok = made.ok[i]
    design = np.column_stack([np.ones(ok.sum()), made.block.x[i, ok, 0]])
    root = np.linalg.lstsq(design, made.h[i, ok], rcond=None)[0] * made.sigma[i]
    return np.asarray(root @ root.T)


def test_huber_is_rlm_of_statsmodels() -> None:
    given = draw()
    made = Robust().fit(given)
    for i in range(len(given.r)):
        r, x = days_of(given, i)
        model = sm.RLM(100 * r, sm.add_constant(100 * x), M=sm.robust.norms.HuberT(t=1.345))
        fit = model.fit(conv="coefs", tol=1e-13, maxiter=1000)
        # the iteration stops where a step moves it by less than 1e-10 residual deviations, and converges by halves
        np.testing.assert_allclose(made.coef[i], fit.params * [0.01, 1], rtol=1e-7, atol=1e-9)
        unit = np.diag([0.01, 1.0])
        np.testing.assert_allclose(covariance(made, i), unit @ fit.bcov_scaled @ unit, rtol=1e-6, atol=1e-12)


def test_theil_sen_is_the_median_of_pairwise_slopes_and_of_what_they_leave() -> None:
    given = draw(n=5)
    made = Robust("theil_sen").fit(given)
    for i in range(5):
        r, x = days_of(given, i)
        slopes = sorted((r[t] - r[s]) / (x[t] - x[s]) for s, t in combinations(range(len(r)), 2))
        slope = np.median(slopes)
        np.testing.assert_allclose(made.coef[i], [np.median(r - slope * x), slope], rtol=1e-12, atol=1e-15)
        joint = stats.theilslopes(r, x, method="joint")  # type: ignore[call-overload]  # the stubs lack the name
        np.testing.assert_allclose(made.coef[i], [joint.intercept, joint.slope], rtol=1e-12, atol=1e-15)
        variance = ((joint.high_slope - joint.low_slope) / (2 * stats.norm.ppf(0.975))) ** 2
        np.testing.assert_allclose(covariance(made, i)[1, 1], variance, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_sigma_and_abnormal_returns_are_the_plain_ones_of_the_line(method: Any) -> None:
    given = draw()
    made = Robust(method).fit(given)
    for i in range(len(given.r)):
        r, x = days_of(given, i)
        e = r - made.coef[i, 0] - made.coef[i, 1] * x
        np.testing.assert_allclose(made.sigma[i], np.sqrt((e**2).sum() / (len(r) - 2)), rtol=1e-12)
        np.testing.assert_allclose(made.r2[i], 1 - (e**2).sum() / ((r - r.mean()) ** 2).sum(), rtol=1e-10)
        assert made.dof[i] == len(r) - 2
        ok = given.ok[i]
        ar = given.r[i] - made.coef[i, 0] - made.coef[i, 1] * given.x[i, :, 0]
        np.testing.assert_allclose(made.ar[i, ok], ar[ok], atol=1e-15)
        assert np.isfinite(made.h[i]).all()
    assert made.v is None


@pytest.mark.parametrize("method", METHODS)
def test_what_is_added_to_the_returns_moves_only_its_own_coefficient(method: Any) -> None:
    given = draw()
    made = Robust(method).fit(given)
    moved = Robust(method).fit(replace(given, r=np.where(given.ok, 100 * (given.r + 0.1 + 0.7 * given.x[..., 0]), 0)))
    np.testing.assert_allclose(moved.ar / 100, made.ar, atol=1e-10)  # Huber's iteration, as above
    np.testing.assert_allclose(moved.coef / 100, made.coef + np.array([0.1, 0.7]), rtol=1e-8)
    np.testing.assert_allclose(moved.h, made.h, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_a_benchmark_that_hardly_varies_forecasts_like_its_deviations(method: Any) -> None:
    # a covariance matrix of (alpha, beta) has no digit of this left, and no Cholesky factor
    given = draw(missing=0.0)
    made = Robust(method).fit(given)
    near = Robust(method).fit(replace(given, x=1.0 + 1e-7 * given.x))
    own, its = ((fit.h @ fit.h.transpose(0, 2, 1)) for fit in (near, made))
    np.testing.assert_allclose(own, its, atol=1e-5 * its.max())
    np.testing.assert_allclose(near.coef[:, 1], 1e7 * made.coef[:, 1], rtol=1e-5, atol=50)


@pytest.mark.parametrize("method", METHODS)
def test_a_few_strange_days_move_the_market_model_and_not_the_robust_one(method: Any) -> None:
    clean = draw(n=40, n_est=120, df=30.0, missing=0.0)
    r = clean.r.copy()
    top = np.argsort(clean.x[:, :120, 0], axis=1)[:, -6:]
    np.put_along_axis(r, top, np.take_along_axis(r, top, axis=1) + 0.15, axis=1)
    dirty = replace(clean, r=r)
    moved = np.abs(Robust(method).fit(dirty).coef[:, 1] - Robust(method).fit(clean).coef[:, 1]).mean()
    plain = np.abs(Market().fit(dirty).coef[:, 1] - Market().fit(clean).coef[:, 1]).mean()
    assert plain > 1.0
    assert moved < 0.4 * plain


@pytest.mark.slow
@pytest.mark.parametrize("df", [3.0, 100.0])
@pytest.mark.parametrize("method", METHODS)
def test_the_covariance_is_that_of_the_estimates_over_samples(method: Any, df: float) -> None:
    given = draw(n=500, seed=4, n_est=100, df=df, missing=0.0, n_evt=2)
    given = replace(given, x=np.repeat(given.x[:1], 500, axis=0), r=given.r + 0.9 * (given.x[:1] - given.x)[..., 0])
    made = Robust(method).fit(given)
    claimed = np.mean([np.diag(covariance(made, i)) for i in range(500)], axis=0)
    # 4 standard errors of a variance from 500 samples are 25 %
    np.testing.assert_allclose(made.coef.var(axis=0) / claimed, 1.0, atol=0.25)
    _, sar = standardise(made)
    if df > 4:
        np.testing.assert_allclose(sar.var(), 1.0, atol=4 * np.sqrt(2 / sar.size) + 2 / 98)


@pytest.mark.parametrize("method", METHODS)
def test_returns_that_are_mostly_stale_have_no_robust_line_and_touch_no_other(method: Any) -> None:
    given = draw()
    r = given.r.copy()
    r[4, np.arange(r.shape[1]) % 5 != 0] = 0.0
    with np.errstate(all="raise", under="ignore"):
        made = Robust(method).fit(replace(given, r=r))
    assert made.status[4] == Status.NOT_CONVERGED
    assert np.isnan([made.sigma[4], made.r2[4], *made.coef[4]]).all()
    wanted = Robust(method).fit(given)
    others = np.arange(len(r)) != 4
    np.testing.assert_array_equal(made.coef[others], wanted.coef[others])
    np.testing.assert_array_equal(made.sigma[others], wanted.sigma[others])


def test_an_unknown_method_is_named_with_the_valid_ones() -> None:
    with pytest.raises(InputError, match="'lad'; valid are 'huber', 'theil_sen'"):
        Robust("lad")
