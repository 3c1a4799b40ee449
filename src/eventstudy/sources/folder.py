"""Prices from a folder with one CSV, Excel or Parquet file per ticker, or from one long file of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple, Self

from eventstudy import arguments
from eventstudy.bars import Bars, Prices, read_tickers
from eventstudy.errors import InputError, TickerNotFound, did_you_mean
from eventstudy.files import locked
from eventstudy.sources._files import Reader
from eventstudy.sources._lock import LOCK, Listed, changes, listing, read_lock, refuse
from eventstudy.sources._manifest import Entry, list_files, locked_files, read_manifest, unlisted_files
from eventstudy.sources._shared import (
    Span,
    check_span,
    check_tickers,
    origins,
    provenance,
    select_dates,
    without_paths,
)
from eventstudy.sources._write import MANIFEST, sha256_of


@dataclass(frozen=True)
class Folder:
    """Read one long file, or one file per ticker; lock or ``manifest.csv`` map tickers to files, else the name does."""

    def read(  # noqa: PLR0913 - each is a property of the files that only their reader knows
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        path: str | Path,
        columns: Mapping[str, str] | None = None,
        date_format: str | None = None,
        decimal: str = ".",
        thousands: str | None = None,
        layout: str | None = None,
        verify: bool = True,
    ) -> Prices:
        r"""Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker of the folder or file.
        start, end : ISO text, datetime.date or None
            Both included.
        path : str or Path
            A folder with a CSV, Excel or Parquet file per ticker, or one such file. Files of a folder have the columns
            Date, Close and any of Open, High, Low, Adj Close, Volume and Stock Splits (case does not matter), also
            under the names of other vendors; other columns are ignored, but one that looks like an adjusted price and
            is not known is refused. Dates are ISO or yyyymmdd; an empty cell, ``null`` or ``NaN`` is a missing price.
            A ``manifest.csv`` has the columns ticker and file, and may have mic and currency. With a column sha256, a
            file with another SHA-256 is refused, and source and note go into the provenance. Dates with times and UTC
            offsets, as 2021-01-04 04:00:00-05:00, are the starts of intraday bars; the bars' length is the most
            frequent difference between starts. One long file has a column ticker too; returns in a column ``return``
            (or RET) are used instead of prices.
        columns : mapping from str to str, or None
            The library's names to the headers of the files, where they differ: ``{"close": "px_last"}``.
        date_format : str or None
            As ``datetime.strptime`` takes it, as in ``"%d/%m/%Y"``; None for ISO or yyyymmdd.
        decimal, thousands : str
            The decimal mark, and the mark between thousands (None: there is none).
        layout : {"yahoo", "yfinance", "crsp", "investing", "nasdaq", "akshare", "eikon"} or None
            The layout of a vendor's files.
        verify : bool
            Whether a folder with a ``lock.json``, as ``eventstudy fetch`` and :func:`eventstudy.freeze` write it, is
            refused if a file is not the one that was locked. If False it is read as it is, and the provenance, with the
            notes of every result, says so.

        Raises
        ------
        InputError
            When an argument, the manifest or the lock is not valid, a locked file was changed, or no ticker can be read
            because of a header, a date or a number; the message has file, row, column and value.
        BadPrices
            When no ticker can be read because a price is not above zero, or dates repeat or are in no order.
        TickerNotFound
            When there is none of the tickers.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "BABA.csv").write_text("Date,Close\n2021-09-10,168.1\n2021-09-13,165.0\n")
        >>> SOURCE.read(["BABA"], "2021-09-13", None, path=folder).bars["BABA"].fields["close"]
        array([165.])
        """
        names, span, place = check_tickers(tickers), check_span(start, end), Path(arguments.path("path", path))
        reader = Reader(layout, columns, date_format, decimal, thousands)
        if place.is_file():
            rows = reader.long_table(place, span)
            bars, problems = read_tickers(names or rows.tickers, rows.bars)
            return Prices(bars, without_paths(problems, place.parent), provenance("folder", span, bars))
        if not place.is_dir():
            raise InputError(
                f"there is no folder or file {str(place)!r}; name a folder with a CSV or Parquet file per ticker, or"
                " one long file"
            )
        with locked(place, shared=True):
            return self._folder(names, span, place, reader, arguments.flag("verify", verify))

    def _folder(self, names: tuple[str, ...] | None, span: Span, place: Path, reader: Reader, verify: bool) -> Prices:
        """Return the prices of a folder, which no writer changes meanwhile."""
        files = _Files.of(place)
        entries, unusable, unlisted = files.entries, files.unusable, files.unlisted
        record = files.verified(place, names or entries, verify)

        def read_one(ticker: str) -> Bars:
            if ticker in unusable and names is None:
                raise unusable[ticker]
            if ticker not in entries:
                raise TickerNotFound(
                    f"unknown ticker: no file for {ticker} in {place}; it has {len(entries)}"
                    f" tickers: {', '.join(list(entries)[:8])}{', ...' if len(entries) > 8 else ''}"
                    f"{did_you_mean(ticker, entries)}"
                )
            return select_dates(_bars(ticker, entries[ticker].check(ticker), reader), span)

        bars, problems = read_tickers(names or [*entries, *unusable], read_one)
        read = [entries[ticker] for ticker in bars]
        details: dict[str, object] = {"files": {ticker: entries[ticker].file.name for ticker in bars}}
        details |= origins((entry.source for entry in read), (entry.note for entry in read))
        details |= {"unlisted": ", ".join(unlisted)} if unlisted else {}
        return Prices(bars, without_paths(problems, place), provenance("folder", span, bars, **details, **record))


SOURCE = Folder()


class _Files(NamedTuple):
    """The files of a folder: by ticker; those whose name is no ticker; those not listed; and its lock, if any."""

    entries: dict[str, Entry]
    unusable: dict[str, InputError]
    unlisted: list[str]
    lock: dict[str, Listed] | None = None

    @classmethod
    def of(cls, place: Path) -> Self:
        """Return the files that the lock lists, or else the manifest, or else those that are named by a ticker."""
        if (place / LOCK).is_file():
            lock = read_lock(place)
            entries = locked_files(place, lock)
            return cls(entries, {}, unlisted_files(place, entries, LOCK), lock)
        if (place / MANIFEST).is_file():
            entries = read_manifest(place / MANIFEST)
            return cls(entries, {}, unlisted_files(place, entries, MANIFEST))
        return cls(*list_files(place), [])

    def verified(self, place: Path, names: Iterable[str], verify: bool) -> dict[str, object]:
        """Compare files with the lock; return what the provenance says of it, or raise InputError if they differ."""
        if self.lock is None:
            return {}
        rows = {name: self.lock[name] for name in names if name in self.lock}
        found = changes(place, rows)
        if verify:
            refuse(place, found)
        retrieved = max((row.retrieved for row in rows.values()), default="")
        record: dict[str, object] = {"lock": sha256_of(place / LOCK), "retrieved": retrieved}
        if not verify:
            differences = listing(found) if found else "none differ"
            record["notes"] = [f"the prices were not verified against {LOCK} before the run: {differences}"]
        return record


def _bars(ticker: str, entry: Entry, reader: Reader) -> Bars:
    if not arguments.is_file(entry.file):
        raise TickerNotFound(f"{entry.file.name} is listed for {ticker}, and {entry.file} does not exist")
    return reader.one_ticker(entry.file, ticker, entry.mic, entry.currency)
