"""List the return models: what each needs, and where it comes from.

A study names one, as model = "market", or with options, as model = { name = "dimson", leads = 1 }.

    eventstudy models
"""

from __future__ import annotations

import argparse

from eventstudy import _registry
from eventstudy.cli._output import add_output, show
from eventstudy.cli._terminal import width


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_output(parser, quiet=False)


def run(options: argparse.Namespace) -> None:
    """Print the table of models."""
    from eventstudy.cli._members import needs, origin, record
    from eventstudy.display.names import of_model
    from eventstudy.members import model
    from eventstudy.reports._tables import Table
    from eventstudy.reports.text import format_table

    models = {name: model(name) for name in _registry.names("models")}
    rows: list[tuple[str, ...]] = [
        (name, of_model(name), origin("models", name), needs(member)) for name, member in models.items()
    ]
    table = Table(f"Return models ({len(rows)})", ("Name", "Printed as", "From", "Needs"), rows, (False,) * 4)
    show(
        options,
        lambda: format_table(table, width()),
        lambda: {
            "models": [
                {**record("models", name, member), "printed": of_model(name), "needs": needs(member),
                 "coefficients": member.coefficients}
                for name, member in models.items()
            ]
        },
    )  # fmt: skip
