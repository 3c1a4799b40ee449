"""Prices from a folder of CSV or Parquet files in Yahoo's layout, one file per ticker."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Prices, step_of
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, SourceError, TickerNotFound
from eventstudy.files import as_path, locked
from eventstudy.markets import check_ticker, mic_of
from eventstudy.sources._shared import (
    FIELDS,
    check_span,
    check_tickers,
    origins,
    provenance,
    read_tickers,
    select_dates,
)
from eventstudy.sources._write import is_hashed, sha256_of
from eventstudy.types import Dates, Floats

# yfinance writes dates as 2021-09-13 00:00:00-04:00: midnight at the exchange, so its date is the session.
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
# The start of an intraday bar: a time, with its UTC offset as the group.
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.0+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
SUFFIXES = (".csv", ".parquet")


class Entry(NamedTuple):
    """A ticker's file; its exchange, currency, hash, source and note where the manifest has them."""

    file: Path
    mic: str | None = None
    currency: str | None = None
    sha256: str | None = None
    source: str | None = None
    note: str | None = None

    def check(self, ticker: str) -> Entry:
        """Return the entry; raise BadPrices if the file is not the one that the manifest was written with."""
        if self.sha256 and self.file.is_file() and sha256_of(self.file) != self.sha256:
            raise BadPrices(
                f"{self.file} is not the file that manifest.csv lists for {ticker}: its SHA-256 differs, so that it was"
                " changed or damaged; fetch it again or, if the change is meant, clear the cell sha256 in its row"
            )
        return self


@dataclass(frozen=True)
class Folder:
    """Read one CSV or Parquet file per ticker; ``manifest.csv`` maps tickers to files, else the file name is used."""

    def read(
        self, tickers: Sequence[str] | None, start: str | date | None, end: str | date | None, *, path: str | Path
    ) -> Prices:
        r"""Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker of the folder.
        start, end : ISO text, datetime.date or None
            Both included.
        path : str or Path
            The folder. Its files have the columns Date, Close and any of Open, High, Low, Adj Close, Volume (case does
            not matter); other columns are ignored. Dates are ISO; an empty cell is a missing price. A
            ``manifest.csv`` has the columns ticker and file, and may have mic and currency. With a column sha256, a
            file with another SHA-256 is refused, and source and note go into the provenance. Dates with times and UTC
            offsets, as 2021-01-04 04:00:00-05:00 (in a column Date or Datetime), are the starts of intraday bars; the
            bars' length is the most frequent difference between starts.

        Raises
        ------
        InputError
            When an argument, the manifest, a date or a number is not valid; the message has file, row, column, value.
        BadPrices
            When a price is zero, negative or infinite, or dates repeat or decrease; the file is named.
        TickerNotFound
            When the folder has none of the tickers.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "BABA.csv").write_text("Date,Close\n2021-09-10,168.1\n2021-09-13,165.0\n")
        >>> SOURCE.read(["BABA"], "2021-09-13", None, path=folder).bars["BABA"].fields["close"]
        array([165.])
        """
        names, span, folder = check_tickers(tickers), check_span(start, end), as_path("path", path)
        if not folder.is_dir():
            raise InputError(f"there is no folder {str(folder)!r}; name one with a CSV or Parquet file per ticker")
        manifest = folder / "manifest.csv"
        with locked(folder, shared=True):
            entries = _read_manifest(manifest) if manifest.is_file() else _list_files(folder)
            unlisted = _unlisted(folder, entries)

            def read_one(ticker: str) -> Bars:
                if ticker not in entries:
                    raise TickerNotFound(
                        f"unknown ticker: no file for {ticker} in {folder}; it has {len(entries)}"
                        f" tickers: {', '.join(list(entries)[:8])}{', ...' if len(entries) > 8 else ''}"
                    )
                try:
                    return select_dates(_bars(ticker, entries[ticker].check(ticker)), span)
                except OSError as error:
                    raise SourceError(f"{entries[ticker].file} cannot be read: {error.strerror}") from None

            bars, problems = read_tickers(names or entries, read_one)
        read = [entries[ticker] for ticker in bars]
        details: dict[str, object] = {"files": {ticker: entries[ticker].file.name for ticker in bars}}
        details |= origins((entry.source for entry in read), (entry.note for entry in read))
        details |= {"unlisted": ", ".join(unlisted)} if unlisted else {}
        return Prices(bars, problems, provenance("folder", span, bars, path=str(folder), **details))


