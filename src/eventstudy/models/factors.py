r"""Factor model: the normal return is linear in any named columns.

.. math:: R_{it} - R_{ft} = \alpha_i + \sum_k \beta_{ik} F_{kt} + e_{it}

A column is the name of a factor in the frame given to ``Study.run(factors=...)`` (decimal returns by date), or a
ticker among the prices; ``risk_free`` names the column whose return is taken off the security's, where wanted.
Assumes stable loadings. Fama & French (1993, Journal of Financial Economics 33:3).

Examples
--------
>>> import eventstudy as es
>>> es.model("factors", names=("Mkt-RF", "SMB", "HML")).coefficients
('alpha', 'Mkt-RF', 'SMB', 'HML')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Column


@dataclass(frozen=True)
class Factors:
    """The factor model.

    Parameters
    ----------
    names : sequence of str
        Columns to regress on; ``benchmark`` is the event's benchmark.
    risk_free : str or None
        Column to take off the security's return.

    Raises
    ------
    InputError
        When names repeat, or there are none.
    """

    names: Sequence[str] = ("benchmark",)
    risk_free: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.names, str) or not self.names or len(set(self.names)) < len(self.names):
            raise InputError(f"names of the factors model is {self.names!r}; give a list of different column names")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The factors, and the risk-free column last where there is one."""
        rest = () if self.risk_free is None else (self.risk_free,)
        return tuple(Column(name) for name in (*self.names, *rest))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and one loading a factor."""
        return ("alpha", *self.names)

    def fit(self, block: Block) -> Abnormal:
        """Estimate the loadings on the prefix; k = 1 + number of factors."""
        x = np.moveaxis(block.x, -1, 0)
        if self.risk_free is not None:
            block = replace(block, r=np.where(block.ok, block.r, 0.0) - np.where(block.ok, x[-1], 0.0))
        return least_squares(block, [1.0, *x[: len(self.names)]])


MODEL = Factors()
