r"""Fowler-Rorke: the market model with a beta of weighted leads and lags.

.. math:: R_{it} = a_i + \sum_{k=-q}^{q} d_{ik} R_{m,t+k} + u_{it}, \quad
          \beta_i = d_{i0} + \sum_{k=1}^{q} w_k (d_{i,-k} + d_{ik}), \quad \alpha_i = \bar R_i - \beta_i \bar R_m

.. math:: q = 1: \; w_1 = \frac{1 + \rho_1}{1 + 2\rho_1}; \qquad
          q = 2: \; w_1 = \frac{1 + 2\rho_1 + \rho_2}{1 + 2\rho_1 + 2\rho_2}, \;
          w_2 = \frac{1 + \rho_1 + \rho_2}{1 + 2\rho_1 + 2\rho_2}

and AR = R - alpha - beta R_m. The weights make the sum of Dimson's betas consistent with Scholes and Williams if the
benchmark is autocorrelated up to order q. The autocorrelation rho_k is the mean of the slopes of the benchmark on its
own lead and lag k, over the days on which all its returns are known; the estimation error of rho_k is ignored. sigma
has the divisor M - 2, as for the market model; the forecast variance is exact under independent errors.

Use it for securities that may not trade for up to q sessions. Unlike ``dimson`` it subtracts only the benchmark's
return of the same day. Fowler & Rorke (1983, Journal of Financial Economics 12:279).

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

from eventstudy.core.betas import abnormal_from_line, deviations, fit_line, slopes
from eventstudy.core.ols import SINGULAR, least_squares
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Bools, Column, DescribedModel, Floats, Status


@dataclass(frozen=True, repr=False)
class FowlerRorke(DescribedModel):
    """The market model with the Fowler-Rorke beta.

    Parameters
    ----------
    order : int
        Number of leads and lags, 1 or 2.

    Raises
    ------
    InputError
        When it is another number.
    """

    order: int = 1

    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        if type(self.order) is not int or self.order not in (1, 2):
            raise InputError(f"order of the fowler_rorke model is {shown(self.order)}; give 1 or 2 leads and lags")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The benchmark from its longest lag to its longest lead."""
        return tuple(Column("benchmark", shift) for shift in range(-self.order, self.order + 1))

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix, from a regression with 2 + 2 order parameters; k = 2."""
        weight = block.ok[:, : block.n_est].astype(np.float64)
        weights, singular = self._weights(block, weight)
        benchmark = block.x[..., self.order]
        neighbours = [
            np.where(block.ok, block.x[..., j], 0.0) - weights[:, [j]] * np.where(block.ok, benchmark, 0.0)
            for j in range(2 * self.order + 1)
            if j != self.order
        ]
        # With w times the benchmark subtracted from each lead and lag, the benchmark's coefficient is the weighted sum.
        regression = least_squares(block, [1.0, *neighbours, benchmark])
        line = fit_line(block, benchmark, regression.h[:, : block.n_est, -1], weight)
        line = line._replace(singular=line.singular | singular | (regression.status == Status.SINGULAR))
        dof = weight.sum(axis=1) - 2.0
        return abnormal_from_line(block, block.ok, line, weight, dof, dof, regression.dof < 1)

    def _weights(self, block: Block, weight: Floats) -> tuple[Floats, Bools]:
        """Return the weight of each column (N, 2 order + 1), and the events whose weights are not determined (N,)."""
        shifted = deviations(block.x[:, : block.n_est], weight)
        slope = slopes(shifted.d[..., self.order], shifted)
        rho = [(slope[:, self.order - k] + slope[:, self.order + k]) / 2.0 for k in range(1, self.order + 1)]
        total = 1.0 + 2.0 * sum(rho)
        undetermined = np.abs(total) <= SINGULAR
        total = np.where(undetermined, 1.0, total)
        if self.order == 1:
            w = [(1.0 + rho[0]) / total]
        else:
            w = [(1.0 + 2.0 * rho[0] + rho[1]) / total, (1.0 + rho[0] + rho[1]) / total]
        return np.stack([*w[::-1], np.ones(len(total)), *w], axis=1), undetermined | shifted.constant.any(axis=1)


MODEL = FowlerRorke()
