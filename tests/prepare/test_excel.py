"""A workbook's cells are read as they are typed; what a spreadsheet makes ambiguous is refused with its row."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eventstudy.errors import InputError
from eventstudy.prepare.events import read_events

openpyxl = pytest.importorskip("openpyxl")


def workbook(folder: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = folder / "events.xlsx"
    book.save(file)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_events(file)
    return str(caught.value)


def test_types_of_cells(tmp_path: Path) -> None:
    rows = [
        ["event_id", "ticker", "announced", "timezone", "phase", "size", "code", "when"],
        [1, "BABA", dt.date(2021, 9, 13), None, "AMC", 1, "007", dt.datetime(2021, 1, 4)],
        [None] * 8,
        [2, "0700.HK;NA", dt.datetime(2021, 9, 13, 10, 30), "Asia/Hong_Kong", None, 2.5, "x", None],
        ["3", "10107", "2021-09-13T10:30+08:00", None, " ", None, None, None],
        ["4", "NA", dt.date(2021, 9, 14), None, None, None, None, None],
    ]
    found = read_events(workbook(tmp_path, Sheet1=rows)).frame
    assert found.index.tolist() == ["1", "2:0700.HK", "2:NA", "3", "4"]
    assert found["ticker"].tolist() == ["BABA", "0700.HK", "NA", "10107", "NA"]
    assert found["announced"].tolist() == [
        "2021-09-13", *["2021-09-13T10:30:00+08:00"] * 3, "2021-09-14"
    ]  # fmt: skip
    assert found["phase"].tolist() == ["after_close", "", "", "", ""]
    assert found["size"].tolist()[:3] == [1.0, 2.5, 2.5]
    assert found["code"].tolist()[:2] == ["007", "x"]
    assert found["when"].iloc[0] == pd.Timestamp("2021-01-04")


def test_a_date_at_midnight_beside_times_is_a_date_if_its_format_is(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["ticker", "announced"], ["A", dt.date(2021, 9, 13)], ["A", dt.datetime(2021, 9, 14)]]
    file = workbook(tmp_path, Sheet1=[*rows, ["A", dt.datetime(2021, 9, 15, 9, 30)]])
    message = refusal(file)  # the second is formatted with a time, and has no zone
    assert "2 of 3 rows" in message
    assert "row 2: announced '2021-09-14T00:00:00' has a time without a time zone" in message


def test_numbers_as_tickers_are_refused_with_their_rows(tmp_path: Path) -> None:
    message = refusal(workbook(tmp_path, Sheet1=[["ticker", "announced"], ["A", "2021-09-13"], [600519, "2021-09-13"]]))
    assert "row 2: ticker 600519 is int, not text; write it as text, with its zeros and its exchange" in message


@pytest.mark.parametrize(
    ("cell", "told"), [(44452, "'44452' is not in ISO 8601"), ("13/09/2021", "not in ISO"), (True, "'True' is not in")]
)
def test_what_is_no_time(tmp_path: Path, cell: Any, told: str) -> None:
    assert told in refusal(workbook(tmp_path, Sheet1=[["ticker", "announced"], ["A", cell]]))


def test_which_sheet(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["ticker", "announced"], ["BABA", "2021-09-13"]]
    assert len(read_events(workbook(tmp_path, Notes=[], Data=rows))) == 1
    assert len(read_events(workbook(tmp_path, Notes=[["about"]], Events=rows))) == 1
    assert "has 2 sheets: 'Notes', 'Data'; name the one to read 'events'" in refusal(
        workbook(tmp_path, Notes=[["about"]], Data=rows)
    )
    assert "has no cells" in refusal(workbook(tmp_path, Data=[]))
    assert "column 3 of the workbook" in refusal(workbook(tmp_path, Data=[[*rows[0], None], [*rows[1], "what"]]))
    assert "more than once" in refusal(workbook(tmp_path, Data=[[*rows[0], "ticker"], [*rows[1], "JD"]]))


def test_what_is_no_workbook(tmp_path: Path) -> None:
    file = tmp_path / "events.xlsx"
    file.write_bytes(b"PK not a workbook")
    assert "cannot be read (BadZipFile); save it again as .xlsx, or as CSV" in refusal(file)


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = workbook(tmp_path, Data=[["ticker", "announced"], ["A", "2021-09-13"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert 'pip install ".[excel]"' in refusal(file)
