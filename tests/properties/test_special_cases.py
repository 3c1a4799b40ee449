"""Statistics that must agree with each other where their assumptions coincide, and variances in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.core.scores import scores, standardise
from eventstudy.core.windows import blocks
from eventstudy.types import Verdict
from tests import make
from tests.properties import QUICK

MARKET = _registry.load("models", "market")
SEEDS = st.integers(0, 2**32 - 1)
DAYS = np.column_stack([np.arange(-5, 6)] * 2)


def answers(case: make.Case, *names: str) -> dict[str, Verdict]:
    tests = {name: _registry.load("inference", name) for name in names}
    return dict(run(case.panels, case.placed, MARKET, tests, case.sample).verdicts)


@pytest.mark.thorough
@given(seed=SEEDS, n=st.integers(2, 25), missing=st.sampled_from([0.0, 0.08]))
@QUICK
def test_patell_and_bmp_over_one_day_are_those_of_the_day(seed: int, n: int, missing: float) -> None:
    """The statistic of a day, from SAR alone: no window, no CAR."""
    its = make.spec(windows=[(int(d), int(d)) for d, _ in DAYS])
    case = make.case(np.random.default_rng(seed), n=n, study_spec=its, missing=missing)
    found = answers(case, "patell", "bmp")
    fits = make.fits(case)
    for window in range(11):
        day = its.n_est + window
        valid = [fit for fit in fits if np.isfinite(fit.e[day])]
        sar = np.array([fit.e[day] / (fit.sigma * np.sqrt(1 + fit.leverage[day])) for fit in valid])
        z = sum(s / np.sqrt(fit.dof / (fit.dof - 2)) for s, fit in zip(sar, valid, strict=True))
        if len(valid):
            np.testing.assert_allclose(found["patell"].statistic[0, window], z / np.sqrt(len(valid)), rtol=1e-8)
        if len(valid) > 1:
            t = sar.mean() / (sar.std(ddof=1) / np.sqrt(len(sar)))
            np.testing.assert_allclose(found["bmp"].statistic[0, window], t, rtol=1e-8)


@given(seed=SEEDS, n=st.integers(2, 25))
@QUICK
def test_a_window_of_one_day_has_the_standardised_abnormal_return_of_that_day(seed: int, n: int) -> None:
    its = make.spec(windows=[(int(d), int(d)) for d, _ in DAYS])
    case = make.case(np.random.default_rng(seed), n=n, study_spec=its, missing=0.05)
    for block in blocks(case.panels, case.placed, its, n, 1):
        fitted = MARKET.fit(block)
        _, suffix = standardise(fitted)
        np.testing.assert_allclose(scores(fitted, its).z, suffix, rtol=1e-12, atol=1e-14)


@given(seed=SEEDS, n=st.integers(2, 25), missing=st.sampled_from([0.0, 0.05]))
@QUICK
def test_without_overlap_the_adjusted_tests_are_the_plain_ones(seed: int, n: int, missing: float) -> None:
    case = make.case(np.random.default_rng(seed), n=n, kind="independent", missing=missing)
    found = answers(case, "bmp", "kolari_pynnonen", "patell", "adjusted_patell")
    for plain, adjusted in (("bmp", "kolari_pynnonen"), ("patell", "adjusted_patell")):
        for part in ("statistic", "p", "df", "n"):
            np.testing.assert_array_equal(getattr(found[plain], part), getattr(found[adjusted], part), err_msg=part)


@given(seed=SEEDS, n_est=st.integers(4, 80), missing=st.sampled_from([0.0, 0.2]), start=st.integers(-5, 5))
@QUICK
def test_forecast_variance_is_the_closed_form_of_the_market_model(
    seed: int, n_est: int, missing: float, start: int
) -> None:
    """V = L + L^2 / M + (sum over the window of (R_m - mean))^2 / S_xx, over valid days."""
    its = replace(make.spec(n_est, ((start, 5),)), min_coverage=0.01)
    block = make.block(np.random.default_rng(seed), n=8, n_est=n_est, missing=missing)
    fitted = MARKET.fit(block)
    fitted = fitted.take(fitted.status == 0)
    made = scores(fitted, its)
    for row, event in enumerate(fitted.block.id):
        market, ok = block.x[event, :, 0], block.ok[event]
        before = market[:n_est][ok[:n_est]]
        days = np.flatnonzero(ok[n_est:])
        window = market[n_est + days[days >= start + 5]]
        s_xx = ((before - before.mean()) ** 2).sum()
        length = len(window)
        v = length + length**2 / len(before) + (window - before.mean()).sum() ** 2 / s_xx
        if length:
            np.testing.assert_allclose(made.var[row, 0], fitted.sigma[row] ** 2 * v, rtol=1e-9)
        else:
            assert not made.ok[row, 0]


@given(seed=SEEDS, model=st.sampled_from(["mean", "market", "dimson", "factors"]))
@QUICK
def test_standardised_residuals_use_the_leverage_of_the_hat_matrix(seed: int, model: str) -> None:
    its = _registry.load("models", model)
    block = make.block(np.random.default_rng(seed), its.columns, n=5, missing=0.1)
    fitted = its.fit(block)
    prefix, suffix = standardise(fitted)
    for i in range(5):
        rows = np.flatnonzero(block.ok[i, :60])
        design = np.column_stack([np.ones(71), block.x[i]])
        hat = design @ np.linalg.inv(design[rows].T @ design[rows]) @ design.T
        inside = fitted.ar[i, rows] / (fitted.sigma[i] * np.sqrt(1 - np.diag(hat)[rows]))
        np.testing.assert_allclose(prefix[i, rows], inside, rtol=1e-8, atol=1e-10)
        outside = fitted.ar[i, 60:] / (fitted.sigma[i] * np.sqrt(1 + np.diag(hat)[60:]))
        np.testing.assert_allclose(suffix[i], outside, rtol=1e-8, atol=1e-10)
