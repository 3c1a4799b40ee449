"""Other news of the same firm near an event: confounded events, and contaminated estimation days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.prepare.intraday import format_session
from eventstudy.prepare.panels import Market
from eventstudy.prepare.placing import Attrition, find_calendars, firm_names, firm_of_tickers, place_events
from eventstudy.types import Bools, Calendar, Choices, Dates, Ints, Status

FAR = 1 << 34  # days, or seconds for bars, between firms on a common time axis: more than any range of dates
SAME_NEWS = 5  # events of two listings of a firm at most this many days apart are the same news


class EventPositions(NamedTuple):
    """Events on their calendars, each (N,): firm and announcement as codes, calendar, and position of day 0 in it."""

    firm: Ints
    news: Ints
    calendar: np.ndarray
    position: Ints

    def take(self, rows: Bools | Ints) -> EventPositions:
        """Select events by mask or rows."""
        return EventPositions(*(part[rows] for part in self))


def event_positions(frame: pd.DataFrame, calendar: np.ndarray, position: Ints) -> EventPositions:
    """Return the positions of events with the codes of their firms and announcements."""
    firm = pd.factorize(firm_names(frame, firm_of_tickers(frame)))[0]
    unclustered = bool((frame["cluster"].array == frame.index.array).all())  # every event is a separate announcement
    news = np.arange(len(frame)) if unclustered else pd.factorize(frame["cluster"])[0]
    return EventPositions(firm.astype(np.int64), news.astype(np.int64), calendar, position)


def session_dates(positions: EventPositions, calendars: Mapping[str | None, Calendar], offset: int | Ints) -> Dates:
    """Return the date ``offset`` sessions from each event's session, clipped to its calendar; NaT without session."""
    dtype = next((sessions.dates.dtype for sessions in calendars.values()), np.dtype("datetime64[D]"))
    out = np.full(len(positions.position), "NaT", dtype=dtype)
    at = positions.position + offset
    for name, sessions in calendars.items():
        on_calendar = (positions.calendar == name) & (positions.position >= 0)
        out[on_calendar] = sessions.dates[np.clip(at[on_calendar], 0, len(sessions.dates) - 1)]
    return out


def overlapping_news(
    positions: EventPositions, first: Dates, last: Dates, news: EventPositions, low: Dates, high: Dates
) -> tuple[Ints, Ints]:
    """Return the pairs of an event and other news of its firm whose dates overlap.

    The event's dates are ``first`` to ``last``, those of the news ``low`` to ``high``. News of the same announcement,
    as of a home listing and an ADR, is not other news.

    Returns
    -------
    event, item : int arrays (pairs,)
        Indices into ``positions`` and ``news``.
    """
    if not len(news.firm) or not len(positions.firm):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    low_at = low.astype(np.int64)
    span = int((high.astype(np.int64) - low_at).max())
    order = np.lexsort((low_at, news.firm))
    axis = news.firm[order] * FAR + low_at[order]
    start = np.searchsorted(axis, positions.firm * FAR + first.astype(np.int64) - span, side="left")
    stop = np.searchsorted(axis, positions.firm * FAR + last.astype(np.int64), side="right")
    n = stop - start
    event = np.repeat(np.arange(len(n)), n)
    item = order[np.arange(n.sum()) + np.repeat(start - np.cumsum(n) + n, n)]
    overlaps = (high[item] >= first[event]) & (low[item] <= last[event]) & (positions.news[event] != news.news[item])
    return event[overlaps], item[overlaps]


def _days(dates: Dates) -> Ints:
    return dates.astype("datetime64[D]").astype(np.int64)


