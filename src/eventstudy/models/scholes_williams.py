r"""Scholes-Williams: the market model with a beta corrected for nonsynchronous trading.

.. math:: \beta_i = \frac{b_{i,-1} + b_{i,0} + b_{i,+1}}{1 + 2 \rho_m}, \quad
          \alpha_i = \bar R_i - \beta_i \bar R_m, \quad AR_{it} = R_{it} - \alpha_i - \beta_i R_{mt}

with b_k the slope of a simple regression of R_t on R_{m,t+k}, and rho_m the first-order autocorrelation of the
benchmark, estimated by the mean of the slopes of the benchmark on its own lead and lag over the same days: the beta of
the benchmark on itself is then exactly 1, and the estimator is unbiased if there is no nonsynchronous trading. A day is
used if all three benchmark returns are known. sigma has the divisor M - 2, as for the market model, which is slightly
too large for a beta with three times the variance; the forecast variance is exact under independent errors.

Use it for thinly traded securities that trade at least once a session, and for a benchmark that closes at another hour.
Unlike ``dimson`` it subtracts only the benchmark's return of the same day, however large the beta; what the benchmark's
neighbouring days explain stays in the abnormal return. Scholes & Williams (1977, Journal of Financial
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

from eventstudy.core.betas import abnormal_from_line, deviations, fit_line, slopes
from eventstudy.core.ols import SINGULAR
from eventstudy.types import Abnormal, Block, Column, DescribedModel


@dataclass(frozen=True, repr=False)
class ScholesWilliams(DescribedModel):
    """The market model with the Scholes-Williams beta; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = tuple(Column("benchmark", shift) for shift in (-1, 0, 1))
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        weight = block.ok[:, : block.n_est].astype(np.float64)
        shifted = deviations(block.x[:, : block.n_est], weight)
        # The sum of three slopes over 1 + 2 rho equals the slope by this instrument.
        z = (shifted.d / shifted.squares[:, None]).sum(axis=2)
        line = fit_line(block, block.x[..., 1], z, weight)
        undetermined = np.abs(slopes(shifted.d[..., 1], shifted).sum(axis=1)) <= SINGULAR  # 1 + 2 rho is 0
        line = line._replace(singular=line.singular | undetermined | shifted.constant.any(axis=1))
        dof = weight.sum(axis=1) - 2.0
        return abnormal_from_line(block, block.ok, line, weight, dof, dof, dof < 1)


MODEL = ScholesWilliams()
