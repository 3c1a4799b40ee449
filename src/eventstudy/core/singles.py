"""What is kept of every single event: its fit, its abnormal returns, its CARs and their significance."""

from __future__ import annotations

import numpy as np

from eventstudy.core.sums import Gathered
from eventstudy.types import Abnormal, Floats, Scores, Spec, State


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Gather an event's results: leaves (N,), (N, P), (N, n_evt) and (N, V), NaN where missing."""
    n_est = abnormal.n_est
    evt_ok = abnormal.ok[:, n_est:]
    kept = {
        "id": abnormal.block.id,
        "sigma": abnormal.sigma,
        "dof": abnormal.dof,
        "coef": abnormal.coef,
        "r2": abnormal.r2,
        "ar": np.where(evt_ok, abnormal.ar[:, n_est:], np.nan),
        "car": np.where(scores.ok, scores.car, np.nan),
        "se": np.where(scores.ok, np.sqrt(scores.var), np.nan),
        "n_days": scores.n_days,
        "p_sq": sample_quantile_p(scores, abnormal, spec),
    }
    return {name: Gathered((np.ascontiguousarray(values),)) for name, values in kept.items()}


def sample_quantile_p(scores: Scores, abnormal: Abnormal, spec: Spec) -> Floats:
    r"""Rank each CAR among the event's own estimation residuals, without assuming normality.

    .. math:: p = \frac{1 + \#\{|\sum_{t}^{t+L-1} e_t| \ge |CAR|\}}{1 + n}

    over the n runs of L consecutive valid residuals; for one day, the residuals themselves. The SQ test of Gelbach,
    Helland & Klick (2013, American Law and Economics Review 15:495), two-sided.

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing or no run of L days is complete.
    """
    n_est = abnormal.n_est
    edge = np.zeros((len(abnormal.ar), 1))
    running = np.hstack([edge, np.cumsum(abnormal.ar[:, :n_est], axis=1)])
    valid = np.hstack([edge, np.cumsum(abnormal.ok[:, :n_est], axis=1)])
    p = np.full(scores.car.shape, np.nan)
    lengths = spec.windows[:, 1] - spec.windows[:, 0] + 1
    for length in np.unique(lengths[lengths <= n_est]):
        sums = abnormal.ar[:, :n_est] if length == 1 else running[:, length:] - running[:, :-length]
        whole = valid[:, length:] - valid[:, :-length] == length
        size = np.where(whole, np.abs(sums), -1.0)
        n_runs = whole.sum(axis=1)
        for v in np.flatnonzero(lengths == length):
            beyond = (size >= np.abs(scores.car[:, [v]])).sum(axis=1)
            p[:, v] = np.where(scores.ok[:, v] & (n_runs > 0), (1.0 + beyond) / (1.0 + n_runs), np.nan)
    return p