def contaminated_stretches(
    positions: EventPositions,
    estimation: Ints,
    news: EventPositions,
    window: Ints,
    calendars: Mapping[str | None, Calendar],
) -> Ints:
    """Return the stretches of estimation windows (N, 2) that lie in the windows (M, 2) of other news of the firm.

    Returns
    -------
    int array (m, 3)
        Event, first and last relative day; sorted by event, without overlaps among the stretches of one event.
    """
    first, last = (session_dates(positions, calendars, offset) for offset in estimation.T)
    low, high = (session_dates(news, calendars, offset) for offset in window.T)
    event, item = overlapping_news(positions, first, last, news, low, high)
    start, stop = np.empty(len(event), dtype=np.int64), np.empty(len(event), dtype=np.int64)
    for name, sessions in calendars.items():
        on_calendar = positions.calendar[event] == name
        day_0 = positions.position[event[on_calendar]]
        start[on_calendar] = np.searchsorted(sessions.dates, low[item[on_calendar]], side="left") - day_0
        stop[on_calendar] = np.searchsorted(sessions.dates, high[item[on_calendar]], side="right") - 1 - day_0
    start, stop = np.maximum(start, estimation[event, 0]), np.minimum(stop, estimation[event, 1])
    not_empty = start <= stop
    return _merge_overlapping(event[not_empty], start[not_empty], stop[not_empty])


def _merge_overlapping(event: Ints, first: Ints, last: Ints) -> Ints:
    """Merge overlapping stretches of the same event."""
    if not len(event):
        return np.empty((0, 3), dtype=np.int64)
    part = components(event * FAR + first, event * FAR + last)
    stretches = np.empty((int(part.max()) + 1, 3), dtype=np.int64)
    stretches[part, 0] = event
    stretches[:, 1], stretches[:, 2] = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    np.minimum.at(stretches[:, 1], part, first)
    np.maximum.at(stretches[:, 2], part, last)
    return stretches[np.lexsort((stretches[:, 1], stretches[:, 0]))]


def link_same_news(positions: EventPositions, session: Dates, named: bool) -> Ints | None:
    """Return a code of the news of each event, (N,), equal for the same announcement and for listings of one firm.

    Two events of one firm are the same news if they are on different calendars and at most ``SAME_NEWS`` days apart; on
    one calendar they are different news. If the events have no column ``firm`` (``named`` is False), only the
    announcement links listings. None if no two events share a code.
    """
    news = announcement = positions.news
    if named and len(news):
        order = np.lexsort((_days(session), positions.firm))
        near = (np.diff(positions.firm[order]) == 0) & (np.diff(_days(session)[order]) <= SAME_NEWS)
        near &= positions.calendar[order][1:] != positions.calendar[order][:-1]
        pairs = np.column_stack([order[:-1][near], order[1:][near]])
        codes = np.unique(announcement, return_inverse=True)[1]
        news = components(codes * 2, codes * 2, pairs)
    return None if pd.Index(news).is_unique else news


