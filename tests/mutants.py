"""Mutants of the arithmetic: small changes of its code, each of which some test should notice.

``python -m tests.mutants --seed 0 --number 600`` draws from the mutants that mutmut makes of the modules below, in
proportion to their number in each module and one of each at least. A mutant is tried on the tests that call the changed
function. Those that no test noticed are written to ``tests/mutants.json``, where each needs an explanation, or a test
that notices it. Mutants of texts are not drawn: what messages say may change.

mutmut makes the mutants in a copy of the tree, and measures which tests call which function. It does not change what
lies outside functions, nor functions with a decorator. Each mutant is tried in a process that has imported neither the
library nor a test before: what tests keep in memory, and what an import computes, would hide it. ``make mutants``
installs mutmut in an environment of its own.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
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
import pytest
from tqdm import tqdm

from tests.evidence import Record, keep
from tests.shared import ROOT, shared_folder

FILE = ROOT / "tests" / "mutants.json"
MODULES = ("core/*", "inference/*", "models/*", "prepare/placing.py", "prepare/calendar.py")
FOLDERS = ("core", "models", "contract", "properties", "prepare", "oracles")
LEFT_OUT = {"architecture", "mutants", "paper", "public", "public_types"}  # of the tree itself
LEFT_OUT |= {"files", "killing", "members", "scale", "store"}  # of many programs
SELECTED = "not slow and not site"
CONFIGURATION = """
[tool.mutmut]
source_paths = ["src/"]
only_mutate = {modules}
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-m", "{selected}"]
track_dependencies = false
use_git_change_detection = false
"""
PRELOADED = ["numpy", "pandas", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats", "statsmodels.api"]
PRELOADED += ["arch.univariate", "exchange_calendars", "matplotlib", "pyarrow.parquet", "sklearn.linear_model"]
SECONDS = 300  # of the processor: a mutant that takes longer is noticed
FIRST = "eventstudy.core.ranks.x_ranks__mutmut_1"  # with whichever mutant, mutmut makes all and times the tests
LITERAL = re.compile(r'"[^"\n]*"')


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
        selected=SELECTED,
        tests=json.dumps([f"tests/{name}" for name in FOLDERS] + sorted(top)),
    )
    (folder / "mutants" / "src").mkdir(parents=True)  # on the path of Python from the beginning
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(written)


def make_mutants(folder: Path) -> None:
    """Let mutmut write all mutants, and measure which tests call which function."""
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run([program, "run", "--max-children", "1", FIRST], cwd=folder, check=True)


def is_noticed(folder: Path, name: str, tests: list[str]) -> bool:
    """Say whether a test fails, or takes too long, with a mutant; tests of one function come before those of studies.

    The process of the tests is a fork of this one, which has imported the libraries of others.
    """
    import resource  # which Windows does not have

    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        os.environ["MUTANT_UNDER_TEST"] = name
        os.chdir(folder / "mutants")
        sys.path[:0] = [str(folder / "mutants"), str(folder / "mutants" / "src")]
        for module in [m for m in sys.modules if m.split(".")[0] == "tests"]:
            del sys.modules[module]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(pytest.main(["-x", "-q", "--rootdir=.", "-p", "no:cacheprovider", "-m", SELECTED, *tests]))
    ended = os.waitpid(child, 0)[1]
    if os.WIFEXITED(ended) and os.WEXITSTATUS(ended) == pytest.ExitCode.USAGE_ERROR:
        raise RuntimeError(f"the tests of {name} could not be run")
    return ended != 0


def survivors(folder: Path, drawn: list[Mutant]) -> list[Mutant]:
    """Return the mutants that no test notices."""
    measured = json.loads((folder / "mutants" / "mutmut-stats.json").read_text(encoding="utf-8"))
    seconds = measured["duration_by_test"]
    found = []
    for mutant in tqdm(drawn, unit="mutant"):
        called = measured["tests_by_mangled_function_name"].get(re.sub(r"__mutmut_\d+$", "", mutant.name), [])
        member = re.compile(rf"\[(.*-)?{Path(mutant.file).stem}\b")
        # What the import of a member calls is measured for no test: those of its contract come in addition.
        reach = {*called, *(test for test in seconds if test.startswith("tests/contract/") and member.search(test))}
        tests = sorted(reach, key=lambda test: (test.startswith("tests/test_"), seconds[test]))
        if not tests or not is_noticed(folder, mutant.name, tests):
            found.append(mutant)
    return found


def mutants_of(folder: Path, file: str) -> Iterator[Mutant]:
    """Give the mutants of a file, but for those of its texts."""
    made = folder / "mutants" / file
    lines = made.read_text(encoding="utf-8").splitlines()
    spans = json.loads(made.with_name(f"{made.name}.spans").read_text(encoding="utf-8"))["spans"]
    source = {name: [line.replace(name, plain(name)) for line in lines[a - 1 : b]] for name, (a, b) in spans.items()}
    meta = json.loads(made.with_name(f"{made.name}.meta").read_text(encoding="utf-8"))
    for name in meta["exit_code_by_key"]:
        short = name.rpartition(".")[-1]
        was, becomes = source[re.sub(r"\d+$", "orig", short)], source[short]
        if without_texts(was) != without_texts(becomes):
            yield Mutant(name, file, *changed(was, becomes))


def without_texts(lines: list[str]) -> str:
    """Return code without its texts: literals with a space."""
    return LITERAL.sub(lambda found: "" if " " in found[0] else found[0], "\n".join(lines))


def changed(was: list[str], becomes: list[str]) -> tuple[str, str]:
    """Give the lines in which two versions of a function differ, from the first to the last of them."""
    codes = difflib.SequenceMatcher(None, was, becomes, autojunk=False).get_opcodes()
    parts = [code for code in codes if code[0] != "equal"]
    first, last = parts[0], parts[-1]
    return "\n".join(was[first[1] : last[2]]), "\n".join(becomes[first[3] : last[4]])


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


def outcome(drawn: list[Mutant], survived: list[Mutant], seed: int) -> dict[str, Any]:
    """Count the drawn mutants by module, and list the survivors with the explanations known of them."""
    known = {}
    if FILE.exists():
        for row in json.loads(FILE.read_text(encoding="utf-8"))["survivors"]:
            known[tuple(value for name, value in row.items() if name != "why")] = row["why"]
    rows = [mutant.row | {"why": known.get(tuple(mutant.row.values()), "")} for mutant in survived]
    return {"seed": seed, "drawn": dict(Counter(mutant.file for mutant in drawn)), "survivors": rows}


def main() -> int:
    """Try mutants, write those that no test noticed, and keep the record where wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--keep", action="store_true", help="keep the record for the page of what was tested")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ["EVENTSTUDY_SHARED"] = str(shared_folder())  # the tree is tried elsewhere
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        prepare(folder)
        os.environ["PYTHONPATH"] = str(folder / "mutants" / "src")  # of the programs that tests start
        make_mutants(folder)
        drawn = draw(folder, given.seed, given.number)
        for library in PRELOADED:
            importlib.import_module(library)
        survived = survivors(folder, drawn)
    found = outcome(drawn, survived, given.seed)
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unexplained = sum(not row["why"] for row in found["survivors"])
    sys.stdout.write(f"{len(drawn)} mutants: {len(survived)} survived, {unexplained} of them without an explanation\n")
    if given.keep and not unexplained:
        tried = f"{len(drawn)} mutants of core, inference, models and the placing of events (seed {given.seed})"
        told = f"{len(drawn) - len(survived)} killed, {len(survived)} equivalent, each explained in tests/mutants.json"
        command = f"python -m tests.mutants --seed {given.seed} --number {given.number}"
        keep("mutants", Record("Mutants", tried, told, command))
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
