from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pandas as pd
import pytest

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
    assert len(titles) == 5
    assert all(title.endswith(f"({NOTE})") for title in titles)


def test_tests_have_sensible_digits_and_numbered_notes():
    lines = block(text(fake()), "Tests of the mean cumulative abnormal return (CAR)")
    row = fake().tests.iloc[2]
    assert row["p"] < 0.001
    effect = f"{100 * row['effect']:.2f} %"
    shown = f"(-1, 1)  kolari_pynnonen [1]  9  {effect:>8}  {row['statistic']:>9.2f}   8  <0.001"
    assert shown in lines
    assert "(0, 5)   grank_t [3]          1   -7.96 %          –   –       –" in lines
    assert "[3] only 1 event has a CAR; a cross-section needs 2" in lines


def test_tests_of_one_window_stand_together_in_whatever_order_they_come():
    result = fake()
    by_test = replace(result, tests=result.tests.sort_values("test", kind="stable", ascending=False))
    assert (
        block(text(by_test), "Tests of the mean cumulative abnormal return (CAR)")[3:12]
        == block(text(result), "Tests of the mean cumulative abnormal return (CAR)")[3:12]
    )


def test_a_missing_car_says_why():
    lines = block(text(fake()), "Cumulative abnormal return (CAR)")
    (row,) = [line for line in lines if line.startswith("SAMR_DRAFT-0700.HK")]
    assert row.split()[-3:] == ["–", "[1]", "–"]
    assert "[1] only 5 of 6 sessions in the window have a return" in lines


def test_forty_events_are_shown_and_the_others_counted():
    lines = block(text(many()), "Cumulative abnormal return (CAR)")
    assert sum(line.startswith("EVENT_") for line in lines) == 40
    assert "16 further events not shown; a .csv report has them all" in lines


def test_windows_that_do_not_fit_are_counted():
    result = fake()
    wide = [result.cars.assign(start=start, end=start + 2) for start in range(-8, 0)]
    lines = block(text(replace(result, cars=pd.concat(wide))), "Cumulative abnormal return (CAR)")
    shown = sum(part.startswith("(") for part in lines[2].replace(", ", ",").split())
    assert 3 <= shown < 8
    assert f"{8 - shown} further windows not shown; a .csv report has them all" in lines


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
