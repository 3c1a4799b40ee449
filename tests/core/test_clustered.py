"""The mean over clusters: CR2 by full matrices from its definition, and statsmodels where it has the same number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy import _registry
from eventstudy.core import run as running
from eventstudy.core.clustering import sums_by_chain
from eventstudy.core.cr2 import clustered_mean
from eventstudy.types import Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import Sizes, batches, on_dates

MARKET = _registry.load("models", "market")
TEST = _registry.load("inference", "clustered")
SIZES = [[3, 1, 4, 2, 2, 5], [1, 1, 2, 6, 1, 1, 1, 3], [40, 1, 1], [2] * 9, [1] * 14]


def answer(case: Case) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": TEST}, case.sample).verdicts["it"]


def by_definition(z: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """Give the CR2 standard error of the mean and its degrees of freedom, from matrices of all events.

    Bell & McCaffrey: the residuals of a cluster times the inverse symmetric root of its block of the residual-maker,
    and Satterthwaite's degrees from the matrix G of Imbens & Kolesar (2016, equation 11) under equal variances.
    """
    n, x = len(z), np.ones((len(z), 1))
    maker = np.eye(n) - x @ np.linalg.inv(x.T @ x) @ x.T
    error, columns = maker @ z, []
    squares = 0.0
    for name in np.unique(cluster):
        rows = np.flatnonzero(cluster == name)
        values, vectors = np.linalg.eigh(maker[np.ix_(rows, rows)])
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        weights = root @ x[rows] / n
        squares += (weights[:, 0] @ error[rows]) ** 2
        columns.append(maker[:, rows] @ weights[:, 0])
    lambdas = np.linalg.eigvalsh(np.column_stack(columns).T @ np.column_stack(columns))
    return float(np.sqrt(squares)), float(lambdas.sum() ** 2 / (lambdas**2).sum())


def mean_se(sums: np.ndarray, counts: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom of one group."""
    found = clustered_mean(sums, counts, np.zeros(len(sums), dtype=np.int64), 1)
    return float(found.mean[0]), float(found.se[0]), float(found.df[0])


def sums_of(z: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    label = np.unique(cluster, return_inverse=True)[1]
    return np.bincount(label, z), np.bincount(label).astype(float)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_standard_error_and_its_degrees_are_those_of_the_definition(sizes: list[int]) -> None:
    rng = np.random.default_rng(1)
    cluster = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    z = 1.0 + rng.standard_normal(len(cluster)) + rng.standard_normal(len(sizes))[cluster]
    mean, se, df = mean_se(*sums_of(z, cluster))
    assert mean == pytest.approx(z.mean(), rel=1e-13)
    assert [float(se), float(df)] == pytest.approx(by_definition(z, cluster), rel=1e-12)


def test_clusters_of_one_size_have_the_corrected_error_of_statsmodels_and_one_degree_less_than_clusters() -> None:
    """CR1 scales CR0 by G / (G - 1) for one parameter, which is what CR2 does to every cluster of N / G events."""
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(6), 4)
    z = rng.standard_normal(24) + rng.standard_normal(6)[cluster]
    fit = sm.OLS(z, np.ones(24)).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    mean, se, df = mean_se(*sums_of(z, cluster))
    assert [float(mean), float(se), float(df)] == pytest.approx([fit.params[0], fit.bse[0], 5.0], rel=1e-12)


