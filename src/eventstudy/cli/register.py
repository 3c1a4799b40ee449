"""Register the design of a study, before prices are read.

The choices, the events, the tickers and the version are written with their SHA-256 to a file beside the study file.
From then on eventstudy run says that nothing was changed, or what was.

    eventstudy register study.toml
"""

from __future__ import annotations

import argparse

from eventstudy.cli._output import add_output, show
from eventstudy.cli._study import add_study
from eventstudy.display import formats

ADVICE = (
    "The time is that of this computer. To prove it, deposit the SHA-256 with others: commit the file and push it,"
    " upload it to a registry such as osf.io, or have it stamped (RFC 3161). No file can show that nobody has looked at"
    " prices before."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument(
        "--again", action="store_true", help="add a registration to an earlier one, which is kept; reports name both"
    )
    add_output(parser)


def run(options: argparse.Namespace) -> None:
    """Print what was registered, where, and what that proves."""
    from eventstudy.cli._terminal import width
    from eventstudy.reproduce.register import path_of, register

    made = register(options.study, options.again)
    path = path_of(options.study)
    n_events, n_tickers = len(made.design["events"]), len(made.design["tickers"])
    lines = [
        f"registered: {formats.plural(n_events, 'event')}, {formats.plural(n_tickers, 'ticker')} and all choices",
        f"sha256: {made.sha256}",
        f"written: {path}",
        *formats.wrap(ADVICE, width()),
    ]
    record = {"registered": made.registered, "sha256": made.sha256, "path": str(path), "design": made.design}
    show(options, lambda: "\n".join(lines), lambda: record)
