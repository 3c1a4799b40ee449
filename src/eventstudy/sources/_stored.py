"""Read a price store lazily: the index when it is opened, a column of a ticker when it is first used."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from eventstudy import arguments
from eventstudy.bars import Bars
from eventstudy.errors import InputError, SourceError, SourceUnavailable
from eventstudy.files import locked
from eventstudy.plausibility import Check, Finding
from eventstudy.remote import filesystem, is_url
from eventstudy.sources._write import hashed_name
from eventstudy.types import Dates, Floats

INDEX = "store.json"
TABLES: tuple[Literal["tickers"], Literal["calendars"]] = ("tickers", "calendars")
VERSION = 2
CACHE = 2**25  # bytes of columns kept in memory, beside those of the partition read last
KINDS = {"D": "daily prices", "s": "bars within the day"}  # by the unit of the dates

Unit = Literal["D", "s"]


class Index(TypedDict):
    """The content of store.json: the unit of the dates, and the SHA-256 of each file, of prices and of the tables."""

    version: int
    unit: Unit
    sha256: list[str]
    tickers: str
    calendars: str


class FindingRow(TypedDict):
    """A finding of :func:`eventstudy.plausibility.screen`, with the dates as numbers in the unit of the dates."""

    check: Check
    date: int
    last: int
    size: float
    what: str


class Row(TypedDict):
    """A row of the table of tickers: where the ticker is stored, and what is known without reading its prices.

    ``step`` is in seconds; ``first`` and ``last``, the edges of the dates with a close, are in the unit of the dates.
    """

    ticker: str
    file: int
    row: int
    mic: str | None
    currency: str | None
    step: int | None
    first: int | None
    last: int | None
    fields: list[str]
    source: str
    note: str
    findings: list[FindingRow]


class CalendarKey(NamedTuple):
    """The calendar to which a ticker's dates belong: its exchange's; exchange rates (``=X``) have their own."""

    mic: str | None
    rate: bool


def calendar_key(mic: str | None, ticker: str) -> CalendarKey:
    """Return the calendar of a ticker."""
    return CalendarKey(mic, ticker.endswith("=X"))


def file_name(stem: str, sha256: str) -> str:
    """Return the name of a table's file, which ends with the beginning of its SHA-256."""
    return hashed_name(stem, sha256, ".parquet")


def file_names(index: Index) -> dict[str | int, str]:
    """Return the names of all files of a store: of the tables by name, and of the prices by number."""
    tables: dict[str | int, str] = {
        "tickers": file_name("tickers", index["tickers"]),
        "calendars": file_name("calendars", index["calendars"]),
    }
    return tables | {k: file_name(f"prices-{k:05d}", sha256) for k, sha256 in enumerate(index["sha256"])}


def encode_index(index: Index) -> bytes:
    """Return the text of store.json: the index, and its own SHA-256."""
    return (json.dumps({"format": "eventstudy prices", "check": _digest(index), **index}) + "\n").encode()


