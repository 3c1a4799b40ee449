"""Average abnormal returns by day, and their cumulative sum with a 95 % band."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy.core.nulls import divide, margin
from eventstudy.core.scores import scores as score
from eventstudy.core.sums import by_group, mean_and_sd
from eventstudy.types import Abnormal, Floats, Sample, Scores, Spec, State


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum abnormal returns by day, and CARs from the first event day up to each day: leaves (G, n_evt)."""
    running = score(abnormal, replace(spec, windows=spec.cumulative))
    return {
        "days": by_group(abnormal, abnormal.ok[:, abnormal.n_est :]),
        "ar": by_group(abnormal, abnormal.ar[:, abnormal.n_est :]),
        "n": by_group(abnormal, running.ok),
        "car": by_group(abnormal, running.car),
        "car2": by_group(abnormal, running.car**2),
        "var": by_group(abnormal, running.var),
        "dof": by_group(abnormal, abnormal.dof[:, None] * running.ok),
    }


def finalize(state: State, sample: Sample) -> dict[str, Floats]:
    r"""Compute AAR, CAAR and a 95 % band around the CAAR that allows for events that share days.

    .. math:: se = \frac{sd(CAR)}{\sqrt N} \sqrt{\frac{1 + (N-1) r}{1 - r}}

    with r of :mod:`eventstudy.core.overlap` for the window up to that day, and the quantile of t(N - 1). A single
    event has the forecast error of its CAR, and the quantile of t(M - k).

    Returns
    -------
    dict
        ``n`` events valid that day, ``aar``, ``caar``, ``se``, ``lower``, ``upper``, each (G, n_evt).
    """
    n = state["n"]
    caar, sd = mean_and_sd(n, state["car"], state["car2"])
    r = sample.shared["overlap"]["cumulative"]
    inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
    se = np.where(
        n == 1, np.sqrt(state["var"]), sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1))
    )
    df = np.where(n == 1, state["dof"], n - 1.0)
    half_width = margin(se, df)
    aar = divide(state["ar"], state["days"])
    return {
        "n": state["days"],
        "aar": aar,
        "caar": caar,
        "se": se,
        "lower": caar - half_width,
        "upper": caar + half_width,
    }
