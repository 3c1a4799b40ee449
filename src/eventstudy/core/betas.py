r"""Market models whose beta is an instrumental-variable slope: corrected or weighted betas.

Each of these betas is the slope by an instrument z, a series that sums to 0 over the estimation days:

.. math:: b = \frac{\sum_E z_t r_t}{\sum_E z_t x_t}, \quad a = \bar r - b \bar x

The means use weights u that sum to 1. For least squares z is the deviation of x from its mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.types import Abnormal, Block, Bools, Floats, Status


class Deviations(NamedTuple):
    """Regressors minus their weighted means over the estimation days.

    ``d`` (N, n_est, K) is 0 where the weight is 0. ``squares`` (N, K) are the weighted sums of ``d**2``, and 1 for a
    regressor that is ``constant`` (N, K).
    """

    d: Floats
    squares: Floats
    constant: Bools


class Line(NamedTuple):
    """The line fitted to each event.

    ``coef`` (N, 2) holds alpha and beta, ``e`` (N, L) residuals and abnormal returns, ``h`` (N, L, 2) the forecast
    factor, ``v`` (N, L) the variance of each day in units of ``sigma**2``. ``singular`` (N,) marks events whose slope
    is not determined.
    """

    coef: Floats
    e: Floats
    h: Floats
    v: Floats
    singular: Bools


def deviations(x: Floats, weight: Floats) -> Deviations:
    """Subtract the weighted mean (N, n_est) from regressors (N, n_est, K); values with weight 0 are ignored."""
    w = weight[..., None]
    x = np.where(w > 0, x, 0.0)
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    mean = (w * x).sum(axis=1) / total[:, None]
    d = np.where(w > 0, x - mean[:, None], 0.0)
    squares = (w * d**2).sum(axis=1)
    constant = np.sqrt(squares) <= SINGULAR * np.sqrt((w * x**2).sum(axis=1))
    return Deviations(d, np.where(constant, 1.0, squares), constant)


def slopes(d: Floats, regressors: Deviations) -> Floats:
    """Return the simple-regression slope of a series of deviations ``d`` (N, n_est) on each regressor, (N, K)."""
    return np.asarray(np.einsum("nl,nlk->nk", d, regressors.d) / regressors.squares)


def fit_line(block: Block, x: Floats, z: Floats, weight: Floats) -> Line:
    r"""Fit a line through the weighted means, with the slope estimated by an instrument.

    With ``b = A r`` the estimator, ``A X = I``, so that under errors of equal variance

    .. math:: Var(w'AR) = \sigma^2 (w'w + |w'H|^2), \quad H H' = X A A' X', \quad
              Var(e_t) = \sigma^2 (1 - 2 (XA)_{tt} + |h_t|^2)

    exactly. The two rows of ``A`` are orthogonalised, so that H has two columns. On an estimation day ``v`` is set so
    that ``v - |h|^2`` is the variance of the residual; it is 1 for least squares, and 1 on event days.

    Parameters
    ----------
    block : Block
    x : float array (N, L)
        The regressor.
    z : float array (N, n_est)
        The instrument: sums to 0, and is 0 where not ok.
    weight : float array (N, n_est)
        Weights of the days in the means; 0 where not ok.
    """
    n_est, ok = block.n_est, block.ok
    r, x = np.where(ok, block.r, 0.0), np.where(ok, x, 0.0)
    u = weight / np.maximum(weight.sum(axis=1), np.finfo(float).tiny)[:, None]
    mean_r, mean_x = _dot(u, r[:, :n_est]), _dot(u, x[:, :n_est])
    e, d = np.where(ok, r - mean_r[:, None], 0.0), np.where(ok, x - mean_x[:, None], 0.0)
    cross_product = _dot(z, d[:, :n_est])
    singular = np.abs(cross_product) <= SINGULAR * np.sqrt(_dot(z, z) * _dot(d[:, :n_est], d[:, :n_est]))
    g = np.where(singular[:, None], 0.0, z / np.where(singular, 1.0, cross_product)[:, None])
    beta = np.zeros(len(r))
    for _ in range(2):  # the second pass removes the rounding error of the first
        step = _dot(g, e[:, :n_est])
        beta += step
        e = e - step[:, None] * d
    length = np.sqrt(np.maximum(_dot(u, u), np.finfo(float).tiny))
    parallel = _dot(u, g) / length
    orthogonal = g - u * (parallel / length)[:, None]
    h = np.empty((*r.shape, 2))
    h[..., 0] = np.where(ok, length[:, None] + parallel[:, None] * d, 0.0)
    h[..., 1] = np.sqrt(_dot(orthogonal, orthogonal))[:, None] * d
    squared_h = h[:, :n_est, 0] ** 2 + h[:, :n_est, 1] ** 2
    diagonal = u + g * d[:, :n_est]  # of XA
    v = np.ones(r.shape)
    v[:, :n_est] += 2.0 * (squared_h - diagonal)
    return Line(np.stack([mean_r - beta * mean_x, beta], axis=1), e, h, v, singular)


def abnormal_from_line(
    block: Block, ok: Bools, line: Line, weight: Floats, divisor: Floats, dof: Floats, too_few: Bools
) -> Abnormal:
    """Return the abnormal returns of fitted lines; ``sigma**2`` is the weighted sum of squared residuals / divisor.

    Parameters
    ----------
    block : Block
    ok : bool array (N, L)
    line : Line
    weight : float array (N, n_est)
        Weights of the squared residuals; 0 where not ok.
    divisor, dof : float array (N,)
        Divisor of the variance, and its degrees of freedom, at least 1.
    too_few : bool array (N,)
        Events without enough estimation days.
    """
    n_est = block.n_est
    y, e = np.where(ok[:, :n_est], block.r[:, :n_est], 0.0), np.where(ok[:, :n_est], line.e[:, :n_est], 0.0)
    status = np.full(len(y), Status.OK, dtype=np.int64)
    status[np.sqrt(_dot(e, e)) <= SINGULAR * np.sqrt(_dot(y, y))] = Status.NO_VARIATION
    status[line.singular] = Status.SINGULAR
    status[too_few] = Status.TOO_FEW_ESTIMATION
    known = (status == Status.OK) & (divisor > 0)
    rss = _dot(weight, e**2)
    sigma = np.sqrt(np.divide(rss, divisor, out=np.full(len(y), np.nan), where=known))
    estimable = ~line.singular & ~too_few
    coef = np.where(estimable[:, None], line.coef, np.nan)
    returns = deviations(y[..., None], weight)
    varies = known & ~returns.constant[:, 0]
    r2 = 1.0 - np.divide(rss, returns.squares[:, 0], out=np.full(len(y), np.nan), where=varies)
    ar, h = np.where(ok, line.e, 0.0), np.where(ok[..., None], line.h, 0.0)
    return Abnormal(block, ar, ok, sigma, dof, h, coef, r2, status, line.v)


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("nl,nl->n", left, right))