def screen_other_news(
    frame: pd.DataFrame, positions: EventPositions, windows: Ints | None, other_news: pd.DataFrame | None,
    market: Market, choices: Choices, attrition: Attrition,
) -> Ints:  # fmt: skip
    """Exclude events that other news of the firm confounds or contaminates; return the contaminated stretches.

    ``windows`` (N, 4) are those of single events, None if all are the study's; ``other_news`` are events that are not
    studied.
    Two events of a ticker in one session are duplicates, and two of a firm on different calendars within some days are
    the same news; neither confounds the other.

    Returns
    -------
    int array (m, 3)
        Row of the frame, first and last relative day of its estimation window; empty if contamination is ignored.
    """
    no_stretches = np.empty((0, 3), dtype=np.int64)
    if choices.contaminated == "keep" and choices.confounding is None:
        return no_stretches
    rows = np.flatnonzero(attrition.ok)
    news, names = positions.take(rows), frame.index.to_numpy()[rows]
    if windows is None:
        windows = np.tile([*choices.spec.estimation, *choices.spec.event], (len(frame), 1))
    estimation, event_window = windows[rows, :2], windows[rows, 2:]
    if other_news is not None:
        positions, extra, labels = _place_other_news(frame, positions, other_news, market, choices)
        news = EventPositions(*(np.concatenate(parts) for parts in zip(positions.take(rows), extra, strict=True)))
        names = np.concatenate([names, labels])
        event_window = np.concatenate([event_window, np.tile(choices.spec.event, (len(labels), 1))])
    studied = positions.take(rows)
    if choices.confounding is not None:
        first, last = (session_dates(studied, market.calendars, offset) for offset in choices.confounding)
        day = session_dates(news, market.calendars, 0)
        event, item = overlapping_news(studied, first, last, news, day, day)
        ticker = frame["ticker"].to_numpy(dtype=object)[rows]
        ignored = item < len(rows)
        ignored[ignored] = (ticker[event[ignored]] == ticker[item[ignored]]) & (
            day[event[ignored]] == day[item[ignored]]
        )
        days_apart = np.abs(_days(day[item]) - _days(session_dates(studied, market.calendars, 0)[event]))
        other_calendar = (item < len(rows)) & (studied.calendar[event] != news.calendar[item])
        ignored |= other_calendar & (days_apart <= SAME_NEWS)  # as in link_same_news
        event, item = event[~ignored], item[~ignored]
        hit, at = np.unique(event, return_index=True)
        reason = [
            f"other news of the firm, {names[j]}, on {format_session(news.calendar[j], day[j])}" for j in item[at]
        ]
        attrition.exclude_rows(rows[hit], Status.CONFOUNDED, reason)
    if choices.contaminated == "keep":
        return no_stretches
    stretches = contaminated_stretches(studied, estimation, news, event_window, market.calendars)
    if choices.contaminated == "drop":
        n_days = np.bincount(stretches[:, 0], stretches[:, 2] - stretches[:, 1] + 1, len(rows))
        hit = np.flatnonzero(n_days)
        reason = [f"{n_days[i]:.0f} days of its estimation window lie in event windows of the firm" for i in hit]
        attrition.exclude_rows(rows[hit], Status.CONTAMINATED, reason)
    stretches[:, 0] = rows[stretches[:, 0]]
    return stretches


def _place_other_news(
    frame: pd.DataFrame, positions: EventPositions, other_news: pd.DataFrame, market: Market, choices: Choices
) -> tuple[EventPositions, EventPositions, np.ndarray]:
    """Place the news that is not studied; return studied and other news with common codes, and the ids of the latter.

    Cluster names of two sets of events may agree by chance, so a name counts as the same announcement only if the dates
    are at most ``SAME_NEWS`` days apart.
    """
    firm_of = firm_of_tickers(frame, other_news)
    firm = pd.factorize(np.concatenate([firm_names(part, firm_of) for part in (frame, other_news)]))[0].astype(np.int64)
    dates = frame["date"].groupby(frame["cluster"])
    near = pd.Timedelta(days=SAME_NEWS)
    first, last = (other_news["cluster"].map(edge) for edge in (dates.min() - near, dates.max() + near))
    shared = ((other_news["date"] >= first) & (other_news["date"] <= last)).to_numpy()
    names = [(label, known) for label, known in zip(other_news["cluster"], shared, strict=True)]
    news = pd.factorize(pd.Series([*((label, True) for label in frame["cluster"]), *names]))[0].astype(np.int64)
    attrition = Attrition(len(other_news))  # news that cannot be placed is ignored
    calendar = find_calendars(other_news, market.prices, attrition)
    position, _ = place_events(other_news, calendar, market.calendars, choices.on_closed, attrition)
    extra = EventPositions(firm[len(frame) :], news[len(frame) :], calendar, position).take(attrition.ok)
    studied = positions._replace(firm=firm[: len(frame)], news=news[: len(frame)])
    return studied, extra, other_news.index.to_numpy()[attrition.ok]


def masked_stretches(stretches: Ints, rows: Ints, choices: Choices) -> Ints | None:
    """Return the masked stretches, with the event as index into ``rows``; None if none is masked."""
    if choices.contaminated != "mask" or not len(stretches):
        return None
    index_of = np.full(int(max(stretches[:, 0].max(), rows.max(initial=0))) + 1, -1)
    index_of[rows] = np.arange(len(rows))
    masked = np.column_stack([index_of[stretches[:, 0]], stretches[:, 1:]])
    masked = masked[masked[:, 0] >= 0]
    return masked[np.argsort(masked[:, 0], kind="stable")]
