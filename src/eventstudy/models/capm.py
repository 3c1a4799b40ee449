r"""CAPM: the market model in excess of the risk-free return.

.. math:: R_{it} - R_{ft} = \alpha_i + \beta_i (R_{mt} - R_{ft}) + e_{it}

The abnormal return differs from that of ``market`` by :math:`(1 - \beta_i) R_{ft}`, and only as far as the rate changes
within the windows: for daily returns the difference is negligible. Use it for long windows, for monthly returns, and
for years in which interest rates changed. Alpha is estimated and not restricted to 0 as in the theory, so the abnormal
return does not depend on the CAPM being true. Assumes stable alpha and beta, and security, benchmark and rate in one
currency, at one frequency, over the same hours.

Option: ``risk_free``, a column of the frame passed to ``Study.run(factors=...)``, by default ``RF`` as in Kenneth
French's files, or a ticker among the prices. A ticker stands for the change of its price: the ticker of a fund of
treasury bills is suitable, a quoted yield is not. Sharpe (1964, Journal of Finance 19:425); Lintner (1965, Review of
Economics and Statistics 47:13); Campbell, Lo & MacKinlay (1997, The Econometrics of Financial Markets, chapter 5).

Examples
--------
>>> import eventstudy as es
>>> es.model("capm", risk_free="BIL").columns
(Column(name='benchmark', shift=0, summed=False), Column(name='BIL', shift=0, summed=False))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from eventstudy.core.linear import check_risk_free, excess_return, least_squares_excess
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Estimator


@dataclass(frozen=True, repr=False)
class Capm(DescribedModel):
    """The market model in excess returns.

    Parameters
    ----------
    risk_free : str
        Column to subtract from the returns of the security and the benchmark.

    Raises
    ------
    InputError
        When it is not a column name other than ``benchmark``.
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
        return least_squares_excess(block, risk_free, [1.0, excess_return(block, market, risk_free)])


MODEL = Capm()
