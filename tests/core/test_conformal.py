"""The conformal p of single events: plain refits and loops over all circular runs, exact uniformity, and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy import _registry, demo
from eventstudy.core.conformal import refit
from eventstudy.core.runs import RunSums
from eventstudy.core.scores import scores
from eventstudy.core.singles import rank_among_residuals
from eventstudy.display import formats
from eventstudy.types import Abnormal, Block, Model, Scores, Status
from tests import make

N_EST = 40
WINDOWS = ((0, 0), (-1, 1), (-5, 5), (2, 5))
MODELS: dict[str, Model] = {name: _registry.load("models", name) for name in _registry.names("models", plugins=False)}
LEAST_SQUARES = {name for name in MODELS if getattr(MODELS[name], "estimator", "other") == "ols"} | {"trade_to_trade"}


def fitted(name: str, missing: float = 0.0, coverage: float = 1.0, own: bool = False) -> tuple[Abnormal, Scores]:
    block = make.block(np.random.default_rng(3), MODELS[name].columns, 12, N_EST, missing=missing)
    if own:
        first, last = np.random.default_rng(4).integers([0, 6], [5, 11], (12, 2)).T
        inside = (np.arange(11) >= first[:, None]) & (np.arange(11) <= last[:, None])
        ok = block.ok.copy()
        ok[:, N_EST:] &= inside
        block = replace(block, ok=ok, in_own_window=inside)
    abnormal = MODELS[name].fit(block)
    abnormal = abnormal.take(abnormal.status == Status.OK)
    return abnormal, scores(abnormal, make.spec(N_EST, WINDOWS, min_coverage=coverage))


def design(name: str, block: Block) -> np.ndarray:
    """Return the regressors of a model (N, L, P)."""
    one = np.ones((*block.r.shape, 1))
    return {"market": np.dstack([one, block.x]), "mean": one, "trade_to_trade": block.x}[name]


def plain(abnormal: Abnormal, scored: Scores, x: np.ndarray, r: np.ndarray, i: int, v: int) -> float:
    """Fit to estimation window and window by NumPy, and count the circular runs in a loop."""
    ok, n_est = abnormal.ok[i], abnormal.n_est
    before = np.flatnonzero(ok[:n_est])
    inside = n_est + np.flatnonzero(ok[n_est:] & (scored.weights[v] > 0))
    days = np.concatenate([before, inside])
    variance = np.ones(len(days)) if abnormal.v is None else abnormal.v[i, days]
    left, right = x[days] / np.sqrt(variance)[:, None], r[days] / np.sqrt(variance)
    u = r[days] - x[days] @ np.linalg.lstsq(left, right, rcond=None)[0]
    n, length = len(days), len(inside)
    runs = [[(start + k) % n for k in range(length)] for start in range(n)]
    sums = [abs(sum(u[t] for t in run)) / np.sqrt(sum(variance[t] for t in run)) for run in runs]
    return float(np.mean([size >= sums[len(before)] * (1 - 1e-9) for size in sums]))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(("missing", "coverage"), [(0.0, 1.0), (0.1, 1.0), (0.3, 0.5)])
@pytest.mark.parametrize("name", ["market", "mean", "trade_to_trade"])
def test_it_is_the_rank_among_all_circular_runs_of_a_plain_fit(
    name: str, missing: float, coverage: float, own: bool
) -> None:
    abnormal, scored = fitted(name, missing, coverage, own)
    _, found = rank_among_residuals(scored, abnormal)
    x = design(name, abnormal.block)
    np.testing.assert_array_equal(np.isfinite(found), scored.ok)
    assert scored.ok.sum() > 12
    for i, v in np.argwhere(scored.ok):
        wanted = plain(abnormal, scored, x[i], abnormal.block.r[i], i, v)
        assert found[i, v] == pytest.approx(wanted, abs=1e-12), (i, v)
        length = abnormal.ok[i, :N_EST].sum() + scored.n_days[i, v]
        assert 1 / length - 1e-12 <= found[i, v] <= 1


@pytest.mark.parametrize("name", ["market", "trade_to_trade"])
def test_the_residuals_are_those_of_statsmodels_refitted(name: str) -> None:
    abnormal, scored = fitted(name, 0.1, 0.5)
    x, fit = design(name, abnormal.block), refit(scored, abnormal)
    assert (fit.n_days[scored.ok] > 0).all()
    for i, v in np.argwhere(scored.ok):
        inside = np.r_[np.ones(N_EST, dtype=bool), scored.weights[v] > 0]
        days = np.flatnonzero(abnormal.ok[i] & inside)
        weights = np.ones(len(days)) if abnormal.v is None else 1.0 / abnormal.v[i, days]
        wanted = sm.WLS(abnormal.block.r[i, days], x[i, days], weights).fit().resid
        u = abnormal.ar[i, days] - fit.level[i, v] - fit.g[:, i, v] @ fit.h[:, i, days]
        np.testing.assert_allclose(u, wanted, rtol=0, atol=1e-10 * abnormal.sigma[i])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_models_that_are_not_least_squares_have_none(name: str) -> None:
    abnormal, scored = fitted(name)
    _, found = rank_among_residuals(scored, abnormal)
    if name not in LEAST_SQUARES:
        assert np.isnan(found).all()
        return
    np.testing.assert_array_equal(np.isfinite(found), scored.ok)
    assert scored.ok.any()
    for i, v in np.argwhere(scored.ok):  # the regressors are h times a matrix, and AR the return less their part
        assert found[i, v] == pytest.approx(plain(abnormal, scored, abnormal.h[i], abnormal.ar[i], i, v), abs=1e-12)


def test_every_rank_is_equally_frequent_when_the_days_are_rotated() -> None:
    """Each of the M + L rotations of a sequence makes another run the window: the ranks are 1, 2, ... M + L."""
    rng = np.random.default_rng(5)
    n = N_EST + 11
    x, r = rng.standard_normal(n), rng.standard_t(3, n)
    turned = (np.arange(n)[:, None] + np.arange(n)) % n
    zero = np.zeros(n, dtype=np.int64)
    block = Block(
        r[turned], np.ones((n, n), dtype=bool), x[turned][..., None], N_EST, np.arange(n), zero, zero, np.ones(n), 1, 1
    )
    abnormal = MODELS["market"].fit(block)
    _, found = rank_among_residuals(scores(abnormal, make.spec(N_EST, ((-5, 5),))), abnormal)
    np.testing.assert_allclose(np.sort(found[:, 0]), np.arange(1, n + 1) / n, rtol=1e-12)


def test_a_window_longer_than_the_estimation_window_has_none() -> None:
    rng = np.random.default_rng(6)
    block = make.block(rng, n=3, n_est=10, missing=0.0)
    abnormal = MODELS["market"].fit(block)
    scored = scores(abnormal, make.spec(10, ((-5, 4), (-5, 5)), 5))
    _, found = rank_among_residuals(scored, abnormal)
    assert scored.ok.all()
    np.testing.assert_array_equal(np.isfinite(found), np.tile([True, False], (3, 1)))


def test_days_without_a_move_are_ties() -> None:
    """Sums of the same numbers in another order are equal, whatever their rounding."""
    block = make.block(np.random.default_rng(7), (), 1, N_EST, missing=0.0)
    r = np.tile([0.1, 0.2, -0.3], 17)[None]
    abnormal = MODELS["mean"].fit(replace(block, r=r))
    _, found = rank_among_residuals(scores(abnormal, make.spec(N_EST, ((-1, 1), (0, 0)))), abnormal)
    windows = {0: 3, 1: 1}
    for v, length in windows.items():
        start, days = N_EST + 5 - length // 2, np.r_[np.arange(N_EST), N_EST + 5 + np.arange(length) - length // 2]
        u = np.rint(1e9 * (r[0, days] - r[0, days].mean())) / 1e9
        sums = [round(abs(sum(u[(s + k) % len(u)] for k in range(length))), 7) for s in range(len(u))]
        assert start in days
        assert found[0, v] == pytest.approx(np.mean([size >= sums[N_EST] for size in sums]))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_it_does_not_depend_on_the_events_of_the_block(missing: float) -> None:
    abnormal, scored = fitted("market", missing, 0.5)
    _, whole = rank_among_residuals(scored, abnormal)
    halted, _ = fitted("market", 0.2, 0.5)
    assert not halted.complete
    for i in range(len(whole)):
        one = abnormal.take(np.arange(len(whole)) == i)
        _, alone = rank_among_residuals(scores(one, make.spec(N_EST, WINDOWS, min_coverage=0.5)), one)
        np.testing.assert_array_equal(alone[0], whole[i])


def test_an_event_with_a_missing_day_does_not_change_the_others() -> None:
    block = make.block(np.random.default_rng(3), n=12, n_est=N_EST, missing=0.0)
    ok = block.ok.copy()
    ok[0, 3] = False
    its = make.spec(N_EST, WINDOWS)
    complete, incomplete = (MODELS["market"].fit(replace(block, ok=mask)) for mask in (block.ok, ok))
    (_, wanted), (_, found) = (rank_among_residuals(scores(fit, its), fit) for fit in (complete, incomplete))
    assert np.isfinite(wanted).all()
    np.testing.assert_array_equal(found[1:], wanted[1:])
    assert (found[0] != wanted[0]).any()


@pytest.mark.thorough
def test_a_result_has_it_and_the_first_p_depends_on_the_window() -> None:

    result = demo.run().result
    cars = result.cars
    columns = cars.columns.tolist()
    assert columns.index("p_conformal") == columns.index("p_sq") + 1
    assert cars["p_conformal"].between(0, 1, inclusive="right").all()
    assert formats.first_p(result.cars, 0, 0) == "p_sq"
    longest = cars.assign(days=cars["end"] - cars["start"] + 1).sort_values("days").iloc[-1]
    assert longest["days"] > 3
    assert formats.first_p(result.cars, int(longest["start"]), int(longest["end"])) == "p_conformal"
    without = replace(result, cars=cars.assign(p_sq=np.nan, p_conformal=np.nan))
    assert formats.first_p(without.cars, 0, 0) == "p"


def test_sums_over_runs_are_those_of_a_loop() -> None:
    rows = np.random.default_rng(8).standard_normal((3, 20))
    for length in (1, 2, 7, 20):
        wanted = [[row[s : s + length].sum() for s in range(21 - length)] for row in rows]
        np.testing.assert_allclose(RunSums(rows).of(length), wanted, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(RunSums(np.asfortranarray(rows)).of(length), RunSums(rows).of(length))


def garch(rng: np.random.Generator, n: int, days: int) -> np.ndarray:
    """Draw GARCH(1, 1) with variance 1 and persistence 0.95."""
    e, variance = np.zeros((n, days + 100)), np.ones(n)
    for t in range(days + 100):
        e[:, t] = np.sqrt(variance) * rng.standard_normal(n)
        variance = 0.05 + 0.1 * e[:, t] ** 2 + 0.85 * variance
    return e[:, 100:]


def rate(noise: str, missing: float = 0.0, shock: float = 0.0, batches: int = 40) -> float:
    """Return how often p_conformal of eleven days is at most 5 %, by the market model over 120 days."""
    rng, n, n_rejected = np.random.default_rng(9), 1_000, 0
    for _ in range(batches):
        e = rng.standard_normal((n, 131)) if noise == "normal" else rng.standard_t(4, (n, 131)) / np.sqrt(2)
        e = garch(rng, n, 131) if noise == "garch" else e
        x = 0.01 * rng.standard_normal((n, 131, 1))
        r = 0.0005 + x[..., 0] + 0.02 * e
        r[:, 125] += 0.02 * shock
        ok = np.ones(r.shape, dtype=bool)
        ok[:, :120] = rng.random((n, 120)) >= missing
        zero = np.zeros(n, dtype=np.int64)
        abnormal = MODELS["market"].fit(Block(r, ok, x, 120, np.arange(n), zero, zero, np.ones(n), 1, 1))
        _, p = rank_among_residuals(scores(abnormal, make.spec(120, ((-5, 5),))), abnormal)
        assert np.isfinite(p).all()
        n_rejected += int((p <= 0.05).sum())
    return n_rejected / (batches * n)


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("noise", ["normal", "t", "garch"])
def test_it_keeps_its_size_over_eleven_days(noise: str, missing: float) -> None:
    """The standard error is 0.1 %. Of 131 ranks, 6 are at most 5 %: 4.6 %, exactly if the days are independent."""
    found = rate(noise, missing)
    assert 0.035 < found < 0.055
    if noise != "garch" and not missing:
        assert found == pytest.approx(6 / 131, abs=0.004)


@pytest.mark.slow
def test_its_price_is_power() -> None:
    """A shock of 8 daily standard deviations: t of eleven days finds it in 63 % of the samples."""
    assert rate("normal", shock=8.0, batches=10) == pytest.approx(0.375, abs=0.02)
