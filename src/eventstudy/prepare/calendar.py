"""The sessions of an exchange as its prices show them, and the session in which an announcement can first move a price.

The rule: an event reacts in the first session whose *close* is strictly later than its time stamp. A date alone means
that date's session, or what the policy says where there was none. Bars within the day are sessions that close when they
end, and a date alone names none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars, minutes, priced_dates
from eventstudy.errors import AlignmentError, one_of
from eventstudy.prepare.intraday import ends, holes, written
from eventstudy.types import Bools, Calendar, Dates, Ints, OnClosed

POLICIES: tuple[OnClosed, ...] = get_args(OnClosed)
NOWHERE = -1  # the position of an event that has no session
NO_TIME = "a date alone names no bar; give a time of day"


def key(mic: str | None) -> str | None:
    """Give the name under which markets with the same sessions share one calendar."""
    return None if mic is None else markets.SAME_SESSIONS.get(mic, mic)


def observed(name: str | None, bars: Sequence[Bars], union: Dates | None = None) -> Calendar:
    """Correct an exchange's calendar by the prices that were seen on it; prices win.

    A date with a price becomes a session. A session on which no price stands, though two or more tickers trade before
    and after it, is taken as closed; with one ticker it stays, for that ticker may have been suspended. Both are noted.

    Parameters
    ----------
    name : str or None
        Of a calendar; None takes the dates of the prices as the calendar.
    bars : sequence of Bars
    union : datetime64 array, optional
        The dates on which one of them has a close, where they are known.
    """
    if union is None:
        union = priced_dates({b.ticker: b for b in bars}, [b.ticker for b in bars])
    if any(b.intraday for b in bars):
        return _of_bars(name, bars, union)
    if name is None:
        return Calendar(None, union, None)
    dates, closes = markets.sessions(name)
    ends = np.array([(b.first, b.last) for b in bars if not np.isnat(b.first)], dtype="datetime64[D]").reshape(-1, 2)
    begun = np.searchsorted(np.sort(ends[:, 0]), dates, side="right")
    cover = begun - np.searchsorted(np.sort(ends[:, 1]), dates, side="left")
    closed = (cover >= 2) & ~np.isin(dates, union)
    extra = union[~np.isin(union, dates)]
    notes = []
    if closed.any():
        notes.append(f"{name}: no price on {_some(dates[closed])}; taken as closed")
    if len(extra):
        notes.append(f"{name}: prices on {_some(extra)}, which its calendar does not know; taken as sessions")
    times = closes - dates.astype("datetime64[ns]")
    before = np.clip(np.searchsorted(dates, extra) - 1, 0, None)
    dates = np.concatenate([dates[~closed], extra])
    closes = np.concatenate([closes[~closed], extra.astype("datetime64[ns]") + times[before]])
    order = np.argsort(dates, kind="stable")
    return Calendar(name, dates[order], closes[order], tuple(notes))


def _of_bars(name: str | None, bars: Sequence[Bars], starts: Dates) -> Calendar:
    """Take the bars that were seen as the calendar; each ends as :func:`eventstudy.prepare.intraday.ends` says.

    A session of the exchange without any bar in its hours is one bar without a price, so that no return spans it.
    """
    steps = {b.step for b in bars if b.step is not None}
    step = min(steps)
    notes = [
        f"{name or 'the prices'}: bars of {minutes(step)}, the most frequent difference of their starts; one ends where"
        " the next begins, or trading stops"
    ]
    empty, days = holes(name, starts, step)
    if len(empty):
        notes.append(f"{name}: no bar in the trading hours of {_some(days)}; one bar without a price stands for each")
        starts = np.union1d(starts, empty)
    return Calendar(name, starts, ends(name, starts, step), tuple(notes))


def _some(dates: Dates) -> str:
    shown = ", ".join(str(d) for d in dates[:5])
    return shown if len(dates) <= 5 else f"{shown} and {len(dates) - 5} more dates"


def place(frame: pd.DataFrame, calendar: Calendar, on_closed: str) -> tuple[Ints, np.ndarray]:
    """Find the session of each event.

    Parameters
    ----------
    frame : DataFrame
        ``stamp`` (UTC, NaT where only a date is known) and ``date``, as in ``Events.frame``.
    calendar : Calendar
    on_closed : {"next", "previous", "drop", "raise"}
        What a date alone means where there was no session.

    Returns
    -------
    position : int array (N,)
        Into ``calendar.dates``; -1 where there is none.
    rule : object array (N,)
        Why.

    Raises
    ------
    InputError
        When ``on_closed`` is not a policy.
    AlignmentError
        When ``on_closed`` is "raise" and a date has no session.
    """
    if on_closed not in POLICIES:
        raise one_of("on_closed", on_closed, POLICIES)
    stamps = frame["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    timed = ~np.isnat(stamps)
    if calendar.intraday:
        return _on_bars(stamps, calendar)
    position, rule = _by_date(frame, dates, calendar, on_closed)
    if calendar.closes is None:
        texts = {text: f"no closing times known: {text}" for text in set(rule[timed])}
        rule[timed] = [texts[text] for text in rule[timed]]
        return position, rule
    first = np.searchsorted(calendar.closes, stamps, side="right")
    early = stamps < calendar.dates[:1].astype("datetime64[ns]") if len(calendar.dates) else np.ones(len(stamps), bool)
    outside = early | (first >= len(calendar.dates))
    position = np.where(timed, np.where(outside, NOWHERE, first), position)
    rule[timed] = _either(outside, _bounds(calendar), _why(dates, calendar, first))[timed]
    return position, rule


def _on_bars(stamps: Dates, calendar: Calendar) -> tuple[Ints, np.ndarray]:
    """Place stamped events on bars; a date alone, NaT, has none."""
    timed = ~np.isnat(stamps)
    starts, closes = calendar.dates, calendar.dates if calendar.closes is None else calendar.closes
    first = np.searchsorted(closes, stamps, side="right")
    outside = (first >= len(starts)) | (stamps < starts[0] if len(starts) else True)
    during = starts[np.where(outside, 0, first)] <= stamps if len(starts) else ~outside
    rule = _either(during, "within the bar", "between bars: next bar")
    rule = _either(outside, _bounds(calendar), rule)
    return np.where(timed & ~outside, first, NOWHERE), _either(timed, rule, NO_TIME)


def _either(where: Bools, one: object, other: object) -> np.ndarray:
    """Choose between texts, or arrays of them, so that each text exists once."""
    return np.where(where, np.asarray(one, dtype=object), np.asarray(other, dtype=object))


def _by_date(frame: pd.DataFrame, dates: Dates, calendar: Calendar, on_closed: str) -> tuple[Ints, np.ndarray]:
    at = np.searchsorted(calendar.dates, dates)
    outside = (at >= len(calendar.dates)) | (dates < calendar.dates[0] if len(calendar.dates) else True)
    inside = np.where(outside, 0, at)
    open_: Bools = ~outside & (calendar.dates[inside] == dates) if len(calendar.dates) else ~outside
    shut = ~outside & ~open_ & frame["stamp"].isna().to_numpy()
    if on_closed == "raise" and shut.any():
        event = frame.index[shut][0]
        raise AlignmentError(
            f"event {event!r}: {dates[shut][0]} is no session of {calendar.name or 'the prices'}"
            f" ({int(shut.sum())} such events); correct the date, give a time stamp,"
            " or set on_closed to 'next', 'previous' or 'drop'"
        )
    lost = outside | (shut & (on_closed == "drop"))
    position = np.where(lost, NOWHERE, inside - (shut & (on_closed == "previous")))
    rule = _either(open_, "the date is a session", f"no session on the date: {on_closed}")
    return position, _either(outside, _bounds(calendar), rule)


def _why(dates: Dates, calendar: Calendar, first: Ints) -> np.ndarray:
    """Say how a stamped event came to its session, by the local date that it carries."""
    session = calendar.dates[np.minimum(first, len(calendar.dates) - 1)]
    is_open = np.isin(dates, calendar.dates)
    after = _either(is_open, "after the close: next session", "closed day: next session")
    return _either(session <= dates, "before the close", after)


def _bounds(calendar: Calendar) -> str:
    if not len(calendar.dates):
        return "outside the calendar, which has no sessions"
    known = [written(calendar.name, day) for day in calendar.dates[[0, -1]]]
    return f"outside the calendar, which is known from {known[0]} to {known[1]}"
