"""Other news of the same firm near an event: which events it confounds, and which estimation days it spoils."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.prepare.calendar import Calendar
from eventstudy.prepare.panels import Choices, Market
from eventstudy.prepare.placing import Fate, calendars_of, firms, placed_by
from eventstudy.types import Bools, Dates, Ints, Spec, Status

CONTAMINATED = ("keep", "flag", "mask", "drop")
FAR = 1 << 32  # days; beyond any date, so that firms do not meet on a common axis
SAME_NEWS = 5  # days within which two listings of a firm tell the same news


class Where(NamedTuple):
    """Events on their calendars, each (N,): firm and announcement as numbers, calendar, and position of day 0 in it."""

    firm: Ints
    news: Ints
    calendar: np.ndarray
    position: Ints

    def take(self, rows: Bools | Ints) -> Where:
        """Keep some events."""
        return Where(*(part[rows] for part in self))


def dates_of(where: Where, calendars: Mapping[str | None, Calendar], offset: int) -> Dates:
    """Give the date of each event's session ``offset``, held within its calendar."""
    out = np.full(len(where.firm), np.datetime64("NaT"), dtype="datetime64[D]")
    for name, its in calendars.items():
        mine = where.calendar == name
        out[mine] = its.dates[np.clip(where.position[mine] + offset, 0, len(its.dates) - 1)]
    return out


def others_within(where: Where, first: Dates, last: Dates, news: Where, low: Dates, high: Dates) -> tuple[Ints, Ints]:
    """Give the pairs of an event and other news of its firm whose dates ``low`` to ``high`` meet its own.

    Those are ``first`` to ``last``. News of the same announcement is not other news: of a home listing and an ADR.

    Returns
    -------
    event, other : int arrays (pairs,)
    """
    if not len(news.firm) or not len(where.firm):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    span = int((_days(high) - _days(low)).max())
    order = np.lexsort((_days(low), news.firm))
    axis = news.firm[order] * FAR + _days(low)[order]
    start = np.searchsorted(axis, where.firm * FAR + _days(first) - span, side="left")
    stop = np.searchsorted(axis, where.firm * FAR + _days(last), side="right")
    n = stop - start
    event = np.repeat(np.arange(len(n)), n)
    other = order[np.arange(n.sum()) + np.repeat(start - np.cumsum(n) + n, n)]
    meets = (high[other] >= first[event]) & (low[other] <= last[event]) & (where.news[event] != news.news[other])
    return event[meets], other[meets]


def _days(dates: Dates) -> Ints:
    return dates.astype("datetime64[D]").astype(np.int64)


def spoilt(where: Where, news: Where, calendars: Mapping[str | None, Calendar], spec: Spec) -> Ints:
    """Give the stretches of estimation windows that lie in the event windows of other news of the firm.

    Returns
    -------
    int array (m, 3)
        Event, first and last relative day; sorted by event, stretches of one event apart from each other.
    """
    first, last = (dates_of(where, calendars, offset) for offset in spec.estimation)
    low, high = (dates_of(news, calendars, offset) for offset in spec.event)
    event, other = others_within(where, first, last, news, low, high)
    start, stop = np.empty(len(event), dtype=np.int64), np.empty(len(event), dtype=np.int64)
    for name, its in calendars.items():
        mine = where.calendar[event] == name
        own = where.position[event[mine]]
        start[mine] = np.searchsorted(its.dates, low[other[mine]], side="left") - own
        stop[mine] = np.searchsorted(its.dates, high[other[mine]], side="right") - 1 - own
    start, stop = np.maximum(start, spec.estimation[0]), np.minimum(stop, spec.estimation[1])
    there = start <= stop
    return _merged(event[there], start[there], stop[there])


