"""Additive states: the sufficient statistics of a test for a set of events, and their sums.

A state is a dict of leaves. Arrays are added, :class:`Rows` are added to the rows of a table that they index, and
:class:`Gathered` leaves are concatenated. A single process, threads and a cluster therefore run the same code: chunk,
add, finalise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eventstudy.types import Abnormal, Floats, Grouping, Ints, Placed, Sample, Scores, State, StateSum

MARKETS = 6  # exchanges at most on which the same news is paired
FEW = 64  # tables with fewer rows are not packed
# What the numbers of a state are numbers of; "unknown" in a test that does not say it.
Counted = Literal["cluster", "group", "event", "nothing", "unknown"]
Numbers = Mapping[Counted, tuple[Ints, int]]  # the new number of each old one, -1 where there is none, and how many


@dataclass(frozen=True)
class Gathered:
    """A leaf with one row per event; adding two of them concatenates their rows.

    ``of`` says what its values are numbers of, so that they can be numbered anew in another sample.
    """

    parts: tuple[NDArray[np.generic], ...]
    of: Counted = "unknown"

    def __add__(self, other: Gathered) -> Gathered:
        return Gathered(self.parts + other.parts, self.of)

    @property
    def values(self) -> NDArray[np.generic]:
        """All rows, (N, ...)."""
        return np.concatenate(self.parts)


@dataclass(frozen=True)
class Rows:
    """Values (n, ...) of the rows ``index`` (n,), without repetition, of a table of ``size`` rows; the rest are 0.

    ``of`` says what the rows are, as in :class:`Gathered`.
    """

    index: Ints
    values: Floats
    size: int
    of: Counted = "unknown"


def rows(events: Grouping, values: NDArray[np.generic], size: int, of: Counted = "unknown") -> Rows:
    """Sum values (N, ...) of the events with the same number into the rows of a table of ``size`` rows.

    Examples
    --------
    >>> from eventstudy.types import grouping
    >>> rows(grouping(np.array([2, 0, 2])), np.array([[1.0], [5.0], [3.0]]), 3).values.ravel().tolist()
    [5.0, 4.0]
    """
    shape = (len(events.numbers), *values.shape[1:])
    if values.dtype == np.bool_ and values.all():  # sums of ones are counts of rows
        n = np.diff(events.ends).astype(np.float64)
        return Rows(events.numbers, np.broadcast_to(n.reshape(-1, *[1] * (values.ndim - 1)), shape), size, of)
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    return Rows(events.numbers, (events.matrix @ flat.astype(np.float64, copy=False)).reshape(shape), size, of)


def valid_days(abnormal: Abnormal) -> Floats:
    """Count the valid days of each estimation window, (N,)."""
    n_est = abnormal.n_est
    if abnormal.complete:
        return np.full(len(abnormal.ok), float(n_est))
    return np.asarray(abnormal.ok[:, :n_est].sum(axis=1, dtype=np.float64))


def by_group(abnormal: Abnormal, values: NDArray[np.generic]) -> Rows:
    """Sum values (N, ...) by the group of the events."""
    return rows(abnormal.block.by_group, values, abnormal.block.n_groups, "group")


def weighted(abnormal: Abnormal, weights: Floats, values: Floats) -> Rows:
    """Sum values (N, M) times the weights (N,) of the events by group."""
    group = abnormal.block.group
    if (group == group[:1]).all():
        return Rows(group[:1], (weights @ values)[None], abnormal.block.n_groups, "group")
    return by_group(abnormal, weights[:, None] * values)


def by_cluster(abnormal: Abnormal, values: NDArray[np.generic]) -> Rows:
    """Sum values (N, ...) by the cluster of the events."""
    return rows(abnormal.block.by_cluster, values, abnormal.block.n_clusters, "cluster")


def products_by_cluster(abnormal: Abnormal, left: Floats, right: Floats) -> Rows:
    """Sum the products of left (P, N, V) and right (P, N, L) over parameters and events by cluster, (C, V, L).

    The sum of a cluster is one product of matrices.
    """
    numbers, of, ends, _ = abnormal.block.by_cluster
    if (of[1:] < of[:-1]).any():
        left, right = left[:, of], right[:, of]
    sums = np.empty((len(numbers), left.shape[-1], right.shape[-1]))
    for out, first, end in zip(sums, ends[:-1], ends[1:], strict=True):
        np.sum(np.swapaxes(left[:, first:end], 1, 2) @ right[:, first:end], axis=0, out=out)
    return Rows(numbers, sums, abnormal.block.n_clusters, "cluster")


def grouped(placed: Placed, sample: Sample, group: Ints, n_groups: int) -> tuple[Placed, Sample]:
    """Assign the events to groups (N,), and split clusters so that each lies within one group."""
    _, first, cluster = np.unique(placed.cluster * n_groups + group, return_index=True, return_inverse=True)
    dates = sample.cluster_dates[placed.cluster[first]]
    split = replace(sample, n_groups=n_groups, cluster_group=group[first], cluster_dates=dates)
    placed = placed._replace(cluster=cluster.astype(np.int64), group=group)
    return placed, replace(split, links=links(placed))


def scars_by_cluster(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum standardised CARs by cluster, with counts: leaves (C, V); the ``chunk`` of tests that compare clusters."""
    return {"z": by_cluster(abnormal, scores.z), "n": by_cluster(abnormal, scores.ok)}


