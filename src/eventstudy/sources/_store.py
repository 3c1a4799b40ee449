"""A store of prices: Parquet files of some hundred tickers each, with one row a ticker, and an index that says it all.

``store.json`` says what the folder is, ``tickers.parquet`` has a row a ticker (file, row, exchange, currency, fields,
first and last date with a close) and ``calendars.parquet`` a row an exchange with the dates on which one of its tickers
has a close. A study that knows these needs the prices of a ticker only when it makes its returns.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, SourceError
from eventstudy.remote import filesystem, is_url
from eventstudy.types import Dates, Floats

INDEX = "store.json"
VERSION = 1
CACHE = 2**25  # bytes of columns that are kept, beside those of the last partition
OWN = ("ticker", "dates")  # columns of a partition that are no field


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


def write(prices: Prices | Iterable[Prices], folder: str | Path, partition: int) -> None:
    """Write a store; see :func:`eventstudy.prices.write_prices`."""
    if is_url(str(folder)):
        raise InputError(f"{folder!r} is a URL; write the store to a folder, and copy it there as a whole")
    target = Path(folder)
    if not isinstance(partition, int) or partition < 1:
        raise InputError(f"partition is {partition!r}; give a number of tickers, 1 or more")
    if target.exists() and not (target.is_dir() and (is_store(target) or not any(target.iterdir()))):
        raise InputError(f"{str(target)!r} holds something else than a store of prices; name a new or empty folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise SourceError(f"prices cannot be written to {target}: {error.strerror}; name another folder") from None
    try:
        _Writer(aside, partition).write([prices] if isinstance(prices, Prices) else prices)
        aside.chmod(0o755)
        _put_in_place(aside, target)
    except OSError as error:
        raise SourceError(f"prices cannot be written to {target}: {error.strerror}; name another folder") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put_in_place(made: Path, target: Path) -> None:
    """Put a folder in the place of another, which comes back where that fails."""
    if not target.exists():
        os.replace(made, target)
        return
    before = made.with_name(f"{made.name}.before")
    os.replace(target, before)
    try:
        os.replace(made, target)
    except OSError:
        os.replace(before, target)
        raise
    shutil.rmtree(before, ignore_errors=True)


@dataclass
class _Writer:
    """Write partition by partition, and at the end the index."""

    folder: Path
    size: int
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    union: dict[tuple[str | None, bool], Dates] = field(default_factory=dict)
    unit: str | None = None
    sha256: list[str] = field(default_factory=list)

    def write(self, every: Iterable[Prices]) -> None:
        """Write all of some prices."""
        waiting: list[Bars] = []
        for prices in every:
            for bars in prices.bars.values():
                waiting.append(self._checked(bars))
                if len(waiting) == self.size:
                    self._partition(waiting)
                    waiting = []
        if waiting:
            self._partition(waiting)
        if not self.rows:
            raise InputError("there are no prices to write; give those of one ticker at least")
        names = [{"ticker": name, **row} for name, row in self.rows.items()]
        _put(pa.Table.from_pylist(names, _TICKERS), self.folder / "tickers.parquet")
        unions = [
            {"mic": mic, "rate": rate, "dates": dates.astype(np.int64)} for (mic, rate), dates in self.union.items()
        ]
        _put(pa.Table.from_pylist(unions, _CALENDARS), self.folder / "calendars.parquet")
        about = {"format": "eventstudy prices", "version": VERSION, "unit": self.unit, "sha256": self.sha256}
        (self.folder / INDEX).write_text(json.dumps(about) + "\n", encoding="utf-8")

    def _checked(self, bars: Bars) -> Bars:
        unit = "s" if bars.intraday else "D"
        self.unit = self.unit or unit
        if unit != self.unit:
            raise InputError(f"{bars.ticker} has {_KINDS[unit]}, and those before it {_KINDS[self.unit]}; part them")
        if bars.ticker in self.rows:
            raise InputError(f"{bars.ticker} stands twice in the prices; give each ticker once")
        taken = [name for name in OWN if name in bars.fields]
        if taken:
            raise InputError(f"{bars.ticker} has a field {taken[0]!r}, which a store calls something else; rename it")
        step = None if bars.step is None else int(bars.step / np.timedelta64(1, "s"))
        edges = [None if np.isnat(edge) else int(edge.astype(np.int64)) for edge in (bars.first, bars.last)]
        self.rows[bars.ticker] = {
            "mic": bars.mic, "currency": bars.currency, "step": step, "first": edges[0],
            "last": edges[1], "fields": list(bars.fields),
        }  # fmt: skip
        key = (bars.mic, bars.ticker.endswith("=X"))
        dates = bars.dates[np.isfinite(bars.fields["close"])]
        known = self.union.setdefault(key, dates)
        if not np.array_equal(known, dates) and not np.isin(dates, known, assume_unique=True).all():
            self.union[key] = np.union1d(known, dates)
        return bars

    def _partition(self, some: Sequence[Bars]) -> None:
        """Write one file, and say which row of it is which ticker."""
        for row, bars in enumerate(some):
            self.rows[bars.ticker] |= {"file": len(self.sha256), "row": row}
        names = dict.fromkeys(name for bars in some for name in bars.fields)
        columns = {"ticker": pa.array([bars.ticker for bars in some])}
        moments = [bars.dates.astype(np.int64) for bars in some]
        columns["dates"] = _lists([when * 1000 for when in moments] if self.unit == "s" else moments, self.unit)
        for name in names:
            columns[name] = _lists([bars.fields.get(name) for bars in some], None)
        path = self.folder / _file(len(self.sha256))
        _put(pa.table(columns), path)
        with path.open("rb") as file:
            self.sha256.append(hashlib.file_digest(file, "sha256").hexdigest())


_KINDS = {"D": "daily prices", "s": "bars within the day"}
_TICKERS = pa.schema(
    [
        ("ticker", pa.string()), ("file", pa.int32()), ("row", pa.int32()), ("mic", pa.string()),
        ("currency", pa.string()), ("step", pa.int64()), ("first", pa.int64()), ("last", pa.int64()),
        ("fields", pa.list_(pa.string())),
    ]
)  # fmt: skip
_CALENDARS = pa.schema([("mic", pa.string()), ("rate", pa.bool_()), ("dates", pa.large_list(pa.int64()))])


def _file(number: int) -> str:
    return f"prices-{number:05d}.parquet"


def _lists(values: Sequence[np.ndarray | None], unit: str | None) -> pa.Array:
    """Make a column of one list a ticker: dates, moments, or numbers; null where a ticker has none."""
    offsets = np.cumsum([0, *(0 if v is None else len(v) for v in values)], dtype=np.int64)
    flat = np.concatenate([v for v in values if v is not None])
    if unit is not None:
        made = (
            pa.array(flat.astype(np.int32), pa.date32()) if unit == "D" else pa.array(flat, pa.timestamp("ms", "UTC"))
        )
    else:
        made = pa.array(flat.astype(np.float64))
    absent = pa.array([v is None for v in values])
    return pa.LargeListArray.from_arrays(pa.array(offsets), made, mask=absent if absent.true_count else None)


def _put(table: pa.Table, path: Path) -> None:
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, write_page_checksum=True, row_group_size=2**30
    )


class Shelf(Mapping[str, Bars]):
    """The bars of a store by ticker, read when their dates or fields are asked for; pickled as the path alone."""

    def __init__(self, folder: str | Path, tickers: Sequence[str] | None = None) -> None:
        self.folder, self._chosen = folder, tickers
        about = _about(folder)
        self.unit, self.sha256 = about["unit"], about["sha256"]
        rows = _table(folder, "tickers.parquet").to_pylist()
        every = {row["ticker"]: row for row in rows}
        self._rows = every if tickers is None else {name: every[name] for name in tickers if name in every}
        self._unions = {
            (row["mic"], row["rate"]): np.array(row["dates"], dtype=np.int64).astype(f"datetime64[{self.unit}]")
            for row in _table(folder, "calendars.parquet").to_pylist()
        }
        self._kinds: dict[tuple[str | None, bool], int] = {}
        for row in rows:
            self._kinds[_kind(row)] = self._kinds.get(_kind(row), 0) + 1
        self._kept: OrderedDict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._lock = Lock()
        self.n_read = 0  # columns of partitions, so far

    def __getitem__(self, ticker: str) -> Bars:
        return _Stored.of(self, ticker, self._rows[ticker])

    def __contains__(self, ticker: object) -> bool:
        return ticker in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return Shelf, (self.folder, self._chosen)

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Give the dates on which one of some tickers has a close, where they are all of their exchanges; else None."""
        found: dict[tuple[str | None, bool], int] = {}
        for name in tickers:
            key = _kind(self._rows[name])
            found[key] = found.get(key, 0) + 1
        if not found or any(n != self._kinds[key] for key, n in found.items()):
            return None
        return np.unique(np.concatenate([self._unions[key] for key in found]))

    def column(self, ticker: str, column: str) -> np.ndarray:
        """Read a column of one ticker."""
        row = self._rows[ticker]
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
        table = _table(self.folder, _file(number), [column])
        self.n_read += 1
        lists = table[column].combine_chunks()
        lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
        values = lists.values.to_numpy(zero_copy_only=False)
        values.flags.writeable = False
        return values, lists.offsets.to_numpy()


