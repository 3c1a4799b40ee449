"""The mean of values that are dependent within clusters: its CR2 standard error, and degrees of freedom.

Bell & McCaffrey (2002, Survey Methodology 28:169); Imbens & Kolesar (2016, Review of Economics and Statistics 98:701).
"""

from __future__ import annotations

import numpy as np

from eventstudy.core.nulls import divide
from eventstudy.types import Floats

FEWEST = 3  # clusters with which t(nu) holds
LARGEST = 0.85  # share of the values in one cluster up to which it holds: at 98 % it rejects 9 to 19 % at 5 %
ROUNDING = 1e-13  # a sum of squared deviations below this share of the sum of squares is rounding error


def mean_se(sums: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    r"""Return the mean over clusters, its CR2 standard error, and Bell and McCaffrey's degrees of freedom.

    .. math:: se^2 = \frac{1}{N^2} \sum_g \frac{(S_g - n_g \bar z)^2}{1 - n_g / N}, \quad
              \nu = \frac{(tr A)^2}{tr(A^2)}, \quad
              A_{gh} = a_g a_h \Big( \delta_{gh} n_g - \frac{n_g n_h}{N} \Big), \quad a_g = (1 - n_g / N)^{-1/2}

    This is CR2 of a regression on a constant. With clusters of one size nu is their number minus one. The mean over se
    is t(nu) under the null for ``FEWEST`` clusters or more, none of which has more than ``LARGEST`` of the values.

    Parameters
    ----------
    sums, counts : float arrays (G, ...)
        The sum of the values of each cluster, and their number; a cluster without values has 0 in both.

    Returns
    -------
    mean, se, df : float arrays (...)
        The mean is NaN where there is no value; se and df are NaN where there is one cluster, and se also where the
        means of all clusters are equal.

    Examples
    --------
    >>> mean, se, df = mean_se(np.array([6.0, 2.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    >>> float(mean), round(float(se), 4), round(float(df), 4)
    (1.5, 0.7638, 2.0)
    """
    n = counts.sum(axis=0)
    mean = divide(sums.sum(axis=0), n)
    remainder = n - counts  # events of the other clusters
    deviations = sums - counts * np.nan_to_num(mean)
    squares, of_sums = (np.nan_to_num(divide(values**2 * n, remainder)).sum(axis=0) for values in (deviations, sums))
    several = (counts > 0).sum(axis=0) > 1
    se = np.where(several & (squares > ROUNDING * of_sums), divide(np.sqrt(squares), n), np.nan)
    share = np.nan_to_num(divide(counts, n))
    outer = np.nan_to_num(divide(share * counts, remainder))  # A_gh = -N sqrt(outer_g outer_h)
    pairs = (outer[1:] * np.cumsum(outer, axis=0)[:-1]).sum(axis=0)  # each once, without a difference of large sums
    trace = (share**2).sum(axis=0) + 2.0 * pairs
    return mean, se, divide(np.where(several, 1.0, np.nan), trace)
