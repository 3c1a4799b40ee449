"""Exchange calendars, corrected by observed prices, and the session in which an announcement can first move a price.

The rule: the event session is the first whose *close* is strictly later than the time stamp. An event known by its date
alone is placed on that date's session, or on the next one if its phase is after the close; if the date was no session,
by the policy ``on_closed``. Intraday bars are sessions
that close when they end; an event known by its date alone cannot be placed on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.bars import Bars, priced_dates
from eventstudy.errors import AlignmentError, InputError, one_of
from eventstudy.prepare.bounds import bounds_of
from eventstudy.prepare.intraday import bar_ends, format_session, missing_sessions
from eventstudy.prepare.phases import AFTER, BEFORE, DURING
from eventstudy.prepare.trading import count_trading, format_dates, idle_dates, left_out, rows_on
from eventstudy.tabular.steps import minutes
from eventstudy.types import Bools, Calendar, Dates, Ints, OnClosed, Status

POLICIES: tuple[OnClosed, ...] = get_args(OnClosed)
NO_SESSION = -1  # the position of an event that has no session
THAT_DATE = "the date is a session"
GUESS = "the date is a session (a guess)"
PHASE_RULES = {
    BEFORE: "phase before_open: the date's session",
    DURING: "phase session: the date's session",
    AFTER: "phase after_close: next session",
}
NO_TIME_OF_DAY = "a date alone names no bar; give a time of day"
BOUNDED = "its bounds lie in one session"
INSTANT = np.timedelta64(1, "ns")
REACH = "its bounds reach"  # several sessions
NO_CLOSES = "no closing times known"  # of the exchange of an event with a time
UNKNOWN_CLOSE = "placed by its date: the closing time of that session is not known"


def calendar_name(mic: str | None) -> str | None:
    """Return the name under which markets with the same sessions share one calendar."""
    return None if mic is None else markets.calendar_of(mic)


def observed_calendar(
    name: str | None,
    bars: Sequence[Bars],
    union: Dates | None = None,
    stated: markets.Changes = (),
    traded: Dates | None = None,
) -> Calendar:
    """Return an exchange's calendar, corrected by observed prices and by what the user states.

    A date with a price becomes a session if something traded on it, on at least half of the tickers that have prices
    before and after it; other rows of days without a session are left out. A session without any price, or on which
    nothing traded, is removed if two or more tickers have prices both before and after it; with one ticker it stays,
    because that ticker may have been suspended. Notes report all of these.

    Parameters
    ----------
    name : str or None
        Name of the calendar; None takes the dates of the prices as the calendar.
    bars : sequence of Bars
    union : datetime64 array, optional
        The dates on which at least one of them has a close, if already computed.
    stated : tuple of (date, close)
        Days that the user states to be closed (None) or to close at a local time; they are not corrected.
    traded : datetime64 array, optional
        The dates of :func:`eventstudy.bars.traded_dates`, where an index holds them.
    """
    if union is None:
        union = priced_dates({b.ticker: b for b in bars}, [b.ticker for b in bars])
    if any(b.intraday for b in bars):
        return _bar_calendar(name, bars, union, stated)
    if name is None:
        still = idle_dates(bars, union, traded, weekends=True)
        notes = [f"nothing traded on {format_dates(still)}; taken as closed"] if len(still) else []
        return Calendar(None, np.setdiff1d(union, still), None, tuple(notes))
    dates, closes = markets.sessions(name, stated)
    certain = np.array([day for day, _ in stated], dtype="datetime64[D]")
    n_trading = count_trading(bars, dates)
    priced = np.isin(dates, union)
    idle = np.isin(dates, idle_dates(bars, dates[priced], traded)) & ~np.isin(dates, certain)
    closed = (n_trading >= 2) & ~priced & ~np.isin(dates, certain)
    extra = union[~np.isin(union, dates)]
    notes = []
    if closed.any():
        notes.append(f"{name}: no price on {format_dates(dates[closed])}; taken as closed")
    if idle.any():
        notes.append(f"{name}: nothing traded on {format_dates(dates[idle])}; taken as closed")
        closed |= idle
    opened, rest = _divide(name, bars, extra, dates, certain) if len(extra) else (extra, {})
    if len(opened):
        notes.append(
            f"{name}: prices on {format_dates(opened)}, which its calendar does not know; taken as sessions, whose"
            " closing times are not known"
        )
    if rest:
        notes.append(
            f"{name}: rows left out, as the exchange was closed or most of its tickers did not trade: {left_out(rest)}"
        )
    times = closes - dates.astype("datetime64[ns]")
    before = np.clip(np.searchsorted(dates, opened) - 1, 0, None)
    dates = np.concatenate([dates[~closed], opened])
    closes = np.concatenate([closes[~closed], opened.astype("datetime64[ns]") + times[before]])
    order = np.argsort(dates, kind="stable")
    return Calendar(name, dates[order], closes[order], tuple(notes), opened)


def _divide(
    name: str, bars: Sequence[Bars], extra: Dates, dates: Dates, certain: Dates
) -> tuple[Dates, dict[str, Dates]]:
    """Divide dates with prices that are no sessions into those that become sessions, and the rows left out by ticker.

    Before and after all sessions that the calendar knows, every date with a price becomes one.
    """
    rows = rows_on(bars, extra)
    n_traded = np.sum([row.traded for row in rows], axis=0)
    opens = (n_traded > 0) & (2 * n_traded >= count_trading(bars, extra))
    opens |= (extra < dates[0]) | (extra > dates[-1])
    opens &= ~np.isin(extra, certain) & (name not in markets.ALWAYS_KNOWN)
    rest = {}
    if not opens.all():
        left = ((b.ticker, row.priced & ~opens) for b, row in zip(bars, rows, strict=True))
        rest = {ticker: extra[left_out] for ticker, left_out in left if left_out.any()}
    return extra[opens], rest


def _bar_calendar(name: str | None, bars: Sequence[Bars], starts: Dates, stated: markets.Changes) -> Calendar:
    """Return the calendar of observed bars, with the ends of :func:`eventstudy.prepare.intraday.bar_ends`.

    A session of the exchange without any bar in its hours becomes one bar without a price, so that no return spans it.
    """
    steps = {b.step for b in bars if b.step is not None}
    step = min(steps)
    notes = [
        f"{name or 'the prices'}: bars of {minutes(step)}, the most frequent difference of their starts; a bar ends"
        " early if the next begins or trading stops"
    ]
    empty, days = missing_sessions(name, starts, step, stated)
    if len(empty):
        notes.append(
            f"{name}: no bar in the trading hours of {format_dates(days)}; one bar without a price stands for each"
        )
        starts = np.union1d(starts, empty)
    return Calendar(name, starts, bar_ends(name, starts, step, stated), tuple(notes))


class Placement(NamedTuple):
    """The sessions of events on one calendar.

    ``position`` (N,) is the index into ``Calendar.dates``, -1 if there is no session; ``rule`` (N,) the rule that
    assigned it, as text; ``status`` (N,) is ``Status.OK``, or ``OUTSIDE_CALENDAR`` or ``CLOSED`` without a session.
    """

    position: Ints
    rule: np.ndarray
    status: Ints


def place(frame: pd.DataFrame, calendar: Calendar, on_closed: str) -> Placement:
    """Assign each event to its session.

    Parameters
    ----------
    frame : DataFrame
        ``stamp`` (UTC, NaT where only a date is known), ``date`` and, if given, ``phase``, ``not_before`` and
        ``not_after``, as in ``Events.frame``.
    calendar : Calendar
    on_closed : {"next", "previous", "drop", "raise"}
        The session of an event known by its date alone, if that date was no session.

    Returns
    -------
    Placement

    Raises
    ------
    InputError
        If ``on_closed`` is not a policy, or a time stamp and its phase do not agree.
    AlignmentError
        If ``on_closed`` is "raise" and a date has no session.
    """
    if on_closed not in POLICIES:
        raise one_of("on_closed", on_closed, POLICIES)
    stamps = frame["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    timed = ~np.isnat(stamps)
    if calendar.intraday:
        return _place_on_bars(stamps, calendar)
    phase = frame["phase"].to_numpy(dtype=object) if "phase" in frame else np.full(len(frame), "", dtype=object)
    position, rule, status = _place_dates(frame, dates, phase, calendar, on_closed)
    if calendar.closes is None:
        texts = {text: f"{NO_CLOSES}: {text}" for text in set(rule[timed])}
        rule[timed] = [texts[text] for text in rule[timed]]
        return Placement(position, rule, status)
    _check_phases(frame, stamps, phase, calendar)
    session, by_date = sessions_of(stamps, calendar)
    outside = session == NO_SESSION
    position = np.where(timed, session, position)
    rule[timed] = _unless_outside(outside, calendar, _stamped_rules(dates, calendar, session))[timed]
    rule[by_date] = UNKNOWN_CLOSE
    status = np.where(timed, np.where(outside, Status.OUTSIDE_CALENDAR, Status.OK), status)
    return _place_between(frame, phase, calendar, Placement(position, rule, status))


def sessions_of(stamps: Dates, calendar: Calendar) -> tuple[Ints, Bools]:
    """Return the position of the session of each stamp, -1 without one, and which are placed by their local date.

    That is so on the date of a session whose close is not known.
    """
    first = np.searchsorted(calendar.closes if calendar.closes is not None else calendar.dates, stamps, side="right")
    outside = (first >= len(calendar.dates)) | (stamps < calendar.dates[0] if len(calendar.dates) else True)
    position = np.where(outside, NO_SESSION, first)
    if not len(calendar.unknown):
        return position, np.zeros(len(stamps), dtype=bool)
    local = markets.wall(calendar.name, stamps).astype("datetime64[D]")
    by_date = np.isin(local, calendar.unknown)
    return np.where(by_date, np.searchsorted(calendar.dates, local), position), by_date


def _place_between(frame: pd.DataFrame, phase: np.ndarray, calendar: Calendar, placed: Placement) -> Placement:
    """Place events between their bounds.

    A date whose bounds lie in one session belongs to it. If they reach several, a time or a phase decides, and of a
    date the first session that is possible, so that windows from day 0 on hold the reaction.
    """
    bounds = bounds_of(frame)
    first = sessions_of(bounds.first, calendar)[0]
    last = np.maximum(first, sessions_of(bounds.last - INSTANT, calendar)[0])  # until the close is before the close
    bounded = ~np.isnat(bounds.first) & (first != NO_SESSION) & (last != NO_SESSION)
    timed = frame["stamp"].notna().to_numpy()
    by_phase = ~timed & np.isin(placed.rule, list(PHASE_RULES.values()))
    wrong = bounded & by_phase & ((placed.position < first) | (placed.position > last))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"event {frame.index[at]!r} has the phase {phase[at]!r} on {frame['announced'].iloc[at]}, and its bounds"
            f" lie in another session ({int(wrong.sum())} such events); correct the phase or the bounds"
        )
    position, rule, status = (part.copy() for part in placed)
    moved = bounded & ~timed & ~by_phase
    position[moved], rule[moved], status[moved] = first[moved], BOUNDED, Status.OK
    for row in np.flatnonzero(bounded & ~by_phase & (last > first)).tolist():
        n, decides = (
            int(last[row] - first[row]) + 1,
            "that of its time" if timed[row] else "the first of them (a guess)",
        )
        text = f"{REACH} {n} sessions: {decides}"
        rule[row] = f"{rule[row]}; {text}" if timed[row] else text
    return Placement(position, rule, status)


def _place_on_bars(stamps: Dates, calendar: Calendar) -> Placement:
    """Assign events with time stamps to bars; an event known by its date alone (NaT) has none."""
    timed = ~np.isnat(stamps)
    first = sessions_of(stamps, calendar)[0]
    outside, starts = first == NO_SESSION, calendar.dates
    during = starts[np.where(outside, 0, first)] <= stamps if len(starts) else ~outside
    rule = _choose(during, "within the bar", "between bars: next bar")
    rule = _unless_outside(outside, calendar, rule)
    status = np.where(timed, np.where(outside, Status.OUTSIDE_CALENDAR, Status.OK), Status.CLOSED)
    return Placement(first, _choose(timed, rule, NO_TIME_OF_DAY), status)


def _choose(condition: Bools, if_true: object, if_false: object) -> np.ndarray:
    """Choose between texts, or arrays of texts, as objects, so that equal texts share memory."""
    return np.where(condition, np.asarray(if_true, dtype=object), np.asarray(if_false, dtype=object))


def _place_dates(frame: pd.DataFrame, dates: Dates, phase: np.ndarray, calendar: Calendar, on_closed: str) -> Placement:
    """Assign events to the sessions of their dates, or to the next if after the close; by policy on closed dates."""
    at = np.searchsorted(calendar.dates, dates)
    outside = (at >= len(calendar.dates)) | (dates < calendar.dates[0] if len(calendar.dates) else True)
    inside = np.where(outside, 0, at)
    open_: Bools = ~outside & (calendar.dates[inside] == dates) if len(calendar.dates) else ~outside
    shut = ~outside & ~open_ & frame["stamp"].isna().to_numpy()
    if on_closed == "raise" and shut.any():
        event = frame.index[shut][0]
        raise AlignmentError(
            f"event {event!r}: {dates[shut][0]} is not a session of {calendar.name or 'the prices'}"
            f" ({int(shut.sum())} such events); correct the date, give a time stamp,"
            " or set on_closed to 'next', 'previous' or 'drop'"
        )
    dropped = outside | (shut & (on_closed == "drop"))
    position = np.where(dropped, NO_SESSION, inside - (shut & (on_closed == "previous")))
    rule = _choose(open_, THAT_DATE, f"no session on the date: {on_closed}")
    rule = _choose(open_ & frame["stamp"].isna().to_numpy() & (phase == ""), GUESS, rule)
    for name, text in PHASE_RULES.items():
        rule = _choose(open_ & (phase == name), text, rule)
    late = open_ & (phase == AFTER)
    position = position + late
    outside = outside | (position >= len(calendar.dates))
    position = np.where(outside, NO_SESSION, position)
    status = np.where(outside, Status.OUTSIDE_CALENDAR, np.where(position < 0, Status.CLOSED, Status.OK))
    return Placement(position, _unless_outside(outside, calendar, rule), status)


def _stamped_rules(dates: Dates, calendar: Calendar, first: Ints) -> np.ndarray:
    """Describe, by its local date, how an event with a time stamp was assigned to its session."""
    if not len(calendar.dates):
        return np.full(len(dates), "", dtype=object)  # all are outside the calendar
    session = calendar.dates[np.minimum(first, len(calendar.dates) - 1)]
    is_open = np.isin(dates, calendar.dates)
    after = _choose(is_open, "after the close: next session", "closed day: next session")
    return _choose(session <= dates, "before the close", after)


def _check_phases(frame: pd.DataFrame, stamps: Dates, phase: np.ndarray, calendar: Calendar) -> None:
    """Raise if a time stamp lies in another phase of its day at the exchange than is said; closed days have none."""
    rows = np.flatnonzero((phase != "") & ~np.isnat(stamps))
    if not len(rows) or calendar.name is None or calendar.closes is None:
        return
    stamps, phase = stamps[rows], phase[rows]
    day = markets.wall(calendar.name, stamps.astype("datetime64[s]")).astype("datetime64[D]")
    close = _on(day, calendar.dates, calendar.closes)
    after, open_still = stamps >= close, stamps < close  # neither where the close is not known
    opening = _on(day, markets.sessions(calendar.name)[0], markets.opens(calendar.name))
    opening = np.where(np.isnat(close), np.datetime64("NaT"), opening)
    before, inside = stamps < opening, (stamps >= opening) & ~after
    wrong = np.select([phase == AFTER, phase == BEFORE], [open_still, after | inside], after | before)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"event {frame.index[rows[at]]!r} has the phase {phase[at]!r} and the time"
            f" {frame['announced'].iloc[rows[at]]}, which is {'after' if after[at] else 'before'} the"
            f" {'close' if after[at] or inside[at] else 'opening'} of {calendar.name} on {day[at]}"
            f" ({int(wrong.sum())} such events); correct the time or the phase, or leave the phase empty"
        )


def _on(day: Dates, dates: Dates, instants: Dates) -> Dates:
    """Return the instant that belongs to each day, (n,); NaT if the day is not among the dates."""
    if not len(dates):
        return np.full(len(day), "NaT", dtype=instants.dtype)
    at = np.minimum(np.searchsorted(dates, day), len(dates) - 1)
    return np.where(dates[at] == day, instants[at], np.array("NaT", dtype=instants.dtype))


def _unless_outside(outside: Bools, calendar: Calendar, rule: np.ndarray) -> np.ndarray:
    """Replace the rule of the events outside the calendar."""
    if not outside.any():
        return rule
    if not len(calendar.dates):
        return _choose(outside, "outside the calendar, which has no sessions", rule)
    first, last = (format_session(calendar.name, day) for day in calendar.dates[[0, -1]])
    return _choose(outside, f"outside the calendar, which is known from {first} to {last}", rule)
