"""SECURITY.md: every line of its threats names tests that exist, and every test of this folder is named there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
THREATS = PAGE.split("## What is tried, and what holds")[1].split("## What is not defended")[0]
LINES = [" ".join(line.split()) for line in re.split(r"^- ", THREATS, flags=re.MULTILINE)[1:]]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
OTHERS = {  # tests of the tests themselves
    "test_each_line_names_a_test_that_exists", "test_the_threats_are_all_there",
    "test_each_test_of_this_folder_is_named",
    "test_what_runs_nothing_is_not_named", "test_what_is_no_secret_is_left", "test_a_workbook_of_its_size_is_read",
    "test_a_study_file_may_name_where_the_secret_is", "test_a_record_keeps_its_types_and_what_is_no_text",
    "test_a_long_value_is_hidden_before_it_is_cut", "test_texts_of_a_million_letters_are_read_at_once",
}  # fmt: skip
THREATS_ASKED = (
    "price file", "events file", "study file", "formula", "saved result", "packed study", "checkpoint", "database",
    "server of prices", "plug-in", "hostile names", "CSV", "Excel", "LaTeX", "lead elsewhere", "Passwords", "Supply",
)  # fmt: skip


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("line", LINES, ids=[line[:40] for line in LINES])
def test_each_line_names_a_test_that_exists(line: str) -> None:
    named = NAMED.findall(line)
    assert named
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []
    assert len(re.findall("tests/", line)) == len(named)


def test_the_threats_are_all_there() -> None:
    assert len(LINES) > 30
    assert [threat for threat in THREATS_ASKED if threat not in THREATS] == []


def test_each_test_of_this_folder_is_named() -> None:
    here = {
        name for file in Path(__file__).parent.glob("test_*.py") for name in names_in(str(file)) if name[:5] == "test_"
    }
    assert here - OTHERS == {name for path, name in NAMED.findall(THREATS) if path.startswith("tests/security/")}
    assert here >= OTHERS
