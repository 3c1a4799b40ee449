"""Read the files of a folder, or one long file: CSV, Excel or Parquet, in the layout that a reader names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, InputError, shown
from eventstudy.sources._long_table import LongTable, match_columns
from eventstudy.sources._series import make_bars
from eventstudy.sources._shared import Span
from eventstudy.tabular.cells import Cells, parse_dates, parse_numbers, read_cells, with_marks
from eventstudy.tabular.columns import FIELDS, VALUES, Layout, header_key, layout_named, match_headers
from eventstudy.tabular.frames import numbers, one_text
from eventstudy.types import Dates, Floats

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PARQUET = ".parquet"
T = TypeVar("T")


@dataclass(frozen=True)
class Reader:
    """How tables are read: the layout of a vendor, and a user's choices, which take precedence."""

    layout: str | None = None
    columns: Mapping[str, str] | None = None
    date_format: str | None = None
    decimal: str = "."
    thousands: str | None = None

    def __post_init__(self) -> None:
        layout_named(self.layout)
        for name, value in (("date_format", self.date_format), ("thousands", self.thousands)):
            if value is not None and not isinstance(value, str):
                raise InputError(f"{name} is {shown(value)}; give text, or None")
        if not isinstance(self.decimal, str) or len(self.decimal) != 1 or self.decimal == self.thousands:
            raise InputError(f"decimal is {shown(self.decimal)}; give one character, other than that of thousands")

    def _layout(self, headers: Iterable[str]) -> Layout:
        layout = layout_named(self.layout, list(headers))
        return layout.with_choices(self.columns, self.date_format, self.decimal, self.thousands)

    def one_ticker(self, file: Path, ticker: str, mic: str | None, currency: str | None) -> Bars:
        """Return the bars of a file that holds one ticker."""
        if file.suffix.lower() == PARQUET:
            dates, columns, layout = self._parquet_columns(file)
            return make_bars(str(file), ticker, dates, columns, mic, currency, layout)
        parts = split_two_rows(read_cells(file))
        cells = parts.get(ticker) or next(iter(parts.values()))
        if None not in parts and ticker not in parts:
            raise InputError(
                f"{file} has header rows of yf.download for {', '.join(map(str, list(parts)[:5]))} and is read as"
                f" {ticker}; rename it, or read it by itself: read_prices({file.name!r})"
            )
        layout = self._layout(cells.header)
        positions = match_headers(cells.header, layout.columns, cells.where, ("date", "close"))
        if "ticker" in positions and len(set(cells.column(positions["ticker"]))) > 1:
            raise _several_tickers(file)
        dates = parse_dates(cells.where, cells.numbers, cells.column(positions["date"]), layout.date_format)
        layout = _marked(cells, positions, layout)
        mic = _label(cells, positions, "mic") if mic is None else mic
        currency = currency or _label(cells, positions, "currency")
        return make_bars(str(file), ticker, dates, _values(cells, positions, layout), mic, currency, layout)

    def _parquet_columns(self, file: Path) -> tuple[Dates, Mapping[str, Floats], Layout]:
        import pandas as pd

        try:
            frame = pd.read_parquet(file)
        except Exception as error:  # damaged metadata raises errors of pyarrow, pandas and json
            raise InputError(
                f"{file} is not Parquet ({type(error).__name__}: {' '.join(str(error).split())[:200]}); write it again"
                " with DataFrame.to_parquet"
            ) from None
        if isinstance(frame.index, pd.DatetimeIndex) or str(frame.index.name).lower() in ("date", "datetime"):
            frame = frame.rename_axis(index="date").reset_index()
        headers = [str(name) for name in frame.columns]
        layout = self._layout(headers)
        positions = match_headers(headers, layout.columns, str(file), ("date", "close"))
        if "ticker" in positions and frame.iloc[:, positions["ticker"]].nunique() > 1:
            raise _several_tickers(file)
        fields = {
            name: numbers(frame.iloc[:, at], f"prices of {file}", layout.missing)
            for name, at in positions.items()
            if name in VALUES
        }
        return _dates(frame.iloc[:, positions["date"]], file, layout), fields, layout

    def long_table(self, file: Path, span: Span) -> LongTable:
        """Return the rows of a file that holds many tickers, or one that the file's name says."""
        if file.suffix.lower() == PARQUET:
            return self._long_parquet(file, span)
        tables: list[pa.Table] = []
        errors: dict[str, InputError] = {}
        for ticker, cells in split_two_rows(read_cells(file)).items():
            layout = self._layout(cells.header)
            named = (ticker or file.stem) if ticker or file.stem.isupper() else None
            required = ("date", "close") if named else ("ticker", "date", "close")
            positions = match_headers(cells.header, layout.columns, cells.where, required)
            layout = _marked(cells, positions, layout)
            read = partial(_rows, positions=positions, layout=layout, named=named)
            tables += _readable(cells, read, partial(_by_ticker, positions=positions, named=named), errors)
        return _long(tables, errors, file, span, layout)

    def _long_parquet(self, file: Path, span: Span) -> LongTable:
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(file)
        except Exception as error:  # as above
            raise InputError(f"{file} is not Parquet ({type(error).__name__}); write it again") from None
        layout = self._layout(table.schema.names)
        positions = match_headers(table.schema.names, layout.columns, str(file), ("ticker", "date", "close"))
        whole = _Part(table, np.arange(len(table)))
        read = partial(_rows_of_parquet, file=file, positions=positions, layout=layout)
        errors: dict[str, InputError] = {}
        tables = _readable(whole, read, partial(_Part.by_ticker, at=positions["ticker"]), errors)
        return _long(tables, errors, file, span, layout)


