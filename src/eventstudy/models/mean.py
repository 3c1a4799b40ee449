r"""Constant mean: the normal return is the security's own average.

.. math:: R_{it} = \mu_i + e_{it}

It needs no benchmark, and the abnormal return includes the market's move of the day. Assumes a stable mean over
the estimation window. Brown & Warner (1980, Journal of Financial Economics 8:205).

Examples
--------
>>> import eventstudy as es
>>> es.model("mean").coefficients
('alpha',)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator


@dataclass(frozen=True, repr=False)
class Mean(DescribedModel):
    """The constant-mean model; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = ()
    coefficients: ClassVar[tuple[str, ...]] = ("alpha",)
    estimator: ClassVar[Estimator] = "ols"

    def fit(self, block: Block) -> Abnormal:
        """Estimate the mean on the prefix; k = 1."""
        return least_squares(block, [1.0])


MODEL = Mean()
