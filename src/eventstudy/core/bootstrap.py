"""The stationary bootstrap of a series whose days may depend on one another, and the length of its blocks."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Floats


def block_length(x: Floats) -> float:
    """Return the mean length of the blocks of the stationary bootstrap, chosen from the autocorrelations of a series.

    Politis & White (2004, Econometric Reviews 23:53), with the correction of Patton, Politis & White (2009, Econometric
    Reviews 28:372): ``(2 G^2 / D)^(1/3) n^(1/3)`` with ``G`` the sum of ``w(k/M) |k| R(k)``, ``D = 2 g(0)^2``, ``g(0)``
    the sum of ``w(k/M) R(k)``, autocovariances R and a flat-top window w. M is twice the lag after which
    autocorrelations are small. At most ``min(3 sqrt(n), n / 3)``, at least 1.

    Parameters
    ----------
    x : float array (T,)
    """
    n = len(x)
    e = x - x.mean()
    small = max(5, int(np.log10(n)))
    most = int(np.ceil(np.sqrt(n))) + small
    lags = np.arange(min(most, n - 1) + 1)
    r = np.array([e[k:] @ e[: n - k] for k in lags]) / n
    if r[0] <= (1e-12 * np.abs(x).max()) ** 2:
        return 1.0  # a constant, but for rounding
    negligible = np.abs(r[1:] / r[0]) < 2.0 * np.sqrt(np.log10(n) / n)
    runs = [m for m in range(len(negligible) - small + 1) if negligible[m : m + small].all()]
    m = min(2 * max(runs[0], 1) if runs else most, most, len(lags) - 1)
    k = np.arange(1, m + 1)
    flat_top = np.minimum(1.0, 2.0 * (1.0 - k / m))
    g = 2.0 * np.sum(flat_top * k * r[1 : m + 1])
    d = 2.0 * (r[0] + 2.0 * np.sum(flat_top * r[1 : m + 1])) ** 2
    longest = np.ceil(min(3.0 * np.sqrt(n), n / 3.0))
    if 2.0 * g * g * n >= longest**3 * d:  # as where days cancel out, and d is 0
        return float(longest)
    return float(max((2.0 * g * g / d * n) ** (1.0 / 3.0), 1.0))


def sharpe_ratio(x: Floats) -> Floats:
    """Return mean over standard deviation along the last axis; NaN without variation.

    Examples
    --------
    >>> float(sharpe_ratio(np.array([0.01, 0.03])).round(4))
    1.4142
    """
    deviation = x.std(axis=-1, ddof=1)
    varies = deviation > 1e-12 * np.abs(x).max(axis=-1, initial=1e-300)
    return np.asarray(np.divide(x.mean(axis=-1), deviation, out=np.full(deviation.shape, np.nan), where=varies))


def stationary(x: Floats, length: float, draws: int, seed: int) -> Floats:
    """Draw samples of a series in blocks of geometric length, wrapped at its end, (draws, T).

    Politis & Romano (1994, Journal of the American Statistical Association 89:1303).
    """
    rng = np.random.default_rng(seed)
    n = len(x)
    fresh = rng.random((draws, n)) < 1.0 / length
    fresh[:, 0] = True
    begin = np.maximum.accumulate(np.where(fresh, np.arange(n), 0), axis=1)
    start = np.take_along_axis(rng.integers(0, n, (draws, n)), begin, axis=1)
    return np.asarray(x[(start + np.arange(n) - begin) % n])
