"""Measure how often each test rejects at 5 % where nothing happened, for the table of the guide "Which test when".

Run ``OMP_NUM_THREADS=1 python benchmarks/sizes.py --replications 1000 --out docs/measured/sizes.json``. Returns are
those of a market model with normal noise; each test sees the same samples. Tests that draw dates themselves are left
out: each of their samples needs histories and a hundred studies of its own.

For one test that came later ``--only NAME --out docs/measured/sizes.json`` measures it alone, on the samples that the
others saw, and adds its numbers to theirs.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import make
from tests.simulation.sizes import LEVEL, MARKET, Draw, apart, together, with_halts

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.types import Test

WINDOWS = ((0, 0), (-5, 5))
ESTIMATION, RHO, LOST, COVERAGE = 120, 0.1, 0.2, 0.5
BATCH = 100  # replications a run: some hundred megabytes
TESTS = {n: t for n in _registry.names("inference") if not (t := _registry.load("inference", n)).draws}
ITS = make.spec(ESTIMATION, WINDOWS)
BUNCHES, BETWEEN = 10, 30  # sessions between bunches of dates


class Scenario(NamedTuple):
    """How its samples are drawn, and what they are in words."""

    draw: Draw
    label: str


def with_variance(draw: Draw, factor: float, rho: float = 0.0, own: bool = False) -> Draw:
    """Draw the noise anew, with ``factor`` times its variance in the event windows.

    All of it is scaled, so that its correlation stays; or with ``own`` the event adds noise that events do not share.
    """

    def louder(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        panels = []
        for at, panel in enumerate(case.panels):
            mine = case.placed.panel == at
            cells = case.placed.asset[mine, None], case.placed.day[mine, None] + case.sample.spec.days
            noise = np.sqrt(1 - rho) * rng.standard_normal(panel.r.shape)
            noise += np.sqrt(rho) * rng.standard_normal(panel.r.shape[1])
            if own:
                noise[cells] += np.sqrt(factor - 1) * rng.standard_normal(noise[cells].shape)
            else:
                noise[cells] *= np.sqrt(factor)
            sigma = rng.uniform(0.01, 0.03, (len(noise), 1))
            panels.append(replace(panel, r=panel.x[:, 0] + sigma * noise))
        return case._replace(panels=panels)

    return louder


def bunched(draw: Draw) -> Draw:
    """Move events drawn from 3 sessions in a row to one of several such bunches each, whose windows do not meet."""

    def moved(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        late = case.placed.day + ITS.estimation[0]
        day = late % 3 + BETWEEN * rng.integers(0, BUNCHES, len(late)) - ITS.estimation[0]
        labels = case.placed.group * (day.max() + 1) + day
        _, first, cluster = np.unique(labels, return_index=True, return_inverse=True)
        sample = replace(
            case.sample, cluster_group=case.placed.group[first], cluster_dates=day[first][:, None] + ITS.offsets
        )
        return case._replace(placed=case.placed._replace(day=day, cluster=cluster), sample=sample)

    return moved


SCENARIOS = {
    "independent": Scenario(apart(ITS, 50), "50 events, no two windows share a day"),
    "few": Scenario(apart(ITS, 10), "10 events, no two windows share a day"),
    "missing": Scenario(
        with_halts(apart(make.spec(ESTIMATION, WINDOWS, min_coverage=COVERAGE), 50), LOST),
        "50 events apart, a fifth of the returns of their windows missing",
    ),
    "variance": Scenario(with_variance(apart(ITS, 50), 2.0), "50 events apart, twice the variance in their windows"),
    "one_date": Scenario(together(ITS, 100, 1, RHO), "100 events on one date"),
    "one_date_variance": Scenario(
        with_variance(together(ITS, 100, 1, RHO), 2.0, RHO),
        "100 events on one date, all noise of their windows with twice the variance",
    ),
    "one_date_own_variance": Scenario(
        with_variance(together(ITS, 100, 1, RHO), 2.0, RHO, own=True),
        "100 events on one date, each adding to its window as much variance again that the others do not share",
    ),
    "days_5": Scenario(together(ITS, 100, 5, RHO), "100 events on dates drawn from 5 sessions in a row"),
    "days_20": Scenario(together(ITS, 100, 20, RHO), "100 events on dates drawn from 20 sessions in a row"),
    "days_60": Scenario(together(ITS, 100, 60, RHO), "100 events on dates drawn from 60 sessions in a row"),
    "bunches": Scenario(
        bunched(together(ITS, 100, BETWEEN * BUNCHES, RHO)),
        f"100 events in {BUNCHES} bunches of 3 sessions in a row, the bunches {BETWEEN} sessions apart",
    ),
}


def interval(hits: int, n: int) -> tuple[float, float]:
    """Give the exact 95 % interval of a share (Clopper & Pearson 1934)."""
    lower = float(special.betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return lower, upper


def p_values(name: str, replications: int, seed: int, tests: Mapping[str, Test] = TESTS) -> dict[str, np.ndarray]:
    """Give the p of each test, (replications, V), and of single events where they are apart, (events, V)."""
    kept: dict[str, list[np.ndarray]] = {}
    for child in np.random.SeedSequence([seed, list(SCENARIOS).index(name)]).spawn(-(-replications // BATCH)):
        case = SCENARIOS[name].draw(np.random.default_rng(child), BATCH)
        single = name == "independent"
        outcome = run(case.panels, case.placed, MARKET, tests, case.sample, keep_events=single)
        for test, verdict in outcome.verdicts.items():
            kept.setdefault(test, []).append(verdict.p)
        if single:
            its = outcome.singles
            kept.setdefault("one event: p", []).append(make.p_of_t(its["car"] / its["se"], its["dof"][:, None]))
            kept.setdefault("one event: p_sq", []).append(its["p_sq"])
    return {test: np.concatenate(parts) for test, parts in kept.items()}


def cells(name: str, replications: int, seed: int, tests: Mapping[str, Test] = TESTS) -> list[dict[str, Any]]:
    """Give the rejection rate of each test and window of a scenario; null where a test has no value."""
    found = []
    for test, p in p_values(name, replications, seed, tests).items():
        scenario, _, short = test.rpartition(": ")
        for window, values in zip(WINDOWS, p.T, strict=True):
            hits, n = int((values < LEVEL).sum()), int(np.isfinite(values).sum())
            known = [round(v, 5) for v in (hits / n, *interval(hits, n))] if n else [None] * 3
            cell = {"scenario": scenario.replace(" ", "_") or name, "window": window, "test": short or test}
            found.append(cell | dict(zip(("rate", "lower", "upper"), known, strict=True)) | {"n": n})
    return found


def of_all_scenarios(replications: int, seed: int, tests: Mapping[str, Test]) -> list[dict[str, Any]]:
    """Give the cells of every scenario, one after the other."""
    found = []
    for name in SCENARIOS:
        print(f"{datetime.now(UTC):%H:%M:%S} {name}", file=sys.stderr)
        found += cells(name, replications, seed, tests)
    return found


def today() -> dict[str, Any]:
    """Say when it is measured, and with what."""
    versions = {"python": platform.python_version(), "eventstudy": version("eventstudy-quant")}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "versions": versions | {name: version(name) for name in ("numpy", "scipy")},
    }


def settings(replications: int) -> dict[str, Any]:
    """Say how it is measured."""
    return {
        "level": LEVEL,
        "replications": replications,
        "model": "market",
        "estimation_days": ESTIMATION,
        "event_window": list(ITS.event),
        "noise": "normal",
        "correlation_by_date": RHO,
        "missing": LOST,
        "min_coverage_where_missing": COVERAGE,
    }


def measured(replications: int, seed: int) -> dict[str, Any]:
    """Measure all tests."""
    scenarios = {name: scenario.label for name, scenario in SCENARIOS.items()}
    return today() | {
        "seed": seed,
        "settings": settings(replications),
        "scenarios": scenarios | {"one_event": "one event; as many as the first scenario has"},
        "cells": of_all_scenarios(replications, seed, TESTS),
    }


def merged(known: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Measure one test on the samples of a measurement, and give both."""
    replications, seed = known["settings"]["replications"], known["seed"]
    if known["settings"] != settings(replications):
        raise SystemExit(
            f"the other tests were measured otherwise, by {known['settings']}; measure all, without --only"
        )
    own = [cell for cell in of_all_scenarios(replications, seed, {name: TESTS[name]}) if cell["test"] == name]
    order = list(dict.fromkeys(cell["scenario"] for cell in known["cells"]))
    both = [*(cell for cell in known["cells"] if cell["test"] != name), *own]
    later = {**known.get("later", {}), name: today()}
    return {
        **{key: value for key, value in known.items() if key != "cells"},
        "later": dict(sorted(later.items())),
        "cells": sorted(both, key=lambda cell: (order.index(cell["scenario"]), cell["test"])),
    }


def main() -> None:
    """Measure, and write one line a cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000, help=f"a multiple of {BATCH}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(TESTS), help="measure this test and add it to what --out holds")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.replications < BATCH or given.replications % BATCH:
        parser.error(f"--replications is {given.replications}; give a multiple of {BATCH}")
    if given.only:
        made = merged(json.loads(given.out.read_text(encoding="utf-8")), given.only)
    else:
        made = measured(given.replications, given.seed)
    lines = ",\n  ".join(json.dumps(cell) for cell in made.pop("cells"))
    text = json.dumps(made, indent=1).removesuffix("\n}")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(f'{text},\n "cells": [\n  {lines}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
