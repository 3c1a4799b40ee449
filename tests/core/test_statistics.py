"""Each statistic against a plain loop written from its formula: several dates, missing days, an own fit by numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.types import Verdict
from tests import make
from tests.make import Case, Fit, columns_of

MARKET = _registry.load("models", "market")
KINDS: tuple[make.Kind, ...] = ("independent", "same_day", "overlap")
Loop = Callable[[list[Fit], np.ndarray], tuple[float, float]]  # fits, columns of the window -> statistic, p


def answer(name: str, case: Case) -> Verdict:
    return run(case.panels, case.placed, MARKET, {name: _registry.load("inference", name)}, case.sample).verdicts[name]


def cars(fits: list[Fit], days: np.ndarray) -> list[tuple[Fit, float, float, int]]:
    """Give the events whose window is complete, with CAR, its variance and its days."""
    return [(fit, *fit.car(days)) for fit in fits if np.isfinite(fit.e[days]).all()]


def p_t(t: float, df: float) -> float:
    return float(2 * stats.t.sf(abs(t), df))


def p_z(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


def mean_over_error(values: list[float]) -> tuple[float, float]:
    x = np.array(values)
    t = x.mean() / (x.std(ddof=1) / np.sqrt(len(x)))
    return t, p_t(t, len(x) - 1)


def cross_section(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    return mean_over_error([car for _, car, _, _ in cars(fits, days)])


def bmp(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    return mean_over_error([car / np.sqrt(var) for _, car, var, _ in cars(fits, days)])


def patell(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    total, kept = 0.0, cars(fits, days)
    for fit, _, _, n_days in kept:
        sar = sum(fit.e[t] / (fit.sigma * np.sqrt(1 + fit.leverage[t])) for t in days)
        total += sar / np.sqrt(n_days * fit.dof / (fit.dof - 2))
    z = total / np.sqrt(len(kept))
    return z, p_z(z)


def sign(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    found = [car for _, car, _, _ in cars(fits, days)]
    up, n = sum(car > 0 for car in found), len(found)
    return (2 * up - n) / np.sqrt(n), float(stats.binomtest(up, n, 0.5).pvalue)


def generalized_sign(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    kept = cars(fits, days)
    shares = []
    for fit, _, _, _ in kept:
        runs = [fit.e[t : t + len(days)].sum() for t in range(fit.n_est + 1 - len(days))]
        whole = [total for total in runs if np.isfinite(total)]
        shares.append(np.mean([total > 0 for total in whole]))
    p, n = np.mean(shares), len(kept)
    z = (sum(car > 0 for _, car, _, _ in kept) - n * p) / np.sqrt(n * p * (1 - p))
    return z, p_z(z)


def wilcoxon(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    found = np.array([car for _, car, _, _ in cars(fits, days)])
    n, w = len(found), stats.rankdata(np.abs(found))[found > 0].sum()
    z = (w - n * (n + 1) / 4) / np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return z, float(stats.wilcoxon(found, method="exact").pvalue)


def corrado(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    u = []
    for fit in fits:
        own = np.full(len(fit.e), np.nan)
        valid = np.isfinite(fit.e)
        own[valid] = stats.rankdata(fit.e[valid]) / (1 + valid.sum()) - 0.5
        u.append(own)
    column = []
    for t in range(len(u[0])):
        there = [own[t] for own in u if np.isfinite(own[t])]
        column.append(sum(there) / np.sqrt(len(there)) if there else None)
    squares = [c**2 for c in column if c is not None]
    deviation = np.sqrt(sum(squares) / len(squares))
    z = sum(column[t] for t in days) / (np.sqrt(len(days)) * deviation)
    return float(z), p_z(float(z))


def grank_t(fits: list[Fit], days: np.ndarray) -> tuple[float, float]:
    kept = cars(fits, days)
    scar = np.array([car / np.sqrt(var) for _, car, var, _ in kept])
    scar = scar / scar.std(ddof=1)
    n_est = kept[0][0].n_est
    u = np.full((len(kept), n_est + 1), np.nan)
    for i, (fit, _, _, _) in enumerate(kept):
        sar = fit.e[:n_est] / (fit.sigma * np.sqrt(1 - fit.leverage[:n_est]))
        gsar = np.append(sar, scar[i])
        valid = np.isfinite(gsar)
        u[i, valid] = stats.rankdata(gsar[valid]) / (valid.sum() + 1) - 0.5
    total, n = int(np.isfinite(u).any(axis=0).sum()), len(kept)
    squares = 0.0
    for t in range(u.shape[1]):
        there = u[np.isfinite(u[:, t]), t]
        squares += len(there) / n * there.mean() ** 2 if len(there) else 0.0
    z = u[:, -1].mean() / np.sqrt(squares / total)
    t = z * np.sqrt((total - 2) / (total - 1 - z**2))
    return t, p_t(t, min(n - 1, total - 2))


LOOPS: dict[str, Loop] = {
    f.__name__: f for f in (cross_section, bmp, patell, sign, generalized_sign, wilcoxon, corrado, grank_t)
}


@pytest.mark.parametrize("missing", [0.0, 0.04])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LOOPS)
def test_a_statistic_equals_its_plain_loop(name: str, kind: make.Kind, missing: float) -> None:
    case = make.case(np.random.default_rng(11), n=26, kind=kind, missing=missing)
    found, fits = answer(name, case), make.fits(case)
    for window in range(len(case.sample.spec.windows)):
        days = columns_of(case.sample.spec, window)
        statistic, p = LOOPS[name](fits, days)
        assert found.statistic[0, window] == pytest.approx(statistic, rel=1e-9)
        assert found.p[0, window] == pytest.approx(p, rel=1e-8)
        assert found.n[0, window] == len(cars(fits, days))


def test_the_plain_loops_are_tried_with_missing_days() -> None:
    case = make.case(np.random.default_rng(11), n=26, missing=0.04)
    fits = make.fits(case)
    assert any(np.isnan(fit.e[: fit.n_est]).any() for fit in fits)
    assert 10 < len(cars(fits, columns_of(case.sample.spec, 2))) < 26


@pytest.mark.parametrize("missing", [0.0, 0.04])
def test_brown_warner_on_one_date_is_the_published_ratio(missing: float) -> None:
    case = make.case(np.random.default_rng(12), n=20, kind="same_day", missing=0.0)
    if missing:  # in the estimation window alone, and at a later day for one event
        ok = case.panels[0].ok & (np.random.default_rng(13).random(case.panels[0].ok.shape) >= missing)
        ok[:, case.placed.day[0] - 5 :] = True
        ok[4, case.placed.day[0] + 5] = False
        case = case._replace(panels=[replace(case.panels[0], ok=ok)])
    found, fits = answer("brown_warner", case), make.fits(case)
    averages = []
    for t in range(60):
        there = [fit.e[t] for fit in fits if np.isfinite(fit.e[t])]
        averages.append(np.mean(there))
    for window in range(3):
        days = columns_of(case.sample.spec, window)
        kept = cars(fits, days)
        caar = np.mean([car for _, car, _, _ in kept])
        t = caar / (np.std(averages, ddof=1) * np.sqrt(len(days)))
        assert found.statistic[0, window] == pytest.approx(t, rel=1e-9)
        assert found.p[0, window] == pytest.approx(p_t(t, 59), rel=1e-8)
        assert found.df[0, window] == 59
        assert found.note[0, window] == "one date"
    if not missing:
        average = np.mean([fit.e for fit in fits], axis=0)
        a = average[:60].std(ddof=1)
        assert found.statistic[0, 0] == pytest.approx(average[65] / a, rel=1e-9)


def test_brown_warner_on_several_dates_averages_in_calendar_time() -> None:
    case = make.case(np.random.default_rng(14), n=24, missing=0.04)
    found, fits = answer("brown_warner", case), make.fits(case)
    by_date: dict[int, list[float]] = {}
    for fit in fits:
        for date, e in zip(fit.dates[: fit.n_est].tolist(), fit.e, strict=False):
            if np.isfinite(e):
                by_date.setdefault(date, []).append(float(e))
    sums = [sum(there) / np.sqrt(len(there)) for there in by_date.values()]
    for window in range(3):
        days = columns_of(case.sample.spec, window)
        kept = cars(fits, days)
        caar = np.mean([car for _, car, _, _ in kept])
        t = caar / (np.std(sums, ddof=1) / np.sqrt(len(kept)) * np.sqrt(len(days)))
        assert found.statistic[0, window] == pytest.approx(t, rel=1e-9)
        assert found.df[0, window] == len(sums) - 1
        assert "calendar" in found.note[0, window]


@pytest.mark.parametrize("coverage", [1.0, 0.8, 0.3])
def test_a_window_with_too_few_valid_days_is_missing_and_never_filled(coverage: float) -> None:
    its = make.spec(min_coverage=coverage)
    case = make.case(np.random.default_rng(15), n=30, study_spec=its, missing=0.15)
    outcome = run(case.panels, case.placed, MARKET, {}, case.sample)
    single = outcome.singles
    fits = make.fits(case)
    for row, event in enumerate(single["id"]):
        for window, length in enumerate((1, 3, 11)):
            car, variance, valid = fits[event].car(columns_of(its, window))
            assert single["n_days"][row, window] == valid
            if valid >= max(1, np.ceil(length * coverage - 1e-9)):
                assert single["car"][row, window] == pytest.approx(car, rel=1e-10)
                assert single["se"][row, window] == pytest.approx(np.sqrt(variance), rel=1e-10)
            else:
                assert np.isnan(single["car"][row, window])
                assert np.isnan(single["se"][row, window])
    assert np.isnan(single["car"]).any()
    assert np.isfinite(single["car"]).any()


def test_patell_with_missing_days_divides_by_the_variances_of_the_valid_ones() -> None:
    its = make.spec(min_coverage=0.5)
    case = make.case(np.random.default_rng(16), n=20, study_spec=its, missing=0.15)
    found, fits = answer("patell", case), make.fits(case)
    days = columns_of(its, 2)
    own = []
    for fit in fits:
        valid = [t for t in days if np.isfinite(fit.e[t])]
        if len(valid) >= 6:
            sar = sum(fit.e[t] / (fit.sigma * np.sqrt(1 + fit.leverage[t])) for t in valid)
            own.append(sar / np.sqrt(len(valid) * fit.dof / (fit.dof - 2)))
    assert found.statistic[0, 2] == pytest.approx(sum(own) / np.sqrt(len(own)), rel=1e-9)
    assert found.n[0, 2] == len(own)
