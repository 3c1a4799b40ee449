r"""Means of effects over events, with standard errors that allow for events that share days.

Events whose windows overlap in a chain of calendar days, or that report the same news, are one cluster. Standard error
and degrees of freedom are those of :mod:`eventstudy.core.cr2`; without overlap these are sd / sqrt(N) and N - 1. Where
clusters are too few, or one is too large, they are

.. math:: V = \frac{sd^2}{N} \frac{1 + (N - 1) r}{1 - r}, \quad \nu = N - 1

with the mean correlation r of :mod:`eventstudy.core.overlap`, which takes the correlation before the event for that of
the event days. A single event has the forecast error of its effect, and the degrees of freedom of its model.
"""

from __future__ import annotations

import numpy as np

from eventstudy.core.cr2 import mean_by_chain
from eventstudy.core.nulls import divide, margin
from eventstudy.core.sums import add, by_cluster, by_group, mean_and_sd, rows
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, grouping


def chunk(scores: Scores, abnormal: Abnormal) -> State:
    """Sum CARs and counts by cluster, (C, V), and by group squares, variances and degrees of freedom, (G, 3, V)."""
    squares = np.stack([scores.car**2, scores.var, abnormal.dof[:, None] * scores.ok], axis=1)
    return {
        "car": by_cluster(abnormal, scores.car),
        "n": by_cluster(abnormal, scores.ok),
        "squares": by_group(abnormal, squares),
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
    means = mean_by_chain(sample, windows, state["car"], state["n"])
    effects = {name: getattr(means, name) for name in ("mean", "se", "df", "n", "n_clusters")}
    effects["n_dates"] = _n_dates(state["n"], sample)
    n, few = effects["n"], ~means.holds
    squares, variance, dof = np.moveaxis(state["squares"], 1, 0)
    se, df = _by_correlation(n, effects["mean"], squares, r)
    alone = n == 1
    effects["se_r"] = se
    effects["se"] = np.where(alone, np.sqrt(variance), np.where(few, se, effects["se"]))
    effects["df"] = np.where(alone, dof, np.where(few, df, effects["df"]))
    half_width = margin(effects["se"], effects["df"])
    return {**effects, "lower": effects["mean"] - half_width, "upper": effects["mean"] + half_width}


def _n_dates(count: Floats, sample: Sample) -> Floats:
    """Count the dates of the events of each group and window, (G, V), from the number of events by cluster (C, V)."""
    day = sample.cluster_dates[:, sample.spec.zero]
    span = int(day.max(initial=0)) + 1
    dates = grouping(sample.cluster_group * span + day)
    present = (rows(dates, count, len(dates.numbers)).values > 0).astype(np.float64)
    groups = grouping(dates.numbers // span)
    return np.asarray(add({}, {"n": rows(groups, present, sample.n_groups)})["n"])


def _by_correlation(n: Floats, mean: Floats, squares: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Return the standard error of the mean by the mean correlation of the events, and its degrees of freedom."""
    _, sd = mean_and_sd(n, np.nan_to_num(mean) * n, squares)
    inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
    return sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1.0)), n - 1.0
