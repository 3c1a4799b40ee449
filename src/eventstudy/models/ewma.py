r"""EWMA: the market model by least squares with weights that decay into the past.

.. math:: (\alpha_i, \beta_i) = \mathrm{argmin} \sum_{t \in E} w_t (R_{it} - \alpha - \beta R_{mt})^2, \quad
          w_t = 2^{-(T - t)/H}

with T the last session of the estimation window and H the half-life in sessions; a missing day still ages those before
it. With A the estimator, e = (I - XA) R the residuals and Q = (I - XA)' W (I - XA),

.. math:: s_i^2 = \frac{\sum_E w_t e_{it}^2}{tr Q}, \quad \nu = \frac{(tr Q)^2}{tr(Q^2)}

which is unbiased under independent errors of one variance, with Satterthwaite's degrees of freedom (1946, Biometrics
Bulletin 2:110); the forecast variance is exact under these. A half-life of infinity is the market model.

For a beta or a volatility that drifts, so that the recent past tells more than the distant. The price is variance: H
sessions weigh as 2 H / ln 2 equal ones, and at the default of 60 that is 173. Exponential weights in J.P. Morgan
(1996, RiskMetrics Technical Document, 4th ed.); for beta, with a half-life of 63 sessions, Menchero, Orr & Wang (2011,
The Barra US Equity Model USE4, MSCI).

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

from eventstudy.core.betas import Deviations, assess, deviations, line
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Column, Floats


@dataclass(frozen=True)
class Ewma:
    """The market model with exponentially decaying weights.

    Parameters
    ----------
    halflife : float
        Sessions in which a day's weight falls by half, 1 or more.

    Raises
    ------
    InputError
        When it is less.
    """

    halflife: float = 60.0

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        number = isinstance(self.halflife, int | float) and not isinstance(self.halflife, bool)
        if not (number and self.halflife >= 1):
            raise InputError(f"halflife of the ewma model is {self.halflife!r}; give a number of sessions, 1 or more")

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        n_est = block.n_est
        weight = block.ok[:, :n_est] * 0.5 ** (np.arange(n_est)[::-1] / self.halflife)
        own = deviations(block.x[:, :n_est], weight)
        fitted = line(block, block.x[..., 0], weight * own.d[..., 0], weight)
        fitted = fitted._replace(singular=fitted.singular | own.constant[:, 0])
        divisor, dof = _moments(weight, own)
        return assess(block, block.ok, fitted, weight, divisor, dof, block.ok[:, :n_est].sum(axis=1) <= 2)


def _moments(weight: Floats, own: Deviations) -> tuple[Floats, Floats]:
    """Give tr Q and (tr Q)^2 / tr(Q^2), (N,), for Q = W - WX (X'WX)^-1 X'W."""
    scale = np.sqrt(np.maximum(weight.sum(axis=1), np.finfo(float).tiny))
    # Columns that are orthonormal by the weights, in which (X'WX)^-1 is the identity.
    q = np.stack([np.where(weight > 0, 1.0 / scale[:, None], 0.0), own.d[..., 0] / np.sqrt(own.squares)], axis=2)
    second = np.einsum("nl,nlj,nlk->njk", weight**2, q, q)
    third = np.einsum("nl,nlj->n", weight**3, q**2)
    trace = weight.sum(axis=1) - np.trace(second, axis1=1, axis2=2)
    of_square = (weight**2).sum(axis=1) - 2.0 * third + (second**2).sum(axis=(1, 2))
    known = (trace > 0) & (of_square > 0)
    return trace, np.where(known, trace**2 / np.where(known, of_square, 1.0), 0.0)


MODEL = Ewma()
