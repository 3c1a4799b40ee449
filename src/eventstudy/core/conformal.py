r"""The conformal p-value of a single event: its window among all runs of days, by one fit to all of them.

The sums of an event's estimation residuals are in sample and the event's own is out of sample, so that the latter
varies more, the more so the longer the window. Here both come from one fit, made under the null of no effect to the
days of the estimation window E and of the window W together. It need not be computed anew: with :math:`H = X U^{-1}` of
the fit to E (:mod:`eventstudy.core.ols`), the residuals of least squares on all these days are

.. math:: u_t = AR_t - h_t' g, \quad g = (I + H_W' H_W)^{-1} H_W' AR_W

where AR is the residual on a day of E and the abnormal return on one of W. For a model with a variance path v, g is
that of AR and h divided by the root of v, and the fit is weighted least squares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.core.reaching import Rounded, Scaled, Terms, less, runs_of
from eventstudy.core.runs import TIE, RoundedSums, RunSums, by_length, count, root
from eventstudy.types import Abnormal, Bools, Floats, Ints, Scores

UNSOLVED = (
    1e-10  # how far a fit may be from solving the normal equations, relative to its residuals; an optimiser is further
)


class Refit(NamedTuple):
    """How the fit to estimation window and window differs from that to the former, for every window of n events.

    ``n_days`` (n, V) are the window's valid days, 0 where it is not ranked. The residual of a day is its AR less
    ``level`` (n, V) and the sum of ``h`` (P', n, L) times ``g`` (P', n, V).
    """

    n_days: Ints
    h: Floats
    g: Floats
    level: Floats


def refit(scores: Scores, abnormal: Abnormal) -> Refit:
    """Fit the model to the events under the null, if it is one of least squares."""
    n_est, ok = abnormal.n_est, abnormal.ok
    n_valid = abnormal.block.n_valid if ok is abnormal.block.ok else ok[:, :n_est].sum(axis=1)
    ar, h = _scaled(abnormal)
    ranked = scores.ok & (scores.n_days <= n_valid[:, None])
    constant = _constant(abnormal)
    ranked &= _is_least_squares(ar[:, :n_est], h[..., :n_est], abnormal.sigma, constant)[:, None]
    g = _update(ar[:, n_est:], h[..., n_est:], scores.weights)
    h, n_days = np.moveaxis(abnormal.h, -1, 0), np.where(ranked, scores.n_days, 0)
    if constant is None:
        return Refit(n_days, h, g, np.zeros(ranked.shape))
    return Refit(n_days, h[1:], g[1:], constant * g[0])  # an intercept shifts all days equally: it needs no sums


def _constant(abnormal: Abnormal) -> Floats | None:
    """Return the first h of each event, (N, 1), if it is the same on all of its valid days, as that of an intercept."""
    if not abnormal.h.shape[-1] or abnormal.v is not None:
        return None
    h = abnormal.h[..., 0]
    constant = h[:, :1] if abnormal.complete else h.max(axis=1, keepdims=True)
    return constant if ((h == constant) | ~abnormal.ok).all() else None


def _scaled(abnormal: Abnormal) -> tuple[Floats, Floats]:
    """Return AR (n, L) and h (P, n, L) divided by the root of v, 0 where not ok."""
    ar, h = abnormal.ar, np.moveaxis(abnormal.h, -1, 0)
    if abnormal.complete and abnormal.v is None:
        return ar, h
    scale = abnormal.ok.astype(np.float64)
    if abnormal.v is not None:
        scale /= np.sqrt(np.where(abnormal.ok, abnormal.v, 1.0))
    return ar * scale, h * scale


def _is_least_squares(e: Floats, h: Floats, sigma: Floats, constant: Floats | None) -> Bools:
    """Return for which events (N,) residuals (N, n_est) and h (P, N, n_est) solve the normal equations."""
    size, solved = sigma * np.sqrt(e.shape[1]), np.ones(len(e), dtype=bool)

    def dot(j: int, values: Floats) -> Floats:
        if j == 0 and constant is not None:
            return np.asarray(constant[:, 0] * values.sum(axis=1))
        return np.asarray(np.vecdot(h[j], values))

    for j, column in enumerate(h):
        solved &= np.abs(dot(j, e)) <= UNSOLVED * size
        for k in range(j + 1):
            solved &= np.abs(dot(k, column) - (j == k)) <= UNSOLVED
    return solved


def _update(ar: Floats, h: Floats, weights: Floats) -> Floats:
    """Solve (I + H'H) g = H'AR over the days of each window, (P, N, V)."""
    n_par = len(h)
    left = np.empty((n_par, n_par, len(ar), len(weights)))
    g = np.empty(left.shape[1:])
    for j in range(n_par):
        g[j] = (h[j] * ar) @ weights.T
        for k in range(j, n_par):
            left[j, k] = left[k, j] = (h[j] * h[k]) @ weights.T + (j == k)
    for j in range(n_par):  # elimination needs no pivots: no eigenvalue is below 1
        for k in range(j + 1, n_par):
            factor = left[k, j] / left[j, j]
            left[k, j:] -= factor * left[j, j:]
            g[k] -= factor * g[j]
    for j in reversed(range(n_par)):
        for k in range(j + 1, n_par):
            g[j] -= left[j, k] * g[k]
        g[j] /= left[j, j]
    return g


def conformal_p(scores: Scores, abnormal: Abnormal, residuals: Rounded | Scaled) -> Floats:
    r"""Rank each window among all runs of as many days.

    .. math:: p = \frac{\#\{s : |\sum_{t=s}^{s+L-1} u_t| \ge |\sum_{t \in W} u_t|\}}{M + L}

    over the M + L runs of L residuals u of the sequence of estimation window and window, whose end is joined to its
    beginning. Only valid days belong to the sequence, and M and L count them. If the residuals are exchangeable, every
    run is equally likely to have the largest sum, whatever the distribution; for stationary ones this holds
    approximately. The smallest p is 1 / (M + L). For a model with a variance path, each sum is divided by the root of
    the sum of its v. Chernozhukov, Wuthrich & Zhu (2021, Journal of the American Statistical Association 116:1849).

    Parameters
    ----------
    scores : Scores
    abnormal : Abnormal
    residuals : Rounded or Scaled
        The runs of the estimation residuals.

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing, where L > M, so that no run is free of days of the window, and where the model is
        not least squares on the valid estimation days, so that its fit under the null is not known.
    """
    fit, n_est, tie = refit(scores, abnormal), abnormal.n_est, TIE * abnormal.sigma[:, None]
    days = _pack(abnormal, fit.h)
    g = np.swapaxes(np.ascontiguousarray(np.swapaxes(fit.g, 1, 2)), 1, 2)  # those of a window side by side
    ranked = [(length, v) for length, its in by_length(fit.n_days).items() for v in its]
    runs = _runs(days, n_est, residuals)
    p = np.full(fit.n_days.shape, np.nan)
    for (length, v), around in zip(ranked, _around(days, scores.weights > 0, ranked, g), strict=True):
        shift = length * fit.level[:, v][:, None]
        around = np.abs(around - shift)
        least = around[:, length - 1 : length] - tie
        among = None
        if days.ok is not None:
            among = np.arange(n_est + 1 - length) >= (n_est - days.n_valid)[:, None]
        n_large = runs.n_reaching(length, least, among, Terms([*g[..., v : v + 1]], shift)) + count(around >= least)
        p[:, v] = np.where(fit.n_days[:, v] == length, n_large / (days.n_valid + length), p[:, v])
    return p


class _Days(NamedTuple):
    """Days of events: the estimation window, its valid days last and in their order, then the event window.

    ``ar`` (n, L), ``h`` of P' arrays (n, L) and ``v`` (n, L), or None for ones. ``ok`` (n, L) is None if all days are
    valid; ``n_valid`` (n,) counts those of the estimation window.
    """

    ar: Floats
    h: list[Floats]
    v: Floats | None
    ok: Bools | None
    n_valid: Ints


def _pack(abnormal: Abnormal, h: Floats) -> _Days:
    """Move the valid days of the estimation windows to their end."""
    arrays = [abnormal.ar, *h, *(() if abnormal.v is None else (abnormal.v,))]
    n_est, ok, source = abnormal.n_est, None, abnormal.ok
    n_valid = np.full(len(source), n_est)
    if not source.all():
        n_valid, ok = source[:, :n_est].sum(axis=1), source.copy()
        ok[:, :n_est] = np.arange(n_est) >= n_est - n_valid[:, None]
        arrays = [_moved(values, source, ok) for values in arrays]
    return _Days(arrays[0], arrays[1 : 1 + len(h)], None if abnormal.v is None else arrays[-1], ok, n_valid)


def _moved(values: Floats, source: Bools, target: Bools) -> Floats:
    """Move values from the cells of one mask to those of another with as many in every row; others are 0."""
    moved = np.zeros(values.shape)
    moved[target] = values[source]
    return moved


def _runs(days: _Days, n_est: int, residuals: Rounded | Scaled) -> Rounded | Scaled:
    """Return the runs of estimation days of the fit; those of the residuals are known if no day has been moved."""
    if days.ok is None and isinstance(residuals, Rounded):
        return Rounded([*residuals.apart, *(RoundedSums(h[:, :n_est]) for h in days.h)])
    apart = [values[:, :n_est] for values in (days.ar, *days.h)]
    return runs_of(apart, None if days.v is None else days.v[:, :n_est])


def _around(days: _Days, windows: Bools, ranked: Sequence[tuple[int, int]], g: Floats) -> Iterator[Floats]:
    """Yield for each length and window the sums of the runs that share days with it, its own in the middle."""
    if not ranked:
        return
    cells = [_days_around(days, windows[v], length) for length, v in ranked]
    at = np.concatenate(cells, axis=-1)

    def select(values: Floats) -> Floats:
        return np.asfortranarray(values[:, at] if days.ok is None else np.take_along_axis(values, at, axis=1))

    apart = [select(values) for values in (days.ar, *days.h)]
    variance = None if days.v is None else select(days.v)
    start = 0
    for (length, v), own in zip(ranked, cells, strict=True):
        part = slice(start, start + own.shape[-1])
        u = less([values[:, part] for values in apart], Terms([*g[..., v : v + 1]]))
        sums = RunSums(u).of(length)
        yield sums if variance is None else sums / root(RunSums(variance[:, part]).of(length))
        start = part.stop


def _days_around(days: _Days, window: Bools, length: int) -> Ints:
    """Return the columns of the last L - 1 days before the window, of its L days, and of the first L - 1 days."""
    n_est = days.ar.shape[1] - len(window)
    last, first = np.arange(n_est + 1 - length, n_est), np.arange(length - 1)
    if days.ok is None:
        return np.concatenate([last, n_est + np.flatnonzero(window), first])
    inside = np.argsort(~(days.ok[:, n_est:] & window), axis=1, kind="stable")[:, :length]
    from_first = np.minimum((n_est - days.n_valid)[:, None] + first, n_est - 1)  # events with fewer are not ranked
    return np.hstack([np.broadcast_to(last, from_first.shape), n_est + inside, from_first])
