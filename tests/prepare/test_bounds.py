"""Bounds of the time of an announcement place it where they leave one session, and are flagged where they do not."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import InputError
from tests.prepare.plain import STUDY, market

# Hong Kong closes at 16:00, which is 08:00 UTC; New York at 16:00, which is 20:00 UTC in September.
DAY = "2021-09-13"


def table(**columns: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return es.Study(**STUDY).check(es.Events.from_frame(pd.DataFrame(columns)), market())


def place(ticker: str, announced: str, first: str | None, last: str | None, **columns: Any) -> tuple[str, str]:
    row = table(ticker=[ticker], announced=[announced], not_before=[first], not_after=[last], **columns).iloc[0]
    return str(row["session"])[:10], row["placement"]


GUESSED = "its bounds reach 2 sessions: the first of them (a guess)"
CASES: dict[str, tuple[tuple[Any, ...], tuple[str, str]]] = {
    "in the session": (
        ("9988.HK", DAY, f"{DAY}T10:00+08:00", f"{DAY}T15:59+08:00"), (DAY, "its bounds lie in one session"),
    ),
    "after the close": (
        ("9988.HK", DAY, f"{DAY}T16:00+08:00", f"{DAY}T22:00+08:00"), ("2021-09-14", "its bounds lie in one session"),
    ),
    "the same in New York, before the opening": (
        ("BABA", DAY, f"{DAY}T16:00+08:00", f"{DAY}T22:00+08:00"), (DAY, "its bounds lie in one session"),
    ),
    "over the close": (("9988.HK", DAY, f"{DAY}T10:00+08:00", f"{DAY}T19:48+08:00"), (DAY, GUESSED)),
    "from after one close over the next": (
        ("9988.HK", DAY, f"{DAY}T16:10+08:00", "2021-09-14T17:00+08:00"), ("2021-09-14", GUESSED),
    ),
    "over a weekend": (
        ("9988.HK", "2021-09-11", "2021-09-10T16:30+08:00", "2021-09-13T08:00+08:00"),
        (DAY, "its bounds lie in one session"),
    ),
    "no later than": (("9988.HK", DAY, None, f"{DAY}T15:00+08:00"), (DAY, "its bounds lie in one session")),
    "no sooner than": (("9988.HK", DAY, f"{DAY}T16:10+08:00", ""), ("2021-09-14", "its bounds lie in one session")),
    "no sooner than, over the close": (("9988.HK", DAY, f"{DAY}T12:00+08:00", None), (DAY, GUESSED)),
    "a time": (
        ("9988.HK", f"{DAY}T18:30+08:00", f"{DAY}T16:10+08:00", f"{DAY}T19:10+08:00"),
        ("2021-09-14", "after the close: next session"),
    ),
    "a time, over the close": (
        ("9988.HK", f"{DAY}T15:00+08:00", f"{DAY}T09:00+08:00", f"{DAY}T19:48+08:00"),
        (DAY, "before the close; its bounds reach 2 sessions: that of its time"),
    ),
    "none": (("9988.HK", DAY, None, ""), (DAY, "the date is a session (a guess)")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_where_bounds_place_an_event(case: str) -> None:
    given, wanted = CASES[case]
    assert place(*given) == wanted


@pytest.mark.thorough
def test_bounds_without_offsets_are_in_the_timezone() -> None:
    given = ("9988.HK", DAY, f"{DAY} 16:10", f"{DAY} 19:00")
    assert place(*given, timezone=["Asia/Hong_Kong"])[0] == "2021-09-14"
    assert place(*given, timezone=["Europe/London"])[0] == "2021-09-14"
    assert place("BABA", *given[1:], timezone=["America/New_York"])[0] == "2021-09-14"
    with pytest.raises(InputError, match="not_before '2021-09-13 16:10' has a time without a time zone"):
        place(*given)


@pytest.mark.thorough
def test_a_phase_decides_and_must_agree_with_the_bounds() -> None:
    bounds = (f"{DAY}T10:00+08:00", f"{DAY}T19:48+08:00")
    assert place("9988.HK", DAY, *bounds, phase=["AMC"]) == ("2021-09-14", "phase after_close: next session")
    assert place("9988.HK", DAY, *bounds, phase=["session"]) == (DAY, "phase session: the date's session")
    with pytest.raises(InputError, match=r"has the phase 'after_close' on 2021-09-13, and its bounds lie in another"):
        place("9988.HK", DAY, bounds[0], f"{DAY}T12:00+08:00", phase=["AMC"])


@pytest.mark.parametrize(
    ("announced", "first", "last", "says"),
    [
        (DAY, f"{DAY}T12:00+08:00", f"{DAY}T11:00+08:00", "no moment within its bounds"),
        (f"{DAY}T09:00+08:00", f"{DAY}T12:00+08:00", f"{DAY}T13:00+08:00", "is outside its bounds, not_before 2021-09"),
        (DAY, DAY, None, "not_before '2021-09-13' is a date; a bound is a time"),
        (DAY, "13/09/2021", None, "not_before '13/09/2021' is not in ISO 8601"),
        (DAY, None, f"{DAY}T25:00+08:00", "not_after '2021-09-13T25:00"),
        (DAY, None, f"{DAY}T12:00", "not_after '2021-09-13T12:00' has a time without a time zone"),
    ],
)
def test_bounds_that_cannot_be_are_listed_by_row(announced: str, first: Any, last: Any, says: str) -> None:
    frame = pd.DataFrame({"ticker": ["BABA"] * 2, "announced": [DAY, announced], "not_before": [None, first],
                          "not_after": [None, last]})  # fmt: skip
    with pytest.raises(InputError, match="row 2: .*" + says):
        es.Events.from_frame(frame)


def test_midnights_are_times_and_columns_of_times_are_read() -> None:
    stamps = pd.to_datetime([f"{DAY}T00:00+08:00", f"{DAY}T00:00+08:00"])
    frame = es.Events.from_frame(pd.DataFrame({"ticker": ["BABA", "9988.HK"], "announced": DAY, "not_before": stamps}))
    assert frame.frame["not_before"].tolist() == [f"{DAY}T00:00:00+08:00"] * 2


def test_a_file_with_bounds_and_the_note_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        f"ticker,announced,not_before,not_after\n9988.HK,{DAY},{DAY}T10:00+08:00,{DAY}T19:48+08:00\nBABA,{DAY},,\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = es.Study(**STUDY).run(es.read_events(tmp_path / "events.csv"), market())
    notes = result.provenance["notes"]
    assert any(note.startswith("1 used event has bounds that reach several sessions, placed") for note in notes)
    assert any(note.startswith("1 used event has a date without a time of day") for note in notes)
    assert np.isfinite(result.cars["car"]).all()


def test_the_acts_of_the_catalogue_whose_hour_is_not_known_are_flagged_in_hong_kong() -> None:
    """The notes of four acts say that the bounds reach two sessions; a fifth's end 29 minutes after the close."""
    frame = es.catalogue("china-tech").frame
    here = frame[frame["ticker"].isin(["9988.HK", "1211.HK"]) & frame["date"].between("2020-11-01", "2021-11-30")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        placement = es.Study(**STUDY).check(es.Events(here.assign(ticker="9988.HK")), market())["placement"]
    flagged = here[placement.str.contains("its bounds reach").to_numpy()]
    low = here[here["confidence"].str.contains("low (phase)", regex=False)]
    assert set(flagged["cluster"]) == {*low["cluster"], "DELIVERY_PAY_REST"}
    assert len(low) >= 3


def test_a_bound_at_the_close_is_before_the_close() -> None:
    assert place("9988.HK", DAY, f"{DAY}T09:00+08:00", f"{DAY}T16:00+08:00") == (DAY, "its bounds lie in one session")
    at = f"{DAY}T16:00+08:00"  # an announcement at the close belongs to the next session
    assert place("9988.HK", at, at, at) == ("2021-09-14", "after the close: next session")
