"""Place the events and show the status that each would have; estimate nothing.

Each event is shown with its session and the rule that placed it there, or with the reason why it would not be used.

    eventstudy check study.toml
"""

from __future__ import annotations

import argparse

from eventstudy.cli._output import add_output, show
from eventstudy.cli._study import add_prices, add_study, load
from eventstudy.cli._terminal import width


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_prices(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> None:
    """Print the events with session and status."""
    from eventstudy.reports.text import placement

    file = load(options)
    table = file.study.check(file.events, file.prices(), factors=file.factors)
    show(
        options,
        lambda: placement(table, width()),
        lambda: {"counts": table["status"].value_counts().to_dict(), "events": table},
    )
