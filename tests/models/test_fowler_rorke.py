"""Fowler-Rorke: the multiple regression and weights by hand, and what the weights are for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.types import Block, Model, Status
from tests import make
from tests.models.linear import simulate, size, the_variances_are_those_of_a_linear_estimator

ORDERS = {order: es.model("fowler_rorke", order=order) for order in (1, 2)}
each = pytest.mark.parametrize("order", ORDERS)


def block(model: Model, seed: int = 1, **choices: int) -> Block:
    return make.block(np.random.default_rng(seed), model.columns, **choices)


def weights(rho: list[float]) -> list[float]:
    """Give w_1 and, for order 2, w_2 as the paper prints them."""
    if len(rho) == 1:
        return [(1 + rho[0]) / (1 + 2 * rho[0])]
    below = 1 + 2 * rho[0] + 2 * rho[1]
    return [(1 + 2 * rho[0] + rho[1]) / below, (1 + rho[0] + rho[1]) / below]


def by_hand(r: np.ndarray, x: np.ndarray, order: int) -> float:
    """Give beta from statsmodels' regressions on x (M, 2 order + 1)."""
    own = x[:, order]
    on = [sm.OLS(own, sm.add_constant(x[:, k])).fit().params[1] for k in range(2 * order + 1)]
    w = weights([(on[order - k] + on[order + k]) / 2 for k in range(1, order + 1)])
    d = sm.OLS(r, sm.add_constant(x)).fit().params[1:]
    return float(d[order] + sum(w[k - 1] * (d[order - k] + d[order + k]) for k in range(1, order + 1)))


@each
def test_the_regression_of_statsmodels_event_by_event(order: int):
    given = block(ORDERS[order], n=12)
    made = ORDERS[order].fit(given)
    for i in range(12):
        days = np.flatnonzero(given.ok[i, : given.n_est])
        r, own = given.r[i, days], given.x[i, days, order]
        beta = by_hand(r, given.x[i, days], order)
        alpha = r.mean() - beta * own.mean()
        np.testing.assert_allclose(made.coef[i], [alpha, beta], rtol=1e-10, atol=1e-14)
        ar = np.where(given.ok[i], given.r[i] - alpha - beta * given.x[i, :, order], 0.0)
        np.testing.assert_allclose(made.ar[i], ar, atol=1e-13)
        squares = (ar[days] ** 2).sum()
        np.testing.assert_allclose(made.sigma[i] ** 2, squares / (len(days) - 2), rtol=1e-11)
        assert made.dof[i] == len(days) - 2
        np.testing.assert_allclose(made.r2[i], 1 - squares / ((r - r.mean()) ** 2).sum(), atol=1e-11)


@each
def test_variances_are_exact_for_independent_errors(order: int):
    model = ORDERS[order]
    for event in (0, 7):
        the_variances_are_those_of_a_linear_estimator(model, block(model, n=8), event)


@pytest.mark.parametrize("rho", [[0.3], [-0.2], [0.25, 0.1], [-0.1, 0.2]])
def test_the_weights_make_the_sum_that_of_scholes_and_williams(rho: list[float]):
    """Where autocorrelations end at q, the 2q + 1 simple slopes over 1 + 2 sum(rho) are the weighted multiple ones."""
    q = len(rho)
    lags = np.abs(np.subtract.outer(np.arange(-q, q + 1), np.arange(-q, q + 1)))
    toeplitz = np.array([1.0, *rho, *[0.0] * q])[lags]  # of the market's leads and lags
    multiple = np.random.default_rng(3).standard_normal(2 * q + 1)
    simple = toeplitz @ multiple
    w = weights(rho)
    weighted = multiple @ [*w[::-1], 1.0, *w]
    assert weighted == pytest.approx(simple.sum() / (1 + 2 * sum(rho)), rel=1e-12)


def test_two_lags_recover_the_beta_of_a_security_that_waits_two_sessions():
    rng = np.random.default_rng(5)
    news = rng.standard_normal(40_006)
    market = 0.8 * news[1:] + 0.2 * news[:-1]
    r = 1.3 * (0.5 * news[3:-2] + 0.3 * news[2:-3] + 0.2 * news[1:-4]) + 0.5 * rng.standard_normal(40_001)
    flat = np.zeros(1, dtype=np.int64)
    found = {}
    for order, model in ORDERS.items():
        x = np.stack([market[2 + k : 2 + k + 40_001] for k in range(-order, order + 1)], axis=1)[None]
        given = Block(r[None], np.ones((1, 40_001), dtype=bool), x, 40_000, flat, flat, flat, np.ones(1), 1, 1)
        found[order] = model.fit(given).coef[0, 1]
    assert found[2] == pytest.approx(1.3, abs=0.03)
    assert found[1] < 1.15  # one lag misses what comes two sessions late


@each
def test_a_multiple_of_the_benchmark_moves_only_beta(order: int):
    model = ORDERS[order]
    given = block(model)
    made, moved = model.fit(given), model.fit(replace(given, r=given.r + 0.7 * given.x[..., order]))
    np.testing.assert_allclose(moved.coef - made.coef, np.tile([0.0, 0.7], (len(made.coef), 1)), atol=1e-11)
    np.testing.assert_allclose(moved.ar, made.ar, atol=1e-13)


def test_weights_without_a_finite_value_are_singular():
    model = ORDERS[1]
    given = block(model, n=4)
    x, ok = given.x.copy(), given.ok.copy()
    pattern = np.tile([0.01, 0.02, -0.03], 25)  # rho is -1/2
    x[2] = np.stack([pattern[k : k + given.r.shape[1]] for k in range(3)], axis=1)
    ok[2] = True
    made = model.fit(replace(given, x=x, ok=ok))
    assert made.status.tolist() == [Status.OK, Status.OK, Status.SINGULAR, Status.OK]


def test_days_must_suffice_for_the_multiple_regression():
    model = ORDERS[2]
    given = block(model, n=3)
    ok = given.ok.copy()
    ok[1, : given.n_est] = False
    ok[1, 3:9] = True
    assert model.fit(replace(given, ok=ok)).status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION, Status.OK]


@pytest.mark.parametrize("order", [0, 3, 1.0, True, "1", None])
def test_another_order_is_refused(order: Any):
    with pytest.raises(es.errors.InputError, match=r"order of the fowler_rorke model is .*; give 1 or 2"):
        es.model("fowler_rorke", order=order)


@pytest.mark.thorough
@each
def test_size_of_the_car_t(order: int):
    # Exact variance, sigma a little large: 4.4 to 5 % are expected of 4000 events, with a standard error of 0.35 %.
    found = simulate(ORDERS[order], 4000, 120, 1)
    assert ((size(found["p"]) > 0.033) & (size(found["p"]) < 0.06)).all()


@pytest.mark.slow
@each
def test_size_of_the_car_t_at_length(order: int):
    p = np.concatenate([simulate(ORDERS[order], 5000, 250, seed)["p"] for seed in range(20)])
    assert (np.abs(size(p) - (0.049, 0.048)[order - 1]) < 0.003).all()  # sigma^2 is 1 or 2 % large
