r"""Market model: the normal return is linear in the benchmark's return of the same day.

.. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}

This is the standard model of event studies. Assumes that alpha and beta are stable from the estimation window to the
event window and that both series trade during the same hours; for a benchmark in another time zone use ``dimson``.
MacKinlay (1997, Journal of Economic Literature 35:13).

Examples
--------
>>> import eventstudy as es
>>> es.model("market").coefficients
('alpha', 'beta')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator


@dataclass(frozen=True, repr=False)
class Market(DescribedModel):
    """The market model; it has no options."""

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    estimator: ClassVar[Estimator] = "ols"

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        return least_squares(block, [1.0, block.x[..., 0]])


MODEL = Market()
