"""How much events that share calendar days move together: one mean correlation a window, without a loop over pairs.

Two events depend on each other when their event windows share days and their residuals are correlated. Both are
read by calendar date, never by relative day, so that events on different exchanges and dates pair rightly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eventstudy.core.nulls import divide
from eventstudy.core.sums import by_cluster
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, Spec, State


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum residuals of unit variance by cluster and estimation day (C, n_est), with their counts and own squares."""
    e = abnormal.ar[:, : abnormal.n_est]
    if abnormal.v is not None:
        e = e / np.sqrt(abnormal.v[:, : abnormal.n_est])
    ok = abnormal.ok[:, : abnormal.n_est]
    n_valid = ok.sum(axis=1).astype(np.float64)
    rms = np.sqrt(np.einsum("nl,nl->n", e, e) / n_valid)
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
    n = np.bincount(group, events, sample.n_groups)
    pairs = np.maximum(n * (n - 1), 1)
    r = {}
    for name, windows in found.items():
        r[name] = np.zeros((sample.n_groups, len(windows)))
        for v, (start, end) in enumerate(windows):
            marks = laid(dates[:, spec.n_est :][:, (spec.days >= start) & (spec.days <= end)])
            common = _at(marks @ marks.T, first, second) / (end - start + 1)
            r[name][:, v] = np.bincount(group[first], together * common, sample.n_groups) / pairs
    return r


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
    products = dot(laid(dates[:, :n_est], z), first, second)
    counts = dot(laid(dates[:, :n_est], n), first, second)
    products[same] -= own[first[same]]
    counts[same] -= own[first[same]]
    n_pairs = np.where(same, events[first] * (events[first] - 1), 2 * events[first] * events[second])
    return first, second, n_pairs * np.nan_to_num(divide(products, counts))


def _at(matrix: Any, first: Ints, second: Ints) -> Floats:
    """Give the entries of a sparse matrix at some places, (pairs,)."""
    return np.asarray(matrix.tocsr()[first, second]).ravel()


def laid(dates: Ints, values: Floats | None = None) -> Any:
    """Lay values (C, days), or ones, out over the calendar, as a sparse matrix (C, dates)."""
    from scipy.sparse import csr_array

    ends = np.arange(len(dates) + 1) * dates.shape[1]
    data = np.ones(dates.size) if values is None else values.ravel()
    return csr_array((data, dates.ravel(), ends), shape=(len(dates), int(dates.max()) + 1))


def dot(matrix: Any, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Give the scalar products of the rows ``first`` and ``second`` of a sparse matrix, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        out[some] = matrix[first[some]].multiply(matrix[second[some]]).sum(axis=1)
    return out
