"""Events that are not laid out as the page says: the error names what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import eventstudy as es

ROWS = [["ticker", "announced"], ["AAPL", "2021-01-04"]]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_mark_between_cells_is_named(mark: str, tmp_path: Path):
    file = tmp_path / "events.csv"
    file.write_text("\n".join(mark.join(row) for row in ROWS))
    with pytest.raises(es.InputError, match="separate cells by commas") as told:
        es.read_events(file)
    assert repr(mark) in str(told.value)
    assert "rename" not in str(told.value)


def test_another_encoding_is_named(tmp_path: Path):
    file = tmp_path / "events.csv"
    file.write_bytes("ticker,announced,title\nAAPL,2021-01-04,\u53cd\u5784\u65ad\n".encode("gb18030"))
    with pytest.raises(es.InputError, match=r"is not UTF-8 .*; save it as CSV in UTF-8"):
        es.read_events(file)


def test_columns_of_two_levels_are_refused():
    columns = pd.MultiIndex.from_tuples([("ticker", "first"), ("announced", "last")])
    with pytest.raises(es.InputError, match="columns of 2 levels"):
        es.Events.from_frame(pd.DataFrame([["AAPL", "2021-01-04"]], columns=columns))


@pytest.mark.parametrize(
    ("announced", "session"),
    [
        ("2021-12-24T11:30+08:00", "2021-12-24"),
        ("2021-12-24T14:00+08:00", "2021-12-27"),
        ("2021-02-11T15:00+08:00", "2021-02-15"),
        ("2024-12-31T13:00+08:00", "2025-01-02"),
        ("2022-12-23T14:00+08:00", "2022-12-23"),
    ],
)
def test_news_of_the_afternoon_of_a_half_day_in_singapore_is_of_the_next_session(announced: str, session: str):
    prices = es.fetch_prices(["D05.SI"], "2020-01-01", "2025-03-31", source="simulated")
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["D05.SI"], "announced": [announced]}))
    assert es.Study(model="mean").check(events, prices)["session"].iloc[0] == pd.Timestamp(session)
