"""What is studied beside returns: volume, and any series of the user's own."""

from __future__ import annotations

import numpy as np

from eventstudy.bars import Bars
from eventstudy.types import Floats

RETURNS = ("return", "volatility")  # the volatility is that of returns


def is_return(outcome: str) -> bool:
    """Say whether an outcome is made from returns, and not from the level of a field."""
    return outcome in RETURNS


def level_of(bars: Bars, outcome: str) -> Floats:
    """Give the level of an outcome on a ticker's dates, NaN where it has none.

    ``volume`` is the natural logarithm of the shares traded, less that of the shares outstanding where the bars have a
    field ``shares`` (log turnover); a day without trade has none (Ajinkya & Jain 1989, Journal of Accounting and
    Economics 11:331). Any other outcome is the field of that name as it stands.
    """
    values = bars.fields.get(outcome, np.full(len(bars.dates), np.nan))
    if outcome != "volume":
        return values
    shares = bars.fields.get("shares", np.ones(len(values)))
    traded, outstanding = (np.where(level > 0, level, np.nan) for level in (values, shares))
    return np.asarray(np.log(traded) - np.log(outstanding))
