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
    """Sum residuals of unit variance by cluster and estimation day, with their counts and own squares: (C, n_est)."""
    e = abnormal.ar[:, : abnormal.n_est]
    ok = abnormal.ok[:, : abnormal.n_est]
    rms = np.sqrt(np.einsum("nl,nl->n", e, e) / ok.sum(axis=1))
    z = e / rms[:, None]
    return {
        "z": by_cluster(abnormal, z),
        "z2": by_cluster(abnormal, z**2),
        "n": by_cluster(abnormal, ok),
        "events": by_cluster(abnormal, np.ones(len(z))),
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
    days = spec.days
    cumulative = np.column_stack([np.full(len(days), days[0]), days])
    found = {"windows": spec.windows, "cumulative": cumulative}
    r = {name: np.zeros((sample.n_groups, len(windows))) for name, windows in found.items()}
    for group in range(sample.n_groups):
        mine = np.flatnonzero((sample.cluster_group == group) & (state["events"] > 0))
        n = state["events"][mine].sum()
        if n < 2:
            continue
        first, second, together = _pairs(state, sample, mine)
        for name, windows in found.items():
            for v, (start, end) in enumerate(windows):
                inside = (days >= start) & (days <= end)
                dates = sample.cluster_dates[mine, spec.n_est :][:, inside]
                shared = _dot(_laid(dates), first, second)
                r[name][group, v] = (together * shared).sum() / (end - start + 1) / (n * (n - 1))
    return r


def _pairs(state: State, sample: Sample, mine: Ints) -> tuple[Ints, Ints, Floats]:
    """Give the pairs of clusters whose event windows share a day, and the sum of correlations over their events."""
    n_est = sample.spec.n_est
    dates = sample.cluster_dates[mine]
    marks = _laid(dates[:, n_est:])
    first, second = (marks @ marks.T).tocoo().coords
    upper = first <= second
    first, second = first[upper].astype(np.int64), second[upper].astype(np.int64)
    z, z2, n, events = (state[name][mine] for name in ("z", "z2", "n", "events"))
    same = first == second
    products = _dot(_laid(dates[:, :n_est], z), first, second)
    counts = _dot(_laid(dates[:, :n_est], n), first, second)
    products[same] -= z2.sum(axis=1)[first[same]]
    counts[same] -= n.sum(axis=1)[first[same]]
    n_pairs = np.where(same, events[first] * (events[first] - 1), 2 * events[first] * events[second])
    rho = np.nan_to_num(divide(products, counts))
    return first, second, n_pairs * rho


def _laid(dates: Ints, values: Floats | None = None) -> Any:
    """Lay values (C, days), or ones, out over the union of the calendar dates, as a sparse matrix (C, dates)."""
    from scipy.sparse import csr_array

    union, column = np.unique(dates, return_inverse=True)
    row = np.repeat(np.arange(len(dates)), dates.shape[1])
    data = np.ones(dates.size) if values is None else values.ravel()
    return csr_array((data, (row, column.ravel())), shape=(len(dates), len(union)))


def _dot(laid: Any, first: Ints, second: Ints, step: int = 4096) -> Floats:
    """Give the scalar products of the rows ``first`` and ``second`` of a sparse matrix, (pairs,)."""
    out = np.empty(len(first))
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        out[some] = laid[first[some]].multiply(laid[second[some]]).sum(axis=1)
    return out
