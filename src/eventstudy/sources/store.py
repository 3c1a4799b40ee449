"""Prices from a store: a folder that ``es.write_prices`` has written, read only where a study needs it.

A store has its tickers in Parquet files of some hundred each, and an index. Opening it reads the index alone; the
prices of a ticker are read when its returns are made, and given up again. So a study of many thousand securities needs
no more memory than some of these files, and its events, take. The prices are those that were written, bit for bit.

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
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, TickerNotFound
from eventstudy.sources._shared import asked, cut, gather, provenance, span
from eventstudy.sources._shelf import Shelf, is_store


@dataclass(frozen=True)
class Store:
    """Open a store; only its index is read, and what a range cuts."""

    def read(
        self, tickers: Sequence[str] | None, start: str | date | None, end: str | date | None, *, path: str | Path
    ) -> Prices:
        """Give the prices of the tickers from start to end.

        Parameters
        ----------
        tickers : sequence of str, or None
            None takes every ticker.
        start, end : ISO text, datetime.date or None
            Both included. A range reads all its prices at once, and a study needs none: it takes the sessions of its
            events.
        path : str or Path
            The folder, or its fsspec URL.

        Raises
        ------
        InputError
            When an argument is not valid, or the folder is no store.
        SourceError
            When a file of the store is missing or damaged; then, or when a study first reads it.
        TickerNotFound
            When the store has none of the tickers, or nothing of them in the range.

        Examples
        --------
        >>> SOURCE.read(["BABA"], None, None, path="no/such/folder")
        Traceback (most recent call last):
        eventstudy.errors.InputError: 'no/such/folder' is no store of prices; es.write_prices(prices, folder) makes one
        """
        names, wanted = asked(tickers), span(start, end)
        if not isinstance(path, str | Path) or not is_store(path):
            raise InputError(f"{str(path)!r} is no store of prices; es.write_prices(prices, folder) makes one")
        shelf = Shelf.opened(path, names)

        def read_one(ticker: str) -> Bars:
            if ticker not in shelf:
                raise TickerNotFound(f"unknown ticker: the store {path} has no {ticker}")
            return shelf[ticker] if wanted.start is None and wanted.end is None else cut(shelf[ticker], wanted)

        bars, problems = gather(names or shelf, read_one)
        if wanted.start is not None or wanted.end is not None:
            return Prices(bars, problems, provenance("store", wanted, bars, path=str(path)))
        hashes = shelf.files.sha256.values()
        about = {"source": "store", "start": None, "end": None, "path": str(path), "files": len(hashes)}
        about["retrieved"] = datetime.now(UTC).isoformat(timespec="seconds")
        return Prices(shelf, problems, about | {"sha256": sha256("".join(hashes).encode()).hexdigest()})


SOURCE = Store()