@pytest.mark.parametrize("sizes", SIZES[:3])
def test_uneven_clusters_lie_between_the_errors_with_and_without_the_largest_correction(sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    z = rng.standard_normal(len(cluster))
    plain = sm.OLS(z, np.ones(len(z))).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    _, se, df = mean_se(*sums_of(z, cluster))
    share = np.array(sizes) / sum(sizes)
    assert 1 / (1 - share.min()) <= (se / plain.bse[0]) ** 2 <= 1 / (1 - share.max())
    assert 1.0 < df < len(sizes) - 1


def test_several_groups_at_once_and_empty_clusters() -> None:
    rng = np.random.default_rng(4)
    group = rng.permutation(np.repeat(np.arange(5), 7))
    counts = rng.integers(0, 4, len(group)).astype(float)
    sums = counts * rng.standard_normal(len(group))
    found = clustered_mean(sums, counts, group, 5)
    for g in range(5):
        some = (group == g) & (counts > 0)
        alone = mean_se(sums[some], counts[some])
        assert np.isfinite(alone).all()
        np.testing.assert_allclose([found.mean[g], found.se[g], found.df[g]], alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("sums", "counts", "wanted"),
    [
        ([], [], (np.nan, np.nan, np.nan)),
        ([0.0, 0.0], [0.0, 0.0], (np.nan, np.nan, np.nan)),
        ([6.0, 0.0], [4.0, 0.0], (1.5, np.nan, np.nan)),
        ([0.1 * 3, 0.1, 0.1 * 7], [3.0, 1.0, 7.0], (0.1, np.nan, 1.0)),
    ],
)
def test_what_has_no_value_is_missing(sums: list[float], counts: list[float], wanted: tuple[float, ...]) -> None:
    """No values, one cluster, and clusters whose means are all equal."""
    with np.errstate(all="raise"):
        found = np.array(mean_se(np.array(sums), np.array(counts)))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.isnan(found[0]) or found[0] == pytest.approx(wanted[0])


@pytest.mark.parametrize("missing", [0.0, 0.03])
@pytest.mark.parametrize("sizes", [*SIZES[:2], [10, 2, 1], *SIZES[3:]])
def test_the_statistic_is_that_of_the_definition(sizes: list[int], missing: float) -> None:
    case = make.bunches(sizes, missing=missing)
    found = answer(case)
    for window in range(3):
        z, cluster = make.scars(case, window)
        names = len(np.unique(cluster))
        assert found.n[0, window] == len(z)
        if names < 3:
            assert np.isnan(found.p[0, window])
            continue
        se, df = by_definition(z, cluster)
        t = z.mean() / se
        np.testing.assert_allclose(found.statistic[0, window], t, rtol=1e-9)
        np.testing.assert_allclose(found.df[0, window], df, rtol=1e-12)
        np.testing.assert_allclose(found.p[0, window], make.p_of_t(t, df), rtol=1e-8)
        assert found.note[0, window] == f"{names} clusters of events, {df:.1f} degrees of freedom"


def test_with_one_event_a_cluster_it_is_bmp() -> None:
    case = make.bunches([1] * 14)
    bmp = running.run(
        case.panels, case.placed, MARKET, {"it": _registry.load("inference", "bmp")}, case.sample
    ).verdicts["it"]
    found = answer(case)
    for part in ("statistic", "df", "p"):
        np.testing.assert_allclose(getattr(found, part), getattr(bmp, part), rtol=1e-10)


@pytest.mark.parametrize(("step", "wanted"), [(1, [8, 1, 1]), (2, [8, 1, 1]), (3, [8, 8, 1]), (11, [8, 8, 8])])
def test_windows_that_share_a_day_are_one_cluster(step: int, wanted: list[int]) -> None:
    """Windows of 1, 3 and 11 days."""
    found = answer(make.bunches([2] * 8, step=step))
    for window, clusters in enumerate(wanted):
        if clusters == 1:
            assert np.isnan(found.statistic[0, window])
            assert "fewer than 3 clusters" in found.note[0, window]
        else:
            assert found.note[0, window] == f"{clusters} clusters of events, {clusters - 1:.1f} degrees of freedom"


@pytest.mark.parametrize("dates", [1, 2])
def test_fewer_than_three_clusters_have_a_reason(dates: int) -> None:
    found = answer(make.bunches([4] * dates))
    assert np.isnan(found.p).all()
    reason = "fewer than 3 clusters of events: too few to estimate how much clusters differ"
    assert set(found.note.ravel()) == {reason}
    assert (found.n == 4 * dates).all()
    assert np.isfinite(answer(make.bunches([4] * 3)).p).all()


def test_one_cluster_with_nearly_all_events_has_a_reason() -> None:
    """Its own share is what the mean is, and two single events cannot tell how much it varies."""
    reason = "one cluster has more than 85% of the events: the others are too few beside it"
    assert set(answer(make.bunches([18, 2, 1])).note.ravel()) == {reason}
    assert np.isfinite(answer(make.bunches([17, 2, 1])).p).all()


def test_linked_clusters_are_one_chain_in_the_order_of_the_calendar() -> None:
    case = make.bunches([1, 2, 3, 4])
    sample = case.sample
    counts, values = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, 2.0, 4.0])
    [(sums, n)] = sums_by_chain(sample, (0, 0), values, counts)
    assert (sums.tolist(), n.tolist()) == ([0.5, 1.0, 2.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    linked = replace(sample, links=np.array([[0, 2]]))
    [(sums, n)] = sums_by_chain(linked, (0, 0), values, counts)
    assert (sums.tolist(), n.tolist()) == ([2.5, 1.0, 4.0], [4.0, 2.0, 4.0])
    counts[1] = 0.0  # no event has a value there
    [(sums, n)] = sums_by_chain(linked, (0, 0), values, counts)
    assert (sums.tolist(), n.tolist()) == ([2.5, 4.0], [4.0, 4.0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes",
    [(12,) * 5, (12,) * 3, (5,) * 10, (30, 22, 16, 11, 8, 5, 3, 2), (80, 10, 5, 5)],
    ids=["5x12", "3x12", "10x5", "uneven", "one_large"],
)
def test_size_where_news_raises_the_variance_of_the_common_shock(sizes: tuple[int, ...]) -> None:
    """Four times the variance: kolari_pynnonen, whose correlation is that of ordinary days, rejects 10 % or more."""
    its = make.spec(120, ((0, 0), (-5, 5)))
    found = Sizes(batches(on_dates(its, sizes, 0.1, common=4.0), ["clustered", "kolari_pynnonen"], 2000, seed=51))
    assert np.isfinite(found.p["clustered"]).all()
    assert (found.of("clustered") >= 0.02).all(), found.of("clustered")
    assert (found.of("clustered") <= 0.065).all(), found.of("clustered")
    assert (found.of("kolari_pynnonen") > 0.1).all(), found.of("kolari_pynnonen")
