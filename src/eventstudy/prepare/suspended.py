"""Events on whose session their ticker has no price: moved to its next trade, up to ``FURTHEST`` sessions later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices
from eventstudy.display import formats
from eventstudy.prepare.intraday import format_session
from eventstudy.prepare.placing import Attrition
from eventstudy.types import Bools, Calendar, Dates, Ints, Status

FURTHEST = 60  # sessions, a quarter of a year: what follows a longer suspension is not the reaction to one event


def move_to_next_trade(
    ticker: np.ndarray, position: Ints, calendars: Mapping[str | None, Calendar], names: np.ndarray, prices: Prices,
    placement: np.ndarray, attrition: Attrition,
) -> Ints:  # fmt: skip
    """Return the positions (N,) with events moved to the next session on which their ticker has a price.

    ``placement`` says so, in place. An event whose ticker does not trade within ``FURTHEST`` sessions is excluded, and
    so is one whose next trade has a price but no stated return, because no later return holds the reaction; one after
    its last price stays where it is.

    Parameters
    ----------
    ticker : object array (N,)
    position : int array (N,)
        The index of each event's session in its calendar, -1 without one.
    calendars : mapping from name to Calendar
    names : object array (N,)
        The calendar of each event.
    prices : Prices
    placement : object array (N,)
    attrition : Attrition
    """
    moved, unknown = position.copy(), np.zeros(len(position), dtype=bool)
    code, tickers = pd.factorize(ticker)
    usable = np.flatnonzero(attrition.ok)
    order = usable[np.argsort(code[usable], kind="stable")]
    for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1) if len(order) else ():
        bars, calendar = prices.bars[tickers[code[rows[0]]]], calendars[names[rows[0]]]
        traded = _sessions_with_price(bars, calendar)
        at = np.searchsorted(traded, position[rows])
        inside = (at < len(traded)) & (position[rows] >= (traded[0] if len(traded) else 0))
        rows, next_trade = rows[inside], traded[at[inside]]
        late = next_trade > position[rows]
        moved[rows[late]] = next_trade[late]
        unknown[rows[late]] = _without_return(bars, calendar.dates[next_trade[late]])
    distance = moved - position
    for row in np.flatnonzero(distance):
        day = format_session(names[row], calendars[names[row]].dates[position[row]])
        later = formats.plural(int(distance[row]), "bar" if calendars[names[row]].intraday else "session")
        placement[row] = f"{placement[row]}; no price on {day}: next trade, {later} later"
    far = distance > FURTHEST
    attrition.exclude(far, Status.SUSPENDED, f"it does not trade within {FURTHEST} sessions of its event")
    attrition.exclude(unknown, Status.SUSPENDED, "the return of its next trade after the event is not known")
    return moved


def _without_return(bars: Bars, dates: Dates) -> Bools:
    """Return on which of the dates of its rows a security has no return, although it states returns."""
    if "return" not in bars.fields:
        return np.zeros(len(dates), dtype=bool)
    return np.isnan(bars.fields["return"][np.searchsorted(bars.dates, dates)])


def _sessions_with_price(bars: Bars, calendar: Calendar) -> Ints:
    """Return the positions in the calendar of the sessions on which a security has a close, sorted."""
    dates: Dates = bars.dates[np.isfinite(bars.fields["close"])]
    at = np.searchsorted(calendar.dates, dates)
    inside = at < len(calendar.dates)
    at, dates = at[inside], dates[inside]
    return np.asarray(at[calendar.dates[at] == dates])
