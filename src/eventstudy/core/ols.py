"""Least squares for some hundred events at once, each with its own missing days.

One Gram-Schmidt pass over the regressors, repeated where digits would be lost, orthogonalises the estimation
prefix and carries the event suffix along, so that coefficients, residuals, abnormal returns, leverages and the
forecast factor ``h`` come out of the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventstudy.types import Abnormal, Block, Floats, Ints, Status

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
    ok = block.ok
    y = np.where(ok, block.r, 0.0)
    x = np.empty((n_par, *y.shape))
    for column, regressor in zip(x, design, strict=True):
        column[:] = np.where(ok, regressor, 0.0)
    q, triangle, singular = _orthogonalise(x, n_est)
    length = _norm(y[:, :n_est])
    e, qty = _project(q, y, n_est, length)
    left = _norm(e[:, :n_est])
    n_valid = ok[:, :n_est].sum(axis=1)
    dof = (n_valid - n_par).astype(np.float64)
    status = np.full(len(y), Status.OK, dtype=np.int64)
    status[(left <= SINGULAR * length)] = Status.NO_VARIATION
    status[singular] = Status.SINGULAR
    status[dof < 1] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    sigma = np.sqrt(np.divide(left**2, dof, out=np.full(len(y), np.nan), where=known))
    solvable = ~singular & (dof >= 0)
    coef = np.full((len(y), n_par), np.nan)
    coef[solvable] = _back_substitute(triangle[solvable], qty[solvable])
    r2 = _r2(y[:, :n_est], ok[:, :n_est], left, known, n_par)
    return Abnormal(block, e, ok, sigma, dof, np.moveaxis(q, 0, -1), coef, r2, status)


def _norm(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("nl,nl->n", rows, rows)))


def _orthogonalise(x: Floats, n_est: int) -> tuple[Floats, Floats, np.ndarray]:
    """Turn the columns of ``x`` (P, N, L) in place into X R^-1; give them, R (N, P, P), and which are singular."""
    n_par, n_events, _ = x.shape
    triangle = np.zeros((n_events, n_par, n_par))
    singular = np.zeros(n_events, dtype=bool)
    for j in range(n_par):
        before = _norm(x[j, :, :n_est])
        x[j], triangle[:, :j, j] = _project(x[:j], x[j], n_est, before)
        after = _norm(x[j, :, :n_est])
        lost = after <= SINGULAR * before
        singular |= lost
        after = np.where(lost, 1.0, after)
        x[j] /= after[:, None]
        triangle[:, j, j] = after
    return x, triangle, singular


def _project(q: Floats, y: Floats, n_est: int, before: Floats) -> tuple[Floats, Floats]:
    """Take the columns ``q`` (P, N, L) out of ``y`` (N, L) by their estimation prefix; give the rest and weights."""
    weights = np.zeros((len(y), len(q)))
    rest = y
    for _ in range(2 if len(q) else 0):
        for j, column in enumerate(q):
            weight = np.einsum("nl,nl->n", column[:, :n_est], rest[:, :n_est])
            weights[:, j] += weight
            rest = rest - weight[:, None] * column
        if (_norm(rest[:, :n_est]) >= CANCELLED * before).all():
            break
    return rest, weights


def _back_substitute(triangle: Floats, qty: Floats) -> Floats:
    """Solve R b = Q'y for each event, (N, P)."""
    b = np.zeros_like(qty)
    for j in range(qty.shape[1] - 1, -1, -1):
        known = np.einsum("nk,nk->n", triangle[:, j, j + 1 :], b[:, j + 1 :])
        b[:, j] = (qty[:, j] - known) / triangle[:, j, j]
    return b


def _r2(y: Floats, ok: np.ndarray, left: Floats, known: np.ndarray, n_par: int) -> Floats:
    """Give 1 - SSR/SST about the mean; NaN without estimated parameters, for then nothing is explained."""
    if n_par == 0:
        return np.full(len(y), np.nan)
    n_valid: Ints = ok.sum(axis=1)
    mean = y.sum(axis=1) / np.maximum(n_valid, 1)
    total = _norm((y - mean[:, None]) * ok) ** 2
    share = np.divide(left**2, total, out=np.full(len(y), np.nan), where=known & (total > 0))
    return np.asarray(1.0 - share)
