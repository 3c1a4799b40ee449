"""Rolling: least squares window by window, statsmodels' RollingOLS, and errors of forecast with their own variance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.regression.rolling import RollingOLS

import eventstudy as es
from eventstudy.core.scores import standardise
from eventstudy.types import Block, Status
from tests import make
from tests.models.linear import simulate, size, the_variances_are_those_of_a_linear_estimator

MODEL = es.model("rolling")


def block(seed: int = 1, **choices: Any) -> Block:
    return make.block(np.random.default_rng(seed), make.BENCHMARK, **choices)


def window_by_window(given: Block, event: int, window: int) -> dict[str, np.ndarray]:
    """Forecast each day from ``lstsq`` on the valid days among the sessions before it, of the estimation window."""
    length, n = given.r.shape[1], given.n_est
    design = np.column_stack([np.ones(length), given.x[event, :, 0]])
    ar, leverage, coef = np.zeros(length), np.zeros(length), np.full((length, 2), np.nan)
    ok = np.zeros(length, dtype=bool)
    for t in range(length):
        end = min(t, n)
        days = np.arange(max(end - window, 0), end)
        days = days[given.ok[event, days]]
        if len(days) >= max(window / 2, 20) and given.ok[event, t]:
            coef[t] = np.linalg.lstsq(design[days], given.r[event, days], rcond=None)[0]
            ok[t] = True
            ar[t] = given.r[event, t] - design[t] @ coef[t]
            leverage[t] = design[t] @ np.linalg.inv(design[days].T @ design[days]) @ design[t]
    return {"ok": ok, "ar": ar, "leverage": leverage, "coef": coef}


@pytest.mark.parametrize("window", [20, 41, 60, 150])
def test_least_squares_window_by_window(window: int):
    given = block(n=6, n_est=180)
    if window == 20:  # all 20 days are needed
        given = replace(given, ok=np.ones_like(given.ok))
    made = es.model("rolling", window=window).fit(given)
    n = given.n_est
    for i in range(6):
        by_hand = window_by_window(given, i, window)
        np.testing.assert_array_equal(made.ok[i], by_hand["ok"])
        np.testing.assert_allclose(made.ar[i], by_hand["ar"], rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(made.coef[i], by_hand["coef"][n:][by_hand["ok"][n:]][-1], rtol=1e-10, atol=1e-14)
        v, h = made.v[i], (made.h[i] ** 2).sum(axis=1)
        np.testing.assert_allclose((v - h)[:n], 1.0 + by_hand["leverage"][:n], rtol=1e-12)
        np.testing.assert_allclose((v + h)[n:], 1.0 + by_hand["leverage"][n:], rtol=1e-12)
        before = by_hand["ok"][:n]
        squares = by_hand["ar"][:n][before] ** 2 / (1.0 + by_hand["leverage"][:n][before])
        np.testing.assert_allclose(made.sigma[i] ** 2, squares.mean(), rtol=1e-11)
        assert made.dof[i] == before.sum()


def test_rolling_ols_of_statsmodels():
    given = block(n=3, n_est=150, missing=0.0)
    made = MODEL.fit(given)
    for i in range(3):
        design = np.column_stack([np.ones(150), given.x[i, :150, 0]])
        params = RollingOLS(given.r[i, :150], design, window=60, min_nobs=30, expanding=True).fit().params
        np.testing.assert_allclose(made.coef[i], params[-1], rtol=1e-10)
        wanted = given.r[i, 30:150] - (design[30:] * params[29:-1]).sum(axis=1)
        np.testing.assert_allclose(made.ar[i, 30:150], wanted, atol=1e-14)
        assert not made.ok[i, :30].any()


def test_variances_are_exact_for_independent_errors():
    for event in (0, 7):
        the_variances_are_those_of_a_linear_estimator(MODEL, block(n=8, n_est=100), event)


def test_no_event_day_and_no_day_before_the_window_moves_the_event_window():
    given = block(n=4, n_est=150)
    made = MODEL.fit(given)
    r = given.r.copy()
    r[:, :90] *= 3.0
    np.testing.assert_allclose(MODEL.fit(replace(given, r=r)).ar[:, 150:], made.ar[:, 150:], atol=1e-14)
    r = given.r.copy()
    r[:, 150:] += 0.5
    moved = MODEL.fit(replace(given, r=r))
    np.testing.assert_array_equal(moved.coef, made.coef)
    np.testing.assert_array_equal(moved.ar[:, :150], made.ar[:, :150])


def test_levels_far_from_zero_and_a_crash_lose_few_digits():
    given = block(n=4, n_est=150)
    x = given.x + 100.0
    x[:, 20] -= 1.0  # a hundred standard deviations
    far = replace(given, x=x, r=np.where(given.ok, given.r + 100.0, 0.0))
    made = MODEL.fit(far)
    for i in range(4):
        by_hand = window_by_window(far, i, 60)
        # lstsq on a column of about 100 beside ones keeps 16 digits less 2 times 4
        np.testing.assert_allclose(made.ar[i], by_hand["ar"], atol=1e-10)


@pytest.mark.thorough
def test_errors_that_are_standardised_have_variance_one_on_every_day():
    squares = np.concatenate([simulate(MODEL, 2500, 120, seed)["squares"] for seed in range(4)])[:, 40:]
    mean = np.nanmean(squares, axis=0)
    assert (np.abs(mean - 1.0) < 4.5 * np.sqrt(2 / 10_000) * 1.1).all()  # 91 days, 10 000 events each


def test_the_standardised_errors_are_the_forecast_errors_over_their_deviation():
    given = block(n=4, n_est=120)
    made = MODEL.fit(given)
    before, _ = standardise(made)
    for i in range(4):
        by_hand = window_by_window(given, i, 60)
        wanted = by_hand["ar"][:120] / (made.sigma[i] * np.sqrt(1.0 + by_hand["leverage"][:120]))
        np.testing.assert_allclose(before[i], wanted, rtol=1e-9, atol=1e-13)
        assert (before[i][made.ok[i, :120]] ** 2).mean() == pytest.approx(1.0, rel=1e-12)


def test_a_window_without_a_moving_benchmark_is_left_out_and_singular_where_it_is_the_last():
    given = block(n=3, n_est=150)
    x = given.x.copy()
    x[1, 20:90] = 0.001
    x[2, 85:150] = 0.001
    with np.errstate(all="raise", under="ignore"):
        made = MODEL.fit(replace(given, x=x))
    assert made.status.tolist() == [Status.OK, Status.OK, Status.SINGULAR]
    assert not made.ok[1, 80:91].any()
    assert made.ok[1, 92:150].any()


def test_a_short_last_window_is_too_few():
    given = block(n=3, n_est=150)
    ok = given.ok.copy()
    ok[1, 100:150] = False
    made = MODEL.fit(replace(given, ok=ok))
    assert made.status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION, Status.OK]
    none = es.model("rolling", window=400).fit(given)
    assert (none.status == Status.TOO_FEW_ESTIMATION).all()


@pytest.mark.parametrize("window", [0, 19, 60.0, True, "60", None])
def test_another_window_is_refused(window: Any):
    with pytest.raises(es.errors.InputError, match=r"window of the rolling model is .*; give sessions, 20 or more"):
        es.model("rolling", window=window)


@pytest.mark.thorough
def test_size_of_the_car_t():
    found = simulate(MODEL, 4000, 120, 1)
    assert (np.abs(size(found["p"]) - 0.05) < 0.014).all()  # four standard errors


@pytest.mark.slow
def test_size_of_the_car_t_at_length():
    p = np.concatenate([simulate(MODEL, 5000, 250, seed)["p"] for seed in range(20)])
    assert (np.abs(size(p) - 0.05) < 0.003).all()
