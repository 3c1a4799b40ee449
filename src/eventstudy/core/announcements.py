r"""The mean of one number for each announcement, such as the mean CAR of its peers: by clusters, or from days before.

Announcements whose windows overlap in a chain are one cluster g; clusters are independent. With S_g the sum of the
numbers of a cluster, and A announcements, the mean is :math:`\bar d = A^{-1} \sum_g S_g`. From many clusters its
variance is that of :mod:`eventstudy.core.cr2`. Few clusters cannot estimate it; then it is the variance of the same sum
on every run t of days before the event that is as long as the window (Brown & Warner 1980, Journal of Financial
Economics 8:205; Jaffe 1974, Journal of Business 47:410):

.. math:: V = \frac{1}{A^2} \sum_g \phi_g \, \widehat{var}_t(S_{gt}), \quad
          \nu = \frac{V^2}{\sum_g V_g^2 / \nu_g}, \quad
          \phi = \frac{v / L}{1 - (L + k) / M}

The days before hold the correlation of the securities of an announcement, and of a treated security with its peers.
:math:`\phi` turns the variance of residuals, which a fit to these M days with k slopes makes too small, into that of
a forecast over L days, v being the forecast's variance in units of :math:`\sigma^2`.

Returns have thicker tails than Student's t, which the sum of several clusters hides and that of one does not. The
p-value of one cluster is therefore its rank, :math:`p = (1 + \#\{t : \phi^{1/2} |S_t| \ge |S|\}) / (1 + T)`, and its
interval holds the effects that this does not reject at 5 %.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.cr2 import clustered_mean
from eventstudy.core.nulls import divide, margin, p_t
from eventstudy.core.slopes import degrees_of_runs
from eventstudy.types import Floats, Ints

FEWEST_RUNS = 20  # runs of days before an announcement: the smallest p of a rank is 1/21
TIE = 1e-9  # relative: sums that differ by less are equal


class MeanOfAnnouncements(NamedTuple):
    """A mean with its inference, which is NaN where ``reason`` says why.

    ``margin`` is half the width of the 95 % interval. ``df`` is NaN where p is a rank among ``n_runs`` runs of days.
    """

    mean: float
    se: float = np.nan
    df: float = np.nan
    p: float = np.nan
    margin: float = np.nan
    n_runs: int = 0
    reason: str = ""


def by_clusters(values: Floats, cluster: Ints) -> MeanOfAnnouncements:
    """Return the mean of numbers (A,) with its CR2 standard error by cluster (A,).

    Examples
    --------
    >>> found = by_clusters(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 2]))
    >>> round(found.mean, 4), round(found.se, 4), round(found.df, 4)
    (2.0, 0.5774, 2.0)
    """
    number = np.unique(cluster, return_inverse=True)[1]
    total, count = (np.bincount(number, w).astype(np.float64) for w in (values, np.ones(len(values))))
    found = clustered_mean(total, count, np.zeros(len(total), dtype=np.int64), 1)
    mean, n = float(found.mean[0]), len(total)
    if not found.holds[0]:
        return MeanOfAnnouncements(mean, reason=f"{n} clusters of dates are too few, or too uneven")
    if not np.isfinite(found.se[0]):
        return MeanOfAnnouncements(mean, reason="the means of all clusters are equal")
    return _by_t(mean, float(found.se[0]), float(found.df[0]))


def by_history(values: Floats, runs: Floats, cluster: Ints, inflation: Floats, length: int) -> MeanOfAnnouncements:
    """Return the mean of numbers (A,) with its standard error from the same mean on runs of days before.

    Parameters
    ----------
    values : float array (A,)
    runs : float array (A, T)
        The number of each announcement on runs of days before it, NaN where missing; a column has the runs of one
        distance from the announcements.
    cluster : int array (A,)
    inflation : float array (A,)
        The variance of a forecast over that of a run.
    length : int
        Days of a run.

    Examples
    --------
    >>> runs = np.tile([[0.02, -0.02, 0.01, -0.01]], 10)
    >>> found = by_history(np.array([0.05]), runs, np.array([0]), np.ones(1), 1)
    >>> round(found.se, 4), round(found.p, 4), found.margin
    (0.016, 0.0244, 0.02)
    >>> found = by_history(np.array([0.05, 0.03]), np.tile(runs, (2, 1)), np.array([0, 1]), np.ones(2), 1)
    >>> round(found.se, 4), found.df, round(found.p, 4)
    (0.0113, 78.0, 0.0007)
    """
    number = np.unique(cluster, return_inverse=True)[1]
    n_clusters, mean = int(number.max()) + 1, float(values.mean())
    variance, df = np.empty(n_clusters), np.empty(n_clusters)
    for g in range(n_clusters):
        own = number == g
        sums = runs[own].sum(axis=0)
        sums = sums[np.isfinite(sums)]
        if len(sums) < max(FEWEST_RUNS, 4 * length + 1):
            return MeanOfAnnouncements(
                mean,
                reason=f"{len(sums)} runs of {length} days before an announcement are too few; {4 * length + 1} or"
                f" more, and at least {FEWEST_RUNS}, are needed: take a longer estimation window, or a shorter window",
            )
        variance[g] = sums.var(ddof=1) * inflation[own].mean()
        df[g] = degrees_of_runs(len(sums), length)
    total = variance.sum()
    if not total > 0:
        return MeanOfAnnouncements(mean, reason="the days before do not vary")
    se = float(np.sqrt(total)) / len(values)
    if n_clusters == 1:
        return _by_rank(mean, se, np.sqrt(inflation.mean()) / len(values) * np.abs(sums))
    return _by_t(mean, se, float(divide(np.array(total**2), np.array((variance**2 / df).sum()))))


def _by_t(mean: float, se: float, df: float) -> MeanOfAnnouncements:
    return MeanOfAnnouncements(
        mean, se, df, float(p_t(np.array(mean / se), np.array(df))), float(margin(np.array(se), np.array(df)))
    )


def _by_rank(mean: float, se: float, sizes: Floats) -> MeanOfAnnouncements:
    """Return p and margin of a mean among the sizes (T,) of means on runs of days without effect."""
    n_runs = len(sizes)
    p = (1 + int((sizes >= abs(mean) * (1.0 - TIE)).sum())) / (1 + n_runs)
    widest = np.sort(sizes)[n_runs - int(0.05 * (1 + n_runs))]
    return MeanOfAnnouncements(mean, se, np.nan, p, float(widest), n_runs)
