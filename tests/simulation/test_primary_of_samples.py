"""A sample of every kind of the grid, run as a study: its primary test is the one that the page says is offered."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from eventstudy.display import formats
from eventstudy.display.formats import ONE_DATE
from tests.simulation import as_study

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("size_table", ROOT / "docs" / "_ext" / "size_table.py")
size_table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(size_table)
MEASURED = size_table.read()
# Not those of real closes, which a test has at hand only here and there, nor those with windows of the events' own.
SAMPLES = [
    name
    for name, record in MEASURED["scenarios"].items()
    if record["section"] in size_table.OF_SAMPLES and record["noise"] not in ("real", "own windows")
]
QUICK = {"independent_8_exponential", "days_20_common", "one_date_own", "two_exchanges", "near_thin", *SAMPLES[::10]}
MARKS = {
    name: [pytest.mark.full if name in SAMPLES[::3] else pytest.mark.slow] for name in SAMPLES if name not in QUICK
}


@pytest.fixture
def grid(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("grid", "samples"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("grid").SCENARIOS


@pytest.mark.thorough
@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, [])) for name in SAMPLES])
def test_the_primary_test_is_the_one_that_the_page_offers(name, grid):
    tests = as_study.result_of(grid[name].draw).tests
    shown = formats.primary(tests).set_index(["start", "end"])
    for window in size_table.windows(MEASURED["cells"], name):
        offered = size_table.primary(MEASURED, name, window)
        row = shown.loc[window]
        if not offered.test:
            assert not tests.loc[(tests["start"] == window[0]) & (tests["end"] == window[1]), "valid"].any()
            continue
        assert (row["test"], row["valid"]) == (offered.test, True)
        if offered.not_offered:
            assert ONE_DATE in row["note"]
