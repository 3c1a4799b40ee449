"""Prices of a store, read where they are needed: its index at once, columns of its files when they are asked for."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from eventstudy.bars import Bars
from eventstudy.errors import InputError, SourceError
from eventstudy.remote import filesystem, is_url
from eventstudy.types import Dates, Floats

INDEX = "store.json"
VERSION = 1
CACHE = 2**25  # bytes of columns that are kept, beside those of the last partition
KINDS = {"D": "daily prices", "s": "bars within the day"}  # by the unit of their dates


def file_name(number: int) -> str:
    """Give the name of a partition's file."""
    return f"prices-{number:05d}.parquet"


def is_store(folder: str | Path) -> bool:
    """Say whether a folder, or what an fsspec URL names, is a store."""
    files, path = _opened(folder)
    info: fs.FileInfo = files.get_file_info(f"{path}/{INDEX}")
    return bool(info.is_file)


def _opened(folder: str | Path) -> tuple[fs.FileSystem, str]:
    """Give the file system of a place, and the path on it."""
    if not is_url(str(folder)):
        return fs.LocalFileSystem(), str(folder)
    files, path = filesystem("the store of prices", str(folder))
    return fs.PyFileSystem(fs.FSSpecHandler(files)), path


class _Files:
    """The files of a store, of which some columns are kept."""

    def __init__(self, folder: str | Path, unit: Any, sha256: Mapping[int, str]) -> None:
        self.folder, self.unit, self.sha256 = folder, unit, sha256
        self.n_read = 0  # columns of partitions, so far
        self._kept: OrderedDict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._lock = Lock()

    def column(self, row: Mapping[str, Any], column: str) -> np.ndarray:
        """Read a column of the ticker that a row of the index tells of."""
        values, offsets = self._partition(row["file"], column)
        part: np.ndarray = values[offsets[row["row"]] : offsets[row["row"] + 1]]
        return part

    def _partition(self, number: int, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Give a column of a partition, flat, and where each row of it begins."""
        with self._lock:
            key = (number, column)
            if key not in self._kept:
                self._kept[key] = self._read(number, column)
                while sum(v.nbytes for v, _ in self._kept.values()) > CACHE and next(iter(self._kept))[0] != number:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _read(self, number: int, column: str) -> tuple[np.ndarray, np.ndarray]:
        if _about(self.folder)["sha256"][number : number + 1] != [self.sha256[number]]:
            raise SourceError(f"the store {self.folder} has been written anew since it was opened; open it again")
        table = _table(self.folder, file_name(number), [column])
        self.n_read += 1
        lists = table[column].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        values = lists.values.to_numpy(zero_copy_only=False)
        values.flags.writeable = False
        return values, lists.offsets.to_numpy()


@dataclass(frozen=True, eq=False)
class Shelf(Mapping[str, Bars]):
    """The bars of a store by ticker, read when their dates or fields are asked for.

    ``rows`` are those of the index; ``unions`` the dates with a close of each exchange of the store, and ``kinds`` how
    many tickers each has: empty where they are not known.
    """

    files: _Files
    rows: Mapping[str, Mapping[str, Any]]
    unions: Mapping[_Kind, Dates] = field(default_factory=dict)
    kinds: Mapping[_Kind, int] = field(default_factory=dict)

    @classmethod
    def opened(cls, folder: str | Path, tickers: Sequence[str] | None = None) -> Shelf:
        """Read the index of a store; None takes every ticker."""
        folder = folder if is_url(str(folder)) else Path(folder).absolute()  # for workers that run elsewhere
        about = _about(folder)
        unit = about["unit"]
        every = {row["ticker"]: row for row in _table(folder, "tickers.parquet").to_pylist()}
        rows = every if tickers is None else {name: every[name] for name in tickers if name in every}
        unions = {
            (row["mic"], row["rate"]): np.array(row["dates"], dtype=np.int64).astype(f"datetime64[{unit}]")
            for row in _table(folder, "calendars.parquet").to_pylist()
        }
        files = _Files(folder, unit, dict(enumerate(about["sha256"])))
        return cls(files, rows, unions, Counter(kind(row["mic"], name) for name, row in every.items()))

    def __getitem__(self, ticker: str) -> Bars:
        return _Stored.of(self.files, self.rows[ticker])

    def __contains__(self, ticker: object) -> bool:
        return ticker in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        its = self.files
        used = {row["file"]: its.sha256[row["file"]] for row in self.rows.values()}
        return _restored, (its.folder, its.unit, used, self.rows, self.unions, self.kinds)

    def take(self, tickers: Sequence[str]) -> Shelf:
        """Give some tickers alone, without what is known of the others; what was read is shared."""
        return Shelf(self.files, {name: self.rows[name] for name in tickers})

    def content(self) -> list[Any]:
        """Say all that the bars depend on: where they stand in files, and the hashes of these."""
        return [(row, self.files.sha256[row["file"]]) for row in self.rows.values()]

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Give the dates on which one of some tickers has a close, where they are all of their exchanges; else None."""
        found = Counter(kind(self.rows[name]["mic"], name) for name in tickers)
        if not found or any(n != self.kinds.get(key) for key, n in found.items()):
            return None
        return np.unique(np.concatenate([self.unions[key] for key in found]))


def _restored(folder: str | Path, unit: str, sha256: Mapping[int, str], *index: Any) -> Shelf:
    return Shelf(_Files(folder, unit, sha256), *index)


_Kind = tuple[str | None, bool]


def kind(mic: str | None, ticker: str) -> _Kind:
    """Say whose dates make the calendar of a ticker: its exchange's, its exchange rates apart."""
    return mic, ticker.endswith("=X")


def _about(folder: str | Path) -> dict[str, Any]:
    files, path = _opened(folder)
    try:
        with files.open_input_stream(f"{path}/{INDEX}") as file:
            about: dict[str, Any] = json.loads(file.read())
        if about["version"] == VERSION and about["unit"] in KINDS and isinstance(about["sha256"], list):
            return about
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{str(folder)!r} is no store of prices that this version reads; write it with es.write_prices")


def _table(folder: str | Path, name: str, columns: list[str] | None = None) -> pa.Table:
    files, path = _opened(folder)
    try:
        with pq.ParquetFile(f"{path}/{name}", filesystem=files, page_checksum_verification=True) as file:
            return file.read(columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise SourceError(
            f"the store's file {folder!s}/{name} is missing or damaged ({text}); write the store again"
        ) from None


class _Lazy:
    """An attribute that is read from the files, until an instance has its own."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, stored: Any, owner: type | None = None) -> Any:
        if stored is None:
            raise AttributeError(self.name)
        fields = _Fields(stored._files, stored._row)
        return fields.dates if self.name == "dates" else fields


class _Stored(Bars):
    """Bars of a store: what the index knows at once, dates and fields when they are asked for."""

    dates: Dates = _Lazy()  # type: ignore[assignment]
    fields: Mapping[str, Floats] = _Lazy()  # type: ignore[assignment]

    @classmethod
    def of(cls, files: _Files, row: Mapping[str, Any]) -> Bars:
        """Give the bars of a row of the index."""
        made = object.__new__(cls)
        step = None if row["step"] is None else np.timedelta64(row["step"], "s")
        edges = {
            name: np.datetime64("NaT" if row[name] is None else row[name], files.unit) for name in ("first", "last")
        }
        own = {"ticker": row["ticker"], "mic": row["mic"], "currency": row["currency"], "step": step}
        made.__dict__.update(own, **edges, _files=files, _row=row)
        return made

    @property
    def intraday(self) -> bool:
        """As the index says."""
        return self.step is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return Bars, (self.ticker, self.dates, dict(self.fields), self.mic, self.currency, self.step)


@dataclass(frozen=True)
class _Fields(Mapping[str, "Floats"]):
    """The fields of one ticker, each read when it is asked for."""

    files: _Files
    row: Mapping[str, Any]

    @property
    def dates(self) -> Dates:
        """The dates of the ticker."""
        dates: Dates = self.files.column(self.row, "dates").astype(f"datetime64[{self.files.unit}]")
        return dates

    def __getitem__(self, name: str) -> Floats:
        if name not in self.row["fields"]:
            raise KeyError(name)
        return self.files.column(self.row, name)

    def __contains__(self, name: object) -> bool:
        return name in self.row["fields"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.row["fields"])

    def __len__(self) -> int:
        return len(self.row["fields"])
