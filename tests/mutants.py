"""Mutants of the arithmetic: small changes of its code, each of which some test should notice.

``python -m tests.mutants --seed 0 --number 600`` draws from the mutants that mutmut makes of the modules below, in
proportion to their number in each module and one of each at least. A mutant is tried on the tests that call the changed
function, the shortest first, in a process that ran no test before, as what tests keep in memory would hide it. Those
that no test noticed are written to ``tests/mutants.json``, where each needs an explanation, or a test that notices it.
Mutants of texts are not drawn: what messages say may change.

mutmut does not change what lies outside functions, nor functions with a decorator. It works on a copy of the tree.
``make mutants`` installs it in an environment of its own.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from tests.conftest import shared_folder
from tests.evidence import ROOT, Record, keep

FILE = ROOT / "tests" / "mutants.json"
MODULES = ("core/*", "inference/*", "models/*", "prepare/placing.py", "prepare/calendar.py")
FOLDERS = ("core", "models", "contract", "properties", "prepare", "oracles")
LEFT_OUT = {"architecture", "mutants", "paper", "public", "public_types"}  # of the tree itself
LEFT_OUT |= {"files", "killing", "members", "scale", "store"}  # of many programs
CONFIGURATION = """
[tool.mutmut]
source_paths = ["src/"]
only_mutate = {modules}
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-m", "not slow and not site"]
timeout_multiplier = 2.0
timeout_constant = 5.0
track_dependencies = false
use_git_change_detection = false
process_isolation = "forkserver"
forkserver_warmup = "import"
preload_modules_file = "preloaded.txt"
"""
# Imported once for all mutants. The library is imported anew for each: some of its functions are called by its import.
PRELOADED = ["numpy", "pandas", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats", "statsmodels.api"]
PRELOADED += ["arch.univariate", "exchange_calendars", "matplotlib", "pyarrow.parquet", "sklearn.linear_model"]
FIRST = "eventstudy.core.ranks.x_ranks__mutmut_1"  # with whichever mutant, mutmut makes all and times the tests
TEXT = re.compile(r'"[^"\n]* [^"\n]*"')


class Mutant(NamedTuple):
    """A change of one function: the lines that it replaces, and what stands there instead."""

    name: str
    file: str
    was: str
    becomes: str

    @property
    def row(self) -> dict[str, str]:
        """The mutant as it stands in the file of survivors."""
        return {"file": self.file, "function": plain(self.name), "was": self.was, "becomes": self.becomes}


def plain(name: str) -> str:
    """Give the name of the function of which mutmut made a mutant."""
    return re.sub(r"^x(_|ǁ.*ǁ)|__mutmut_\w+$", "", name.rpartition(".")[-1])


def prepare(folder: Path) -> None:
    """Copy the tree to a folder, with the configuration of mutmut."""
    left_out = shutil.ignore_patterns(".*", "_build", "generated", "dist", "demo", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=left_out, dirs_exist_ok=True)
    top = [f"tests/{f.name}" for f in ROOT.glob("tests/test_*.py") if f.stem.removeprefix("test_") not in LEFT_OUT]
    written = CONFIGURATION.format(
        modules=json.dumps([f"src/eventstudy/{module}" for module in MODULES]),
        copied=json.dumps([f.name for f in folder.iterdir() if f.name not in ("src", "mutants")]),
        tests=json.dumps([f"tests/{name}" for name in FOLDERS] + sorted(top)),
    )
    (folder / "mutants" / "src").mkdir(parents=True)  # on the path of Python from the beginning
    (folder / "preloaded.txt").write_text("\n".join(PRELOADED), encoding="utf-8")
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(written)


def mutmut(folder: Path, *names: str) -> None:
    """Run mutmut on mutants by name, one after the other."""
    environment = os.environ | {
        "EVENTSTUDY_SHARED": str(shared_folder().resolve()),
        "PYTHONPATH": str(folder / "mutants" / "src"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run([program, "run", "--max-children", "1", *names], cwd=folder, env=environment, check=True)


def mutants_of(folder: Path, file: str) -> Iterator[Mutant]:
    """Give the mutants of a file, but for those of its texts."""
    made = folder / "mutants" / file
    lines = made.read_text(encoding="utf-8").splitlines()
    spans = json.loads(made.with_name(f"{made.name}.spans").read_text(encoding="utf-8"))["spans"]
    source = {name: [line.replace(name, plain(name)) for line in lines[a - 1 : b]] for name, (a, b) in spans.items()}
    for name in results(folder, file):
        short = name.rpartition(".")[-1]
        was = source[re.sub(r"__mutmut_\d+$", "__mutmut_orig", short)]
        becomes = source[short]
        if TEXT.sub("", "\n".join(was)) != TEXT.sub("", "\n".join(becomes)):
            yield Mutant(name, file, *changed(was, becomes))


def changed(was: list[str], becomes: list[str]) -> tuple[str, str]:
    """Give the lines in which two versions of a function differ, from the first to the last of them."""
    codes = difflib.SequenceMatcher(None, was, becomes, autojunk=False).get_opcodes()
    parts = [code for code in codes if code[0] != "equal"]
    first, last = parts[0], parts[-1]
    return "\n".join(was[first[1] : last[2]]), "\n".join(becomes[first[3] : last[4]])


def results(folder: Path, file: str) -> dict[str, int | None]:
    """Give the exit code of pytest for each mutant of a file; none for those that were not tried."""
    meta = folder / "mutants" / f"{file}.meta"
    codes: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def draw(folder: Path, seed: int, number: int) -> list[Mutant]:
    """Draw mutants, from each module in proportion to how many it has, and whatever other modules have."""
    files = [f.relative_to(folder / "mutants").as_posix().removesuffix(".meta") for f in folder.rglob("*.py.meta")]
    modules = {file: list(mutants_of(folder, file)) for file in sorted(files)}
    share = number / sum(map(len, modules.values()))
    drawn = []
    for file, mutants in modules.items():
        rng = np.random.default_rng([seed, crc32(file.encode())])
        count = min(len(mutants), max(1, round(share * len(mutants))))
        drawn += [mutants[k] for k in sorted(rng.permutation(len(mutants))[:count])]
    return drawn


def outcome(folder: Path, drawn: list[Mutant], seed: int) -> dict[str, Any]:
    """Count the outcomes of the drawn mutants, and list the survivors with the explanations known of them."""
    known = {}
    if FILE.exists():
        for row in json.loads(FILE.read_text(encoding="utf-8"))["survivors"]:
            known[tuple(value for name, value in row.items() if name != "why")] = row["why"]
    survived = [mutant for mutant in drawn if results(folder, mutant.file)[mutant.name] in (0, 33)]
    return {
        "seed": seed,
        "drawn": dict(Counter(mutant.file for mutant in drawn)),
        "survivors": [m.row | {"why": known.get(tuple(m.row.values()), "")} for m in survived],
    }


def main() -> int:
    """Try mutants, write those that no test noticed, and keep the record where wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--keep", action="store_true", help="keep the record for the page of what was tested")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        prepare(folder)
        mutmut(folder, FIRST)
        drawn = draw(folder, given.seed, given.number)
        mutmut(folder, *(mutant.name for mutant in drawn))
        found = outcome(folder, drawn, given.seed)
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    survived, unexplained = len(found["survivors"]), sum(not row["why"] for row in found["survivors"])
    counts = f"{len(drawn) - survived} killed, {survived} equivalent, each explained in tests/mutants.json"
    sys.stdout.write(f"{len(drawn)} mutants: {survived} survived, {unexplained} of them without an explanation\n")
    if given.keep and not unexplained:
        tried = f"{len(drawn)} mutants of core, inference, models and the placing of events (seed {given.seed})"
        keep("mutants", Record("Mutants", tried, counts, f"python -m tests.mutants --seed {given.seed}"))
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
