"""The firms with which an event is compared: those that are known beforehand to be like it, and have no event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy import arguments, markets
from eventstudy.bars import Prices
from eventstudy.errors import InputError, shown
from eventstudy.prepare.calendar import calendar_name, observed_calendar
from eventstudy.prepare.events import RESERVED, Events
from eventstudy.prepare.peers import Pools, Treated
from eventstudy.prepare.placing import (
    Attrition,
    Calendars,
    find_calendars,
    firm_names,
    firm_of_tickers,
    place_events,
    sessions_at,
)
from eventstudy.prepare.screens import event_positions, session_dates
from eventstudy.transform._characteristics import Characteristics
from eventstudy.transform._shared import UNITS, Levels, check_daily, levels
from eventstudy.types import Dates, Floats, Ints, Status

FARTHEST = 100_000  # sessions in a window, and from the event


class Market(NamedTuple):
    """The securities on one calendar and in one currency: tickers, dates (T,), levels (A, T) and returns (A, T)."""

    tickers: tuple[str, ...]
    dates: Dates
    level: Floats
    returns: Floats


class Firms(NamedTuple):
    """The firms from which those of one event are chosen: rows of ``market``, (n,), with characteristics (n, K).

    ``own`` (K,) are those of the event; ``start`` is the column of the first day of its window.
    """

    market: Market
    rows: Ints
    values: Floats
    own: Floats
    start: int


@dataclass(frozen=True)
class Candidates:
    """The events on their sessions, and the firms beside them.

    ``start`` (N,) is the first session of each event's window, ``announced`` (N,) the day before which a characteristic
    must be known.
    """

    frame: pd.DataFrame
    prices: Prices
    attrition: Attrition
    calendar: np.ndarray
    calendars: Calendars
    start: Dates
    announced: Dates
    pools: Pools
    markets: dict[tuple[str | None, str | None], Market] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Events, prices: Prices, window: object) -> Candidates:
        """Place the events as a study does by default."""
        arguments.instance("events", events, Events, "Events, as of es.Events.from_frame(df) or es.read_events(path)")
        check_daily(prices, "matching firms")
        first, last = arguments.window("window", window, FARTHEST, FARTHEST)
        frame, attrition = events.frame, Attrition(len(events.frame))
        calendar = find_calendars(frame, prices, attrition)
        calendars = {
            name: observed_calendar(name, [bars for bars in prices.bars.values() if calendar_name(bars.mic) == name])
            for name in dict.fromkeys(calendar[attrition.ok])
        }
        position, _ = place_events(frame, calendar, calendars, "next", attrition)
        positions = event_positions(frame, calendar, position)
        start, end = (session_dates(positions, calendars, day) for day in (first, last))
        attrition.exclude(positions.position + first < 1, Status.OUTSIDE_CALENDAR, "no session is before its window")
        announced = np.fmin(sessions_at(position, calendar, calendars), _announced(frame, prices))
        firm_of = firm_of_tickers(frame)
        pools = Pools(None, firm_of, Treated(firm_names(frame, firm_of), start, end), prices, frozenset())
        return cls(frame, prices, attrition, calendar, calendars, start, announced, pools)

    def firms(self, row: int, known: Characteristics) -> Firms | str:
        """Return the firms with characteristics before an event, and a price on the session before its window.

        Firms with an event whose window overlaps that of the event are left out, as is its own. A text says why there
        are none.
        """
        if not self.attrition.ok[row]:
            return str(self.attrition.reason[row])
        ticker, day, names = self.frame["ticker"].iloc[row], self.announced[row], " and ".join(known.names)
        [own] = known.before([ticker], day)
        if not np.isfinite(own).all():
            return f"no {names} of {ticker} is known before {day}"
        market = self._market(row)
        start = int(np.searchsorted(market.dates, self.start[row]))
        values = known.before(market.tickers, day)
        usable = np.isfinite(values).all(axis=1) & np.isfinite(market.level[:, start - 1]) & (start > 0)
        usable[self.pools.excluded_pairs(np.array([row]), market.tickers)[1]] = False
        if not usable.any():
            return f"no firm without an event has a {names} before {day}, and a price on the session before the window"
        return Firms(market, np.flatnonzero(usable), values[usable], own, start)

    def _market(self, row: int) -> Market:
        currency = _currency(self.prices, self.frame["ticker"].iloc[row])
        key = (self.calendar[row], currency)
        if key not in self.markets:
            names = self.pools.candidates(key[0], np.array([row]))
            tickers = tuple(name for name in names if _currency(self.prices, name) == currency)
            series = levels(self.prices, tickers)
            series = series.take(np.isin(series.dates, self.calendars[key[0]].dates))
            self.markets[key] = Market(tickers, series.dates, series.level, _returns(series))
        return self.markets[key]


def _announced(frame: pd.DataFrame, prices: Prices) -> Dates:
    """Return the date of each announcement, the earlier of the one that is stated and the one at the exchange."""
    stamps = frame["stamp"].dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    dates = frame["date"].to_numpy().astype("datetime64[D]")
    mics = np.array([prices.bars[t].mic if t in prices.bars else None for t in frame["ticker"]], dtype=object)
    for mic in dict.fromkeys(mics):
        rows = (mics == mic) & ~np.isnat(stamps)
        if mic is not None and rows.any():
            dates[rows] = np.minimum(dates[rows], markets.wall(mic, stamps[rows]).astype("datetime64[D]"))
    return np.asarray(dates)


def _currency(prices: Prices, ticker: str) -> str | None:
    currency = prices.bars[ticker].currency
    return UNITS.get(currency or "", currency)


def _returns(found: Levels) -> Floats:
    """Return simple returns from the first level of each ticker to its last, (A, T): 0 while it is suspended.

    The return after a suspension is that over all of it. NaN where a stated return is not known.
    """
    level = pd.DataFrame(found.level.T)
    held = level.ffill().where(level.bfill().notna()).to_numpy().T
    unknown = pd.DataFrame(found.unknown.T).ffill().to_numpy().T
    growth = held[:, 1:] / held[:, :-1] - 1.0
    growth[unknown[:, 1:] != unknown[:, :-1]] = np.nan
    return np.column_stack([np.full(len(growth), np.nan), growth])


def columns_of(name: str) -> tuple[str, str, str]:
    """Return the columns that are added to the events: the benchmark, its firms, and why there is none."""
    return name, f"{name}_firms", f"{name}_note"


def check_name(events: Events, name: object) -> str:
    """Return the name of the new columns and tickers; raise unless it can be used."""
    if not (isinstance(name, str) and name.isascii() and name.isalnum() and name[0].isalpha() and len(name) <= 12):
        raise InputError(f"name is {shown(name)}; give a letter and up to 11 letters and digits, as in 'control'")
    taken = [column for column in columns_of(name) if column in events.frame.columns or column in RESERVED]
    if taken:
        raise InputError(f"name is {shown(name)}, and the events have a column {taken[0]}; choose another name")
    return name
