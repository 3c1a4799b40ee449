"""Other news of the same firm near an event: which events it confounds, and which estimation days it spoils."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.prepare.intraday import written
from eventstudy.prepare.panels import Market
from eventstudy.prepare.placing import Attrition, calendars_of, firm_names, firm_of_tickers, placed_by
from eventstudy.types import Bools, Calendar, Choices, Dates, Ints, Status

FAR = 1 << 34  # days, or seconds of bars; beyond any date, so that firms do not meet on a common axis
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


def placed_at(frame: pd.DataFrame, calendar: np.ndarray, position: Ints) -> Where:
    """Say where some events are and whose they are."""
    firm = pd.factorize(firm_names(frame, firm_of_tickers(frame)))[0]
    alone = bool((frame["cluster"].array == frame.index.array).all())  # each an announcement of its own
    news = np.arange(len(frame)) if alone else pd.factorize(frame["cluster"])[0]
    return Where(firm.astype(np.int64), news.astype(np.int64), calendar, position)


def dates_of(where: Where, calendars: Mapping[str | None, Calendar], offset: int | Ints) -> Dates:
    """Give the date of each event's session ``offset``, held within its calendar; NaT where it has no session."""
    kind = next((its.dates.dtype for its in calendars.values()), np.dtype("datetime64[D]"))
    out = np.full(len(where.position), np.datetime64("NaT"), dtype=kind)
    at = where.position + offset
    for name, its in calendars.items():
        mine = (where.calendar == name) & (where.position >= 0)
        out[mine] = its.dates[np.clip(at[mine], 0, len(its.dates) - 1)]
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
    low_at = low.astype(np.int64)
    span = int((high.astype(np.int64) - low_at).max())
    order = np.lexsort((low_at, news.firm))
    axis = news.firm[order] * FAR + low_at[order]
    start = np.searchsorted(axis, where.firm * FAR + first.astype(np.int64) - span, side="left")
    stop = np.searchsorted(axis, where.firm * FAR + last.astype(np.int64), side="right")
    n = stop - start
    event = np.repeat(np.arange(len(n)), n)
    other = order[np.arange(n.sum()) + np.repeat(start - np.cumsum(n) + n, n)]
    meets = (high[other] >= first[event]) & (low[other] <= last[event]) & (where.news[event] != news.news[other])
    return event[meets], other[meets]


def _days(dates: Dates) -> Ints:
    return dates.astype("datetime64[D]").astype(np.int64)


def spoilt(where: Where, estimation: Ints, news: Where, window: Ints, calendars: Mapping[str | None, Calendar]) -> Ints:
    """Give the stretches of estimation windows (N, 2) that lie in the windows (M, 2) of other news of the firm.

    Returns
    -------
    int array (m, 3)
        Event, first and last relative day; sorted by event, stretches of one event apart from each other.
    """
    first, last = (dates_of(where, calendars, offset) for offset in estimation.T)
    low, high = (dates_of(news, calendars, offset) for offset in window.T)
    event, other = others_within(where, first, last, news, low, high)
    start, stop = np.empty(len(event), dtype=np.int64), np.empty(len(event), dtype=np.int64)
    for name, its in calendars.items():
        mine = where.calendar[event] == name
        own = where.position[event[mine]]
        start[mine] = np.searchsorted(its.dates, low[other[mine]], side="left") - own
        stop[mine] = np.searchsorted(its.dates, high[other[mine]], side="right") - 1 - own
    start, stop = np.maximum(start, estimation[event, 0]), np.minimum(stop, estimation[event, 1])
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


def same_news(where: Where, session: Dates, named: bool) -> Ints | None:
    """Give events that tell the same news one number, (N,): of one announcement, or of one firm some days apart.

    None where no two events do. Of one firm only events on different calendars are the same news: two on one are two.
    Where the events have not ``named`` their firms, two listings are known to be one by their announcement alone.
    """
    news = announcement = where.news
    if named and len(news):
        order = np.lexsort((_days(session), where.firm))
        near = (np.diff(where.firm[order]) == 0) & (np.diff(_days(session)[order]) <= SAME_NEWS)
        near &= where.calendar[order][1:] != where.calendar[order][:-1]
        pairs = np.column_stack([order[:-1][near], order[1:][near]])
        codes = np.unique(announcement, return_inverse=True)[1]
        news = components(codes * 2, codes * 2, pairs)
    return None if pd.Index(news).is_unique else news


