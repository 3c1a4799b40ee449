"""Slopes of CARs on characteristics across events: their variance by clusters, and from the days before the event."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy.core.nulls import divide
from eventstudy.core.scores import min_valid_days, window_lengths
from eventstudy.core.sums import Gathered
from eventstudy.types import Abnormal, Bools, Floats, Ints, Scores, Spec, State

SINGULAR = 1e-10  # 1 less the share of a coefficient that a cluster determines: below this it determines it alone
ROUNDING = 1e-9  # of the variance of a sum of residuals that can only be zero, in variances of a day
PRESENT = 0.8  # share of the events that must have a value on a day of comparison
LEAST_UNIQUE = 0.05  # least share of an event's variance that is its own


class Working(NamedTuple):
    """The covariance by which observations are weighted: standard deviations (N,), and correlations (N, N) or None.

    It affects efficiency only: the variance of the slopes is estimated without assuming it.
    """

    sd: Floats
    correlation: Floats | None = None

    def whiten(self, values: Floats, rows: Bools | slice = slice(None)) -> Floats:
        """Divide values (n, ...) of the events in ``rows`` by the Cholesky factor of their covariance."""
        from scipy.linalg import solve_triangular

        scaled = values / self.sd[rows].reshape(-1, *[1] * (values.ndim - 1))
        if self.correlation is None:
            return np.asarray(scaled)
        factor = np.linalg.cholesky(self.correlation[rows][:, rows])
        return np.asarray(solve_triangular(factor, scaled, lower=True))

    @property
    def covariance(self) -> Floats:
        """The covariance (N, N)."""
        correlation = np.eye(len(self.sd)) if self.correlation is None else self.correlation
        return self.sd[:, None] * correlation * self.sd


class Estimate(NamedTuple):
    """Least squares on whitened observations: coefficients, residuals, and s, with divisor n - k."""

    b: Floats
    e: Floats
    s: float


def run_cars(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Accumulate every run of estimation days that is as long as the event's first window, as its CAR is accumulated.

    Returns
    -------
    State
        ``id`` (N,); ``first`` (N,) the column of the first day of the event's window, counted in the event window;
        ``car`` (N, n_est) by the first day of the run, NaN where it has too few valid days or passes the end.
    """
    inside = np.broadcast_to(scores.weights[0] > 0, (len(abnormal.ar), spec.n_evt))
    if abnormal.block.in_own_window is not None:
        inside = inside & abnormal.block.in_own_window
    return {
        "id": Gathered((abnormal.block.id,)),
        "first": Gathered((inside.argmax(axis=1),)),
        "car": Gathered((_cars(scores, abnormal, spec),)),
    }


