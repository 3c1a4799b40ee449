"""Write a price store: an index, and Parquet files with one row per ticker and some hundred tickers each.

``store.json`` has the SHA-256 of each file, with which the file's name ends; ``tickers`` one row per ticker (file, row,
exchange, currency, fields, first and last date with a close, source and note); ``calendars`` one row per exchange with
the dates on which any of its tickers has a close, and those on which any traded. With these, a study reads a ticker's
prices only when it computes the ticker's returns. New files stand beside the old ones until ``store.json`` is replaced,
in one step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy import arguments
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.files import PREFIX, clean, locked, part, sync, writing
from eventstudy.files import write as write_file
from eventstudy.plausibility import Finding
from eventstudy.remote import is_url
from eventstudy.sources._shared import note_of, origin_of
from eventstudy.sources._stored import (
    INDEX,
    KINDS,
    VERSION,
    CalendarKey,
    FindingRow,
    Index,
    Unit,
    calendar_key,
    encode_index,
    file_name,
    file_names,
)
from eventstudy.sources._write import is_hashed, remove_old, sha256_of
from eventstudy.types import Dates

RESERVED = ("ticker", "dates")  # columns of a partition that are not fields


def write(prices: Prices | Iterable[Prices], folder: str | Path, partition: int) -> None:
    """Write a store; see :func:`eventstudy.prices.write_prices`."""
    if is_url(str(folder)):
        raise InputError(f"{folder!r} is a URL; write the store to a local folder, and copy that folder to the URL")
    target = Path(arguments.path("the folder", folder))
    if isinstance(partition, bool) or not isinstance(partition, int) or partition < 1:
        raise InputError(f"partition is {partition!r}; give a number of tickers, 1 or more")
    if not _is_free(target):
        raise InputError(f"{str(target)!r} holds something else than a store of prices; name a new or empty folder")
    with writing("the store of prices", target):
        clean(target)
        with part(target) as aside:
            index = _Writer(aside, partition).write([prices] if isinstance(prices, Prices) else prices)
            for file in aside.iterdir():
                sync(file)
            with locked(target):
                for file in aside.iterdir():
                    os.replace(file, target / file.name)
                sync(target)
                write_file("the store of prices", target / INDEX, encode_index(index))
                remove_old(target, set(file_names(index).values()), ".parquet")


def _is_free(target: Path) -> bool:
    """Return whether a place is a store, or has nothing but what interrupted writers of one have left."""
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    names = [file.name for file in target.iterdir()]
    return INDEX in names or all(is_hashed(name, ".parquet") or name.startswith(PREFIX) for name in names)


@dataclass
class _Writer:
    """Write prices partition by partition, and then the index."""

    folder: Path
    size: int
    rows: dict[str, dict[str, object]] = field(default_factory=dict)
    calendars: dict[CalendarKey, Dates] = field(default_factory=dict)
    traded: dict[CalendarKey, Dates] = field(default_factory=dict)
    unit: Unit | None = None
    sha256: list[str] = field(default_factory=list)

    def write(self, batches: Iterable[Prices]) -> Index:
        """Write several prices as the files of one store, and return its index."""
        pending: list[Bars] = []
        for prices in batches:
            for bars in prices.bars.values():
                self._add_to_index(bars, prices.provenance)
                pending.append(bars)
                if len(pending) == self.size:
                    self._write_partition(pending)
                    pending = []
        if pending:
            self._write_partition(pending)
        if not self.rows:
            raise InputError("there are no prices to write; give those of one ticker at least")
        tickers = [{"ticker": name, **row} for name, row in self.rows.items()]
        by_ticker = self._write_table("tickers", pa.Table.from_pylist(tickers, _TICKERS))
        calendars = [
            {
                "mic": key.mic, "rate": key.rate, "dates": dates.astype(np.int64),
                "traded": self.traded[key].astype(np.int64),
            }
            for key, dates in self.calendars.items()
        ]  # fmt: skip
        by_mic = self._write_table("calendars", pa.Table.from_pylist(calendars, _CALENDARS))
        return {
            "version": VERSION,
            "unit": self.unit or "D",
            "sha256": self.sha256,
            "tickers": by_ticker,
            "calendars": by_mic,
        }

    def _add_to_index(self, bars: Bars, origin: Mapping[str, object]) -> None:
        """Check a ticker's bars, and add them to the rows and calendars of the index."""
        unit: Unit = "s" if bars.intraday else "D"
        self.unit = self.unit or unit
        if unit != self.unit:
            raise InputError(
                f"{bars.ticker} has {KINDS[unit]}, and those before it {KINDS[self.unit]}; write two stores"
            )
        if bars.ticker in self.rows:
            raise InputError(f"{bars.ticker} appears twice in the prices; give each ticker once")
        conflicts = [name for name in RESERVED if name in bars.fields]
        if conflicts:
            raise InputError(
                f"{bars.ticker} has a field {conflicts[0]!r}, a name that the store itself uses; rename the field"
            )
        step = None if bars.step is None else int(bars.step / np.timedelta64(1, "s"))
        edges = [None if np.isnat(edge) else int(edge.astype(np.int64)) for edge in (bars.first, bars.last)]
        self.rows[bars.ticker] = {
            "mic": bars.mic, "currency": bars.currency, "step": step, "first": edges[0],
            "last": edges[1], "fields": list(bars.fields), "source": origin_of(origin), "note": note_of(origin),
            "findings": _finding_rows(bars.findings),
        }  # fmt: skip
        key = calendar_key(bars.mic, bars.ticker)
        _extend(self.calendars, key, bars.dates[np.isfinite(bars.fields["close"])])
        _extend(self.traded, key, bars.dates[bars.traded | (bars.dates == bars.first)])

    def _write_partition(self, tickers: Sequence[Bars]) -> None:
        """Write one file, and add its number and the rows in it to the index."""
        for row, bars in enumerate(tickers):
            self.rows[bars.ticker] |= {"file": len(self.sha256), "row": row}
        names = dict.fromkeys(name for bars in tickers for name in bars.fields)
        columns = {"ticker": pa.array([bars.ticker for bars in tickers])}
        dates = [bars.dates.astype(np.int64) for bars in tickers]
        columns["dates"] = _list_array([days * 1000 for days in dates] if self.unit == "s" else dates, self.unit)
        for name in names:
            columns[name] = _list_array([bars.fields.get(name) for bars in tickers], None)
        self.sha256.append(self._write_table(f"prices-{len(self.sha256):05d}", pa.table(columns)))

    def _write_table(self, stem: str, table: pa.Table) -> str:
        """Write a file, name it by its content, and return its SHA-256."""
        file = self.folder / stem
        pq.write_table(
            table, file, compression="zstd", use_dictionary=False, write_page_checksum=True, row_group_size=2**30
        )
        sha256 = str(sha256_of(file))
        os.replace(file, file.with_name(file_name(stem, sha256)))
        return sha256


