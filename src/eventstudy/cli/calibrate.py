"""Measure size and power of the study's tests on the securities' own histories.

The events are moved to dates drawn at random, and the share of samples in which each test rejects is counted; a shock
added to day 0 shows the power.

    eventstudy calibrate study.toml --draws 100 --shocks 0 0.02
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy import _registry
from eventstudy.cli._output import add_output, say, show
from eventstudy.cli._study import add_prices, add_study, load
from eventstudy.cli._terminal import width
from eventstudy.files import check_place

if TYPE_CHECKING:
    from eventstudy.analysis.calibration import Calibration
    from eventstudy.reports._tables import Table


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
    from eventstudy.reports.text import format_table

    if options.plot:
        check_place("the figure", _registry.helper("plots", "_save").check_figure_path(options.plot))
    file = load(options)
    result = file.study.run(file.events, file.prices(), factors=file.factors)
    calibration = result.calibrate(options.draws, options.shocks, seed=file.study.seed)
    record = calibration.provenance
    show(
        options,
        lambda: format_table(_table(calibration), width()),
        lambda: {
            "level": calibration.level,
            "rejections": calibration.frame,
            **{name: record[name] for name in ("draws", "seed", "settings")},
        },
    )
    if options.plot:
        _registry.helper("plots", "_save").save_figure(calibration.plot(), options.plot)
        say(options, f"\nwritten: {options.plot}")


def _table(calibration: Calibration) -> Table:
    """Return the rejection rates as a table."""
    from eventstudy.display import formats, names
    from eventstudy.reports._tables import Table, add_prices_note

    frame, shown = calibration.frame.sort_values(["start", "end", "test", "shock"]), calibration.measure.shock

    def share(value: float) -> str:
        return formats.MISSING if formats.is_missing(value) else f"{value:.1%}"

    windows = frame.groupby(["start", "end"], sort=False).ngroup().to_numpy()
    rows: list[tuple[str, ...]] = [
        (
            formats.window(row["start"], row["end"]), str(row["test"]), shown(row["shock"]),
            share(row["rejection"]), share(row["lower"]), share(row["upper"]), formats.count(row["n_draws"]),
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    title = f"Rejections at {calibration.level:.0%} on drawn dates, {calibration.provenance['draws']} samples a shock"
    heads = ("Window", "Test", "Shock", "Rejected", *names.ends(), "n")
    breaks = frozenset(k for k in range(1, len(windows)) if windows[k] != windows[k - 1])
    return Table(
        add_prices_note(title, calibration), heads, rows, (False, False, True, True, True, True, True), breaks=breaks
    )
