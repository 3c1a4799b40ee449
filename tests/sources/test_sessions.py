"""What is noticed in daily prices, on bars made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.bars import Bars
from eventstudy.sources._sessions import find_anomalies

WEEK = ["2021-09-13", "2021-09-14", "2021-09-15", "2021-09-16", "2021-09-17"]


def lines(days, close, until="2021-09-17", **fields):
    dates = np.array(days, dtype="datetime64[D]")
    given = {"close": close, **fields}
    bars = Bars("A", dates, {name: np.array(values, dtype=float) for name, values in given.items()})
    return find_anomalies(bars, "XNYS", np.datetime64(until))


def test_clean_prices_have_nothing_to_notice():
    assert lines(WEEK, [10, 11, 10, 9, 10], adjusted=[9, 10, 9, 8, 9]) == []


@pytest.mark.parametrize(
    ("close", "adjusted", "where"),
    [
        ([10, 11, 56, 57, 58], [10, 11, 12, 13, 14], "2021-09-15"),
        ([10, 11, 12, 13, 14], [10, 11, 12, 13, 2], "2021-09-17"),
        ([10, np.nan, 51, 52, 53], [10, 11, 12, 13, 14], "2021-09-15"),
    ],
)
def test_a_jump_in_either_close_is_noticed_and_a_hole_does_not_hide_it(close, adjusted, where):
    (line,) = [line for line in lines(WEEK, close, adjusted=adjusted) if "times" in line]
    assert line.endswith(f": {where}")


def test_five_times_is_not_yet_a_jump():
    assert lines(WEEK, [10, 49.9, 50, 10.1, 10]) == []


def test_holes_ends_and_closed_days_are_told_apart():
    found = lines(["2021-09-02", "2021-09-06", "2021-09-07", "2021-09-09"], [1, 1, 1, 1], until="2021-09-14")
    assert found == [
        "no row on sessions of XNYS: 2021-09-03, 2021-09-08",
        "rows on days when XNYS was closed: 2021-09-06",  # Labor Day
        "the end is stale: no row on the last sessions of XNYS: 2021-09-10, 2021-09-13, 2021-09-14",
    ]


def test_rows_older_than_the_calendar_are_left_in_peace():
    assert lines(["1979-12-24", "1979-12-25", "1980-01-02"], [1, 1, 1], until="1980-01-02") == []
    (line,) = lines(["1979-12-24"], [np.nan], until="1979-12-24")
    assert line == "rows without a close: 1979-12-24"
