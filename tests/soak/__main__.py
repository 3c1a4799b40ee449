"""Do mixed work in one process for some minutes: ``python -m tests.soak --minutes 60 --seed 0``; `make soak`.

Studies, reports, figures, fetches from a server that spoils answers, a database that is restarted, a cluster whose
workers are killed, many events and many tickers. The same study must give the same numbers each time, and memory, open
files and threads must not grow from the end of the first third on.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from tests import evidence
from tests.fuzz.harness import memory_kib
from tests.soak.jobs import Job, Jobs


class Held(NamedTuple):
    """What the process holds at one time."""

    mib: float
    files: int
    threads: int


GROWTH = Held(200.0, 8, 4)  # of what is held, over two thirds of the time; a cluster has a few connections at times


def held() -> Held:
    """Return what this process holds now, without what nothing refers to."""
    gc.collect()
    return Held(memory_kib() / 1024, len(os.listdir("/proc/self/fd")), threading.active_count())


def grown(before: Held, after: Held) -> list[str]:
    """Return what grew by more than is allowed."""
    return [
        f"{name} grew from {first:,.0f} to {last:,.0f}"
        for name, first, last, most in zip(Held._fields, before, after, GROWTH, strict=True)
        if last - first > most
    ]


def work(members: Mapping[str, Job], minutes: float, seed: int) -> tuple[Counter[str], list[Held], list[str]]:
    """Do jobs until the time is over, that next which had the least time; return counts, what was held, and faults."""
    counts, faults, history = Counter[str](), list[str](), [held()]
    spent = dict.fromkeys(members, 0.0)
    begin, number = time.monotonic(), seed * 10**6
    while time.monotonic() < begin + 60 * minutes:
        name = min(spent, key=lambda job: spent[job])
        start = time.monotonic()
        try:
            members[name](Random(number))
        except Exception:
            faults.append(f"{name}, seed {number}: {traceback.format_exc()}")
        number += 1
        counts[name] += 1
        spent[name] += time.monotonic() - start
        if time.monotonic() > begin + 60 * minutes * len(history) / 30:
            history.append(held())
            print(
                f"{(time.monotonic() - begin) / 60:6.1f} min {sum(counts.values()):7,} jobs  {history[-1]}", flush=True
            )
    return counts, [*history, held()], faults


def main() -> int:
    """Soak; print what was done and held, and every fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the record for the page")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with Jobs(options.seed) as jobs:
        counts, history, faults = work(jobs.all(), options.minutes, options.seed)
    settled, last = history[len(history) // 3], history[-1]
    for name, n in counts.items():
        print(f"{n:8,} {name}")
    print(
        f"refused in the library's words: {dict(jobs.refused)}; {dict(jobs.kills)}; held {settled}, at the end {last}"
    )
    faults += grown(settled, last)
    for fault in faults:
        print(f"FAULT {fault}")
    if options.keep and not faults:
        tried = "; ".join(f"{n:,} {name}" for name, n in counts.items())
        kills = ", ".join(f"{n:,} {what}" for what, n in jobs.kills.items())
        found = (
            f"every number the same each time; {kills}; memory {settled.mib:,.0f} to {last.mib:,.0f} MiB, open files"
            f" {settled.files} to {last.files}, threads {settled.threads} to {last.threads} over the last two thirds"
        )
        command = f"python -m tests.soak --minutes {options.minutes:g} --seed {options.seed}"
        evidence.keep("soak", evidence.Record("Soak", tried, found, command))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