class _Part(NamedTuple):
    """Rows of a table of Parquet, with their numbers in the file, from 0."""

    table: pa.Table
    numbers: np.ndarray

    def by_ticker(self, at: int) -> dict[str, _Part]:
        """Return the rows of each ticker, which is in column ``at``."""
        tickers = self.table.column(at).to_pandas()
        groups = tickers.groupby(tickers.astype(str), sort=False).indices
        return {str(name): _Part(self.table.take(rows), self.numbers[rows]) for name, rows in groups.items()}


def _readable(
    whole: T, read: Callable[[T], pa.Table], by_ticker: Callable[[T], Mapping[str, T]], errors: dict[str, InputError]
) -> list[pa.Table]:
    """Read rows of many tickers; a cell that cannot be read loses its own ticker alone, which ``errors`` receives."""
    with suppress(InputError):
        return [read(whole)]
    tables = []
    for ticker, part in by_ticker(whole).items():
        try:
            tables.append(read(part))
        except InputError as error:
            errors[ticker] = error
    return tables


def _long(
    tables: Sequence[pa.Table], errors: Mapping[str, InputError], file: Path, span: Span, layout: Layout
) -> LongTable:
    """Return the tables as one; raise the first error if there are none."""
    import pyarrow as pa

    if not tables:
        raise next(iter(errors.values()))
    bad = {ticker: BadPrices(str(error)) for ticker, error in errors.items()}
    return LongTable.of(pa.concat_tables(tables, promote_options="default"), span, str(file), layout, bad)


def _dates(column: pd.Series, file: Path, layout: Layout) -> Dates:
    """Return the dates of a column of Parquet, of any type that a file of text can hold; its index numbers the rows."""
    return parse_dates(
        str(file), [int(number) + 1 for number in column.index], list(map(str, column)), layout.date_format
    )


def _several_tickers(file: Path) -> InputError:
    return InputError(f"{file} has rows of several tickers; read it by itself: read_prices({file.name!r})")


def _rows_of_parquet(part: _Part, file: Path, positions: Mapping[str, int], layout: Layout) -> pa.Table:
    """Return rows as an Arrow table, with what files of text may hold too: numbers as tickers, texts as numbers."""
    import pandas as pd
    import pyarrow as pa

    table = part.table
    for name, at in positions.items():
        dtype, header = table.schema.types[at], table.schema.names[at]
        whole, text = pa.types.is_integer(dtype), pa.types.is_string(dtype) or pa.types.is_large_string(dtype)
        if name == "ticker" and whole:
            new = table.column(at).cast(pa.string())
        elif name == "date" and (whole or text):
            new = pa.array(_dates(pd.Series(table.column(at).to_pylist(), part.numbers), file, layout))
        elif name in VALUES and text:
            column = pd.Series(table.column(at).to_pylist(), part.numbers, name=header, dtype=object)
            new = pa.array(numbers(column, f"prices of {file}", layout.missing), from_pandas=True)
        else:
            continue
        table = table.set_column(at, header, new)
    matched = match_columns(table.schema, layout.columns, str(file))
    return table.select(list(matched.values())).rename_columns(list(matched))


