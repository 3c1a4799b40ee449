"""Scholes-Williams: three simple regressions by hand, the variances of a linear estimator, and thin trading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.types import Abnormal, Block, Status
from tests import make
from tests.models.linear import simulate, size, the_variances_are_those_of_a_linear_estimator

MODEL = es.model("scholes_williams")


def block(seed: int = 1, **choices: int) -> Block:
    return make.block(np.random.default_rng(seed), MODEL.columns, **choices)


def slope(y: np.ndarray, x: np.ndarray) -> float:
    return float(sm.OLS(y, sm.add_constant(x)).fit().params[1])


def one(r: np.ndarray, market: np.ndarray) -> Abnormal:
    """Fit one event whose market return is known a session before and after; its last day is the event window."""
    x = np.stack([market[:-2], market[1:-1], market[2:]], axis=1)[None]
    flat = np.zeros(1, dtype=np.int64)
    ok = np.ones((1, len(r)), dtype=bool)
    return MODEL.fit(Block(r[None], ok, x, len(r) - 1, flat, flat, flat, np.ones(1), 1, 1))


def test_three_regressions_of_statsmodels_event_by_event():
    given = block(n=12)
    made = MODEL.fit(given)
    for i in range(12):
        days = np.flatnonzero(given.ok[i, : given.n_est])
        r, (lag, own, lead) = given.r[i, days], given.x[i, days].T
        rho = (slope(own, lag) + slope(own, lead)) / 2
        beta = (slope(r, lag) + slope(r, own) + slope(r, lead)) / (1 + 2 * rho)
        alpha = r.mean() - beta * own.mean()
        np.testing.assert_allclose(made.coef[i], [alpha, beta], rtol=1e-11, atol=1e-14)
        ar = np.where(given.ok[i], given.r[i] - alpha - beta * given.x[i, :, 1], 0.0)
        np.testing.assert_allclose(made.ar[i], ar, atol=1e-14)
        squares = (ar[days] ** 2).sum()
        np.testing.assert_allclose(made.sigma[i] ** 2, squares / (len(days) - 2), rtol=1e-12)
        assert made.dof[i] == len(days) - 2
        np.testing.assert_allclose(made.r2[i], 1 - squares / ((r - r.mean()) ** 2).sum(), rtol=1e-9)


def test_variances_are_exact_for_independent_errors():
    for event in (0, 7):
        the_variances_are_those_of_a_linear_estimator(MODEL, block(n=8), event)


def test_rho_is_the_first_autocorrelation_of_the_market():
    rng = np.random.default_rng(4)
    shock = rng.standard_normal(5003)
    market = shock[1:] + 0.5 * shock[:-1]
    found = one(market[1:-1] + rng.standard_normal(5000), market)
    b = [slope((found.block.r[0, :-1]), found.block.x[0, :-1, k]) for k in range(3)]
    rho = np.corrcoef(market[1:], market[:-1])[0, 1]
    assert rho == pytest.approx(0.4, abs=0.05)
    assert found.coef[0, 1] == pytest.approx(sum(b) / (1 + 2 * rho), rel=2e-3)  # ends of the sample differ


def test_it_recovers_the_beta_of_thin_trading_that_the_market_model_misses():
    rng = np.random.default_rng(5)
    news = rng.standard_normal(40_003)
    market = 0.8 * news[1:] + 0.2 * news[:-1]  # some of its stocks, too, trade late
    own, before = news[2:-1], news[1:-2]
    r = 1.3 * (0.6 * own + 0.4 * before) + 0.5 * rng.standard_normal(40_000)
    found = one(r, market)
    assert found.coef[0, 1] == pytest.approx(1.3, abs=0.03)
    assert slope(r, market[1:-1]) < 1.1


def test_a_multiple_of_the_benchmark_moves_only_beta():
    given = block()
    made = MODEL.fit(given)
    moved = MODEL.fit(replace(given, r=given.r + 0.7 * given.x[..., 1]))
    np.testing.assert_allclose(moved.coef - made.coef, np.tile([0.0, 0.7], (len(made.coef), 1)), atol=1e-12)
    np.testing.assert_allclose(moved.ar, made.ar, atol=1e-14)
    np.testing.assert_allclose(moved.sigma, made.sigma, rtol=1e-12)


def test_returns_far_from_zero_lose_no_digits():
    given = block()
    far = replace(given, r=np.where(given.ok, given.r + 1e6, 0.0), x=given.x + 1e6)
    # 1e6 leaves 1e-10 of a return of 0.01, and 1e-8 of it
    np.testing.assert_allclose(MODEL.fit(far).coef[:, 1], MODEL.fit(given).coef[:, 1], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(MODEL.fit(far).sigma, MODEL.fit(given).sigma, rtol=1e-7)


def test_a_market_whose_three_days_cancel_is_singular():
    given = block(n=4)
    x = given.x.copy()
    pattern = np.tile([0.01, 0.02, -0.03], 25)
    x[2] = np.stack([pattern[k : k + given.r.shape[1]] for k in range(3)], axis=1)
    ok = given.ok.copy()
    ok[2] = True
    made = MODEL.fit(replace(given, x=x, ok=ok))
    assert made.status.tolist() == [Status.OK, Status.OK, Status.SINGULAR, Status.OK]
    assert np.isnan(made.coef[2]).all()


def test_two_valid_days_are_too_few():
    given = block(n=3)
    ok = given.ok.copy()
    ok[1, : given.n_est] = False
    ok[1, [3, 9]] = True
    assert MODEL.fit(replace(given, ok=ok)).status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION, Status.OK]


@pytest.mark.thorough
def test_size_of_the_car_t():
    # Exact variance, sigma a little large: 4.5 to 5 % are expected of 4000 events, with a standard error of 0.35 %.
    found = simulate(MODEL, 4000, 120, 1)
    assert ((size(found["p"]) > 0.035) & (size(found["p"]) < 0.06)).all()


@pytest.mark.slow
def test_size_of_the_car_t_at_length():
    p = np.concatenate([simulate(MODEL, 5000, 250, seed)["p"] for seed in range(20)])
    assert (np.abs(size(p) - 0.049) < 0.003).all()  # sigma^2 is 1 % large; four standard errors are 0.27 %
