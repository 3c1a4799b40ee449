"""Abnormal returns and windows to scores, once a block for all tests and all windows."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Abnormal, Bools, Floats, Scores, Spec


def scores(abnormal: Abnormal, spec: Spec) -> Scores:
    r"""Sum abnormal returns over each window, with the forecast variance of the sum.

    .. math:: CAR_i = \sum_{t \in W} AR_{it}, \quad
              Var(CAR_i) = s_i^2 (\textstyle\sum_{t \in W} v_{it} + |\sum_{t \in W} h_{it}|^2), \quad
              SCAR_i = CAR_i / \sqrt{Var(CAR_i)}

    where the sums run over the valid days (Salinger 1992, JFQA 27:39) and v is 1, their number in all, for a model
    without a variance path. The parameters are shared by the days of a window, so the forecast term does not average
    out. Where the study compounds, the buy-and-hold abnormal return stands in for the CAR, and keeps its variance,
    which is that of BHAR to first order (Barber & Lyon 1997, Journal of Financial Economics 43:341):

    .. math:: BHAR_i = \prod_{t \in W} (1 + R_{it}) - \prod_{t \in W} (1 + R_{it} - AR_{it})

    Parameters
    ----------
    abnormal : Abnormal
        Events of status OK.
    spec : Spec

    Returns
    -------
    Scores
        A window with fewer valid days than ``min_coverage`` asks, or whose BHAR is not finite, is not ok, and 0.
    """
    weights = spec.weights
    ok: Floats | float = 1.0
    if abnormal.whole:
        n_days = np.tile(weights.sum(axis=1), (len(abnormal.ar), 1))
    else:
        ok = abnormal.ok[:, abnormal.n_est :].astype(np.float64)
        n_days = ok @ weights.T
    car = compounded(abnormal, weights) if spec.compound else abnormal.ar[:, abnormal.n_est :] @ weights.T
    spread = n_days.copy() if abnormal.v is None else (ok * abnormal.v[:, abnormal.n_est :]) @ weights.T
    for h in np.moveaxis(abnormal.h[:, abnormal.n_est :], -1, 0):
        spread += (h @ weights.T) ** 2
    usable = (n_days >= needed(lengths(abnormal, weights), spec.min_coverage)) & (n_days > 0) & np.isfinite(car)
    var = np.where(usable, abnormal.sigma[:, None] ** 2 * spread, 0.0)
    car = np.where(usable, car, 0.0)
    z = np.divide(car, np.sqrt(var), out=np.zeros_like(car), where=usable)
    return Scores(car, var, z, np.rint(n_days).astype(np.int64), usable, weights)


def lengths(abnormal: Abnormal, weights: Floats) -> Floats:
    """Count the days of each window, (V,), or those of the event's own window in it, (N, V)."""
    inside = abnormal.block.inside
    return np.asarray(weights.sum(axis=1) if inside is None else inside @ weights.T)


def compounded(abnormal: Abnormal, weights: Floats) -> Floats:
    """Give the buy-and-hold return of each event over windows, less that of its normal return, (N, V)."""
    n_est = abnormal.n_est
    ok = abnormal.ok[:, n_est:]
    r = np.where(ok, abnormal.block.r[:, n_est:], 0.0)
    normal = r - abnormal.ar[:, n_est:]
    lost = np.minimum(r, normal) <= -1.0  # no logarithm, and nothing that could be held; its windows have no value
    held, expected = (np.log1p(np.where(lost, 0.0, values)) @ weights.T for values in (r, normal))
    return np.where(lost @ weights.T > 0, np.nan, np.expm1(held) - np.expm1(expected))


def needed(lengths: Floats, min_coverage: float) -> Floats:
    """Give the valid days that windows of these lengths need; 1e-9 forgives the rounding of the share."""
    return np.ceil(lengths * min_coverage - 1e-9)


def standardised(abnormal: Abnormal) -> tuple[Floats, Floats]:
    r"""Standardise estimation residuals and abnormal returns, day by day.

    .. math:: SAR_{it} = e_{it} / (s_i \sqrt{v_{it} - |h_{it}|^2}) \text{ in the estimation window}, \quad
              AR_{it} / (s_i \sqrt{v_{it} + |h_{it}|^2}) \text{ in the event window}

    with v = 1 for a model without a variance path.

    Returns
    -------
    prefix : float array (N, n_est)
    suffix : float array (N, n_evt)
        Both 0 where not ok.
    """
    n_est = abnormal.n_est
    before = 1.0 if abnormal.v is None else abnormal.v[:, :n_est]
    leverage = _leverage(abnormal.h[:, :n_est])
    # A day that alone decides a coefficient has leverage 1 and residual 0: its standardised residual is 0.
    fitted = leverage > before * (1.0 - 1e-12)
    left = np.subtract(before, leverage, out=leverage)
    np.copyto(left, 1.0, where=fitted)
    e = abnormal.ar[:, :n_est] / np.sqrt(left, out=left)
    e /= abnormal.sigma[:, None]
    np.copyto(e, 0.0, where=fitted)
    return e, standardised_event(abnormal)


def _leverage(h: Floats) -> Floats:
    """Sum the squares of h (N, L, P) over the parameters."""
    total = np.zeros(h.shape[:2])
    for column in np.moveaxis(h, -1, 0):
        total += column * column
    return total


def standardised_event(abnormal: Abnormal) -> Floats:
    """Standardise the abnormal returns of the event window alone (:func:`standardised`), (N, n_evt)."""
    h = abnormal.h[:, abnormal.n_est :]
    after = 1.0 if abnormal.v is None else abnormal.v[:, abnormal.n_est :]
    deviation = abnormal.sigma[:, None] * np.sqrt(after + _leverage(h))
    return np.asarray(abnormal.ar[:, abnormal.n_est :] / deviation)


def patell_z(scores: Scores, abnormal: Abnormal) -> tuple[Floats, Bools]:
    r"""Give each event's own Z over each window (Patell 1976): the sum of SAR over its deviation.

    .. math:: Z_{iW} = \sum_{t \in W} SAR_{it} / \sqrt{L_i (M_i - k_i) / (M_i - k_i - 2)}

    Returns
    -------
    z : float array (N, V)
    ok : bool array (N, V)
        False, and z 0, where the window is not ok or M - k is 2 or less: the variance does not exist.
    """
    suffix = standardised_event(abnormal)
    usable = scores.ok & (abnormal.dof > 2)[:, None]
    spare = np.where(abnormal.dof > 2, abnormal.dof, 3.0)
    deviation = np.sqrt(np.maximum(scores.n_days, 1) * (spare / (spare - 2.0))[:, None])
    total = suffix @ scores.weights.T
    return np.where(usable, total / deviation, 0.0), usable
