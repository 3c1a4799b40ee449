"""What was tried at length, with its command and its date: the page "How tested" is made of these records.

``python -m tests.evidence NAME`` runs a part of the tests (those of PARTS) and keeps how many there were. The programs
that try things at length (``tests.fuzz``, ``tests.killing``, ``tests.mutants``, ``tests.soak``, ``tests.branches``)
keep their own records with ``--keep``. `make evidence` runs all of them, which takes a night.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from tests.shared import ROOT

RECORDS = ROOT / "docs" / "tested.json"
EXAMPLES = re.compile(r"(\d+) passing, ")


class Record(NamedTuple):
    """One row of the page: what was tried and what was found, in words with their numbers."""

    kind: str
    tried: str
    found: str
    command: str
    date: str = ""
    machine: str = ""


class Part(NamedTuple):
    """A part of the tests: what it tries, and which arguments of pytest choose it."""

    kind: str
    tried: str
    arguments: tuple[str, ...]


PARTS = {
    "oracles": Part(
        "Numbers of others",
        "R packages, printed tables and statsmodels, to 1e-8 or closer or the digits that they print; NIST's certified"
        " digits",
        ("tests/oracles", "tests/core/test_nist.py"),
    ),
    "properties": Part("Properties", "invariances on random samples drawn by hypothesis", ("tests/properties",)),
    "contracts": Part("Properties", "every model and every test, by being in their folder", ("tests/contract",)),
    "closed_forms": Part("Closed forms", "loops, full matrices and enumerations", ("tests/core", "tests/models")),
    "yahoo": Part(
        "Faults injected",
        "a server of prices that lies, stalls, breaks off and limits, over real TLS",
        ("tests/sources/test_yahoo.py", "tests/test_yahoo_study.py"),
    ),
    "security": Part("Attacks", "hostile files, names, archives, servers and formulas", ("tests/security",)),
    "simulations": Part("Simulations", "size and power on samples whose answer is known", ("-m", "slow", "tests")),
}


def records() -> dict[str, Record]:
    """Return the records by name."""
    if not RECORDS.exists():
        return {}
    return {name: Record(**row) for name, row in json.loads(RECORDS.read_text(encoding="utf-8")).items()}


def keep(name: str, record: Record) -> None:
    """Put a record in the place of the one of its name, with the date of today and this machine."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    dated = record._replace(date=datetime.now(UTC).date().isoformat(), machine=machine)
    rows = {key: each._asdict() for key, each in sorted((records() | {name: dated}).items())}
    RECORDS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Counts:
    """A plugin of pytest: how many tests had which outcome, and how many examples hypothesis drew for them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.examples = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test when it was called, or when it was skipped or failed before that."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] = self.outcomes.get(report.outcome, 0) + 1

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Add the examples that hypothesis tried for a test."""
        statistics = getattr(item, "hypothesis_statistics", "")
        self.examples += sum(int(n) for n in EXAMPLES.findall(statistics))


def run(name: str) -> int:
    """Run a part of the tests, and keep its record unless a test failed; return pytest's code."""
    part, counts = PARTS[name], Counts()
    code = int(pytest.main(["-q", "-m", "not slow", *part.arguments], plugins=[counts]))
    if code == 0:
        skipped = counts.outcomes.get("skipped", 0)
        found = f"{counts.outcomes['passed']:,} tests passed"
        found += f" on {counts.examples:,} random examples" if counts.examples else ""
        found += f", {skipped} skipped" if skipped else ""
        keep(name, Record(part.kind, part.tried, found, f"python -m tests.evidence {name}"))
    return code


def main() -> int:
    """Run the part that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PARTS)
    return run(parser.parse_args().name)


if __name__ == "__main__":
    sys.exit(main())
