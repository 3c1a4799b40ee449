"""Run the shipped events on simulated prices; needs no network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the report (default: %(default)s)")


def run(options: argparse.Namespace) -> None:
    """Print the report and the planted beside the recovered reactions."""
    from eventstudy import demo
    from eventstudy.reports.text import text

    made = demo.run()
    made.result.report(options.out / "report.txt")
    print(text(made.result))
    print(_planted_table(made.planted))
    print(f"\nwritten: {made.result.report(options.out / 'report.html')} and report.txt")


def _planted_table(frame: pd.DataFrame) -> str:
    """Return the planted and the recovered reactions as text: the press day by ticker, then all events."""
    from eventstudy.demo import DAY

    press = frame[frame["total"].notna()]
    head = f"{'ticker':<10}{'day return':>12}{'planted AR':>12}{'recovered AR':>14}{'s.e.':>9}   within 95 %"
    lines = ["Planted beside recovered (simulated prices)", "-" * WIDTH, f"{DAY}, as the press had it", head]
    for _, row in press.iterrows():
        lines.append(
            f"{row['ticker']:<10}{row['total']:>11.2%} {row['planted']:>11.2%} {row['recovered']:>13.2%} "
            f"{row['se']:>8.2%}   {'yes' if row['within'] else 'no'}"
        )
    events = frame[frame["planted"] != 0]
    sign = events["planted"].apply(lambda x: 1 if x > 0 else -1)
    lines += [
        "",
        f"all {len(events)} events with a planted reaction, in its direction: on average planted"
        f" {(sign * events['planted']).mean():.2%}, recovered {(sign * events['recovered']).mean():.2%};",
        f"the 95 % interval holds the planted reaction for {frame['within'].mean():.1%} of {len(frame)} events",
    ]
    return "\n".join(lines)
