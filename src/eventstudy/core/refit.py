"""Market models estimated event by event, by other methods than least squares.

A model estimates a line from an event's valid estimation days. This module turns the estimate into residuals, abnormal
returns, sigma and the forecast factor. An event without an estimate gets a status and does not affect the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Floats, Ints, Status


class LineEstimate(NamedTuple):
    """The estimate for one event: ``coef`` (P,), alpha and beta first, and ``root`` (2, 2) with root root' their cov.

    Where the regressor hardly varies, their covariance matrix itself is singular to the last digit, and has no root.
    ``variance`` (L,) is the variance of each day, for a model with a variance path.
    """

    coef: Floats
    root: Floats
    variance: Floats | None = None


class StandardisedDays(NamedTuple):
    """An event's estimation days with residuals and regressor of mean 0 and variance 1, as optimisers need them.

    ``u`` (M,) are least-squares residuals divided by ``scale``, ``z`` (M,) is the regressor, and ``start`` (2,) the
    least-squares line. A line (2,) of u on z is ``start + scale * transform @ line`` in the units of the returns. The
    estimates therefore do not depend on units, nor on the least-squares line that was subtracted.
    """

    u: Floats
    z: Floats
    scale: float
    start: Floats
    transform: Floats

    def to_returns(self, line: Floats, root: Floats) -> tuple[Floats, Floats]:
        """Return a line, and the root of its covariance matrix, in the units of the returns."""
        transform = self.scale * self.transform
        return self.start + transform @ line, transform @ root


def standardise_days(r: Floats, x: Floats) -> StandardisedDays:
    """Subtract the least-squares line from returns (M,) on a regressor (M,), and scale both to variance 1."""
    mean, deviation = x.mean(), x.std()
    z = (x - mean) / deviation
    slope, level = (r - r.mean()) @ z / len(z), r.mean()
    e = r - level - slope * z
    scale = float(e.std())
    transform = np.array([[1.0, -mean / deviation], [0.0, 1.0 / deviation]])
    return StandardisedDays(e / scale, z, scale, transform @ np.array([level, slope]), transform)


def fit_by_event(
    block: Block, n_coef: int, estimate: Callable[[Floats, Floats, Ints], LineEstimate | None], path: bool = False
) -> Abnormal:
    r"""Estimate a line on the block's first regressor for each event.

    .. math:: AR_{it} = r_{it} - a_i - b_i x_{it}, \quad s_i^2 = \sum_E AR_{it}^2 / (M_i - 2), \quad
              H = X\, \mathrm{Cov}(a_i, b_i)^{1/2} / s_i

    Parameters
    ----------
    block : Block
    n_coef : int
        P, the number of all estimated parameters. An event needs more valid days than that.
    estimate : callable (r, x, at) -> LineEstimate or None
        Estimates from the valid estimation days (M,) and their columns ``at`` (M,). It returns None if there is no
        estimate; the event's status is then NOT_CONVERGED.
    path : bool
        Whether the estimates have a variance path, which is then returned in ``v``.
    """
    ols = least_squares(block, [1.0, block.x[..., 0]])
    n_est, ok = block.n_est, block.ok
    r, x = np.where(ok, block.r, 0.0), np.where(ok, block.x[..., 0], 0.0)
    status, nan = ols.status.copy(), np.full(len(r), np.nan)
    status[(status == Status.OK) & (ok[:, :n_est].sum(axis=1) <= n_coef)] = Status.TOO_FEW_ESTIMATION
    ar, h, v = ols.ar.copy(), ols.h.copy(), np.ones(r.shape)
    sigma, r2, coef = nan.copy(), nan.copy(), np.full((len(r), n_coef), np.nan)
    for i in np.flatnonzero(status == Status.OK):
        at = np.flatnonzero(ok[i, :n_est])
        line = estimate(r[i, at], x[i, at], at)
        if line is None:
            status[i] = Status.NOT_CONVERGED
            continue
        coef[i] = line.coef
        ar[i] = np.where(ok[i], r[i] - line.coef[0] - line.coef[1] * x[i], 0.0)
        squares = (ar[i, at] ** 2).sum()
        sigma[i] = np.sqrt(squares / ols.dof[i])
        r2[i] = 1.0 - squares / ((r[i, at] - r[i, at].mean()) ** 2).sum()
        h[i] = np.column_stack([ok[i], x[i]]) @ line.root / sigma[i]
        if line.variance is not None:
            v[i] = line.variance / sigma[i] ** 2
    return Abnormal(block, ar, ok, sigma, ols.dof, h, coef, r2, status, v if path else None)
