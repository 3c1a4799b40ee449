"""Fetch the study's prices into a locked folder that source = 'folder' reads.

Run again, the same command asks only for what is missing.

    eventstudy fetch study.toml --to prices
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from eventstudy import studyfile
from eventstudy.cli._study import add_study, load
from eventstudy.errors import EventStudyError, SourceError, SourceUnavailable

AT_ONCE = 25  # tickers fetched before they are written, so that an interrupted fetch loses no more
NOT_ASKED = "not asked for"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_study(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="folder for the files")


def run(options: argparse.Namespace) -> None:
    """Print a line for each ticker: what was fetched, kept or missing."""
    from eventstudy.sources._shared import check_span
    from eventstudy.sources._write import fetched, listed

    file = load(options)
    names, folder = file.tickers(), options.to
    already_there = fetched(folder, names, check_span(*file.dates()), file.request())
    new, problems = _fetch_missing(file, [name for name in names if name not in already_there], folder)
    rows = listed(folder)
    for ticker in names:
        row = rows.get(ticker)
        there = "" if row is None else f"kept from the fetch of {row.retrieved}, {row.start} to {row.end}"
        print(f"{ticker:<12} " + (new.get(ticker) or "; ".join(filter(None, [problems.get(ticker), there]))))
    if rows:
        print(
            f"written: {len(new)} files and lock.json in {folder}"
            + (f"; {len(already_there)} were there" if already_there else "")
        )
    if problems:
        raise SourceError(
            f"{len(problems)} of {len(names)} tickers could not be fetched; the list above says why for each. The same"
            " command asks for these alone"
        )


def _fetch_missing(
    file: studyfile.StudyFile, names: Sequence[str], folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Fetch tickers and write them some at a time; return what was fetched, and the reasons for what was not."""
    from tqdm.auto import tqdm

    from eventstudy.sources._write import write

    new: dict[str, str] = {}
    problems: dict[str, str] = {}
    with tqdm(total=len(names), unit="ticker", disable=not sys.stderr.isatty()) as bar:
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            try:
                prices = file.prices(some)
            except EventStudyError as error:
                if not error.problems and not isinstance(error, SourceError):
                    raise
                problems |= error.problems or dict.fromkeys(some, str(error))
                if isinstance(error, SourceUnavailable):
                    problems |= dict.fromkeys(names[at + AT_ONCE :], f"{NOT_ASKED}: no answer for those before it")
                    break
            else:
                problems |= prices.problems
                write(prices, folder, file.request())
                new |= {t: f"{b.dates[0]} to {b.dates[-1]}  {len(b.dates):>6} rows" for t, b in prices.bars.items()}
            bar.update(len(some))
    return new, problems
