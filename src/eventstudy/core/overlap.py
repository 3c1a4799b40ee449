"""Mean correlation of events that share calendar days, one number per window, without a loop over pairs.

Two events are dependent if their event windows share days and their residuals are correlated. Both are measured by
calendar date, not by relative day, so that events on different exchanges and dates are paired correctly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from eventstudy.core.date_pairs import DatePairs
from eventstudy.core.nulls import divide
from eventstudy.core.scores import coverage, total_losses
from eventstudy.core.sums import Gathered, by_cluster, valid_days
from eventstudy.core.sums import rows as sum_rows
from eventstudy.types import Abnormal, Bools, Floats, Ints, Sample, Scores, Spec, State, grouping

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Sparse = csr_array[np.float64, tuple[int, int]]

CELLS = 1_000_000  # weights of windows multiplied at once, approximately
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
        **_event_days(abnormal, spec),
    }


def _event_days(abnormal: Abnormal, spec: Spec) -> State:
    """Count the events with all days of the event window by cluster, and list the valid days of the others.

    ``usable`` (n, V + n_evt) says in which windows they have a CAR: those of the study, and then the cumulative ones.
    """
    every = replace(spec, windows=np.concatenate([spec.windows, spec.cumulative]))
    valid = abnormal.ok[:, abnormal.n_est :]
    others: Bools | slice = slice(0)
    if abnormal.complete and not spec.compound:
        whole, usable = np.ones(len(valid), dtype=bool), np.empty((0, len(every.windows)), dtype=bool)
    else:
        _, usable = coverage(abnormal, every)
        if spec.compound:
            usable &= total_losses(abnormal) @ every.weights.T == 0
        whole = np.asarray(usable.all(axis=1) & valid.all(axis=1))
        others = ~whole
    # Copies: an empty view would keep the arrays of every block in memory.
    cluster, valid, usable = (np.array(leaf[others]) for leaf in (abnormal.block.cluster, valid, usable))
    return {
        "whole": by_cluster(abnormal, whole),
        "cluster": Gathered((cluster,), "cluster"),
        "valid": Gathered((valid,), "nothing"),
        "usable": Gathered((usable,), "nothing"),
    }


def finalize(state: State, sample: Sample) -> dict[str, Floats]:
    r"""Average the pairwise correlations of residuals, each weighted by the days that two windows have in common.

    .. math:: r(W) = \frac{1}{N (N-1)} \sum_{i \ne j} \hat\rho_{ij} \frac{|W_i \cap W_j|}{\sqrt{L_i L_j}}

    W_i are the L_i valid days of the event's own window. If all events share one date and no day is missing, this is
    the mean correlation of Kolari & Pynnonen (2010, RFS 23:3996). For partly overlapping dates it weights by the
    overlap; pairing in event time would miss that dependence. The correlation of two clusters is estimated by the sum
    of products of their residuals over the dates in both estimation windows, divided by the number of these products;
    each event's residuals have unit variance in its own estimation window.

    With w_c(t) the sum of L_i^-1/2 over the events of cluster c that are valid on date t, the sum over the pairs of
    events of two clusters is the sum over dates of w_c w_c', without the n_c pairs of an event with itself.

    Two clusters with the same news on different dates (``Sample.links``: a home listing and its ADR, whose time zones
    put the news on different sessions) count as if they shared their whole windows, and their residuals are paired at
    that distance of dates.

    Returns
    -------
    dict
        ``windows`` (G, V), ``cumulative`` (G, n_evt) for the windows that begin with the event window.
    """
    spec = sample.spec
    clusters = np.flatnonzero(state["squares"] > 0)
    counted = slice(None) if len(clusters) == len(sample.cluster_group) else clusters  # without copies of all days
    z, n, squares = (state[name][counted] for name in ("z", "n", "squares"))
    group, dates = sample.cluster_group[counted], sample.cluster_dates[counted]
    if sample.n_groups > 1:  # separate ranges of date numbers, so that only clusters of the same group share dates
        dates = dates + group[:, None] * (sample.cluster_dates.max(initial=0) + 1)
    first, second, correlation = _pair_correlations(z, n, squares, dates)
    linked, linked_correlation = linked_pairs(z, n, clusters, dates, sample)
    unlinked = ~np.isin(first * len(clusters) + second, linked @ np.array([len(clusters), 1]))
    first, second, correlation = first[unlinked], second[unlinked], correlation[unlinked]
    same, group_of_pair = first == second, group[first]
    correlation = np.where(same, correlation, 2.0 * correlation)  # a pair of two clusters is listed once
    pairs, windows, r = DatePairs(dates[:, spec.n_est :], first, second), _weights(state, clusters, spec), []
    step = max(1, CELLS // max(1, len(clusters) * spec.n_evt))
    while batch := tuple(islice(windows, step)):
        n_events, weights = (np.stack(leaf) for leaf in zip(*batch, strict=True))
        common_days = pairs.sums(weights)
        common_days[:, same] -= n_events[:, first[same]]
        for number, weight, common in zip(n_events, weights, common_days, strict=True):
            total = np.bincount(group_of_pair, correlation * common, sample.n_groups)
            all_days = 2.0 * np.vecdot(weight[linked[:, 0]], weight[linked[:, 1]])
            total += np.bincount(group[linked[:, 0]], linked_correlation * all_days, sample.n_groups)
            in_group = np.bincount(group, number, sample.n_groups)
            r.append(total / np.maximum(in_group * (in_group - 1), 1))
    of_study, cumulative = np.split(np.column_stack(r), [len(spec.windows)], axis=1)
    return {"windows": of_study, "cumulative": cumulative}


def _weights(state: State, clusters: Ints, spec: Spec) -> Iterator[tuple[Floats, Floats]]:
    """Yield the number of events of each cluster (C,), and their w_c on the event days (C, n_evt), 0 outside a window.

    The windows are those of the study, and then the cumulative ones.
    """
    order = np.argsort(state["cluster"].values, kind="stable")
    cluster = np.searchsorted(clusters, state["cluster"].values[order])
    valid, usable = (state[name].values[order] for name in ("valid", "usable"))
    whole, events = state["whole"][clusters], grouping(cluster)
    for number, (start, end) in enumerate(np.concatenate([spec.windows, spec.cumulative])):
        columns = (spec.days >= start) & (spec.days <= end)
        weight = (whole / np.sqrt(end - start + 1))[:, None] * columns
        ok = valid & columns & usable[:, [number]]
        some = sum_rows(events, ok / np.sqrt(np.maximum(ok.sum(axis=1), 1))[:, None], len(clusters))
        weight[some.index] += some.values
        n = whole + np.bincount(cluster, usable[:, number], len(clusters))
        yield n, weight


def linked_pairs(residuals: Floats, counts: Floats, clusters: Ints, dates: Ints, sample: Sample) -> tuple[Ints, Floats]:
    """Return pairs of clusters (n, 2) with the same news on different dates, and the mean product of their residuals.

    ``residuals`` (C, n_est) and ``counts`` are sums over the events of each cluster; the residuals of a pair are
    multiplied at the distance of its dates.
    """
    n_est = sample.spec.n_est
    position = np.full(len(sample.cluster_group), -1)
    position[clusters] = np.arange(len(clusters))
    pairs = np.sort(position[sample.links], axis=1)
    distance = np.diff(dates[:, sample.spec.zero][pairs], axis=1).ravel()
    within_lag = (pairs >= 0).all(axis=1) & (distance != 0) & (np.abs(distance) <= MAX_LAG)
    pairs, distance = pairs[within_lag], distance[within_lag]
    products, n_products = np.zeros(len(pairs)), np.zeros(len(pairs))
    days = dates[:, :n_est] + MAX_LAG
    n_dates = int(days.max(initial=0)) + 1 + MAX_LAG
    for step in np.unique(distance):
        rows = distance == step
        for values, out in ((residuals, products), (counts, n_products)):
            left, right = calendar_matrix(days, values, n_dates), calendar_matrix(days - step, values, n_dates)
            out[rows] = row_products(left, right, *pairs[rows].T)
    return pairs, np.nan_to_num(divide(products, n_products))


def _pair_correlations(z: Floats, n: Floats, squares: Floats, dates: Ints) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of clusters whose event windows share a day, and the mean correlation of their events.

    ``z`` and ``n`` (C, n_est) are the leaves of :func:`chunk`, as is ``squares`` (C,). A cluster is paired with itself;
    a pair of two clusters is listed once.
    """
    n_est = z.shape[1]
    first, second = overlapping_pairs(dates[:, n_est:])
    same = first == second
    pairs = DatePairs(dates[:, :n_est], first, second)
    products, counts = pairs.sums(z), pairs.sums(n)
    products[same] -= squares[first[same]]  # an event is not paired with itself
    counts[same] -= squares[first[same]]
    return first, second, np.nan_to_num(divide(products, counts))


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


def row_products(left: Sparse, right: Sparse, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Return the scalar products of rows ``first`` of one sparse matrix and rows ``second`` of another, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        pairs = slice(start, start + step)
        out[pairs] = left[first[pairs]].multiply(right[second[pairs]]).sum(axis=1)
    return out