def _finding_rows(findings: Sequence[Finding]) -> list[FindingRow]:
    """Return findings as rows of the index."""
    return [
        FindingRow(check=check, date=int(date.astype(np.int64)), last=int(last.astype(np.int64)), size=size, what=what)
        for check, date, last, size, what in findings
    ]


def _extend(calendars: dict[CalendarKey, Dates], key: CalendarKey, dates: Dates) -> None:
    """Add dates to those of a calendar."""
    calendar = calendars.setdefault(key, dates)
    if not np.array_equal(calendar, dates) and not np.isin(dates, calendar, assume_unique=True).all():
        calendars[key] = np.union1d(calendar, dates)


_FINDING = pa.struct(
    [
        ("check", pa.string()), ("date", pa.int64()), ("last", pa.int64()), ("size", pa.float64()),
        ("what", pa.string()),
    ]
)  # fmt: skip
_TICKERS = pa.schema(
    [
        ("ticker", pa.string()), ("file", pa.int32()), ("row", pa.int32()), ("mic", pa.string()),
        ("currency", pa.string()), ("step", pa.int64()), ("first", pa.int64()), ("last", pa.int64()),
        ("fields", pa.list_(pa.string())), ("source", pa.string()), ("note", pa.string()),
        ("findings", pa.list_(_FINDING)),
    ]
)  # fmt: skip
_DATES = pa.large_list(pa.int64())
_CALENDARS = pa.schema([("mic", pa.string()), ("rate", pa.bool_()), ("dates", _DATES), ("traded", _DATES)])


def _list_array(values: Sequence[np.ndarray | None], unit: str | None) -> pa.Array:
    """Return a column with one list per ticker, null for None: dates ("D"), time stamps ("s") or numbers (None)."""
    offsets = np.cumsum([0, *(0 if v is None else len(v) for v in values)], dtype=np.int64)
    flat = np.concatenate([v for v in values if v is not None])
    if unit is not None:
        items = (
            pa.array(flat.astype(np.int32), pa.date32()) if unit == "D" else pa.array(flat, pa.timestamp("ms", "UTC"))
        )
    else:
        items = pa.array(flat.astype(np.float64))
    missing = pa.array([v is None for v in values])
    return pa.LargeListArray.from_arrays(pa.array(offsets), items, mask=missing if missing.true_count else None)
