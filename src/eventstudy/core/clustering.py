"""How the events of a sample share calendar days: what decides which tests hold."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Bools, Clustering, Dates, Ints, Placed, Sample


def clustering(first: Ints, day: Ints, last: Ints) -> Clustering:
    """Count pairs of events whose windows, from ``first`` to ``last`` (N,) as numbers of calendar dates, overlap.

    Examples
    --------
    >>> str(clustering(np.array([0, 5, 50]), np.array([5, 10, 55]), np.array([10, 15, 60])))
    '33.3% of the pairs of events share days of their windows (3 dates)'
    """
    n = len(day)
    starts, n_starts = np.unique(first, return_counts=True)  # a million events start on some thousand dates
    before = np.append(0, np.cumsum(n_starts))
    at = np.searchsorted(starts, first)
    later = before[np.searchsorted(starts, last, side="right")] - before[at + 1]
    # A pair is counted by the event that starts first, and by both where they start together.
    pairs = later.sum() + (n_starts[at] - 1).sum() / 2
    return Clustering(n, len(np.unique(day)), float(pairs / (n * (n - 1) / 2)) if n > 1 else 0.0)


def clustering_of(sessions: Dates, placed: Placed, sample: Sample, rows: Bools | Ints) -> Clustering:
    """Count how some placed events share days; ``sessions`` (n,) are those of all placed events."""
    cluster = placed.cluster[rows]
    first, last = sample.cluster_dates[:, [sample.spec.n_est, -1]][cluster].T
    linked = int(np.isin(sample.links, cluster).all(axis=1).sum())
    return clustering(first, sessions[rows].astype(np.int64), last)._replace(n_linked=linked)


def components(first: Ints, last: Ints, links: Ints | None = None) -> Ints:
    """Give each event the number of the group whose windows, from ``first`` to ``last`` (N,), overlap in a chain.

    ``links`` (n, 2) are pairs of positions that belong together, whatever their windows.

    Examples
    --------
    >>> components(np.array([50, 0, 8]), np.array([60, 10, 18])).tolist()
    [1, 0, 0]
    """
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order]) if len(first) else last
    fresh = np.ones(len(first), dtype=bool)
    fresh[1:] = first[order][1:] > reach[:-1]
    found = np.empty(len(first), dtype=np.int64)
    found[order] = np.cumsum(fresh) - 1
    return found if links is None or not len(links) else _united(found, found[links])


def _united(labels: Ints, pairs: Ints) -> Ints:
    """Give joined labels one number; numbers follow the first appearance in the old order."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(labels.max()) + 1
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(n, n))
    joined = connected_components(graph, directed=False)[1]
    return np.asarray(joined[labels], dtype=np.int64)
