"""How much events that share calendar days move together: one mean correlation a window, without a loop over pairs.

Two events depend on each other when their event windows share days and their residuals are correlated. Both are
read by calendar date, never by relative day, so that events on different exchanges and dates pair rightly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eventstudy.core.nulls import divide
from eventstudy.core.sums import by_cluster, valid_days
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, Spec, State

SPAN = 128  # dates, of which the rows are worked on together: with their partners they fill some megabytes
NEAR = 5  # dates; news that takes longer from one exchange to another is other news


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum residuals of unit variance by cluster and estimation day (C, n_est), with their counts and own squares."""
    e = abnormal.ar[:, : abnormal.n_est]
    if abnormal.v is not None:
        e = e / np.sqrt(abnormal.v[:, : abnormal.n_est])
    ok = abnormal.ok[:, : abnormal.n_est]
    n_valid = valid_days(abnormal)
    rms = np.sqrt(np.vecdot(e, e) / n_valid)
    return {
        "z": by_cluster(abnormal, e / rms[:, None]),
        "n": by_cluster(abnormal, ok),
        "own": by_cluster(abnormal, n_valid),  # of each event, the squares of z sum to its days
        "events": by_cluster(abnormal, np.ones(len(e))),
    }


def finalize(state: State, sample: Sample) -> dict[str, Floats]:
    r"""Average the pairwise correlations of residuals, each weighted by the share of the window that the pair has.

    .. math:: r(W) = \frac{1}{N (N-1)} \sum_{i \ne j} \hat\rho_{ij} \frac{|W_i \cap W_j|}{L}

    With one shared date it is the mean correlation of Kolari & Pynnonen (2010, RFS 23:3996); with dates that overlap
    in part it weights by the overlap, where pairing in event time misses the dependence. The estimate of a pair of
    clusters is the sum of products over the dates that both estimation windows have, over the number of such pairs.

    Two clusters that hold the same news on different dates (``Sample.links``: home listing and ADR, in whose time zones
    the news falls on different sessions) count as if they shared their windows whole, and their residuals pair at that
    distance of dates.

    Returns
    -------
    dict
        ``windows`` (G, V), ``cumulative`` (G, n_evt) for the windows that begin with the event window.
    """
    spec = sample.spec
    found = {"windows": spec.windows, "cumulative": np.column_stack([np.full(spec.n_evt, spec.days[0]), spec.days])}
    some = np.flatnonzero(state["events"] > 0)
    group, events = sample.cluster_group[some], state["events"][some]
    # A group has a calendar of its own, so that only its own clusters share dates.
    dates = sample.cluster_dates[some] + group[:, None] * (sample.cluster_dates.max(initial=0) + 1)
    first, second, together = _correlations(state, some, dates, spec.n_est)
    linked, news = _same_news(state, some, dates, sample)
    apart = ~np.isin(first * len(some) + second, linked @ np.array([len(some), 1]))
    first, second, together = first[apart], second[apart], together[apart]
    n = np.bincount(group, events, sample.n_groups)
    pairs = np.maximum(n * (n - 1), 1)
    r = {}
    for name, windows in found.items():
        r[name] = np.zeros((sample.n_groups, len(windows)))
        for v, (start, end) in enumerate(windows):
            marks = laid(dates[:, spec.n_est :][:, (spec.days >= start) & (spec.days <= end)])
            common = _at(marks @ marks.T, first, second) / (end - start + 1)
            total = np.bincount(group[first], together * common, sample.n_groups)
            r[name][:, v] = (total + np.bincount(group[linked[:, 0]], news, sample.n_groups)) / pairs
    return r


