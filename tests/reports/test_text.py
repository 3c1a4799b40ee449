from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eventstudy.reports import _tables
from eventstudy.reports.text import placement, text
from tests.reports.fake import EVENTS, NOTE, VARIANTS, fake, many, nan_statistics


def columns(line):
    """Terminal columns by a rule of our own: what comes after U+2E7F in the basic plane is wide here."""
    return sum(2 if "\u2e80" <= c <= "\uffef" else 1 for c in line)


def block(report, title):
    """Give the lines under a title, up to the next blank line before a title."""
    return re.split(r"\n\n(?=\S[^\n]*\n-{100})", report.split(title, 1)[1])[0].splitlines()


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_line_is_wider_than_100_columns(variant):
    assert max(columns(line) for line in text(VARIANTS[variant]()).splitlines()) == 100


def test_wide_ids_notes_and_tickers_fit_too():
    rows = [
        (f"一个很长的事件名称需要被截断因为它太长了{i}", "0" * 17 + ".HK", *event[2:]) for i, event in enumerate(EVENTS)
    ]
    result = fake(rows)
    notes = ["反垄断" * 60, "x" * 250, "word " * 60]
    result = replace(result, provenance={**result.provenance, "notes": notes})
    report = text(result)
    assert max(columns(line) for line in report.splitlines()) == 100
    assert report.count("反垄断") >= 50
    assert "…" in report


def test_the_headline_counts_and_names_the_study():
    head = text(fake()).split("\n\n")[0]
    assert re.search(r"^Events +9 of 12 used$", head, re.M)
    assert re.search(r"^Period +2020-11-03 to 2021-09-13$", head, re.M)
    assert re.search(r"^Model +market$", head, re.M)
    assert re.search(r"^Benchmark +XHKG: \^HSI, XNYS: \^GSPC$", head, re.M)
    assert re.search(r"^Estimation window +\(-260, -11\)$", head, re.M)


def test_every_table_says_simulated():
    titles = re.findall(r"^([^\n]+)\n-{100}$", text(fake()), re.M)
    assert [title.split(" (")[0] for title in dict.fromkeys(title.split(" (part")[0] for title in titles)] == [
        "Sample selection", "The sample: cumulative abnormal return", "Mean abnormal return",
        "Tests of the mean cumulative abnormal return", "Cumulative abnormal return",
        "The session itself: plain returns from the previous close", "Events not used",
    ]  # fmt: skip
    assert all(f"({NOTE})" in title for title in titles)


@pytest.mark.thorough
def test_tests_stand_beside_the_effect_with_what_is_to_be_said_of_them():
    lines = block(text(fake()), "Tests of the mean cumulative abnormal return (CAR)")
    row = fake().tests.iloc[2]
    assert row["p"] < 0.001
    (shown,) = [line for line in lines if line.startswith("(-1, 1)")]
    statistic = f"{row['statistic']:.2f}***"
    assert shown.split()[:5] == ["(-1,", "1)", "9", f"{100 * row['effect']:.2f}***", f"{100 * row['positive']:.1f}"]
    assert statistic in shown
    (lost,) = [line for line in lines if line.startswith("(0, 5)")]
    assert lost.split()[-1] == "-"
    said = " ".join(" ".join(lines).split())
    assert "(0, 5): only 1 event has a CAR; a cross-section needs 2" in said
    assert "Kolari-Pynnönen: mean correlation 0.12 over windows that overlap." in said


@pytest.mark.thorough
def test_tests_of_one_window_stand_together_in_whatever_order_they_come():
    result = fake()
    by_test = replace(result, tests=result.tests.sort_values("test", kind="stable", ascending=False))
    found, wanted = (
        [line.split()[:4] for line in block(text(r), "Tests of the mean")[2:] if line.startswith("(")]
        for r in (by_test, result)
    )
    assert len(wanted) == 3
    assert [line[:3] for line in found] == [line[:3] for line in wanted]


def test_a_missing_car_says_why():
    lines = text(fake()).split("of each event")[-1].split("\n\n")[0].splitlines()
    (row,) = [line for line in lines if line.startswith("SAMR_DRAFT-0700.HK")]
    assert row.split()[-2:] == ["-", "-"]
    assert "- No CAR: too few days of the window have a return." in [line.strip() for line in lines]


def test_the_digits_of_a_column_align():
    lines = block(text(fake()), "Tests of the mean cumulative abnormal return (CAR)")
    effects, errors = (
        [re.search(pattern, line) for line in lines] for pattern in (r"-?\d+\.\d\d(?=\*)", r"(?<=\()\d\.\d\d(?=\))")
    )
    ends = {match.end() for match in (*effects, *errors) if match is not None}
    assert len(ends) == 1


