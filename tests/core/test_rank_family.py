"""Ranks and signs of standardised returns: against plain loops and enumeration, and by their size under the null."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core.gsar import gsar
from eventstudy.core.run import run
from eventstudy.core.scores import scores
from eventstudy.core.sums import add, day_moments
from eventstudy.types import Abnormal, Scores, Verdict
from tests import make
from tests.make import Case, Fit, columns_of
from tests.simulation.sizes import LEVEL, Sizes, apart, batches, together

MARKET = _registry.load("models", "market")
KINDS: tuple[make.Kind, ...] = ("independent", "same_day", "overlap")
FAMILY = ("corrado_zivney", "grank_t", "grank_z", "sign_gsar")
Loop = Callable[[list[Fit], np.ndarray], tuple[float, float]]  # fits, columns of the window -> statistic, p


def answer(name: str, case: Case, model: str = "market") -> Verdict:
    test = _registry.load("inference", name)
    return run(case.panels, case.placed, _registry.load("models", model), {name: test}, case.sample).verdicts[name]


def complete(fits: list[Fit], days: np.ndarray) -> list[Fit]:
    return [fit for fit in fits if np.isfinite(fit.e[days]).all()]


def generalised(fits: list[Fit], days: np.ndarray) -> list[np.ndarray]:
    """Give GSAR of each event with a complete window: valid estimation days NaN where missing, then day 0."""
    kept = complete(fits, days)
    scar = [car / np.sqrt(var) for car, var, _ in (fit.car(days) for fit in kept)]
    mean = sum(scar) / len(scar)
    sd = (sum((s - mean) ** 2 for s in scar) / (len(scar) - 1)) ** 0.5
    out = []
    for fit, s in zip(kept, scar, strict=True):
        before = [fit.e[t] / (fit.sigma * np.sqrt(1 - fit.leverage[t])) for t in range(fit.n_est)]
        out.append(np.array([*before, s / sd]))
    return out


def grank_z(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    total, variance = 0.0, 0.0
    for own in generalised(fits, days):
        t = int(np.isfinite(own).sum())
        total += (1 + sum(x < own[-1] for x in own[:-1] if np.isfinite(x))) / (t + 1) - 0.5
        variance += (t - 1) / (12 * (t + 1))
    z = total / np.sqrt(variance)
    return z, float(2 * stats.norm.sf(abs(z)))


def sign_gsar(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    signs = np.array([np.sign(own - np.nanmedian(own)) for own in generalised(fits, days)])
    n, total = len(signs), int(np.isfinite(signs).any(axis=0).sum())
    squares = 0.0
    for t in range(signs.shape[1]):
        there = signs[np.isfinite(signs[:, t]), t]
        squares += len(there) / n * there.mean() ** 2 if len(there) else 0.0
    z = signs[:, -1].mean() / np.sqrt(squares / total)
    found = z * np.sqrt((total - 2) / (total - 1 - z**2))
    return found, float(2 * stats.t.sf(abs(found), min(n - 1, total - 2)))


def corrado_zivney(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    x = np.stack([fit.e / fit.sigma for fit in fits])
    for t in range(fits[0].n_est, len(fits[0].e)):
        there = x[np.isfinite(x[:, t]), t]
        x[:, t] = x[:, t] / there.std(ddof=1) if len(there) > 1 else np.nan
    u = np.full((len(fits), len(fits[0].e)), np.nan)
    for i, own in enumerate(x):
        valid = np.isfinite(own)
        u[i, valid] = stats.rankdata(own[valid]) / (1 + valid.sum()) - 0.5
    column = {}
    for t in range(u.shape[1]):
        there = u[np.isfinite(u[:, t]), t]
        if len(there):
            column[t] = there.sum() / np.sqrt(len(there))
    deviation = np.sqrt(sum(c**2 for c in column.values()) / len(column))
    z = sum(column[t] for t in days) / (np.sqrt(len(days)) * deviation)
    return float(z), float(2 * stats.norm.sf(abs(z)))


LOOPS: dict[str, Loop] = {f.__name__: f for f in (corrado_zivney, grank_z, sign_gsar)}


@pytest.mark.parametrize("n_est", [59, 60])
@pytest.mark.parametrize("missing", [0.0, 0.04])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LOOPS)
def test_a_statistic_equals_its_plain_loop(name: str, kind: make.Kind, missing: float, n_est: int) -> None:
    case = make.case(np.random.default_rng(21), n=36, kind=kind, study_spec=make.spec(n_est), missing=missing)
    found, fits = answer(name, case), make.fits(case)
    for window in range(3):
        days = columns_of(case.sample.spec, window)
        statistic, p = LOOPS[name](fits, days)
        assert found.statistic[0, window] == pytest.approx(statistic, rel=1e-9)
        assert found.p[0, window] == pytest.approx(p, rel=1e-8)
        assert found.n[0, window] == len(complete(fits, days))
    if missing:
        assert len({int(np.isfinite(fit.e[: fit.n_est]).sum()) for fit in fits}) > 1
        assert len(complete(fits, columns_of(case.sample.spec, 2))) < 36


def test_moments_of_event_days_are_those_of_numpy() -> None:
    fitted = MARKET.fit(make.block(np.random.default_rng(22), n=30, missing=0.1))
    found = add({}, day_moments(fitted))
    for t in range(11):
        ok = fitted.ok[:, 60 + t]
        sar = fitted.ar[ok, 60 + t] / fitted.sigma[ok]
        assert found["n"][0, t] == ok.sum()
        assert found["n"][0, t] < 30
        assert found["sar"][0, t] == pytest.approx(sar.sum(), rel=1e-12)
        assert found["sar2"][0, t] == pytest.approx((sar**2).sum(), rel=1e-12)


def wilder(case: Case, factor: float) -> Case:
    """Stretch what all events on one date return over the benchmark on it."""
    panel, day = case.panels[0], case.placed.day[0]
    r = panel.r.copy()
    r[:, day] = panel.x[day, 0] + factor * (r[:, day] - panel.x[day, 0])
    return case._replace(panels=[replace(panel, r=r)])


@pytest.mark.parametrize("name", FAMILY)
def test_the_variance_that_the_event_brings_to_all_changes_nothing(name: str) -> None:
    """The window is that day alone; the estimation windows do not hold it."""
    case = make.case(
        np.random.default_rng(23), n=40, kind="same_day", missing=0.0, study_spec=make.spec(windows=((0, 0),))
    )
    wanted = answer(name, case, "market_adjusted").statistic
    np.testing.assert_allclose(answer(name, wilder(case, 5.0), "market_adjusted").statistic, wanted, rtol=1e-10)
    plain = answer("corrado", case, "market_adjusted").statistic
    assert abs(answer("corrado", wilder(case, 5.0), "market_adjusted").statistic - plain) > 0.1


def test_a_day_with_one_event_has_no_spread() -> None:
    its = make.spec(min_coverage=0.5)
    case = make.case(np.random.default_rng(24), n=20, kind="same_day", study_spec=its, missing=0.0)
    panel, day = case.panels[0], case.placed.day[0]
    ok = panel.ok.copy()
    ok[1:, day - 4] = False
    case = case._replace(panels=[replace(panel, ok=ok)])
    found, fits = answer("corrado_zivney", case), make.fits(case)
    for window in range(2):
        statistic, _ = corrado_zivney(fits, columns_of(its, window))
        assert found.statistic[0, window] == pytest.approx(statistic, rel=1e-9)
    assert np.isnan(found.statistic[0, 2])
    assert "fewer than 2 events" in found.note[0, 2]
    assert found.n.tolist() == [[20, 20, 20]]


@pytest.mark.parametrize("name", [*FAMILY, "corrado"])
def test_the_size_of_returns_does_not_matter_to_ranks_and_signs(name: str) -> None:
    """Of abnormal returns near 1e-9, which are rounded only once they are standardised."""
    case = make.case(np.random.default_rng(28), n=24, kind="overlap", missing=0.0)
    small = [replace(panel, r=1e-7 * panel.r, x=1e-7 * panel.x) for panel in case.panels]
    wanted = answer(name, case).statistic
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose(answer(name, case._replace(panels=small)).statistic, wanted, rtol=1e-9)


def everywhere(n_est: int) -> tuple[Scores, Abnormal, dict[str, dict[str, np.ndarray]]]:
    """Give one event whose cumulative day, in as many windows, lies in each gap between its estimation days."""
    _, fitted = make.with_cars(np.zeros((1, 1)), n_est, np.random.default_rng(25))
    before = np.sort(fitted.ar[0, :n_est])
    zero = np.concatenate([before[:1] - 1, (before[1:] + before[:-1]) / 2, before[-1:] + 1])[None]
    ones = np.ones(zero.shape)
    scored = Scores(zero, ones, zero, ones.astype(np.int64), ones.astype(bool), np.ones((zero.shape[1], 1)))
    spread = {"n": 2 * ones, "z": 0 * ones, "z2": ones}  # two SCARs with a standard deviation of 1
    return scored, fitted, {"moments": spread}


@pytest.mark.parametrize("n_est", [3, 8, 61, 250])
def test_the_rank_of_day_0_takes_every_place_and_has_the_variance_that_is_used(n_est: int) -> None:
    state = add({}, _registry.load("inference", "grank_z").chunk(*everywhere(n_est)))
    total = n_est + 1
    np.testing.assert_allclose(state["u"][0], np.arange(1, total + 1) / (total + 1) - 0.5, atol=1e-14)
    np.testing.assert_allclose(state["var"], np.mean(state["u"] ** 2), rtol=1e-12)
    np.testing.assert_allclose(state["var"], (total - 1) / (12 * (total + 1)), rtol=1e-12)


@pytest.mark.parametrize("n_est", [3, 8, 61, 250])
def test_signs_against_the_median_balance_in_every_place_of_day_0(n_est: int) -> None:
    """Their mean square is 1 where T is even; where it is odd the median itself has sign 0."""
    state = add({}, _registry.load("inference", "sign_gsar").chunk(*everywhere(n_est)))
    total = n_est + 1
    np.testing.assert_array_equal(state["u"].sum(axis=-1), 0)
    np.testing.assert_array_equal((state["u"] ** 2).sum(axis=-1), total - total % 2)
    zero = state["u"][0, :, -1]
    assert zero.tolist() == [-1] * (total // 2) + [0] * (total % 2) + [1] * (total // 2)


def ties(name: str, zero: float) -> np.ndarray:
    """Give the scores of one event, a share that hardly trades, with a given cumulative day."""
    scored, fitted = make.with_cars(np.full((1, 1), zero), 6)
    fitted = replace(fitted, ar=np.array([[-2.0, 0.0, 0.0, 0.0, 1.0, 9.0, zero]]))
    prior = {"moments": {"n": np.full((1, 1), 2.0), "z": np.zeros((1, 1)), "z2": np.ones((1, 1))}}
    return np.asarray(add({}, _registry.load("inference", name).chunk(scored, fitted, prior))["u"][0, 0])


def test_days_that_equal_the_median_have_sign_0() -> None:
    np.testing.assert_array_equal(ties("sign_gsar", 0.5), [-1, 0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(ties("sign_gsar", 0.0), [-1, 0, 0, 0, 1, 1, 0])


@pytest.mark.parametrize("zero", [-3.0, 0.0, 0.5, 9.0])
def test_days_that_are_equal_share_their_mean_rank(zero: float) -> None:
    wanted = stats.rankdata([-2.0, 0.0, 0.0, 0.0, 1.0, 9.0, zero]) / 8 - 0.5
    np.testing.assert_allclose(ties("grank_t", zero), wanted, rtol=1e-14)
    np.testing.assert_allclose(ties("grank_z", zero), wanted[-1], rtol=1e-14)


def test_the_cumulative_day_has_the_standard_deviation_1_and_not_a_standard_error() -> None:
    fitted = MARKET.fit(make.block(np.random.default_rng(26), n=30, missing=0.0))
    scored = scores(fitted, make.spec())
    moments = {"n": np.full((1, 3), 30.0), "z": scored.z.sum(axis=0)[None], "z2": (scored.z**2).sum(axis=0)[None]}
    found = gsar(scored, fitted, moments)
    np.testing.assert_allclose(found.day_zero.std(axis=0, ddof=1), 1, rtol=1e-12)
    assert found.n_days.tolist() == [61] * 30


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_grank_z_and_grank_t_agree_in_sign_and_in_n(kind: make.Kind) -> None:
    for seed in range(5):
        case = make.case(np.random.default_rng(seed), n=30, kind=kind)
        z, t = answer("grank_z", case), answer("grank_t", case)
        np.testing.assert_array_equal(np.sign(z.statistic), np.sign(t.statistic))
        np.testing.assert_array_equal(z.n, t.n)
        assert np.isnan(z.df).all()
        dates = {int(d) for fit in make.fits(case) for d in np.flatnonzero(np.isfinite(fit.e[:60]))}
        # T - 2, where T counts the days on which an event is valid, and day 0; few events bound it
        np.testing.assert_array_equal(t.df, np.minimum(len(dates) - 1, t.n - 1))


def test_grank_z_of_events_of_one_length_is_the_printed_form() -> None:
    case = make.case(np.random.default_rng(27), n=30, kind="independent", missing=0.0)
    found, fits = answer("grank_z", case), make.fits(case)
    for window in range(3):
        days = generalised(fits, columns_of(case.sample.spec, window))
        mean = np.mean([stats.rankdata(own)[-1] / 62 - 0.5 for own in days])
        assert found.statistic[0, window] == pytest.approx(np.sqrt(12 * 30 * 62 / 60) * mean, rel=1e-9)


@pytest.mark.parametrize("name", ["grank_t", "sign_gsar"])
def test_with_many_events_the_degrees_of_freedom_are_those_of_the_days(name: str) -> None:
    case = make.case(np.random.default_rng(29), n=90, kind="same_day", missing=0.0)
    assert answer(name, case).df.tolist() == [[59.0] * 3]


@pytest.mark.parametrize("name", ["grank_t", "sign_gsar"])
def test_fewer_than_eight_events_have_a_reason(name: str) -> None:
    seven, eight = (make.case(np.random.default_rng(30), n=n, kind="same_day", missing=0.0) for n in (7, 8))
    reason = "fewer than 8 events: ranks and signs of so few do not follow the distribution"
    assert set(answer(name, seven).note.ravel()) == {reason}
    assert answer(name, eight).df.tolist() == [[7.0] * 3]


def test_fewer_than_twelve_events_are_too_few_for_the_normal_distribution() -> None:
    eleven, twelve = (make.case(np.random.default_rng(32), n=n, kind="independent", missing=0.0) for n in (11, 12))
    reason = "fewer than 12 events: the test rejects too often; grank_t holds from 8 on"
    assert set(answer("grank_z", eleven).note.ravel()) == {reason}
    assert np.isfinite(answer("grank_z", twelve).statistic).all()


@cache
def sizes(kind: str) -> Sizes:
    """1,000 replications of 50 events, apart or on one date with correlation 0.1."""
    its = make.spec(250, ((0, 0), (-5, 5)))
    draw = apart(its, 50) if kind == "apart" else together(its, 50, 1, 0.1)
    return Sizes(batches(draw, FAMILY, 1000, seed=28, batch=100))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_size_at_5_per_cent(name: str) -> None:
    assert sizes("apart").of(name) == pytest.approx(LEVEL, abs=3 * np.sqrt(LEVEL * (1 - LEVEL) / 1000))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_size_on_one_date_is_as_the_test_says(name: str) -> None:
    rate = sizes("together").of(name)
    if _registry.load("inference", name).survives == "same_day":
        assert rate == pytest.approx(LEVEL, abs=3 * np.sqrt(LEVEL * (1 - LEVEL) / 1000))
    else:
        assert (rate > 0.3).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [8, 12, 20])
@pytest.mark.parametrize("name", ["grank_t", "sign_gsar"])
def test_size_with_few_events(name: str, n: int) -> None:
    """With the degrees of freedom of the days, grank_t rejects 8 % with 8 events."""
    rate = Sizes(batches(apart(make.spec(120, ((0, 0), (-5, 5))), n, slots=4), [name], 4000, seed=31)).of(name)
    assert (rate > 0.005).all(), rate
    assert (rate < 0.06).all(), rate
