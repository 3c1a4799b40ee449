"""The calendars of exchange_calendars, built also where pandas 3 breaks them, and the facts that they have wrong.

``data/exchanges/sessions.csv`` is the one table of such facts: closures, openings and closes, each with its source.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.errors import InputError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST = "1980-01-01"
CLOSED = "closed"
Changes = tuple[tuple[str, str | None], ...]  # dates in ISO form, with the local close, or None for a closed day


class Fact(NamedTuple):
    """A row of the table: on ``first``, or on the sessions from then to ``last`` if ``when`` holds, ``close`` applies.

    ``last`` is empty if the fact still holds. ``when`` is empty, a day of the week, or the time zone whose summer time
    is on. A fact of one day also opens a session that the calendar lacks.
    """

    mic: str
    first: str
    last: str
    when: str
    close: str
    source: str

    @property
    def of_one_day(self) -> bool:
        """Whether the fact concerns the day ``first`` only."""
        return not self.last and not self.when

    def applies(self, dates: np.ndarray) -> np.ndarray:
        """Return whether a fact of several days applies to each of the sessions (T,)."""
        inside = dates >= np.datetime64(self.first)
        if self.last:
            inside &= dates <= np.datetime64(self.last)
        days = pd.DatetimeIndex(dates)
        if "/" in self.when:
            noon = (days + pd.Timedelta(hours=12)).tz_localize(self.when)
            inside &= np.array([bool(time.dst()) for time in noon])
        elif self.when:
            inside &= np.asarray(days.day_name() == self.when)
        return inside


@cache
def facts() -> Mapping[str, tuple[Fact, ...]]:
    """Return the facts by MIC."""
    by_mic: dict[str, tuple[Fact, ...]] = {}
    with (files("eventstudy") / "data" / "exchanges" / "sessions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_mic[row["mic"]] = (*by_mic.get(row["mic"], ()), Fact(**row))
    return by_mic


class Schedule(NamedTuple):
    """Sessions (T,) as datetime64[D], with their opening and closing instants in UTC, datetime64[s]."""

    dates: np.ndarray
    opens: np.ndarray
    closes: np.ndarray

    def changed(self, changes: Changes, zone: str) -> Schedule:
        """Return the schedule with days closed, opened, or closed at another local time.

        A day that is opened begins at the usual time of day, or at its close if that is earlier.
        """
        if not changes:
            return self
        days = np.array([day for day, _ in changes], dtype="datetime64[D]")
        stay = ~np.isin(self.dates, days)
        opened = [(day, close) for day, close in changes if close is not None]
        new = np.array([day for day, _ in opened], dtype="datetime64[D]")
        closes = instants([f"{day}T{close}" for day, close in opened], zone)
        at = np.clip(np.searchsorted(self.dates, new, side="right") - 1, 0, None)
        local_open = _local(self.opens[at], zone)
        opens = instants(new + (local_open - local_open.astype("datetime64[D]")), zone)
        dates = np.concatenate([self.dates[stay], new])
        order = np.argsort(dates, kind="stable")
        return Schedule(
            dates[order],
            np.concatenate([self.opens[stay], np.minimum(opens, closes)])[order],
            np.concatenate([self.closes[stay], closes])[order],
        )


def instants(local: list[str] | np.ndarray, zone: str) -> np.ndarray:
    """Convert local times, as text or datetime64, to UTC, datetime64[s]."""
    times = pd.DatetimeIndex(local).tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    return np.asarray(times.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]"))


def _local(utc: np.ndarray, zone: str) -> np.ndarray:
    times = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return np.asarray(times.to_numpy().astype("datetime64[s]"))


@lru_cache(maxsize=64)
def schedule(name: str) -> Schedule:
    """Return the sessions of an exchange, corrected by the facts."""
    known = calendar(name)
    zone = str(known.tz)
    dates = known.sessions.to_numpy().astype("datetime64[D]")
    opens, closes = (
        pd.DatetimeIndex(times).tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
        for times in (known.opens, known.closes)
    )
    single: dict[str, str | None] = {}
    for fact in facts().get(known.name, ()):  # name may be an alias
        if fact.of_one_day:
            single[fact.first] = None if fact.close == CLOSED else fact.close
        else:
            at = np.flatnonzero(fact.applies(dates))
            closes[at] = instants([f"{day}T{fact.close}" for day in dates[at]], zone)
    inside = ((day, close) for day, close in single.items() if dates[0] <= np.datetime64(day) <= dates[-1])
    return Schedule(dates, opens, closes).changed(tuple(inside), zone)


@lru_cache(maxsize=64)
def calendar(name: str) -> ExchangeCalendar:
    """Return the calendar of exchange_calendars, from 1980 (or its first known session) to its last known session.

    Raises
    ------
    InputError
        If exchange_calendars does not know the exchange, or cannot build its calendar.
    """
    import exchange_calendars as xcals

    if name not in xcals.get_calendar_names():
        raise InputError(
            f"exchange {name!r} is not a market identifier code that exchange_calendars knows;"
            " examples are XHKG, XNYS, XNAS, XLON, XTKS"
        )
    _repair_offsets(pd.offsets.BaseOffset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings of pandas inside exchange_calendars
        factory = _calendar_class(xcals.resolve_alias(name))
        first = factory.bound_min()  # by default the package returns only the last 20 years
        start = max(pd.Timestamp(FIRST), first) if first is not None else pd.Timestamp(FIRST)
        try:
            return factory(start=start)
        except Exception as error:  # the package raises whatever pandas does, with every date in the message
            raise InputError(
                f"exchange_calendars cannot build the calendar of {name} ({type(error).__name__}); read the prices"
                " without an exchange, whose dates are then the sessions, or install another version of it"
            ) from None


def _repair_offsets(offset: type) -> None:
    """Give the date offsets of exchange_calendars the method by which pandas 3 applies an offset.

    pandas 3 renamed ``_apply``: without this, Orthodox Easter cannot be computed, and the Hebrew holidays of Tel Aviv
    are silently those of the Western Easter.
    """
    kinds: list[Any] = offset.__subclasses__()
    for kind in kinds:
        if kind.__module__.startswith("exchange_calendars") and "_apply" in vars(kind):
            kind._add_datetime = kind._apply
        _repair_offsets(kind)


@cache
def _calendar_class(name: str) -> type[ExchangeCalendar]:
    """Return the class of a calendar; with its sessions counted here if its week changed over the years."""
    from exchange_calendars.calendar_utils import _default_calendar_factories

    known: type[ExchangeCalendar] = _default_calendar_factories[name]
    return type(known.__name__, (_OwnWeeks, known), {}) if hasattr(known, "special_weekmasks") else known


class _OwnWeeks:
    """The sessions of a calendar with several weeks, such as Sunday to Thursday, which pandas 3 takes for one week."""

    @cached_property
    def day(self) -> pd.offsets.CustomBusinessDay:
        """The offset to the next session, as an ordinary one of seven days a week with all other days as holidays."""
        known: Any = self
        days = np.arange(np.datetime64(FIRST, "D"), np.datetime64(known.default_end(), "D") + 1)
        is_open = np.is_busday(days, weekmask=known.weekmask)
        for first, last, weekmask in known.special_weekmasks:
            stretch = days >= np.datetime64(first or FIRST, "D")
            stretch &= days <= np.datetime64(last or days[-1], "D")
            is_open[stretch] = np.is_busday(days[stretch], weekmask=weekmask)
        is_open &= ~np.isin(days, _holidays(known, days[0], days[-1]))
        return pd.offsets.CustomBusinessDay(weekmask="1111111", holidays=list(days[~is_open]))


def _holidays(known: ExchangeCalendar, first: np.datetime64, last: np.datetime64) -> np.ndarray:
    regular = known.regular_holidays
    by_rule = [] if regular is None else list(regular.holidays(pd.Timestamp(first), pd.Timestamp(last)))
    return np.array([*known.adhoc_holidays, *by_rule], dtype="datetime64[D]")
