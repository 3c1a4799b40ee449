"""Effects of event days held to statsmodels: one regression with stacked dummies, and the multivariate test."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS

from eventstudy.core import dummies

RNG = np.random.default_rng(11)
D, N = 160, 6
X = np.column_stack([np.ones(D), 0.01 * RNG.standard_normal(D)])
R = X @ RNG.standard_normal((2, N)) + 0.02 * RNG.standard_normal((D, 1)) + 0.01 * RNG.standard_normal((D, N))


def dummied(windows: list[tuple[int, int]], days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the days of the regression, and its design with a dummy for each day of the windows."""
    own = sorted({day for first, last in windows for day in range(first, last + 1)})
    rows = np.concatenate([days, own])
    columns = [(rows == day).astype(float) for day in own]
    return rows, np.column_stack([X[rows], *columns])


@pytest.mark.parametrize(
    "windows", [[(130, 130)], [(130, 134)], [(120, 121), (130, 131), (150, 151)], [(120, 123), (122, 125)]]
)
def test_a_portfolio_is_the_regression_with_dummies(windows):
    days = np.arange(100)
    found = dummies.effects(R, X, days, np.array(windows))
    w = RNG.standard_normal(N)
    estimate, se = dummies.portfolio(found, np.tile(w, (len(windows), 1)))
    rows, design = dummied(windows, days)
    fit = sm.OLS((R @ w)[rows], design).fit()
    own = rows[100:]
    contrast = np.concatenate([[0, 0], [sum(a <= d <= b for a, b in windows) / len(windows) for d in own]])
    test = fit.t_test(contrast)
    np.testing.assert_allclose([estimate, se], [test.effect[0], test.sd[0, 0]], rtol=1e-10)
    assert found.df == fit.df_resid


def test_the_joint_test_is_that_of_the_multivariate_regression():
    days = np.arange(100)
    found = dummies.effects(R, X, days, np.array([(130, 130)]))
    rows, design = dummied([(130, 130)], days)
    table = _MultivariateOLS(R[rows], design).fit().mv_test([("day", np.array([[0.0, 0.0, 1.0]]))])
    expected = table.results["day"]["stat"].loc["Wilks' lambda"]
    f, df1, df2, p = dummies.joint(found, 0, np.arange(N))
    np.testing.assert_allclose(
        [f, df1, df2, p], expected[["F Value", "Num DF", "Den DF", "Pr > F"]].astype(float), rtol=1e-8
    )


def test_too_many_firms_and_a_redundant_one_have_no_joint_test():
    found = dummies.effects(R, X, np.arange(7), np.array([(130, 130)]))
    assert np.isnan(dummies.joint(found, 0, np.arange(N))[0])
    twice = dummies.effects(np.column_stack([R, R[:, 0]]), X, np.arange(100), np.array([(130, 130)]))
    assert np.isnan(dummies.joint(twice, 0, np.arange(N + 1))[3])


@pytest.mark.thorough
def test_different_portfolios_have_the_covariance_of_the_stacked_system():
    """Two windows with portfolios of their own: the covariance of the estimates over draws of normal errors."""
    days, windows = np.arange(60), np.array([(70, 71), (80, 81)])
    weights = RNG.standard_normal((2, N))
    root = RNG.standard_normal((N, N))
    t = []
    for _ in range(4000):
        found = dummies.effects(RNG.standard_normal((90, N)) @ root, X[:90], days, windows)
        estimate, se = dummies.portfolio(found, weights)
        t.append(estimate / se)
    rejected = (np.abs(t) > stats.t.ppf(0.975, 58)).mean()
    assert abs(rejected - 0.05) < 0.011  # 3 standard errors of 4,000 draws


@pytest.mark.parametrize("length", [1, 4])
def test_a_conformal_p_is_the_rank_among_runs_of_one_regression(length):
    days, window = np.r_[5:60, 62:110], (120, 119 + length)
    rows = np.r_[days, 120 : 120 + length]
    w = RNG.standard_normal((1, N))
    own = sm.OLS((R @ w[0])[rows], X[rows]).fit().resid
    runs = [own[:55], own[55:103]]  # day 60 and 61 are no days without events
    sums = np.concatenate([[run[at : at + length].sum() for at in range(len(run) - length + 1)] for run in runs])
    p = (1 + (np.abs(sums) >= abs(own[103:].sum())).sum()) / (1 + len(sums))
    e = dummies.under_null(R, X, days, np.array([window]))
    found = dummies.conformal((e @ w.T)[..., None], days, np.array([window]), np.array([[-3, 115]]), 0)
    assert found == pytest.approx(p, rel=1e-12)


def test_the_joint_rank_is_that_of_mahalanobis_distances():
    days = np.arange(100)
    e = dummies.under_null(R, X, days, np.array([[130, 130]]))
    known = e[[*days, 130]]
    distances = np.einsum("ti,ij,tj->t", known, np.linalg.inv(known.T @ known), known)
    p = np.mean(distances >= distances[-1] * (1 - 1e-12))
    values = dummies.whitened(e, np.arange(N))[:, None]
    assert dummies.conformal(values, days, np.array([[130, 130]]), np.array([[0, 99]]), 0) == pytest.approx(p)
    doubled = np.column_stack([e, e[:, 0]])
    assert np.isnan(dummies.whitened(doubled, np.arange(N + 1))).all()


def test_draws_of_two_dates_are_all_pairs_of_their_days():
    days, windows, spans = np.arange(100), np.array([[130, 130], [140, 140]]), np.array([[0, 49], [50, 99]])
    y = np.zeros((D, 2, 1))
    y[:, :, 0] = RNG.standard_normal((D, 2))
    pairs = np.add.outer(np.r_[y[130, 0, 0], y[:50, 0, 0]], np.r_[y[140, 1, 0], y[50:100, 1, 0]])
    p = (np.abs(pairs) >= abs(pairs[0, 0])).mean()
    found = dummies.conformal(y, days, windows, spans, 3)
    assert found == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / dummies.DRAWS))


def test_too_few_days_have_no_rank():
    values = RNG.standard_normal((D, 1, 1))
    for n, known in [(19, True), (18, False)]:
        spans = np.array([[0, n - 1]])
        assert np.isfinite(dummies.conformal(values, np.arange(100), np.array([[130, 130]]), spans, 0)) == known


@pytest.mark.thorough
def test_a_conformal_p_of_exchangeable_days_with_heavy_tails_has_its_size():
    rng, days, window = np.random.default_rng(4), np.arange(59), np.array([[59, 59]])
    p = []
    for _ in range(1500):
        x = np.column_stack([np.ones(60), rng.standard_normal(60)])
        e = dummies.under_null(rng.standard_t(2, (60, 3)), x, days, window)
        p.append(dummies.conformal(e.mean(axis=1)[:, None, None], days, window, np.array([[0, 58]]), 0))
    # 60 ranks: p <= 0.05 has a probability of 3/60, with a standard error of 0.0056.
    assert abs(np.mean(np.array(p) <= 0.05 + 1e-12) - 0.05) < 0.0226
