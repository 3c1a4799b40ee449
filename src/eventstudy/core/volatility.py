"""Abnormal volatility in place of abnormal returns, so that every test of a mean becomes a test of variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.core.scores import standardise
from eventstudy.types import Abnormal, Block, Column, Model, Status


@dataclass(frozen=True)
class SquaredModel:
    r"""A model whose abnormal return is the ratio of the day's variance to its normal variance, minus 1.

    .. math:: U_{it} = \frac{M_i - k_i - 2}{M_i - k_i} SAR_{it}^2 - 1

    on event days, where the square of a standardised abnormal return, F(1, M - k), has mean (M - k) / (M - k - 2); on
    estimation days :math:`U = SAR^2 - 1`, with the leverage in SAR. The sum of U over a window is the cumulative
    abnormal volatility of Bialkowski, Gottschalk & Wisniewski (2008, Journal of Banking & Finance 32:1941).

    The days of an event share the estimation error of its variance. With d = M - k and normal returns, the sum over L
    days has the variance

    .. math:: Var(\sum U) = 2 L \frac{d - 2}{d - 4} + L^2 \frac{2}{d - 4},

    where ``v`` carries the first term, relative to the variance 2 (d - 1) / (d + 2) of an estimation day, and ``h`` the
    second. Under the null U has mean 0 and the distribution of a squared normal: tests of few events over one day
    reject too often in favour of a decrease, the more so with fat-tailed returns. Use 200 events or more, or windows of
    several days.
    """

    model: Model

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the underlying model."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The coefficients of the underlying model."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Fit the underlying model and square its standardised residuals and abnormal returns."""
        fit = self.model.fit(block)
        n_est, n = fit.n_est, fit.ok[:, : fit.n_est].sum(axis=1)
        status = np.where((fit.status == Status.OK) & (fit.dof <= 4), Status.TOO_FEW_ESTIMATION, fit.status)
        usable = status == Status.OK
        fit = replace(fit, sigma=np.where(usable, fit.sigma, 1.0))
        prefix, suffix = standardise(fit)
        dof = np.where(usable, fit.dof, 5.0)[:, None]
        u = np.concatenate([prefix**2, suffix**2 * (dof - 2.0) / dof], axis=1) - 1.0
        u = np.where(fit.ok & usable[:, None], u, 0.0)
        sigma = np.sqrt((u[:, :n_est] ** 2).sum(axis=1) / np.maximum(n - 1, 1))
        flat = usable & ~(sigma > 0)
        h = np.where(fit.ok, np.sqrt(2.0 / (dof - 4.0)) / np.where(sigma > 0, sigma, 1.0)[:, None], 0.0)
        h[:, :n_est] = 0.0
        v = np.ones_like(u)
        v[:, n_est:] = (dof - 2.0) * (dof + 2.0) / ((dof - 4.0) * (dof - 1.0)) * (1.0 - 1.0 / np.maximum(n, 1))[:, None]
        return replace(
            fit,
            ar=u,
            sigma=np.where(usable & ~flat, sigma, np.nan),
            dof=np.where(usable, n - 1.0, fit.dof),
            h=h[..., None],
            status=np.where(flat, Status.NO_VARIATION, status),
            v=v,
            placebos=None,
        )
