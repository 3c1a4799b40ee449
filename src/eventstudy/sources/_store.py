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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, SourceError
from eventstudy.remote import is_url
from eventstudy.sources._shelf import INDEX, KINDS, VERSION, file_name, is_store, kind
from eventstudy.types import Dates

OWN = ("ticker", "dates")  # columns of a partition that are no field


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
            raise InputError(f"{bars.ticker} has {KINDS[unit]}, and those before it {KINDS[self.unit]}; part them")
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
        key = kind(bars.mic, bars.ticker)
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
        path = self.folder / file_name(len(self.sha256))
        _put(pa.table(columns), path)
        with path.open("rb") as file:
            self.sha256.append(hashlib.file_digest(file, "sha256").hexdigest())


_TICKERS = pa.schema(
    [
        ("ticker", pa.string()), ("file", pa.int32()), ("row", pa.int32()), ("mic", pa.string()),
        ("currency", pa.string()), ("step", pa.int64()), ("first", pa.int64()), ("last", pa.int64()),
        ("fields", pa.list_(pa.string())),
    ]
)  # fmt: skip
_CALENDARS = pa.schema([("mic", pa.string()), ("rate", pa.bool_()), ("dates", pa.large_list(pa.int64()))])


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
