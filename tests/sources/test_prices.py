"""The public functions over the sources, and the fingerprint that all share."""

from __future__ import annotations

import hashlib
import struct
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from eventstudy.bars import Prices
from eventstudy.errors import EventStudyWarning, InputError, TickerNotFound
from eventstudy.prices import fetch_prices, read_prices

WIDE = pd.DataFrame(
    {"A": [10.0, np.nan, 12.0], "B": [5.0, 5.5, 6.0]}, index=pd.to_datetime(["2021-01-04", "2021-01-05", "2021-01-07"])
)


class Mine:
    """A source of the user's own."""

    def read(self, tickers, start, end, *, factor):
        return Prices.from_frame(WIDE[list(tickers)] * factor)


def test_a_source_of_the_users_own_is_taken_and_gets_its_options():
    prices = fetch_prices(["B"], None, None, source=Mine(), factor=2.0)
    assert prices.bars["B"].fields["close"].tolist() == [10.0, 11.0, 12.0]


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("bloomberg", {}, "'yahoo'"),
        (object(), {}, "has no read"),
        ("frame", {"fram": WIDE}, "its options are frame, exchange"),
        ("folder", {}, "its options are path"),
        ("simulated", {"seeds": 1}, "its options are seed, reactions, totals"),
    ],
)
def test_a_wrong_source_or_option_names_what_is_valid(source, options, says):
    with pytest.raises(InputError, match=says):
        fetch_prices(["A"], None, None, source=source, **options)


def test_frame_keeps_tickers_range_and_exchange():
    prices = fetch_prices(["A"], "2021-01-05", "2021-01-07", source="frame", frame=WIDE, exchange="XHKG")
    bars = prices.bars["A"]
    assert prices.tickers == ("A",)
    assert bars.mic == "XHKG"
    assert bars.dates.astype(str).tolist() == ["2021-01-05", "2021-01-07"]
    np.testing.assert_array_equal(bars.fields["close"], [np.nan, 12.0])


@pytest.mark.parametrize("day", ["2021-01-05", date(2021, 1, 5), datetime(2021, 1, 5), pd.Timestamp("2021-01-05")])
def test_a_day_may_be_text_or_date_and_both_ends_are_included(day):
    assert fetch_prices(["B"], day, day, source="frame", frame=WIDE).bars["B"].fields["close"].tolist() == [5.5]


@pytest.mark.parametrize(
    "day", [pd.Timestamp("2021-01-05 09:30"), pd.Timestamp("2021-01-05", tz="Asia/Hong_Kong"), pd.NaT]
)
def test_a_time_of_day_or_a_zone_is_no_date(day):
    with pytest.raises(InputError, match=r"start is (Timestamp|NaT)"):
        fetch_prices(["B"], day, None, source="frame", frame=WIDE)


def test_frame_without_tickers_gives_all_columns():
    assert fetch_prices(None, None, None, source="frame", frame=WIDE).tickers == ("A", "B")


def test_what_cannot_be_had_is_a_problem_and_one_warning():
    with pytest.warns(EventStudyWarning, match="2 of 3 tickers could not be read: C, A") as seen:
        prices = fetch_prices(["C", "B", "A"], "2021-01-05", "2021-01-06", source="frame", frame=WIDE)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert prices.tickers == ("B",)
    assert "no column 'C'" in prices.problems["C"]
    assert "empty there" in prices.problems["A"]


def test_when_nothing_can_be_had_the_first_error_is_raised():
    with pytest.raises(TickerNotFound, match="'C'"):
        fetch_prices(["C", "D"], None, None, source="frame", frame=WIDE)
    with pytest.raises(TickerNotFound, match="no price of B from 2022-01-01"):
        fetch_prices(["B"], "2022-01-01", None, source="frame", frame=WIDE)


@pytest.mark.parametrize("frame", [[1, 2], WIDE[[]]])
def test_what_is_no_frame_of_prices_is_refused(frame):
    with pytest.raises(InputError, match="frame"):
        fetch_prices(None, None, None, source="frame", frame=frame)


def test_provenance_fingerprints_iso_dates_and_little_endian_doubles(tmp_path):
    text = "Date,Open,Close\n2021-01-04,9.5,10.25\n2021-01-05,,11\n"
    (tmp_path / "A.csv").write_text(text)
    nan = struct.pack("<d", float("nan"))
    close, opened = struct.pack("<2d", 10.25, 11.0), struct.pack("<d", 9.5) + nan
    expected = hashlib.sha256(b"2021-01-04\n2021-01-05" + b"\nclose\n" + close + b"\nopen\n" + opened).hexdigest()
    found = read_prices(tmp_path).provenance
    assert found["sha256"] == {"A": expected}
    assert found["source"] == "folder"
    assert str(tmp_path) not in str(found)

    (tmp_path / "A.csv").write_text(text.replace("11\n", "11.01\n"))
    assert read_prices(tmp_path).provenance["sha256"]["A"] != expected


def test_provenance_says_the_range_that_was_asked_for():
    found = fetch_prices(["B"], "2021-01-01", date(2021, 1, 31), source="frame", frame=WIDE).provenance
    assert (found["start"], found["end"]) == ("2021-01-01", "2021-01-31")
