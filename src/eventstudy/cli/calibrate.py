"""Measure size and power of the study's tests on the securities' own histories.

The events are moved to dates drawn at random, and the share of samples in which each test rejects is counted; a shock
added to day 0 shows the power.

    eventstudy calibrate study.toml --draws 100 --shocks 0 0.02
"""

from __future__ import annotations

import argparse
from pathlib import Path

from eventstudy import _registry
from eventstudy.cli._study import add_output, add_prices, add_study, load, say, show
from eventstudy.files import check_place


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_prices(parser)
    parser.add_argument("--draws", type=int, default=1000, help="samples per shock (default: %(default)s)")
    parser.add_argument(
        "--shocks", type=float, nargs="+", default=[0.0], metavar="RETURN",
        help="added to day 0, decimal returns or units of the outcome, as 0 0.01 0.02 (default: 0, the size)",
    )  # fmt: skip
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the power curves: .png .pdf .svg")
    add_output(parser)


def run(options: argparse.Namespace) -> None:
    """Print the rejection rates, and draw the power curves."""
    if options.plot:
        check_place("the figure", _registry.helper("plots", "_save").check_figure_path(options.plot))
    file = load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    calibration = result.calibrate(options.draws, options.shocks, seed=file.study.seed)
    record = calibration.provenance
    show(
        options,
        lambda: repr(calibration),
        lambda: {
            "level": calibration.level,
            "rejections": calibration.frame,
            **{name: record[name] for name in ("draws", "seed", "settings")},
        },
    )
    if options.plot:
        _registry.helper("plots", "_save").save_figure(calibration.plot(), options.plot)
        say(options, f"\nwritten: {options.plot}")