def _merged(event: Ints, first: Ints, last: Ints) -> Ints:
    """Join the stretches of one event that overlap."""
    if not len(event):
        return np.empty((0, 3), dtype=np.int64)
    part = components(event * FAR + first, event * FAR + last)
    found = np.empty((int(part.max()) + 1, 3), dtype=np.int64)
    found[part, 0] = event
    found[:, 1], found[:, 2] = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    np.minimum.at(found[:, 1], part, first)
    np.maximum.at(found[:, 2], part, last)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def same_news(firm: Ints | None, announcement: Ints, session: Dates) -> Ints | None:
    """Give events that tell the same news one number, (N,): of one announcement, or of one firm some days apart.

    None where no two events do. ``firm`` is None where the events name no firms, and two listings are then known to be
    one by their announcement alone.
    """
    news = announcement
    if firm is not None and len(firm):
        order = np.lexsort((_days(session), firm))
        near = (np.diff(firm[order]) == 0) & (np.diff(_days(session)[order]) <= SAME_NEWS)
        pairs = np.column_stack([order[:-1][near], order[1:][near]])
        codes = np.unique(announcement, return_inverse=True)[1]
        news = components(codes * 2, codes * 2, pairs)
    return news if len(np.unique(news)) < len(news) else None


def screened(
    frame: pd.DataFrame, where: Where, other: pd.DataFrame | None, market: Market, choices: Choices, fate: Fate
) -> Ints:
    """Lose what other news of the firm confounds or contaminates; give the spoilt stretches by row of the frame."""
    nothing = np.empty((0, 3), dtype=np.int64)
    if choices.contaminated == "keep" and choices.confounding is None:
        return nothing
    rows = np.flatnonzero(fate.ok)
    own, news, names = where.take(rows), where.take(rows), frame.index.to_numpy()[rows]
    if other is not None:
        extra, labels = _other_news(frame, other, market, choices)
        news = Where(*(np.concatenate(parts) for parts in zip(news, extra, strict=True)))
        names = np.concatenate([names, labels])
    if choices.confounding is not None:
        first, last = (dates_of(own, market.calendars, offset) for offset in choices.confounding)
        day = dates_of(news, market.calendars, 0)
        event, found = others_within(own, first, last, news, day, day)
        hit, at = np.unique(event, return_index=True)
        reason = [f"other news of the firm, {names[j]}, on {day[j]}" for j in found[at]]
        fate.lose_rows(rows[hit], Status.CONFOUNDED, reason)
    if choices.contaminated == "keep":
        return nothing
    stretches = spoilt(own, news, market.calendars, choices.spec)
    if choices.contaminated == "drop":
        n_days = np.bincount(stretches[:, 0], stretches[:, 2] - stretches[:, 1] + 1, len(rows))
        hit = np.flatnonzero(n_days)
        reason = [f"{n_days[i]:.0f} days of its estimation window lie in event windows of the firm" for i in hit]
        fate.lose_rows(rows[hit], Status.CONTAMINATED, reason)
    stretches[:, 0] = rows[stretches[:, 0]]
    return stretches


def _other_news(frame: pd.DataFrame, other: pd.DataFrame, market: Market, choices: Choices) -> tuple[Where, np.ndarray]:
    """Place the events that are not studied, with the numbers of the studied firms."""
    both = pd.concat([frame, other])
    firm, news = (numbers[len(frame) :] for numbers in firms(both))
    apart = Fate(len(other))
    calendar = calendars_of(other, market.prices, apart)
    position, _ = placed_by(other, calendar, market.calendars, choices.on_closed, apart)
    return Where(firm, news, calendar, position).take(apart.ok), other.index.to_numpy()[apart.ok]


def hidden(stretches: Ints, rows: Ints, choices: Choices) -> Ints | None:
    """Give the stretches that do not count, by place in ``rows``; None where none is masked."""
    if choices.contaminated != "mask" or not len(stretches):
        return None
    place_of = np.full(int(max(stretches[:, 0].max(), rows.max(initial=0))) + 1, -1)
    place_of[rows] = np.arange(len(rows))
    own = np.column_stack([place_of[stretches[:, 0]], stretches[:, 1:]])
    own = own[own[:, 0] >= 0]
    return own[np.argsort(own[:, 0], kind="stable")]
