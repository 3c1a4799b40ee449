r"""Tests of a mean that hold at every look: e-values and confidence sequences of symmetric values.

.. math:: E_k(\mu) = \sqrt{\frac{\rho}{\rho + V_k}} \exp\Big(\frac{S_k^2}{2 (\rho + V_k)}\Big), \quad
          S_k = \sum_{j \le k} a_j (z_j - \mu), \; V_k = \sum_{j \le k} a_j^2 (z_j - \mu)^2

For z symmetric about mu given the past, exp(u S - u^2 V / 2) is a supermartingale for every u (de la Peña 1999, Annals
of Probability 27:537), whatever the variances, and E is its mixture over u from N(0, 1/rho) (Robbins 1970, Annals of
Mathematical Statistics 41:1397; Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49:1055). By Ville's
inequality E ever reaches 1/alpha with probability alpha at most: no variance is estimated, and there is no first look
before which the test would not hold.
"""

from __future__ import annotations

import numpy as np

from eventstudy.types import Floats

FARTHEST = 10.0  # the largest mean, in standard deviations of single values, that a confidence sequence considers
POINTS = 2001  # of the grid on which its ends are sought
STEPS = 40  # of the bisection: the ends are exact to 1e-14


def log_e(z: Floats, a: Floats, rho: float, mean: Floats | float = 0.0) -> Floats:
    """Return the logarithm of the e-value after each value, (n,), or (n, m) for means (m,).

    Examples
    --------
    >>> log_e(np.array([1.0, 1.0]), np.ones(2), 1.0).round(4)
    array([-0.0966,  0.1174])
    """
    d = a[:, None] * (z[:, None] - np.atleast_1d(mean))
    s, v = d.cumsum(axis=0), (d**2).cumsum(axis=0)
    found = 0.5 * np.log(rho / (rho + v)) + s**2 / (2 * (rho + v))
    return np.asarray(found if np.ndim(mean) else found[:, 0])


def tightest(n: int, level: float) -> float:
    """Return the rho for which the boundary is lowest after n values of variance 1 (Howard et al. 2021, eq. 14)."""
    x = -2.0 * np.log(1.0 - level)
    return float(n / (x + np.log1p(x)))


def confidence_sequence(z: Floats, a: Floats, rho: float, level: float) -> tuple[Floats, Floats]:
    """Return the ends (n,) of the means around the running mean that no e-value so far has rejected.

    An end beyond ``FARTHEST`` is infinite.
    """
    grid = np.linspace(-FARTHEST, FARTHEST, POINTS)
    bound = -np.log(1.0 - level)
    kept = np.maximum.accumulate(log_e(z, a, rho, grid), axis=0) < bound
    lower, upper = np.full(len(z), -np.inf), np.full(len(z), np.inf)
    for k, row in enumerate(kept):
        inside = np.flatnonzero(row)
        if not len(inside):
            lower[k] = upper[k] = np.nan
            continue
        first, last = inside[0], inside[-1]
        if first > 0:
            lower[k] = _end(grid[first - 1], grid[first], z[: k + 1], a[: k + 1], rho, bound)
        if last < POINTS - 1:
            upper[k] = _end(grid[last + 1], grid[last], z[: k + 1], a[: k + 1], rho, bound)
    return lower, upper


def _end(outside: float, inside: float, z: Floats, a: Floats, rho: float, bound: float) -> float:
    """Bisect between a rejected and a kept mean."""
    for _ in range(STEPS):
        middle = (outside + inside) / 2
        if log_e(z, a, rho, np.array([middle])).max() < bound:
            inside = middle
        else:
            outside = middle
    return inside
