"""What the page "Which test when" recommends keeps its size in the measurement that it shows."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from eventstudy import _registry
from eventstudy.study import DEFAULT_TESTS

DOCS = Path(__file__).parents[2] / "docs"
_spec = importlib.util.spec_from_file_location("size_table", DOCS / "_ext" / "size_table.py")
size_table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(size_table)
MEASURED = size_table.read(DOCS / "measured" / "sizes.json")
CELLS = MEASURED["cells"]
WINDOWS = size_table.windows(CELLS)
RECOMMENDED = [(scenario, test) for scenario, (_, _, tests) in size_table.ADVICE.items() for test in tests]
KINDS = {
    "independent": ("independent", "missing", "variance"),
    "same_day": ("one_date", "one_date_variance"),
    "overlap": ("bunches",),  # the tests that it takes all have a value there
}


def test_every_scenario_is_in_the_advice():
    assert set(size_table.ADVICE) == set(MEASURED["scenarios"]) - {"one_event"}


def test_a_test_that_is_measured_is_so_in_every_scenario_and_draws_no_samples():
    measured = {test for scenario, test, _ in CELLS if scenario in size_table.ADVICE}
    assert {test for _, test in RECOMMENDED} <= measured <= set(size_table.measurable())
    for scenario in size_table.ADVICE:
        for window in WINDOWS:
            assert {test for s, test, w in CELLS if (s, w) == (scenario, window)} == measured


def test_every_test_that_draws_no_samples_has_its_row_and_says_where_it_is_not_measured():
    members = [name for name in _registry.names("inference") if not _registry.load("inference", name).draws]
    without = {key: cell for key, cell in CELLS.items() if key[1] != "bmp"}
    for window in WINDOWS:
        text = size_table.tables(without, window)
        assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == 2 * members
        assert len(re.findall(r"^\| `bmp` \| not measured yet (\|  )+\|$", text, re.MULTILINE)) == 2
        assert not re.search(r"`bmp` \| not measured", size_table.tables(CELLS, window))


def test_the_page_says_when_a_test_was_measured_that_came_later():
    together = size_table.settings({**MEASURED, "later": {}})
    assert re.search(r"^Measured on \S+ with python [^;]*; seed \d+", together, re.MULTILINE)
    later = {"bmp": {"date": "2030-01-31", "versions": {"python": "3.14"}}}
    assert "; `bmp` on 2030-01-31 with python 3.14; seed" in size_table.settings({**MEASURED, "later": later})


def test_replications_are_enough_to_tell():
    assert MEASURED["settings"]["replications"] >= 1000


@pytest.mark.parametrize(("scenario", "test"), RECOMMENDED)
def test_what_is_recommended_keeps_its_size(scenario, test):
    for window in WINDOWS:
        cell = CELLS[scenario, test, window]
        assert cell["n"] == MEASURED["settings"]["replications"]
        assert cell["lower"] <= 0.065, window
        assert cell["upper"] >= 0.035, window


@pytest.mark.parametrize("scenario", size_table.SHARED)
def test_what_fails_where_events_share_days_is_shown_failing(scenario):
    _, _, recommended = size_table.ADVICE[scenario]
    # On the event day alone, dates that are far apart hardly meet; over the whole window they do.
    wrong = [t for s, t, _ in CELLS if s == scenario and any((CELLS[s, t, w]["rate"] or 0) > 0.10 for w in WINDOWS)]
    assert wrong
    assert not set(wrong) & set(recommended)


@pytest.mark.parametrize("kind", list(DEFAULT_TESTS))
def test_defaults_are_recommended_for_their_samples(kind):
    for scenario in KINDS[kind]:
        assert set(DEFAULT_TESTS[kind]) <= set(size_table.ADVICE[scenario][2]), scenario


def test_a_default_of_overlapping_dates_that_is_not_recommended_has_no_value_there():
    """Dense dates leave ``wild_bootstrap`` too few clusters in the long window: it gives no p, not a wrong one."""
    for scenario in ("days_5", "days_20", "days_60"):
        for test in set(DEFAULT_TESTS["overlap"]) - set(size_table.ADVICE[scenario][2]):
            assert CELLS[scenario, test, WINDOWS[-1]]["n"] == 0


def test_tests_that_the_page_says_are_fooled_by_variance_are_and_the_others_are_not():
    page = (DOCS / "which_test.md").read_text(encoding="utf-8")
    [named] = re.findall(r"variance from the estimation window alone \((.*?)\)", page, re.DOTALL)
    fooled = set(re.findall(r"`(\w+)`", named))
    told = set(_registry.names("inference")) - set(MEASURED.get("later", {}))  # the page is written anew with them all
    for test in told:
        scenario = "one_date_variance" if test == "mvrm" else "variance"
        cell = CELLS.get((scenario, test, WINDOWS[-1]))
        if cell is not None:
            assert (cell["rate"] > 0.08) == (test in fooled), test


def test_other_words_of_the_page_agree_with_the_measurement():
    for window in WINDOWS:
        assert CELLS["few", "skewness_adjusted", window]["lower"] > 0.065
        assert CELLS["few", "sign", window]["upper"] < 0.05
        assert CELLS["one_date", "cross_section", window]["rate"] > 0.5
        for test in ("kolari_pynnonen", "grank_t"):
            assert CELLS["one_date_own_variance", test, window]["upper"] < 0.035
    spread = ("days_5", "days_20", "days_60", "bunches")
    rare = [CELLS[s, "brown_warner", w]["upper"] < 0.035 for s in spread for w in WINDOWS]
    assert sum(rare) > len(rare) / 2
    for test in ("corrado", "corrado_zivney", "grank_t", "grank_z", "sign_gsar"):
        assert all(CELLS[s, test, WINDOWS[-1]]["rate"] > 0.10 for s in ("days_5", "days_20", "days_60"))
    for test in DEFAULT_TESTS["overlap"]:
        assert CELLS["bunches", test, WINDOWS[-1]]["rate"] < 0.04
    assert CELLS["one_event", "p", WINDOWS[-1]]["rate"] == pytest.approx(0.05, abs=0.003)
    assert CELLS["one_event", "p_sq", WINDOWS[-1]]["lower"] > 0.06


def test_the_page_shows_every_part_that_is_generated():
    page = (DOCS / "which_test.md").read_text(encoding="utf-8")
    assert re.findall(r"generated/sizes_(\w+)\.txt", page) == ["advice", "day", "window", "settings"]
    advice = size_table.advice(CELLS)
    assert {test for _, test in RECOMMENDED} <= set(re.findall(r"`(\w+)`", advice))