def test_forty_events_are_shown_and_the_others_counted():
    lines = block(text(many()), "Cumulative abnormal return (CAR)")
    assert sum(line.startswith("EVENT_") for line in lines) == 40
    assert "16 further events not shown; a .csv report has them all." in lines


def test_windows_that_do_not_fit_are_in_further_parts():
    result = fake()
    first = result.cars[result.cars["end"] == 0]
    wide = [first.assign(start=start, end=start + 2) for start in range(-8, 0)]
    report = text(replace(result, cars=pd.concat(wide)))
    parts = re.findall(r"of each event \(simulated prices\) \(part (\d) of (\d)\)\n-+\n([^\n]+)\n", report)
    assert [int(at) for at, _, _ in parts] == list(range(1, int(parts[0][1]) + 1))
    heads = [head for _, _, spans in parts for head in re.findall(r"\((-?\d), (-?\d)\)", spans)]
    assert heads == [(str(start), str(start + 2)) for start in range(-8, 0)]


def test_the_lost_events_stand_with_their_reasons_and_notes_are_kept():
    report = text(fake())
    lost = " ".join(" ".join(block(report, "Events not used")).split())
    assert "DIDI_REVIEW-DIDI DIDI 2021-07-02 19:00+08:00 too_few_estimation 2 of 120 days" in lost
    assert "0000.HK is unknown <script>alert(1)</script>" in lost
    assert "- 7 of 9 events share their event window with another" in report


def test_control_characters_do_not_reach_the_terminal():
    rows = [("A\x1b[2J\nB", "BA\x07BA", *EVENTS[0][2:])]
    report = text(fake(rows, note="simulated\x9b31m"))
    assert "A [2J B" in report
    assert {c for c in report if unicodedata.category(c).startswith("C")} == {"\n"}


@pytest.mark.thorough
def test_a_price_that_no_event_has_is_no_column():
    result = fake()
    closes = replace(
        result, reactions=result.reactions.assign(open=np.nan, high=np.nan, low=np.nan, benchmark_low=np.nan)
    )
    assert _tables.reactions(closes, 40).columns == ("Event", "Ticker", "Session", "Close", "Benchmark", "Its close")
    assert {len(row) for row in _tables.reactions(closes, 40).rows} == {6}
    above, head = (line.split() for line in block(text(closes), "from the previous close")[2:4])
    assert (above, head) == (["Its"], ["Event", "Ticker", "Close", "Benchmark", "close"])
    alone = replace(result, reactions=closes.reactions.assign(benchmark_close=np.nan))
    assert _tables.reactions(alone, 40).columns == ("Event", "Ticker", "Session", "Close")
    assert len(_tables.reactions(replace(result, reactions=result.reactions.iloc[:0]), 40).columns) == 10


def test_groups_have_a_column_where_there_are_several():
    result = nan_statistics()
    assert "Group" not in text(result)
    both = pd.concat([result.tests.assign(group="fintech"), result.tests.assign(group="games")])
    report = text(replace(result, tests=both))
    assert "Group" in report
    assert re.search(r"^Mean CAR \(0, 0\), games +-\d", report, re.M)


def test_the_placement_table_says_what_becomes_of_each_event():
    table = fake().events.assign(placement="before the close", benchmark="^HSI")
    report = placement(table)
    lines = report.splitlines()
    assert lines[0] == "9 events ok, 1 event too_few_estimation, 1 event duplicate, 1 event unknown_ticker"
    assert max(columns(line) for line in lines) == 100
    said = " ".join(report.split())
    assert "2020-11-03 20:40+08:00 2020-11-04 250 ok: before the close" in said
    assert "too_few_estimation: 2 of 120 days" in said
    assert placement(table.iloc[:0]).splitlines()[0] == "there are no events"


def test_the_placement_table_counts_contaminated_days():
    table = fake().events.assign(placement="before the close", benchmark="^HSI", n_contaminated=0)
    table.iloc[0, table.columns.get_loc("n_contaminated")] = 21
    said = " ".join(placement(table).split())
    assert said.count("contaminated") == 1
    assert "ok: before the close; 21 days contaminated" in said


@pytest.mark.parametrize(("status", "shown"), [("confounded", "-"), ("too_few_estimation", "0")])
def test_days_that_were_not_counted_are_a_dash(status: str, shown: str) -> None:
    row = {"ticker": "A", "announced": "2021-09-13", "session": pd.Timestamp("2021-09-13"), "placement": "p"}
    table = pd.DataFrame([row | {"n_estimation": 0, "status": status, "reason": "r"}], index=["E1"])
    line = next(line for line in placement(table).splitlines() if line.startswith("E1"))
    assert line.split()[4] == shown
