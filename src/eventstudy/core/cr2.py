r"""The mean of values that are dependent within clusters: its CR2 standard error, and degrees of freedom.

.. math:: V = \frac{1}{N^2} \sum_g \frac{(S_g - n_g \bar z)^2}{1 - n_g / N}, \quad
          \nu = \frac{(tr A)^2}{tr(A^2)}, \quad
          A_{gh} = a_g a_h \Big( \delta_{gh} n_g - \frac{n_g n_h}{N} \Big), \quad a_g = (1 - n_g / N)^{-1/2}

This is CR2 of a regression on a constant (Bell & McCaffrey 2002, Survey Methodology 28:169; Imbens & Kolesar 2016,
Review of Economics and Statistics 98:701). The mean over its standard error is t(nu) under the null for ``FEWEST``
clusters or more, none of which has more than ``LARGEST`` of the values. With clusters of one size nu is their number
minus one; if every value is a cluster, V is the variance of the mean of independent values. For a constant the matrices
of any design (:func:`eventstudy.core.slopes.cr2`) are numbers, so that sums by cluster suffice, for all groups at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.clustering import chains
from eventstudy.core.nulls import divide
from eventstudy.types import Floats, Ints, Sample

FEWEST = 3  # clusters with which t(nu) holds
LARGEST = 0.85  # share of the values in one cluster up to which it holds: at 98 % it rejects 9 to 19 % at 5 %
ROUNDING = 1e-13  # a sum of squared deviations below this share of the sum of squares is rounding error


class ClusteredMean(NamedTuple):
    """Means of groups with CR2 standard errors and degrees of freedom, each (G,).

    ``n`` values, in ``n_clusters`` clusters, the largest of which has the share ``largest`` of them. The mean is NaN
    without a value; se and df are NaN below two clusters, and se also where the means of all clusters are equal.
    """

    mean: Floats
    se: Floats
    df: Floats
    n: Floats
    n_clusters: Floats
    largest: Floats

    @property
    def holds(self) -> np.ndarray:
        """Whether there are enough clusters, none of which is too large."""
        return (self.n_clusters >= FEWEST) & (self.largest <= LARGEST)


def clustered_mean(total: Floats, count: Floats, group: Ints, n_groups: int) -> ClusteredMean:
    """Compute the mean of each group from sums and counts by cluster (C,); a cluster without values has a count of 0.

    Examples
    --------
    >>> found = clustered_mean(np.array([6.0, 2.0, 1.0]), np.array([2.0, 2.0, 2.0]), np.zeros(3, dtype=int), 1)
    >>> found.mean.round(4), found.se.round(4), found.df.round(4)
    (array([1.5]), array([0.7638]), array([2.]))
    """

    def by_group(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, values, n_groups), dtype=np.float64)

    n, n_clusters = by_group(count), by_group((count > 0).astype(np.float64))
    mean = divide(by_group(total), n)
    remainder = n[group] - count  # values of the other clusters
    deviation = total - count * np.nan_to_num(mean)[group]
    squares, of_sums = (
        by_group(np.nan_to_num(divide(values**2 * n[group], remainder))) for values in (deviation, total)
    )
    several = n_clusters > 1
    se = np.where(several & (squares > ROUNDING * of_sums), divide(np.sqrt(squares), n), np.nan)
    share = np.nan_to_num(divide(count, n[group]))
    outer = np.nan_to_num(divide(share * count, remainder))  # A_gh = -N sqrt(outer_g outer_h)
    trace = by_group(share**2) + by_group(outer) ** 2 - by_group(outer**2)
    largest = np.zeros(n_groups)
    np.maximum.at(largest, group, share)
    return ClusteredMean(mean, se, divide(np.where(several, 1.0, np.nan), trace), n, n_clusters, largest)


def mean_by_chain(sample: Sample, windows: Ints, total: Floats, count: Floats) -> ClusteredMean:
    """Compute the mean of each group and window (G, V) from sums and counts by date (C, V).

    Clusters are chains of the windows (V, 2).
    """
    parts = []
    for v, (start, end) in enumerate(windows.tolist()):
        dates = np.flatnonzero(count[:, v] > 0)
        chain = chains(sample, dates, (start, end))
        cell = np.zeros(int(chain.max(initial=-1)) + 1, dtype=np.int64)
        cell[chain] = sample.cluster_group[dates] * len(windows) + v
        parts.append((*(np.bincount(chain, leaf[dates, v], len(cell)) for leaf in (total, count)), cell))
    sums, counts, cells = (np.concatenate(leaves) for leaves in zip(*parts, strict=True))
    means = clustered_mean(sums.astype(np.float64), counts.astype(np.float64), cells, sample.n_groups * len(windows))
    return ClusteredMean(*(values.reshape(sample.n_groups, len(windows)) for values in means))
