"""Outcomes other than returns: volume, and any series of the user."""

from __future__ import annotations

import numpy as np

from eventstudy.bars import Bars
from eventstudy.types import Floats

RETURNS = ("return", "volatility")  # the volatility is that of returns


def is_return(outcome: str) -> bool:
    """Return whether an outcome is computed from returns rather than from the level of a field."""
    return outcome in RETURNS


def level_of(bars: Bars, outcome: str) -> Floats:
    """Return the level of an outcome on a ticker's dates, NaN where it has none.

    ``volume`` is the natural logarithm of the shares traded, minus that of the shares outstanding if the bars have a
    field ``shares`` (log turnover); NaN on a day without trade (Ajinkya & Jain 1989, Journal of Accounting and
    Economics 11:331). Every other outcome is the unchanged field of that name.
    """
    values = bars.fields.get(outcome, np.full(len(bars.dates), np.nan))
    if outcome != "volume":
        return values
    shares = bars.fields.get("shares", np.ones(len(values)))
    traded, outstanding = (np.where(level > 0, level, np.nan) for level in (values, shares))
    return np.asarray(np.log(traded) - np.log(outstanding))
