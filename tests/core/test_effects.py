"""Means of effects and their standard errors, against CR2 by full matrices and statsmodels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eventstudy import _registry
from eventstudy.core.cr2 import clustered_mean
from eventstudy.core.run import run
from tests import make

MARKET = _registry.load("models", "market")
SIZES = st.lists(st.integers(1, 9), min_size=2, max_size=8)


def by_matrices(clusters: list[np.ndarray]) -> tuple[float, float]:
    """CR2 of a regression on a constant, and Satterthwaite's degrees of freedom, from their definitions."""
    y, label = np.concatenate(clusters), np.repeat(np.arange(len(clusters)), [len(c) for c in clusters])
    n = len(y)
    x = np.ones((n, 1))
    maker = np.eye(n) - x @ np.linalg.inv(x.T @ x) @ x.T
    residuals, variance, columns = maker @ y, 0.0, []
    for g in range(len(clusters)):
        rows = label == g
        values, vectors = np.linalg.eigh(maker[np.ix_(rows, rows)])
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        variance += float((x[rows].T @ root @ residuals[rows])[0]) ** 2 / n**2
        columns.append(maker[:, rows] @ root @ x[rows, 0] / n)
    gram = np.column_stack(columns).T @ np.column_stack(columns)
    return float(np.sqrt(variance)), float(np.trace(gram) ** 2 / np.trace(gram @ gram))


@pytest.mark.thorough
@given(SIZES, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_clustered_mean_is_cr2_by_full_matrices(sizes, seed):
    rng = np.random.default_rng(seed)
    clusters = [rng.normal(0.3, 1.0, size) + rng.normal() for size in sizes]
    se, df = by_matrices(clusters)
    # A second group between the clusters of the first changes nothing.
    total = np.array([[c.sum(), 5.0] for c in clusters]).ravel()
    count = np.array([[len(c), 1.0] for c in clusters]).ravel()
    group = np.tile([1, 0], len(clusters))
    found = clustered_mean(total, count, group, 2)
    assert found.mean[1] == pytest.approx(np.concatenate(clusters).mean(), rel=1e-12)
    assert found.se[1] == pytest.approx(se, rel=1e-10)  # inverse square roots of nearly singular matrices
    assert found.df[1] == pytest.approx(df, rel=1e-10)
    assert found.n_clusters.tolist() == [len(clusters)] * 2
    assert np.isnan(found.se[0])  # all its clusters are equal
    assert found.mean[0] == 5.0


def test_one_cluster_has_no_standard_error():
    found = clustered_mean(np.array([3.0]), np.array([4.0]), np.array([0]), 1)
    assert found.mean.tolist() == [0.75]
    assert np.isnan([found.se, found.df]).all()


def effects(case: make.Case) -> tuple[dict[str, np.ndarray], np.ndarray]:
    outcome = run(case.panels, case.placed, MARKET, {}, case.sample)
    order = np.argsort(outcome.singles["id"])
    return outcome.shared["effects"], np.asarray(outcome.singles["car"])[order]


def test_without_overlap_it_is_the_t_interval_of_a_mean():
    case = make.case(np.random.default_rng(0), n=17, kind="independent", missing=0.0)
    found, car = effects(case)
    for v in range(3):
        interval = stats.ttest_1samp(car[:, v], 0.0).confidence_interval()
        assert found["mean"][0, v] == pytest.approx(car[:, v].mean(), rel=1e-12)
        assert found["lower"][0, v] == pytest.approx(interval.low, rel=1e-10)
        assert found["upper"][0, v] == pytest.approx(interval.high, rel=1e-10)
    assert found["n_clusters"].tolist() == found["n_dates"].tolist() == [[17.0] * 3]


def test_bunches_of_dates_are_the_clusters_and_a_link_joins_two():
    case = make.case(np.random.default_rng(1), n=40, kind="overlap", missing=0.0)
    found, car = effects(case)
    v = 2  # (-5, 5): the eight bunches of dates do not meet
    bunch = np.arange(40) % 8
    se, df = by_matrices([car[bunch == b, v] for b in range(8)])
    assert found["n_clusters"][0, v] == 8
    assert found["se"][0, v] == pytest.approx(se, rel=1e-9)
    assert found["df"][0, v] == pytest.approx(df, rel=1e-9)
    first, second = (int(case.placed.cluster[np.flatnonzero(bunch == b)[0]]) for b in (2, 5))
    linked = case._replace(sample=replace(case.sample, links=np.array([[first, second]])))
    joined = np.where(bunch == 5, 2, bunch)
    se, df = by_matrices([car[joined == b, v] for b in np.unique(joined)])
    found, _ = effects(linked)
    assert found["n_clusters"][0, v] == 7
    assert found["se"][0, v] == pytest.approx(se, rel=1e-9)
    assert found["df"][0, v] == pytest.approx(df, rel=1e-9)


def test_groups_have_the_effects_of_their_events_alone():
    case = make.case(np.random.default_rng(2), n=48, kind="overlap", missing=0.1, groups=3)
    found, _ = effects(case)
    assert np.isfinite(found["se"]).all()
    for g in range(3):
        rows = np.flatnonzero(case.placed.group == g)
        clusters, cluster = np.unique(case.placed.cluster[rows], return_inverse=True)
        sample = replace(
            case.sample, n_groups=1, cluster_group=np.zeros(len(clusters), dtype=np.int64),
            cluster_dates=case.sample.cluster_dates[clusters],
        )  # fmt: skip
        by_event = {name: getattr(case.placed, name)[rows] for name in ("panel", "asset", "day", "weight")}
        placed = case.placed._replace(**by_event, cluster=cluster, group=np.zeros(len(rows), dtype=np.int64))
        alone, _ = effects(make.Case(case.panels, placed, sample))
        for name, values in alone.items():
            np.testing.assert_allclose(found[name][g], values[0], rtol=1e-9, err_msg=name)