SOURCE = Folder()


def _read_manifest(manifest: Path) -> dict[str, Entry]:
    header, rows = _read_csv(manifest)
    columns = [name.strip().lower() for name in header]
    for required in ("ticker", "file"):
        if columns.count(required) != 1:
            raise InputError(f"{manifest} needs one column {required!r}; its columns are {', '.join(header)}")
    # Manifests of the user's own may have notes of another kind.
    names = Entry._fields[1:] if "sha256" in columns else ("mic", "currency")
    entries: dict[str, Entry] = {}
    for number, cells in rows:
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        try:
            ticker = check_ticker(row["ticker"])
        except InputError as error:
            raise InputError(f"{manifest}, row {number}: {error}") from None
        if ticker in entries:
            raise InputError(f"{manifest}, row {number}: {ticker} appears twice; each ticker has one file")
        file = PureWindowsPath(row["file"])  # accepts / and \ as separators, and recognises drive letters
        if not file.name or file.anchor or ".." in file.parts:
            raise InputError(
                f"{manifest}, row {number}: the file of {ticker} is {row['file']!r}; it must be a path inside the"
                " folder, without .. and not absolute"
            )
        path = manifest.parent.joinpath(*file.parts)
        entries[ticker] = Entry(path, *(row.get(name) or None for name in names))
    if not entries:
        raise InputError(f"{manifest} lists no ticker; add a row for each ticker, or remove the file")
    return entries


