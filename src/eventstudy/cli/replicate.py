"""Run a study on locked prices, and pack it with all that others need to compute it again.

The zip has the study file, events, lock, tables, figures, report, environment, references and RO-Crate metadata; its
README.md has the one command that makes the same zip again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from eventstudy.cli._study import add_study


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the zip to write")
    parser.add_argument("--prices", type=Path, metavar="FOLDER", help="the locked folder of the prices")
    parser.add_argument("--with-prices", action="store_true", help="pack the prices too; only if you may share them")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def run(options: argparse.Namespace) -> None:
    """Write the zip and name it."""
    from eventstudy.reproduce.replicate import replicate

    path = replicate(options.study, options.to, options.prices, options.with_prices)
    if not options.quiet:
        print(f"written: {path}")
