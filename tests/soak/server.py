"""The fake of Yahoo in a process of its own, where every third answer is spoilt: ``server.py SHARED CACHE SEED``.

It prints the environment in which this process is taken for Yahoo, and ends with its standard input.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from tests.sources.fakes import yahoo

FAULTS = ("429", "500", "503html", "truncated", "cut", "html", "empty_null", "nulls", "gap", "dup", "unsorted", "neg")


def main() -> None:
    """Serve until the input ends."""
    shared, cache, seed = sys.argv[1:]
    draw = random.Random(int(seed))
    with yahoo(Path(shared)) as fake:
        fake.next_fault = lambda symbol, probe: "ok" if probe or draw.random() < 2 / 3 else draw.choice(FAULTS)
        print(json.dumps(fake.env(cache)), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
