"""Throw random input at every door for some seconds: ``python -m tests.fuzz --seconds 300 --seed 0``; `make fuzz`."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from random import Random

from tests import evidence
from tests.fuzz.doors import Doors
from tests.fuzz.harness import GROWTH_KIB, attempt, memory_kib


def main() -> int:
    """Run until the time is over; print a line per door, and every foreign exception once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--door", help="this one alone")
    parser.add_argument("--keep", action="store_true", help="keep the record for the page")
    options = parser.parse_args()
    doors = Doors()
    members = {name: door for name, door in doors.all().items() if options.door in (None, name)}
    counts, ours, faults = Counter[str](), Counter[str](), dict[str, str]()
    end, seed, start = time.monotonic() + options.seconds, options.seed * 10**9, memory_kib()
    spent = dict.fromkeys(members, 0.0)
    while time.monotonic() < end:
        name = min(spent, key=lambda door: spent[door])  # the doors share the time, so that slow ones do not rule
        began = time.monotonic()
        for _ in range(20):
            fault, refused = attempt(members[name], Random(seed))
            counts[name] += 1
            ours[name] += refused
            if fault:
                faults.setdefault(f"{name}: {fault}", f"seed {seed}")
            seed += 1
        spent[name] += time.monotonic() - began
    doors.close()
    for name in members:
        print(f"{name:28} {counts[name]:>10,} inputs {ours[name]:>10,} refused")
    growth = memory_kib() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{sum(counts.values()):,} inputs in all; memory grew by {growth / 1024:,.0f} MiB, peak {peak / 1024:,.0f} MiB"
    )
    if growth > GROWTH_KIB:
        faults["memory"] = f"{growth} KiB"
    for fault, where in faults.items():
        print(f"FOREIGN {fault} ({where})")
    if options.keep and not faults:
        tried = f"{sum(counts.values()):,} broken inputs at {len(members)} doors"
        found = f"{sum(ours.values()):,} refused in the library's own words, no other exception, none over 5 seconds"
        command = f"python -m tests.fuzz --seconds {options.seconds:g} --seed {options.seed}"
        evidence.keep("fuzz", evidence.Record("Inputs tried", tried, found, command))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
