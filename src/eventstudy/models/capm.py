r"""CAPM: the market model in returns over the risk-free one.

.. math:: R_{it} - R_{ft} = \alpha_i + \beta_i (R_{mt} - R_{ft}) + e_{it}

It differs from ``market`` by :math:`(1 - \beta_i) R_{ft}`, and only so far as the rate moves within the windows: for
daily returns that is next to nothing. For long windows, for months, and for years in which rates moved. Alpha is
estimated and not held at the 0 of the theory, so the abnormal return needs no belief in it. Assumes stable alpha and
beta, and security, benchmark and rate in one currency, at one frequency, over the same hours.

Option: ``risk_free``, a column of the frame given to ``Study.run(factors=...)``, ``RF`` as in Kenneth French's files
unless given, or a ticker among the prices. A ticker stands for the change of its price, so one of a fund of bills
serves, and a quoted yield does not. Sharpe (1964, Journal of Finance 19:425); Lintner (1965, Review of Economics and
Statistics 47:13); Campbell, Lo & MacKinlay (1997, The Econometrics of Financial Markets, chapter 5).

Examples
--------
>>> import eventstudy as es
>>> es.model("capm", risk_free="BIL").columns
(Column(name='benchmark', shift=0, summed=False), Column(name='BIL', shift=0, summed=False))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eventstudy.core.linear import check_risk_free, excess, least_squares_over
from eventstudy.types import Abnormal, Block, Column, Estimator


@dataclass(frozen=True)
class Capm:
    """The market model in excess returns.

    Parameters
    ----------
    risk_free : str
        Column to take off the security's return and the benchmark's.

    Raises
    ------
    InputError
        When it is no name.
    """

    risk_free: str = "RF"

    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    estimator: ClassVar[Estimator] = "ols"

    def __post_init__(self) -> None:
        check_risk_free("the capm model", self.risk_free, ["benchmark"])

    @property
    def columns(self) -> tuple[Column, ...]:
        """The benchmark and the risk-free column."""
        return (Column("benchmark"), Column(self.risk_free))

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        market, risk_free = block.x[..., 0], block.x[..., 1]
        return least_squares_over(block, risk_free, [1.0, excess(block, market, risk_free)])


MODEL = Capm()
