r"""Dimson: the market model with leads and lags of the benchmark.

.. math:: R_{it} = \alpha_i + \sum_{k=-q}^{p} \beta_{ik} R_{m,t+k} + e_{it}

Use it for thinly traded securities, and for a benchmark whose exchange closes at another hour: news in Hong Kong after
its close moves prices in New York on the same day, and the Hong Kong index on the next. Leads and lags are sessions of
the security's own exchange. Assumes that the sum of the betas is stable. Dimson (1979, Journal of Financial Economics
7:197).

Examples
--------
>>> import eventstudy as es
>>> es.model("dimson", leads=1, lags=1).coefficients
('alpha', 'beta_lag1', 'beta', 'beta_lead1')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator


@dataclass(frozen=True, repr=False)
class Dimson(DescribedModel):
    """The market model with leads and lags of the benchmark.

    Parameters
    ----------
    leads, lags : int
        Number of leads and of lags of the benchmark in sessions, 0 to 10 each.

    Raises
    ------
    InputError
        When one is not in this range.
    """

    leads: int = 1
    lags: int = 1

    estimator: ClassVar[Estimator] = "ols"

    def __post_init__(self) -> None:
        for name in ("leads", "lags"):
            if not (isinstance(getattr(self, name), int) and 0 <= getattr(self, name) <= 10):
                raise InputError(
                    f"{name} of the dimson model is {shown(getattr(self, name))}; give a whole number 0 to 10"
                )

    @property
    def columns(self) -> tuple[Column, ...]:
        """The benchmark from its longest lag to its longest lead."""
        return tuple(Column("benchmark", shift) for shift in range(-self.lags, self.leads + 1))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and one beta for each lag and lead."""
        lags = (f"beta_lag{k}" for k in range(self.lags, 0, -1))
        leads = (f"beta_lead{k}" for k in range(1, self.leads + 1))
        return ("alpha", *lags, "beta", *leads)

    def fit(self, block: Block) -> Abnormal:
        """Estimate on the prefix; k = 2 + leads + lags."""
        return least_squares(block, [1.0, *np.moveaxis(block.x, -1, 0)])


MODEL = Dimson()
