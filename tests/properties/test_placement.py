"""The session of an announcement, against a plain loop with datetime and the zones' own clocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstudy import Events, markets
from eventstudy.errors import AlignmentError
from eventstudy.prepare.calendar import place
from eventstudy.types import Calendar
from tests.properties import QUICK

# The ordinary closing time on the wall of the exchange; Tokyo's before November 2024.
CLOSES = {
    "XHKG": (ZoneInfo("Asia/Hong_Kong"), dt.time(16, 0)),
    "XNYS": (ZoneInfo("America/New_York"), dt.time(16, 0)),
    "XTKS": (ZoneInfo("Asia/Tokyo"), dt.time(15, 0)),
}
MICS = list(CLOSES)
ZONES = ["UTC", "Asia/Hong_Kong", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
FIRST, LAST = dt.date(2020, 6, 1), dt.date(2021, 12, 31)


@cache
def calendar(mic: str) -> Calendar:
    dates, closes = markets.sessions(mic)
    inside = (dates >= np.datetime64(FIRST)) & (dates <= np.datetime64(LAST))
    return Calendar(mic, dates[inside], closes[inside])


@cache
def wall(mic: str) -> list[tuple[dt.date, dt.datetime]]:
    """Give the sessions with their closes as aware datetimes."""
    found = calendar(mic)
    assert found.closes is not None
    seconds = found.closes.astype("datetime64[s]").tolist()
    return [(d, s.replace(tzinfo=dt.UTC)) for d, s in zip(found.dates.tolist(), seconds, strict=True)]


def session_by_loop(mic: str, stamp: dt.datetime) -> dt.date | None:
    for date, close in wall(mic):
        if close > stamp:
            return date
    return None


def events(announced: Sequence[str], zone: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"ticker": "BABA", "announced": announced})
    return Events.from_frame(frame if zone is None else frame.assign(timezone=zone)).frame


@pytest.mark.parametrize("mic", MICS)
def test_closes_are_those_on_the_wall_but_for_half_days(mic: str) -> None:
    zone, time = CLOSES[mic]
    local = [close.astimezone(zone) for _, close in wall(mic)]
    assert [close.date() for close in local] == [date for date, _ in wall(mic)]
    halves = [close for close in local if close.time() != time]
    assert len(halves) < 0.03 * len(local)
    assert all(close.time() < time for close in halves)


@pytest.mark.thorough
@given(data=st.data(), mic=st.sampled_from(MICS), zone=st.sampled_from(ZONES))
@QUICK
def test_a_stamp_is_placed_where_a_plain_loop_places_it(data: st.DataObject, mic: str, zone: str) -> None:
    clock = ZoneInfo(zone)
    times = st.datetimes(dt.datetime(2020, 6, 3), dt.datetime(2021, 12, 28), timezones=st.just(clock))
    drawn = data.draw(st.lists(times.filter(exists), min_size=1, max_size=12))
    # moments at, just before and just after a close
    at = data.draw(st.integers(3, len(wall(mic)) - 3))
    drawn += [wall(mic)[at][1] + dt.timedelta(microseconds=k) for k in (-1, 0, 1)]
    position, rule, _ = place(events([stamp.isoformat() for stamp in drawn]), calendar(mic), "raise")
    sessions = calendar(mic).dates.tolist()
    for stamp, where, why in zip(drawn, position, rule, strict=True):
        wanted = session_by_loop(mic, stamp)
        assert sessions[where] == wanted
        local = stamp.date()
        if wanted is not None and wanted <= local:
            assert why == "before the close"
        else:
            assert why == ("after the close: next session" if local in sessions else "closed day: next session")


def exists(stamp: dt.datetime) -> bool:
    """Leave out the hour that a change to summer time skips."""
    return stamp.astimezone(dt.UTC).astimezone(stamp.tzinfo).replace(fold=0) == stamp.replace(fold=0)


@given(
    days=st.lists(st.dates(FIRST + dt.timedelta(5), LAST - dt.timedelta(9)), min_size=1, max_size=12),
    mic=st.sampled_from(MICS),
    policy=st.sampled_from(["next", "previous", "drop"]),
)
@QUICK
def test_a_date_alone_is_its_session_or_what_the_policy_says(days: list[dt.date], mic: str, policy: str) -> None:
    position, rule, _ = place(events([d.isoformat() for d in days]), calendar(mic), policy)
    sessions = calendar(mic).dates.tolist()
    for day, where, why in zip(days, position, rule, strict=True):
        if day in sessions:
            assert sessions[where] == day
            assert why == "the date is a session (a guess)"
        elif policy == "drop":
            assert where == -1
        else:
            step = dt.timedelta(1 if policy == "next" else -1)
            while day not in sessions:
                day += step
            assert sessions[where] == day
            assert policy in why


@pytest.mark.parametrize("mic", MICS)
def test_what_lies_outside_the_calendar_has_no_session(mic: str) -> None:
    given = events(["2019-01-02", "2022-03-01", "2019-01-02T10:00Z", "2022-03-01T10:00Z"])
    position, rule, _ = place(given, calendar(mic), "next")
    assert position.tolist() == [-1] * 4
    assert all(why.startswith("outside the calendar") for why in rule)


def test_a_date_without_a_session_is_an_error_where_that_is_the_policy() -> None:
    with pytest.raises(AlignmentError, match="2021-01-01"):
        place(events(["2021-01-01"]), calendar("XNYS"), "raise")


@pytest.mark.parametrize(("mic", "session"), [("XNYS", "2020-11-03"), ("XHKG", "2020-11-04"), ("XTKS", "2020-11-04")])
def test_the_suspension_of_ant_reaches_each_market_when_it_is_next_open(mic: str, session: str) -> None:
    """20:40 in Hong Kong on 3 November 2020; in Tokyo the 3rd is a holiday, and that evening is after its close."""
    position, _, _ = place(events(["2020-11-03T20:40"], "Asia/Hong_Kong"), calendar(mic), "raise")
    assert str(calendar(mic).dates[position[0]]) == session