def _rows(cells: Cells, positions: Mapping[str, int], layout: Layout, named: str | None) -> pa.Table:
    """Return rows as an Arrow table; ``named`` is the ticker where no column says it."""
    import pyarrow as pa

    names = cells.column(positions["ticker"]) if "ticker" in positions else [str(named)] * len(cells.rows)
    dates = parse_dates(cells.where, cells.numbers, cells.column(positions["date"]), layout.date_format)
    columns: dict[str, object] = {"ticker": pa.array(names, pa.string()), "date": pa.array(dates)}
    columns |= {name: pa.array(values) for name, values in _values(cells, positions, layout).items()}
    texts = {name: cells.column(positions[name]) for name in ("mic", "currency") if name in positions}
    return pa.table(columns | {name: pa.array(values, pa.string()) for name, values in texts.items()})


def _by_ticker(cells: Cells, positions: Mapping[str, int], named: str | None) -> dict[str, Cells]:
    """Return the rows of each ticker, so that a cell that cannot be read loses its own ticker alone."""
    if "ticker" not in positions:
        return {str(named): cells}
    rows: dict[str, list[tuple[int, list[str]]]] = {}
    for row in cells.rows:
        rows.setdefault(row[1][positions["ticker"]].strip(), []).append(row)
    return {name: replace(cells, rows=own) for name, own in rows.items()}


def _label(cells: Cells, positions: Mapping[str, int], name: str) -> str | None:
    return one_text(cells.column(positions[name]), name, cells.where) if name in positions else None


def _values(cells: Cells, positions: Mapping[str, int], layout: Layout) -> dict[str, Floats]:
    return {name: parse_numbers(cells, at, name, layout) for name, at in positions.items() if name in VALUES}


def _marked(cells: Cells, positions: Mapping[str, int], layout: Layout) -> Layout:
    """Return the layout with the marks of decimals and thousands that all numbers of a file show."""
    return with_marks(cells, [at for name, at in positions.items() if name in VALUES], layout)


def split_two_rows(cells: Cells) -> dict[str | None, Cells]:
    """Split a table whose first two rows name fields and tickers, as yf.download's CSV does, by ticker.

    Any other table is returned whole, under None.
    """
    if not cells.rows:
        return {None: cells}
    first, second = cells.header, cells.rows[0][1]
    fields, tickers = (second, first) if _share_known(first) < _share_known(second) else (first, second)
    for row, other in ((first, second), (second, first)):
        if header_key(row[0]) == "ticker":  # shares may be called as fields are, such as LAST or OPEN
            fields, tickers = other, row
    name, rows = header_key(tickers[0]), cells.rows[1:]
    has_dates_row = bool(rows) and header_key(rows[0][1][0]) in ("date", "datetime") and not any(rows[0][1][1:])
    named = name == "ticker" or (name in ("", "price") and _share_known(tickers) < 1.0)
    if not named or "close" not in _known(fields[1:]):
        return {None: cells}
    # Numbers are tickers, as 0700, but in a row without a name, which may be one of prices without its date.
    certain = name or has_dates_row or len(set(fields)) < len(fields)
    if not certain and any(cell.replace(".", "", 1).isdigit() for cell in tickers[1:]):
        return {None: cells}
    rows = rows[1:] if has_dates_row else rows
    parts: dict[str | None, Cells] = {}
    for ticker in dict.fromkeys(tickers[1:]):
        at = [0, *(place for place, name in enumerate(tickers) if place and name == ticker)]
        priced = [(number, [row[place] for place in at]) for number, row in rows]
        parts[ticker] = Cells(
            cells.where,
            ["Date", *(fields[place] for place in at[1:])],
            [(number, row) for number, row in priced if any(cell.strip() for cell in row[1:])],
            cells.delimiter,
        )
    return parts


def _share_known(headers: Sequence[str]) -> float:
    """Return the share of the headers after the first that name a field."""
    return sum(header_key(header) in FIELDS for header in headers[1:]) / max(len(headers) - 1, 1)


def _known(headers: Iterable[str]) -> set[str]:
    return {FIELDS[header_key(header)] for header in headers if header_key(header) in FIELDS}