def run_scars(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    r"""Standardise every run of :func:`run_cars` by the variance of the sum of its residuals, which are in sample.

    .. math:: SCAR = CAR / (s_i \sqrt{\mathrm{var}})

    with :func:`variance_of_runs`; NaN where the residuals of a run can only add to zero.

    Returns
    -------
    State
        ``scar`` (N, n_est), as ``car`` of :func:`run_cars`.
    """
    variance = _of_runs(scores, abnormal, lambda rows, length: variance_of_runs(abnormal, length)[rows])
    deviation = abnormal.sigma[:, None] * np.sqrt(variance)
    return {"scar": Gathered((divide(_cars(scores, abnormal, spec), deviation),))}


def variance_of_runs(abnormal: Abnormal, length: int) -> Floats:
    r"""Return the variance of the sum of each run of estimation residuals, in units of :math:`s_i^2`, (N, runs).

    .. math:: \mathrm{var} = L - |\textstyle\sum_t h_{it}|^2

    over the L valid days of the run. The h of a model with a variance path tells the variance of a residual, and not
    what two of them share: there the variances of the residuals are added up, :math:`\sum_t (v_{it} - |h_{it}|^2)`. It
    is NaN where the residuals can only add to zero.
    """
    ok = abnormal.ok[:, : abnormal.n_est].astype(np.float64)
    h = abnormal.h[:, : abnormal.n_est] * ok[..., None]
    if abnormal.v is None:
        shared = (sliding_window_view(h, length, axis=1).sum(axis=-1) ** 2).sum(axis=-1)
        left = _sums(ok, length) - shared
    else:
        left = _sums(abnormal.v[:, : abnormal.n_est] * ok - (h * h).sum(axis=-1), length)
    return np.where(left > ROUNDING, left, np.nan)


def _cars(scores: Scores, abnormal: Abnormal, spec: Spec) -> Floats:
    """Accumulate every run of estimation days, (N, n_est); NaN where too few are valid."""

    def accumulated(rows: Ints, length: int) -> Floats:
        n_valid = _sums(abnormal.ok[rows, : spec.n_est], length)
        enough = n_valid >= np.maximum(min_valid_days(np.array(float(length)), spec.min_coverage), 1)
        return np.where(enough, _accumulate(abnormal, rows, length, spec.compound), np.nan)

    return _of_runs(scores, abnormal, accumulated)


def _of_runs(scores: Scores, abnormal: Abnormal, of: Callable[[Ints, int], Floats]) -> Floats:
    """Return a value of each run as long as the first window, by events of one length, (N, n_est); NaN past the end."""
    n, n_est = len(abnormal.ar), abnormal.n_est
    lengths = np.broadcast_to(window_lengths(abnormal, scores.weights[:1]), (n, 1))[:, 0].astype(np.int64)
    values = np.full((n, n_est), np.nan)
    for length in np.unique(lengths[(lengths > 0) & (lengths <= n_est)]):
        rows = np.flatnonzero(lengths == length)
        values[rows, : n_est + 1 - length] = of(rows, int(length))
    return values


def _sums(values: Floats | Bools, length: int) -> Floats:
    return np.asarray(sliding_window_view(values, length, axis=1).sum(axis=-1))


def _accumulate(abnormal: Abnormal, rows: Ints, length: int, compound: bool) -> Floats:
    """Sum or compound each run of estimation days of some events, (n, runs)."""
    e = abnormal.ar[rows, : abnormal.n_est]
    if not compound:
        return _sums(e, length)
    r = np.where(abnormal.ok[rows, : abnormal.n_est], abnormal.block.r[rows, : abnormal.n_est], 0.0)
    held, normal = (sliding_window_view(1.0 + values, length, axis=1).prod(axis=-1) for values in (r, r - e))
    total_loss = sliding_window_view(np.minimum(r, r - e) <= -1.0, length, axis=1).any(axis=-1)
    return np.where(total_loss, np.nan, held - normal)


def cr2(x: Floats, e: Floats, cluster: Ints) -> tuple[Floats, Floats]:
    r"""Estimate the covariance of least-squares coefficients with errors that depend within clusters, and its df.

    .. math:: V = (X'X)^{-1} \Big(\sum_g X_g' A_g e_g e_g' A_g X_g\Big) (X'X)^{-1}, \quad
              A_g = (I - X_g (X'X)^{-1} X_g')^{-1/2}

    A coefficient has the degrees of freedom of Satterthwaite's approximation, as if errors were independent and of
    equal variance: with p_g = (I - H)_g A_g X_g (X'X)^{-1} c and K = (p_g'p_h), they are tr(K)^2 / tr(K^2). Bell &
    McCaffrey (2002, Survey Methodology 28:169); Imbens & Kolesar (2016, Review of Economics and Statistics 98:701).

    Parameters
    ----------
    x, e : float arrays (N, k), (N,)
        Design and residuals of least squares.
    cluster : int array (N,)
        Numbers from 0.

    Returns
    -------
    cov : float array (k, k)
    df : float array (k,)
        NaN for a coefficient that rests on one cluster alone, whose residuals say nothing about it.

    Examples
    --------
    >>> z = np.array([1.0, 2.0, 4.0, 3.0, 6.0])
    >>> cov, df = cr2(np.ones((5, 1)), z - z.mean(), np.array([0, 0, 1, 1, 2]))
    >>> round(float(cov[0, 0]), 4), round(float(df[0]), 4)
    (1.1867, 1.8)
    """
    q, r = np.linalg.qr(x)
    root = np.linalg.inv(r)  # b = root q'y; row j weights the columns of q for coefficient j
    n_clusters, k = int(cluster.max()) + 1, x.shape[1]
    shares, scores = np.zeros((n_clusters, k, k)), np.zeros((n_clusters, k))
    np.add.at(shares, cluster, q[:, :, None] * q[:, None, :])
    np.add.at(scores, cluster, q * e[:, None])
    # In the basis q, X_g'A_g e_g is (I - C_g)^-1/2 q_g'e_g with C_g = q_g'q_g: only k by k matrices are needed.
    share, vectors = np.linalg.eigh(shares)
    alone = share > 1.0 - SINGULAR
    inverse = np.where(alone, 0.0, 1.0 / np.where(alone, 1.0, 1.0 - share))
    turned = np.einsum("gab,ga->gb", vectors, scores) * np.sqrt(inverse)
    adjusted = np.einsum("gab,gb->ga", vectors, turned) @ root.T
    weights = np.einsum("gab,ja->jgb", vectors, root) ** 2  # of each direction of a cluster, for each coefficient
    size = (root**2).sum(axis=1)
    d = (weights * (share * inverse)).sum(axis=2)
    df = np.full(k, np.nan)
    for j in np.flatnonzero(~((weights * alone).sum(axis=(1, 2)) > SINGULAR * size)):
        z = np.einsum("gab,gb,gcb,c->ga", vectors, share * np.sqrt(inverse), vectors, root[j])
        squares = (d[j] ** 2).sum() - 2.0 * (d[j] * (z**2).sum(axis=1)).sum() + ((z.T @ z) ** 2).sum()
        df[j] = size[j] ** 2 / squares if squares > 0 else np.nan
    return adjusted.T @ adjusted, df


def column_sizes(x: Floats) -> Floats:
    """Return the root mean square of each column (N, k) of a design, (k,); 1 for a column of zeros.

    Divided by it, columns in units as far apart as a constant and the value of a firm in yen keep their digits.
    """
    size = np.sqrt((x**2).mean(axis=0))
    return np.where(size > 0, size, 1.0)


def independent(x: Floats) -> bool:
    """Return whether no column of a design (N, k) is a combination of the others, whatever their units."""
    return bool(np.linalg.matrix_rank(x / column_sizes(x)) == x.shape[1])


def estimate(x: Floats, y: Floats, working: Working, rows: Bools | slice = slice(None)) -> Estimate | None:
    """Estimate coefficients on whitened observations; None if they are not identified, or no residual is left."""
    design, outcome = working.whiten(x[rows], rows), working.whiten(y[rows], rows)
    n, k = design.shape
    if n <= k:
        return None
    solution, _, rank, _ = np.linalg.lstsq(design, outcome, rcond=None)
    b = np.asarray(solution, dtype=np.float64)
    e = outcome - design @ b
    return Estimate(b, e, float(np.sqrt(e @ e / (n - k)))) if rank == k else None


def standardised(x: Floats, days: Floats, working: Working) -> Floats:
    """Regress each column of days (N, T) on x (N, k), and divide its coefficients by s of that regression, (k, T).

    A column is NaN if fewer than 80 % of the events have a value, or those with one do not identify the coefficients.
    """
    out = np.full((x.shape[1], days.shape[1]), np.nan)
    known = np.isfinite(days)
    complete = known.all(axis=0)
    if complete.any():
        design, y = working.whiten(x), working.whiten(days[:, complete])
        b = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], dtype=np.float64)
        out[:, complete] = divide(b, np.sqrt(((y - design @ b) ** 2).sum(axis=0) / (len(x) - x.shape[1])))
    for t in np.flatnonzero(~complete & (known.mean(axis=0) >= PRESENT)):
        estimated = estimate(x, days[:, t], working, known[:, t])
        if estimated is not None and estimated.s > 0:
            out[:, t] = estimated.b / estimated.s
    return out


