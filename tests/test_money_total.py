"""The error of a sum of money: one event's forecast error, a double sum, and coverage in simulated catalogues."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.core import totals
from eventstudy.core.run import run
from eventstudy.types import Outcome, Panel, Spec
from tests import make
from tests.make import Case

WINDOW = ((-1, 1),)


def outcome_of(case: Case, weight: np.ndarray) -> Outcome:
    extra = {"money": partial(totals.chunk, weight=weight)}
    return run(case.panels, case.placed, es.model("market"), {}, case.sample, extra=extra)


def one_window(n_est: int = 60) -> Spec:
    return make.spec(n_est, WINDOW)


def test_one_event_has_the_forecast_error_of_its_car() -> None:
    case = make.case(np.random.default_rng(1), n=5, kind="independent", study_spec=one_window(), missing=0.05)
    for at in range(5):
        weight = np.zeros(5)
        weight[at] = 3e9
        outcome = outcome_of(case, weight)
        se = np.sqrt(totals.variance_of_sum(outcome.extra["money"], case.sample))
        np.testing.assert_allclose(se, 3e9 * np.nan_to_num(outcome.singles["se"][at, 0]), rtol=1e-12)


@pytest.mark.parametrize("kind", ["independent", "same_day", "overlap"])
def test_the_variance_is_the_double_sum_over_events_and_days(kind: make.Kind) -> None:
    """Every pair of days of two events: weights by hand, covariances of the residuals of pairs of events.

    The library takes one covariance for all pairs of events of two dates. Here each date has one event, or all events
    have the same regressors, so that both are equal. Two events without a common day before have the mean of the rest.
    """
    rng = np.random.default_rng(2)
    case = make.case(rng, n=8, kind=kind, study_spec=one_window(), missing=0.0)
    weight = np.exp(rng.standard_normal(8))
    state = outcome_of(case, weight).extra["money"]
    fits = make.fits(case)
    n_dates = int(case.sample.cluster_dates.max()) + 1
    on_date, residuals = np.zeros((8, n_dates)), np.full((8, n_dates), np.nan)
    for at, fit in enumerate(fits):
        n_est, zero = fit.n_est, fit.n_est + 5
        w = np.zeros(len(fit.e))
        w[zero - 1 : zero + 2] = weight[at]
        w[:n_est] = -(fit.design[:n_est] @ fit.inverse @ (fit.design.T @ w))
        dates = case.sample.cluster_dates[case.placed.cluster[at]]
        on_date[at, dates] = w
        residuals[at, dates[:n_est]] = fit.e[:n_est] * np.sqrt(n_est / fit.dof)
    known = np.isfinite(residuals).astype(float)
    n_common = known @ known.T
    products = np.nan_to_num(residuals) @ np.nan_to_num(residuals).T
    pairs = weight[:, None] * weight * ~np.eye(8, dtype=bool)
    mean = (pairs * products).sum() / (pairs * n_common).sum()
    covariance = np.where(n_common > 0, products / np.maximum(n_common, 1), mean)
    expected = (covariance * (on_date @ on_date.T)).sum()
    np.testing.assert_allclose(totals.variance_of_sum(state, case.sample), expected, rtol=1e-9)


def test_equal_weights_give_the_interval_of_effects() -> None:
    """Of clusters where there are enough, by the mean correlation else; both as the table of tests has them."""
    for kind in ("overlap", "same_day"):
        case = make.case(np.random.default_rng(4), n=24, kind=kind, study_spec=one_window())
        outcome = outcome_of(case, np.ones(24))
        ids = outcome.singles["id"]
        car = outcome.singles["car"][:, 0]
        known = np.isfinite(car)
        r = float(outcome.shared["overlap"]["windows"][0, 0])
        found = totals.mean_of_events(
            car[known], np.ones(int(known.sum())), case.placed.cluster[ids][known], case.sample, WINDOW[0], r
        )
        effects = {name: float(outcome.shared["effects"][name][0, 0]) for name in ("mean", "se", "df")}
        assert found.by_clusters == (kind == "overlap")
        np.testing.assert_allclose([found.mean, found.se, found.df], [*effects.values()], rtol=1e-10)


def test_weights_are_those_of_a_regression_on_a_constant() -> None:
    """CR2 with weights, against the formula with a matrix of each cluster, for clusters of one date."""
    rng = np.random.default_rng(5)
    case = make.bunches([3, 1, 4, 2, 5])
    n, cluster = 15, case.placed.cluster
    values, weight = rng.standard_normal(n), np.exp(rng.standard_normal(n))
    found = totals.mean_of_events(values, weight, cluster, case.sample, (0, 0), 0.0)
    mean = np.average(values, weights=weight)
    share = np.bincount(cluster, weight) / weight.sum()
    sums = np.bincount(cluster, weight * (values - mean)) / weight.sum()
    np.testing.assert_allclose([found.mean, found.se], [mean, np.sqrt((sums**2 / (1 - share)).sum())], rtol=1e-12)


def test_one_event_with_all_the_weight_has_no_spread() -> None:
    case = make.bunches([3, 1, 4, 2, 5])
    values, weight = np.arange(15.0), np.full(15, 1e-9)
    weight[4] = 1.0
    found = totals.mean_of_events(values, weight, case.placed.cluster, case.sample, (0, 0), 0.1)
    assert found.mean == pytest.approx(4.0, abs=1e-6)
    assert np.isnan([found.se, found.df]).all()


class Simulated(NamedTuple):
    """How often the interval of the total covers the planted one, and how often a test without effects rejects."""

    covered: float
    rejected: dict[str, float]


EIGHT = tuple(range(150, 294, 18))


def simulate(
    n: int, effect: float, seed: int, zero: tuple[int, ...] = EIGHT, firms: int = 24, each: int = 6, rho: float = 0.2
) -> Simulated:
    """Draw catalogues: firms of very unequal value, dates with ``each`` events, residuals correlated by ``rho``.

    Effects differ by event and, if ``effect`` is not 0, grow with the value of the firm.
    """
    rng = np.random.default_rng(seed)
    spec = make.spec(120, ((-1, 1),))
    days = 320
    value = np.exp(1.5 * rng.standard_normal(firms))
    sigma = 0.03 * value**-0.15
    where = [(0, int(firm), day) for day in zero for firm in rng.choice(firms, each, replace=False)]
    dates = np.arange(18000, 18000 + days)
    weight = value[[firm for _, firm, _ in where]]
    covered, rejected = 0, dict.fromkeys(("equal", "value", "money"), 0)
    for _ in range(n):
        market = 0.01 * rng.standard_normal(days)
        common = np.sqrt(rho) * rng.standard_normal(days) + np.sqrt(1 - rho) * rng.standard_normal((firms, days))
        r = 0.9 * market + sigma[:, None] * common
        planted = effect * (1 + rng.standard_normal(len(where))) * weight**0.2
        for size, (_, firm, day) in zip(planted, where, strict=True):
            r[firm, day] += size
        panel = Panel(
            r,
            np.ones(r.shape, dtype=bool),
            market[:, None],
            dates,
            tuple(f"S{i}" for i in range(firms)),
            ("benchmark+0",),
        )
        case = make.place([panel], spec, where)
        outcome = outcome_of(case, weight)
        car, df = outcome.singles["car"][:, 0], float(outcome.singles["dof"].min())
        half = stats.t.ppf(0.975, df) * np.sqrt(totals.variance_of_sum(outcome.extra["money"], case.sample))
        covered += abs(weight @ car - weight @ planted) <= half
        for name, values, weights in (
            ("equal", car, np.ones(len(car))), ("value", car, weight), ("money", car * weight, np.ones(len(car)))
        ):  # fmt: skip
            mean = totals.mean_of_events(values, weights, case.placed.cluster, case.sample, WINDOW[0], 0.0)
            rejected[name] += bool(2 * stats.t.sf(abs(mean.mean / mean.se), mean.df) < 0.05)
    return Simulated(covered / n, {name: count / n for name, count in rejected.items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zero", "firms", "each", "rho"),
    [
        pytest.param(EIGHT, 24, 6, 0.2, id="eight dates"),
        pytest.param((200,), 12, 12, 0.3, id="one date"),
        pytest.param((200, 202, 204, 206, 208), 5, 5, 0.3, id="overlapping windows"),
    ],
)
def test_the_interval_covers_the_planted_total_in_95_percent_of_catalogues(
    zero: tuple[int, ...], firms: int, each: int, rho: float
) -> None:
    """Of 2,000; the binomial error of the share is 0.5 %."""
    found = simulate(2000, -0.02, 7, zero, firms, each, rho)
    assert 0.94 <= found.covered <= 0.96, found


@pytest.mark.slow
def test_means_of_events_without_effects_reject_in_5_percent() -> None:
    found = simulate(2000, 0.0, 8)
    assert all(0.03 <= rate <= 0.065 for rate in found.rejected.values()), found
