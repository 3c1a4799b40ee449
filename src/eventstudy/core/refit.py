"""Lines on one regressor that are not least squares, estimated event by event.

A model gives its own estimate of a line from an event's valid estimation days; here it becomes residuals, abnormal
returns, sigma and the forecast factor, and an event without an estimate gets a status and touches no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Floats, Ints, Status


class Line(NamedTuple):
    """An estimate of one event: ``coef`` (P,), intercept and slope first; ``cov`` (2, 2) of these two.

    ``variance`` (L,) is that of each day, for a model with a variance path.
    """

    coef: Floats
    cov: Floats
    variance: Floats | None = None


class Standard(NamedTuple):
    """An event's days with residuals and regressor of mean 0 and variance 1, in the units that optimisers like.

    ``u`` (M,) are least-squares residuals over ``scale``, ``z`` (M,) the regressor, ``start`` (2,) the least-squares
    line; a line (2,) of u on z is ``start + scale * turn @ line`` in the units of the returns. So no estimate depends
    on units, nor on what least squares takes out.
    """

    u: Floats
    z: Floats
    scale: float
    start: Floats
    turn: Floats

    def line(self, line: Floats, cov: Floats) -> tuple[Floats, Floats]:
        """Give a line and its covariance matrix in the units of the returns."""
        turn = self.scale * self.turn
        return self.start + turn @ line, turn @ cov @ turn.T


def standard(r: Floats, x: Floats) -> Standard:
    """Take the least-squares line out of returns (M,) on a regressor (M,), and scale both to variance 1."""
    mean, deviation = x.mean(), x.std()
    z = (x - mean) / deviation
    slope, level = (r - r.mean()) @ z / len(z), r.mean()
    e = r - level - slope * z
    scale = float(e.std())
    turn = np.array([[1.0, -mean / deviation], [0.0, 1.0 / deviation]])
    return Standard(e / scale, z, scale, turn @ np.array([level, slope]), turn)


def refit(
    block: Block, n_coef: int, estimate: Callable[[Floats, Floats, Ints], Line | None], path: bool = False
) -> Abnormal:
    r"""Estimate a line on the block's first regressor for each event.

    .. math:: AR_{it} = r_{it} - a_i - b_i x_{it}, \quad s_i^2 = \sum_E AR_{it}^2 / (M_i - 2), \quad
              H = X\, \mathrm{chol}(\mathrm{Cov}(a_i, b_i)) / s_i

    Parameters
    ----------
    block : Block
    n_coef : int
        P, of all estimated parameters. An event needs more valid days than that.
    estimate : callable (r, x, at) -> Line or None
        From the valid estimation days (M,) and their columns ``at`` (M,); None where there is no estimate, and then
        the event's status is NOT_CONVERGED.
    path : bool
        Whether the line has a variance path, which then stands in ``v``.
    """
    made = least_squares(block, [1.0, block.x[..., 0]])
    n_est, ok = block.n_est, block.ok
    r, x = np.where(ok, block.r, 0.0), np.where(ok, block.x[..., 0], 0.0)
    status, lost = made.status.copy(), np.full(len(r), np.nan)
    status[(status == Status.OK) & (ok[:, :n_est].sum(axis=1) <= n_coef)] = Status.TOO_FEW_ESTIMATION
    ar, h, v = made.ar.copy(), made.h.copy(), np.ones(r.shape)
    sigma, r2, coef = lost.copy(), lost.copy(), np.full((len(r), n_coef), np.nan)
    for i in np.flatnonzero(status == Status.OK):
        at = np.flatnonzero(ok[i, :n_est])
        line = estimate(r[i, at], x[i, at], at)
        if line is None:
            status[i] = Status.NOT_CONVERGED
            continue
        coef[i] = line.coef
        ar[i] = np.where(ok[i], r[i] - line.coef[0] - line.coef[1] * x[i], 0.0)
        squares = (ar[i, at] ** 2).sum()
        sigma[i] = np.sqrt(squares / made.dof[i])
        r2[i] = 1.0 - squares / ((r[i, at] - r[i, at].mean()) ** 2).sum()
        h[i] = np.column_stack([ok[i], x[i]]) @ np.linalg.cholesky(line.cov) / sigma[i]
        if line.variance is not None:
            v[i] = line.variance / sigma[i] ** 2
    return Abnormal(block, ar, ok, sigma, made.dof, h, coef, r2, status, v if path else None)
