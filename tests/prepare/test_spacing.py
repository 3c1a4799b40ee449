"""How many rows a year has, by the calendar: a year of each kind is counted row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eventstudy import markets
from eventstudy.prepare.spacing import DAILY, Spacing, frequency, spacing
from eventstudy.types import Dates


def days(index: pd.DatetimeIndex) -> Dates:
    return np.asarray(index.to_numpy().astype("datetime64[D]"))


@pytest.mark.parametrize("mic", ["XHKG", "XNYS", "XSHG", "XTAE", "XSAU"])
@pytest.mark.parametrize("end", ["2021-02-26", "2021-12-31", "2023-12-31"])
def test_a_year_of_an_exchange_has_252_sessions(mic: str, end: str) -> None:
    assert spacing(markets.sessions_between(mic, "2021-01-04", end)) == DAILY == Spacing(252.0, "daily")


def test_the_sessions_of_two_exchanges_are_daily_sessions() -> None:
    both = [markets.sessions_between(mic, "2019-01-01", "2022-12-31") for mic in ("XHKG", "XNYS", "XTKS")]
    assert spacing(np.unique(np.concatenate(both))) == DAILY


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("D", Spacing(365.0, "daily")), ("B", DAILY), ("W-FRI", Spacing(52.0, "weekly")),
        ("W-MON", Spacing(52.0, "weekly")), ("ME", Spacing(12.0, "monthly")), ("MS", Spacing(12.0, "monthly")),
        ("BME", Spacing(12.0, "monthly")), ("QE", Spacing(4.0, "quarterly")), ("YE", Spacing(1.0, "yearly")),
        ("2W-FRI", Spacing(26.0, "")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("years", [3, 20])
def test_a_year_has_as_many_rows_as_are_counted_in_it(rule: str, wanted: Spacing, years: int) -> None:
    dates = days(pd.date_range("2001-01-01", f"{2000 + years}-12-31", freq=rule))
    assert spacing(dates) == wanted
    counted = len(dates) / years
    assert wanted.a_year == pytest.approx(counted, rel=0.04)  # holidays are the rest: 252 of 261 weekdays
    few = np.delete(dates, np.arange(5, len(dates), 17))  # without some rows the others are still what they are
    assert years < 20 or spacing(few) == wanted


def test_days_of_a_week_that_are_not_five_are_counted() -> None:
    every = days(pd.date_range("2015-01-01", "2018-12-31"))
    weekday = (every.astype(np.int64) + 3) % 7  # 1970-01-01 is a Thursday
    six, two = every[weekday != 6], every[np.isin(weekday, (1, 4))]
    assert spacing(six) == Spacing(302.0, "daily")  # 252 x 6 / 5
    assert spacing(two) == Spacing(104.0, "")  # two a week
    assert two.size / 4 == pytest.approx(104, abs=1)


def test_a_gap_of_years_is_no_distance() -> None:
    parts = [days(pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="W-FRI")) for year in (2001, 2020)]
    assert spacing(np.concatenate(parts)) == Spacing(52.0, "weekly")


def test_fewer_than_two_rows_say_nothing() -> None:
    one = np.array(["2021-01-04"], dtype="datetime64[D]")
    assert spacing(one) == spacing(one[:0]) == DAILY
    assert frequency(one) is None


def test_rows_are_told_in_words() -> None:
    month, year, other = Spacing(12.0, "monthly"), Spacing(1.0, "yearly"), Spacing(104.0, "")
    assert (month.returns, month.sentence) == ("monthly returns", "A year has 12 months.")
    assert (other.returns, other.sentence) == ("returns", "A year has 104 rows.")
    assert year.sentence == "A return is of a year."
