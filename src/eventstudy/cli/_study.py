"""The study file of a command, and the folder that may replace its source of prices."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from eventstudy import studyfile
from eventstudy.errors import InputError


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the argument of the study file."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study file (TOML)")


def add_prices(parser: argparse.ArgumentParser) -> None:
    """Add the options of a folder or store of prices, and of one that was changed since it was locked."""
    parser.add_argument("--prices", type=Path, metavar="FOLDER", help="read the prices from this folder or store")
    parser.add_argument(
        "--no-verify", action="store_true",
        help="use the prices of a locked folder even if they were changed; the reports say so",
    )  # fmt: skip


def load(options: argparse.Namespace) -> studyfile.StudyFile:
    """Read the study file, with the prices of the folder that the options name, if any."""
    file = studyfile.read(options.study)
    folder = getattr(options, "prices", None)
    if folder is not None:
        file = file.with_prices(folder)
    if not getattr(options, "no_verify", False):
        return file
    if file.source != "folder":
        raise InputError(f"--no-verify is for prices of a folder, and the source is {file.source!r}; leave it out")
    return replace(file, options={**file.options, "verify": False})
