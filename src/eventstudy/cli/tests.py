"""List the tests: which dependence among events each allows for, and what makes it reject too often.

A study names them, as tests = ["bmp", { name = "placebo", draws = 499 }]; "default" takes those that hold for the
sample.

    eventstudy tests
"""

from __future__ import annotations

import argparse

from eventstudy import _registry
from eventstudy.cli._output import add_output, show
from eventstudy.cli._terminal import width

MAY = {"independent": "share no day", "same_day": "all share a date", "overlap": "overlap"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_output(parser, quiet=False)


def run(options: argparse.Namespace) -> None:
    """Print the table of tests."""
    from eventstudy.cli._members import origin, record
    from eventstudy.display.names import FAILINGS, of_test
    from eventstudy.members import test
    from eventstudy.reports._tables import Table
    from eventstudy.reports.text import format_table

    tests = {name: test(name) for name in _registry.names("inference")}
    rows: list[tuple[str, ...]] = [
        (name, of_test(name), MAY[member.survives], origin("inference", name),
         ", ".join(failing.replace("_", " ") for failing in member.fails_under) or "–")
        for name, member in tests.items()
    ]  # fmt: skip
    used = {failing for member in tests.values() for failing in member.fails_under}
    words = {name.replace("_", " "): text for name, text in FAILINGS.items() if name in used}
    notes = tuple(f"{name}: {text}" for name, text in words.items() if name != text)
    heads = ("Name", "Printed as", "Events may", "From", "Rejects too often under")
    table = Table(f"Tests ({len(rows)})", heads, rows, (False,) * 5, notes)
    show(
        options,
        lambda: format_table(table, width()),
        lambda: {
            "tests": [
                {**record("inference", name, member), "printed": of_test(name), "survives": member.survives,
                 "robust_to": member.robust_to, "fails_under": member.fails_under}
                for name, member in tests.items()
            ]
        },
    )  # fmt: skip
