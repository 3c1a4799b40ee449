"""Mean correlation of events that share calendar days, one number per window, without a loop over pairs.

Two events are dependent if their event windows share days and their residuals are correlated. Both are measured by
calendar date, not by relative day, so that events on different exchanges and dates are paired correctly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eventstudy.core.nulls import divide
from eventstudy.core.sums import by_cluster, valid_days
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, Spec, State

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Sparse = csr_array[np.float64, tuple[int, int]]

SPAN = 128  # dates whose rows are multiplied together: with their partners they take a few megabytes
MAX_LAG = 5  # dates between linked clusters; farther apart they are not the same news


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum residuals of unit variance by cluster and estimation day (C, n_est), with counts and each event's squares."""
    e = abnormal.ar[:, : abnormal.n_est]
    if abnormal.v is not None:
        e = e / np.sqrt(abnormal.v[:, : abnormal.n_est])
    ok = abnormal.ok[:, : abnormal.n_est]
    n_valid = valid_days(abnormal)
    rms = np.sqrt(np.vecdot(e, e) / n_valid)
    return {
        "z": by_cluster(abnormal, e / rms[:, None]),
        "n": by_cluster(abnormal, ok),
        "squares": by_cluster(abnormal, n_valid),  # the squares of an event's z sum to its number of days
        "events": by_cluster(abnormal, np.ones(len(e))),
    }


def finalize(state: State, sample: Sample) -> dict[str, Floats]:
    r"""Average the pairwise correlations of residuals, each weighted by the share of the window that overlaps.

    .. math:: r(W) = \frac{1}{N (N-1)} \sum_{i \ne j} \hat\rho_{ij} \frac{|W_i \cap W_j|}{L}

    If all events share one date, this is the mean correlation of Kolari & Pynnonen (2010, RFS 23:3996). For partly
    overlapping dates it weights by the overlap; pairing in event time would miss that dependence. The correlation of
    two clusters is estimated by the sum of products of their residuals over the dates in both estimation windows,
    divided by the number of these products.

    Two clusters with the same news on different dates (``Sample.links``: a home listing and its ADR, whose time zones
    put the news on different sessions) count as if they shared their whole windows, and their residuals are paired at
    that distance of dates.

    Returns
    -------
    dict
        ``windows`` (G, V), ``cumulative`` (G, n_evt) for the windows that begin with the event window.
    """
    spec = sample.spec
    cumulative = np.column_stack([np.full(spec.n_evt, spec.days[0]), spec.days])
    clusters = np.flatnonzero(state["events"] > 0)
    group, events = sample.cluster_group[clusters], state["events"][clusters]
    # Groups get separate ranges of date numbers, so that only clusters of the same group share dates.
    dates = sample.cluster_dates[clusters] + group[:, None] * (sample.cluster_dates.max(initial=0) + 1)
    first, second, correlation = _pair_correlations(state, clusters, dates, spec.n_est)
    linked, linked_correlation = _linked_pairs(state, clusters, dates, sample)
    unlinked = ~np.isin(first * len(clusters) + second, linked @ np.array([len(clusters), 1]))
    first, second, correlation = first[unlinked], second[unlinked], correlation[unlinked]
    n = np.bincount(group, events, sample.n_groups)
    pairs = np.maximum(n * (n - 1), 1)
    r = {}
    for name, windows in {"windows": spec.windows, "cumulative": cumulative}.items():
        r[name] = np.zeros((sample.n_groups, len(windows)))
        for v, (start, end) in enumerate(windows):
            marks = calendar_matrix(dates[:, spec.n_est :][:, (spec.days >= start) & (spec.days <= end)])
            common = _entries(marks @ marks.T, first, second) / (end - start + 1)
            total = np.bincount(group[first], correlation * common, sample.n_groups)
            r[name][:, v] = (total + np.bincount(group[linked[:, 0]], linked_correlation, sample.n_groups)) / pairs
    return r


