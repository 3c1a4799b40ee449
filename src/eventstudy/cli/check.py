"""Place the events and show the status that each would have; estimate nothing."""

from __future__ import annotations

import argparse

from eventstudy.cli._study import add_prices, add_study, load


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    add_prices(parser)


def run(options: argparse.Namespace) -> None:
    """Print the events with session and status."""
    from eventstudy.reports.text import placement

    file = load(options)
    print(placement(file.study.check(file.events, file.prices(), factors=file.factors)))
