r"""Trade-to-trade: the market model over the sessions between the prices of a thinly traded security.

.. math:: R_{id} = \alpha_i d + \beta_i \sum_{s=1}^{d} R_{ms} + e_{id}, \quad \mathrm{Var}(e_{id}) = d\,\sigma_i^2

with d the number of sessions since the security's previous price. Instead of a return of 0 on days without a trade and
a jump on the next trade, the security's return spans d sessions, and so does the market's. All terms, including the
intercept's d, are divided by the root of d and fitted by least squares. Abnormal returns are then multiplied by the
root again, with d times the variance of a session, so that a CAR is a sum of realised returns. Alpha and sigma are per
session. Assumes independent returns of the sessions with equal variance, and that news is priced at the next trade. For
a security that trades in every session it is the market model. Maynes & Rumsey (1993, Journal of Banking & Finance
17:145).

Examples
--------
>>> import eventstudy as es
>>> [column.name for column in es.model("trade_to_trade").columns]
['sessions', 'benchmark']
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Column, DescribedModel


@dataclass(frozen=True, repr=False)
class TradeToTrade(DescribedModel):
    """The market model over the sessions between prices; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = (Column("sessions"), Column("benchmark", summed=True))
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix with weights 1/d; k = 2.

        ``r2`` compares the fit with that of a constant mean return per session, alpha d.
        """
        days = np.where(block.ok, block.x[..., 0], 1.0)
        root = np.sqrt(days)
        r, market = (np.where(block.ok, series, 0.0) / root for series in (block.r, block.x[..., 1]))
        scaled = replace(block, r=r)
        fit, mean = least_squares(scaled, [root, market]), least_squares(scaled, [root])
        unexplained = fit.sigma**2 * fit.dof
        total = mean.sigma**2 * mean.dof
        r2 = 1.0 - np.divide(unexplained, total, out=np.full(len(r), np.nan), where=np.isfinite(unexplained))
        return replace(fit, block=block, ar=root * fit.ar, h=root[..., None] * fit.h, r2=r2, v=days)


MODEL = TradeToTrade()
