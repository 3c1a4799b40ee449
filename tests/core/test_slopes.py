"""The arithmetic of slopes across events: closed forms, and full matrices by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy.core.cr2 import clustered_mean
from eventstudy.core.scores import scores
from eventstudy.core.slopes import Working, cr2, degrees_of_runs, estimate, factor_correlation, run_cars, standardised
from eventstudy.core.sums import add
from eventstudy.core.windows import blocks
from eventstudy.models.market import MODEL as MARKET
from eventstudy.types import Abnormal
from tests import make


def test_the_mean_of_clusters_has_the_closed_form_of_bell_and_mccaffrey() -> None:
    rng = np.random.default_rng(1)
    sizes = np.array([1, 3, 7, 2])
    cluster = np.repeat(np.arange(4), sizes)
    z = rng.standard_normal(13)
    n = len(z)
    sums = np.array([(z - z.mean())[cluster == g].sum() for g in range(4)])
    a = (1 - sizes / n) ** -0.5
    kernel = np.outer(a, a) * (np.diag(sizes) - np.outer(sizes, sizes) / n)
    cov, df = cr2(np.ones((n, 1)), z - z.mean(), cluster)
    assert cov[0, 0] == pytest.approx((sums**2 / (1 - sizes / n)).sum() / n**2, rel=1e-12)
    assert df[0] == pytest.approx(np.trace(kernel) ** 2 / np.trace(kernel @ kernel), rel=1e-12)


def test_clusters_of_one_observation_are_hc2() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(20), rng.standard_normal((20, 2))])
    y = rng.standard_normal(20)
    inverse = np.linalg.inv(x.T @ x)
    e = y - x @ inverse @ x.T @ y
    leverage = (x @ inverse * x).sum(axis=1)
    cov, df = cr2(x, e, np.arange(20))
    np.testing.assert_allclose(cov, inverse @ (x.T * (e**2 / (1 - leverage))) @ x @ inverse, rtol=1e-11)
    assert ((df > 1) & (df < 17 + 1e-9)).all()


def test_a_coefficient_of_one_cluster_alone_has_no_degrees_of_freedom() -> None:
    x = np.column_stack([np.ones(8), np.arange(8) < 2, np.arange(8.0) % 2])
    y = np.array([1.0, 2.0, 4.0, 3.0, 6.0, 5.0, 5.0, 9.0])
    e = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    _, df = cr2(x, e, np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    assert np.isnan(df).tolist() == [False, True, False]


@pytest.mark.parametrize(("n", "length"), [(50, 2), (110, 11), (40, 21)])
def test_the_degrees_of_overlapping_runs_are_those_of_a_quadratic_form(n: int, length: int) -> None:
    """The mean square of runs of independent normal days: twice its squared mean over its variance."""
    inside = np.array([[k <= day < k + length for day in range(n + length - 1)] for k in range(n)], dtype=float)
    quadratic = inside.T @ inside / n
    assert degrees_of_runs(n, length) == pytest.approx(
        np.trace(quadratic) ** 2 / np.trace(quadratic @ quadratic), rel=1e-12
    )


def test_whitened_observations_have_the_identity_as_their_covariance() -> None:
    rng = np.random.default_rng(3)
    loadings = rng.standard_normal(9)
    correlation = np.outer(loadings, loadings) + np.eye(9)
    scale = np.sqrt(np.diag(correlation))
    working = Working(rng.uniform(0.5, 2, 9), correlation / np.outer(scale, scale))
    rows = np.arange(9) != 4
    root = working.whiten(np.eye(9)[rows][:, rows], rows)
    np.testing.assert_allclose(root @ working.covariance[rows][:, rows] @ root.T, np.eye(8), atol=1e-12)
    x, y = np.column_stack([np.ones(9), np.arange(9.0)]), rng.standard_normal(9)
    found = estimate(x, y, working, rows)
    inverse = np.linalg.inv(working.covariance[rows][:, rows])
    b = np.linalg.solve(x[rows].T @ inverse @ x[rows], x[rows].T @ inverse @ y[rows])
    assert found is not None
    np.testing.assert_allclose(found.b, b, rtol=1e-10)
    e = y[rows] - x[rows] @ b
    assert found.s == pytest.approx(np.sqrt(e @ inverse @ e / 6), rel=1e-10)


def test_the_correlations_of_a_factor_are_found_and_noise_is_not_taken_for_one() -> None:
    rng = np.random.default_rng(4)
    loadings, block = np.linspace(-1, 1, 20), np.repeat([0, 1], 10)
    days = np.outer(loadings, rng.standard_normal(2000)) + 0.5 * rng.standard_normal((20, 2000))
    found = factor_correlation(days, block)
    scale = np.sqrt(loadings**2 + 0.25)
    planted = np.outer(loadings, loadings) / np.outer(scale, scale)
    planted[block[:, None] != block] = 0.0
    np.fill_diagonal(planted, 1.0)
    np.testing.assert_allclose(found, planted, atol=0.1)
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-12)
    noise = factor_correlation(rng.standard_normal((20, 2000)), np.zeros(20, dtype=np.int64))
    assert np.abs(noise - np.eye(20)).max() < 0.12


def test_a_day_without_enough_events_does_not_count() -> None:
    rng = np.random.default_rng(5)
    x, days = np.column_stack([np.ones(10), np.arange(10) < 2]).astype(float), rng.standard_normal((10, 4))
    days[:2, 1] = np.nan  # 80 %, but the group of two is gone
    days[4:7, 2] = np.nan  # 70 %
    days[4:6, 3] = np.nan  # 80 %
    found = standardised(x, days, Working(np.ones(10)))
    assert np.isfinite(found).all(axis=0).tolist() == [True, False, False, True]


def test_days_that_all_lack_an_event_are_fitted_to_the_others() -> None:
    rng = np.random.default_rng(6)
    x, days = np.column_stack([np.ones(10), rng.standard_normal(10)]), rng.standard_normal((10, 3))
    days[[2, 5, 2], [0, 1, 2]] = np.nan
    found = standardised(x, days, Working(np.ones(10)))
    for t in range(3):
        fit = sm.OLS(days[:, t], x, missing="drop").fit()
        np.testing.assert_allclose(found[:, t], fit.params / np.sqrt(fit.scale), rtol=1e-10)


def test_as_many_coefficients_as_events_leave_no_residual() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((5, 4)), rng.standard_normal(5)
    found = estimate(x, y, Working(np.ones(5)))
    assert found is not None
    assert found.s > 0
    assert estimate(x, y, Working(np.ones(5)), np.arange(5) > 0) is None


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("compound", [False, True])
def test_runs_of_estimation_days_are_accumulated_like_the_window(compound: bool, own: bool) -> None:
    rng = np.random.default_rng(9)
    spec = replace(make.spec(40, windows=((-1, 2),), min_coverage=0.7), compound=compound)
    case = make.case(rng, n=6, study_spec=spec, missing=0.2)
    case.panels[0].r[0, case.placed.day[0] - 15] = -1.5  # more than all is lost
    placed, block_of = case.placed, {}
    if own:
        begin, last = np.array([-5, 0, 1, -2, -1, 3]), np.array([5, 5, 1, 0, 2, 4])
        placed = placed._replace(own_windows=np.column_stack([np.full((6, 2), spec.estimation), begin, last]))
    for block in blocks(case.panels, placed, spec, 6, 1):
        fitted = MARKET.fit(block)
        state = run_cars(scores(fitted, spec), fitted, spec)
        for row, event in enumerate(block.id):
            block_of[int(event)] = (fitted, row, *(state[name].values[row] for name in ("first", "car")))
    assert len(block_of) == 6
    for event, (fitted, row, first, car) in block_of.items():
        days = [d for d in range(-1, 3) if not own or begin[event] <= d <= last[event]]
        wanted = np.full(40, np.nan)
        if days:
            assert first == days[0] - spec.event[0]
            for t in range(40 - len(days) + 1):
                wanted[t] = plain_run(fitted, row, range(t, t + len(days)), compound)
        np.testing.assert_allclose(car, wanted, rtol=1e-10, atol=1e-13)
        assert np.isfinite(car).any() == bool(days)


def plain_run(fitted: Abnormal, row: int, days: range, compound: bool) -> float:
    """Sum abnormal returns, or compound returns and normal returns; NaN with fewer than 70 % of the days."""
    valid = [t for t in days if fitted.ok[row, t]]
    if len(valid) < 0.7 * len(days):
        return np.nan
    if not compound:
        return float(sum(fitted.ar[row, t] for t in valid))
    held, normal = 1.0, 1.0
    for t in valid:
        r, its = fitted.block.r[row, t], fitted.block.r[row, t] - fitted.ar[row, t]
        if min(r, its) <= -1.0:
            return np.nan
        held, normal = held * (1 + r), normal * (1 + its)
    return float(held - normal)


def test_runs_are_as_long_as_the_part_of_the_window_that_the_event_has() -> None:
    """Of days -1 to 1 the events have three, two and none."""
    block = make.block(np.random.default_rng(7), n=3, missing=0.0)
    own = np.ones((3, 11), dtype=bool)
    own[1, 4] = own[2, 4:7] = False
    fitted = MARKET.fit(replace(block, in_own_window=own))
    its = make.spec(60, windows=((-1, 1),))
    found = add({}, run_cars(scores(fitted, its), fitted, its))
    car = found["car"].values
    for event, length in ((0, 3), (1, 2)):
        wanted = [fitted.ar[event, day : day + length].sum() for day in range(60 - length + 1)]
        np.testing.assert_allclose(car[event, : len(wanted)], wanted, rtol=1e-9, atol=1e-14)
        assert np.isnan(car[event, len(wanted) :]).all()
    assert np.isnan(car[2]).all()
    assert found["first"].values[:2].tolist() == [4, 5]


def test_the_mean_over_clusters_is_the_slope_of_a_constant():
    rng = np.random.default_rng(8)
    cluster = np.sort(rng.integers(0, 9, 40))
    z = rng.standard_normal(40) + rng.standard_normal(9)[cluster]
    cov, df = cr2(np.ones((40, 1)), z - z.mean(), cluster)
    total, count = (np.bincount(cluster, leaf, 9).astype(np.float64) for leaf in (z, np.ones(40)))
    mean = clustered_mean(total, count, np.zeros(9, dtype=np.int64), 1)
    np.testing.assert_allclose(mean.se[0] ** 2, cov[0, 0], rtol=1e-12)
    np.testing.assert_allclose(mean.df, df, rtol=1e-12)
