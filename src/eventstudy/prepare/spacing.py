"""How far the rows of daily or coarser prices are apart: their frequency, and how many of them a year has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.types import Dates, StudySample

FREQUENCIES = {"daily": 6.0, "weekly": 15.0, "monthly": 45.0}  # upper bounds of the median days between rows
WEEK, YEAR = 7, 365.25
SESSIONS = 252.0  # of a year of five weekdays, as quantstats and pyfolio count them
OFTEN = 0.5  # of the rows of the most frequent weekday: a weekday with fewer has no regular sessions
NEAR = 1.5  # times the median distance: what is longer is a gap
NOUNS = {"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}
KINDS = {52.0: "weekly", 12.0: "monthly", 4.0: "quarterly", 1.0: "yearly"}


class Spacing(NamedTuple):
    """The rows of a year, and what they are.

    ``kind`` is daily, weekly, monthly, quarterly or yearly, and empty for rows of another distance.
    """

    a_year: float
    kind: str

    @property
    def row(self) -> str:
        """What a row is."""
        return NOUNS.get(self.kind, "row")

    @property
    def returns(self) -> str:
        """The returns of the rows, in words."""
        return f"{self.kind} returns".lstrip()

    @property
    def sentence(self) -> str:
        """How many rows a year has."""
        return "A return is of a year." if self.kind == "yearly" else f"A year has {self.a_year:g} {self.row}s."


DAILY = Spacing(SESSIONS, "daily")


def median_days(dates: Dates) -> float:
    """Return the median days between rows; NaN of fewer than two."""
    return float(np.median(np.diff(dates).astype(np.int64))) if len(dates) > 1 else float("nan")


def frequency(dates: Dates) -> str | None:
    """Return the frequency of rows by the median days between them; None for a single row.

    Examples
    --------
    >>> frequency(np.array(["2021-01-31", "2021-02-28", "2021-03-31"], "M8[D]"))
    'monthly'
    """
    if len(dates) < 2:
        return None
    gap = median_days(dates)
    return next((name for name, below in FREQUENCIES.items() if gap < below), "yearly")


def spacing(dates: Dates) -> Spacing:
    """Return how many rows a year has, from their dates.

    Rows that are mostly one day apart are daily: 252 a year if they are on five weekdays, in proportion on more or
    fewer, and 365 if they are on all seven. Of others it is the days of a year over the mean distance without gaps:
    52 of weeks, 12 of months. Holidays, suspensions and years without prices do not count.

    Parameters
    ----------
    dates : datetime64[D] array
        Increasing.

    Returns
    -------
    Spacing
        That of daily sessions if there are fewer than two rows.

    Examples
    --------
    >>> spacing(np.arange("2021-01-01", "2021-06-01", dtype="M8[D]"))
    Spacing(a_year=365.0, kind='daily')
    >>> spacing(np.arange("2021-01-01", "2021-06-01", 7, dtype="M8[D]"))
    Spacing(a_year=52.0, kind='weekly')
    """
    if len(dates) < 2:
        return DAILY
    gaps = np.diff(dates).astype(np.int64)
    median = float(np.median(gaps))
    if median < 2:
        by_weekday = np.bincount(dates.astype("datetime64[D]").astype(np.int64) % WEEK, minlength=WEEK)
        n_weekdays = int((by_weekday >= OFTEN * by_weekday.max()).sum())
        return Spacing(365.0 if n_weekdays == WEEK else float(round(SESSIONS / 5 * n_weekdays)), "daily")
    a_year = float(max(round(YEAR / float(gaps[gaps <= NEAR * median].mean())), 1))
    return Spacing(a_year, KINDS.get(a_year, ""))


def row_of(sample: StudySample) -> str:
    """Return what a row of the prices of a study is: a bar, a day, a week, a month."""
    if sample.event_table.intraday:
        return "bar"
    return spacing(sample.panels[0].sessions.astype("datetime64[D]")).row if len(sample.panels) else DAILY.row
