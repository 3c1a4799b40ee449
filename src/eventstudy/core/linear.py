"""The linear factor model, which the members of ``models/`` give names of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Column, Estimator, Floats, Status


@dataclass(frozen=True)
class Factors:
    """A factor model: least squares of the return, or of its excess over a risk-free one, on named columns.

    Parameters
    ----------
    names : sequence of str
        Columns to regress on; ``benchmark`` is the event's benchmark.
    risk_free : str or None
        Column to take off the security's return.

    Raises
    ------
    InputError
        When a name is not a text or stands twice, or there is none.

    Examples
    --------
    >>> Factors(("Mkt-RF", "Mom"), "RF").coefficients
    ('alpha', 'Mkt-RF', 'Mom')
    """

    names: Sequence[str] = ("benchmark",)
    risk_free: str | None = None

    estimator: ClassVar[Estimator] = "ols"

    def __post_init__(self) -> None:
        names = () if isinstance(self.names, str) else tuple(self.names)
        if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
            raise InputError(f"names of a factor model is {self.names!r}; give a list of different column names")
        if self.risk_free is not None:
            check_risk_free("a factor model", self.risk_free, names)

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
        design = [1.0, *x[: len(self.names)]]
        return least_squares(block, design) if self.risk_free is None else least_squares_over(block, x[-1], design)


def excess(block: Block, r: Floats, risk_free: Floats) -> Floats:
    """Take the risk-free return off another, (N, L); 0 where the block is not ok."""
    return np.asarray(np.where(block.ok, r, 0.0) - np.where(block.ok, risk_free, 0.0))


def least_squares_over(block: Block, risk_free: Floats, design: Sequence[Floats | float]) -> Abnormal:
    """Regress the return over the risk-free one (N, L) on a design (:func:`eventstudy.core.ols.least_squares`).

    ``Abnormal.block`` keeps the plain return. A security whose plain return does not vary is NO_VARIATION, though its
    excess return moves with the rate.
    """
    made = replace(least_squares(replace(block, r=excess(block, block.r, risk_free)), design), block=block)
    flat = (made.status == Status.OK) & (least_squares(block, [1.0]).status == Status.NO_VARIATION)
    return replace(
        made,
        status=np.where(flat, Status.NO_VARIATION, made.status),
        sigma=np.where(flat, np.nan, made.sigma),
        coef=np.where(flat[:, None], np.nan, made.coef),
        r2=np.where(flat, np.nan, made.r2),
    )


def check_risk_free(of: str, name: object, others: Sequence[str]) -> None:
    """Refuse a risk-free column that is no name, or that is one of the regressors."""
    if not isinstance(name, str) or not name or name in others:
        raise InputError(
            f"risk_free of {of} is {name!r}; give the name of a column other than {', '.join(map(repr, others))}"
        )
