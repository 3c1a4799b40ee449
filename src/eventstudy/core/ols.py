"""Least squares for some hundred events at once, each with its own missing days.

One Gram-Schmidt pass over the regressors, repeated where digits would be lost, orthogonalises the estimation
prefix and carries the event suffix along, so that coefficients, residuals, abnormal returns, leverages and the
forecast factor ``h`` come out of the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.types import Abnormal, Block, Floats, Status

SINGULAR = 1e-12  # share of a column's length that is left after the columns before it are taken out
CANCELLED = 0.5  # below this share of length, orthogonality is restored by a second pass (Kahan: twice is enough)


def least_squares(block: Block, design: Sequence[Floats | float]) -> Abnormal:
    r"""Regress the estimation prefix on a design and predict the event suffix.

    .. math:: r_{it} = x_{it}' b_i + e_{it}, \quad s_i^2 = \sum_E e_{it}^2 / (M_i - P), \quad H = X R^{-1}

    with ``QR`` the decomposition of the valid estimation rows. Orthogonalisation is modified Gram-Schmidt with
    reorthogonalisation (Björck 1967, BIT 7:1), as accurate as Householder's QR.

    Parameters
    ----------
    block : Block
    design : sequence of P float arrays (N, L) or numbers
        The regressors; 1.0 is an intercept. P may be 0.

    Returns
    -------
    Abnormal
        An event whose design is singular, whose residuals vanish, or with ``M <= P`` has that ``status``, and NaN
        in ``sigma``, ``coef`` and ``r2``. Cells not ok count for nothing, whatever they hold.
    """
    n_par, n_est = len(design), block.n_est
    columns = np.empty((n_par + 2, *block.r.shape))  # the regressors, then the return, and room to work in
    for column, values in zip(columns, [*design, block.r], strict=False):
        column[:] = block.known(values)
    space = _Space(columns[:n_par], np.zeros(n_par), columns[-1], n_est)
    level = [block.whole and isinstance(values, float) for values in design]
    triangle, singular = space.orthogonalise(level)
    e = columns[n_par]
    length = _norm(e[:, :n_est])
    qty, left = space.project(e, n_par, length)
    n_valid = block.n_valid
    dof = (n_valid - n_par).astype(np.float64)
    status = np.full(len(e), Status.OK, dtype=np.int64)
    status[(left <= SINGULAR * length)] = Status.NO_VARIATION
    status[singular] = Status.SINGULAR
    status[dof < 1] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    sigma = np.sqrt(np.divide(left**2, dof, out=np.full(len(e), np.nan), where=known))
    solvable = ~singular & (dof >= 0)
    coef = np.full((len(e), n_par), np.nan)
    coef[solvable] = _back_substitute(triangle[solvable], qty[solvable])
    r2 = np.full(len(e), np.nan)  # without estimated parameters nothing is explained
    if n_par:
        intercept = isinstance(design[0], float)  # then the other columns and the rest are orthogonal to the mean
        total = left**2 + (qty[:, 1:] ** 2).sum(axis=1) if intercept else _about_mean(block)
        r2 = 1.0 - np.divide(left**2, total, out=r2, where=known & (total > 0))
    return Abnormal(block, e, block.ok, sigma, dof, np.moveaxis(space.q, 0, -1), coef, r2, status)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.vecdot(a, b))


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(_dot(rows, rows)))


class _Space(NamedTuple):
    """Columns ``q`` (P, N, L) that are made orthonormal over the estimation days.

    ``level`` (P,) is the value of a column that is the same everywhere, else 0: such a column need not be read.
    """

    q: Floats
    level: Floats
    room: Floats
    n_est: int

    def orthogonalise(self, flat: Sequence[bool]) -> tuple[Floats, np.ndarray]:
        """Turn the columns in place into X R^-1; give R (N, P, P), and which events are singular."""
        n_par, n_events, _ = self.q.shape
        triangle = np.zeros((n_events, n_par, n_par))
        singular = np.zeros(n_events, dtype=bool)
        for j, column in enumerate(self.q):
            before = _norm(column[:, : self.n_est])
            triangle[:, :j, j], after = self.project(column, j, before)
            lost = after <= SINGULAR * before
            singular |= lost
            after = np.where(lost, 1.0, after)
            column /= after[:, None]
            triangle[:, j, j] = after
            self.level[j] = column[0, 0] if flat[j] and j == 0 and len(column) else 0.0
        return triangle, singular

    def project(self, y: Floats, n: int, before: Floats) -> tuple[Floats, Floats]:
        """Take the first n columns out of ``y`` (N, L), in place; give their weights (N, n) and the length left."""
        weights, left = np.zeros((len(y), n)), before
        for _ in range(2 if n else 0):
            for j in range(n):
                if self.level[j]:
                    weight = y[:, : self.n_est].sum(axis=1) * self.level[j]
                    y -= (weight * self.level[j])[:, None]
                else:
                    weight = _dot(self.q[j, :, : self.n_est], y[:, : self.n_est])
                    np.multiply(self.q[j], weight[:, None], out=self.room)
                    y -= self.room
                weights[:, j] += weight
            left = _norm(y[:, : self.n_est])
            if (left >= CANCELLED * before).all():
                break
        return weights, left


def _about_mean(block: Block) -> Floats:
    """Sum the squares of the estimation days about their mean, (N,)."""
    before = block.known(block.r)[:, : block.n_est]
    about = before - (before.sum(axis=1) / np.maximum(block.n_valid, 1))[:, None]
    about *= block.ok[:, : block.n_est]
    return _dot(about, about)


def _back_substitute(triangle: Floats, qty: Floats) -> Floats:
    """Solve R b = Q'y for each event, (N, P)."""
    b = np.zeros_like(qty)
    for j in range(qty.shape[1] - 1, -1, -1):
        known = np.einsum("nk,nk->n", triangle[:, j, j + 1 :], b[:, j + 1 :])
        b[:, j] = (qty[:, j] - known) / triangle[:, j, j]
    return b
