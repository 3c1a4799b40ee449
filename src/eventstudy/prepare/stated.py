"""Closures, openings and closing times that the user states: ``Study(calendars=...)``."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from eventstudy import markets
from eventstudy.errors import InputError
from eventstudy.types import Stated

EXAMPLE = "{'XBOM': {'2021-11-04': '19:15'}, 'XKRX': {'2026-06-03': None}}"
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def check_stated(value: object) -> dict[str, dict[str, str | None]] | None:
    """Return the stated days as plain dicts.

    Raises
    ------
    InputError
        If an exchange, a date or a time is not valid, or two markets with the same sessions disagree.

    Examples
    --------
    >>> check_stated({"XKRX": {"2026-06-03": None}})
    {'XKRX': {'2026-06-03': None}}
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError(f"calendars is of type {type(value).__name__}; give dates by exchange, as {EXAMPLE}")
    stated = {mic: _check_days(mic, days) for mic, days in value.items()}
    seen: dict[tuple[str, str], tuple[str, str | None]] = {}
    for mic, days in stated.items():
        for day, close in days.items():
            other, its = seen.setdefault((markets.calendar_of(mic), day), (mic, close))
            if its != close:
                raise InputError(f"calendars: {other} and {mic} share their sessions and differ on {day}; give one")
    return stated


def _check_days(mic: object, days: object) -> dict[str, str | None]:
    if not isinstance(mic, str):
        raise InputError(f"calendars: {mic!r} is not an exchange; give its MIC as text, as in {EXAMPLE}")
    markets.zone_of(mic)  # an exchange that is not known is an error
    if not isinstance(days, Mapping):
        raise InputError(f"calendars: that of {mic} is of type {type(days).__name__}; give dates, as in {EXAMPLE}")
    checked: dict[str, str | None] = {}
    for day, close in days.items():
        if not _is_date(day):
            raise InputError(f"calendars: {day!r} of {mic} is not a date; write it as text, as '2021-11-04'")
        if close is not None and not (isinstance(close, str) and TIME.fullmatch(close)):
            raise InputError(
                f"calendars: {mic} on {day} is {close!r}; give the local closing time, as '19:15', or None if the"
                " exchange was closed"
            )
        checked[day] = close
    return checked


def _is_date(day: object) -> bool:
    if not isinstance(day, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return False
    try:
        np.datetime64(day, "D")
    except ValueError:
        return False
    return True


def changes_of(stated: Stated | None, name: str | None) -> markets.Changes:
    """Return what is stated of the markets that share a calendar, by date."""
    days: dict[str, str | None] = {}
    for mic, its in (stated or {}).items():
        if markets.calendar_of(mic) == name:
            days.update(its)
    return tuple(sorted(days.items()))