def screened(
    frame: pd.DataFrame, where: Where, own: Ints | None, other: pd.DataFrame | None, market: Market, choices: Choices,
    attrition: Attrition,
) -> Ints:  # fmt: skip
    """Lose what other news of the firm confounds or contaminates; give the spoilt stretches by row of the frame.

    ``own`` (N, 4) are the events' own windows. Two events of a ticker in one session are one that stands twice, and two
    of a firm on different calendars within some days the same news: neither confounds the other.
    """
    nothing = np.empty((0, 3), dtype=np.int64)
    if choices.contaminated == "keep" and choices.confounding is None:
        return nothing
    rows = np.flatnonzero(attrition.ok)
    its, news, names = where, where.take(rows), frame.index.to_numpy()[rows]
    windows = np.tile([*choices.spec.estimation, *choices.spec.event], (len(frame), 1)) if own is None else own
    estimation, event_window = windows[rows, :2], windows[rows, 2:]
    if other is not None:
        its, extra, labels = _other_news(frame, where, other, market, choices)
        news = Where(*(np.concatenate(parts) for parts in zip(its.take(rows), extra, strict=True)))
        names = np.concatenate([names, labels])
        event_window = np.concatenate([event_window, np.tile(choices.spec.event, (len(labels), 1))])
    its = its.take(rows)
    if choices.confounding is not None:
        first, last = (dates_of(its, market.calendars, offset) for offset in choices.confounding)
        day = dates_of(news, market.calendars, 0)
        event, found = others_within(its, first, last, news, day, day)
        ticker = frame["ticker"].to_numpy(dtype=object)[rows]
        again = found < len(rows)
        again[again] = (ticker[event[again]] == ticker[found[again]]) & (day[event[again]] == day[found[again]])
        apart = np.abs(_days(day[found]) - _days(dates_of(its, market.calendars, 0)[event]))
        elsewhere = (found < len(rows)) & (its.calendar[event] != news.calendar[found])
        again |= elsewhere & (apart <= SAME_NEWS)  # as in same_news
        event, found = event[~again], found[~again]
        hit, at = np.unique(event, return_index=True)
        reason = [f"other news of the firm, {names[j]}, on {written(news.calendar[j], day[j])}" for j in found[at]]
        attrition.lose_rows(rows[hit], Status.CONFOUNDED, reason)
    if choices.contaminated == "keep":
        return nothing
    stretches = spoilt(its, estimation, news, event_window, market.calendars)
    if choices.contaminated == "drop":
        n_days = np.bincount(stretches[:, 0], stretches[:, 2] - stretches[:, 1] + 1, len(rows))
        hit = np.flatnonzero(n_days)
        reason = [f"{n_days[i]:.0f} days of its estimation window lie in event windows of the firm" for i in hit]
        attrition.lose_rows(rows[hit], Status.CONTAMINATED, reason)
    stretches[:, 0] = rows[stretches[:, 0]]
    return stretches


def _other_news(
    frame: pd.DataFrame, where: Where, other: pd.DataFrame, market: Market, choices: Choices
) -> tuple[Where, Where, np.ndarray]:
    """Place the events that are not studied; give all with common numbers of firms and announcements.

    The ids of two sets of events may agree by chance, so one name is one announcement only where its dates are near.
    """
    firm_of = firm_of_tickers(frame, other)
    firm = pd.factorize(np.concatenate([firm_names(part, firm_of) for part in (frame, other)]))[0].astype(np.int64)
    dates = frame["date"].groupby(frame["cluster"])
    near = pd.Timedelta(days=SAME_NEWS)
    first, last = (other["cluster"].map(edge) for edge in (dates.min() - near, dates.max() + near))
    shared = ((other["date"] >= first) & (other["date"] <= last)).to_numpy()
    names = [(label, known) for label, known in zip(other["cluster"], shared, strict=True)]
    news = pd.factorize(pd.Series([*((label, True) for label in frame["cluster"]), *names]))[0].astype(np.int64)
    apart = Attrition(len(other))
    calendar = calendars_of(other, market.prices, apart)
    position, _ = placed_by(other, calendar, market.calendars, choices.on_closed, apart)
    extra = Where(firm[len(frame) :], news[len(frame) :], calendar, position).take(apart.ok)
    studied = where._replace(firm=firm[: len(frame)], news=news[: len(frame)])
    return studied, extra, other.index.to_numpy()[apart.ok]


def hidden(stretches: Ints, rows: Ints, choices: Choices) -> Ints | None:
    """Give the stretches that do not count, by place in ``rows``; None where none is masked."""
    if choices.contaminated != "mask" or not len(stretches):
        return None
    place_of = np.full(int(max(stretches[:, 0].max(), rows.max(initial=0))) + 1, -1)
    place_of[rows] = np.arange(len(rows))
    own = np.column_stack([place_of[stretches[:, 0]], stretches[:, 1:]])
    own = own[own[:, 0] >= 0]
    return own[np.argsort(own[:, 0], kind="stable")]
