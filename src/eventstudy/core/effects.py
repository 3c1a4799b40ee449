r"""Means of effects over events, with standard errors that allow for events that share days.

Events whose windows overlap in a chain of calendar days, or that report the same news, are one cluster g, with the sum
S_g of the n_g effects less their mean. The variance of the mean is that of CR2 (Bell & McCaffrey 2002, Survey
Methodology 28:169) with the degrees of freedom of Satterthwaite (Imbens & Kolesar 2016, REStat 98:701):

.. math:: V = \frac{1}{N^2} \sum_g \frac{S_g^2}{1 - n_g / N}, \quad \nu = \frac{(tr A)^2}{tr (A^2)}, \quad
          A_{gh} = a_g a_h (\delta_{gh} n_g - n_g n_h / N), \quad a_g = (1 - n_g / N)^{-1/2}

Without overlap it is the variance of a mean, sd^2 / N, and nu is N - 1. With fewer than three clusters it is

.. math:: V = \frac{sd^2}{N} \frac{1 + (N - 1) r}{1 - r}, \quad \nu = N - 1

with the mean correlation r of :mod:`eventstudy.core.overlap`, which takes the correlation before the event for that of
the event days. A single event has the forecast error of its effect, and the degrees of freedom of its model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.clustering import chains
from eventstudy.core.nulls import divide, margin
from eventstudy.core.sums import by_cluster, by_group, mean_and_sd
from eventstudy.types import Abnormal, Bools, Floats, Ints, Sample, Scores, State

FEWEST = 3  # clusters for CR2
ROUNDING = 1e-13  # a sum of squared deviations below this share of the sum of squares is rounding error


class ClusteredMean(NamedTuple):
    """Means of the groups with CR2 standard errors and degrees of freedom, and the number of clusters, each (G,)."""

    mean: Floats
    se: Floats
    df: Floats
    n_clusters: Ints


def clustered_mean(total: Floats, count: Floats, group: Ints, n_groups: int) -> ClusteredMean:
    """Compute the mean over events from sums and counts by cluster (C,); se and df are NaN below two clusters.

    Examples
    --------
    >>> found = clustered_mean(np.array([1.0, 2.0, 6.0]), np.ones(3), np.zeros(3, dtype=int), 1)
    >>> found.mean, found.se**2 * 3, found.df  # the variance of 1, 2 and 6 is 7
    (array([3.]), array([7.]), array([2.]))
    """

    def by(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, values, n_groups), dtype=np.float64)

    n, n_clusters = by(count), np.bincount(group, count > 0, n_groups).astype(np.int64)
    mean = divide(by(total), n)
    share = np.nan_to_num(divide(count, n[group]))
    scale = divide(np.ones(len(share)), 1.0 - share)  # a_g^2; NaN for a cluster that is the whole group
    deviation = total - count * np.nan_to_num(mean)[group]
    variance = by(deviation**2 * scale)
    variance[(variance <= ROUNDING * by(total**2)) | (n_clusters < 2)] = np.nan
    squares = by(scale * count**2)
    trace = by(count**2) + np.nan_to_num(divide(squares**2 - by(scale**2 * count**4), n**2))
    df = divide(n**2, np.where(n_clusters < 2, np.nan, trace))
    return ClusteredMean(mean, np.sqrt(variance) / np.maximum(n, 1.0), df, n_clusters)


def chunk(scores: Scores, abnormal: Abnormal) -> State:
    """Sum CARs by cluster with counts, (C, V), and by group their squares, variances and degrees of freedom, (G, V)."""
    return {
        "car": by_cluster(abnormal, scores.car),
        "n": by_cluster(abnormal, scores.ok),
        "car2": by_group(abnormal, scores.car**2),
        "var": by_group(abnormal, scores.var),
        "dof": by_group(abnormal, abnormal.dof[:, None] * scores.ok),
    }


def finalize(state: State, sample: Sample, windows: Ints, r: Floats) -> dict[str, Floats]:
    """Compute the mean of each group and window (G, V) with its standard error and 95 % interval.

    Parameters
    ----------
    state : of :func:`chunk`
    sample : Sample
    windows : int array (V, 2)
        Those of the sums.
    r : float array (G, V)
        Mean correlation of the events in each window.

    Returns
    -------
    dict
        ``n`` events, ``mean``, ``se``, ``df``, ``lower``, ``upper``, ``n_clusters`` and ``n_dates``, each (G, V);
        ``se_r`` is the standard error by the mean correlation.
    """
    parts = [
        _of_window(state["car"][:, v], state["n"][:, v], sample, (int(start), int(end)))
        for v, (start, end) in enumerate(windows)
    ]
    found = {name: np.column_stack([part[name] for part in parts]) for name in parts[0]}
    n = found["n"]
    few = found["n_clusters"] < FEWEST
    se, df = _by_correlation(n, found["mean"], state["car2"], r)
    alone = n == 1
    found["se_r"] = se
    found["se"] = np.where(alone, np.sqrt(state["var"]), np.where(few, se, found["se"]))
    found["df"] = np.where(alone, state["dof"], np.where(few, df, found["df"]))
    half_width = margin(found["se"], found["df"])
    return {**found, "lower": found["mean"] - half_width, "upper": found["mean"] + half_width}


def _of_window(car: Floats, count: Floats, sample: Sample, window: tuple[int, int]) -> dict[str, Floats]:
    """Return count, mean, standard error, degrees of freedom, clusters and dates of each group, (G,)."""
    used: Bools = count > 0
    clusters = np.flatnonzero(used)
    label = chains(sample, clusters, window)
    chain_group = np.zeros(int(label.max(initial=-1)) + 1, dtype=np.int64)
    chain_group[label] = sample.cluster_group[clusters]
    sums, counts = (np.bincount(label, values[clusters], len(chain_group)) for values in (car, count))
    mean = clustered_mean(sums.astype(np.float64), counts.astype(np.float64), chain_group, sample.n_groups)
    group, day = sample.cluster_group[clusters], sample.cluster_dates[clusters, sample.spec.zero]
    dates = np.unique(np.column_stack([group, day]), axis=0)[:, 0]
    return {
        "n": np.bincount(sample.cluster_group, count, sample.n_groups).astype(np.float64),
        "mean": mean.mean,
        "se": mean.se,
        "df": mean.df,
        "n_clusters": mean.n_clusters.astype(np.float64),
        "n_dates": np.bincount(dates, minlength=sample.n_groups).astype(np.float64),
    }


def _by_correlation(n: Floats, mean: Floats, squares: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Return the standard error of the mean by the mean correlation of the events, and its degrees of freedom."""
    _, sd = mean_and_sd(n, np.nan_to_num(mean) * n, squares)
    inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
    return sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1.0)), n - 1.0
