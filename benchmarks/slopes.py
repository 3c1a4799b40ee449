"""Measure how often regressions across events and comparisons of groups reject at 5 % where there is nothing to find.

Run ``OMP_NUM_THREADS=1 python benchmarks/slopes.py``: it puts its rates in the place of those in the table of
``sizes.py``. Samples of real closes are left out where the closes are not at hand.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import samples
from sizes import OUT, interval, this_run, write
from tests.simulation import slopes
from tests.simulation.sizes import LEVEL

from eventstudy.analysis import comparison

N, DRAWS = 60, 199  # firms on a day; draws of the placebo dates, which the methods here do not use
REAL = f"{N} shares of Hong Kong on one random date"
PValues = Iterator[dict[str, float]]  # by method


def on_real_days(replications: int, seed: int) -> PValues:
    """Yield p of slopes on the volatility before, and of the difference between high and low volatility."""
    its: Any  # as much of a Rerun as regressions need
    for its in slopes.on_one_day(slopes.closes(samples.CLOSES.parents[1]), N, (0, 0), replications, seed):
        volatility = slopes.volatility(its)
        level = np.where(volatility > np.median(volatility), "high", "low")
        frames = its.frames(volatility=volatility, level=level)
        found = {
            f'regress(cov="{cov}")': comparison.regress(its, frames, "car ~ volatility", None, None, cov, DRAWS)
            for cov in ("history", "HC1")
        }
        [row] = comparison.compare(its, frames, "level", None, "history", DRAWS).to_dict("records")
        p = {method: float(fit.pvalues["volatility"]) for method, fit in found.items()}
        yield p | {'compare(cov="history")': row["p"], "Welch's t": row["p_welch"], "rank sum": row["p_rank"]}


def slopes_by_date(n_dates: int, replications: int, seed: int) -> PValues:
    """Yield p of slopes on a characteristic whose reward differs by date, with 5 firms on each."""
    rng = np.random.default_rng(seed)
    for _ in range(replications):
        frames = slopes.with_rewards(rng, n_dates)
        fits = {cov: comparison.regress(None, frames, "car ~ size", None, None, cov, DRAWS) for cov in ("cr2", "HC1")}
        yield {f'regress(cov="{cov}")': float(fit.pvalues["size"]) for cov, fit in fits.items()}


def groups_by_date(first: int, second: int, replications: int, seed: int) -> PValues:
    """Yield p of two groups on dates of their own, 4 firms on each, half of whose variance is common to a date."""
    rng = np.random.default_rng(seed)
    for _ in range(replications):
        [row] = comparison.compare(
            None, slopes.on_dates_of_their_own(rng, first, second), "kind", None, "auto", DRAWS
        ).to_dict("records")
        yield {"compare": row["p"], "Welch's t": row["p_welch"]}


CASES: dict[str, tuple[int, Callable[[int, int], PValues]]] = {
    f"{REAL}, by their volatility": (400, on_real_days),
    "12 dates of 5 firms, and a characteristic with a reward of its own on each date": (
        1000, lambda n, seed: slopes_by_date(12, n, seed)
    ),
    "3 dates of a group and 20 of another, 4 firms on each": (2000, lambda n, seed: groups_by_date(3, 20, n, seed)),
    "5 dates of a group and 20 of another, 4 firms on each": (2000, lambda n, seed: groups_by_date(5, 20, n, seed)),
}  # fmt: skip


def measure(share: float, seed: int) -> list[dict[str, Any]]:
    """Return the rate of each case and method, with its interval."""
    rows = []
    for label, (replications, case) in CASES.items():
        if label.startswith(REAL) and not samples.CLOSES.exists():
            continue
        found = list(case(int(share * replications), seed))
        for method in found[0]:
            p = np.array([each[method] for each in found])
            n, hits = int(np.isfinite(p).sum()), int((p <= LEVEL).sum())
            rate, lower, upper = (round(x, 4) for x in (hits / n, *interval(hits, n)))
            rows.append({"sample": label, "method": method, "rate": rate, "lower": lower, "upper": upper, "n": n})
    return rows


def main() -> None:
    """Measure, and put the rates into the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the replications: less for a trial")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    measured = json.loads(options.out.read_text(encoding="utf-8"))
    rows = measure(options.share, options.seed)
    measured["slopes"] = {"run": this_run(options.seed), "rows": rows}
    write(measured, options.out)


if __name__ == "__main__":
    main()
