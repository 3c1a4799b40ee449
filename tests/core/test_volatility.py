"""Abnormal volatility: its mean and variance in closed form, and the size and power of tests of its mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.core.scores import scores
from eventstudy.core.volatility import SquaredModel
from eventstudy.core.windows import blocks
from eventstudy.types import Panel, Status
from tests import make

MEAN, MARKET = (_registry.load("models", name) for name in ("mean", "market"))
TESTS = {name: _registry.load("inference", name) for name in ("cross_section", "bmp", "kolari_pynnonen")}
WINDOWS = ((0, 0), (-2, 2), (-5, 5))


def sample(rng: np.random.Generator, n: int, n_est: int, df: float = np.inf, scale: float = 1.0) -> make.Case:
    """Draw independent events on one date, normal or Student's t, with ``scale`` times the variance on day 0."""
    its = make.spec(n_est=n_est, windows=WINDOWS)
    x = rng.standard_normal((n, its.n_est + its.n_evt)) if np.isinf(df) else rng.standard_t(df, (n, n_est + its.n_evt))
    x[:, its.n_est - its.event[0]] *= np.sqrt(scale)
    days = np.arange(x.shape[1])
    panel = Panel(0.02 * x, np.ones(x.shape, bool), np.empty((len(days), 0)), days, tuple(map(str, range(n))), ())
    return make.place([panel], its, [(0, i, -its.estimation[0]) for i in range(n)])


def test_it_is_the_square_of_the_standardised_return_by_hand() -> None:
    block = make.block(np.random.default_rng(1), n=5)
    plain, made = MARKET.fit(block), SquaredModel(MARKET).fit(block)
    for i in range(5):
        rows = np.flatnonzero(block.ok[i, :60])
        x = np.column_stack([np.ones(71), block.x[i, :, 0]])
        b, rss = np.linalg.lstsq(x[rows], block.r[i, rows], rcond=None)[:2]
        d = len(rows) - 2
        inverse = np.linalg.inv(x[rows].T @ x[rows])
        e, h = block.r[i] - x @ b, np.einsum("lj,jk,lk->l", x, inverse, x)
        spread = rss[0] / d * np.where(np.arange(71) < 60, 1 - h, 1 + h)
        wanted = e**2 / spread * np.where(np.arange(71) < 60, 1, (d - 2) / d) - 1
        np.testing.assert_allclose(made.ar[i], np.where(block.ok[i], wanted, 0.0), atol=1e-11)
        before = wanted[rows]
        np.testing.assert_allclose(made.sigma[i] ** 2, (before**2).sum() / (len(rows) - 1), rtol=1e-11)
    np.testing.assert_array_equal(made.coef, plain.coef)
    np.testing.assert_array_equal(made.ok, plain.ok)


