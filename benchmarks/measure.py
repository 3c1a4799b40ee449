"""Print how long the import takes, what a large study costs in time and memory, and how long the code is.

Run ``python benchmarks/measure.py``; every measurement has a process of its own, with one thread.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

EVENTS, ASSETS, DAYS = 100_000, 2_000, 2_520
TESTS = ("cross_section", "brown_warner", "patell", "bmp", "kolari_pynnonen")
SOURCE = Path(__file__).parent.parent / "src" / "eventstudy"
IMPORT = "import time; t = time.perf_counter(); import eventstudy; print(time.perf_counter() - t)"


def child(*arguments: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def import_seconds() -> float:
    return statistics.median(float(child("-c", IMPORT)) for _ in range(5))


def megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def large_study() -> dict[str, float]:
    """Run the five parametric tests over simulated returns; events on random dates of ten years."""
    import numpy as np

    from eventstudy import _registry
    from eventstudy.core.run import run
    from eventstudy.types import Panel, Placed, Sample, Spec

    rng = np.random.default_rng(0)
    spec = Spec((-260, -11), (-10, 10), np.array([[0, 0], [-1, 1], [-10, 10]]))
    market = 0.01 * rng.standard_normal(DAYS)
    r = rng.uniform(0.5, 1.5, (ASSETS, 1)) * market + 0.02 * rng.standard_normal((ASSETS, DAYS))
    names = tuple(str(i) for i in range(ASSETS))
    panel = Panel(r, np.ones(r.shape, dtype=bool), market[:, None], np.arange(DAYS), names, ("benchmark",))
    asset, day = rng.integers(0, ASSETS, EVENTS), rng.integers(260, DAYS - 10, EVENTS)
    found, cluster = np.unique(day, return_inverse=True)
    zero = np.zeros(EVENTS, dtype=np.int64)
    sample = Sample(spec, 1, np.zeros(len(found), dtype=np.int64), found[:, None] + spec.offsets)
    placed = Placed(zero, asset, day, cluster, zero, np.ones(len(day)))
    tests = {name: _registry.load("inference", name) for name in TESTS}
    before, start = megabytes(), time.perf_counter()
    outcome = run([panel], placed, _registry.load("models", "market"), tests, sample)
    seconds = time.perf_counter() - start
    assert all(np.isfinite(verdict.p).all() for verdict in outcome.verdicts.values())
    return {"seconds": seconds, "before": before, "peak": megabytes()}


def lengths() -> Iterator[tuple[str, str, int]]:
    """Give ("file" or "function", its name, its lines) for all of the package."""
    for path in sorted(SOURCE.rglob("*.py")):
        name, text = str(path.relative_to(SOURCE)), path.read_text(encoding="utf-8")
        yield "file", name, len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield "function", f"{name}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def rows() -> Iterator[tuple[str, str]]:
    yield "import eventstudy, median of 5", f"{import_seconds():.3f} s"
    cost = json.loads(child(__file__, "large"))
    yield f"{EVENTS:,} events x 271 days, {len(TESTS)} tests", f"{cost['seconds']:.2f} s"
    yield "  an event", f"{1e6 * cost['seconds'] / EVENTS:.1f} us"
    yield "  peak memory, of it the returns and imports", f"{cost['peak']:.0f} MB, {cost['before']:.0f} MB"
    for kind in ("file", "function"):
        found = [(lines, name) for what, name, lines in lengths() if what == kind]
        longest, name = max(found)
        middle = statistics.median(lines for lines, _ in found)
        yield f"lines of a {kind} ({len(found)}), median and maximum", f"{middle:.0f}, {longest} ({name})"


def main() -> None:
    if sys.argv[1:] == ["large"]:
        print(json.dumps(large_study()))
        return
    for what, value in rows():
        print(f"{what:<50}{value}")


if __name__ == "__main__":
    main()
