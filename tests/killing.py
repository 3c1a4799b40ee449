"""Writers that are killed, or that race: what is found afterwards is one of the versions written, whole, or refused.

``python -m tests.killing kills SEED N`` kills N writers, and ``races SEED N`` lets N pairs write at once; each kind of
output has its share. It prints, as JSON, what was found by kind, and ``--keep`` keeps the record for the page. The
script forks, so it runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.bars import Bars
from eventstudy.core import parts
from eventstudy.sources import _write
from tests import evidence
from tests.reports.fake import fake

DATES = np.arange("2020-01-01", "2021-03-31", dtype="datetime64[D]")
VERSIONS = (1, 2)


@cache
def prices(version: int) -> es.Prices:
    fields = {"close": np.full(len(DATES), float(version)), "volume": np.full(len(DATES), float(version))}
    return es.Prices({f"K{k}": Bars(f"K{k}", DATES, fields, "XNYS", "USD") for k in range(12)})


def version_of_prices(folder: Path) -> str:
    bars = es.read_prices(folder).bars
    values = {x for b in bars.values() for name in ("close", "volume") for x in np.unique(b.fields[name]).tolist()}
    return "whole" if len(bars) == 12 and values in ({1.0}, {2.0}) else "mixture"


@cache
def result(version: int) -> es.Result:
    return fake(seed=version)


def write_report(version: int, folder: Path, suffix: str) -> None:
    result(version).report(folder / f"x.{suffix}")


@cache
def report_files(version: int, suffix: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        write_report(version, Path(folder), suffix)
        return hashes(Path(folder))


def hashes(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.is_file()}


def version_of_report(folder: Path, suffix: str) -> str:
    found = hashes(folder)
    if f"x.{suffix}" not in found:
        return "refused"
    return "whole" if any(found == report_files(version, suffix) for version in VERSIONS) else "mixture"


EVENTS = pd.DataFrame({"ticker": [f"K{k % 12}" for k in range(40)], "announced": DATES[100:-20:8][:40].astype(str)})
STUDY = es.Study(
    model="mean", estimation=(-60, -11), event=(-3, 3), windows=((0, 0), (-1, 1)), min_estimation=30,
    tests=["bmp", "corrado"],
)  # fmt: skip
parts.CELLS = 500  # several parts of a small study


@cache
def walk() -> es.Prices:
    rng = np.random.default_rng(0)
    steps = 0.01 * rng.standard_normal((len(DATES), 12))
    frame = pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), DATES, [f"K{k}" for k in range(12)])
    return es.Prices.from_frame(frame)


def study(checkpoint: Path | None) -> es.Result:
    return STUDY.run(es.Events.from_frame(EVENTS), walk(), checkpoint=checkpoint)


def write_checkpoint(version: int, folder: Path) -> None:
    for file in folder.glob("*.npz"):
        file.unlink()
    study(folder)


@cache
def expected() -> es.Result:
    return study(None)


def version_of_checkpoint(folder: Path) -> str:
    found = study(folder)
    same = np.array_equal(found.cars["car"], expected().cars["car"]) and np.isfinite(found.cars["car"]).any()
    return "whole" if same and not any("damaged" in note for note in found.provenance["notes"]) else "mixture"


class Kind(NamedTuple):
    write: Callable[[int, Path], None]
    version: Callable[[Path], str]


KINDS = {
    "folder": Kind(lambda version, folder: _write.write(prices(version), folder), version_of_prices),
    "store": Kind(lambda version, folder: es.write_prices(prices(version), folder, 4), version_of_prices),
    "csv": Kind(lambda version, folder: write_report(version, folder, "csv"), lambda f: version_of_report(f, "csv")),
    "parquet": Kind(
        lambda version, folder: write_report(version, folder, "parquet"), lambda f: version_of_report(f, "parquet")
    ),
    "text": Kind(lambda version, folder: write_report(version, folder, "txt"), lambda f: version_of_report(f, "txt")),
    "checkpoint": Kind(write_checkpoint, version_of_checkpoint),
}


def fork(writes: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            writes()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(1)
    return child


def forever(kind: Kind, folder: Path) -> None:
    for k in count():
        kind.write(VERSIONS[k % 2], folder)


def kill(kind: Kind, folder: Path, seconds: float) -> None:
    child = fork(lambda: forever(kind, folder))
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])  # it did not end by itself, with an error


def race(kind: Kind, folder: Path) -> None:
    def several(version: int) -> None:
        for _ in range(3):
            kind.write(version, folder)

    for child in [fork(lambda version=version: several(version)) for version in VERSIONS]:  # type: ignore[misc]
        assert os.waitpid(child, 0)[1] == 0


def main(what: str, seed: int, n: int) -> dict[str, dict[str, int]]:
    rng = np.random.default_rng(seed)
    found = {name: Counter[str]() for name in KINDS if what == "kills" or name != "checkpoint"}
    with tempfile.TemporaryDirectory() as root:
        for name in found:
            folder = Path(root, name)
            folder.mkdir()
            kind = KINDS[name]
            kind.write(1, folder)
            begin = time.monotonic()
            kind.write(2, folder)
            duration = time.monotonic() - begin
            for k in range(n // len(found)):
                if what == "races":
                    race(kind, folder)
                else:
                    kill(kind, folder, duration * 3 * rng.random())
                    found[name]["left by the killed"] += any(folder.glob(".eventstudy-*"))
                found[name][kind.version(folder)] += 1
                kind.write(VERSIONS[k % 2], folder)
                found[name]["left by the next"] += any(folder.glob(".eventstudy-*"))
    return {name: dict(counts) for name, counts in found.items()}


def keep(what: str, arguments: str, by_kind: dict[str, dict[str, int]]) -> None:
    totals = sum((Counter(counts) for counts in by_kind.values()), Counter[str]())
    n = totals["whole"] + totals["refused"]
    tried = f"{n:,} writers of {', '.join(by_kind)} killed at a random moment"
    if what == "races":
        tried = f"{n:,} pairs of writers of {', '.join(by_kind)} at once"
    found = (
        f"afterwards {totals['whole']:,} whole versions, {totals['refused']:,} refused, no mixture;"
        f" {totals['left by the next']:,} leftovers after the next writer"
    )
    evidence.keep(what, evidence.Record("Kills survived", tried, found, f"python -m tests.killing {arguments}"))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--keep"]
    by_kind = main(arguments[0], int(arguments[1]), int(arguments[2]))
    sys.stdout.write(json.dumps(by_kind))
    if "--keep" in sys.argv:
        keep(arguments[0], " ".join(arguments), by_kind)
