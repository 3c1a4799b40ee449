"""Recompute a saved result from its study, and name what differs: ticker, date and cell.

Without a saved result the prices of the study are compared with their lock. The exit code is 0 if nothing differs, 1 if
something does, and 2 if the comparison is not possible.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.cli._output import add_output, show
from eventstudy.cli._study import add_study
from eventstudy.display import formats
from eventstudy.errors import EventStudyError, InputError

if TYPE_CHECKING:
    from eventstudy.reproduce.verify import Comparison
    from eventstudy.studyfile import StudyFile

MOST = 20  # cells that are printed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument(
        "result", type=Path, nargs="?", metavar="RESULT", help="a file of eventstudy run --save, or of result.save"
    )
    parser.add_argument("--prices", type=Path, metavar="FOLDER", help="read the prices from this folder or store")
    add_output(parser)


def run(options: argparse.Namespace) -> None:
    """Print what differs; raise an error if anything does."""
    from eventstudy import studyfile

    file = studyfile.read(options.study)
    folder = options.prices or (file.options.get("path") if file.source == "folder" else None)
    changed = _changed_prices(folder)
    found = None
    if options.result is not None:
        found = _compare(file if folder is None else file.with_prices(folder, verify=False), options.result)
    elif changed is None:
        raise InputError(
            "the prices of the study are in no locked folder, and no saved result is named, so there is nothing to"
            " verify; name a file of eventstudy run --save, or lock the prices with eventstudy fetch"
        )
    source = file.source if changed is None else ""
    show(options, lambda: "\n".join(_lines(options, changed, found, source)), lambda: _document(changed, found))
    n_cells = 0 if found is None else len(found.cells)
    if changed or n_cells:
        raise EventStudyError(
            f"not the same: {formats.plural(len(changed or ()), 'file')} of prices and"
            f" {formats.plural(n_cells, 'cell')} of the result differ"
        )


def _changed_prices(folder: Path | None) -> dict[str, str] | None:
    """Return what differs from the lock of a folder, by ticker; None where there is no lock."""
    from eventstudy.sources._lock import LOCK, changes, read_lock

    return changes(folder, read_lock(folder)) if folder is not None and (folder / LOCK).is_file() else None


def _compare(file: StudyFile, path: Path) -> Comparison:
    """Compare a saved result with the study run again."""
    from eventstudy.reproduce.verify import compare
    from eventstudy.result import read_result

    saved = read_result(path)  # before the work
    return compare(saved, file.study.run(file.events, file.prices(), factors=file.factors))


def _lines(
    options: argparse.Namespace, changed: dict[str, str] | None, found: Comparison | None, source: str
) -> Iterator[str]:
    """Yield the lines that are printed; ``source`` is that of prices which are not locked, else empty."""
    if source:
        again = "which may have other prices by now, as after a dividend; eventstudy fetch locks them"
        if source == "simulated":
            again = "which draws the same prices in every run of one version"
        yield f"the prices are in no locked folder: {source!r} was read again, {again}"
    if changed is not None:
        yield from (f"prices of {ticker}: {text}" for ticker, text in changed.items())
        if not changed:
            yield "the prices are those of lock.json"
    if found is not None:
        yield from (f"another input: {text}" for text in found.inputs)
        yield from (f"another version: {text}" for text in found.versions)
        yield from map(str, found.cells[:MOST])
        if len(found.cells) > MOST:
            yield f"... and {len(found.cells) - MOST} more cells"
        if found.same:
            yield f"the study gives the numbers of {options.result} again"


def _document(changed: dict[str, str] | None, found: Comparison | None) -> dict[str, object]:
    """Return what differs as plain values."""
    record: dict[str, object] = {"prices": changed}
    if found is not None:
        cells = [cell._asdict() for cell in found.cells]
        record |= {"inputs": list(found.inputs), "versions": list(found.versions), "cells": cells}
    return record
