"""Measure how often the tests reject at 5 % over 60, 120 and 250 days of real shares to which nothing happened.

Run ``OMP_NUM_THREADS=1 python benchmarks/long_horizon.py``: it prints the table of the page "Methods". Each sample has
shares of Hong Kong drawn at random, on random dates of 2019 to 2022; ``--dates`` lets them lie on fewer dates, and
``--together`` draws shares that move together. The estimation window is the default of a study. The index is the mean
return of all shares, so that the mean abnormal return of a share drawn at random is 0 on every day. A *reference
portfolio* holds all shares in equal parts, bought before the window; a *control firm* is the share whose volatility in
the estimation window is nearest, the *share most alike* the one whose returns there correlate most. Samples of one
history are not independent of each other: the intervals of their rates are too short.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import samples
from tests import make
from tests.simulation.sizes import LEVEL

from eventstudy import _registry, members
from eventstudy.core.run import run
from eventstudy.types import Floats, Model, Panel, Spec, Test

HORIZONS = (60, 120, 250)
SPEC = Spec((-260, -11), (0, 249), np.array([(0, days - 1) for days in HORIZONS]), 120, 0.95)
N, SAMPLES, BATCH = 50, 400, 50
TESTS: dict[str, Test] = {
    **{name: test for name in _registry.names("inference", plugins=False)
       if not (test := _registry.load("inference", name)).draws and name not in ("mvrm", "wild_bootstrap")},
    "two_way, standardised": members.test("two_way", standardised=True),
    "skewness_adjusted, bootstrap": members.test("skewness_adjusted", bootstrap=True, draws=499),
    "calendar_time, abnormal": members.test("calendar_time", method="abnormal"),
    "calendar_time, factors": members.test("calendar_time", method="factors"),
}  # fmt: skip
Benchmark = Callable[[make.Case], Floats]  # the benchmark's return of every event and day, (N, T)


class Measure(NamedTuple):
    """What is tested: the abnormal return of a model against a benchmark, summed or compounded."""

    benchmark: Benchmark
    model: Model
    compound: bool


def index(case: make.Case) -> Floats:
    """Return the mean return of all shares."""
    [panel] = case.panels
    return np.broadcast_to(panel.x[:, 0], (len(case.placed.asset), len(panel.x)))


def held(case: make.Case) -> Floats:
    """Return that of all shares bought in equal parts before day 0; the index before."""
    returns = index(case).copy()
    level = np.cumprod(1 + case.panels[0].r, axis=1)
    for row, day in enumerate(case.placed.day):
        window = slice(day, day + case.sample.spec.n_evt)
        value = (level[:, window] / level[:, [day - 1]]).mean(axis=0)
        returns[row, window] = value / np.append(1.0, value[:-1]) - 1
    return returns


def control(case: make.Case) -> Floats:
    """Return that of the share whose volatility in the estimation window is nearest."""

    def distance(r: Floats, asset: int) -> Floats:
        volatility = np.log(r.std(axis=1))
        return np.asarray(np.abs(volatility - volatility[asset]))

    return nearest(case, distance)


def alike(case: make.Case) -> Floats:
    """Return that of the share whose returns in the estimation window correlate most."""

    def distance(r: Floats, asset: int) -> Floats:
        centred = r - r.mean(axis=1, keepdims=True)
        return np.asarray(-(centred @ centred[asset]) / np.linalg.norm(centred, axis=1))

    return nearest(case, distance)


def nearest(case: make.Case, distance: Callable[[Floats, int], Floats]) -> Floats:
    """Return the returns of the share without an event in the sample that is nearest to that of each event."""
    r = case.panels[0].r
    start, end = case.sample.spec.estimation
    found = np.empty(len(case.placed.asset), dtype=np.int64)
    for row, (asset, day, group) in enumerate(zip(case.placed.asset, case.placed.day, case.placed.group, strict=True)):
        far = distance(r[:, day + start : day + end + 1], asset)
        far[case.placed.asset[case.placed.group == group]] = np.inf
        found[row] = far.argmin()
    return r[found]


MARKET, ADJUSTED = (_registry.load("models", name) for name in ("market", "market_adjusted"))
MEASURES: Mapping[str, Measure] = {
    "CAR, market model": Measure(index, MARKET, False),
    "CAR, market-adjusted": Measure(index, ADJUSTED, False),
    "BHAR, index": Measure(index, ADJUSTED, True),
    "BHAR, reference portfolio": Measure(held, ADJUSTED, True),
    "BHAR, control firm": Measure(control, ADJUSTED, True),
    "CAR, control firm": Measure(control, ADJUSTED, False),
    "CAR, share most alike": Measure(alike, ADJUSTED, False),
    "BHAR, share most alike": Measure(alike, ADJUSTED, True),
}


def p_values(case: make.Case, measure: Measure, tests: Mapping[str, Test]) -> dict[str, Floats]:
    """Return the p-values of each test, (samples, V)."""
    [panel], rows = case.panels, case.placed.asset
    x = np.ascontiguousarray(measure.benchmark(case))[..., None]
    every = Panel(panel.r[rows], panel.ok[rows], x, panel.sessions, tuple(map(str, range(len(rows)))), ("benchmark",))
    sample = replace(case.sample, spec=replace(SPEC, compound=measure.compound))
    outcome = run([every], case.placed._replace(asset=np.arange(len(rows))), measure.model, tests, sample)
    return {name: verdict.p for name, verdict in outcome.verdicts.items()}


def rates(p: Floats) -> str:
    """Return the share of p-values at or below the level in per cent by window; a dash where most samples have none."""
    known = np.isfinite(p)
    shares = 100 * (p <= LEVEL).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return " / ".join(f"{x:.1f}" if k else "-" for x, k in zip(shares, known.mean(axis=0) > 0.5, strict=True))


def main() -> None:
    """Print a table of the tests by measure, with the rates of all windows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--events", type=int, default=N)
    parser.add_argument("--dates", type=int, default=1000, help="dates of a sample, from which its events draw")
    parser.add_argument("--together", action="store_true", help="shares that move together, as those of an industry")
    parser.add_argument("--measure", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--test", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    tests = {name: TESTS[name] for name in options.test}
    draw = samples.real(SPEC, options.events, options.dates, options.together)
    columns: list[dict[str, str]] = []
    for name in options.measure:
        rng = np.random.default_rng(options.seed)  # the same samples for every measure
        parts = [p_values(draw(rng, BATCH), MEASURES[name], tests) for _ in range(-(-options.samples // BATCH))]
        columns.append({test: rates(np.concatenate([part[test] for part in parts])) for test in tests})
    print(f"| test | {' | '.join(options.measure)} |\n|---|{'---|' * len(columns)}")
    for test in tests:
        print(f"| {test} | {' | '.join(column[test] for column in columns)} |")


if __name__ == "__main__":
    main()
