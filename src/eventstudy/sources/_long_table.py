"""Convert a long Arrow table (one row per ticker and date) to prices; used by the sources parquet, duckdb and sql."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, InputError, TickerNotFound, did_you_mean, shown
from eventstudy.markets import check_ticker
from eventstudy.sources._series import make_bars
from eventstudy.sources._shared import Span
from eventstudy.tabular.columns import LABELS, PLAIN, VALUES, Layout, match_headers
from eventstudy.tabular.frames import one_text
from eventstudy.types import Dates, Floats

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
FIRST, LAST = date(1700, 1, 1), date(2200, 1, 1)  # within the range of nanosecond time stamps; no filter outside it
UTC_NAMES = ("UTC", "Etc/UTC", "GMT", "Z", "+00:00")


class QueryBounds(NamedTuple):
    """Filters of a query. Dates are widened by a day at both ends, so that no time stamp with a zone is missed."""

    tickers: tuple[str, ...] | None
    first: date | None
    before: date | None

    @classmethod
    def of(cls, tickers: tuple[str, ...] | None, span: Span) -> QueryBounds:
        """Return the filters for tickers (None for all) and a range of dates."""
        first = span.start - timedelta(1) if span.start and span.start > FIRST else None
        before = span.end + timedelta(2) if span.end and span.end < LAST else None
        return cls(tickers, first, before)


def check_identifier(what: str, name: object) -> str:
    """Return a name that is safe in an SQL statement; raise InputError for any other."""
    if isinstance(name, str) and IDENTIFIER.fullmatch(name):
        return name
    raise InputError(
        f"{what} is {shown(name)}; a name has 1 to 63 characters out of A-Z a-z 0-9 _, and does not begin with a digit"
    )


def quote(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def match_columns(schema: pa.Schema, columns: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """Match the columns of a table to the library's names.

    Returns
    -------
    dict from the library's name to the table's
        As ``columns`` says, else by name, without regard to case.

    Raises
    ------
    InputError
        When a column is missing, ambiguous or of the wrong type.
    """
    positions = match_headers(schema.names, columns, where, ("ticker", "date", "close"))
    matched = {name: schema.names[at] for name, at in positions.items()}
    for name, column in matched.items():
        _check_type(name, column, schema.field(column).type, where)
    return matched


def _check_type(name: str, column: str, dtype: pa.DataType, where: str) -> None:
    if name == "date":
        if pa.types.is_date(dtype) or pa.types.is_timestamp(dtype):
            return
        valid = "a date is of type date or timestamp"
    elif name in VALUES:
        if _is_number(dtype):
            return
        valid = "a price is a number"
    else:
        if _is_text(dtype.value_type if pa.types.is_dictionary(dtype) else dtype):
            return
        valid = f"a {name} is text"
    if not (pa.types.is_null(dtype) and name not in ("ticker", "date")):
        raise InputError(
            f"{where}: column {column} is of type {dtype}; {valid}: cast it in the store, or in a view of it"
        )


def _is_text(dtype: pa.DataType) -> bool:
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or str(dtype) == "string_view"


def _is_number(dtype: pa.DataType) -> bool:
    """Return whether a type is numeric; PostgreSQL's numeric has no fixed scale and arrives as an extension type."""
    if isinstance(dtype, pa.BaseExtensionType):
        return getattr(dtype, "type_name", None) == "numeric"
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype))


def select_statement(
    source: str, columns: Mapping[str, str], bounds: QueryBounds, mark: str
) -> tuple[str, dict[str, object]]:
    """Return a SELECT statement for some columns and rows, and its parameters.

    Parameters
    ----------
    source : str
        What follows FROM, with identifiers quoted.
    columns : mapping from the library's name to the table's
    bounds : QueryBounds
        Passed as bound parameters only; no value is written into the statement.
    mark : str
        How a parameter is written: a format with ``name`` and ``number``.
    """
    ticker, day = quote(columns["ticker"]), quote(columns["date"])
    conditions = {"tickers": f"{ticker} = ANY({{}})", "first": f"{day} >= {{}}", "before": f"{day} < {{}}"}
    values = {name: value for name, value in bounds._asdict().items() if value is not None}
    marks = {name: mark.format(name=name, number=number) for number, name in enumerate(values, 1)}
    text = f"SELECT {', '.join(f'{quote(column)} AS {quote(name)}' for name, column in columns.items())} FROM {source}"
    if values:
        text += " WHERE " + " AND ".join(conditions[name].format(marks[name]) for name in values)
    return text, {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True)
