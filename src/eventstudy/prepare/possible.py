"""The sessions in which an announcement can have become public, by what is known of its time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.prepare.bounds import bounds_of
from eventstudy.prepare.calendar import INSTANT, NO_SESSION, sessions_of
from eventstudy.types import Bools, Calendar, Ints


class Possible(NamedTuple):
    """The first and the last possible position of each event in ``Calendar.dates``, (N,); -1 without a session."""

    first: Ints
    last: Ints


def possible_sessions(frame: pd.DataFrame, position: Ints, calendar: Calendar) -> Possible:
    """Return the sessions that the time of each event allows.

    Bounds allow the sessions from that of ``not_before`` to that of ``not_after``. A date alone allows its own session,
    and the next one if the news came after the close. A session whose close is not known allows the next one too. A
    time, a phase, and a date on which the exchange was closed allow one session.

    Parameters
    ----------
    frame : DataFrame
        As in ``Events.frame``: ``stamp``, ``date`` and, if given, ``phase``, ``not_before`` and ``not_after``.
    position : int array (N,)
        The position at which each event is placed, -1 if it is not.
    calendar : Calendar
        Of daily sessions.
    """
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    phase = frame["phase"].to_numpy(dtype=object) if "phase" in frame else np.full(len(frame), "", dtype=object)
    timed = frame["stamp"].notna().to_numpy()
    session = calendar.dates[np.maximum(position, 0)] if len(calendar.dates) else dates
    on_date: Bools = (position != NO_SESSION) & (session == dates)
    by_date = on_date & (phase == "") & (~timed | (calendar.closes is None) | np.isin(session, calendar.unknown))
    first, last = position.copy(), position + by_date
    if calendar.closes is not None:
        bounds = bounds_of(frame)
        earliest = sessions_of(bounds.first, calendar)[0]
        latest = np.maximum(earliest, sessions_of(bounds.last - INSTANT, calendar)[0])
        bounded = ~np.isnat(bounds.first) & (earliest != NO_SESSION) & (latest != NO_SESSION) & (phase == "")
        first, last = np.where(bounded, earliest, first), np.where(bounded, latest, last)
    last = np.where(first == NO_SESSION, NO_SESSION, np.minimum(last, len(calendar.dates) - 1))
    return Possible(first, last)
