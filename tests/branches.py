"""Which lines and branches of the library no test runs: none of the arithmetic's, and few elsewhere.

``python -m tests.branches`` runs the tests that are neither slow nor of the site, with the programs that they start,
and prints the coverage of each folder. It fails if core, inference and models are not covered completely, and names
what is left of them; or if another folder is covered by less than 95 %.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.evidence import Record, keep
from tests.shared import ROOT

COMPLETE = ("core", "inference", "models")
LEAST = 95.0  # per cent of the lines and branches of every other folder
CHOSEN = ("-m", "not slow and not site", "--dist", "worksteal")
COUNTS = ("covered_lines", "covered_branches", "num_statements", "num_branches")


def measured(jobs: str) -> Mapping[str, Any]:
    """Run the tests, and return what coverage says of each file of the library."""
    with TemporaryDirectory() as name:
        report = Path(name, "report.json")
        environment = os.environ | {"COVERAGE_FILE": str(Path(name, "data"))}
        for command in (
            ["run", "--module", "pytest", "-q", "--numprocesses", jobs, *CHOSEN],
            ["combine", "--quiet"],
            ["json", "--quiet", "--include=src/*", "-o", str(report)],
        ):
            subprocess.run([sys.executable, "-m", "coverage", *command], cwd=ROOT, env=environment, check=True)
        files: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))["files"]
        return files


def shares(files: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of lines and branches that run, in per cent by folder; "." has the files in none."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in files.items():
        inside = Path(name).parts[2:]  # below src/eventstudy
        lines, branches, of_lines, of_branches = (file["summary"][count] for count in COUNTS)
        folder = counts[inside[0] if len(inside) > 1 else "."]
        folder[0] += lines + branches
        folder[1] += of_lines + of_branches
    return {folder: 100.0 * run / max(of, 1) for folder, (run, of) in sorted(counts.items())}


def left(files: Mapping[str, Any]) -> list[str]:
    """Name the lines and branches of the complete folders that no test runs."""
    found = []
    for name, file in files.items():
        if Path(name).parts[2] in COMPLETE:
            found += [f"{name}:{line}" for line in file["missing_lines"]]
            found += [f"{name}:{line} -> {to if to > 0 else 'end'}" for line, to in file["missing_branches"]]
    return found


def main() -> int:
    """Measure, print, and keep a record if asked to and nothing is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help='keep a record for the page "How tested"')
    parser.add_argument("--jobs", default="auto", help="processes that run the tests")
    arguments = parser.parse_args()
    files = measured(arguments.jobs)
    found, missing = shares(files), left(files)
    rows = [f"{share:6.1f} %  {folder}" for folder, share in found.items()]
    sys.stdout.write("\n".join([*rows, *missing, ""]))
    rest = {folder: share for folder, share in found.items() if folder not in COMPLETE}
    lowest = min(rest, key=rest.__getitem__)
    if missing or rest[lowest] < LEAST:
        return 1
    if arguments.keep:
        tried = "every line and branch of core, inference and models, by the tests that are not slow"
        keep("branches", Record("Coverage", tried, f"100 %; of every other folder at least {int(rest[lowest])} %",
                                "python -m tests.branches"))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
