"""Estimate, test and report a study."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eventstudy.cli._study import add_prices, add_study, load
from eventstudy.errors import NotEnoughData


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_prices(parser)
    parser.add_argument(
        "--report", type=Path, action="append", default=[], metavar="FILE",
        help="also write a report: .html .csv .tex .txt .parquet (repeatable)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Print the report as text, and write the other reports."""
    from eventstudy.reports.text import text

    file = load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors, progress=sys.stderr.isatty())
    print(text(result))
    for path in options.report:
        print(f"written: {result.report(path)}")
    if not (result.events["status"] == "ok").any():
        raise NotEnoughData("no event could be used; the table above says why for each")
