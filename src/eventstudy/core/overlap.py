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
    days = sample.spec.days
    found = {"windows": sample.spec.windows, "cumulative": np.column_stack([np.full(len(days), days[0]), days])}
    r = {name: np.zeros((sample.n_groups, len(windows))) for name, windows in found.items()}
    for group in range(sample.n_groups):
        mine = np.flatnonzero((sample.cluster_group == group) & (state["events"] > 0))
        n = state["events"][mine].sum()
        if n < 2:
            continue
        dates = sample.cluster_dates[mine, sample.spec.n_est :]
        together = _correlations(state, sample, mine, dates)
        for name, windows in found.items():
            for v, (start, end) in enumerate(windows):
                marks = _laid(dates[:, (days >= start) & (days <= end)])
                common = together.multiply(marks @ marks.T).sum()
                r[name][group, v] = common / (end - start + 1) / (n * (n - 1))
    return r


def _correlations(state: State, sample: Sample, mine: Ints, dates: Ints) -> Any:
    """Give the sum of correlations over the events of each pair of clusters whose event windows share a day.

    A sparse matrix (C, C), its upper triangle, where a pair of different clusters counts twice.
    """
    from scipy.sparse import csr_array

    marks = _laid(dates)
    first, second = (marks @ marks.T).tocoo().coords
    upper = first <= second
    first, second = first[upper], second[upper]
    z, n, own, events = (state[name][mine] for name in ("z", "n", "own", "events"))
    before = sample.cluster_dates[mine, : sample.spec.n_est]
    same = first == second
    products = _dot(_laid(before, z), first, second)
    counts = _dot(_laid(before, n), first, second)
    products[same] -= own[first[same]]
    counts[same] -= own[first[same]]
    n_pairs = np.where(same, events[first] * (events[first] - 1), 2 * events[first] * events[second])
    rho = np.nan_to_num(divide(products, counts))
    return csr_array((n_pairs * rho, (first, second)), shape=(len(mine), len(mine)))


def _laid(dates: Ints, values: Floats | None = None) -> Any:
    """Lay values (C, days), or ones, out over the calendar, as a sparse matrix (C, dates)."""
    from scipy.sparse import csr_array

    ends = np.arange(len(dates) + 1) * dates.shape[1]
    data = np.ones(dates.size) if values is None else values.ravel()
    return csr_array((data, dates.ravel(), ends), shape=(len(dates), int(dates.max()) + 1))


def _dot(laid: Any, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Give the scalar products of the rows ``first`` and ``second`` of a sparse matrix, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        out[some] = laid[first[some]].multiply(laid[second[some]]).sum(axis=1)
    return out
