"""The phase of a date says which session it means; with a time both must agree; a date with neither is a guess."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import AlignmentError, InputError
from tests.prepare.plain import DATES, STUDY, market, prices

GUESS = "the date is a session (a guess)"


def check(ticker: Any, announced: Any, phase: Any, on_closed: Any = "next", **further: Any) -> pd.DataFrame:
    columns = {"ticker": ticker, "announced": announced, "phase": phase, **further}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the calendar library's own use of pandas
        return es.Study(**STUDY, on_closed=on_closed).check(es.Events.from_frame(pd.DataFrame(columns)), market())


@pytest.mark.parametrize(
    ("phase", "session", "placement"),
    [
        ("before_open", "2021-09-13", "phase before_open: the date's session"),
        ("session", "2021-09-13", "phase session: the date's session"),
        ("after_close", "2021-09-14", "phase after_close: next session"),
        ("", "2021-09-13", GUESS),
    ],
)
def test_a_date_with_its_phase(phase: str, session: str, placement: str) -> None:
    table = check(["BABA", "9988.HK"], "2021-09-13", phase)
    assert table["session"].dt.strftime("%Y-%m-%d").tolist() == [session] * 2
    assert table["placement"].tolist() == [placement] * 2


def test_after_a_friday_and_before_a_holiday() -> None:
    # New York was shut on Monday 6 September 2021 (Labor Day), Hong Kong was not.
    table = check(["BABA", "9988.HK"], "2021-09-03", "AMC")
    assert table["session"].dt.strftime("%Y-%m-%d").tolist() == ["2021-09-07", "2021-09-06"]


@pytest.mark.parametrize("phase", ["before_open", "session", "after_close", ""])
def test_a_weekend_is_the_next_session_whatever_the_phase(phase: str) -> None:
    table = check(["BABA"], "2021-09-11", phase)
    assert str(table["session"].iloc[0])[:10] == "2021-09-13"
    assert table["placement"].tolist() == ["no session on the date: next"]
    assert check(["BABA"], "2021-09-11", phase, "drop")["status"].tolist() == ["closed"]
    with pytest.raises(AlignmentError, match="2021-09-11 is not a session"):
        check(["BABA"], "2021-09-11", phase, "raise")


@pytest.mark.parametrize(
    ("code", "phase"),
    [
        *((code, "before_open") for code in ("BMO", "bmo", " Before Market Open ", "pre-market")),
        *((code, "session") for code in ("DMH", "during market hours", "Session")),
        *((code, "after_close") for code in ("AMC", "amc", "After  Market Close")),
        *((code, "") for code in ("TAS", "unspecified", "TNS", "", None, float("nan"), pd.NA)),
    ],
)
def test_codes_of_vendors(code: Any, phase: str) -> None:
    frame = pd.DataFrame({"ticker": ["A"], "announced": ["2021-09-13"], "phase": pd.Series([code], dtype=object)})
    assert es.Events.from_frame(frame).frame["phase"].tolist() == [phase]
    assert frame["phase"].tolist()[0] is code


@pytest.mark.parametrize("code", ["noon", "B", 1, "bmo;amc"])
def test_a_code_that_is_none(code: Any) -> None:
    frame = pd.DataFrame({"ticker": ["A", "B"], "announced": ["2021-09-13"] * 2, "phase": ["BMO", code]})
    with pytest.raises(InputError, match=rf"row 2: phase '{code}' is not known; valid are before_open \(BMO\)"):
        es.Events.from_frame(frame)


@pytest.mark.parametrize(
    ("ticker", "announced", "phase"),
    [
        ("BABA", "2021-09-13T09:29-04:00", "before_open"),
        ("BABA", "2021-09-13T09:30-04:00", "session"),
        ("BABA", "2021-09-13T15:59-04:00", "session"),
        ("BABA", "2021-09-13T16:00-04:00", "after_close"),
        ("BABA", "2021-09-13T21:00+08:00", "before_open"),
        ("9988.HK", "2021-09-13T21:00+08:00", "after_close"),
        ("9988.HK", "2021-09-13T09:29+08:00", "before_open"),
        ("9988.HK", "2021-09-12T21:00+08:00", "after_close"),  # a Sunday has no phases
    ],
)
def test_a_time_that_agrees_is_placed_as_without_its_phase(ticker: str, announced: str, phase: str) -> None:
    table, alone = check([ticker], announced, phase), check([ticker], announced, "")
    assert table["session"].tolist() == alone["session"].tolist()
    assert table["placement"].tolist() == alone["placement"].tolist()


@pytest.mark.parametrize(
    ("announced", "phase", "told"),
    [
        ("2021-09-13T16:00:00-04:00", "session", "after the close of XNYS on 2021-09-13"),
        ("2021-09-13T15:00:00-04:00", "after_close", "before the close of XNYS on 2021-09-13"),
        ("2021-09-13T09:00:00-04:00", "session", "before the opening of XNYS on 2021-09-13"),
        ("2021-09-13T10:00:00-04:00", "before_open", "before the close of XNYS on 2021-09-13"),
        ("2021-09-13T21:00:00+08:00", "after_close", "before the opening of XNYS on 2021-09-13"),
    ],
)
def test_a_time_that_does_not_agree_is_refused(announced: str, phase: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        check(["BABA"], announced, phase, event_id=["X"])
    assert f"event 'X' has the phase '{phase}' and the time {announced}, which is" in str(caught.value)
    assert told in str(caught.value)


def test_prices_without_an_exchange() -> None:
    given = es.Events.from_frame(
        pd.DataFrame({
            "ticker": "A", "announced": [f"{DATES[80].date()}", f"{DATES[80].date()}T10:00Z"], "phase": "after_close",
        })
    )  # fmt: skip
    table = es.Study(**STUDY).check(given, prices(["A"]))
    assert table["session"].tolist() == [DATES[81]] * 2
    assert table["placement"].iloc[1] == "no closing times known: phase after_close: next session"


def test_after_the_last_session_is_outside() -> None:
    last = es.markets.sessions("XHKG")[0][-1]
    table = check(["9988.HK"], str(last), "after_close")
    assert table["status"].tolist() == ["outside_calendar"]


def test_guesses_are_counted_in_the_notes() -> None:
    events = pd.DataFrame({"ticker": "BABA", "announced": ["2021-03-01", "2021-06-01", "2021-08-02"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        study = es.Study(**STUDY)
        result = study.run(es.Events.from_frame(events), market())
        sure = study.run(es.Events.from_frame(events.assign(phase="session")), market())
    assert result.events["placement"].tolist() == [GUESS] * 3
    assert [note for note in result.provenance["notes"] if note.startswith("3 used events have a date without a time")]
    assert not [note for note in sure.provenance["notes"] if "guess" in note]


def test_a_time_of_day_without_closing_times_is_placed_by_its_date_and_a_warning_says_so() -> None:
    after = es.Events.from_frame(
        pd.DataFrame({"ticker": ["A", "A"], "announced": [f"{DATES[n].date()}T18:00-05:00" for n in (80, 140)]})
    )
    study = es.Study(**STUDY)
    with pytest.warns(
        es.EventStudyWarning, match=r"2 used events have a time of day, but .* name the exchange"
    ) as told:
        result = study.run(after, prices(["A"]))
    assert result.events["session"].tolist() == [DATES[80], DATES[140]]
    assert str(told[0].message) in result.provenance["notes"]
    named = study.run(after, prices(["A"], "XNYS"))
    assert named.events["session"].tolist() == [DATES[81], DATES[141]]
    assert not any("time of day" in note for note in named.provenance["notes"])
