"""The measured sizes that the library ships: the file is consistent, and the nearest sample is the nearest."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.run.measured import lookup

FILE = Path(__file__).parents[1] / "src" / "eventstudy" / "data" / "sizes.json"
MEASURED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
SCENARIOS, CELLS = MEASURED["scenarios"], MEASURED["cells"]
QUERIES = [
    ("bmp", "independent", 50, 50, 1),
    ("bmp", "independent", 4, 4, 9),
    ("kolari_pynnonen", "overlap", 60, 5, 11),
    ("kolari_pynnonen", "overlap", 85, 8, 3),
    ("kolari_pynnonen", "overlap", 40, 1, 150),
    ("kolari_pynnonen", "same_day", 13, 1, 11),
    ("wild_bootstrap", "overlap", 60, 3, 1),
    ("grank_t", "independent", 100_000, 99_000, 251),
]


def expected(test: str, kind: str, n_events: int, n_clusters: int, length: int) -> tuple[dict[str, Any], float]:
    """Search all cells: the nearest without a change of the variance, and the highest rate of each kind's nearest."""
    found: dict[str, tuple[tuple[float, float], dict[str, Any]]] = {}
    for cell in CELLS:
        record, days = SCENARIOS[cell["scenario"]], cell["window"][1] - cell["window"][0] + 1
        if (cell["test"], record["kind"], record["noise"]) != (test, kind, "normal"):
            continue
        apart = abs(math.log(record["n_events"] / n_events)) + abs(math.log(record["n_clusters"] / n_clusters))
        distance = abs(math.log(days / length)), apart
        variance = record["variance"]
        if variance not in found or distance < found[variance][0]:
            found[variance] = distance, cell
    nearest = found["none"][1]
    days = nearest["window"][1] - nearest["window"][0]
    alike = [cell for _, cell in found.values() if cell["window"][1] - cell["window"][0] == days]
    return nearest, max(cell["rate"] for cell in alike)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_nearest_sample_is_the_one_that_a_search_of_all_finds(query):
    nearest, worst = expected(*query)
    found = lookup(*query)
    cell = found.nearest
    assert (cell.scenario.name, list(cell.window), cell.test) == (nearest["scenario"], nearest["window"], query[0])
    assert (cell.rate, cell.lower, cell.upper, cell.n) == tuple(nearest[k] for k in ("rate", "lower", "upper", "n"))
    assert cell.scenario.label == SCENARIOS[nearest["scenario"]]["label"]
    assert found.worst.rate == worst >= cell.rate
    assert found.worst.length == cell.length
    assert list(cell.power) == MEASURED["shocks"]
    assert list(cell.power.values()) == nearest["power"]


@pytest.mark.parametrize("variance", ["none", "common"])
def test_a_sample_that_was_measured_is_found_itself(variance):
    record = SCENARIOS["dates_uneven"]
    found = lookup("kolari_pynnonen", record["kind"], record["n_events"], record["n_clusters"], 11)
    assert found.nearest.scenario.name == "dates_uneven"
    assert found.worst.scenario.name == "dates_uneven_common"


def test_what_was_not_measured_is_none():
    assert lookup("no_such_test", "independent", 50, 50, 1) is None
    assert lookup("wild_bootstrap", "same_day", 50, 1, 1) is None, "it has no value on one date"
    assert lookup("bmp", "independent", 0, 0, 1) is None


@pytest.mark.thorough
def test_rates_are_of_counts_that_there_can_be():
    assert len(CELLS) > 1000
    for cell in CELLS:
        assert 0 < cell["n"] <= SCENARIOS[cell["scenario"]]["replications"]
        if cell["test"] != "placebo":
            assert cell["n"] > SCENARIOS[cell["scenario"]]["replications"] / 2, "else the test is said to have no value"
        assert all(0 <= power <= 1 for power in cell["power"] or [])
        assert len(cell["power"] or MEASURED["shocks"]) == len(MEASURED["shocks"])


def test_the_intervals_are_those_of_clopper_and_pearson():
    n = np.array([cell["n"] for cell in CELLS])
    hits = np.array([round(cell["rate"] * cell["n"]) for cell in CELLS])
    lower, upper = stats.beta.ppf(0.025, hits, n - hits + 1), stats.beta.ppf(0.975, hits + 1, n - hits)
    exact = np.column_stack([np.where(hits == 0, 0.0, lower), np.where(hits == n, 1.0, upper)])
    found = np.array([(cell["lower"], cell["upper"]) for cell in CELLS])
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4)  # they are kept with four decimals


def test_every_scenario_says_what_a_study_knows_of_it_and_every_cell_when_it_was_measured():
    for name, record in SCENARIOS.items():
        assert record["kind"] in ("independent", "same_day", "overlap"), name
        assert 1 <= record["n_clusters"] <= record["n_events"]
        if record["kind"] == "independent":
            assert record["n_clusters"] == record["n_events"], name
        assert all(record[field] for field in ("label", "section", "noise", "variance")), name
    assert {cell["run"] for cell in CELLS} == set(range(len(MEASURED["runs"])))
    for run in MEASURED["runs"]:
        assert run["command"].startswith("python benchmarks/sizes.py")
        assert {"date", "seed", "versions"} <= set(run)
    members = set(_registry.names("inference", plugins=False))
    tests = {cell["test"] for cell in CELLS if SCENARIOS[cell["scenario"]]["section"] != "one"}
    assert {test.split("(")[0] for test in tests} <= members
    assert len(tests) > 20
    assert FILE.stat().st_size < 600_000
