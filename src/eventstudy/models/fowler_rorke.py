r"""Fowler-Rorke: the market model with a beta of weighted leads and lags.

.. math:: R_{it} = a_i + \sum_{k=-q}^{q} d_{ik} R_{m,t+k} + u_{it}, \quad
          \beta_i = d_{i0} + \sum_{k=1}^{q} w_k (d_{i,-k} + d_{ik}), \quad \alpha_i = \bar R_i - \beta_i \bar R_m

.. math:: q = 1: \; w_1 = \frac{1 + \rho_1}{1 + 2\rho_1}; \qquad
          q = 2: \; w_1 = \frac{1 + 2\rho_1 + \rho_2}{1 + 2\rho_1 + 2\rho_2}, \;
          w_2 = \frac{1 + \rho_1 + \rho_2}{1 + 2\rho_1 + 2\rho_2}

and AR = R - alpha - beta R_m. The weights make the sum of Dimson's betas consistent with Scholes and Williams where the
benchmark is autocorrelated up to order q. The autocorrelation rho_k is the mean of the benchmark's slopes on itself
led and lagged by k, over the days on which all its returns are known, and its own estimation error is not counted.
sigma has the divisor M - 2, as for the market model; the forecast variance is exact under independent errors.

For securities that go without a trade for up to q sessions. Unlike ``dimson`` it takes no more than the benchmark's
return of the day from the security's. Fowler & Rorke (1983, Journal of Financial Economics 12:279).

Examples
--------
>>> import eventstudy as es
>>> [column.shift for column in es.model("fowler_rorke", order=2).columns]
[-2, -1, 0, 1, 2]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventstudy.core.betas import assess, deviations, line, slopes
from eventstudy.core.ols import SINGULAR, least_squares
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Bools, Column, Floats, Status


@dataclass(frozen=True)
class FowlerRorke:
    """The market model with the beta of Fowler and Rorke.

    Parameters
    ----------
    order : int
        Leads and lags, 1 or 2.

    Raises
    ------
    InputError
        When it is another number.
    """

    order: int = 1

    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        if type(self.order) is not int or self.order not in (1, 2):
            raise InputError(f"order of the fowler_rorke model is {self.order!r}; give 1 or 2 leads and lags")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The benchmark from its longest lag to its longest lead."""
        return tuple(Column("benchmark", shift) for shift in range(-self.order, self.order + 1))

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2, of which a regression with 2 + 2 order is made."""
        weight = block.ok[:, : block.n_est].astype(np.float64)
        weights, singular = self._weights(block, weight)
        own = block.x[..., self.order]
        around = [
            np.where(block.ok, block.x[..., j], 0.0) - weights[:, [j]] * np.where(block.ok, own, 0.0)
            for j in range(2 * self.order + 1)
            if j != self.order
        ]
        # Beside the others less w times itself, the benchmark has the weighted sum as its coefficient.
        whole = least_squares(block, [1.0, *around, own])
        fitted = line(block, own, whole.h[:, : block.n_est, -1], weight)
        fitted = fitted._replace(singular=fitted.singular | singular | (whole.status == Status.SINGULAR))
        dof = weight.sum(axis=1) - 2.0
        return assess(block, block.ok, fitted, weight, dof, dof, whole.dof < 1)

    def _weights(self, block: Block, weight: Floats) -> tuple[Floats, Bools]:
        """Give the weight of each column (N, 2 order + 1), and where there is none."""
        near = deviations(block.x[:, : block.n_est], weight)
        on = slopes(near.d[..., self.order], near)
        rho = [(on[:, self.order - k] + on[:, self.order + k]) / 2.0 for k in range(1, self.order + 1)]
        total = 1.0 + 2.0 * sum(rho)
        undetermined = np.abs(total) <= SINGULAR
        total = np.where(undetermined, 1.0, total)
        if self.order == 1:
            w = [(1.0 + rho[0]) / total]
        else:
            w = [(1.0 + 2.0 * rho[0] + rho[1]) / total, (1.0 + rho[0] + rho[1]) / total]
        return np.stack([*w[::-1], np.ones(len(total)), *w], axis=1), undetermined | near.constant.any(axis=1)


MODEL = FowlerRorke()
