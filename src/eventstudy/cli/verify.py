"""Recompute a saved result from its study, and name what differs: ticker, date and cell.

Without a saved result the prices of the study are compared with their lock. The exit code is 0 if nothing differs, 1 if
something does, and 2 if the comparison is not possible.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.cli._study import add_study
from eventstudy.errors import EventStudyError, InputError

if TYPE_CHECKING:
    from eventstudy.studyfile import StudyFile

MOST = 20  # cells that are printed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument("result", type=Path, nargs="?", metavar="RESULT", help="a file that result.save has written")
    parser.add_argument("--prices", type=Path, metavar="FOLDER", help="read the prices from this folder or store")


def run(options: argparse.Namespace) -> None:
    """Print what differs; raise an error if anything does."""
    from eventstudy import studyfile

    file = studyfile.read(options.study)
    folder = options.prices or (file.options.get("path") if file.source == "folder" else None)
    changed = _changed_prices(folder)
    for ticker, text in changed.items():
        print(f"prices of {ticker}: {text}")
    if options.result is None:
        if folder is None or not (folder / "lock.json").is_file():
            raise InputError(
                "the prices of the study are in no locked folder, and no saved result is named, so there is nothing to"
                " verify; name a file of result.save, or lock the prices with eventstudy fetch"
            )
        n_cells = 0
        if not changed:
            print(f"the prices in {folder} are those of lock.json")
    else:
        n_cells = _compare(file if folder is None else file.with_prices(folder, verify=False), options.result)
    if changed or n_cells:
        raise EventStudyError(
            f"not the same: {len(changed)} tickers differ from lock.json, {n_cells} cells from the saved result"
        )


def _changed_prices(folder: Path | None) -> dict[str, str]:
    """Return what differs from the lock of a folder, by ticker; nothing for a folder without a lock."""
    from eventstudy.sources._lock import LOCK, changes, read_lock

    return changes(folder, read_lock(folder)) if folder is not None and (folder / LOCK).is_file() else {}


def _compare(file: StudyFile, path: Path) -> int:
    """Print how a saved result differs from the study run again, and return the number of cells that do."""
    from eventstudy.reproduce.verify import compare
    from eventstudy.result import read_result

    saved = read_result(path)
    found = compare(saved, file.study.run(file.events, file.prices(), factors=file.factors))
    for text in found.inputs:
        print(f"another input: {text}")
    for text in found.versions:
        print(f"another version: {text}")
    for cell in found.cells[:MOST]:
        print(cell)
    if len(found.cells) > MOST:
        print(f"... and {len(found.cells) - MOST} more cells")
    if found.same:
        print(f"the study gives the numbers of {path} again")
    return len(found.cells)
