"""The files of a folder of prices: those that its lock or its manifest lists, or those that are named by a ticker."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from eventstudy import arguments
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, shown
from eventstudy.markets import check_ticker
from eventstudy.sources._lock import Listed
from eventstudy.sources._write import MANIFEST, is_hashed, sha256_of
from eventstudy.tabular.cells import TABLES, read_cells
from eventstudy.tabular.columns import listed

_REMEDY = "rename it, or add a manifest.csv with the columns ticker and file that says which file is which ticker"


class Entry(NamedTuple):
    """A ticker's file; its exchange, currency, hash, source and note where the manifest has them.

    An empty ``mic`` is that of prices without an exchange, and None that of a ticker whose name is to tell it.
    """

    file: Path
    mic: str | None = None
    currency: str | None = None
    sha256: str | None = None
    source: str | None = None
    note: str | None = None

    def check(self, ticker: str) -> Entry:
        """Return the entry; raise BadPrices if the file is not the one that the manifest was written with."""
        if self.sha256 and arguments.is_file(self.file) and sha256_of(self.file) != self.sha256:
            raise BadPrices(
                f"{self.file} is not the file that manifest.csv lists for {ticker}: its SHA-256 differs, so that it was"
                " changed or damaged; fetch it again or, if the change is meant, clear the cell sha256 in its row"
            )
        return self


def read_manifest(manifest: Path) -> dict[str, Entry]:
    """Return the entries of a manifest.csv; raise InputError if a row is not valid."""
    cells = read_cells(manifest)
    header, rows = cells.header, cells.rows
    columns = [name.strip().lower() for name in header]
    for required in ("ticker", "file"):
        if columns.count(required) != 1:
            raise InputError(f"{manifest} needs one column {required!r}; {listed(header)}")
    # Manifests of the user's own may have notes of another kind.
    names = Entry._fields[1:] if "sha256" in columns else ("mic", "currency")
    entries: dict[str, Entry] = {}
    for number, texts in rows:
        row = dict(zip(columns, (text.strip() for text in texts), strict=True))
        try:
            ticker = check_ticker(row["ticker"])
        except InputError as error:
            raise InputError(f"{manifest}, row {number}: {error}") from None
        if ticker in entries:
            raise InputError(f"{manifest}, row {number}: {ticker} appears twice; each ticker has one file")
        file = PureWindowsPath(row["file"])  # accepts / and \ as separators, and recognises drive letters
        if not file.name or file.anchor or ".." in file.parts:
            raise InputError(
                f"{manifest}, row {number}: the file of {ticker} is {shown(row['file'])}; it must be a path inside the"
                " folder, without .. and not absolute"
            )
        path = manifest.parent.joinpath(*file.parts)
        entries[ticker] = Entry(path, *(row.get(name) or None for name in names))
    if not entries:
        raise InputError(f"{manifest} lists no ticker; add a row for each ticker, or remove the file")
    return entries


def locked_files(folder: Path, rows: Mapping[str, Listed]) -> dict[str, Entry]:
    """Return the entries of a lock; its files are compared with it before they are read."""
    return {
        ticker: Entry(
            folder / PureWindowsPath(row.file).name, row.mic, row.currency or None, None, row.source, row.note
        )
        for ticker, row in rows.items()
    }


def list_files(folder: Path) -> tuple[dict[str, Entry], dict[str, InputError]]:
    """Return the file of each ticker, and the error of each file whose name is no ticker, by that name."""
    entries: dict[str, Entry] = {}
    unusable: dict[str, InputError] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in TABLES or file.name.startswith("."):
            continue
        if any(is_hashed(file.name, suffix) for suffix in (".csv", ".parquet")):
            raise InputError(f"{file} was left by a writer that did not end, and no manifest lists it; write it again")
        try:
            ticker = check_ticker(file.stem)
        except InputError as error:
            unusable[file.name] = InputError(
                f"{file}: its name is not a ticker ({error}); {_REMEDY}; or, if it has a column of tickers, read it by"
                f" itself: read_prices({file.name!r})"
            )
            continue
        if ticker in entries:
            raise InputError(f"{file} and {entries[ticker].file.name} are both {ticker}; {_REMEDY}")
        entries[ticker] = Entry(file)
    if not entries and not unusable:
        raise InputError(f"the folder {str(folder)!r} has no .csv, .xlsx or .parquet file; put one per ticker there")
    return entries, unusable


def unlisted_files(folder: Path, entries: Mapping[str, Entry], by: str) -> list[str]:
    """Return the price files that ``by`` does not list, and warn of those that are named as a ticker is."""
    files = {entry.file for entry in entries.values()} | {folder / MANIFEST}
    names = sorted(
        file.name
        for file in set(folder.iterdir()) - files
        if file.suffix.lower() in TABLES and not file.name.startswith(".") and not is_hashed(file.name)
    )
    tickers = [name for name in names if _is_ticker(Path(name).stem)]
    if tickers:
        warnings.warn(
            f"{by} in {folder} does not list {len(tickers)} files that are named as a ticker is, and they are"
            f" not read: {', '.join(tickers[:8])}{', ...' if len(tickers) > 8 else ''}; list them, or move them away",
            EventStudyWarning,
            stacklevel=5,
        )
    return names


def _is_ticker(text: str) -> bool:
    try:
        return bool(check_ticker(text))
    except InputError:
        return False
