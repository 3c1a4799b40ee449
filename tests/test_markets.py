"""Exchanges and their sessions: closes, closures and openings against a table of facts; codes of other vendors."""

from __future__ import annotations

from pathlib import Path

import exchange_calendars as xcals
import numpy as np
import pandas as pd
import pytest

from eventstudy import _calendars, markets
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import place
from eventstudy.types import Calendar

TABLE = pd.read_csv(Path(__file__).with_name("placement.csv"), dtype=str)
MICS = list(xcals.get_calendar_names(include_aliases=False))
# Of other weeks and easters, with a break at noon, with sessions over midnight, and those of the catalogue.
SOME = {"XNYS", "XHKG", "XSHG", "XTKS", "XLON", "XTAE", "ASEX", "XKRX", "CMES", "24/7", "XSAU", "XJSE", *TABLE["mic"]}
ALONE = {"us_futures"}  # no exchange


@pytest.mark.parametrize("row", list(TABLE.itertuples()), ids=lambda row: row.id)
def test_an_announcement_meets_the_first_session_that_can_react(row):
    dates, closes = markets.sessions(row.mic)
    stamp = pd.Timestamp(row.local).tz_localize(row.zone).tz_convert("UTC")
    frame = pd.DataFrame({"stamp": [stamp], "date": [pd.Timestamp(row.local[:10])]})
    placed = place(frame, Calendar(row.mic, dates, closes), "next")
    assert str(dates[placed.position[0]]) == row.expected, row.fact


@pytest.mark.thorough
@pytest.mark.parametrize("mic", [mic if mic in SOME else pytest.param(mic, marks=pytest.mark.full) for mic in MICS])
def test_every_exchange_has_sessions_in_order_each_closing_after_it_opens(mic):
    dates, closes = markets.sessions(mic)
    assert len(dates) > 1000
    assert (np.diff(dates) > np.timedelta64(0, "D")).all()
    assert (np.diff(closes) > np.timedelta64(0, "ns")).all()
    assert (closes.astype("datetime64[s]") > markets.opens(mic)).all()
    assert str(pd.Timestamp("2021-07-01", tz=markets.zone_of(mic)).date()) == "2021-07-01"


# Orthodox Good Friday was 30 April 2021 and Easter Monday 3 May; in Tel Aviv the new year was 7 and 8 September, with
# its eve, and Yom Kippur 16 September, with its eve: none is a date of the Western Easter, 4 April.
@pytest.mark.parametrize(
    ("mic", "closed", "open_"),
    [
        ("ASEX", ["2021-04-30", "2021-05-03"], ["2021-04-06", "2021-05-04"]),
        ("XBEL", ["2021-04-30", "2021-05-03"], ["2021-04-05", "2021-05-04"]),
        ("XBSE", ["2021-04-30", "2021-05-03"], ["2021-04-05", "2021-05-04"]),
        ("XCYS", ["2021-04-30", "2021-05-03"], ["2021-05-05"]),
        ("XTAE", ["2021-09-06", "2021-09-07", "2021-09-08", "2021-09-15", "2021-09-16", "2026-01-11"], ["2021-09-09"]),
        ("XTAE", ["2021-04-02", "2021-04-03"], ["2021-04-04", "2021-04-05", "2026-01-09"]),
        ("XKRX", ["1999-01-09"], ["1998-11-28"]),  # Saturdays: the last of them in 1998
    ],
)
def test_exchanges_of_other_weeks_and_easters_are_closed_on_their_holidays(mic, closed, open_):
    dates, _ = markets.sessions(mic)
    assert not np.isin(np.array(closed, dtype="datetime64[D]"), dates).any()
    assert np.isin(np.array(open_, dtype="datetime64[D]"), dates).all()


def test_every_fact_has_an_exchange_a_close_and_a_source():
    for mic, rows in _calendars.facts().items():
        assert mic in MICS
        for fact in rows:
            assert fact.source
            assert fact.close == "closed" or pd.Timestamp(f"{fact.first}T{fact.close}").minute % 5 == 0
            assert fact.when in ("", "Sunday") or "/" in fact.when


@pytest.mark.thorough
def test_the_facts_hold_under_an_alias_too():
    np.testing.assert_array_equal(markets.sessions("BMF")[1], markets.sessions("BVMF")[1])


