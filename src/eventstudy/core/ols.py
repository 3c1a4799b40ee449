"""Least squares for the events of a block at once, each event with its own missing days.

The regressors are orthogonalised over the estimation prefix by Gram-Schmidt, with a second pass where digits would be
lost, and the event suffix is transformed along with it. Coefficients, residuals, abnormal returns, leverages and the
forecast factor ``h`` all come from the same orthogonal columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.types import Abnormal, Block, Bools, Floats, Status

SINGULAR = 1e-12  # share of a column's norm that is left after projecting out the columns before it
CANCELLED = 0.5  # below this share of the norm a second pass restores orthogonality (Kahan: twice is enough)


def least_squares(block: Block, design: Sequence[Floats | float]) -> Abnormal:
    r"""Regress the estimation prefix on a design and predict the event suffix.

    .. math:: r_{it} = x_{it}' b_i + e_{it}, \quad s_i^2 = \sum_E e_{it}^2 / (M_i - P), \quad H = X U^{-1}

    where ``X = QU`` is the QR decomposition of the valid estimation rows, with U upper triangular. The method is
    modified Gram-Schmidt with reorthogonalisation (Björck 1967, BIT 7:1), as accurate as Householder's QR.

    Parameters
    ----------
    block : Block
    design : sequence of P float arrays (N, L) or numbers
        The regressors; 1.0 is an intercept. P may be 0.

    Returns
    -------
    Abnormal
        ``status`` marks an event whose design is singular, whose residuals vanish, or with ``M <= P``; its ``sigma``,
        ``coef`` and ``r2`` are NaN. Values of cells that are not ok are ignored.
    """
    n_par, n_est = len(design), block.n_est
    columns = np.empty((n_par + 2, *block.r.shape))  # the regressors, the return, and a work array
    basis, e = _Basis(columns[:n_par], np.zeros(n_par), columns[-1], n_est), columns[n_par]
    upper, singular = basis.orthogonalise(block, design)
    r = block.zero_missing(block.r)
    norm = _norm(r[:, :n_est])
    qty, residual_norm = basis.project_out(r, n_par, norm, out=e)
    n_valid = block.n_valid
    dof = (n_valid - n_par).astype(np.float64)
    status = np.full(len(e), Status.OK, dtype=np.int64)
    status[(residual_norm <= SINGULAR * norm)] = Status.NO_VARIATION
    status[singular] = Status.SINGULAR
    status[dof < 1] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    sigma = np.sqrt(np.divide(residual_norm**2, dof, out=np.full(len(e), np.nan), where=known))
    solvable = ~singular & (dof >= 0)
    coef = np.full((len(e), n_par), np.nan)
    coef[solvable] = _back_substitute(upper[solvable], qty[solvable])
    r2 = np.full(len(e), np.nan)  # NaN without estimated parameters
    if n_par:
        intercept = isinstance(design[0], float)  # then the other columns and the residual are orthogonal to the mean
        total = residual_norm**2 + (qty[:, 1:] ** 2).sum(axis=1) if intercept else _centred_squares(block)
        r2 = 1.0 - np.divide(residual_norm**2, total, out=r2, where=known & (total > 0))
    return Abnormal(block, e, block.ok, sigma, dof, np.moveaxis(basis.q, 0, -1), coef, r2, status)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.vecdot(a, b))


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(_dot(rows, rows)))


class _Basis(NamedTuple):
    """Columns ``q`` (P, N, L) that are orthonormal over the estimation days.

    ``level`` (P,) is the value of a column that is the same in every cell, else 0: such a column need not be read.
    ``work`` (N, L) is scratch space.
    """

    q: Floats
    level: Floats
    work: Floats
    n_est: int

    def orthogonalise(self, block: Block, design: Sequence[Floats | float]) -> tuple[Floats, Bools]:
        """Fill the columns with H; return U (N, P, P), and which events are singular (N,)."""
        n_par, n_events, _ = self.q.shape
        upper = np.zeros((n_events, n_par, n_par))
        singular = np.zeros(n_events, dtype=bool)
        for j, (column, values) in enumerate(zip(self.q, design, strict=True)):
            if j == 0 and block.complete and isinstance(values, float) and values:
                norm = abs(values) * np.sqrt(self.n_est)
                upper[:, j, j] = norm
                self.level[j] = column[:] = values / norm
                continue
            x = np.broadcast_to(block.zero_missing(values), column.shape)
            norm = _norm(x[:, : self.n_est])
            upper[:, :j, j], remaining = self.project_out(x, j, norm, out=column)
            dependent = remaining <= SINGULAR * norm
            singular |= dependent
            remaining = np.where(dependent, 1.0, remaining)
            column /= remaining[:, None]
            upper[:, j, j] = remaining
        return upper, singular

    def project_out(self, y: Floats, n: int, norm: Floats, out: Floats) -> tuple[Floats, Floats]:
        """Write ``y`` (N, L) less the first n columns to ``out``; return their weights (N, n) and the remaining norm.

        ``norm`` (N,) is the norm of ``y`` over the estimation days.
        """
        if not n:
            out[:] = y
        weights, remaining = np.zeros((len(y), n)), norm
        for _ in range(2 if n else 0):
            for j in range(n):
                if self.level[j]:
                    weight = y[:, : self.n_est].sum(axis=1) * self.level[j]
                    np.subtract(y, (weight * self.level[j])[:, None], out=out)
                else:
                    weight = _dot(self.q[j, :, : self.n_est], y[:, : self.n_est])
                    np.multiply(self.q[j], weight[:, None], out=self.work)
                    np.subtract(y, self.work, out=out)
                y = out
                weights[:, j] += weight
            remaining = _norm(y[:, : self.n_est])
            if (remaining >= CANCELLED * norm).all():
                break
        return weights, remaining


def _centred_squares(block: Block) -> Floats:
    """Sum the squared deviations of the estimation returns from their mean, (N,)."""
    r = block.zero_missing(block.r)[:, : block.n_est]
    centred = r - (r.sum(axis=1) / np.maximum(block.n_valid, 1))[:, None]
    centred *= block.ok[:, : block.n_est]
    return _dot(centred, centred)


def _back_substitute(upper: Floats, qty: Floats) -> Floats:
    """Solve U b = Q'y for each event, (N, P)."""
    b = np.zeros_like(qty)
    for j in range(qty.shape[1] - 1, -1, -1):
        known = np.einsum("nk,nk->n", upper[:, j, j + 1 :], b[:, j + 1 :])
        b[:, j] = (qty[:, j] - known) / upper[:, j, j]
    return b
