"""The length of intraday bars, inferred from their starts."""

from __future__ import annotations

import numpy as np

from eventstudy.errors import BadPrices, InputError
from eventstudy.types import Dates

LONGEST = np.timedelta64(12 * 3600, "s")  # an intraday bar; anything longer is taken for daily prices
HALVES = 40  # with at least this many differences, both halves of a series must imply the same bar length


def step_of(ticker: str, dates: Dates) -> np.timedelta64 | None:
    """Infer the length of a full bar from the starts of bars: the most frequent difference; None for daily dates.

    Raises
    ------
    BadPrices
        If there are fewer than two bars, or the two halves of the series differ in their most frequent difference.
    InputError
        If the length exceeds 12 hours: daily prices with times of day.

    Examples
    --------
    >>> starts = np.array(["2021-01-04T09:00", "2021-01-04T09:30", "2021-01-04T10:30", "2021-01-04T11:30"], "M8[s]")
    >>> step_of("A", starts)
    np.timedelta64(3600,'s')
    """
    if np.datetime_data(dates.dtype)[0] != "s":
        return None
    steps = np.diff(dates)
    steps = steps[steps > np.timedelta64(0, "s")]
    if not len(steps):
        raise BadPrices(f"{ticker} has {len(dates)} bars; two or more are needed to infer the length of a bar")
    halves = np.array_split(steps, 2) if len(steps) >= HALVES else [steps]
    lengths = [_most_frequent(half) for half in (steps, *halves)]
    if len(set(lengths)) > 1:
        raise BadPrices(
            f"{ticker} has mixed steps: its bars are mostly {minutes(lengths[1])} apart in the first half, to"
            f" {dates[len(dates) // 2]} UTC, and {minutes(lengths[2])} in the second; pass bars of one length"
        )
    if lengths[0] > LONGEST:
        raise InputError(
            f"{ticker} has one row a day with a time of day, such as {dates[0]} UTC: daily prices whose dates were"
            " converted to another time zone; tz_convert them to that of the exchange, and keep the dates only"
        )
    return lengths[0]


def _most_frequent(steps: np.ndarray) -> np.timedelta64:
    values, counts = np.unique(steps, return_counts=True)
    step: np.timedelta64 = values[counts.argmax()]
    return step


def minutes(step: np.timedelta64) -> str:
    """Format the length of a bar in minutes."""
    return f"{step / np.timedelta64(60, 's'):g} minutes"
