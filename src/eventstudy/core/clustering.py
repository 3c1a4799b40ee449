"""How the events of a sample share calendar days: it decides which tests are valid."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Bools, Clustering, Dates, Floats, Ints, Placed, Sample, Window


def clustering(first: Ints, day: Ints, last: Ints, counts: Ints | None = None) -> Clustering:
    """Count the pairs of events whose windows, from ``first`` to ``last`` (N,) as calendar date numbers, overlap.

    ``counts`` (N,) is the number of events with these dates; 1 by default.

    Examples
    --------
    >>> str(clustering(np.array([0, 5, 50]), np.array([5, 10, 55]), np.array([10, 15, 60])))
    '33.3% of the pairs of events share days of their windows (3 dates)'
    """
    counts = np.ones(len(day), dtype=np.int64) if counts is None else counts
    n = int(counts.sum())
    starts, position = np.unique(first, return_inverse=True)
    n_starts = np.bincount(position, counts, len(starts)).astype(np.int64)
    n_before = np.append(0, np.cumsum(n_starts))
    n_later = n_before[np.searchsorted(starts, last, side="right")] - n_before[position + 1]
    # A pair is counted by the event that starts first, and half by each where both start on the same date.
    pairs = counts @ n_later + counts @ (n_starts[position] - 1) / 2
    share = float(pairs / (n * (n - 1) / 2)) if n > 1 else 0.0
    return Clustering(n, len(np.unique(day)), share, n_clusters=int(components(first, last).max(initial=-1)) + 1)


def clustering_of(sessions: Dates, placed: Placed, sample: Sample, rows: Bools | Ints) -> Clustering:
    """Count how some placed events share days; ``sessions`` (n,) are those of all placed events."""
    counts = np.bincount(placed.cluster[rows], minlength=len(sample.cluster_group))
    clusters = np.flatnonzero(counts)
    first, last = sample.cluster_dates[:, [sample.spec.n_est, -1]][clusters].T
    day = np.empty(len(counts), dtype=np.int64)
    day[placed.cluster] = sessions.astype(np.int64)  # the same for all events of a cluster
    linked = int((counts[sample.links] > 0).all(axis=1).sum())
    n_clusters = int(chains(sample, clusters, sample.spec.event).max(initial=-1)) + 1
    of_windows = clustering(first, day[clusters], last, counts[clusters])
    return of_windows._replace(n_linked=linked, n_clusters=n_clusters)


def chains(sample: Sample, clusters: Ints, window: Window) -> Ints:
    """Assign one number to the clusters of a group whose windows overlap in a chain, or that report the same news.

    ``clusters`` (n,) are those with events, ``window`` the first and last relative day. The numbers, from 0, follow the
    order of groups and of the calendar. Windows are those of the study: an event with a shorter window of its own may
    join dates that its own days do not.
    """
    spec = sample.spec
    first, last = (sample.cluster_dates[clusters, spec.n_est + day - spec.event[0]] for day in window)
    # Groups get separate ranges of date numbers, so that only clusters of the same group share dates.
    separate = sample.cluster_group[clusters] * (last.max(initial=0) + 1)
    position = np.full(len(sample.cluster_group), -1)
    position[clusters] = np.arange(len(clusters))
    links = position[sample.links]
    return components(first + separate, last + separate, links[(links >= 0).all(axis=1)])


def sums_by_chain(sample: Sample, window: Window, values: Floats, counts: Floats) -> list[tuple[Floats, Floats]]:
    """Sum values (C,) of the clusters, and their counts of events, by chain: of each group both sums, (chains,)."""
    clusters = np.flatnonzero(counts > 0)
    chain = chains(sample, clusters, window)
    sums, n = (np.bincount(chain, leaf[clusters]).astype(np.float64) for leaf in (values, counts))
    group = np.empty(len(n), dtype=np.int64)
    group[chain] = sample.cluster_group[clusters]
    ends = np.searchsorted(group, np.arange(1, sample.n_groups))
    return list(zip(np.split(sums, ends), np.split(n, ends), strict=True))


def components(first: Ints, last: Ints, links: Ints | None = None) -> Ints:
    """Assign the same number to events whose windows, from ``first`` to ``last`` (N,), overlap in a chain.

    ``links`` (n, 2) are pairs of positions that belong to the same group, whatever their windows.

    Examples
    --------
    >>> components(np.array([50, 0, 8]), np.array([60, 10, 18])).tolist()
    [1, 0, 0]
    """
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order]) if len(first) else last
    starts_group = np.ones(len(first), dtype=bool)
    starts_group[1:] = first[order][1:] > reach[:-1]
    labels = np.empty(len(first), dtype=np.int64)
    labels[order] = np.cumsum(starts_group) - 1
    return labels if links is None or not len(links) else _merge_labels(labels, labels[links])


def _merge_labels(labels: Ints, pairs: Ints) -> Ints:
    """Give linked labels the same number; new numbers follow the order of the old ones."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(labels.max()) + 1
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    return np.asarray(component[labels], dtype=np.int64)
