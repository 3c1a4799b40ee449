"""What commands on a study file share: its arguments, how it is read, and how a result is printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from eventstudy import _registry, studyfile
from eventstudy.cli._json import as_json
from eventstudy.cli._terminal import with_headings


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the argument of the study file."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study file (TOML)")


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add the option of a folder or store of prices."""
    parser.add_argument("--prices", type=Path, metavar="FOLDER", help="read the prices from this folder or store")


def load(options: argparse.Namespace) -> studyfile.StudyFile:
    """Read the study file, with the prices of the folder that the options name, if any."""
    file = studyfile.read(options.study)
    folder = getattr(options, "prices", None)
    if folder is None:
        return file
    source = "store" if _registry.helper("sources", "_stored").is_store(folder) else "folder"
    return replace(file, source=source, options={"path": folder})


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