def _list_files(folder: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        if any(is_hashed(file.name, suffix) for suffix in SUFFIXES):
            raise InputError(f"{file} was left by a writer that did not end, and no manifest lists it; write it again")
        try:
            ticker = check_ticker(file.stem)
        except InputError as error:
            raise InputError(f"{file}: its name is not a ticker ({error}); {_REMEDY}") from None
        if ticker in entries:
            raise InputError(f"{file} and {entries[ticker].file.name} are both {ticker}; {_REMEDY}")
        entries[ticker] = Entry(file)
    if not entries:
        raise InputError(f"the folder {str(folder)!r} has no .csv or .parquet file; put one file per ticker there")
    return entries


def _unlisted(folder: Path, entries: Mapping[str, Entry]) -> list[str]:
    """Return the price files that a manifest does not list, and warn of those that are named as a ticker is."""
    files = {entry.file for entry in entries.values()} | {folder / "manifest.csv"}
    names = sorted(
        file.name
        for file in set(folder.iterdir()) - files
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and not is_hashed(file.name)
    )
    tickers = [name for name in names if _is_ticker(Path(name).stem)]
    if tickers:
        warnings.warn(
            f"manifest.csv in {folder} does not list {len(tickers)} files that are named as a ticker is, and they are"
            f" not read: {', '.join(tickers[:8])}{', ...' if len(tickers) > 8 else ''}; list them, or move them away",
            EventStudyWarning,
            stacklevel=4,
        )
    return names


def _is_ticker(text: str) -> bool:
    try:
        return bool(check_ticker(text))
    except InputError:
        return False


_REMEDY = "rename it, or add a manifest.csv with the columns ticker and file that says which file is which ticker"


def _bars(ticker: str, entry: Entry) -> Bars:
    mic = entry.mic or mic_of(ticker)
    if not entry.file.is_file():
        raise TickerNotFound(f"manifest.csv names {entry.file.name} for {ticker}, and {entry.file} does not exist")
    dates, columns = _parquet_fields(entry.file) if entry.file.suffix.lower() == ".parquet" else _csv_fields(entry.file)
    fields = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    if "close" not in fields:
        raise BadPrices(f"{entry.file} has no row with a close")
    try:
        return Bars(ticker, dates, fields, mic, entry.currency, step_of(ticker, dates))
    except BadPrices as error:
        raise BadPrices(f"{entry.file}: {error}") from None


def _read_csv(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, and the rows that are not empty with their numbers."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        try:
            rows = [(number, cells) for number, cells in enumerate(csv.reader(stream, strict=True), 1) if cells]
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{file} is not CSV in UTF-8 ({error}); save it as CSV in UTF-8") from None
    if not rows:
        raise InputError(f"{file} is empty; its first row names the columns")
    header = rows[0][1]
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise InputError(
                f"{file}, row {number} has {len(cells)} cells and its header has {len(header)}; complete the row, or"
                " put quotes around a cell with a comma"
            )
    return header, rows[1:]


def _columns(file: Path, header: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Return the fields and the positions of their columns; raise InputError where one is missing or repeated."""
    positions: dict[str, int] = {}
    for position, name in enumerate(header):
        key = name.strip().lower()
        field = "date" if key in ("date", "datetime") else FIELDS.get(key)
        if field in positions:
            raise InputError(f"{file} has two columns for {field}: {header[positions[field]]!r} and {name!r}; keep one")
        if field:
            positions[field] = position
    for required in ("date", "close"):
        if required not in positions:
            raise InputError(f"{file} has no column {required}; its columns are {', '.join(map(str, header))}")
    return iter(positions.items())


def _csv_fields(file: Path) -> tuple[Dates, Mapping[str, Floats]]:
    header, rows = _read_csv(file)
    numbers = [number for number, _ in rows]
    fields: dict[str, Floats] = {}
    for name, position in _columns(file, header):
        cells = [row[position].strip() for _, row in rows]
        if name == "date":
            dates = _parse_dates(file, numbers, cells)
            continue
        for number, cell in zip(numbers, cells, strict=True):
            if cell and not NUMBER.fullmatch(cell):
                raise InputError(
                    f"{file}, row {number}, column {header[position]}: {cell!r} is not a number; leave the cell empty"
                    " where the price is missing, and write 1234.5, not 1,234.5"
                )
        fields[name] = np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    return dates, fields


def _parse_dates(file: Path, numbers: Sequence[int], cells: Sequence[str]) -> Dates:
    """Return dates or, where any time is not midnight, the starts of intraday bars in UTC."""
    if not all(map(MIDNIGHT.fullmatch, cells)) and any(map(INSTANT.fullmatch, cells)):
        return _parse_starts(file, numbers, cells)
    days = []
    for number, cell in zip(numbers, cells, strict=True):
        match = MIDNIGHT.fullmatch(cell)
        try:
            days.append(np.datetime64(match[1] if match else "no date", "D"))
        except ValueError:
            raise InputError(
                f"{file}, row {number}, column Date: {cell!r} is not an ISO date, as in 2021-09-13; 03/11/2020 could be"
                " March or November: write the dates again, as year-month-day"
            ) from None
    return np.array(days, dtype="datetime64[D]")


def _parse_starts(file: Path, numbers: Sequence[int], cells: Sequence[str]) -> Dates:
    bad = [(number, cell) for number, cell in zip(numbers, cells, strict=True) if not _has_offset(cell)]
    if bad:
        number, cell = min(bad, key=lambda row: INSTANT.fullmatch(row[1]) is None)  # prefer a time without an offset
        raise InputError(
            f"{file}, row {number}, column Date: {cell!r} is not the start of a bar; if one row has a time of day, all"
            " rows need a time and its UTC offset, as in 2021-01-04T09:30-05:00: tz_localize the index before writing"
        )
    import pandas as pd

    try:
        starts = pd.DatetimeIndex(pd.to_datetime(list(cells), format="ISO8601", utc=True)).tz_localize(None)
    except ValueError as error:
        raise InputError(f"{file}, column Date has a time that does not exist: {error}") from None
    return np.asarray(starts.to_numpy().astype("datetime64[s]"))


def _has_offset(cell: str) -> bool:
    match = INSTANT.fullmatch(cell)
    return match is not None and match[1] is not None


def _parquet_fields(file: Path) -> tuple[Dates, Mapping[str, Floats]]:
    import pandas as pd

    try:
        frame = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise InputError(f"{file} is not Parquet ({error}); write it again with DataFrame.to_parquet") from None
    if isinstance(frame.index, pd.DatetimeIndex) or str(frame.index.name).lower() in ("date", "datetime"):
        frame = frame.rename_axis(index="date").reset_index()
    header = [str(name) for name in frame.columns]
    fields: dict[str, Floats] = {}
    for name, position in _columns(file, header):
        column = frame.iloc[:, position]
        if name == "date":
            texts = [str(day) for day in column]
            dates = _parse_dates(file, range(1, len(texts) + 1), texts)
        elif pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            fields[name] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            raise InputError(f"{file}, column {header[position]} is {column.dtype}; a price is a number, as in float64")
    return dates, fields
