"""Read a price store lazily: the index when it is opened, a column of a ticker when it is first used."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple, NotRequired, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from eventstudy.bars import Bars
from eventstudy.errors import InputError, SourceError
from eventstudy.plausibility import Check, Finding
from eventstudy.remote import filesystem, is_url
from eventstudy.types import Dates, Floats

INDEX = "store.json"
VERSION = 1
CACHE = 2**25  # bytes of columns kept in memory, beside those of the partition read last
KINDS = {"D": "daily prices", "s": "bars within the day"}  # by the unit of the dates

Unit = Literal["D", "s"]


class Index(TypedDict):
    """The content of store.json: the unit of the dates, and the SHA-256 of each file of prices."""

    version: int
    unit: Unit
    sha256: list[str]


class FindingRow(TypedDict):
    """A finding of :func:`eventstudy.plausibility.screen`, with the dates as numbers in the unit of the dates."""

    check: Check
    date: int
    last: int
    size: float
    what: str


def to_rows(findings: Sequence[Finding]) -> list[FindingRow]:
    """Return findings as rows of the index."""
    return [
        FindingRow(check=check, date=int(date.astype(np.int64)), last=int(last.astype(np.int64)), size=size, what=what)
        for check, date, last, size, what in findings
    ]


class Row(TypedDict):
    """A row of the table of tickers: where the ticker is stored, and what is known without reading its prices.

    ``step`` is in seconds; ``first`` and ``last``, the edges of the dates with a close, are in the unit of the dates. A
    store of an earlier version has no ``findings``; its prices are screened when they are read.
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
    findings: NotRequired[list[FindingRow]]


class CalendarKey(NamedTuple):
    """The calendar to which a ticker's dates belong: its exchange's; exchange rates (``=X``) have their own."""

    mic: str | None
    rate: bool


def calendar_key(mic: str | None, ticker: str) -> CalendarKey:
    """Return the calendar of a ticker."""
    return CalendarKey(mic, ticker.endswith("=X"))


def file_name(number: int) -> str:
    """Return the name of a partition's file."""
    return f"prices-{number:05d}.parquet"


def is_store(folder: str | Path) -> bool:
    """Return whether a folder, or an fsspec URL, is a store."""
    files, path = _file_system(folder)
    info: fs.FileInfo = files.get_file_info(f"{path}/{INDEX}")
    return bool(info.is_file)


def _file_system(folder: str | Path) -> tuple[fs.FileSystem, str]:
    """Return the file system of a folder or URL, and the path on it."""
    if not is_url(str(folder)):
        return fs.LocalFileSystem(), str(folder)
    files, path = filesystem("the store of prices", str(folder))
    return fs.PyFileSystem(fs.FSSpecHandler(files)), path


class _Files:
    """The files of a store, with a cache of the columns used last."""

    def __init__(self, folder: str | Path, unit: Unit, sha256: Mapping[int, str]) -> None:
        self.folder, self.unit, self.sha256 = folder, unit, sha256
        self.n_read = 0  # columns read from partitions so far
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
        if _read_index(self.folder)["sha256"][number : number + 1] != [self.sha256[number]]:
            raise SourceError(f"the store {self.folder} has been written anew since it was opened; open it again")
        table = _read_table(self.folder, file_name(number), [column])
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
    and ``n_tickers`` how many tickers each of these calendars is made from. The last two are empty if not known.
    """

    files: _Files
    rows: Mapping[str, Row]
    calendars: Mapping[CalendarKey, Dates] = field(default_factory=dict)
    n_tickers: Mapping[CalendarKey, int] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: str | Path, tickers: Sequence[str] | None = None) -> StoredBars:
        """Read the index of a store; None takes every ticker."""
        folder = folder if is_url(str(folder)) else Path(folder).absolute()  # workers may run in another directory
        index = _read_index(folder)
        unit = index["unit"]
        all_rows = {row["ticker"]: row for row in _read_table(folder, "tickers.parquet").to_pylist()}
        rows = all_rows if tickers is None else {name: all_rows[name] for name in tickers if name in all_rows}
        calendars = {
            CalendarKey(row["mic"], row["rate"]): np.array(row["dates"], dtype=np.int64).astype(f"datetime64[{unit}]")
            for row in _read_table(folder, "calendars.parquet").to_pylist()
        }
        files = _Files(folder, unit, dict(enumerate(index["sha256"])))
        return cls(files, rows, calendars, Counter(calendar_key(row["mic"], name) for name, row in all_rows.items()))

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
        return _unpickle, (files.folder, files.unit, hashes, self.rows, self.calendars, self.n_tickers)

    def take(self, tickers: Sequence[str]) -> StoredBars:
        """Return the bars of some tickers, with the same cache and without the calendars."""
        return StoredBars(self.files, {name: self.rows[name] for name in tickers})

    def content(self) -> list[tuple[Row, str]]:
        """Return what determines the bars: each ticker's row of the index and its file's SHA-256."""
        return [(row, self.files.sha256[row["file"]]) for row in self.rows.values()]

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Return the dates on which any of the tickers has a close; None unless they are all tickers of a calendar."""
        counts = Counter(calendar_key(self.rows[name]["mic"], name) for name in tickers)
        if not counts or any(n != self.n_tickers.get(key) for key, n in counts.items()):
            return None
        return np.unique(np.concatenate([self.calendars[key] for key in counts]))


def _unpickle(
    folder: str | Path,
    unit: Unit,
    sha256: Mapping[int, str],
    rows: Mapping[str, Row],
    calendars: Mapping[CalendarKey, Dates],
    n_tickers: Mapping[CalendarKey, int],
) -> StoredBars:
    return StoredBars(_Files(folder, unit, sha256), rows, calendars, n_tickers)


def _read_index(folder: str | Path) -> Index:
    files, path = _file_system(folder)
    try:
        with files.open_input_stream(f"{path}/{INDEX}") as file:
            index: Index = json.loads(file.read())
        if index["version"] == VERSION and index["unit"] in KINDS and isinstance(index["sha256"], list):
            return index
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{str(folder)!r} is no store of prices that this version reads; write it with es.write_prices")


def _read_table(folder: str | Path, name: str, columns: list[str] | None = None) -> pa.Table:
    files, path = _file_system(folder)
    try:
        with pq.ParquetFile(f"{path}/{name}", filesystem=files, page_checksum_verification=True) as file:
            return file.read(columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        text = " ".join(str(error).split())
        raise SourceError(
            f"the store's file {folder!s}/{name} is missing or damaged ({text}); write the store again"
        ) from None


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
        first, last = (
            np.datetime64("NaT" if edge is None else edge, files.unit) for edge in (row["first"], row["last"])
        )
        bars.__dict__.update(
            ticker=row["ticker"], mic=row["mic"], currency=row["currency"], step=step, first=first, last=last,
            _files=files, _row=row,
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
        if row is None or "findings" not in row:
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