def _digest(index: Mapping[str, object]) -> str:
    content = {name: value for name, value in index.items() if name not in ("format", "check")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def is_store(folder: str | Path) -> bool:
    """Return whether a folder, or an fsspec URL, is a store; raise SourceUnavailable if a server does not say."""
    files, path = _file_system(folder)
    try:
        return bool(files.get_file_info(f"{path}/{INDEX}").is_file)
    except OSError as error:  # of a server
        raise SourceUnavailable(f"the store {folder} cannot be opened ({error}); check the URL and rights") from None


def _file_system(folder: str | Path) -> tuple[fs.FileSystem, str]:
    """Return the file system of a folder or URL, and the path on it."""
    if not is_url(str(folder)):
        return fs.LocalFileSystem(), str(Path(arguments.path("the folder of prices", folder)))
    files, path = filesystem("the store of prices", str(folder))
    return fs.PyFileSystem(fs.FSSpecHandler(files)), path


class _Files:
    """The files of a store, with a cache of the columns used last."""

    def __init__(self, folder: str | Path, unit: Unit, sha256: Mapping[int, str]) -> None:
        self.folder, self.unit, self.sha256 = folder, unit, sha256
        self.n_read = 0  # columns read from partitions so far
        self._verified: set[int] = set()  # partitions whose SHA-256 has been compared
        self._cache: OrderedDict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._lock = Lock()

    def column(self, row: Row, column: str) -> np.ndarray:
        """Return a column of one ticker, from the file that its row of the index names."""
        values, offsets = self._partition(row["file"], column)
        part: np.ndarray = values[offsets[row["row"]] : offsets[row["row"] + 1]]
        return part

    def _partition(self, number: int, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a column of a partition as one array, and the offset at which each ticker begins."""
        with self._lock:
            key = (number, column)
            if key not in self._cache:
                self._cache[key] = self._read(number, column)
                while sum(v.nbytes for v, _ in self._cache.values()) > CACHE and next(iter(self._cache))[0] != number:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(key)
            return self._cache[key]

    def _read(self, number: int, column: str) -> tuple[np.ndarray, np.ndarray]:
        with _undisturbed(self.folder):
            return self._read_now(number, column)

    def _read_now(self, number: int, column: str) -> tuple[np.ndarray, np.ndarray]:
        sha256 = self.sha256[number]
        if _read_index(self.folder)["sha256"][number : number + 1] != [sha256]:
            raise SourceError(f"the store {self.folder} has been written anew since it was opened; open it again")
        name = file_name(f"prices-{number:05d}", sha256)
        # From object storage a whole file is not fetched for one column; its pages have their own checksums.
        verify = number not in self._verified and not is_url(str(self.folder))
        table = _read_table(self.folder, name, sha256, [column], verify)
        self._verified.add(number)
        self.n_read += 1
        lists = table[column].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        values = lists.values.to_numpy(zero_copy_only=False)
        values.flags.writeable = False
        return values, lists.offsets.to_numpy()


@dataclass(frozen=True, eq=False)
class StoredBars(Mapping[str, Bars]):
    """The bars of a store by ticker; dates and fields are read when they are first used.

    ``rows`` has the index's row of each ticker; ``calendars`` the dates on which any ticker of an exchange has a close,
    ``traded`` those on which any traded or has its first price, and ``n_tickers`` how many tickers each of these
    calendars is made from. The last three are empty if not known.
    """

    files: _Files
    rows: Mapping[str, Row]
    calendars: Mapping[CalendarKey, Dates] = field(default_factory=dict)
    n_tickers: Mapping[CalendarKey, int] = field(default_factory=dict)
    traded: Mapping[CalendarKey, Dates] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: str | Path, tickers: Sequence[str] | None = None) -> StoredBars:
        """Read the index of a store; None takes every ticker."""
        folder = folder if is_url(str(folder)) else Path(folder).absolute()  # workers may run in another directory
        with _undisturbed(folder):
            index = _read_index(folder)
            names = file_names(index)
            tables = {key: _read_table(folder, names[key], index[key]) for key in TABLES}
        unit = index["unit"]
        all_rows = {row["ticker"]: row for row in tables["tickers"].to_pylist()}
        rows = all_rows if tickers is None else {name: all_rows[name] for name in tickers if name in all_rows}
        calendars, traded = (
            {
                CalendarKey(row["mic"], row["rate"]): np.array(row[name], dtype=np.int64).astype(f"datetime64[{unit}]")
                for row in tables["calendars"].to_pylist()
            }
            for name in ("dates", "traded")
        )
        files = _Files(folder, unit, dict(enumerate(index["sha256"])))
        n_tickers = Counter(calendar_key(row["mic"], name) for name, row in all_rows.items())
        return cls(files, rows, calendars, n_tickers, traded)

    def __getitem__(self, ticker: str) -> Bars:
        return _LazyBars.of(self.files, self.rows[ticker])

    def __contains__(self, ticker: object) -> bool:
        return ticker in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __reduce__(self) -> tuple[object, ...]:
        files = self.files
        hashes = {row["file"]: files.sha256[row["file"]] for row in self.rows.values()}
        return _unpickle, (files.folder, files.unit, hashes, self.rows, self.calendars, self.n_tickers, self.traded)

    def take(self, tickers: Sequence[str]) -> StoredBars:
        """Return the bars of some tickers, with the same cache and without the calendars."""
        return StoredBars(self.files, {name: self.rows[name] for name in tickers})

    def content(self) -> list[tuple[Row, str]]:
        """Return what determines the bars: each ticker's row of the index and its file's SHA-256."""
        return [(row, self.files.sha256[row["file"]]) for row in self.rows.values()]

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Return the dates on which any of the tickers has a close; None unless they are all tickers of a calendar."""
        return self._union(self.calendars, tickers)

    def traded_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Return the dates on which any of the tickers traded or has its first price; None as above."""
        return self._union(self.traded, tickers)

    def _union(self, dates: Mapping[CalendarKey, Dates], tickers: Sequence[str]) -> Dates | None:
        counts = Counter(calendar_key(self.rows[name]["mic"], name) for name in tickers)
        if not counts or any(n != self.n_tickers.get(key) for key, n in counts.items()):
            return None
        return np.unique(np.concatenate([dates[key] for key in counts]))


def _unpickle(
    folder: str | Path,
    unit: Unit,
    sha256: Mapping[int, str],
    rows: Mapping[str, Row],
    calendars: Mapping[CalendarKey, Dates],
    n_tickers: Mapping[CalendarKey, int],
    traded: Mapping[CalendarKey, Dates],
) -> StoredBars:
    return StoredBars(_Files(folder, unit, sha256), rows, calendars, n_tickers, traded)


def _undisturbed(folder: str | Path) -> AbstractContextManager[None]:
    """Let no writer replace a local store while it is read; one on object storage is copied there as a whole."""
    return nullcontext() if is_url(str(folder)) else locked(Path(folder), shared=True)


def _read_index(folder: str | Path) -> Index:
    """Read store.json; raise SourceError if it is damaged, InputError if another version has written it."""
    files, path = _file_system(folder)
    try:
        with files.open_input_stream(f"{path}/{INDEX}") as file:
            index: Index = json.loads(file.read())
        intact = index.get("check") == _digest(index)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(folder, INDEX, error) from None
    if intact and index["version"] == VERSION:
        return index
    if intact or (index.get("version") == 1 and "check" not in index):  # the first version had no check
        raise InputError(
            f"{str(folder)!r} is a store of version {index['version']}, and this library reads version {VERSION}; read"
            " the prices again from where they came, and es.write_prices(prices, folder) replaces the store as a whole;"
            " if they are nowhere else, the version of the library that wrote the store reads it"
        )
    raise _damaged(folder, INDEX, "its content does not have the SHA-256 that it names")


def _read_table(
    folder: str | Path, name: str, sha256: str, columns: list[str] | None = None, verify: bool = True
) -> pa.Table:
    """Read a file of a store; raise SourceError if it is damaged."""
    files, path = _file_system(folder)
    try:
        if verify and _hash(files, f"{path}/{name}") != sha256:
            raise _damaged(folder, name, "its SHA-256 is not the one in store.json")
        with pq.ParquetFile(f"{path}/{name}", filesystem=files, page_checksum_verification=True) as file:
            return file.read(columns=columns, use_threads=False)
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        raise _damaged(folder, name, error) from None


def _hash(files: fs.FileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with files.open_input_stream(path) as file:
        while data := file.read(2**20):
            digest.update(data)
    return digest.hexdigest()


def _damaged(folder: str | Path, name: str, reason: object) -> SourceError:
    text = " ".join(str(reason).split())[:200]
    return SourceError(f"the store's file {folder!s}/{name} is missing or damaged ({text}); write the store again")


class _LazyAttribute:
    """A descriptor that reads dates or fields from the files; a value set on the instance takes precedence."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, bars: _LazyBars | None, owner: type | None = None) -> object:
        if bars is None:
            raise AttributeError(self.name)
        fields = _LazyFields(bars._files, bars._row)
        return fields.dates if self.name == "dates" else fields


class _LazyBars(Bars):
    """Bars of one ticker of a store: the index's values are set at once, dates and fields are read on access."""

    dates: Dates = _LazyAttribute()  # type: ignore[assignment]
    fields: Mapping[str, Floats] = _LazyAttribute()  # type: ignore[assignment]
    _files: _Files
    _row: Row

    @classmethod
    def of(cls, files: _Files, row: Row) -> Bars:
        """Return the bars of a row of the index."""
        bars = object.__new__(cls)
        step = None if row["step"] is None else np.timedelta64(row["step"], "s")
        edges = ("NaT" if edge is None else edge for edge in (row["first"], row["last"]))
        first, last = (np.datetime64(edge, files.unit) for edge in edges)
        bars.__dict__.update(
            ticker=row["ticker"], mic=row["mic"], currency=row["currency"], step=step, first=first, last=last,
            notes={}, _files=files, _row=row,
        )  # fmt: skip
        return bars

    @property
    def intraday(self) -> bool:
        """Whether the index has a step, the length of a bar within the day."""
        return self.step is not None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is implausible in the bars, from the index, so that nothing is read."""
        row: Row | None = self.__dict__.get("_row")  # absent from a copy with other dates or prices
        if row is None:
            return super().findings
        unit = self._files.unit
        return tuple(
            Finding(f["check"], np.datetime64(f["date"], unit), np.datetime64(f["last"], unit), f["size"], f["what"])
            for f in row["findings"]
        )

    def __reduce__(self) -> tuple[object, ...]:
        return Bars, (self.ticker, self.dates, dict(self.fields), self.mic, self.currency, self.step)


@dataclass(frozen=True)
class _LazyFields(Mapping[str, "Floats"]):
    """The fields of one ticker, each read on access."""

    files: _Files
    row: Row

    @property
    def dates(self) -> Dates:
        """The dates of the ticker."""
        return self.files.column(self.row, "dates").astype(f"datetime64[{self.files.unit}]")

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