def degrees_of_runs(n: int, length: int) -> float:
    """Return the degrees of freedom of the variance of n runs of ``length`` days, each a day later than the last.

    Examples
    --------
    >>> degrees_of_runs(120, 1), round(degrees_of_runs(110, 11), 1)
    (119.0, 15.3)
    """
    if length == 1:
        return n - 1.0
    lag = np.arange(1, min(length, n))
    return float(n**2 / (n + 2.0 * ((n - lag) * (1.0 - lag / length) ** 2).sum()))


def factor_correlation(days: Floats, block: Ints) -> Floats:
    """Estimate the correlation of events from their residuals (N, T) by principal components, within blocks (N,).

    The components of a block are those whose eigenvalues exceed the largest of independent events, (1 + (n/T)^1/2)^2
    (Marchenko & Pastur 1967); what they leave is each event's own. Events of different blocks are not correlated.
    """
    rms = np.sqrt(np.nanmean(np.where(np.isfinite(days), days, np.nan) ** 2, axis=1, keepdims=True))
    z = np.nan_to_num(days / np.where(rms > 0, rms, 1.0))
    correlation = np.eye(len(days))
    for label in np.unique(block):
        rows = np.flatnonzero(block == label)
        n, n_days = len(rows), z.shape[1]
        vectors, sizes, _ = np.linalg.svd(z[rows] / np.sqrt(n_days), full_matrices=False)
        factors = sizes**2 > (1.0 + np.sqrt(n / n_days)) ** 2
        loadings = vectors[:, factors] * sizes[factors]
        common = loadings @ loadings.T
        own = np.maximum(1.0 - np.diag(common), LEAST_UNIQUE)
        scale = np.sqrt(np.diag(common) + own)
        correlation[np.ix_(rows, rows)] = (common + np.diag(own)) / np.outer(scale, scale)
    return correlation