def _linked_pairs(state: State, clusters: Ints, dates: Ints, sample: Sample) -> tuple[Ints, Floats]:
    """Return pairs of clusters (n, 2) with the same news on different dates, and their sums of correlations."""
    n_est = sample.spec.n_est
    position = np.full(len(sample.cluster_group), -1)
    position[clusters] = np.arange(len(clusters))
    pairs = np.sort(position[sample.links], axis=1)
    distance = np.diff(dates[:, sample.spec.zero][pairs], axis=1).ravel()
    within_lag = (pairs >= 0).all(axis=1) & (distance != 0) & (np.abs(distance) <= MAX_LAG)
    pairs, distance = pairs[within_lag], distance[within_lag]
    products, counts = np.zeros(len(pairs)), np.zeros(len(pairs))
    z, n, events = (state[name][clusters] for name in ("z", "n", "events"))
    days = dates[:, :n_est] + MAX_LAG
    n_dates = int(days.max(initial=0)) + 1 + MAX_LAG
    for step in np.unique(distance):
        rows = distance == step
        for values, out in ((z, products), (n, counts)):
            left, right = calendar_matrix(days, values, n_dates), calendar_matrix(days - step, values, n_dates)
            out[rows] = row_products(left, right, *pairs[rows].T)
    n_pairs = 2 * events[pairs[:, 0]] * events[pairs[:, 1]]
    return pairs, n_pairs * np.nan_to_num(divide(products, counts))


def _pair_correlations(state: State, clusters: Ints, dates: Ints, n_est: int) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of clusters whose event windows share a day, and the sum of correlations over their events.

    A cluster is paired with itself; a pair of two clusters is listed once and counted twice.
    """
    first, second = overlapping_pairs(dates[:, n_est:])
    z, n, squares, events = (state[name][clusters] for name in ("z", "n", "squares", "events"))
    same = first == second
    products, counts = (pair_sums(dates[:, :n_est], values, first, second) for values in (z, n))
    products[same] -= squares[first[same]]  # an event is not paired with itself
    counts[same] -= squares[first[same]]
    n_pairs = np.where(same, events[first] * (events[first] - 1), 2 * events[first] * events[second])
    return first, second, n_pairs * np.nan_to_num(divide(products, counts))


def _entries(matrix: Sparse, first: Ints, second: Ints) -> Floats:
    """Return the entries of a sparse matrix in rows ``first`` and columns ``second``, (pairs,)."""
    return np.asarray(matrix.tocsr()[first, second]).ravel()


def overlapping_pairs(dates: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of rows of dates (C, days) that share a date, as row numbers ``first <= second``, (pairs,)."""
    marks = calendar_matrix(dates)
    first, second = (marks @ marks.T).tocoo().coords
    upper = first <= second
    return first[upper].astype(np.int64), second[upper].astype(np.int64)


def calendar_matrix(dates: Ints, values: Floats | None = None, n_dates: int = 0) -> Sparse:
    """Arrange values (C, days), or ones, by calendar date in a sparse matrix (C, dates)."""
    from scipy.sparse import csr_array

    ends = np.arange(len(dates) + 1) * dates.shape[1]
    data = np.ones(dates.size) if values is None else values.ravel()
    return csr_array((data, dates.ravel(), ends), shape=(len(dates), max(int(dates.max()) + 1, n_dates)))


def pair_sums(dates: Ints, values: Floats, first: Ints, second: Ints) -> Floats:
    """Sum the products of two rows of values (C, days) over the dates that both rows have, for pairs of rows, (pairs,).

    The dates of the two rows of a pair are close, so that the rows of ``SPAN`` dates and their partners fit in a dense
    matrix.
    """
    out = np.empty(len(first))
    same = first == second
    out[same] = np.vecdot(values, values)[first[same]]
    others = np.flatnonzero(~same)
    span = dates[first[others], -1] // SPAN
    order = np.argsort(span, kind="stable")
    for pairs in np.split(others[order], np.flatnonzero(np.diff(span[order])) + 1) if len(others) else []:
        rows, at = np.unique(np.concatenate([first[pairs], second[pairs]]), return_inverse=True)
        day = dates[rows] - dates[rows].min()
        dense = np.zeros((len(rows), int(day.max()) + 1))
        dense[np.arange(len(rows))[:, None], day] = values[rows]
        out[pairs] = (dense @ dense.T)[at[: len(pairs)], at[len(pairs) :]]
    return out


def row_products(left: Sparse, right: Sparse, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Return the scalar products of rows ``first`` of one sparse matrix and rows ``second`` of another, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        pairs = slice(start, start + step)
        out[pairs] = left[first[pairs]].multiply(right[second[pairs]]).sum(axis=1)
    return out
