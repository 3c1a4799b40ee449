"""The README's table of speed is the last run in the history of the benchmarks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = {
    "market model alone": "fit only",
    "five parametric tests": "five parametric tests",
    "five parametric tests, and three of ranks and signs": "five, and ranks and signs",
    "five parametric tests, and every event's own results": "five, with every single event",
    "`Study.run`, from time stamps to frames": "Study.run on time stamps, to frames",
    "a loop by hand, `numpy.linalg.lstsq`": "loop: numpy lstsq",
    "a loop by hand, statsmodels on arrays": "loop: statsmodels OLS",
    "a loop by hand, statsmodels on pandas": "loop: pandas and statsmodels",
}
OF_PAGE = {
    "market model alone": "fit only",
    "five parametric tests": "five parametric tests",
    "five, and three of ranks and signs": "five, and ranks and signs",
    "14 tests in one pass": "one-pass battery (14 tests)",
    "18 tests in two passes": "two-pass battery (18 tests)",
    "five, and every event's own results": "five, with every single event",
    "`Study.run`, from time stamps to frames": "Study.run on time stamps, to frames",
}


@pytest.mark.parametrize("label", ROWS)
def test_a_number_of_the_readme_is_the_one_that_was_measured(label: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(rf"^\| {re.escape(label)} \| ([\d.,]+) \| ([\d,]*) ?\|$", text, re.MULTILINE)
    assert shown is not None
    history = json.loads((ROOT / "benchmarks" / "history.json").read_text(encoding="utf-8"))
    *_, last = (row for row in history[-1]["rows"] if row["what"] == ROWS[label])
    assert last["n"] == 1_000_000 or label.startswith("a loop")
    assert shown[1] == (f"{last['us']:.1f}" if last["us"] < 10 else f"{last['us']:,.0f}")
    assert shown[2] == ("" if label.startswith("a loop") else f"{last['peak']:,.0f}")


def test_the_table_of_the_page_is_the_one_that_was_measured() -> None:
    page = (ROOT / "docs" / "how_fast.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| ([\d.,]+) \| ([\d.,]+) \| ([\d.,]+) \| ([\d.,]+) \|$", page, re.MULTILINE)
    history = json.loads((ROOT / "benchmarks" / "history.json").read_text(encoding="utf-8"))[-1]["rows"]
    assert len(rows) == len(OF_PAGE)
    for label, *shown in rows:
        measured = [row for row in history if row["what"] == OF_PAGE[label]][:4]
        assert [row["n"] for row in measured] == [1_000, 10_000, 100_000, 1_000_000]
        assert shown == [f"{row['us']:.1f}" if row["us"] < 10 else f"{row['us']:,.0f}" for row in measured], label
