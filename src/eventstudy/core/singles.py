"""What is kept of every single event: its fit, its abnormal returns, its CARs and their significance."""

from __future__ import annotations

from typing import Any

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
    if spec.compound:  # neither the residual sums nor Student's t are the null of a compounded return
        kept["p_sq"] = np.full(scores.car.shape, np.nan)
    if abnormal.block.peers is not None:
        kept["p_placebo"] = placebo_p(scores, abnormal)
    return {name: Gathered((np.ascontiguousarray(values),)) for name, values in kept.items()}


def sample_quantile_p(scores: Scores, abnormal: Abnormal, spec: Spec) -> Floats:
    r"""Rank each CAR among the event's own estimation residuals, without assuming normality.

    .. math:: p = \frac{1 + \#\{|\sum_{t}^{t+L-1} e_t| \ge |CAR|\}}{1 + n}

    over the n runs of L consecutive valid residuals; for one day, the residuals themselves. With a variance path both
    sums are taken over the root of the sum of their v. The SQ test of Gelbach, Helland & Klick (2013, American Law and
    Economics Review 15:495), two-sided.

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing or no run of L days is complete.
    """
    n_est = abnormal.n_est
    size, running, valid = np.abs(scores.car), _running(abnormal.ar[:, :n_est]), _running(abnormal.ok[:, :n_est])
    path = None if abnormal.v is None else _running(abnormal.v[:, :n_est] * abnormal.ok[:, :n_est])
    if abnormal.v is not None:
        spread = (abnormal.v * abnormal.ok)[:, n_est:] @ scores.weights.T
        size = size / np.sqrt(np.where(scores.ok, spread, 1.0))
    p = np.full(scores.car.shape, np.nan)
    lengths = spec.windows[:, 1] - spec.windows[:, 0] + 1
    for length in np.unique(lengths[lengths <= n_est]):
        sums = abnormal.ar[:, :n_est] if length == 1 else running[:, length:] - running[:, :-length]
        whole = valid[:, length:] - valid[:, :-length] == length
        if path is not None:
            sums = sums / np.sqrt(np.where(whole, path[:, length:] - path[:, :-length], 1.0))
        runs = np.where(whole, np.abs(sums), -1.0)
        n_runs = whole.sum(axis=1)
        for v in np.flatnonzero(lengths == length):
            beyond = (runs >= size[:, [v]]).sum(axis=1)
            p[:, v] = np.where(scores.ok[:, v] & (n_runs > 0), (1.0 + beyond) / (1.0 + n_runs), np.nan)
    return p


def _running(values: Any) -> Floats:
    return np.hstack([np.zeros((len(values), 1)), np.cumsum(values, axis=1)])


def placebo_p(scores: Scores, abnormal: Abnormal) -> Floats:
    r"""Rank each event among untreated securities to which the same model was fitted as if they were the event's.

    .. math:: p = \frac{1 + \#\{d : |CAR_d| / s_d \ge |CAR| / s\}}{1 + D}

    over the D placebos whose abnormal returns are complete in the window; the smallest p is 1 / (1 + D). In-space
    placebos (Abadie, Diamond & Hainmueller 2010, Journal of the American Statistical Association 105:493).

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing, or no placebo is complete, or the model has none.
    """
    p = np.full(scores.car.shape, np.nan)
    if abnormal.placebos is None:
        return p
    placebos = np.where(np.isfinite(abnormal.placebos), abnormal.placebos, 0.0)
    length = scores.weights.sum(axis=1)
    whole = np.isfinite(abnormal.placebos).astype(np.float64) @ scores.weights.T == length
    sums = np.where(whole, np.abs(placebos @ scores.weights.T), -1.0)
    n = whole.sum(axis=1)
    beyond = (sums >= (np.abs(scores.car) / abnormal.sigma[:, None])[:, None]).sum(axis=1)
    known = scores.ok & (n > 0)
    p[known] = ((1.0 + beyond) / (1.0 + n))[known]
    return p
