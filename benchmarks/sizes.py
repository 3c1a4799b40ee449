"""Measure how often each test rejects at 5 % without any effect, and with one: the table that the library reads.

Run ``OMP_NUM_THREADS=1 python benchmarks/sizes.py``: every test on every kind of sample of ``grid.py``, with the market
model. All tests see the same samples. ``--only TEST`` and ``--scenario NAME`` measure a part, and put it in the place
of what the file had. Samples of real closes are left out where the closes are not at hand.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))

import samples
from grid import ESTIMATION, SCENARIOS, attributes
from tests import make
from tests.simulation.sizes import LEVEL, MARKET

import eventstudy as es
from eventstudy import _registry
from eventstudy.core.draws import ShockedModel
from eventstudy.core.run import run
from eventstudy.members import labelled_tests
from eventstudy.run.settings import BRACKET
from eventstudy.types import Floats, Test

SHOCKS = (0.005, 0.01, 0.02)
DRAWN, PLACEBO = "placebo", 99  # the test that draws dates, and its draws
TESTS: dict[str, Test] = {
    name: test
    for name in _registry.names("inference", plugins=False)
    if not (test := _registry.load("inference", name)).draws
} | labelled_tests(
    [
        "kolari_pynnonen",
        es.test("kolari_pynnonen", **BRACKET),
        "skewness_adjusted",
        es.test("skewness_adjusted", bootstrap=True),
    ]
)
OUT = Path(__file__).parents[1] / "src" / "eventstudy" / "data" / "sizes.json"
SETTINGS = {
    "level": LEVEL, "model": "market", "estimation_days": ESTIMATION, "shocks": SHOCKS, "placebo_draws": PLACEBO,
}  # fmt: skip
Cell = dict[str, Any]
PValues = dict[str, Floats]  # by test, (replications or events, V)


class Wanted(NamedTuple):
    """What is measured of a scenario: by which tests, with which seed, and on what share of its replications."""

    tests: Sequence[str]
    seed: int
    share: float = 1.0


class Part(NamedTuple):
    """Descriptions of scenarios by name, and their cells."""

    scenarios: dict[str, dict[str, Any]]
    cells: list[Cell]


def one_event(name: str) -> str:
    """Return the name of the scenario of the single events of a scenario."""
    return name.replace("independent", "one_event")


def of_one_event(test: str) -> bool:
    """Return whether a test is one of a single event: ``p`` or ``p_sq``, as the columns of ``Result.cars``."""
    return test == "p" or test.startswith("p_")


def is_known(test: str) -> bool:
    return test in TESTS or test == DRAWN or of_one_event(test)


def interval(hits: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % confidence interval of a share (Clopper & Pearson 1934)."""
    lower = float(special.betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    upper = float(special.betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return lower, upper


def p_values(case: make.Case, tests: Mapping[str, Test], shock: float, single: bool) -> PValues:
    """Return the p-values of each test (replications, V), and if ``single`` those of single events (events, V)."""
    spec = case.sample.spec
    model = ShockedModel(MARKET, shock, -spec.event[0]) if shock else MARKET
    outcome = run(case.panels, case.placed, model, tests, case.sample, keep_events=single)
    found = {test: verdict.p for test, verdict in outcome.verdicts.items()}
    if single:
        events = outcome.singles
        found["p"] = make.p_of_t(events["car"] / events["se"], events["dof"][:, None])
        found |= {name: p for name, p in events.items() if name.startswith("p_")}
    return found


def add(parts: dict[str, list[Floats]], found: PValues) -> None:
    for test, p in found.items():
        parts.setdefault(test, []).append(p)


def batches(name: str, share: float) -> list[int]:
    """Return the number of batches of a scenario: of all, of those with shocks, and of those with the placebo test."""
    scenario = SCENARIOS[name]
    return [-(-int(n * share) // scenario.batch) for n in (scenario.replications, scenario.power, scenario.placebo)]


def samples_of(name: str, wanted: Wanted) -> dict[float, PValues]:
    """Return the p-values of a scenario by shock."""
    scenario = SCENARIOS[name]
    tests = {test: TESTS[test] for test in wanted.tests if test in TESTS}
    n, with_power, with_placebo = batches(name, wanted.share)
    parts: dict[float, dict[str, list[Floats]]] = {shock: {} for shock in (0.0, *SHOCKS)}
    for number, child in enumerate(np.random.SeedSequence([wanted.seed, crc32(name.encode())]).spawn(n)):
        case = scenario.draw(np.random.default_rng(child), scenario.batch)
        for shock in (0.0, *SHOCKS) if number < with_power else (0.0,):
            add(parts[shock], p_values(case, tests, shock, scenario.single))
        if number < with_placebo and DRAWN in wanted.tests:
            placebo = {DRAWN: _registry.load("inference", DRAWN).make(draws=PLACEBO)}
            add(parts[0.0], p_values(case, placebo, 0.0, False))
    return {shock: {test: np.concatenate(p) for test, p in found.items()} for shock, found in parts.items()}


def measure(name: str, wanted: Wanted) -> Part:
    """Return the descriptions of a scenario, and the rates of each test and window."""
    scenario, known = SCENARIOS[name], attributes(SCENARIOS[name])
    started, found, made = time.monotonic(), samples_of(name, wanted), []
    n, with_power, _ = (scenario.batch * number for number in batches(name, wanted.share))
    record: dict[str, Any] = {
        "label": scenario.label, "section": scenario.section, "noise": scenario.noise, "variance": scenario.variance,
        **known._asdict(), "replications": n, "with_power": with_power,
    }  # fmt: skip
    windows = record.pop("windows")
    described = {name: record}
    if scenario.single:
        each = {field: record[field] * known.n_events for field in ("replications", "with_power")}
        of_one = {"label": f"one of {scenario.label}", "section": "one", "n_events": 1, "n_clusters": 1, "n_dates": 1}
        described[one_event(name)] = record | each | of_one
    for test, p in found[0.0].items():
        at = one_event(name) if of_one_event(test) else name
        for v, window in enumerate(windows):
            shocked = [found[shock][test][:, v] for shock in SHOCKS if test in found[shock]]
            made.append({"scenario": at, "window": window, "test": test, **rates(p[:, v], shocked)})
    print(f"{datetime.now(UTC):%H:%M:%S} {name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return Part(described, made)


def rates(p: Floats, shocked: Sequence[Floats]) -> Cell:
    """Return the share of p-values at or below the level among those that there are, its interval, and the power.

    The power is that with each shock, null if they were not measured; n is 0 if the test has no value in most samples.
    """
    n, hits = int(np.isfinite(p).sum()), int((p <= LEVEL).sum())
    if n <= len(p) / 2:
        return {"n": 0}
    rate, lower, upper = (round(x, 4) for x in (hits / n, *interval(hits, n)))
    power = [round(float((q[np.isfinite(q)] <= LEVEL).mean()), 2) for q in shocked if np.isfinite(q).any()]
    return {"rate": rate, "lower": lower, "upper": upper, "n": n, "power": power if len(power) == len(SHOCKS) else None}


def this_run(seed: int) -> dict[str, Any]:
    """Return when, with what and how the rates are measured."""
    versions = {name: version(name) for name in ("numpy", "scipy")}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": " ".join([f"python benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "seed": seed,
        "versions": {"python": platform.python_version(), "eventstudy": version("eventstudy-quant")} | versions,
    }


def merged(old: Mapping[str, Any], run: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    """Put the measured parts in the place of what the file had, and leave out what the grid no longer has.

    What ``slopes.py`` has measured is kept. A test without a value in most samples of a scenario has no cell there.
    """
    order = [name for known in SCENARIOS for name in (known, one_event(known))]
    new = [{**cell, "run": len(old.get("runs", []))} for part in parts for cell in part.cells]
    replaced = {key(cell) for cell in new}
    valid = [cell for cell in old.get("cells", []) if cell["scenario"] in order and is_known(cell["test"])]
    scenarios = dict(old.get("scenarios", {}))
    for part in parts:
        scenarios |= part.scenarios
    cells = [cell for cell in new if cell["n"]]
    cells += [cell for cell in valid if key(cell) not in replaced]
    cells.sort(key=lambda cell: (order.index(cell["scenario"]), cell["test"], cell["window"][1] - cell["window"][0]))
    runs = [*old.get("runs", []), run]
    used = sorted({cell["run"] for cell in cells})
    measured = {cell["scenario"] for cell in cells}
    return {
        **SETTINGS,
        **{name: old[name] for name in ("slopes",) if name in old},
        "runs": [runs[number] for number in used],
        "scenarios": {name: scenarios[name] for name in order if name in measured},
        "cells": [{**cell, "run": used.index(cell["run"])} for cell in cells],
    }


def key(cell: Cell) -> tuple[str, str, tuple[int, ...]]:
    return cell["scenario"], cell["test"], tuple(cell["window"])


def write(measured: Mapping[str, Any], path: Path) -> None:
    """Write one line a scenario and a cell."""
    text = json.dumps({name: value for name, value in measured.items() if name not in ("scenarios", "cells")}, indent=1)
    scenarios = ",\n".join(f"{json.dumps(name)}:{compact(record)}" for name, record in measured["scenarios"].items())
    cells = ",\n".join(map(compact, measured["cells"]))
    text = text.removesuffix("\n}")
    path.write_text(f'{text},\n"scenarios":{{\n{scenarios}\n}},\n"cells":[\n{cells}\n]}}\n', encoding="utf-8")


def compact(record: Mapping[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


def main() -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=[*TESTS, DRAWN], default=[*TESTS, DRAWN], metavar="TEST")
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS), metavar="NAME")
    parser.add_argument("--share", type=float, default=1.0, help="of the replications: less for a trial")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    names = [name for name in options.scenario if samples.CLOSES.exists() or SCENARIOS[name].noise != "real"]
    names.sort(key=lambda name: SCENARIOS[name].section not in ("real", "long"))  # those that take longest first
    task = partial(measure, wanted=Wanted(options.only, options.seed, options.share))
    old = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    parts: list[Part] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for part in pool.map(task, names):
            parts.append(part)
            write(merged(old, this_run(options.seed), parts), options.out)


if __name__ == "__main__":
    main()
