"""Run the shipped events on simulated prices; needs no network.

The reactions are planted in the prices, and printed beside those that the study has recovered.

    eventstudy demo --out demo
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.cli._terminal import width, with_headings

if TYPE_CHECKING:
    import pandas as pd


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="FOLDER", help="folder for the report (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Print the report and the planted beside the recovered reactions."""
    from eventstudy import demo
    from eventstudy.reports.text import text

    made = demo.run()
    made.result.report(options.out / "report.txt")
    print(with_headings(f"{text(made.result, width())}\n{_planted_table(made.planted)}", sys.stdout))
    options.noted += made.result.provenance["notes"]
    print(f"\nwritten: {made.result.report(options.out / 'report.html')} and report.txt")


def _planted_table(frame: pd.DataFrame) -> str:
    """Return the planted and the recovered reactions as text: the press day by ticker, then all events."""
    from eventstudy.demo import DAY
    from eventstudy.display.formats import wrap

    press = frame[frame["total"].notna()]
    head = f"{'ticker':<8}{'day return':>11}{'planted AR':>12}{'recovered':>11}{'s.e.':>7}  in 95 %"
    lines = ["Planted beside recovered (simulated prices)", "-" * width(), f"{DAY}, as the press had it", head]
    for _, row in press.iterrows():
        lines.append(
            f"{row['ticker']:<8}{row['total']:>11.2%}{row['planted']:>12.2%}{row['recovered']:>11.2%}"
            f"{row['se']:>7.2%}  {'yes' if row['within'] else 'no'}"
        )
    events = frame[frame["planted"] != 0]
    sign = events["planted"].apply(lambda x: 1 if x > 0 else -1)
    planted, recovered = ((sign * events[name]).mean() for name in ("planted", "recovered"))
    sums = (
        f"all {len(events)} events with a planted reaction, in its direction: on average planted {planted:.2%},"
        f" recovered {recovered:.2%};",
        f"the 95 % interval holds the planted reaction for {frame['within'].mean():.1%} of {len(frame)} events",
    )
    return "\n".join([*lines, "", *(line for text in sums for line in wrap(text, width()))])
