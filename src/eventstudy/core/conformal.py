r"""The conformal p-value of a single event: its window among all runs of days, fitted together with them.

The event's sum is out of sample and the sums of its estimation residuals are in sample, so that the former varies more,
the more so the longer the window. Here both come from one fit, made under the null of no effect to the days of the
estimation window E and of the window W together. That fit need not be computed: with :math:`H = X U^{-1}` of the fit to
E (:mod:`eventstudy.core.ols`) the residuals of least squares on all M + L days are, by recursive least squares,

.. math:: u_t = AR_t - h_t' g, \quad g = (I + H_W' H_W)^{-1} H_W' AR_W

on the days of E, where AR is the residual, and of W. For a model with a variance path v, AR and h are divided by the
root of v in g, which makes the fit weighted least squares with the variances held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.core.run_sums import RunSums
from eventstudy.core.windows import strips
from eventstudy.types import Abnormal, Bools, Floats, Ints, Scores

TIE = 1e-9  # of sigma: sums that differ by less are equal, as those of prices that did not move
NORMAL = 1e-6  # how far a least-squares fit may be from solving its normal equations, relative to its residuals


def conformal_p(scores: Scores, abnormal: Abnormal) -> Floats:
    r"""Rank each window among all runs of as many days, by the residuals of one fit to the event's days together.

    .. math:: p = \frac{\#\{s : |\sum_{t=s}^{s+L-1} u_t| \ge |\sum_{t \in W} u_t|\}}{M + L}

    over the M + L runs of L residuals u of the sequence of estimation window and window, whose end is joined to its
    beginning. Only valid days belong to the sequence, so that L and M are numbers of valid days, and a missing day
    shortens it. If the days' residuals are exchangeable, all runs are equally likely to have the largest sum, whatever
    the distribution; p is valid approximately if they are stationary. The smallest p is 1 / (M + L). For a model with
    a variance path, each sum is divided by the root of the sum of its v. Chernozhukov, Wuthrich & Zhu (2021, Journal
    of the American Statistical Association 116:1849).

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing, where L > M, so that every run shares days with the window, and where the model
        is not least squares on the estimation days, so that its fit under the null is not known.
    """
    p = np.full(scores.car.shape, np.nan)
    n_valid = abnormal.ok[:, : abnormal.n_est].sum(axis=1)
    usable = scores.ok & (scores.n_days <= n_valid[:, None])
    ar, h = _scaled(abnormal)
    usable &= _is_least_squares(ar, h, abnormal, n_valid)[:, None]
    if usable.any():
        n_days, g = np.where(usable, scores.n_days, 0), _update(ar, h, abnormal.n_est, scores.weights)
        for rows in strips(len(p)):
            p[rows] = _rank(_pack(abnormal, rows, n_valid[rows]), scores.weights > 0, n_days[rows], g[:, rows])
    return p


def _scaled(abnormal: Abnormal) -> tuple[Floats, Floats]:
    """Return abnormal returns (N, L) and h (P, N, L), divided by the root of v, 0 where not ok."""
    ar, h = abnormal.ar, np.moveaxis(abnormal.h, -1, 0)
    if abnormal.complete and abnormal.v is None:
        return ar, h
    scale: Floats = abnormal.ok.astype(np.float64)
    if abnormal.v is not None:
        scale /= np.sqrt(np.where(abnormal.ok, abnormal.v, 1.0))
    return ar * scale, h * scale


def _is_least_squares(ar: Floats, h: Floats, abnormal: Abnormal, n_valid: Ints) -> Bools:
    """Return for which events (N,) scaled residuals and h solve the normal equations of the estimation days."""
    ar, h = ar[:, : abnormal.n_est], h[..., : abnormal.n_est]
    size = abnormal.sigma * np.sqrt(n_valid)
    solved = np.ones(len(ar), dtype=bool)
    for j, column in enumerate(h):
        solved &= np.abs(np.vecdot(column, ar)) <= NORMAL * size
        for k, other in enumerate(h[: j + 1]):
            solved &= np.abs(np.vecdot(column, other) - (j == k)) <= NORMAL
    return solved


def _update(ar: Floats, h: Floats, n_est: int, weights: Floats) -> Floats:
    """Return g (P, N, V), by which the fit to estimation window and window differs from that to the former alone."""
    ar, h = ar[:, n_est:], h[..., n_est:]
    n_par = len(h)
    gram = np.empty((n_par, n_par, len(ar), len(weights)))
    g = np.empty(gram.shape[1:])
    for j in range(n_par):
        g[j] = (h[j] * ar) @ weights.T
        for k in range(j, n_par):
            gram[j, k] = gram[k, j] = (h[j] * h[k]) @ weights.T + (j == k)
    for j in range(n_par):  # elimination without pivots: I + H'H has no eigenvalue below 1
        for k in range(j + 1, n_par):
            factor = gram[k, j] / gram[j, j]
            gram[k, j:] -= factor * gram[j, j:]
            g[k] -= factor * g[j]
    for j in reversed(range(n_par)):
        for k in range(j + 1, n_par):
            g[j] -= gram[j, k] * g[k]
        g[j] /= gram[j, j]
    return g


class _Days(NamedTuple):
    """Events' days: the estimation window, its valid days last and in their order, then the event window.

    ``ar`` (n, L), the P arrays ``h`` (n, L), or (n, 1) for one that is the same on all days, as an intercept's is, and
    ``v`` (n, L), or None for ones. ``ok`` (n, L) is None if all days are valid. ``n_valid`` (n,) counts those of the
    estimation window, which has ``n_est`` columns. Equal days of the events lie side by side in memory, which makes
    sums over runs of days fast.
    """

    ar: Floats
    h: tuple[Floats, ...]
    v: Floats | None
    ok: Bools | None
    tie: Floats
    n_valid: Ints
    n_est: int


def _pack(abnormal: Abnormal, rows: slice, n_valid: Ints) -> _Days:
    """Select events, and move the valid days of their estimation windows to its end."""
    n_est, ok, packed_ok = abnormal.n_est, None, None
    if not abnormal.complete:
        ok = abnormal.ok[rows]
        packed_ok = ok.copy()
        packed_ok[:, :n_est] = np.arange(n_est) >= n_est - n_valid[:, None]

    def pack(values: Floats) -> Floats:
        if ok is None:
            return np.asfortranarray(values)
        packed = np.zeros(values.shape, order="F")
        packed[packed_ok] = values[ok]
        return packed

    def pack_h(values: Floats) -> Floats:
        level = values.max(axis=1, keepdims=True)
        same = values == level
        return level if (same if ok is None else same | ~ok).all() else pack(values)

    h = tuple(pack_h(column) for column in np.moveaxis(abnormal.h[rows], -1, 0))
    v, tie = None if abnormal.v is None else pack(abnormal.v[rows]), TIE * abnormal.sigma[rows, None]
    return _Days(pack(abnormal.ar[rows]), h, v, packed_ok, tie, n_valid, n_est)


def _rank(days: _Days, windows: Bools, n_days: Ints, g: Floats) -> Floats:
    """Return the p-values (n, V) of windows (V, n_evt) with ``n_days`` valid days, NaN where those are 0."""
    n_est, p = days.n_est, np.full(n_days.shape, np.nan)
    sums = [None if values.shape[1] == 1 else RunSums(values[:, :n_est]) for values in (days.ar, *days.h)]
    variances = None if days.v is None else RunSums(days.v[:, :n_est])
    for length in np.unique(n_days[n_days > 0]):
        h = [values * length if each is None else each.of(length) for each, values in zip(sums[1:], days.h, strict=True)]
        variance = None if variances is None else variances.of(length)
        for v in np.flatnonzero((n_days == length).any(axis=0)):
            apart = _standardised(_residuals(sums[0].of(length), h, g[..., v]), variance)
            joint = _sums_with(days, windows[v], length, g[..., v])
            least = np.abs(joint[:, [length - 1]]) - days.tie
            large = np.abs(apart, out=apart) >= least
            if days.ok is not None:
                large &= np.arange(large.shape[1]) >= (n_est - days.n_valid)[:, None]
            n = _count(large) + _count(np.abs(joint) >= least)
            p[:, v] = np.where(n_days[:, v] == length, n / (days.n_valid + length), p[:, v])
    return p


def _sums_with(days: _Days, window: Bools, length: int, g: Floats) -> Floats:
    """Return the sums of the runs that share days with the window, (n, 2 length - 1); its own is in the middle."""
    n_est, last = days.n_est, np.arange(1 - length, 0)
    if days.ok is None:
        at = np.concatenate([n_est + last, n_est + np.flatnonzero(window), np.arange(length - 1)])
    else:
        inside = np.argsort(~(days.ok[:, n_est:] & window), axis=1, kind="stable")[:, :length]
        first = np.minimum((n_est - days.n_valid)[:, None] + np.arange(length - 1), n_est - 1)
        at = np.hstack([np.broadcast_to(n_est + last, first.shape), n_est + inside, first])

    def select(values: Floats) -> Floats:
        if values.shape[1] == 1:
            return values
        return values.T[at].T if days.ok is None else np.take_along_axis(values, at, axis=1)

    u = RunSums(_residuals(select(days.ar), [select(h) for h in days.h], g)).of(length)
    return _standardised(u, None if days.v is None else RunSums(select(days.v)).of(length))


def _residuals(ar: Floats, h: Sequence[Floats], g: Floats) -> Floats:
    """Return the residuals of the fit to all days, or sums of them, (n, any), as a new array."""
    u = ar.copy(order="K")
    for column, weight in zip(h, g, strict=True):
        u -= column * weight[:, None]
    return u


def _standardised(sums: Floats, variance: Floats | None) -> Floats:
    return sums if variance is None else sums / np.sqrt(np.maximum(variance, np.finfo(float).tiny))


def _count(large: Bools) -> Ints:
    return np.asarray(large.view(np.uint8).sum(axis=1, dtype=np.int32))
