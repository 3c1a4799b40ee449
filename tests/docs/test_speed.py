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
