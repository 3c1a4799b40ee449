r"""Bayes factors of one CAR: against the distribution of the same CAR on other days, and the bound of a p-value.

.. math:: BF_{10} = \frac{\int f_0(z - \delta) \, \phi(\delta; 0, (\tau / s)^2) \, d\delta}{f_0(z)},
          \quad BF_{10} \le \frac{-1}{e \, p \log p} \; (p < 1/e)

z is the CAR over its standard error s, f_0 a Student t with location 0 whose scale and degrees of freedom are those of
the standardised sums of estimation residuals by maximum likelihood, and tau the stated standard deviation of effects.
The bound is that of Sellke, Bayarri & Berger (2001, American Statistician 55:62).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from eventstudy.types import Floats

FEWEST = 30  # placebo values from which a distribution is fitted
NODES = 32  # of the quadrature in each of its panels
WIDEST = 9.0  # standard deviations of effects, or scales of the placebo values, that it covers
LARGEST = 700.0  # logarithm of a Bayes factor: 1e304
DF = (2.1, 200.0)  # bounds of the degrees of freedom; t(200) is normal to the eye


class Placebo(NamedTuple):
    """A Student t with location 0: scale and degrees of freedom."""

    scale: float
    df: float

    def log_density(self, z: Floats) -> Floats:
        """Return the logarithm of the density."""
        constant = special.gammaln((self.df + 1) / 2) - special.gammaln(self.df / 2)
        constant -= 0.5 * np.log(self.df * np.pi) + np.log(self.scale)
        return np.asarray(constant - (self.df + 1) / 2 * np.log1p((z / self.scale) ** 2 / self.df))


def fit(z: Floats) -> Placebo | None:
    """Fit the distribution of placebo values by maximum likelihood; None if they are too few or all equal to 0."""
    z = z[np.isfinite(z)]
    rms = float(np.sqrt((z**2).mean())) if len(z) >= FEWEST else 0.0
    if not rms > 0:
        return None

    def loss(theta: Floats) -> float:
        return -float(Placebo(rms * np.exp(theta[0]), np.exp(theta[1])).log_density(z).sum())

    bounds = [(-5.0, 3.0), tuple(np.log(DF))]
    starts = [optimize.minimize(loss, [0.0, np.log(df)], bounds=bounds, method="L-BFGS-B") for df in (4.0, 50.0)]
    best = min(starts, key=lambda found: float(found.fun)).x
    return Placebo(float(rms * np.exp(best[0])), float(np.exp(best[1])))


def bayes_factor(z: float, ratio: float, placebo: Placebo) -> float:
    """Return the evidence for an effect drawn from N(0, ratio^2), in units of the standard error, against none.

    Examples
    --------
    >>> round(bayes_factor(3.0, 2.0, Placebo(1.0, 1e9)), 3)  # normal: exp(9/2 * 4/5) / sqrt(5)
    16.367
    """
    # Panels are as narrow as the density where that is narrow, and as the prior elsewhere: either may be a spike.
    around_0 = placebo.scale * 2.0 ** np.arange(-1.0, 60.0, 0.5)
    around_z = ratio * np.linspace(-WIDEST, WIDEST, 37)
    ends = np.array([-WIDEST * placebo.scale, WIDEST * placebo.scale, z + around_z[0], z + around_z[-1]])
    edges = np.unique(np.concatenate([-around_0, [0.0], around_0, z + around_z, ends]))
    edges = edges[(edges >= ends.min()) & (edges <= ends.max())]
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    x = edges[:-1, None] + half * (1 + nodes)
    logs = placebo.log_density(x) - placebo.log_density(np.array(z)) - ((z - x) / ratio) ** 2 / 2
    total = float(special.logsumexp(logs, b=half * weights)) - np.log(ratio) - 0.5 * np.log(2 * np.pi)
    return float(np.exp(min(total, LARGEST)))


def bound(p: float) -> float:
    """Return the largest Bayes factor that a p-value can stand for; 1 from p = 1/e on.

    Examples
    --------
    >>> round(bound(0.05), 3), bound(0.5)
    (2.456, 1.0)
    """
    return 1.0 if p >= np.exp(-1.0) else float(-1.0 / (math.e * p * np.log(p))) if p > 0 else np.inf