def test_masked_cells_change_nothing_and_the_model_is_not_changed() -> None:
    block = make.block(np.random.default_rng(2), n=5, missing=0.2)
    dirty = replace(block, r=np.where(block.ok, block.r, 1e9), x=np.where(block.ok[..., None], block.x, np.nan))
    one, two = SquaredModel(MARKET).fit(make.read_only(block)), SquaredModel(MARKET).fit(dirty)
    for name in ("ar", "sigma", "h", "v", "dof"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.thorough
@pytest.mark.parametrize("n_est", [25, 60])
def test_mean_and_variance_of_the_sum_are_those_of_the_closed_form(n_est: int) -> None:
    rng, cars, variances = np.random.default_rng(n_est), [], []
    for _ in range(10):
        case = sample(rng, 10_000, n_est)
        for block in blocks(case.panels, case.placed, case.sample.spec, 1, 1):
            scored = scores(SquaredModel(MEAN).fit(block), case.sample.spec)
            cars.append(scored.car)
            variances.append(scored.var)
    car, var = np.concatenate(cars), np.concatenate(variances)
    d, length = n_est - 1, np.array([1, 5, 11])
    wanted = 2 * length * (d - 2) / (d - 4) + 2 * length**2 / (d - 4)
    # One day is the scaled F(1, d) of scipy; the sum shares the variance's error.
    np.testing.assert_allclose(wanted[0], ((d - 2) / d) ** 2 * stats.f(1, d).var(), rtol=1e-12)
    # 4 standard errors of a mean of 100,000, and of a variance whose kurtosis is about 30
    np.testing.assert_allclose(car.mean(axis=0), 0, atol=4 * np.sqrt(wanted.max() / 1e5))
    np.testing.assert_allclose(car.var(axis=0) / wanted, 1, atol=4 * np.sqrt(30 / 1e5))
    np.testing.assert_allclose(var.mean(axis=0) / wanted, 1, atol=0.02)
    # Without the shared part eleven days would lack a seventh of the variance, or a third with 25 days.
    assert (wanted[2] / (22 * (d - 2) / (d - 4)) - 1) > 0.1


def test_estimation_days_have_the_variance_of_a_studentised_residual() -> None:
    rng = np.random.default_rng(4)
    case = sample(rng, 5000, 30)
    u = [SquaredModel(MEAN).fit(b).ar[:, :30] for b in blocks(case.panels, case.placed, case.sample.spec, 1, 1)]
    d = 29
    np.testing.assert_allclose(np.concatenate(u).var(), 2 * (d - 1) / (d + 2), rtol=0.02)  # some 150,000 squares
    np.testing.assert_allclose(np.concatenate(u).sum(axis=1), 0, atol=1e-10)


def test_too_few_days_and_constant_returns_have_a_status_and_touch_no_other() -> None:
    block = make.block(np.random.default_rng(5), n=4, missing=0.0)
    ok, r = block.ok.copy(), block.r.copy()
    ok[1, 6:60] = False  # M = 6, and k = 2: d = 4
    r[2] = 0.0
    made = SquaredModel(MARKET).fit(replace(block, ok=ok, r=r))
    assert made.status.tolist() == [Status.OK, Status.TOO_FEW_ESTIMATION, Status.NO_VARIATION, Status.OK]
    assert np.isnan(made.sigma[[1, 2]]).all()
    assert np.isfinite(made.ar).all()
    whole = SquaredModel(MARKET).fit(block)
    np.testing.assert_allclose(made.ar[[0, 3]], whole.ar[[0, 3]], rtol=1e-12)


def test_seven_days_are_enough() -> None:
    block = make.block(np.random.default_rng(5), n=4, n_est=7, missing=0.0)
    made = SquaredModel(MARKET).fit(block)
    assert (made.status == Status.OK).all()
    assert np.isfinite(made.v).all()
    assert (made.h[:, 7:] > 0).all()


def rejections(n: int, df: float, scale: float, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Give by test the share of samples in which each window rejects at 5 %."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {name: [] for name in TESTS}
    for _ in range(draws):
        case = sample(rng, n, 200, df, scale)
        verdicts = run(case.panels, case.placed, SquaredModel(MEAN), TESTS, case.sample, keep_events=False).verdicts
        for name in TESTS:
            found[name].append(verdicts[name].p[0] < 0.05)
    return {name: np.mean(values, axis=0) for name, values in found.items()}


@pytest.mark.thorough
def test_a_doubled_variance_is_found() -> None:
    for name, share in rejections(200, np.inf, 2.0, 40, 6).items():
        assert share[0] > 0.95, name
        assert share[0] >= share[1] >= share[2] - 0.05, name


# Shares of 2000 samples have a standard error of 0.5 points at 5 %; what normal returns and 50 events give is above
# the level on one day, for a square is skewed, and less so over several days and with more events. Fat tails add.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "df", "highest"),
    [
        (50, np.inf, (0.11, 0.08, 0.08)),
        (200, np.inf, (0.075, 0.07, 0.07)),
        (50, 5.0, (0.17, 0.09, 0.08)),
        (200, 5.0, (0.12, 0.08, 0.08)),
    ],
)
def test_the_size_is_near_its_level_but_for_one_day_of_few_events(
    n: int, df: float, highest: tuple[float, ...]
) -> None:
    for name, share in rejections(n, df, 1.0, 2000, 7).items():
        assert (share <= highest).all(), (name, share)
        assert (share >= 0.03).all(), (name, share)
