"""List the tests: which dependence among events each allows for, and what makes it reject too often.

A study names them, as tests = ["bmp", { name = "placebo", draws = 499 }]; "default" takes those that hold for the
sample.

    eventstudy tests
"""

from __future__ import annotations

import argparse

from eventstudy.cli._study import add_output, show
from eventstudy.cli._terminal import width

MAY = {"independent": "share no day", "same_day": "all share a date", "overlap": "overlap"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_output(parser, quiet=False)


def run(options: argparse.Namespace) -> None:
    """Print the table of tests."""
    from eventstudy.cli._members import each, origin, record
    from eventstudy.display.names import FAILINGS, of_test
    from eventstudy.reports._tables import Table
    from eventstudy.reports.text import format_table

    tests = dict(each("inference"))
    rows: list[tuple[str, ...]] = [
        (name, of_test(name), MAY[test.survives], origin("inference", name),
         ", ".join(failing.replace("_", " ") for failing in test.fails_under) or "–")
        for name, test in tests.items()
    ]  # fmt: skip
    used = {failing for test in tests.values() for failing in test.fails_under}
    words = {name.replace("_", " "): text for name, text in FAILINGS.items() if name in used}
    notes = tuple(f"{name}: {text}" for name, text in words.items() if name != text)
    heads = ("Name", "Printed as", "Events may", "From", "Rejects too often under")
    table = Table(
        f"Tests ({len(rows)})", heads, rows, (False,) * 5, tuple(n for n in notes if len(set(n.split(": "))) > 1)
    )
    show(
        options,
        lambda: format_table(table, width()),
        lambda: {
            "tests": [
                {**record("inference", name, test), "printed": of_test(name), "survives": test.survives,
                 "robust_to": test.robust_to, "fails_under": test.fails_under}
                for name, test in tests.items()
            ]
        },
    )  # fmt: skip