def _same_news(state: State, some: Ints, dates: Ints, sample: Sample) -> tuple[Ints, Floats]:
    """Give the pairs of clusters (n, 2) that are linked at a distance of dates, and their sum of correlations."""
    n_est = sample.spec.n_est
    position = np.full(len(sample.cluster_group), -1)
    position[some] = np.arange(len(some))
    pairs = np.sort(position[sample.links], axis=1)
    zero = n_est + int(np.clip(-sample.spec.event[0], 0, sample.spec.n_evt - 1))
    distance = dates[pairs[:, 1], zero] - dates[pairs[:, 0], zero]
    near = (pairs >= 0).all(axis=1) & (distance != 0) & (np.abs(distance) <= NEAR)
    pairs, distance = pairs[near], distance[near]
    products, counts = np.zeros(len(pairs)), np.zeros(len(pairs))
    z, n, events = (state[name][some] for name in ("z", "n", "events"))
    days = dates[:, :n_est] + NEAR
    n_dates = int(days.max(initial=0)) + 1 + NEAR
    for step in np.unique(distance):
        mine = distance == step
        for values, out in ((z, products), (n, counts)):
            out[mine] = dot(laid(days, values, n_dates), laid(days - step, values, n_dates), *pairs[mine].T)
    together = 2 * events[pairs[:, 0]] * events[pairs[:, 1]]
    return pairs, together * np.nan_to_num(divide(products, counts))


def _correlations(state: State, some: Ints, dates: Ints, n_est: int) -> tuple[Ints, Ints, Floats]:
    """Give the pairs of clusters whose event windows share a day, and the sum of correlations over their events.

    A cluster pairs with itself; a pair of two stands once and counts twice.
    """
    marks = laid(dates[:, n_est:])
    first, second = (marks @ marks.T).tocoo().coords
    upper = first <= second
    first, second = first[upper], second[upper]
    z, n, own, events = (state[name][some] for name in ("z", "n", "own", "events"))
    same = first == second
    products, counts = (pair_sums(dates[:, :n_est], values, first, second) for values in (z, n))
    products[same] -= own[first[same]]
    counts[same] -= own[first[same]]
    n_pairs = np.where(same, events[first] * (events[first] - 1), 2 * events[first] * events[second])
    return first, second, n_pairs * np.nan_to_num(divide(products, counts))


def _at(matrix: Any, first: Ints, second: Ints) -> Floats:
    """Give the entries of a sparse matrix at some places, (pairs,)."""
    return np.asarray(matrix.tocsr()[first, second]).ravel()


def laid(dates: Ints, values: Floats | None = None, n_dates: int = 0) -> Any:
    """Lay values (C, days), or ones, out over the calendar, as a sparse matrix (C, dates)."""
    from scipy.sparse import csr_array

    ends = np.arange(len(dates) + 1) * dates.shape[1]
    data = np.ones(dates.size) if values is None else values.ravel()
    return csr_array((data, dates.ravel(), ends), shape=(len(dates), max(int(dates.max()) + 1, n_dates)))


def pair_sums(dates: Ints, values: Floats, first: Ints, second: Ints) -> Floats:
    """Sum the products of the values (C, days) of two rows over the dates that both have, for pairs of rows, (pairs,).

    The dates of two different rows are near, so that the rows of some dates and their partners fill a dense matrix.
    """
    out = np.empty(len(first))
    same = first == second
    out[same] = np.vecdot(values, values)[first[same]]
    others = np.flatnonzero(~same)
    near = dates[first[others], -1] // SPAN
    order = np.argsort(near, kind="stable")
    for pairs in np.split(others[order], np.flatnonzero(np.diff(near[order])) + 1) if len(others) else []:
        rows, at = np.unique(np.concatenate([first[pairs], second[pairs]]), return_inverse=True)
        day = dates[rows] - dates[rows].min()
        dense = np.zeros((len(rows), int(day.max()) + 1))
        dense[np.arange(len(rows))[:, None], day] = values[rows]
        out[pairs] = (dense @ dense.T)[at[: len(pairs)], at[len(pairs) :]]
    return out


def dot(left: Any, right: Any, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Give the scalar products of rows ``first`` of one sparse matrix and ``second`` of another, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        out[some] = left[first[some]].multiply(right[second[some]]).sum(axis=1)
    return out