class LongTable:
    """Rows of many tickers, sorted by ticker and date; :meth:`bars` returns one ticker's, checked.

    ``rows`` has each ticker's slice, ``errors`` why other tickers cannot be read, ``has_time`` is true where a date
    has a time of day, and ``labels`` has currency and mic as integer codes into a list of values.
    """

    where: str
    span: Span
    rows: Mapping[str, slice]
    dates: Dates
    has_time: np.ndarray
    fields: Mapping[str, Floats]
    labels: Mapping[str, tuple[np.ndarray, Sequence[str]]]
    layout: Layout = PLAIN
    errors: Mapping[str, BadPrices] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: pa.Table,
        span: Span,
        where: str,
        layout: Layout | None = None,
        errors: Mapping[str, BadPrices] | None = None,
    ) -> LongTable:
        """Sort an Arrow table whose columns have the library's names, and select the rows within a range of dates."""
        tickers, names = _encode(table["ticker"])
        if (tickers < 0).any():
            raise BadPrices(f"{where} has {int((tickers < 0).sum())} rows without a ticker; each row needs its ticker")
        dates, has_time = _dates(table["date"])
        order = _order(tickers, dates, span)
        tickers = tickers[order]
        starts = np.flatnonzero(np.diff(tickers, prepend=-1))
        ends = [*starts, len(tickers)][1:]
        rows = {names[tickers[a]]: slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
        labels = {name: _encode(table[name]) for name in LABELS if name in table.column_names}
        return cls(
            where, span, rows, dates[order], has_time[order],
            {name: _floats(table[name])[order] for name in VALUES if name in table.column_names},
            {name: (codes[order], values) for name, (codes, values) in labels.items()}, layout or PLAIN, errors or {},
        )  # fmt: skip

    @property
    def tickers(self) -> tuple[str, ...]:
        """All tickers of the table, checked and sorted."""
        if not self.rows:
            raise TickerNotFound(f"{self.where} has no row {self.span}")
        try:
            return tuple(sorted(map(check_ticker, {*self.rows, *self.errors})))
        except InputError as error:
            raise InputError(f"{self.where}: {error}; or name the tickers that you want") from None

    def bars(self, ticker: str) -> Bars:
        """Return the bars of one ticker."""
        if ticker in self.errors:
            raise self.errors[ticker]
        if ticker not in self.rows:
            hint = did_you_mean(ticker, self.rows)
            raise TickerNotFound(f"unknown ticker: {self.where} has no row of {ticker} {self.span}{hint}")
        rows = self.rows[ticker]
        self._check_dates(ticker, rows)
        fields = {name: values[rows] for name, values in self.fields.items()}
        currency, mic = (self._label(ticker, rows, name) for name in LABELS)
        return make_bars(self.where, ticker, self.dates[rows], fields, mic, currency, self.layout)

    def _check_dates(self, ticker: str, rows: slice) -> None:
        dates = self.dates[rows]
        valid = (dates >= np.datetime64(date.min)) & (dates <= np.datetime64(date.max))  # False for NaT and infinity
        if not valid.all():
            raise BadPrices(
                f"{self.where} has {int((~valid).sum())} rows of {ticker} without a date; each row needs one"
            )
        if self.has_time[rows].any():
            raise BadPrices(
                f"{self.where} has a time of day in the date of {ticker} on {dates[self.has_time[rows]][0]}; give one"
                " row per session, with its date, or midnight in the time zone of the column"
            )

    def _label(self, ticker: str, rows: slice, name: str) -> str | None:
        if name not in self.labels:
            return None
        codes, values = self.labels[name]
        used = np.unique(codes[rows])
        try:
            return one_text([values[code] for code in used if code >= 0], f"{name} of {ticker}", self.where)
        except InputError as error:
            raise BadPrices(str(error)) from None


def _encode(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return integer codes of texts (-1 where missing) and the texts; trailing blanks, as char(n) pads, are removed."""
    text = pc.utf8_rtrim_whitespace(column.cast(pa.large_string()))
    if not len(text):
        return np.zeros(0, dtype=np.int32), []
    encoded = text.dictionary_encode().unify_dictionaries().combine_chunks()
    return pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()


def _dates(column: pa.ChunkedArray) -> tuple[Dates, np.ndarray]:
    """Return the dates in the column's time zone, NaT where missing, and where a value has a time of day."""
    if pa.types.is_timestamp(column.type) and column.type.tz not in (None, *UTC_NAMES):
        column = pc.local_timestamp(column)
    stamps = column.to_numpy()
    dates = stamps.astype("datetime64[D]")
    return dates, (stamps != dates) & ~np.isnat(dates)


def _floats(column: pa.ChunkedArray) -> Floats:
    """Return doubles, NaN where missing or not finite; a decimal becomes the nearest double."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    values = column.cast(pa.float64(), safe=False).to_numpy()  # integers above 2^53 are rounded, as float() does
    return np.where(np.isfinite(values), values, np.nan)


def _order(tickers: np.ndarray, dates: Dates, span: Span) -> np.ndarray | slice:
    """Return the rows within a range, sorted by ticker and date; rows without a date are kept for the check to find."""
    keep = np.ones(len(dates), dtype=bool)
    if span.start:
        keep &= ~(dates < np.datetime64(span.start))
    if span.end:
        keep &= ~(dates > np.datetime64(span.end))
    days = np.where(np.isnat(dates), np.datetime64(0, "D"), dates).astype(np.int64)
    key = tickers.astype(np.int64) * 2**32 + days
    if keep.all() and (np.diff(key) >= 0).all():
        return slice(None)
    rows = np.flatnonzero(keep)
    return rows[np.argsort(key[rows], kind="stable")]
