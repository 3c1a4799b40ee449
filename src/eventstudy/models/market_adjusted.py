r"""Market-adjusted: the normal return is the benchmark's return of the same day.

.. math:: AR_{it} = R_{it} - R_{mt}

No parameters are estimated (alpha is 0 and beta 1): only the variance comes from the estimation window, which may be
short if ``min_estimation`` of the study is lowered. Biased if beta is not 1. The residual variance has the divisor M.
Brown & Warner (1980, Journal of Financial Economics 8:205).

Examples
--------
>>> import eventstudy as es
>>> es.model("market_adjusted").coefficients
()
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator


@dataclass(frozen=True, repr=False)
class MarketAdjusted(DescribedModel):
    """The market-adjusted model; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ()
    estimator: ClassVar[Estimator] = "ols"

    def fit(self, block: Block) -> Abnormal:
        """Subtract the benchmark's return; k = 0."""
        excess = np.where(block.ok, block.r, 0.0) - np.where(block.ok, block.x[..., 0], 0.0)
        return replace(least_squares(replace(block, r=excess), []), block=block)


MODEL = MarketAdjusted()
