"""Measure size and power of the study's tests on the securities' own histories."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventstudy.cli._figure import save
from eventstudy.cli._study import add_prices, add_study, load


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_prices(parser)
    parser.add_argument("--draws", type=int, default=1000, help="samples per shock (default: %(default)s)")
    parser.add_argument(
        "--shocks", type=float, nargs="+", default=[0.0], metavar="RETURN",
        help="added to day 0, decimal returns or units of the outcome, as 0 0.01 0.02 (default: 0, the size)",
    )  # fmt: skip
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the power curves (.png .svg .pdf)")


def run(options: argparse.Namespace) -> None:
    """Print the rejection rates, and draw the power curves."""
    file = load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    calibration = result.calibrate(options.draws, options.shocks, seed=file.study.seed)
    print(calibration)
    if options.plot:
        save(calibration.plot().figure, options.plot)
        print(f"\nwritten: {options.plot}")
