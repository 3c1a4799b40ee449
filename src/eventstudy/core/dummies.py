r"""Effects of days on firms of one market, in one regression with a dummy for each event day.

.. math:: r_{it} = x_t' b_i + \sum_k g_{ik} D_{kt} + e_{it}

The regressors are the same in every equation, so that seemingly unrelated regressions are least squares, and g is the
abnormal return with its forecast error (Binder 1985, Journal of Accounting Research 23:370; Karafiath 1988, Financial
Review 23:351). A weighted sum of g across firms is the effect on a portfolio: its variance is that of the portfolio on
the other days, which has every correlation between the firms in it (Sefcik & Thompson 1986, Journal of Accounting
Research 24:316). For normal returns it is t with T - P degrees of freedom, whatever the number of firms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from eventstudy.types import Floats, Ints


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
    if np.abs(np.diag(upper)).min() <= 1e-10 * np.abs(np.diag(upper)).max():  # a firm is a portfolio of the others
        return np.nan, n, last, np.nan
    z = np.linalg.solve(upper.T, g)
    f = float(z @ z / found.scale[k, k] * last / n)
    return f, n, last, float(special.fdtrc(n, last, f))
