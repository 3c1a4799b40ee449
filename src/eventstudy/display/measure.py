"""The quantity that a study measures: its names and number format, for tables, plots and messages."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from eventstudy.display import formats

LONGEST = 24  # characters of the name of a user-defined field at most


@dataclass(frozen=True)
class Measure:
    """The quantity of a study.

    Attributes
    ----------
    short : str
        Abbreviation, as in column headings: CAR.
    name : str
        Full name: cumulative abnormal return.
    average : str
        Name of ``Result.daily["caar"]``.
    daily : str
        Name of the values in ``Result.ar``: abnormal return.
    series : str
        Name of the daily series that is accumulated: return.
    column : str
        Its column in ``Result.cars``.
    percent : bool
        Whether values are shown in per cent; otherwise as numbers with ``digits`` decimals.
    sign : str or None
        The events column with whose sign values are multiplied in averages and tests.
    """

    short: str
    name: str
    average: str
    daily: str
    series: str = "return"
    column: str = "car"
    percent: bool = False
    digits: int = 3
    sign: str | None = None

    @property
    def averaged(self) -> str:
        """The abbreviation of what is averaged and tested: CAR, or signed CAR."""
        return self.short if self.sign is None else f"signed {self.short}"

    @property
    def averaged_full(self) -> str:
        """The full name of what is averaged and tested, with the abbreviation."""
        return self.full if self.sign is None else f"signed {self.full}"

    @property
    def full(self) -> str:
        """The full name with the abbreviation."""
        return f"{self.name} ({self.short})"

    @property
    def has_p(self) -> bool:
        """Whether the p-values of single events, which are of sums, belong to this quantity."""
        return self.column == "car"

    @property
    def of_returns(self) -> bool:
        """Whether the quantity is accumulated from returns."""
        return self.series == "return"

    def text(self, value: formats.Number, digits: int | None = None) -> str:
        """Format a value with its sign.

        Examples
        --------
        >>> measure_of().text(-0.0612), measure_of("volume").text(0.4)
        ('−6.12 %', '+0.400')
        """
        if self.percent:
            return formats.percent(value, 2 if digits is None else digits)
        return formats.signed(value, self.digits if digits is None else digits)

    def with_interval(self, value: formats.Number, lower: formats.Number, upper: formats.Number) -> str:
        """Format a value, followed by its interval if it has one.

        Examples
        --------
        >>> measure_of().with_interval(-0.0612, -0.08, -0.0424), measure_of().with_interval(-0.0612, None, None)
        ('−6.12 % [−8.00 %, −4.24 %]', '−6.12 %')
        """
        interval = "" if formats.is_missing(lower) else f" [{self.text(lower)}, {self.text(upper)}]"
        return self.text(value) + interval

    def shock(self, value: float) -> str:
        """Format a shock to the series, which for volatility is a return.

        Examples
        --------
        >>> measure_of("volatility").shock(0.02), measure_of("volume").shock(0.25)
        ('+2.00 %', '+0.25')
        """
        if self.of_returns:
            return formats.percent(value)
        return f"{value:+g}".replace("-", "−") if value else "0"


MEASURES = {
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


def measure_of(
    outcome: str = "return", accumulate: str = "sum", size: float = math.nan, sign: str | None = None
) -> Measure:
    """Return the quantity that a study measures.

    Parameters
    ----------
    outcome, accumulate : str
        As in :class:`eventstudy.Study`.
    size : float
        A typical absolute value; numbers other than per cent are shown with three of its digits.
    sign : str or None
        As in :class:`eventstudy.Study`.

    Examples
    --------
    >>> spread = measure_of("spread", size=0.0042)
    >>> spread.full, spread.text(0.0042)
    ('cumulative abnormal spread (CA spread)', '+0.00420')
    >>> measure_of(sign="expected_sign").averaged_full
    'signed cumulative abnormal return (CAR)'
    """
    measure = MEASURES.get((outcome, accumulate))
    if measure is None:
        field = formats.cut(formats.plain(outcome), LONGEST)
        name = f"cumulative abnormal {field}"
        measure = Measure(f"CA {field}", name, f"Mean {name}", f"abnormal {field}", field)
    if sign is not None:
        measure = replace(measure, average=f"{measure.average}, signed", sign=sign)
    if measure.percent or not 0.0 < size < math.inf:
        return measure
    return replace(measure, digits=min(max(2 - math.floor(math.log10(size)), 0), 9))
