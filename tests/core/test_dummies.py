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
