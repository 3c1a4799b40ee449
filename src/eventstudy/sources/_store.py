"""Write a price store: an index, and Parquet files with one row per ticker and some hundred tickers each.

``store.json`` has the format and the files' hashes; ``tickers.parquet`` one row per ticker (file, row, exchange,
currency, fields, first and last date with a close); ``calendars.parquet`` one row per exchange with the dates on which
any of its tickers has a close. With these, a study reads a ticker's prices only when it computes the ticker's returns.
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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, SourceError
from eventstudy.remote import is_url
from eventstudy.sources._stored import INDEX, KINDS, VERSION, CalendarKey, calendar_key, file_name, is_store, to_rows
from eventstudy.types import Dates

RESERVED = ("ticker", "dates")  # columns of a partition that are not fields


def write(prices: Prices | Iterable[Prices], folder: str | Path, partition: int) -> None:
    """Write a store; see :func:`eventstudy.prices.write_prices`."""
    if is_url(str(folder)):
        raise InputError(f"{folder!r} is a URL; write the store to a local folder, and copy that folder to the URL")
    target = Path(folder)
    if not isinstance(partition, int) or partition < 1:
        raise InputError(f"partition is {partition!r}; give a number of tickers, 1 or more")
    if target.exists() and not (target.is_dir() and (is_store(target) or not any(target.iterdir()))):
        raise InputError(f"{str(target)!r} holds something else than a store of prices; name a new or empty folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise SourceError(f"prices cannot be written to {target}: {error.strerror}; name another folder") from None
    try:
        _Writer(temporary, partition).write([prices] if isinstance(prices, Prices) else prices)
        temporary.chmod(0o755)
        _replace_folder(temporary, target)
    except OSError as error:
        raise SourceError(f"prices cannot be written to {target}: {error.strerror}; name another folder") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(folder: Path, target: Path) -> None:
    """Move a folder to the path of another and delete the other; if the move fails, the other is restored."""
    if not target.exists():
        os.replace(folder, target)
        return
    backup = folder.with_name(f"{folder.name}.before")
    os.replace(target, backup)
    try:
        os.replace(folder, target)
    except OSError:
        os.replace(backup, target)
        raise
    shutil.rmtree(backup, ignore_errors=True)


@dataclass
class _Writer:
    """Write prices partition by partition, and then the index."""

    folder: Path
    size: int
    rows: dict[str, dict[str, object]] = field(default_factory=dict)
    calendars: dict[CalendarKey, Dates] = field(default_factory=dict)
    unit: str | None = None
    sha256: list[str] = field(default_factory=list)

    def write(self, batches: Iterable[Prices]) -> None:
        """Write several prices as one store."""
        pending: list[Bars] = []
        for prices in batches:
            for bars in prices.bars.values():
                self._add_to_index(bars)
                pending.append(bars)
                if len(pending) == self.size:
                    self._write_partition(pending)
                    pending = []
        if pending:
            self._write_partition(pending)
        if not self.rows:
            raise InputError("there are no prices to write; give those of one ticker at least")
        tickers = [{"ticker": name, **row} for name, row in self.rows.items()]
        _write_table(pa.Table.from_pylist(tickers, _TICKERS), self.folder / "tickers.parquet")
        calendars = [
            {"mic": mic, "rate": rate, "dates": dates.astype(np.int64)} for (mic, rate), dates in self.calendars.items()
        ]
        _write_table(pa.Table.from_pylist(calendars, _CALENDARS), self.folder / "calendars.parquet")
        index = {"format": "eventstudy prices", "version": VERSION, "unit": self.unit, "sha256": self.sha256}
        (self.folder / INDEX).write_text(json.dumps(index) + "\n", encoding="utf-8")

    def _add_to_index(self, bars: Bars) -> None:
        """Check a ticker's bars, and add them to the rows and calendars of the index."""
        unit = "s" if bars.intraday else "D"
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
            "last": edges[1], "fields": list(bars.fields), "findings": to_rows(bars.findings),
        }  # fmt: skip
        key = calendar_key(bars.mic, bars.ticker)
        dates = bars.dates[np.isfinite(bars.fields["close"])]
        calendar = self.calendars.setdefault(key, dates)
        if not np.array_equal(calendar, dates) and not np.isin(dates, calendar, assume_unique=True).all():
            self.calendars[key] = np.union1d(calendar, dates)

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
        path = self.folder / file_name(len(self.sha256))
        _write_table(pa.table(columns), path)
        with path.open("rb") as file:
            self.sha256.append(hashlib.file_digest(file, "sha256").hexdigest())


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
        ("fields", pa.list_(pa.string())), ("findings", pa.list_(_FINDING)),
    ]
)  # fmt: skip
_CALENDARS = pa.schema([("mic", pa.string()), ("rate", pa.bool_()), ("dates", pa.large_list(pa.int64()))])


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


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, write_page_checksum=True, row_group_size=2**30
    )
