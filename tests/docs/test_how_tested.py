"""The page "How tested" has every record, each with a command that exists and its date, and no other row."""

from __future__ import annotations

import importlib
import importlib.util
import re
from datetime import date

import pytest

from tests import evidence
from tests.shared import ROOT

RECORDS = evidence.records()
KINDS = {
    "Numbers of others",
    "Properties",
    "Closed forms",
    "Faults injected",
    "Attacks",
    "Inputs tried",
    "Kills survived",
    "Mutants",
    "Coverage",
    "Soak",
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_numbers_a_date_and_a_command_that_exists(name: str) -> None:
    record = RECORDS[name]
    assert re.search(r"\d", record.found)
    assert date(2026, 11, 1) <= date.fromisoformat(record.date) <= date.today()
    python = re.fullmatch(r"python (?:-W ignore )?-m (tests\.\w+)(?: .*)?", record.command)
    assert python, record.command
    assert importlib.util.find_spec(python[1])


def test_every_kind_of_trial_has_a_record() -> None:
    assert {record.kind for record in RECORDS.values()} >= KINDS


def test_the_page_has_a_row_for_each_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    tested = importlib.import_module("tested")
    lines = [line for line in tested.table().splitlines() if line.startswith("| ") and not line.startswith("| tried")]
    assert len(lines) == len(RECORDS) + 1  # and the measured sizes
    for record in RECORDS.values():
        day = record.date.replace("-", tested.NO_BREAK)
        assert f"| **{record.kind}**: {record.tried} | {record.found} | `{record.command}` | {day} |" in lines
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 5, line


def test_a_failing_part_keeps_no_record(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "RECORDS", tmp_path / "tested.json")
    for code, kept in ((0, {"part"}), (1, set())):
        file = tmp_path / f"test_ends_with_{code}.py"
        file.write_text(f"def test_it():\n    assert {code} == 0\n", encoding="utf-8")
        part = evidence.Part("A kind", "a part", (str(file), "-p", "no:cacheprovider", "-c", "/dev/null"))
        monkeypatch.setitem(evidence.PARTS, "part", part)
        assert evidence.run("part") == code
        assert set(evidence.records()) == kept
        (tmp_path / "tested.json").unlink(missing_ok=True)
