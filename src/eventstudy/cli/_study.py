"""The study file of a command, and the folder that may replace its source of prices."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from eventstudy import _registry, studyfile


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
