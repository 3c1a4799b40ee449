r"""Effects of days on firms of one market, in one regression with a dummy for each event day.

.. math:: r_{it} = x_t' b_i + \sum_k g_{ik} D_{kt} + e_{it}

The regressors are the same in every equation, so that seemingly unrelated regressions are least squares, and g is the
abnormal return with its forecast error (Binder 1985, Journal of Accounting Research 23:370; Karafiath 1988, Financial
Review 23:351). A weighted sum of g across firms is the effect on a portfolio: its variance is that of the portfolio on
the other days, which has every correlation between the firms in it (Sefcik & Thompson 1986, Journal of Accounting
Research 24:316). For normal returns it is t with T - P degrees of freedom, whatever the number of firms.

Real returns are not normal, and their variance comes in spells. The conformal p-value ranks a portfolio's sum over the
window among its sums over as many days before the event, by one fit to all these days under the null (Chernozhukov,
Wuthrich & Zhu 2021, Journal of the American Statistical Association 116:1849): it is exact for exchangeable days,
whatever the distribution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from eventstudy.types import Floats, Ints

DRAWS = 9999  # of days for several dates; for one date all are used
FEWEST = 20  # days of which the largest is 5 %
TIE = 1e-9  # relative: squares that differ by less are equal
DEPENDENT = 1e-10  # of a firm's residuals: the rest of them that is no portfolio of the others'


class Effects(NamedTuple):
    """Effects of windows k on firms.

    ``g`` (K, N) are sums of abnormal returns, ``e`` (T, N) the residuals of the other days, ``df`` = T - P; the
    covariance of w'g_k and v'g_m is ``scale[k, m]`` times that of the portfolios' residuals, e w and e v, over df.
    """

    g: Floats
    e: Floats
    df: int
    scale: Floats


def effects(r: Floats, x: Floats, days: Ints, windows: Ints) -> Effects:
    """Regress returns (D, N) on x (D, P), with a dummy for each day of the windows.

    Parameters
    ----------
    r, x : float arrays (D, N), (D, P)
        By day of the market; x has the constant.
    days : int array (T,)
        The days without dummies.
    windows : int array (K, 2)
        First and last day of each window, both included; two windows may share days.
    """
    q, upper = np.linalg.qr(x[days])
    b = np.linalg.solve(upper, q.T @ r[days])
    rows = [np.arange(first, last + 1) for first, last in windows]
    g = np.array([(r[own] - x[own] @ b).sum(axis=0) for own in rows])
    forecast = np.array([np.linalg.solve(upper.T, x[own].sum(axis=0)) for own in rows])
    shared = np.array([[len(np.intersect1d(a, c)) for c in rows] for a in rows], dtype=np.float64)
    return Effects(g, r[days] - x[days] @ b, len(days) - x.shape[1], shared + forecast @ forecast.T)


def portfolio(found: Effects, weights: Floats) -> tuple[float, float]:
    """Return the mean over the windows of the effects on portfolios with weights (K, N), and its standard error."""
    means = float((weights * found.g).sum() / len(weights))
    e = found.e @ weights.T
    cov = found.scale * (e.T @ e) / found.df
    return means, float(np.sqrt(cov.sum())) / len(weights)


def joint(found: Effects, k: int, firms: Ints) -> tuple[float, int, int, float]:
    """Test that window k has no effect on any of some firms: F, its degrees of freedom, and p (Hotelling 1931).

    NaN if the other days are fewer than the firms need.
    """
    n, last = len(firms), found.df - len(firms) + 1
    if last < 1:
        return np.nan, n, last, np.nan
    e, g = found.e[:, firms], found.g[k, firms]
    upper = np.linalg.qr(e)[1]
    if _is_dependent(upper):
        return np.nan, n, last, np.nan
    z = np.linalg.solve(upper.T, g)
    f = float(z @ z / found.scale[k, k] * last / n)
    return f, n, last, float(special.fdtrc(n, last, f))


def under_null(r: Floats, x: Floats, days: Ints, windows: Ints) -> Floats:
    """Return the residuals (D, N) of one regression on the days and the windows together; NaN on other days."""
    rows = np.union1d(days, np.concatenate([np.arange(first, last + 1) for first, last in windows]))
    q = np.linalg.qr(x[rows])[0]
    e = np.full(r.shape, np.nan)
    e[rows] = r[rows] - q @ (q.T @ r[rows])
    return e


def whitened(e: Floats, firms: Ints) -> Floats:
    """Return the residuals (D, n) of some firms as uncorrelated series; all NaN if a firm is a portfolio of others.

    The squared length of a sum of their rows is Hotelling's statistic of that sum, but for a factor.
    """
    known, found = np.isfinite(e[:, firms]).all(axis=1), np.full((len(e), len(firms)), np.nan)
    q, upper = np.linalg.qr(e[np.ix_(known, firms)])
    if len(firms) < known.sum() and not _is_dependent(upper):
        found[known] = q
    return found


def conformal(values: Floats, days: Ints, windows: Ints, spans: Ints, seed: int) -> float:
    r"""Rank the sum of some windows among sums of runs of as many days before each of them.

    .. math:: p = \frac{\#\{\lVert \sum_k y_k \rVert \ge \lVert \sum_k y_{k0} \rVert\}}{\#}

    y_k is the sum of the values of date k over its window (k0), or over one of its runs of days without events. Of one
    date all runs are used, and of several ``DRAWS`` draws of one run for each, the window among them.

    Parameters
    ----------
    values : float array (D, K, M)
        By day of the market, date, and component, of a fit under the null.
    days : int array (T,)
        The days without events.
    windows, spans : int arrays (K, 2)
        First and last day of each window, and of the days before it that may be used.
    seed : int

    Returns
    -------
    float
        At least 1/(n + 1) for one date with n runs; NaN if a date has fewer than 19.
    """
    usable = np.zeros(len(values), dtype=bool)
    usable[days] = True
    pools = []
    for k, (first, last) in enumerate(windows):
        n_days, start, end = last - first + 1, max(spans[k, 0], 0), spans[k, 1]
        starts = np.arange(start, end - n_days + 2)
        starts = starts[[bool(usable[at : at + n_days].all()) for at in starts]]
        runs = [values[at : at + n_days, k].sum(axis=0) for at in (first, *starts)]
        pools.append(np.array(runs))
    if min(map(len, pools)) < FEWEST or not np.isfinite(sum(pool[0] for pool in pools)).all():
        return np.nan
    rng = np.random.default_rng(seed)
    sums = pools[0]
    if len(pools) > 1:
        sums = sum(pool[np.append(0, rng.integers(len(pool), size=DRAWS))] for pool in pools)
    size = (sums**2).sum(axis=1)
    return float((size >= size[0] * (1 - TIE)).mean())


def _is_dependent(upper: Floats) -> bool:
    """Return whether a firm is a portfolio of the others, by the triangle of the residuals."""
    size = np.abs(np.diag(upper))
    return bool(size.min() <= DEPENDENT * size.max())
