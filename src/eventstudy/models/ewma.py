r"""EWMA: the market model by least squares with exponentially decaying weights.

.. math:: (\alpha_i, \beta_i) = \mathrm{argmin} \sum_{t \in E} w_t (R_{it} - \alpha - \beta R_{mt})^2, \quad
          w_t = 2^{-(T - t)/H}

with T the last session of the estimation window and H the half-life in sessions; missing days count in T - t. With A
the estimator, e = (I - XA) R the residuals and Q = (I - XA)' W (I - XA),

.. math:: s_i^2 = \frac{\sum_E w_t e_{it}^2}{tr Q}, \quad \nu = \frac{(tr Q)^2}{tr(Q^2)}

Under independent errors of equal variance, s^2 is unbiased, with Satterthwaite's degrees of freedom (1946, Biometrics
Bulletin 2:110), and the forecast variance is exact. With an infinite half-life the model is the market model.

Use it if beta or volatility drifts, so that recent days are more informative. The cost is a larger estimation variance:
a half-life of H is worth 2 H / ln 2 equally weighted sessions, 173 for the default of 60. Exponential weights in J.P.
Morgan (1996, RiskMetrics Technical Document, 4th ed.); for beta, with a half-life of 63 sessions, Menchero, Orr & Wang
(2011, The Barra US Equity Model USE4, MSCI).

Examples
--------
>>> import eventstudy as es
>>> es.model("ewma", halflife=30.0).coefficients
('alpha', 'beta')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventstudy.core.betas import Deviations, abnormal_from_line, deviations, fit_line
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Floats


@dataclass(frozen=True, repr=False)
class Ewma(DescribedModel):
    """The market model with exponentially decaying weights.

    Parameters
    ----------
    halflife : float
        Sessions after which the weight of a day is halved, 1 or more.

    Raises
    ------
    InputError
        When it is not a number of at least 1.
    """

    halflife: float = 60.0

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        number = isinstance(self.halflife, int | float) and not isinstance(self.halflife, bool)
        if not (number and self.halflife >= 1):
            raise InputError(
                f"halflife of the ewma model is {shown(self.halflife)}; give a number of sessions, 1 or more"
            )

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        n_est = block.n_est
        weight = block.ok[:, :n_est] * 0.5 ** (np.arange(n_est)[::-1] / self.halflife)
        benchmark = deviations(block.x[:, :n_est], weight)
        line = fit_line(block, block.x[..., 0], weight * benchmark.d[..., 0], weight)
        line = line._replace(singular=line.singular | benchmark.constant[:, 0])
        divisor, dof = _moments(weight, benchmark)
        return abnormal_from_line(block, block.ok, line, weight, divisor, dof, block.ok[:, :n_est].sum(axis=1) <= 2)


def _moments(weight: Floats, benchmark: Deviations) -> tuple[Floats, Floats]:
    """Compute tr Q and (tr Q)^2 / tr(Q^2), (N,), for Q = W - WX (X'WX)^-1 X'W."""
    scale = np.sqrt(np.maximum(weight.sum(axis=1), np.finfo(float).tiny))
    # With columns that are orthonormal under the weights, X'WX is the identity.
    q = np.stack(
        [np.where(weight > 0, 1.0 / scale[:, None], 0.0), benchmark.d[..., 0] / np.sqrt(benchmark.squares)], axis=2
    )
    second = np.einsum("nl,nlj,nlk->njk", weight**2, q, q)
    third = np.einsum("nl,nlj->n", weight**3, q**2)
    trace = weight.sum(axis=1) - np.trace(second, axis1=1, axis2=2)
    trace_of_square = (weight**2).sum(axis=1) - 2.0 * third + (second**2).sum(axis=(1, 2))
    known = (trace > 0) & (trace_of_square > 0)
    return trace, np.where(known, trace**2 / np.where(known, trace_of_square, 1.0), 0.0)


MODEL = Ewma()
