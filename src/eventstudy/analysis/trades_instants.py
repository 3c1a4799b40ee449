"""When the opens and closes of a backtest are had: of sessions, of bars, and of weeks and months."""

from __future__ import annotations

import numpy as np

from eventstudy import markets
from eventstudy.prepare.spacing import frequency, median_days
from eventstudy.types import BarsView, Calendar, Dates, Ints

SECOND, A_DAY = 10**9, 86_400 * 10**9  # nanoseconds


def instants(calendar: Calendar) -> tuple[Ints, Ints]:
    """Return the instants at which the opens and closes of rows are had, in UTC nanoseconds.

    The open of a week or a month is that of its first session, the first after the row before; of an exchange that is
    not known, it is had at once after that row.
    """
    opens, closes = of_days(calendar)
    if _is_coarse(calendar):
        opens = np.concatenate([opens[:1] - (closes[1] - closes[0]), _after(calendar, closes[:-1])])
    return opens, closes


def before_opens(calendar: Calendar, step: np.timedelta64 | None) -> Dates:
    """Return dates, or starts of bars, whose closes are the last that are known at the opens of rows.

    A bar of another security, as long as ``step``, may begin between the bars of this one: it has to have ended.
    """
    before: Dates = calendar.dates - (np.timedelta64(1, "D") if step is None else step)
    if _is_coarse(calendar):
        before[1:] = calendar.dates[:-1]
    return before


def of_days(calendar: Calendar) -> tuple[Ints, Ints]:
    """Return the instants of the opens and closes of the days of rows, or of bars.

    Those that are not known are too early to be had after news of the day.
    """
    starts = calendar.dates.astype("datetime64[ns]").astype(np.int64)
    if calendar.closes is None:
        return starts, starts + A_DAY - SECOND
    closes = calendar.closes.astype("datetime64[ns]").astype(np.int64)
    if calendar.intraday or calendar.name is None:
        return starts, closes
    dates, opens = _opens(calendar.name)
    at = np.minimum(np.searchsorted(dates, calendar.dates), len(dates) - 1)
    unknown = np.isin(calendar.dates, calendar.unknown)
    listed = (dates[at] == calendar.dates) & ~unknown
    begin = np.where(listed, opens[at], closes - A_DAY // 2)
    return begin, np.where(unknown, begin + SECOND, closes)


def _after(calendar: Calendar, closes: Ints) -> Ints:
    """Return the first open after each row but the last: the next instant where none is known."""
    if calendar.name is None:
        return closes + SECOND
    dates, opens = _opens(calendar.name)
    at = np.searchsorted(dates, calendar.dates[:-1], side="right")
    following = np.where(at < len(dates), opens[np.minimum(at, len(dates) - 1)], 0)
    return np.maximum(following, closes + SECOND)


def _opens(name: str) -> tuple[Dates, Ints]:
    """Return the sessions of an exchange, and when they open."""
    return markets.sessions(name)[0], markets.opens(name).astype("datetime64[ns]").astype(np.int64)


def is_coarser(bars: BarsView, calendar: Calendar) -> bool:
    """Return whether the prices are of weeks or months on a calendar of sessions: no session is that of their opens."""
    if calendar.intraday or _is_coarse(calendar):
        return False
    return frequency(bars.dates[np.isfinite(bars.fields["close"])]) not in (None, "daily")


def _is_coarse(calendar: Calendar) -> bool:
    """Return whether the rows of a calendar are weeks or months, and neither days nor bars."""
    return not calendar.intraday and median_days(calendar.dates) > 1
