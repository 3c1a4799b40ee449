"""The shipped table of rejection rates, measured again with other samples."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
REPLICATIONS, SEED = 400, 20


@pytest.fixture
def sizes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "sizes", raising=False)
    return importlib.import_module("sizes")


@pytest.mark.thorough
def test_a_test_measured_alone_gets_the_numbers_it_has_beside_others_and_leaves_theirs(sizes, monkeypatch):
    monkeypatch.setattr(sizes, "SCENARIOS", {name: sizes.SCENARIOS[name] for name in ("independent", "few")})
    monkeypatch.setattr(sizes, "TESTS", {name: sizes.TESTS[name] for name in ("bmp", "sign")})
    whole = sizes.measure(sizes.BATCH, SEED)
    without = {**whole, "cells": [cell for cell in whole["cells"] if cell["test"] != "bmp"], "date": "2001-01-01"}
    both = sizes.add_test(without, "bmp")
    assert both["cells"] == whole["cells"] != without["cells"]
    assert both["later"] == {"bmp": {"date": whole["date"], "versions": whole["versions"]}}
    assert both["date"] == "2001-01-01"
    with pytest.raises(SystemExit, match="the other tests were measured with"):
        sizes.add_test({**without, "settings": {**without["settings"], "noise": "other"}}, "bmp")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["variance", "days_5"])
def test_another_measurement_agrees_with_the_table(scenario, sizes):
    shipped = json.loads((ROOT / "docs" / "measured" / "sizes.json").read_text(encoding="utf-8"))
    assert shipped["seed"] != SEED
    wanted = {(c["test"], tuple(c["window"])): c for c in shipped["cells"] if c["scenario"] == scenario}
    found = {(c["test"], tuple(c["window"])): c for c in sizes.cells(scenario, REPLICATIONS, SEED)}
    known = {test for test, _ in wanted}  # a test that came later may not be measured yet
    found = {key: cell for key, cell in found.items() if key[0] in known}
    assert set(found) == set(wanted)
    for key, again in found.items():
        first = wanted[key]
        assert again["n"] / REPLICATIONS == pytest.approx(first["n"] / shipped["settings"]["replications"], abs=0.05), (
            key
        )
        if again["n"] < REPLICATIONS / 2:
            continue
        rate = (again["rate"] * again["n"] + first["rate"] * first["n"]) / (again["n"] + first["n"])
        error = np.sqrt(rate * (1 - rate) * (1 / again["n"] + 1 / first["n"]))
        assert abs(again["rate"] - first["rate"]) <= 4 * error, key  # 4: some forty comparisons
