r"""Weighted sums of CARs: their error as sums of these very events, and that of a mean of events like these.

The sum of what happened to the events, with fixed weights w, misses the sum of their effects by noise alone:

.. math:: \sum_i w_i CAR_i - \sum_i w_i \delta_i = \sum_i w_i \Big( \sum_{t \in W_i} \epsilon_{it}
          - h_{iW}' \sum_{s \in E_i} h_{is} \epsilon_{is} \Big)

Effects that differ between events are no error of it. Its variance is that of :mod:`eventstudy.core.covariance`: the
noise before the events, correlated on shared dates, with the forecast error that events share. The mean of events like
these varies with which events happened too, and its error is that of their spread (:mod:`eventstudy.core.cr2`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from eventstudy.core import covariance
from eventstudy.core.cr2 import mean_by_chain
from eventstudy.core.nulls import divide
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, Spec, State, Window

LEAST = 1e-6  # of the weight that other events than the largest must have, so that there is a spread


class Mean(NamedTuple):
    """A weighted mean, its standard error and degrees of freedom, and whether clusters of dates gave the error."""

    mean: float
    se: float
    df: float
    by_clusters: bool


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec, *, weight: Floats) -> State:
    """Sum weights and residuals by cluster; ``weight`` (n,) is that of each placed event, 0 of one that is left out."""
    return covariance.chunk(scores, abnormal, weight[abnormal.block.id])


def variance_of_sum(state: Mapping[str, Floats], sample: Sample) -> float:
    """Return the variance of the weighted sum of CARs over the first window, for a sample of one group.

    It is that of noise around the effects of these events; for one event it is the forecast variance of its CAR times
    the square of its weight.

    Parameters
    ----------
    state : sums of :func:`chunk`
    sample : Sample
    """
    clusters = np.flatnonzero(state["m_squares"] > 0)
    span = int(sample.cluster_dates.max(initial=0)) + 1
    portfolios = covariance.Portfolios(state, sample, clusters, sample.cluster_dates[clusters], span)
    return float(portfolios.variance(np.ones(span), 0)[0]) if len(clusters) else np.nan


def mean_of_events(values: Floats, weight: Floats, cluster: Ints, sample: Sample, window: Window, r: float) -> Mean:
    r"""Return the weighted mean of values of events (n,), as a draw from events like these.

    The error is by clusters of overlapping windows (CR2, with the weights in place of counts). Where these are too few,
    or one is too large, it is that of the spread, with the mean correlation r of two events:

    .. math:: V = \frac{\sum_i p_i (x_i - \bar x)^2}{1 - \sum_i p_i^2} \Big( \sum_i p_i^2 + \frac{r}{1 - r} \Big),
              \quad \nu = \frac{1}{\sum_i p_i^2} - 1, \quad p_i = w_i / \sum_j w_j

    which with equal weights is the interval of :mod:`eventstudy.core.effects`.

    Parameters
    ----------
    values, weight : float arrays (n,)
        Weights above 0.
    cluster : int array (n,)
        Cluster of the sample.
    sample : Sample
        Of one group.
    window : (int, int)
    r : float

    Returns
    -------
    Mean
        ``se`` and ``df`` are NaN with one event, or one with all weight but a millionth, or if r leaves no variance.
    """
    n_clusters = len(sample.cluster_group)
    total, count = (np.bincount(cluster, part, n_clusters).astype(np.float64) for part in (weight * values, weight))
    by_chain = mean_by_chain(sample, np.array([window]), total[:, None], count[:, None])
    mean = float(by_chain.mean[0, 0])
    if bool(by_chain.holds[0, 0]):
        return Mean(mean, float(by_chain.se[0, 0]), float(by_chain.df[0, 0]), True)
    share = weight / weight.sum()
    squares = float(share @ share)
    if 1.0 - squares < LEAST:
        return Mean(mean, np.nan, np.nan, False)
    spread = float(share @ (values - mean) ** 2) / (1.0 - squares)
    inflation = float(divide(np.array(squares + (1.0 - squares) * r), np.array(1.0 - r)))
    variance = spread * inflation
    return Mean(mean, float(np.sqrt(variance)) if variance > 0 else np.nan, 1.0 / squares - 1.0, False)
