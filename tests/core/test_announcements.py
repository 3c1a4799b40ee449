"""The mean over announcements: by clusters and by days before, held to Student's t, SciPy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eventstudy.core.announcements import FEWEST_RUNS, by_clusters, by_history


def test_clusters_of_one_announcement_are_the_t_test_of_scipy() -> None:
    values = np.random.default_rng(1).standard_normal(12) + 0.5
    found, wanted = by_clusters(values, np.arange(12)), stats.ttest_1samp(values, 0.0)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    assert found.se == pytest.approx(values.std(ddof=1) / np.sqrt(12), rel=1e-10)
    assert found.df == pytest.approx(11.0, rel=1e-10)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-9)
    interval = wanted.confidence_interval()
    assert found.margin == pytest.approx((interval.high - interval.low) / 2, rel=1e-9)
    assert found.reason == ""


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        ([3, 3, 3, 3], "1 clusters of dates are too few, or too uneven"),
        ([0, 1, 2, 3], "the means of all clusters are equal"),
    ],
)
def test_clusters_that_do_not_tell_a_variance_give_the_mean_and_the_reason(cluster: list[int], reason: str) -> None:
    found = by_clusters(np.full(4, 0.25), np.array(cluster))
    assert found.mean == 0.25
    assert np.isnan([found.se, found.df, found.p, found.margin]).all()
    assert found.reason == reason


@pytest.mark.parametrize("length", [1, 3])
def test_the_variance_of_several_clusters_is_that_of_their_sums_on_days_before(length: int) -> None:
    rng = np.random.default_rng(2)
    cluster, inflation = np.array([5, 5, 9, 7, 9]), rng.uniform(1.0, 1.5, 5)
    values, runs = rng.standard_normal(5), rng.standard_normal((5, 60))
    runs[3, :4] = np.nan
    parts, degrees = [], []
    for label in (5, 7, 9):
        own = np.flatnonzero(cluster == label)
        sums = [sum(runs[a, t] for a in own) for t in range(60)]
        known = [s for s in sums if s == s]
        mean = sum(known) / len(known)
        parts.append(sum((s - mean) ** 2 for s in known) / (len(known) - 1) * np.mean(inflation[own]))
        n, lag = len(known), range(1, length)
        degrees.append(n - 1 if length == 1 else n**2 / (n + 2 * sum((n - k) * (1 - k / length) ** 2 for k in lag)))
    found = by_history(values, runs, cluster, inflation, length)
    se = np.sqrt(sum(parts)) / 5
    df = sum(parts) ** 2 / sum(v**2 / d for v, d in zip(parts, degrees, strict=True))
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    assert found.se == pytest.approx(se, rel=1e-10)
    assert found.df == pytest.approx(df, rel=1e-10)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(values.mean()) / se, df), rel=1e-9)
    assert found.margin == pytest.approx(stats.t.ppf(0.975, df) * se, rel=1e-9)


def test_one_cluster_is_ranked_among_its_days_before() -> None:
    rng = np.random.default_rng(3)
    runs, inflation = rng.standard_normal((2, 79)), np.array([1.0, 1.44])
    sizes = np.sqrt(1.22) * np.abs(runs.sum(axis=0)) / 2
    for mean in (0.0, 0.7, 1.5, 9.0):
        found = by_history(np.array([mean + 0.1, mean - 0.1]), runs, np.zeros(2, dtype=np.int64), inflation, 1)
        assert found.p == pytest.approx((1 + sum(size >= mean for size in sizes)) / 80, rel=1e-12)
        assert found.n_runs == 79
        assert np.isnan(found.df)
        # The largest effect that the runs do not reject at 5 %: of 80 ranks, 4 are that far out.
        inside = (1 + sum(size >= found.margin for size in sizes)) / 80
        outside = (1 + sum(size >= found.margin * (1 + 1e-6) for size in sizes)) / 80
        assert outside <= 0.05 < inside


@pytest.mark.parametrize(("n_runs", "length"), [(FEWEST_RUNS - 1, 1), (24, 6)])
def test_too_few_days_before_are_no_comparison(n_runs: int, length: int) -> None:
    runs = np.random.default_rng(4).standard_normal((2, n_runs))
    found = by_history(np.array([1.0, 2.0]), runs, np.array([0, 1]), np.ones(2), length)
    assert found.mean == 1.5
    assert np.isnan([found.se, found.p, found.margin]).all()
    assert found.reason.startswith(f"{n_runs} runs of {length} days before an announcement are too few")


def test_days_before_that_do_not_vary_are_no_comparison() -> None:
    found = by_history(np.array([1.0]), np.zeros((1, 50)), np.array([0]), np.ones(1), 1)
    assert found.mean == 1.0
    assert np.isnan([found.se, found.p]).all()
    assert found.reason == "the days before do not vary"
