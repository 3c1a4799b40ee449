"""What a study measures, in words and in numbers as people read them; tables, plots and messages all ask here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from eventstudy.display import formats

LONGEST = 24  # columns that the name of a field of the user's own may take


@dataclass(frozen=True)
class Measure:
    """The quantity of a study.

    Attributes
    ----------
    short : str
        As a column of a table says it: CAR.
    name : str
        In full: cumulative abnormal return.
    average : str
        What ``Result.daily`` has in ``caar``.
    daily : str
        What ``Result.ar`` has: abnormal return.
    series : str
        What it is made from, day by day: return.
    column : str
        Where ``Result.cars`` has it.
    percent : bool
        Whether it reads in per cent; else it is a plain number with ``digits`` decimals.
    """

    short: str
    name: str
    average: str
    daily: str
    series: str = "return"
    column: str = "car"
    percent: bool = False
    digits: int = 3

    @property
    def full(self) -> str:
        """The name with what it is called for short."""
        return f"{self.name} ({self.short})"

    @property
    def has_p(self) -> bool:
        """Whether the p-values of single events, which are those of sums, are of this quantity."""
        return self.column == "car"

    @property
    def of_returns(self) -> bool:
        """Whether it is made from returns."""
        return self.series == "return"

    def text(self, value: Any, digits: int | None = None) -> str:
        """Write a value with its sign.

        Examples
        --------
        >>> measure_of().text(-0.0612), measure_of("volume").text(0.4)
        ('−6.12 %', '+0.400')
        """
        if self.percent:
            return formats.percent(value, 2 if digits is None else digits)
        return formats.signed(value, self.digits if digits is None else digits)

    def shock(self, value: float) -> str:
        """Write a shock to the series, which for the volatility is a return.

        Examples
        --------
        >>> measure_of("volatility").shock(0.02), measure_of("volume").shock(0.25)
        ('+2.00 %', '+0.25')
        """
        if self.of_returns:
            return formats.percent(value)
        return f"{value:+g}".replace("-", "−") if value else "0"


KNOWN = {
    ("return", "sum"): Measure(
        "CAR", "cumulative abnormal return", "Cumulative average abnormal return", "abnormal return", percent=True
    ),
    ("return", "compound"): Measure(
        "BHAR", "buy-and-hold abnormal return", "Average buy-and-hold abnormal return", "abnormal return",
        column="bhar", percent=True,
    ),
    ("volatility", "sum"): Measure(
        "CAV", "cumulative abnormal volatility", "Mean cumulative abnormal volatility", "abnormal volatility"
    ),
    ("volume", "sum"): Measure(
        "CAV", "cumulative abnormal log volume", "Mean cumulative abnormal log volume", "abnormal log volume",
        "volume",
    ),
}  # fmt: skip


def measure_of(outcome: str = "return", accumulate: str = "sum", size: float = math.nan) -> Measure:
    """Return what a study measures.

    Parameters
    ----------
    outcome, accumulate : str
        As in :class:`eventstudy.Study`.
    size : float
        How large a typical value is; plain numbers show three digits of it.

    Examples
    --------
    >>> spread = measure_of("spread", size=0.0042)
    >>> spread.full, spread.text(0.0042)
    ('cumulative abnormal spread (CA spread)', '+0.00420')
    """
    measure = KNOWN.get((outcome, accumulate))
    if measure is None:
        field = formats.cut(formats.plain(outcome), LONGEST)
        name = f"cumulative abnormal {field}"
        measure = Measure(f"CA {field}", name, f"Mean {name}", f"abnormal {field}", field)
    if measure.percent or not 0.0 < size < math.inf:
        return measure
    return replace(measure, digits=min(max(2 - math.floor(math.log10(size)), 0), 9))
