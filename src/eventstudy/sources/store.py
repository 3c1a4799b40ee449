"""Prices from a store, a folder written by ``es.write_prices``; they are read as a study needs them.

A store has Parquet files of some hundred tickers each, and an index. Opening it reads the index alone; the prices of a
ticker are read when its returns are computed, and then released. So a study of many thousand securities needs memory
for a few of these files and for its events only. The prices are those that were written, bit for bit.

>>> import tempfile
>>> import eventstudy as es
>>> prices = es.fetch_prices(["0700.HK", "^HSI"], "2021-09-01", "2021-09-30", source="simulated", seed=1)
>>> folder = tempfile.mkdtemp()
>>> es.write_prices(prices, folder)
>>> es.fetch_prices(["^HSI"], None, None, source="store", path=folder)
Prices(1 tickers: ^HSI; 2021-09-01 to 2021-09-30)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from eventstudy.bars import Bars, Prices, read_tickers
from eventstudy.errors import InputError, TickerNotFound
from eventstudy.sources._shared import check_span, check_tickers, origins, provenance, select_dates, without_paths
from eventstudy.sources._stored import StoredBars, is_store


@dataclass(frozen=True)
class Store:
    """Open a store; its index is read, and its prices only if a range of dates is given."""

    def read(
        self, tickers: Sequence[str] | None, start: str | date | None, end: str | date | None, *, path: str | Path
    ) -> Prices:
        """Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None takes every ticker.
        start, end : ISO text, datetime.date or None
            Both included. With a range, all prices in it are read at once; a study needs no range, because it reads
            only what its events need.
        path : str or Path
            The folder, or its fsspec URL.

        Raises
        ------
        InputError
            When an argument is not valid, or the folder is not a store.
        SourceError
            When a file of the store is missing or damaged; raised here, or when a study first reads the file.
        SourceUnavailable
            When the server of a URL does not answer or refuses.
        TickerNotFound
            When the store has none of the tickers, or no price of them in the range.

        Examples
        --------
        >>> SOURCE.read(["BABA"], None, None, path="no/such/folder")
        Traceback (most recent call last):
        eventstudy.errors.InputError: 'no/such/folder' is no store of prices; es.write_prices(prices, folder) makes one
        """
        names, span = check_tickers(tickers), check_span(start, end)
        if not isinstance(path, str | Path) or not is_store(path):
            raise InputError(f"{str(path)!r} is no store of prices; es.write_prices(prices, folder) makes one")
        stored = StoredBars.open(path, names)

        def read_one(ticker: str) -> Bars:
            if ticker not in stored:
                raise TickerNotFound(f"unknown ticker: the store {path} has no {ticker}")
            return stored[ticker] if span.start is None and span.end is None else select_dates(stored[ticker], span)

        bars, failed = read_tickers(names or stored, read_one)
        problems = without_paths(failed, path)
        rows = [stored.rows[ticker] for ticker in bars]
        came_from = origins((row["source"] for row in rows), (row["note"] for row in rows))
        if span.start is not None or span.end is not None:
            return Prices(bars, problems, provenance("store", span, bars, **came_from))
        hashes = stored.files.sha256.values()
        record = {"source": "store", "start": None, "end": None, "files": len(hashes), **came_from}
        return Prices(stored, problems, record | {"sha256": sha256("".join(hashes).encode()).hexdigest()})


SOURCE = Store()