def links(placed: Placed) -> Ints:
    """Return the pairs of clusters (n, 2) of a group whose events report the same news, in order of cluster."""
    if placed.link is None or not len(placed.link):
        return np.empty((0, 2), dtype=np.int64)
    order = np.lexsort((placed.cluster, placed.group, placed.link))
    rows = np.column_stack([placed.link, placed.group, placed.cluster])[order]
    rows = rows[np.append(True, (rows[1:] != rows[:-1]).any(axis=1))]
    pairs = []
    for step in range(1, MARKETS):
        same_news = (rows[step:, :2] == rows[:-step, :2]).all(axis=1)
        pairs.append(np.column_stack([rows[:-step][same_news, 2], rows[step:][same_news, 2]]))
    return np.unique(np.concatenate(pairs), axis=0)


def add(total: StateSum, state: State) -> StateSum:
    """Add a state to a running total, in place, and return the total. The state is not changed."""
    for name, leaf in state.items():
        if isinstance(leaf, Rows):
            if name not in total:
                total[name] = np.zeros((leaf.size, *leaf.values.shape[1:]))
            total[name][leaf.index] += leaf.values
        elif name not in total:
            total[name] = leaf.copy() if isinstance(leaf, np.ndarray) else leaf
        else:
            total[name] = total[name] + leaf
    return total


def renumbered(state: State, numbers: Numbers) -> StateSum | None:
    """Return the state of some events in a sample that numbers clusters, groups and events in another way.

    None if a leaf does not say what its numbers are.

    Examples
    --------
    >>> state = {"n": Rows(np.array([0, 1]), np.array([2.0, 3.0]), 2, "cluster")}
    >>> moved = renumbered(state, {"cluster": (np.array([2, 0]), 3)})
    >>> moved["n"].index.tolist(), moved["n"].size
    ([2, 0], 3)
    """
    moved: StateSum = {}
    for name, leaf in state.items():
        if isinstance(leaf, Rows) and leaf.of in numbers:
            to, size = numbers[leaf.of]
            moved[name] = replace(leaf, index=to[leaf.index], size=size)
        elif isinstance(leaf, Gathered) and leaf.of in numbers:
            moved[name] = replace(leaf, parts=tuple(numbers[leaf.of][0][part] for part in leaf.parts))
        elif (isinstance(leaf, Gathered) and leaf.of == "nothing") or isinstance(leaf, np.number):
            moved[name] = leaf
        else:
            return None
    return moved


def packed(state: State) -> StateSum:
    """Return a state with tables whose rows are mostly 0 stored as :class:`Rows`; ``add({}, ...)`` restores them."""
    return {name: _pack_leaf(leaf) for name, leaf in state.items()}


def _pack_leaf(leaf: object) -> object:
    if not isinstance(leaf, np.ndarray) or leaf.dtype != np.float64 or leaf.ndim == 0 or len(leaf) < FEW:
        return leaf
    nonzero = np.flatnonzero(leaf.reshape(len(leaf), -1).any(axis=1))
    return Rows(nonzero, leaf[nonzero], len(leaf)) if 2 * len(nonzero) < len(leaf) else leaf


def moments(scores: Scores, abnormal: Abnormal) -> State:
    """Sum CARs, standardised CARs, their squares, variances and days, with counts, by group and window: (G, V)."""
    return {
        "n": by_group(abnormal, scores.ok),
        "days": by_group(abnormal, np.where(scores.ok, scores.n_days, 0)),
        "car": by_group(abnormal, scores.car),
        "car2": by_group(abnormal, scores.car**2),
        "var": by_group(abnormal, scores.var),
        "z": by_group(abnormal, scores.z),
        "z2": by_group(abnormal, scores.z**2),
    }


def day_moments(abnormal: Abnormal) -> State:
    """Sum AR / s and its square, with counts, by group and event day: leaves (G, n_evt)."""
    sar = abnormal.ar[:, abnormal.n_est :] / abnormal.sigma[:, None]
    if abnormal.v is not None:
        sar = sar / np.sqrt(abnormal.v[:, abnormal.n_est :])
    return {
        "n": by_group(abnormal, abnormal.ok[:, abnormal.n_est :]),
        "sar": by_group(abnormal, sar),
        "sar2": by_group(abnormal, sar**2),
    }


def mean_and_sd(n: Floats, total: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return the mean and the standard deviation (divisor n - 1) from sums; NaN where undefined.

    A sum of squared deviations below 1e-13 of the sum of squares is rounding error: the values are all equal, and the
    standard deviation is NaN.
    """
    nan = np.full(np.broadcast(n, total).shape, np.nan)
    mean = np.divide(total, n, out=nan.copy(), where=n > 0)
    centred = squares - np.divide(total**2, n, out=np.zeros_like(nan), where=n > 0)
    varies = (n > 1) & (centred > 1e-13 * squares)
    return mean, np.sqrt(np.divide(centred, n - 1, out=nan, where=varies))
