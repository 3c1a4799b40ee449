r"""Scholes-Williams: the market model with a beta that allows for prices of different hours.

.. math:: \beta_i = \frac{b_{i,-1} + b_{i,0} + b_{i,+1}}{1 + 2 \rho_m}, \quad
          \alpha_i = \bar R_i - \beta_i \bar R_m, \quad AR_{it} = R_{it} - \alpha_i - \beta_i R_{mt}

with b_k the slope of a regression of R_t on R_{m,t+k} alone and rho_m the first autocorrelation of the benchmark, which
is the mean of its slopes on itself led and lagged, over the same days: then a security that is the benchmark has beta
1 exactly, and the estimator is unbiased where there is nothing to correct. A day counts where all three benchmark
returns are known. sigma has the divisor M - 2, as for the market model, which is a little large for a beta with three
times the variance; the forecast variance is exact under independent errors.

For securities that trade thinly, but at least once a session, and for a benchmark that closes at another hour. Unlike
``dimson`` it takes no more than the benchmark's return of the day from the security's, however large the beta; what
the benchmark's neighbouring days explain stays in the abnormal return. Scholes & Williams (1977, Journal of Financial
Economics 5:309).

Examples
--------
>>> import eventstudy as es
>>> es.model("scholes_williams").columns[2]
Column(name='benchmark', shift=1, summed=False)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventstudy.core.betas import assess, deviations, line, slopes
from eventstudy.core.ols import SINGULAR
from eventstudy.types import Abnormal, Block, Column


@dataclass(frozen=True)
class ScholesWilliams:
    """The market model with the beta of Scholes and Williams; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = tuple(Column("benchmark", shift) for shift in (-1, 0, 1))
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        weight = block.ok[:, : block.n_est].astype(np.float64)
        near = deviations(block.x[:, : block.n_est], weight)
        # Three slopes over 1 + 2 rho are one slope by this instrument, for rho is its slope on the benchmark.
        z = (near.d / near.squares[:, None]).sum(axis=2)
        fitted = line(block, block.x[..., 1], z, weight)
        undetermined = np.abs(slopes(near.d[..., 1], near).sum(axis=1)) <= SINGULAR  # 1 + 2 rho is 0
        fitted = fitted._replace(singular=fitted.singular | undetermined | near.constant.any(axis=1))
        dof = weight.sum(axis=1) - 2.0
        return assess(block, block.ok, fitted, weight, dof, dof, dof < 1)


MODEL = ScholesWilliams()
