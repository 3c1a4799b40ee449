r"""Trade-to-trade: the market model over the sessions between a thinly traded security's prices.

.. math:: R_{id} = \alpha_i d + \beta_i \sum_{s=1}^{d} R_{ms} + e_{id}, \quad \mathrm{Var}(e_{id}) = d\,\sigma_i^2

with d the sessions since the security's previous price. Instead of a return of 0 on days without a trade, and a jump
when it trades again, the security's return spans the d sessions and so does the market's. All terms, the intercept's
d too, are divided by the root of d and fitted by least squares; abnormal returns are then given back whole, with d
times the variance of a session, so that a CAR is the sum of the returns that an owner had. Alpha and sigma are those
of one session. Assumes independent returns of the single sessions with one variance, and that the news waits for the
next trade. A security that trades every session has the market model. Maynes & Rumsey (1993, Journal of Banking &
Finance 17:145).

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
from eventstudy.types import Abnormal, Block, Column


@dataclass(frozen=True)
class TradeToTrade:
    """The market model over the sessions between prices; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = (Column("sessions"), Column("benchmark", summed=True))
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix with weights 1/d; k = 2.

        ``r2`` compares with the mean return of a session, alpha d, alone.
        """
        days = np.where(block.ok, block.x[..., 0], 1.0)
        root = np.sqrt(days)
        r, market = (np.where(block.ok, series, 0.0) / root for series in (block.r, block.x[..., 1]))
        scaled = replace(block, r=r)
        made, mean = least_squares(scaled, [root, market]), least_squares(scaled, [root])
        unexplained = made.sigma**2 * made.dof
        total = mean.sigma**2 * mean.dof
        r2 = 1.0 - np.divide(unexplained, total, out=np.full(len(r), np.nan), where=np.isfinite(unexplained))
        return replace(made, block=block, ar=root * made.ar, h=root[..., None] * made.h, r2=r2, v=days)


MODEL = TradeToTrade()
