"""Abnormal volatility in the place of abnormal returns, so that every test of a mean tests a change of variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.core.scores import standardised
from eventstudy.types import Abnormal, Block, Column, Model, Status


@dataclass(frozen=True)
class SquaredModel:
    r"""A model whose abnormal return is the excess of the variance ratio over 1.

    .. math:: U_{it} = \frac{M_i - k_i - 2}{M_i - k_i} SAR_{it}^2 - 1

    on event days, where the square of a standardised abnormal return, F(1, M - k), has mean (M - k) / (M - k - 2); on
    estimation days :math:`U = SAR^2 - 1` with the leverage in SAR. Its sum over a window is the cumulative abnormal
    volatility of Bialkowski, Gottschalk & Wisniewski (2008, Journal of Banking & Finance 32:1941).

    The days of an event share the error of its variance. With d = M - k and normal returns the sum over L days has

    .. math:: Var(\sum U) = 2 L \frac{d - 2}{d - 4} + L^2 \frac{2}{d - 4},

    where ``v`` carries the first part, over the variance 2 (d - 1) / (d + 2) of an estimation day, and ``h`` the
    second. Under the null the mean is 0 and the distribution that of a squared normal: tests of few events over one
    day reject too often, downwards, and fat tails of returns make that worse. Take 200 events, or several days.
    """

    model: Model

    @property
    def columns(self) -> tuple[Column, ...]:
        """The model's own."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The model's own."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Fit the model, and square what it leaves."""
        made = self.model.fit(block)
        n_est, n = made.n_est, made.ok[:, : made.n_est].sum(axis=1)
        status = np.where((made.status == Status.OK) & (made.dof <= 4), Status.TOO_FEW_ESTIMATION, made.status)
        usable = status == Status.OK
        made = replace(made, sigma=np.where(usable, made.sigma, 1.0))
        prefix, suffix = standardised(made)
        dof = np.where(usable, made.dof, 5.0)[:, None]
        u = np.concatenate([prefix**2, suffix**2 * (dof - 2.0) / dof], axis=1) - 1.0
        u = np.where(made.ok & usable[:, None], u, 0.0)
        sigma = np.sqrt((u[:, :n_est] ** 2).sum(axis=1) / np.maximum(n - 1, 1))
        flat = usable & ~(sigma > 0)
        h = np.where(made.ok, np.sqrt(2.0 / (dof - 4.0)) / np.where(sigma > 0, sigma, 1.0)[:, None], 0.0)
        h[:, :n_est] = 0.0
        v = np.ones_like(u)
        v[:, n_est:] = (dof - 2.0) * (dof + 2.0) / ((dof - 4.0) * (dof - 1.0)) * (1.0 - 1.0 / np.maximum(n, 1))[:, None]
        return replace(
            made,
            ar=u,
            sigma=np.where(usable & ~flat, sigma, np.nan),
            dof=np.where(usable, n - 1.0, made.dof),
            h=h[..., None],
            status=np.where(flat, Status.NO_VARIATION, status),
            v=v,
            placebos=None,
        )