def _kind(row: Mapping[str, Any]) -> tuple[str | None, bool]:
    return row["mic"], row["ticker"].endswith("=X")


def _about(folder: str | Path) -> dict[str, Any]:
    files, path = _opened(folder)
    try:
        with files.open_input_stream(f"{path}/{INDEX}") as file:
            about: dict[str, Any] = json.loads(file.read())
        if about["version"] == VERSION and about["unit"] in _KINDS and isinstance(about["sha256"], list):
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
    """An attribute that is read from the shelf, until an instance has its own."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, stored: Any, owner: type | None = None) -> Any:
        if stored is None:
            raise AttributeError(self.name)
        return stored._dates() if self.name == "dates" else _Fields(stored._shelf, stored.ticker)


class _Stored(Bars):
    """Bars of a store: what the index knows at once, dates and fields when they are asked for."""

    dates: Dates = _Lazy()  # type: ignore[assignment]
    fields: Mapping[str, Floats] = _Lazy()  # type: ignore[assignment]

    @classmethod
    def of(cls, shelf: Shelf, ticker: str, row: Mapping[str, Any]) -> Bars:
        """Give the bars of a row of the index."""
        made = object.__new__(cls)
        step = None if row["step"] is None else np.timedelta64(row["step"], "s")
        edges = {
            name: np.datetime64("NaT" if row[name] is None else row[name], shelf.unit) for name in ("first", "last")
        }
        own = {"ticker": ticker, "mic": row["mic"], "currency": row["currency"], "step": step}
        made.__dict__.update(own, **edges, _shelf=shelf)
        return made

    @property
    def intraday(self) -> bool:
        """As the index says."""
        return self.step is not None

    def _dates(self) -> Dates:
        shelf: Shelf = self.__dict__["_shelf"]
        dates: Dates = shelf.column(self.ticker, "dates").astype(f"datetime64[{shelf.unit}]")
        return dates

    def __reduce__(self) -> tuple[Any, ...]:
        return Bars, (self.ticker, self.dates, dict(self.fields), self.mic, self.currency, self.step)


@dataclass(frozen=True)
class _Fields(Mapping[str, "Floats"]):
    """The fields of one ticker, each read when it is asked for."""

    shelf: Shelf
    ticker: str

    def __getitem__(self, name: str) -> Floats:
        if name not in self.shelf._rows[self.ticker]["fields"]:
            raise KeyError(name)
        return self.shelf.column(self.ticker, name)

    def __contains__(self, name: object) -> bool:
        return name in self.shelf._rows[self.ticker]["fields"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shelf._rows[self.ticker]["fields"])

    def __len__(self) -> int:
        return len(self.shelf._rows[self.ticker]["fields"])
