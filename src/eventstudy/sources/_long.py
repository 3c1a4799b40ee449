"""A long table, one row a ticker and date, from Arrow columns to prices: what the stores of prices share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, InputError, TickerNotFound, one_of
from eventstudy.markets import check_ticker, mic_of
from eventstudy.sources._shared import FIELDS, Span
from eventstudy.types import Dates, Floats

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
PRICES = tuple(dict.fromkeys(FIELDS.values()))
LABELS = ("currency", "mic")
OURS = ("ticker", "date", *PRICES, *LABELS)
NAMES = {name: name for name in OURS} | FIELDS
FIRST, LAST = date(1700, 1, 1), date(2200, 1, 1)  # what nanoseconds can hold; beyond it an end is open
UTC_NAMES = ("UTC", "Etc/UTC", "GMT", "Z", "+00:00")


class Bounds(NamedTuple):
    """What a store is asked for; a day wider at both ends than wanted, for time stamps with a zone."""

    tickers: tuple[str, ...] | None
    first: date | None
    before: date | None

    @classmethod
    def of(cls, tickers: tuple[str, ...] | None, wanted: Span) -> Bounds:
        """Widen a range."""
        first = wanted.start - timedelta(1) if wanted.start and wanted.start > FIRST else None
        before = wanted.end + timedelta(2) if wanted.end and wanted.end < LAST else None
        return cls(tickers, first, before)


def identifier(what: str, name: object) -> str:
    """Check a name that is to stand in a statement of SQL."""
    if isinstance(name, str) and IDENTIFIER.fullmatch(name):
        return name
    raise InputError(
        f"{what} is {name!r}; a name has 1 to 63 of the letters A-Z a-z, the digits and _, and begins with no digit"
    )


def quoted(name: str) -> str:
    """Write a name so that SQL takes it as a name, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(schema: pa.Schema, columns: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """Find which column of a table is which of ours: as ``columns`` says, else by name, in any case of letters."""
    has = f"its columns are {', '.join(schema.names)}"
    found = _given(schema, columns, where, has)
    chosen = set(found)
    for theirs in schema.names:
        plain = NAMES.get(theirs.strip().lower())
        if plain is None or plain in chosen:
            continue
        if plain in found:
            raise InputError(f"{where} has two columns for {plain}: {found[plain]!r} and {theirs!r}; choose in columns")
        found[plain] = theirs
    for needed in ("ticker", "date", "close"):
        if needed not in found:
            raise InputError(f"{where} has no column {needed}; {has}; say which it is, columns={{{needed!r}: ...}}")
    for ours, theirs in found.items():
        _check_type(ours, theirs, schema.field(theirs).type, where)
    return found


def _given(schema: pa.Schema, columns: Mapping[str, str] | None, where: str, has: str) -> dict[str, str]:
    if columns is not None and not isinstance(columns, Mapping):
        raise InputError(f"columns is {columns!r}; map our names to the table's, as in {{'close': 'px_last'}}")
    for ours, theirs in (columns or {}).items():
        if ours not in OURS:
            raise one_of("a key of columns", ours, OURS)
        if theirs not in schema.names:
            raise InputError(f"{where} has no column {theirs!r} for {ours}; {has}")
    return dict(columns or {})


def _check_type(ours: str, theirs: str, kind: pa.DataType, where: str) -> None:
    if ours == "date":
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            return
        valid = "a date is of type date or timestamp"
    elif ours in PRICES:
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or _is_numeric(kind):
            return
        valid = "a price is a number"
    else:
        if _is_text(kind.value_type if pa.types.is_dictionary(kind) else kind):
            return
        valid = f"a {ours} is text"
    if not (pa.types.is_null(kind) and ours not in ("ticker", "date")):
        raise InputError(
            f"{where}: column {theirs} is of type {kind}; {valid}: cast it in the store, or in a view of it"
        )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"


def _is_numeric(kind: pa.DataType) -> bool:
    """Tell the numeric of PostgreSQL, which has no fixed scale and comes as text with a name."""
    return isinstance(kind, pa.BaseExtensionType) and getattr(kind, "type_name", None) == "numeric"


def select(source: str, columns: Mapping[str, str], bounds: Bounds, mark: str) -> tuple[str, dict[str, Any]]:
    """Write the statement that has our columns of the rows within bounds.

    Parameters
    ----------
    source : str
        What stands after FROM, quoted.
    columns : mapping from our name to the table's
    bounds : Bounds
        Bound parameters all; no value stands in the text.
    mark : str
        How a parameter is written: a format with ``name`` and ``number``.
    """
    ticker, day = quoted(columns["ticker"]), quoted(columns["date"])
    conditions = {"tickers": f"{ticker} = ANY({{}})", "first": f"{day} >= {{}}", "before": f"{day} < {{}}"}
    given = {name: value for name, value in bounds._asdict().items() if value is not None}
    marks = {name: mark.format(name=name, number=number) for number, name in enumerate(given, 1)}
    text = (
        f"SELECT {', '.join(f'{quoted(theirs)} AS {quoted(ours)}' for ours, theirs in columns.items())} FROM {source}"
    )
    if given:
        text += " WHERE " + " AND ".join(conditions[name].format(marks[name]) for name in given)
    return text, {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


@dataclass(frozen=True)
class Long:
    """The rows of a store, sorted by ticker and date; ``bars`` gives one ticker's, checked."""

    where: str
    wanted: Span
    rows: Mapping[str, slice]
    dates: Dates
    timed: np.ndarray
    fields: Mapping[str, Floats]
    labels: Mapping[str, tuple[np.ndarray, Sequence[str]]]

    @classmethod
    def of(cls, table: pa.Table, wanted: Span, where: str) -> Long:
        """Sort an Arrow table with columns of our names, and cut it to what is wanted."""
        tickers, names = _coded(table["ticker"])
        if (tickers < 0).any():
            raise BadPrices(f"{where} has {int((tickers < 0).sum())} rows without a ticker; each row needs its ticker")
        dates, timed = _days(table["date"])
        at = _order(tickers, dates, wanted)
        tickers = tickers[at]
        starts = np.flatnonzero(np.diff(tickers, prepend=-1))
        ends = [*starts, len(tickers)][1:]
        rows = {names[tickers[a]]: slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
        labels = {name: _coded(table[name]) for name in LABELS if name in table.column_names}
        return cls(
            where, wanted, rows, dates[at], timed[at],
            {name: _numbers(table[name])[at] for name in PRICES if name in table.column_names},
            {name: (codes[at], values) for name, (codes, values) in labels.items()},
        )  # fmt: skip

    @property
    def tickers(self) -> tuple[str, ...]:
        """All tickers of the rows, checked."""
        if not self.rows:
            raise TickerNotFound(f"{self.where} has no row {self.wanted}")
        try:
            return tuple(sorted(map(check_ticker, self.rows)))
        except InputError as error:
            raise InputError(f"{self.where}: {error}; or name the tickers that are wanted") from None

    def bars(self, ticker: str) -> Bars:
        """Give the bars of one ticker."""
        if ticker not in self.rows:
            raise TickerNotFound(f"unknown ticker: {self.where} has no row of {ticker} {self.wanted}")
        at = self.rows[ticker]
        self._check_dates(ticker, at)
        fields = {name: values[at] for name, values in self.fields.items() if not np.isnan(values[at]).all()}
        if "close" not in fields:
            raise BadPrices(f"{self.where} has no row of {ticker} with a close")
        currency, mic = (self._label(ticker, at, name) for name in LABELS)
        try:
            return Bars(ticker, self.dates[at], fields, mic or mic_of(ticker), currency)
        except BadPrices as error:
            raise BadPrices(f"{self.where}: {error}") from None
        except InputError as error:
            raise InputError(f"{error}; or in a column mic of {self.where}") from None

    def _check_dates(self, ticker: str, at: slice) -> None:
        dates = self.dates[at]
        years = (dates >= np.datetime64(date.min)) & (dates <= np.datetime64(date.max))  # false where missing, infinite
        if not years.all():
            raise BadPrices(
                f"{self.where} has {int((~years).sum())} rows of {ticker} without a date; each row needs one"
            )
        if self.timed[at].any():
            raise BadPrices(
                f"{self.where} has a time of day in the date of {ticker} on {dates[self.timed[at]][0]}; one row a"
                " session is needed: its date, or midnight in the zone of the column"
            )

    def _label(self, ticker: str, at: slice, name: str) -> str | None:
        if name not in self.labels:
            return None
        codes, values = self.labels[name]
        found = np.unique(codes[at])
        found = found[found >= 0]
        if len(found) > 1:
            several = ", ".join(values[code] for code in found)
            raise BadPrices(f"{self.where} has more than one {name} of {ticker}: {several}; a ticker has one")
        return (values[found[0]] or None) if len(found) else None


def _coded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Give each text a number, -1 where there is none; blanks at the end are the padding of char(n)."""
    text = pc.utf8_rtrim_whitespace(column.cast(pa.large_string()))
    if not len(text):
        return np.zeros(0, dtype=np.int32), []
    whole = text.dictionary_encode().unify_dictionaries().combine_chunks()
    return pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False), whole.dictionary.to_pylist()


def _days(column: pa.ChunkedArray) -> tuple[Dates, np.ndarray]:
    """Give the dates as the column's zone shows them, NaT where missing, and where a time of day is with them."""
    if pa.types.is_timestamp(column.type) and column.type.tz not in (None, *UTC_NAMES):
        column = pc.local_timestamp(column)
    stamps = column.to_numpy()
    dates = stamps.astype("datetime64[D]")
    return dates, (stamps != dates) & ~np.isnat(dates)


def _numbers(column: pa.ChunkedArray) -> Floats:
    """Give doubles, NaN where missing or not finite; decimals by their digits, the nearest double of each."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    values = column.cast(pa.float64(), safe=False).to_numpy()  # integers above 2^53 are rounded, as float() does
    return np.where(np.isfinite(values), values, np.nan)


def _order(tickers: np.ndarray, dates: Dates, wanted: Span) -> np.ndarray | slice:
    """Give the rows within a range by ticker and date; rows without a date stay, to be noticed."""
    keep = np.ones(len(dates), dtype=bool)
    if wanted.start:
        keep &= ~(dates < np.datetime64(wanted.start))
    if wanted.end:
        keep &= ~(dates > np.datetime64(wanted.end))
    days = np.where(np.isnat(dates), np.datetime64(0, "D"), dates).astype(np.int64)
    key = tickers.astype(np.int64) * 2**32 + days
    if keep.all() and (np.diff(key) >= 0).all():
        return slice(None)
    kept = np.flatnonzero(keep)
    return kept[np.argsort(key[kept], kind="stable")]
