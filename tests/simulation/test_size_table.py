"""The shipped table of rejection rates, measured again with other samples."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SEED, SHARE = 20, 0.4
FILE = ROOT / "src" / "eventstudy" / "data" / "sizes.json"


@pytest.fixture
def sizes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("sizes", "grid", "samples"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("sizes")


@pytest.fixture
def grid(sizes):
    return importlib.import_module("grid")


@pytest.fixture
def samples(sizes):
    return importlib.import_module("samples")


def by_key(sizes, measured):
    return {sizes.key(cell): cell for cell in measured["cells"]}


@pytest.mark.thorough
def test_a_part_measured_alone_gets_the_numbers_it_has_beside_others_and_leaves_theirs(sizes):
    wanted = sizes.Wanted(["bmp", "sign"], SEED, share=0.01)
    names = ("independent_8", "independent_5")
    whole = sizes.merged({}, {"date": "first"}, [sizes.measure(name, wanted) for name in names])
    [part] = [sizes.measure("independent_5", wanted._replace(tests=["bmp"]))]
    lost = {**whole, "cells": [cell for cell in whole["cells"] if sizes.key(cell)[:2] != ("independent_5", "bmp")]}
    again = sizes.merged(lost, {"date": "second"}, [part])
    assert [run["date"] for run in again["runs"]] == ["first", "second"]
    later = {key for key, cell in by_key(sizes, again).items() if cell["run"] == 1}
    assert {key[:2] for key in later} == {("independent_5", "bmp")}
    without_run = [[{**cell, "run": 0} for cell in measured["cells"]] for measured in (whole, again)]
    assert without_run[0] == without_run[1]
    every = sizes.merged(again, {"date": "third"}, [sizes.measure(name, wanted) for name in names])
    assert [run["date"] for run in every["runs"]] == ["third"], "only the newest measurement of a cell is kept"


def test_what_the_grid_no_longer_has_leaves_the_file(sizes):
    old = {
        "runs": [{"date": "first"}],
        "scenarios": {"gone": {}, "independent_8": {}},
        "cells": [
            {"scenario": "gone", "test": "bmp", "window": [0, 0], "run": 0},
            {"scenario": "independent_8", "test": "gone", "window": [0, 0], "run": 0},
            {"scenario": "independent_8", "test": "bmp", "window": [0, 0], "run": 0},
            {"scenario": "independent_8", "test": "sign", "window": [0, 0], "run": 0},
        ],
    }
    no_value = sizes.Part({}, [{"scenario": "independent_8", "test": "sign", "window": (0, 0), "n": 0}])
    kept = sizes.merged(old, {"date": "second"}, [no_value])
    assert [(cell["scenario"], cell["test"]) for cell in kept["cells"]] == [("independent_8", "bmp")]
    assert (list(kept["scenarios"]), kept["runs"]) == (["independent_8"], [{"date": "first"}])


def test_the_file_has_every_scenario_of_the_grid_as_the_grid_describes_it(sizes, grid):
    shipped = json.loads(FILE.read_text(encoding="utf-8"))
    singles = {sizes.one_event(name) for name, scenario in grid.SCENARIOS.items() if scenario.single}
    assert set(shipped["scenarios"]) == set(grid.SCENARIOS) | singles
    for name, scenario in grid.SCENARIOS.items():
        record = shipped["scenarios"][name]
        described = (scenario.label, scenario.section, scenario.noise, scenario.variance)
        assert tuple(record[field] for field in ("label", "section", "noise", "variance")) == described
    for name in ("hong_kong_12", "hong_kong_one_date"):
        assert [c for c in shipped["cells"] if (c["scenario"], c["test"]) == (name, "placebo")], "claimed by the page"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "kind", "n_events", "n_clusters"),
    [
        ("independent_8", "independent", 8, 8),
        ("dates_uneven", "overlap", 85, 8),
        ("one_date", "same_day", 60, 1),
        ("days_20", "overlap", 60, 1),
        ("two_exchanges_linked", "overlap", 120, 10),
    ],
)
def test_attributes_are_those_of_the_sample(grid, name, kind, n_events, n_clusters):
    assert grid.attributes(grid.SCENARIOS[name])[:3] == (kind, n_events, n_clusters)


@pytest.mark.parametrize("noise", ["normal", "student", "exponential", "garch", "autoregressive"])
def test_noise_has_mean_0_and_variance_1(samples, noise):
    drawn = getattr(samples, noise)(np.random.default_rng(1), (400, 600))
    assert np.isfinite(drawn).all()
    assert abs(drawn.mean()) < 0.01
    assert drawn.var() == pytest.approx(1, abs=0.06)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("variance", "own", "mean"),
    [("none", 1, 1), ("all", 4, 4), ("common", 1.3, 0.4225 / 0.1225), ("own", 4, 0.1975 / 0.1225)],
)
def test_variance_in_event_windows_is_that_which_is_said(samples, variance, own, mean):
    """Of 40 firms with correlation .1: the variance of a firm, and of their mean, .1 + .9 / 40 before the event.

    The common part times 4 adds .3 to both; noise of their own adds 3 to the first, and 3 / 40 to the second.
    """
    rng, days = np.random.default_rng(2), np.arange(600, 611)
    market, z = samples.Market(0.1, variance=variance), []
    for _ in range(300):
        where = np.arange(40)[:, None], np.tile(days, (40, 1))
        panel = market.panel(rng, np.zeros(40, dtype=int), where, rng.standard_normal((1, 611)))
        x = np.column_stack([np.ones(611), panel.x[0, :, 0]])
        noise = panel.r.T - x @ np.linalg.lstsq(x[:600], panel.r.T[:600])[0]
        z.append((noise / noise[:600].std(axis=0)).T)
    before, inside = np.array(z)[:, :, :600], np.array(z)[:, :, 600:]
    assert np.isfinite(z).all()
    assert inside.var() / before.var() == pytest.approx(own, rel=0.05)
    assert inside.mean(axis=1).var() / before.mean(axis=1).var() == pytest.approx(mean, rel=0.1)


def test_stale_closes_lose_no_return(samples):
    r = np.array([[0.01, 0.02, -0.01, 0.04]])
    traded = np.array([[True, False, False, True]])
    assert samples.stale(r, traded) == pytest.approx(np.array([[0.01, 0.0, 0.0, 0.05]]))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["independent_8_own", "dates_5_common", "days_20"])
def test_another_measurement_agrees_with_the_table(scenario, sizes):
    shipped = json.loads(FILE.read_text(encoding="utf-8"))
    assert SEED not in {run["seed"] for run in shipped["runs"]}
    tests = sorted({cell["test"] for cell in shipped["cells"] if cell["scenario"] == scenario})
    wanted = {key: cell for key, cell in by_key(sizes, shipped).items() if key[0] == scenario}
    measured = sizes.measure(scenario, sizes.Wanted(tests, SEED, SHARE)).cells
    found = {sizes.key(cell): cell for cell in measured if cell["n"]}
    assert set(found) == set(wanted)
    for key, again in found.items():
        first = wanted[key]
        rate = (again["rate"] * again["n"] + first["rate"] * first["n"]) / (again["n"] + first["n"])
        error = np.sqrt(rate * (1 - rate) * (1 / again["n"] + 1 / first["n"]))
        assert abs(again["rate"] - first["rate"]) <= 4 * error, key  # 4: some forty comparisons
