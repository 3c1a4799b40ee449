r"""Straight lines whose slope is linear in the returns: what the models of a corrected or weighted beta share.

Each of these betas is a slope by an instrument z, a series that sums to 0 over the estimation days:

.. math:: b = \frac{\sum_E z_t r_t}{\sum_E z_t x_t}, \quad a = \bar r - b \bar x

with means by weights u that sum to 1. For least squares z is the deviation of x from its mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.types import Abnormal, Block, Bools, Floats, Status


class Deviations(NamedTuple):
    """Regressors over the estimation days less their weighted means: ``d`` (N, n_est, K), 0 where the weight is 0.

    ``squares`` (N, K) are the weighted sums of ``d**2``, 1 where a regressor is ``constant`` (N, K).
    """

    d: Floats
    squares: Floats
    constant: Bools


class Line(NamedTuple):
    """A line fitted to each event: ``coef`` (N, 2) alpha and beta, ``e`` (N, L), ``h`` (N, L, 2), ``v`` (N, L).

    ``singular`` (N,) where the slope is not determined.
    """

    coef: Floats
    e: Floats
    h: Floats
    v: Floats
    singular: Bools


def deviations(x: Floats, weight: Floats) -> Deviations:
    """Take the weighted mean (N, n_est) out of regressors (N, n_est, K); cells of weight 0 may hold anything."""
    w = weight[..., None]
    x = np.where(w > 0, x, 0.0)
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    mean = (w * x).sum(axis=1) / total[:, None]
    d = np.where(w > 0, x - mean[:, None], 0.0)
    squares = (w * d**2).sum(axis=1)
    constant = np.sqrt(squares) <= SINGULAR * np.sqrt((w * x**2).sum(axis=1))
    return Deviations(d, np.where(constant, 1.0, squares), constant)


def slopes(own: Floats, near: Deviations) -> Floats:
    """Give the slope of a regressor's deviations (N, n_est) on each of some others alone, (N, K)."""
    return np.asarray(np.einsum("nl,nlk->nk", own, near.d) / near.squares)


def line(block: Block, x: Floats, z: Floats, weight: Floats) -> Line:
    r"""Draw a line through the weighted means, its slope by an instrument.

    With ``b = A r`` the estimator, ``A X = I``, so that under errors of one variance

    .. math:: Var(w'AR) = \sigma^2 (w'w + |w'H|^2), \quad H H' = X A A' X', \quad
              Var(e_t) = \sigma^2 (1 - 2 (XA)_{tt} + |h_t|^2)

    exactly. ``A`` has two rows, and they are orthogonalised to make H of two columns. An estimation day's ``v`` is
    the value for which ``v - |h|^2`` is its residual variance; for least squares it is 1, as it is on event days.

    Parameters
    ----------
    block : Block
    x : float array (N, L)
        The regressor.
    z : float array (N, n_est)
        The instrument: sums to 0, and 0 where not ok.
    weight : float array (N, n_est)
        Of the days in the means; 0 where not ok.
    """
    n_est, ok = block.n_est, block.ok
    r, x = np.where(ok, block.r, 0.0), np.where(ok, x, 0.0)
    u = weight / np.maximum(weight.sum(axis=1), np.finfo(float).tiny)[:, None]
    mean_r, mean_x = _dot(u, r[:, :n_est]), _dot(u, x[:, :n_est])
    e, d = np.where(ok, r - mean_r[:, None], 0.0), np.where(ok, x - mean_x[:, None], 0.0)
    along = _dot(z, d[:, :n_est])
    singular = np.abs(along) <= SINGULAR * np.sqrt(_dot(z, z) * _dot(d[:, :n_est], d[:, :n_est]))
    g = np.where(singular[:, None], 0.0, z / np.where(singular, 1.0, along)[:, None])
    beta = np.zeros(len(r))
    for _ in range(2):  # the second pass takes out what rounding left of the first
        step = _dot(g, e[:, :n_est])
        beta += step
        e = e - step[:, None] * d
    length = np.sqrt(np.maximum(_dot(u, u), np.finfo(float).tiny))
    shared = _dot(u, g) / length
    apart = g - u * (shared / length)[:, None]
    h = np.empty((*r.shape, 2))
    h[..., 0] = np.where(ok, length[:, None] + shared[:, None] * d, 0.0)
    h[..., 1] = np.sqrt(_dot(apart, apart))[:, None] * d
    leverage = h[:, :n_est, 0] ** 2 + h[:, :n_est, 1] ** 2
    own = u + g * d[:, :n_est]  # the diagonal of XA
    v = np.ones(r.shape)
    v[:, :n_est] += 2.0 * (leverage - own)
    return Line(np.stack([mean_r - beta * mean_x, beta], axis=1), e, h, v, singular)


def assess(
    block: Block, ok: Bools, fitted: Line, weight: Floats, divisor: Floats, dof: Floats, too_few: Bools
) -> Abnormal:
    """Give the abnormal returns of lines, with ``sigma**2`` the weighted sum of squared residuals over a divisor.

    Parameters
    ----------
    block : Block
    ok : bool array (N, L)
    fitted : Line
    weight : float array (N, n_est)
        Of the squared residuals; 0 where not ok.
    divisor, dof : float array (N,)
        Degrees of freedom are 1 at least.
    too_few : bool array (N,)
        Events without enough estimation days.
    """
    n_est = block.n_est
    y, e = np.where(ok[:, :n_est], block.r[:, :n_est], 0.0), np.where(ok[:, :n_est], fitted.e[:, :n_est], 0.0)
    status = np.full(len(y), Status.OK, dtype=np.int64)
    status[np.sqrt(_dot(e, e)) <= SINGULAR * np.sqrt(_dot(y, y))] = Status.NO_VARIATION
    status[fitted.singular] = Status.SINGULAR
    status[too_few] = Status.TOO_FEW_ESTIMATION
    known = (status == Status.OK) & (divisor > 0)
    left = _dot(weight, e**2)
    sigma = np.sqrt(np.divide(left, divisor, out=np.full(len(y), np.nan), where=known))
    solved = ~fitted.singular & ~too_few
    coef = np.where(solved[:, None], fitted.coef, np.nan)
    total = deviations(y[..., None], weight)
    varied = known & ~total.constant[:, 0]
    r2 = 1.0 - np.divide(left, total.squares[:, 0], out=np.full(len(y), np.nan), where=varied)
    ar, h = np.where(ok, fitted.e, 0.0), np.where(ok[..., None], fitted.h, 0.0)
    return Abnormal(block, ar, ok, sigma, dof, h, coef, r2, status, fitted.v)


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("nl,nl->n", left, right))
