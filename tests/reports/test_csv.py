from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eventstudy.reports.csv import cell
from tests.reports.fake import FORMULA, WINDOWS, fake

BESIDE = ("_tests", "_reactions", "_daily", "_by_group", "_ar", "_events", "_attrition")


@pytest.fixture
def written(tmp_path):
    result = fake(note="")
    result.report(tmp_path / "x.csv")
    return result, tmp_path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_path_writes_every_table(written):
    _, folder = written
    assert sorted(p.name for p in folder.iterdir()) == sorted(["x.csv", *(f"x{part}.csv" for part in BESIDE)])


def test_the_file_itself_has_every_event_with_its_cars(written):
    result, folder = written
    rows = rows_of(folder / "x.csv")
    assert [r["event_id"] for r in rows[:4]] == ["ANT_SUSPENDED-9988.HK"] * 3 + ["ANT_SUSPENDED-BABA"]
    assert len(rows) == 12 * len(WINDOWS)
    assert rows[0]["ticker"] == "9988.HK"
    assert rows[0]["session"] == "2020-11-04"
    assert rows[0]["announced"] == "2020-11-03T20:40:00+08:00"
    few = replace(result, cars=result.cars[result.cars["event_id"] == "TUTORS-TAL"])
    few.report(folder / "few.csv")
    rows = rows_of(folder / "few.csv")
    assert len(rows) == 11 + len(WINDOWS)
    (lost,) = [r for r in rows if r["event_id"] == "GONE_CO-0000.HK"]
    assert (lost["status"], lost["car"], lost["session"]) == ("unknown_ticker", "", "")
    assert (lost["start"], lost["end"], lost["n_days"]) == ("", "", "")
    found = [(r["start"], r["end"]) for r in rows if r["event_id"] == "TUTORS-TAL"]
    assert found == [(str(start), str(end)) for start, end in WINDOWS]


@pytest.mark.parametrize("name", ["_tests", "_daily", "_ar", "_reactions", ""])
def test_numbers_keep_every_digit_and_missing_ones_are_empty(written, name):
    result, folder = written
    frame = {
        "_tests": result.tests, "_daily": result.daily, "_ar": result.ar, "_reactions": result.reactions,
        "": result.events[[]].join(result.cars.set_index("event_id")),
    }[name]  # fmt: skip
    rows = rows_of(folder / f"x{name}.csv")
    numbers = frame.select_dtypes("number")
    assert numbers.shape[1] > 3
    for column in numbers.columns:
        cells = [row[str(column)] for row in rows]
        assert [cell == "" for cell in cells] == numbers[column].isna().tolist()
        found = [float(cell) if cell else np.nan for cell in cells]
        np.testing.assert_array_equal(found, numbers[column].to_numpy(dtype=float))


def test_no_text_is_taken_for_a_formula(written):
    _, folder = written
    for path in folder.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                        float(cell)  # a number, or this raises
    titles = {row["event_id"]: row["title"] for row in rows_of(folder / "x_events.csv")}
    assert titles["PROBE-9988.HK"] == "'" + FORMULA
    assert titles["TUTORS-EDU"] == "'-Tutoring"
    assert titles["LINKS-^HSI"] == "'@Links must open \\textbf{now}"
    assert titles["GONE_CO-0000.HK"] == "'+Gone"
    assert titles["SAMR_DRAFT-0700.HK"] == "反垄断指南征求意见稿"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_column_names_and_ids_are_guarded_too(tmp_path, start):
    result = fake()
    events = result.events.rename(columns={"sector": f"{start}sector"}).rename(index={"TUTORS-TAL": f"{start}1+1"})
    replace(result, events=events).report(tmp_path / "x.csv")
    rows = rows_of(tmp_path / "x_events.csv")
    assert rows[0][f"'{start}sector"] == "platform"
    assert rows[7]["event_id"] == f"'{start}1+1"


def test_the_note_on_the_prices_is_a_column(tmp_path):
    day = {"group": "platform", "day": 0, "n": 1, **dict.fromkeys(("aar", "caar", "se", "lower", "upper"), 0.01)}
    replace(fake(), by_group=pd.DataFrame([day])).report(tmp_path / "x.csv")
    for path in tmp_path.iterdir():
        assert {row["simulated prices"] for row in rows_of(path)} == {"yes"}, path.name


def test_pandas_reads_it_back(written):
    result, folder = written
    back = pd.read_csv(folder / "x_ar.csv", index_col="event_id", dtype=str).astype(float)
    back.columns = pd.Index(back.columns.astype(int), name="day")
    pd.testing.assert_frame_equal(back, result.ar, check_exact=True)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"])
@pytest.mark.parametrize(
    "before", ["", " ", "\n", "\r\n", "\t", "\v", "\u00a0", "\u3000", "\ufeff", "\u200b", " \n\u2028 "]
)
def test_blanks_and_full_width_signs_hide_no_formula(sign, before):
    assert cell(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize("text", ["a=b", "'=1", "Ａ＝", "1-1", "", " ", "−1", "阿里巴巴", "\u00a0x"])
def test_other_text_is_left_as_it_is(text):
    assert cell(text) == text


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx"])
def test_text_after_a_line_end_is_marked(text):
    assert cell(text) == f"'{text}"
