"""Print the JSON schema of study files, with which editors complete and check them.

It knows the models, tests and sources that are installed, with their options. The editors' plug-ins for TOML, such as
Even Better TOML of VS Code, read it where the first line of the study file is "#:schema study.schema.json".

    eventstudy schema
"""

from __future__ import annotations

import argparse
import json


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command: it has none."""


def run(options: argparse.Namespace) -> None:
    """Print the schema."""
    from eventstudy.cli._schema import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
