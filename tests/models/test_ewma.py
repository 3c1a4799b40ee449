"""EWMA: statsmodels' weighted least squares, traces of whole matrices, rational arithmetic, and NIST's Norris."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.types import Abnormal, Block, Status
from tests import make
from tests.models.linear import simulate, size, the_variances_are_those_of_a_linear_estimator

HALFLIVES = (10.0, 60.0, float("inf"))
each = pytest.mark.parametrize("halflife", HALFLIVES)


def block(seed: int = 1, **choices: int) -> Block:
    return make.block(np.random.default_rng(seed), make.BENCHMARK, **choices)


def one(r: np.ndarray, x: np.ndarray, halflife: float) -> Abnormal:
    """Fit one event; its first estimation day stands a second time as its event window."""
    flat = np.zeros(1, dtype=np.int64)
    again, ok = np.append(x, x[0])[None, :, None], np.ones((1, len(r) + 1), dtype=bool)
    given = Block(np.append(r, r[0])[None], ok, again, len(r), flat, flat, flat, np.ones(1), 1, 1)
    return es.model("ewma", halflife=halflife).fit(given)


@each
def test_weighted_least_squares_of_statsmodels_event_by_event(halflife: float):
    given = block(n=12)
    made = es.model("ewma", halflife=halflife).fit(given)
    for i in range(12):
        days = np.flatnonzero(given.ok[i, : given.n_est])
        w = 2.0 ** ((days - given.n_est) / halflife)  # a missing day ages those before it
        design = sm.add_constant(given.x[i, :, 0])
        fit = sm.WLS(given.r[i, days], design[days], weights=w).fit()
        np.testing.assert_allclose(made.coef[i], fit.params, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(made.r2[i], fit.rsquared, rtol=1e-9)
        wanted = np.where(given.ok[i], given.r[i] - design @ fit.params, 0.0)
        np.testing.assert_allclose(made.ar[i], wanted, atol=1e-14)


@each
def test_sigma_and_degrees_of_freedom_are_those_of_the_quadratic_form(halflife: float):
    given = block(n=6)
    made = es.model("ewma", halflife=halflife).fit(given)
    for i in range(6):
        days = np.flatnonzero(given.ok[i, : given.n_est])
        w = np.diag(2.0 ** ((days - given.n_est) / halflife))
        x = sm.add_constant(given.x[i, days, 0])
        rest = np.eye(len(days)) - x @ np.linalg.solve(x.T @ w @ x, x.T @ w)
        q = rest.T @ w @ rest
        e = rest @ given.r[i, days]
        np.testing.assert_allclose(made.sigma[i] ** 2, e @ w @ e / np.trace(q), rtol=1e-11)
        np.testing.assert_allclose(made.dof[i], np.trace(q) ** 2 / np.trace(q @ q), rtol=1e-11)


@each
def test_variances_are_exact_for_independent_errors(halflife: float):
    for event in (0, 7):
        the_variances_are_those_of_a_linear_estimator(es.model("ewma", halflife=halflife), block(n=8), event)


def test_without_decay_it_is_least_squares():
    given = block()
    made, plain = es.model("ewma", halflife=float("inf")).fit(given), es.model("market").fit(given)
    for name in ("ar", "sigma", "dof", "coef", "r2"):
        np.testing.assert_allclose(getattr(made, name), getattr(plain, name), rtol=1e-11, atol=1e-14, err_msg=name)
    np.testing.assert_allclose(made.v, 1.0, rtol=1e-13)


def test_norris_of_nist():
    """NIST StRD linear regression Norris: the data and the certified values."""
    cells = """
    0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3 449.1 448.6 778.9 777.0
    559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0 448.9 447.5 10.8 11.6 557.7 556.0 228.3 228.1
    998.0 995.8 888.8 887.6 119.6 120.2 0.3 0.3 0.6 0.3 557.6 556.8 339.3 339.1 888.0 887.2 998.5 999.0 778.9 779.0
    10.2 11.1 117.6 118.3 228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5
    """
    y, x = np.array(cells.split(), dtype=np.float64).reshape(-1, 2).T
    made = one(y, x, float("inf"))
    np.testing.assert_allclose(made.coef[0], [-0.262323073774029, 1.00211681802045], rtol=1e-12)
    np.testing.assert_allclose(made.sigma, 0.884796396144373, rtol=1e-13)
    np.testing.assert_allclose(made.r2, 0.999993745883712, rtol=1e-14)
    assert made.dof[0] == pytest.approx(34, rel=1e-13)


def test_rational_arithmetic_far_from_zero():
    """A half-life of one session has weights that are powers of 2: the solution is a ratio of whole numbers."""
    rng = np.random.default_rng(3)
    x = np.round(1e6 + 100 * rng.standard_normal(24), 3)
    y = np.round(1e6 + 0.7 * (x - 1e6) + rng.standard_normal(24), 3)
    made = one(y, x, 1.0)
    w = [Fraction(1, 2 ** (23 - t)) for t in range(24)]
    a, b = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean_x, mean_y = (sum(u * v for u, v in zip(w, s, strict=True)) / sum(w) for s in (a, b))
    across = sum(u * (p - mean_x) * (q - mean_y) for u, p, q in zip(w, a, b, strict=True))
    slope = across / sum(u * (p - mean_x) ** 2 for u, p in zip(w, a, strict=True))
    exact = [float(mean_y - slope * mean_x), float(slope)]
    # x has 8 digits more than its deviations: rounding of x - mean(x) alone is 1e-12 of these
    np.testing.assert_allclose(made.coef[0], exact, rtol=1e-11)
    np.testing.assert_allclose(made.ar[0, -1], float(b[0] - mean_y - slope * (a[0] - mean_x)), rtol=1e-9)


def test_a_missing_day_ages_those_before_it():
    given = block(n=2)
    ok = np.ones_like(given.ok)
    ok[1, 20:40] = False
    r, x = np.repeat(given.r[:1], 2, axis=0), np.repeat(given.x[:1], 2, axis=0)
    made = es.model("ewma", halflife=15.0).fit(replace(given, r=r, x=x, ok=ok))
    days = np.flatnonzero(ok[1, : given.n_est])
    design = sm.add_constant(x[1, days, 0])
    by_session, by_rank = (
        sm.WLS(r[1, days], design, weights=2.0 ** (t / 15.0)).fit().params for t in (days, np.arange(40))
    )
    np.testing.assert_allclose(made.coef[1], by_session, rtol=1e-10)
    assert np.abs(by_rank - by_session).max() > 1e-3


def test_two_valid_days_are_too_few():
    given = block(n=3)
    ok = given.ok.copy()
    ok[1, : given.n_est] = False
    ok[1, [3, 9]] = True
    made = es.model("ewma").fit(replace(given, ok=ok))
    assert made.status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION, Status.OK]


def test_weights_too_small_for_a_number_do_no_harm():
    given = block(n=5, n_est=2000)
    with np.errstate(all="raise", under="ignore"):
        made = es.model("ewma", halflife=1.0).fit(given)
    assert (made.status == Status.OK).all()
    assert np.isfinite(made.sigma).all()
    assert ((made.dof >= 1) & (made.dof < 5)).all()


@pytest.mark.parametrize("halflife", [0, -1.0, 0.5, float("nan"), True, "60", None])
def test_another_half_life_is_refused(halflife: Any):
    with pytest.raises(es.errors.InputError, match=r"halflife of the ewma model is .*; give a number of sessions"):
        es.model("ewma", halflife=halflife)


@pytest.mark.thorough
@pytest.mark.parametrize("halflife", [15.0, 60.0])
def test_size_of_the_car_t_and_the_mean_of_sigma_squared(halflife: float):
    found = simulate(es.model("ewma", halflife=halflife), 4000, 120, 1)
    assert (np.abs(size(found["p"]) - 0.05) < 0.014).all()  # four standard errors
    ratio = found["sigma"] ** 2 / 4.0
    assert abs(ratio.mean() - 1.0) < 4 * np.sqrt(2 / found["dof"].mean() / 4000)
    np.testing.assert_allclose(2 / ratio.var(), found["dof"].mean(), rtol=0.1)  # 4.5 sd of a variance of 4000


@pytest.mark.slow
@pytest.mark.parametrize("halflife", [15.0, 60.0])
def test_size_of_the_car_t_at_length(halflife: float):
    model = es.model("ewma", halflife=halflife)
    p = np.concatenate([simulate(model, 5000, 250, seed)["p"] for seed in range(20)])
    assert (np.abs(size(p) - 0.05) < 0.003).all()
