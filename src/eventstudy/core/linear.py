"""The linear factor model, on which the models that differ only in the names of their factors are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator, Floats, Status


@dataclass(frozen=True, repr=False)
class Factors(DescribedModel):
    """A factor model: the return, or its excess over a risk-free return, regressed on named columns.

    Parameters
    ----------
    names : sequence of str
        Columns to regress on; ``benchmark`` is the event's benchmark.
    risk_free : str or None
        Column to subtract from the security's return.

    Raises
    ------
    InputError
        When there is no name, a name is repeated, or a name is not a string.

    Examples
    --------
    >>> Factors(("Mkt-RF", "Mom"), "RF").coefficients
    ('alpha', 'Mkt-RF', 'Mom')
    """

    names: Sequence[str] = ("benchmark",)
    risk_free: str | None = None

    estimator: ClassVar[Estimator] = "ols"

    def __post_init__(self) -> None:
        names = tuple(self.names) if isinstance(self.names, Sequence) and not isinstance(self.names, str) else ()
        if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
            raise InputError(f"names of a factor model is {shown(self.names)}; give a list of different column names")
        if self.risk_free is not None:
            check_risk_free("a factor model", self.risk_free, names)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The factors, followed by the risk-free column if there is one."""
        rest = () if self.risk_free is None else (self.risk_free,)
        return tuple(Column(name) for name in (*self.names, *rest))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and one loading for each factor."""
        return ("alpha", *self.names)

    def fit(self, block: Block) -> Abnormal:
        """Estimate the loadings on the prefix; k = 1 + number of factors."""
        x = np.moveaxis(block.x, -1, 0)
        design = [1.0, *x[: len(self.names)]]
        return least_squares(block, design) if self.risk_free is None else least_squares_excess(block, x[-1], design)


def excess_return(block: Block, r: Floats, risk_free: Floats) -> Floats:
    """Subtract the risk-free return from a return, (N, L); 0 where the block is not ok."""
    return np.asarray(np.where(block.ok, r, 0.0) - np.where(block.ok, risk_free, 0.0))


def least_squares_excess(block: Block, risk_free: Floats, design: Sequence[Floats | float]) -> Abnormal:
    """Regress the return in excess of the risk-free one (N, L) on a design (see ``core.ols.least_squares``).

    ``Abnormal.block`` keeps the plain return. A security whose plain return does not vary has status NO_VARIATION,
    although its excess return varies with the rate.
    """
    abnormal = least_squares(replace(block, r=excess_return(block, block.r, risk_free)), design)
    abnormal = replace(abnormal, block=block)
    flat = (abnormal.status == Status.OK) & (least_squares(block, [1.0]).status == Status.NO_VARIATION)
    return replace(
        abnormal,
        status=np.where(flat, Status.NO_VARIATION, abnormal.status),
        sigma=np.where(flat, np.nan, abnormal.sigma),
        coef=np.where(flat[:, None], np.nan, abnormal.coef),
        r2=np.where(flat, np.nan, abnormal.r2),
    )


def check_risk_free(model: str, name: object, regressors: Sequence[str]) -> None:
    """Raise InputError if the risk-free column has no valid name or is one of the regressors."""
    if not isinstance(name, str) or not name or name in regressors:
        others = ", ".join(map(repr, regressors))
        raise InputError(f"risk_free of {model} is {shown(name)}; give the name of a column other than {others}")
