"""Print time and peak memory of a study of a million events, with prices in a store on disk that exceed memory.

Run ``OMP_NUM_THREADS=1 python benchmarks/store.py``, or its steps with ``write FOLDER`` and ``run FOLDER``: 5,000
securities on 10,000 dates, some of which begin late or end early, and five tests. The last number is the peak in MiB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import eventstudy as es

ASSETS, DAYS, EVENTS, BATCH = 5_000, 10_000, 1_000_000, 250
TESTS = ["cross_section", "patell", "bmp", "kolari_pynnonen", "generalized_sign"]
WINDOWS = ((0, 0), (-1, 1), (-5, 5), (0, 5), (-10, 10))


def batches() -> Iterator[es.Prices]:
    """Yield simulated prices, first of the index and then batch by batch."""
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("1980-01-01", periods=DAYS)
    market = 0.01 * rng.standard_normal(DAYS)
    yield es.Prices.from_frame(pd.DataFrame({"^M": 100 * np.exp(np.cumsum(market))}, index=dates))
    for first in range(0, ASSETS, BATCH):
        r = rng.uniform(0.5, 1.5, BATCH) * market[:, None] + 0.02 * rng.standard_normal((DAYS, BATCH))
        level = 100 * np.exp(np.cumsum(r, axis=0))
        begin, end = rng.integers(0, DAYS // 20, BATCH), rng.integers(DAYS - DAYS // 20, DAYS, BATCH)
        day = np.arange(DAYS)[:, None]
        level[(day < begin) | (day > end)] = np.nan
        yield es.Prices.from_frame(pd.DataFrame(level, dates, [f"S{first + i:05d}" for i in range(BATCH)]))


def megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def write(folder: Path) -> None:
    """Write the prices and the events."""
    es.write_prices(batches(), folder / "prices")
    rng = np.random.default_rng(1)
    dates = pd.bdate_range("1980-01-01", periods=DAYS)[300:-20]
    ticker = np.array([f"S{i:05d}" for i in range(ASSETS)])[rng.integers(0, ASSETS, EVENTS)]
    announced = dates.to_numpy()[rng.integers(0, len(dates), EVENTS)]
    pd.DataFrame({"ticker": ticker, "announced": announced}).to_parquet(folder / "events.parquet")
    size = sum(f.stat().st_size for f in (folder / "prices").iterdir())
    print(f"{'written':<40}{size / 2**20:.0f} MiB; peak {megabytes():.0f}")


def run(folder: Path) -> None:
    """Run the study on the store."""
    start = time.perf_counter()

    def report(what: str) -> None:
        print(f"{what:<40}{time.perf_counter() - start:6.1f} s; peak {megabytes():6.0f} MiB", flush=True)

    report("imported")
    events = es.read_events(folder / "events.parquet")
    report("events read")
    prices = es.read_prices(folder / "prices")
    report("store opened")
    result = es.Study(benchmark="^M", windows=WINDOWS, tests=TESTS).run(events, prices)
    report("study run")
    print(result.tests[["start", "end", "test", "n", "statistic", "p"]].to_string())
    print(result.attrition.to_string())
    report(f"{len(result.cars):,} CARs")
    print(f"{megabytes():.0f}")


def main() -> None:
    if len(sys.argv) == 3:
        {"write": write, "run": run}[sys.argv[1]](Path(sys.argv[2]))
        return
    with TemporaryDirectory() as folder:  # separate processes, so that each has its own peak memory
        for part in ("write", "run"):
            subprocess.run([sys.executable, __file__, part, folder], check=True)


if __name__ == "__main__":
    main()
