"""The shipped table of rejection rates, measured again with other samples."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
REPLICATIONS, SEED = 400, 20


@pytest.mark.parametrize("scenario", ["variance", "days_5"])
def test_another_measurement_agrees_with_the_table(scenario, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "sizes", raising=False)
    import sizes

    shipped = json.loads((ROOT / "docs" / "measured" / "sizes.json").read_text(encoding="utf-8"))
    assert shipped["seed"] != SEED
    wanted = {(c["test"], tuple(c["window"])): c for c in shipped["cells"] if c["scenario"] == scenario}
    found = {(c["test"], tuple(c["window"])): c for c in sizes.cells(scenario, REPLICATIONS, SEED)}
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
