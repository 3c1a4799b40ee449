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
from eventstudy.core.sums import by_cluster, by_group, mean_and_sd
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Window


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
    effects = {name: np.column_stack([part[name] for part in parts]) for name in parts[0]}
    n = effects["n"]
    few = effects.pop("holds") == 0.0
    se, df = _by_correlation(n, effects["mean"], state["car2"], r)
    alone = n == 1
    effects["se_r"] = se
    effects["se"] = np.where(alone, np.sqrt(state["var"]), np.where(few, se, effects["se"]))
    effects["df"] = np.where(alone, state["dof"], np.where(few, df, effects["df"]))
    half_width = margin(effects["se"], effects["df"])
    return {**effects, "lower": effects["mean"] - half_width, "upper": effects["mean"] + half_width}


def _of_window(car: Floats, count: Floats, sample: Sample, window: Window) -> dict[str, Floats]:
    """Return the means of each group by clusters, and the number of dates, (G,)."""
    means = mean_by_chain(sample, window, car, count)
    used = np.flatnonzero(count > 0)
    group, day = sample.cluster_group[used], sample.cluster_dates[used, sample.spec.zero]
    span = int(day.max(initial=0)) + 1
    dates = np.unique(group * span + day) // span  # one number for each group and date: sorted faster than pairs
    n_dates = np.bincount(dates, minlength=sample.n_groups).astype(np.float64)
    names = ("mean", "se", "df", "n", "n_clusters")
    return {name: getattr(means, name) for name in names} | {"n_dates": n_dates, "holds": means.holds.astype(float)}


def _by_correlation(n: Floats, mean: Floats, squares: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Return the standard error of the mean by the mean correlation of the events, and its degrees of freedom."""
    _, sd = mean_and_sd(n, np.nan_to_num(mean) * n, squares)
    inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
    return sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1.0)), n - 1.0
