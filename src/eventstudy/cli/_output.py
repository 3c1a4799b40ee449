"""What commands print: text for a terminal, or one JSON document for scripts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from eventstudy.cli._json import as_json
from eventstudy.cli._terminal import with_headings


def add_output(parser: argparse.ArgumentParser, quiet: bool = True) -> None:
    """Add the options of what is printed."""
    parser.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
    if quiet:
        parser.add_argument("--quiet", action="store_true", help="print errors only")


def show(options: argparse.Namespace, text: Callable[[], str], document: Callable[[], Mapping[str, object]]) -> None:
    """Print what a command has found: as text, or with ``--json`` as a document."""
    if options.json:
        print(as_json(document()))
    else:
        say(options, with_headings(text(), sys.stdout))


def say(options: argparse.Namespace, text: str) -> None:
    """Print text, unless there is to be none."""
    if not (options.json or getattr(options, "quiet", False)):
        print(text)
