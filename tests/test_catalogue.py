"""Version 1 of the catalogue agrees with the facts recorded then, and its events fall into the recorded sessions."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import exchange_calendars as xcals
import pandas as pd
import pytest

import eventstudy
from eventstudy.catalogue import catalogue

COLUMNS = [
    *("event_id", "announced", "timezone", "precision", "not_before", "not_after", "ticker", "title", "sector"),
    *("expected_sign", "source", "confidence", "press_2021_09_13", "note"),
]
PRESS = {"FT_ALIPAY_SPLIT", "GAMING_3H", "DELIVERY_PAY_REST", "MIIT_TOO_MANY_EV", "ANT_IPO_SUSPENDED"}
Row = dict[str, str]


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, Row]:
    with (shared / "data" / "events" / "china_tech.csv").open(encoding="utf-8", newline="") as lines:
        return {row["event_id"]: row for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    file = Path(eventstudy.__file__).parent / "data" / "china-tech.1.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        found = {row["event_id"]: row for row in reader}
    assert reader.fieldnames == COLUMNS
    return found


@pytest.fixture(scope="module")
def acts() -> pd.DataFrame:
    """The catalogue as the library reads it, one row an act."""
    frame = catalogue("china-tech", version="1").frame
    shares = frame.groupby("cluster", sort=False)["ticker"].agg(";".join)
    return frame.drop_duplicates("cluster").set_index("cluster").assign(ticker=shares)


def test_facts_are_those_recorded(rows: dict[str, Row], facts: dict[str, Row]) -> None:
    assert list(rows) == list(facts)
    same = {"affected_tickers": "ticker", **{name: name for name in ("timezone", "sector", "expected_sign")}}
    same |= {name: name for name in ("not_before", "not_after")}
    for event, fact in facts.items():
        assert {mine: rows[event][mine] for mine in same.values()} == {m: fact[f] for f, m in same.items()}, event
        assert rows[event]["confidence"].split()[0].strip("(,") == fact["confidence"].split()[0].strip("(,"), event


def test_the_library_reads_the_facts_as_they_stand(acts: pd.DataFrame, facts: dict[str, Row]) -> None:
    assert list(acts.index) == list(facts)
    for event, fact in facts.items():
        act = acts.loc[event]
        assert act["ticker"] == fact["affected_tickers"], event
        assert act["expected_sign"] == int(fact["expected_sign"]), event
        assert f"{act['date']:%Y-%m-%d}" == fact["announced_at"][:10], event
    frame = catalogue("china-tech", version="1").frame
    assert len(frame) == sum(len(fact["affected_tickers"].split(";")) for fact in facts.values())


def test_announced_is_as_precise_as_what_is_known(acts: pd.DataFrame, facts: dict[str, Row]) -> None:
    for event, fact in facts.items():
        act = acts.loc[event]
        if fact["precision"] == "time":
            assert act["precision"] == "time", event
            assert act["stamp"] == pd.Timestamp(fact["announced_at"]), event
        elif fact["not_before"]:
            assert act["precision"] == "bounded", event
        else:
            assert act["precision"] == "date", event
            assert act["announced"] == fact["announced_at"], event
            assert pd.isna(act["stamp"]), event


def test_stamps_lie_within_their_bounds(acts: pd.DataFrame, facts: dict[str, Row]) -> None:
    bounded = {event: fact for event, fact in facts.items() if fact["not_before"] or fact["not_after"]}
    assert len(bounded) > 20
    for event, fact in bounded.items():
        stamp = pd.Timestamp(acts["stamp"][event])
        assert not fact["not_before"] or pd.Timestamp(fact["not_before"]) <= stamp, event
        assert not fact["not_after"] or stamp <= pd.Timestamp(fact["not_after"]), event
    assert acts.loc["ANT_IPO_SUSPENDED", "stamp"] == pd.Timestamp("2020-11-03T12:40:00Z")


def test_words_are_our_own(rows: dict[str, Row], facts: dict[str, Row]) -> None:
    for event, fact in facts.items():
        assert rows[event]["title"].strip(), event
        assert rows[event]["title"].lower() != fact["title"].lower(), event
        assert rows[event]["source"].strip(), event
        assert not _shared_run(rows[event]["title"], fact["title"], 6), event
        assert not _shared_run(rows[event]["note"], fact["note"], 6), event


def _shared_run(mine: str, theirs: str, n: int) -> set[tuple[str, ...]]:
    """Runs of n words that stand in both texts."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = text.lower().split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    return runs(mine) & runs(theirs)


def test_the_press_of_13_september_is_marked(rows: dict[str, Row]) -> None:
    assert {row["press_2021_09_13"] for row in rows.values()} == {"yes", "no"}
    assert {event for event, row in rows.items() if row["press_2021_09_13"] == "yes"} == PRESS


@pytest.mark.thorough
@pytest.mark.parametrize(("exchange", "column"), [("XHKG", "first_hk_session"), ("XNYS", "first_us_session")])
def test_events_fall_into_the_recorded_sessions(
    acts: pd.DataFrame, facts: dict[str, Row], exchange: str, column: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the calendar library's own use of pandas
        schedule = xcals.get_calendar(exchange, start="2020-01-01", end="2023-01-31").schedule
    differing = {}
    for event, fact in facts.items():
        act = acts.loc[event]
        by_date = schedule.index >= act["date"]
        by_stamp = (schedule["close"] > act["stamp"]).to_numpy()
        session = schedule.index[by_date if pd.isna(act["stamp"]) else by_stamp][0]
        if f"{session:%Y-%m-%d}" != fact[column].rstrip("?"):
            differing[event] = f"{session:%Y-%m-%d} and not {fact[column]}"
    assert differing == {}  # of the uncertain ones, marked with ?, too
