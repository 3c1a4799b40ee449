"""Scores from abnormal returns and windows, computed once per block for all tests and all windows."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Abnormal, Bools, Floats, Scores, Spec


def scores(abnormal: Abnormal, spec: Spec) -> Scores:
    r"""Sum abnormal returns over each window, with the forecast variance of the sum.

    .. math:: CAR_i = \sum_{t \in W} AR_{it}, \quad
              Var(CAR_i) = s_i^2 (\textstyle\sum_{t \in W} v_{it} + |\sum_{t \in W} h_{it}|^2), \quad
              SCAR_i = CAR_i / \sqrt{Var(CAR_i)}

    The sums run over the valid days (Salinger 1992, JFQA 27:39). For a model without a variance path v is 1, so that
    its sum is the number of days. All days of a window share the estimated parameters, so the forecast term does not
    average out. A study that compounds replaces the CAR by the buy-and-hold abnormal return and keeps the variance,
    which is that of the BHAR to first order (Barber & Lyon 1997, Journal of Financial Economics 43:341):

    .. math:: BHAR_i = \prod_{t \in W} (1 + R_{it}) - \prod_{t \in W} (1 + R_{it} - AR_{it})

    Parameters
    ----------
    abnormal : Abnormal
        Events of status OK.
    spec : Spec

    Returns
    -------
    Scores
        A window with fewer valid days than ``min_coverage`` requires, or whose BHAR is not finite, is not ok, and its
        values are 0.
    """
    weights = spec.weights
    n_days, covered = coverage(abnormal, spec)
    ok = 1.0 if abnormal.complete else abnormal.ok[:, abnormal.n_est :].astype(np.float64)
    car = buy_and_hold(abnormal, weights) if spec.compound else abnormal.ar[:, abnormal.n_est :] @ weights.T
    factor = n_days.copy() if abnormal.v is None else (ok * abnormal.v[:, abnormal.n_est :]) @ weights.T
    for h in np.moveaxis(abnormal.h[:, abnormal.n_est :], -1, 0):
        factor += (h @ weights.T) ** 2
    usable = covered & np.isfinite(car)
    var = np.where(usable, abnormal.sigma[:, None] ** 2 * factor, 0.0)
    car = np.where(usable, car, 0.0)
    z = np.divide(car, np.sqrt(var), out=np.zeros_like(car), where=usable)
    return Scores(car, var, z, np.rint(n_days).astype(np.int64), usable, weights)


def coverage(abnormal: Abnormal, spec: Spec) -> tuple[Floats, Bools]:
    """Count the valid days of each event in each window, and say whether they are enough, both (N, V)."""
    weights = spec.weights
    if abnormal.complete:
        n_days = np.tile(weights.sum(axis=1), (len(abnormal.ar), 1))
    else:
        n_days = abnormal.ok[:, abnormal.n_est :].astype(np.float64) @ weights.T
    enough = n_days >= min_valid_days(window_lengths(abnormal, weights), spec.min_coverage)
    return n_days, enough & (n_days > 0)


def window_lengths(abnormal: Abnormal, weights: Floats) -> Floats:
    """Count the days of each window, (V,); with event-specific event windows, the days inside them, (N, V)."""
    in_own_window = abnormal.block.in_own_window
    return np.asarray(weights.sum(axis=1) if in_own_window is None else in_own_window @ weights.T)


def buy_and_hold(abnormal: Abnormal, weights: Floats) -> Floats:
    """Return the buy-and-hold return of each event over windows minus that of its normal return, (N, V).

    The difference is multiplied by the sign of the event, if ``ar`` is. A window with a return or normal return of
    -100 % or less is NaN.
    """
    sign = 1.0 if abnormal.sign is None else abnormal.sign[:, None]
    r, normal = _returns(abnormal)
    total_loss = total_losses(abnormal)  # the logarithm does not exist
    bhr, expected = (np.log1p(np.where(total_loss, 0.0, values)) @ weights.T for values in (r, normal))
    return np.where(total_loss @ weights.T > 0, np.nan, sign * (np.expm1(bhr) - np.expm1(expected)))


def total_losses(abnormal: Abnormal) -> Bools:
    """Mark the event days with a return or normal return of -100 % or less, (N, n_evt)."""
    return np.asarray(np.minimum(*_returns(abnormal)) <= -1.0)


def _returns(abnormal: Abnormal) -> tuple[Floats, Floats]:
    """Return the returns and normal returns of the event days, 0 where not ok, (N, n_evt)."""
    n_est = abnormal.n_est
    r = np.where(abnormal.ok[:, n_est:], abnormal.block.r[:, n_est:], 0.0)
    sign = 1.0 if abnormal.sign is None else abnormal.sign[:, None]
    return r, r - sign * abnormal.ar[:, n_est:]


def min_valid_days(lengths: Floats, min_coverage: float) -> Floats:
    """Return the number of valid days that windows of these lengths need; 1e-9 absorbs rounding of the share."""
    return np.ceil(lengths * min_coverage - 1e-9)


def standardise(abnormal: Abnormal) -> tuple[Floats, Floats]:
    r"""Standardise estimation residuals and abnormal returns, day by day.

    .. math:: SAR_{it} = e_{it} / (s_i \sqrt{v_{it} - |h_{it}|^2}) \text{ in the estimation window}, \quad
              AR_{it} / (s_i \sqrt{v_{it} + |h_{it}|^2}) \text{ in the event window}

    with v = 1 for a model without a variance path.

    Returns
    -------
    prefix : float array (N, n_est)
    suffix : float array (N, n_evt)
        Both are 0 where not ok.
    """
    n_est = abnormal.n_est
    v = 1.0 if abnormal.v is None else abnormal.v[:, :n_est]
    leverage = _leverage(abnormal.h[:, :n_est])
    # A day that alone determines a coefficient has leverage 1 and residual 0: its standardised residual is set to 0.
    full_leverage = leverage > v * (1.0 - 1e-12)
    variance = np.subtract(v, leverage, out=leverage)
    np.copyto(variance, 1.0, where=full_leverage)
    e = abnormal.ar[:, :n_est] / np.sqrt(variance, out=variance)
    e /= abnormal.sigma[:, None]
    np.copyto(e, 0.0, where=full_leverage)
    return e, standardise_event_days(abnormal)


def _leverage(h: Floats) -> Floats:
    """Sum the squares of h (N, L, P) over the parameters."""
    total = np.zeros(h.shape[:2])
    for column in np.moveaxis(h, -1, 0):
        total += column * column
    return total


def standardise_event_days(abnormal: Abnormal) -> Floats:
    """Standardise the abnormal returns of the event window only (see :func:`standardise`), (N, n_evt)."""
    h = abnormal.h[:, abnormal.n_est :]
    v = 1.0 if abnormal.v is None else abnormal.v[:, abnormal.n_est :]
    deviation = abnormal.sigma[:, None] * np.sqrt(v + _leverage(h))
    return np.asarray(abnormal.ar[:, abnormal.n_est :] / deviation)


def patell_z(scores: Scores, abnormal: Abnormal) -> tuple[Floats, Bools]:
    r"""Compute the Z of each event over each window (Patell 1976): the sum of SAR over its standard deviation.

    .. math:: Z_{iW} = \sum_{t \in W} SAR_{it} / \sqrt{L_i (M_i - k_i) / (M_i - k_i - 2)}

    Returns
    -------
    z : float array (N, V)
    ok : bool array (N, V)
        False, with z 0, where the window is not ok or M - k is 2 or less, so that the variance does not exist.
    """
    suffix = standardise_event_days(abnormal)
    usable = scores.ok & (abnormal.dof > 2)[:, None]
    dof = np.where(abnormal.dof > 2, abnormal.dof, 3.0)
    deviation = np.sqrt(np.maximum(scores.n_days, 1) * (dof / (dof - 2.0))[:, None])
    total = suffix @ scores.weights.T
    return np.where(usable, total / deviation, 0.0), usable