def test_a_close_that_follows_new_york_changes_with_its_clocks_and_not_with_those_of_sao_paulo():
    dates, closes = markets.sessions("BVMF")
    days = np.array(["2021-03-12", "2021-03-15", "2021-11-05", "2021-11-08"], dtype="datetime64[D]")
    local = markets.wall("BVMF", closes[np.searchsorted(dates, days)].astype("datetime64[s]"))
    assert [str(time)[11:16] for time in local] == ["18:00", "17:00", "17:00", "18:00"]


def test_changes_of_the_user_come_before_the_facts_and_leave_the_calendar_of_others_alone():
    stated = (("2021-11-04", "20:00"), ("2021-11-08", None), ("2021-11-06", "12:00"))
    dates, closes = markets.sessions("XBOM", stated)
    days = {str(day): str(markets.wall("XBOM", close[None].astype("datetime64[s]"))[0])[11:16]
            for day, close in zip(dates, closes, strict=True) if str(day)[:7] == "2021-11"}  # fmt: skip
    assert days["2021-11-04"] == "20:00"
    assert days["2021-11-06"] == "12:00"
    assert "2021-11-08" not in days
    assert days["2021-11-09"] == "15:30"
    assert len(markets.opens("XBOM", stated)) == len(dates)
    unchanged, _ = markets.sessions("XBOM")
    assert np.isin(np.datetime64("2021-11-08"), unchanged)


@pytest.mark.parametrize(
    ("ticker", "mic"),
    [
        ("AAPL", "XNYS"), ("BRK-B", "XNYS"), ("BRK.B", "XNYS"), ("BAC-PL", "XNYS"), ("SPAC-UN", "XNYS"),
        ("FIRM1", "XNYS"), ("K0", "XNYS"), ("SZ000001", "XSHG"), ("SH600519", "XSHG"), ("ETH-USD", "CRYPTO"),
        ("BTC-EUR", "CRYPTO"), ("HKD=X", "FX"), ("TEVA.TA", "XTAE"),
    ],
)  # fmt: skip
def test_tickers_are_given_the_exchange_of_their_form(ticker, mic):
    assert markets.mic_of(ticker) == mic


@pytest.mark.parametrize(
    ("ticker", "hint"),
    [
        ("HK00700", "did you mean 0700.HK"),
        ("600519.SH", "did you mean 600519.SS"),
        ("CL=F", "CMES"),
        ("KS005930", "add the suffix"),
        ("US0378331005", "add the suffix"),
        ("7203T", "add the suffix"),
        ("10107", "name its exchange"),
        ("600519.S", "unknown suffix"),
        ("SI=Y", "add the suffix"),
    ],
)
def test_codes_of_no_known_form_are_refused_and_never_taken_for_new_york(ticker, hint):
    with pytest.raises(InputError, match=ticker) as caught:
        markets.mic_of(ticker)
    assert hint in str(caught.value)


def test_every_name_of_an_exchange_has_the_calendar_that_exchange_calendars_gives_it():
    for name in xcals.get_calendar_names():
        if name not in ALONE:
            assert markets.calendar_of(name) == xcals.resolve_alias(name), name


def test_markets_that_never_close_have_every_day_and_every_weekday():
    crypto, closes = markets.sessions("CRYPTO")
    week = (crypto >= np.datetime64("2021-09-13")) & (crypto <= np.datetime64("2021-09-19"))
    assert week.sum() == 7
    assert str(closes[week][0])[:19] == "2021-09-14T00:00:00"
    assert not np.isin(np.datetime64("2021-09-19"), markets.sessions("FX")[0])


def test_a_calendar_that_cannot_be_built_is_an_error_that_names_it(monkeypatch):
    class Broken:
        @staticmethod
        def bound_min():
            return None

        def __init__(self, start):
            raise ValueError("x" * 48_000)

    monkeypatch.setattr(_calendars, "_calendar_class", lambda name: Broken)
    _calendars.calendar.cache_clear()
    with pytest.raises(InputError, match="XLUX") as caught:
        _calendars.calendar("XLUX")
    _calendars.calendar.cache_clear()
    assert len(str(caught.value)) < 300
