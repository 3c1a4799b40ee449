"""Measure how often each test rejects at 5 % without any effect, for the tables of the page "Which test when".

Run ``OMP_NUM_THREADS=1 python benchmarks/sizes.py --replications 1000 --out docs/measured/sizes.json``. Returns are
those of a market model with normal noise; all tests use the same samples. Tests that draw dates themselves are left
out, because each of their samples needs histories and a hundred further studies.

``--only NAME --out docs/measured/sizes.json`` measures one further test, on the samples of the other tests, and adds
its rates to the file.
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
BATCH = 100  # replications per run, which take some hundred megabytes
TESTS = {n: t for n in _registry.names("inference") if not (t := _registry.load("inference", n)).draws}
SPEC = make.spec(ESTIMATION, WINDOWS)
BUNCHES, BETWEEN = 10, 30  # sessions between bunches of dates


class Scenario(NamedTuple):
    """A function that draws samples, and their description."""

    draw: Draw
    label: str


def with_variance(draw: Draw, factor: float, rho: float = 0.0, independent: bool = False) -> Draw:
    """Draw the noise again, with ``factor`` times the variance in the event windows.

    All noise is scaled, so that its correlation does not change; with ``independent`` each event adds noise that is
    independent of the other events' noise.
    """

    def draw_with_variance(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        panels = []
        for number, panel in enumerate(case.panels):
            on_panel = case.placed.panel == number
            cells = case.placed.asset[on_panel, None], case.placed.day[on_panel, None] + case.sample.spec.days
            noise = np.sqrt(1 - rho) * rng.standard_normal(panel.r.shape)
            noise += np.sqrt(rho) * rng.standard_normal(panel.r.shape[1])
            if independent:
                noise[cells] += np.sqrt(factor - 1) * rng.standard_normal(noise[cells].shape)
            else:
                noise[cells] *= np.sqrt(factor)
            sigma = rng.uniform(0.01, 0.03, (len(noise), 1))
            panels.append(replace(panel, r=panel.x[:, 0] + sigma * noise))
        return case._replace(panels=panels)

    return draw_with_variance


def bunched(draw: Draw) -> Draw:
    """Move each event to one of several bunches of 3 consecutive sessions; windows of two bunches do not overlap."""

    def draw_bunched(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        offset = case.placed.day + SPEC.estimation[0]
        day = offset % 3 + BETWEEN * rng.integers(0, BUNCHES, len(offset)) - SPEC.estimation[0]
        labels = case.placed.group * (day.max() + 1) + day
        _, first, cluster = np.unique(labels, return_index=True, return_inverse=True)
        sample = replace(
            case.sample, cluster_group=case.placed.group[first], cluster_dates=day[first][:, None] + SPEC.offsets
        )
        return case._replace(placed=case.placed._replace(day=day, cluster=cluster), sample=sample)

    return draw_bunched


SCENARIOS = {
    "independent": Scenario(apart(SPEC, 50), "50 events, no two windows share a day"),
    "few": Scenario(apart(SPEC, 10), "10 events, no two windows share a day"),
    "missing": Scenario(
        with_halts(apart(make.spec(ESTIMATION, WINDOWS, min_coverage=COVERAGE), 50), LOST),
        "50 events apart, a fifth of the returns of their windows missing",
    ),
    "variance": Scenario(with_variance(apart(SPEC, 50), 2.0), "50 events apart, twice the variance in their windows"),
    "one_date": Scenario(together(SPEC, 100, 1, RHO), "100 events on one date"),
    "one_date_variance": Scenario(
        with_variance(together(SPEC, 100, 1, RHO), 2.0, RHO),
        "100 events on one date, all noise of their windows with twice the variance",
    ),
    "one_date_own_variance": Scenario(
        with_variance(together(SPEC, 100, 1, RHO), 2.0, RHO, independent=True),
        "100 events on one date, each adding to its window as much variance again that the others do not share",
    ),
    "days_5": Scenario(together(SPEC, 100, 5, RHO), "100 events on dates drawn from 5 sessions in a row"),
    "days_20": Scenario(together(SPEC, 100, 20, RHO), "100 events on dates drawn from 20 sessions in a row"),
    "days_60": Scenario(together(SPEC, 100, 60, RHO), "100 events on dates drawn from 60 sessions in a row"),
    "bunches": Scenario(
        bunched(together(SPEC, 100, BETWEEN * BUNCHES, RHO)),
        f"100 events in {BUNCHES} bunches of 3 sessions in a row, the bunches {BETWEEN} sessions apart",
    ),
}


def interval(hits: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % confidence interval of a share (Clopper & Pearson 1934)."""
    lower = float(special.betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return lower, upper


def p_values(name: str, replications: int, seed: int, tests: Mapping[str, Test] = TESTS) -> dict[str, np.ndarray]:
    """Return the p-values of each test (replications, V), and for "independent" those of single events (events, V)."""
    by_test: dict[str, list[np.ndarray]] = {}
    for child in np.random.SeedSequence([seed, list(SCENARIOS).index(name)]).spawn(-(-replications // BATCH)):
        case = SCENARIOS[name].draw(np.random.default_rng(child), BATCH)
        single = name == "independent"
        outcome = run(case.panels, case.placed, MARKET, tests, case.sample, keep_events=single)
        for test, verdict in outcome.verdicts.items():
            by_test.setdefault(test, []).append(verdict.p)
        if single:
            single_events = outcome.singles
            t, dof = single_events["car"] / single_events["se"], single_events["dof"][:, None]
            by_test.setdefault("one event: p", []).append(make.p_of_t(t, dof))
            by_test.setdefault("one event: p_sq", []).append(single_events["p_sq"])
    return {test: np.concatenate(parts) for test, parts in by_test.items()}


def cells(name: str, replications: int, seed: int, tests: Mapping[str, Test] = TESTS) -> list[dict[str, Any]]:
    """Return the rejection rate of each test and window of a scenario; null if a test has no value."""
    rates = []
    for test, p in p_values(name, replications, seed, tests).items():
        scenario, _, short = test.rpartition(": ")
        for window, values in zip(WINDOWS, p.T, strict=True):
            hits, n = int((values < LEVEL).sum()), int(np.isfinite(values).sum())
            numbers = [round(v, 5) for v in (hits / n, *interval(hits, n))] if n else [None] * 3
            cell = {"scenario": scenario.replace(" ", "_") or name, "window": window, "test": short or test}
            rates.append(cell | dict(zip(("rate", "lower", "upper"), numbers, strict=True)) | {"n": n})
    return rates


def all_scenarios(replications: int, seed: int, tests: Mapping[str, Test]) -> list[dict[str, Any]]:
    """Return the cells of all scenarios."""
    rates = []
    for name in SCENARIOS:
        print(f"{datetime.now(UTC):%H:%M:%S} {name}", file=sys.stderr)
        rates += cells(name, replications, seed, tests)
    return rates


def date_and_versions() -> dict[str, Any]:
    """Return the date of the measurement, and the versions."""
    versions = {"python": platform.python_version(), "eventstudy": version("eventstudy-quant")}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "versions": versions | {name: version(name) for name in ("numpy", "scipy")},
    }


def settings(replications: int) -> dict[str, Any]:
    """Return the settings of the measurement."""
    return {
        "level": LEVEL,
        "replications": replications,
        "model": "market",
        "estimation_days": ESTIMATION,
        "event_window": list(SPEC.event),
        "noise": "normal",
        "correlation_by_date": RHO,
        "missing": LOST,
        "min_coverage_where_missing": COVERAGE,
    }


def measure(replications: int, seed: int) -> dict[str, Any]:
    """Measure all tests."""
    scenarios = {name: scenario.label for name, scenario in SCENARIOS.items()}
    return date_and_versions() | {
        "seed": seed,
        "settings": settings(replications),
        "scenarios": scenarios | {"one_event": "one event; as many as the first scenario has"},
        "cells": all_scenarios(replications, seed, TESTS),
    }


def add_test(measurement: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Measure one test on the samples of a measurement, and add its rates."""
    replications, seed = measurement["settings"]["replications"], measurement["seed"]
    if measurement["settings"] != settings(replications):
        raise SystemExit(
            f"the other tests were measured with {measurement['settings']}, not with {settings(replications)};"
            " measure all tests, without --only"
        )
    rates = [cell for cell in all_scenarios(replications, seed, {name: TESTS[name]}) if cell["test"] == name]
    order = list(dict.fromkeys(cell["scenario"] for cell in measurement["cells"]))
    both = [*(cell for cell in measurement["cells"] if cell["test"] != name), *rates]
    later = {**measurement.get("later", {}), name: date_and_versions()}
    return {
        **{key: value for key, value in measurement.items() if key != "cells"},
        "later": dict(sorted(later.items())),
        "cells": sorted(both, key=lambda cell: (order.index(cell["scenario"]), cell["test"])),
    }


def main() -> None:
    """Measure the rates, and write them with one line per cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=1000, help=f"a multiple of {BATCH}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(TESTS), help="measure this test only, and add it to the file --out")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.replications < BATCH or options.replications % BATCH:
        parser.error(f"--replications is {options.replications}; it must be a multiple of {BATCH}")
    if options.only:
        measurement = add_test(json.loads(options.out.read_text(encoding="utf-8")), options.only)
    else:
        measurement = measure(options.replications, options.seed)
    lines = ",\n  ".join(json.dumps(cell) for cell in measurement.pop("cells"))
    text = json.dumps(measurement, indent=1).removesuffix("\n}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(f'{text},\n "cells": [\n  {lines}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
