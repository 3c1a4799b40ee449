"""Read a file as cells of text, and cells as dates and numbers: CSV in any common dialect, and Excel workbooks."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from eventstudy.errors import InputError, shown
from eventstudy.tabular.columns import Layout
from eventstudy.tabular.excel import read_rows
from eventstudy.types import Dates, Floats

# yfinance writes dates as 2021-09-13 00:00:00-04:00: midnight at the exchange, so its date is the session.
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
# The start of an intraday bar: a time, with its UTC offset as the group.
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.0+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
DIGITS = frozenset("0123456789+-.eE")  # of these, float() reads what NUMBER matches
MISSING = frozenset({"", "null", "NULL", "NaN", "nan", "NA", "N/A", "#N/A", "None", ".", "-"})
DELIMITERS = (",", ";", "\t")
# In a file whose cells are not separated by commas, 1.234 is a number with three decimals, or one thousand and more.
IN_DOUBT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
COMMA = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})\s*%?", re.ASCII)  # a decimal comma
POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?", re.ASCII)  # that separate thousands, or IN_DOUBT
EXCEL, TABLES = (".xlsx",), (".csv", ".tsv", ".xlsx", ".parquet")


@dataclass(frozen=True)
class Cells:
    """A table of text: what it is called in errors, its header, its rows with their numbers in the file.

    ``delimiter`` is what separates its cells, None in a workbook.
    """

    where: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows in the file, from 1."""
        return [number for number, _ in self.rows]

    def column(self, position: int) -> list[str]:
        """Return the cells of a column without blanks around them."""
        return [row[position].strip() for _, row in self.rows]


def read_cells(file: Path) -> Cells:
    """Read a CSV or Excel file as text.

    Raises
    ------
    InputError
        If the file is not CSV in UTF-8 or a workbook, is empty, or a row has too many or too few cells.
    """
    delimiter, rows = (None, _excel_rows(file)) if file.suffix.lower() in EXCEL else _csv_rows(file)
    if not rows:
        raise InputError(f"{file} is empty; its first row names the columns")
    header = rows[0][1]
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise InputError(
                f"{file}, row {number} has {len(cells)} cells and its header has {len(header)}; complete the row, or"
                " put quotes around a cell with a comma"
            )
    return Cells(str(file), header, rows[1:], delimiter)


def _csv_rows(file: Path) -> tuple[str, list[tuple[int, list[str]]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            delimiter = max(DELIMITERS, key=first.count)
            reader = csv.reader(stream, strict=True, delimiter=delimiter)
            return delimiter, [(number, cells) for number, cells in enumerate(reader, 1) if cells]
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} is not CSV in UTF-8 ({error}); save it as CSV in UTF-8") from None


def _excel_rows(file: Path) -> list[tuple[int, list[str]]]:
    """Read a workbook; dates become ISO text, and numbers the shortest text that gives them back."""
    return [(at, [_cell_text(cell) for cell in row]) for at, row in enumerate(read_rows(file, "prices"), 1)]


def _cell_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def with_marks(cells: Cells, positions: Sequence[int], layout: Layout) -> Layout:
    """Return the layout with the marks of decimals and thousands that a file's own numbers show, where none is stated.

    Parameters
    ----------
    cells : Cells
    positions : sequence of int
        The columns of numbers.
    layout : Layout

    Raises
    ------
    InputError
        If a number such as 1.234 may be 1234, and no other number tells.
    """
    if layout.decimal == "," and not layout.thousands:
        return replace(layout, thousands=".")
    if cells.delimiter in (None, ",") or layout.decimal != "." or layout.thousands:
        return layout
    texts = [(number, at, row[at].strip()) for number, row in cells.rows for at in positions]
    doubtful = [cell for cell in texts if IN_DOUBT.fullmatch(cell[2])]
    if not doubtful or any(
        "." in text and NUMBER.fullmatch(text) and not IN_DOUBT.fullmatch(text) for *_, text in texts
    ):
        return layout
    every = (cell.strip() for _, row in cells.rows for cell in row)
    if any(COMMA.fullmatch(text) or (POINTS.fullmatch(text) and not IN_DOUBT.fullmatch(text)) for text in every):
        return replace(layout, decimal=",", thousands=".")
    number, at, text = doubtful[0]
    raise InputError(
        f"{cells.where}, row {number}, column {cells.header[at]}: {shown(text)} is a number with three decimals, or has"
        " a point between thousands; say decimal=',' if the point separates thousands, or thousands=',' if it is a"
        " decimal point"
    )


def parse_numbers(cells: Cells, position: int, name: str, layout: Layout) -> Floats:
    """Return a column as doubles, NaN where missing.

    Raises
    ------
    InputError
        If a cell is not a number; the message has its row, its column and its text.
    """
    column = texts = cells.column(position)
    if name in layout.prepare:
        texts = [layout.prepare[name](text) for text in texts]
    if layout.thousands:
        mark = re.escape(layout.thousands)
        grouped = re.compile(rf"[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:\D.*)?", re.ASCII)
        texts = [text.replace(layout.thousands, "") if grouped.fullmatch(text) else text for text in texts]
    if layout.decimal != ".":
        texts = [text.replace(".", "x").replace(layout.decimal, ".") for text in texts]
    if DIGITS.issuperset("".join(texts)) and not layout.missing:
        try:
            return np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
        except ValueError:  # the first that is no number is looked for below
            pass
    missing = MISSING | set(layout.missing)
    values = np.full(len(texts), np.nan)
    for at, (text, cell) in enumerate(zip(texts, column, strict=True)):
        if cell in missing or text in missing:
            continue
        if not NUMBER.fullmatch(text):
            raise _not_a_number(cells, cells.numbers[at], position, cell)
        values[at] = float(text)
    return values


def _not_a_number(cells: Cells, number: int, position: int, cell: str) -> InputError:
    remedy = "leave the cell empty where the price is missing, and write 1234.5, not 1,234.5"
    if re.fullmatch(r"[\d.]+,\d+", cell):
        remedy += "; if the comma is a decimal comma, say decimal=',', if it separates thousands, thousands=','"
    return InputError(
        f"{cells.where}, row {number}, column {cells.header[position]}: {shown(cell)} is not a number; {remedy}"
    )


def parse_dates(where: str, numbers: Sequence[int], cells: Sequence[str], date_format: str | None = None) -> Dates:
    """Return texts as dates or, where any time is not midnight, as the starts of intraday bars in UTC.

    Raises
    ------
    InputError
        If a text is not a date; the message has its row and the text.
    """
    if date_format is None and all(map(MIDNIGHT.fullmatch, cells)):
        with suppress(ValueError):  # the first day that does not exist is looked for below
            return np.array([cell[:10] for cell in cells], dtype="datetime64[D]")
    elif date_format is None and any(map(INSTANT.fullmatch, cells)):
        return _parse_starts(where, numbers, cells)
    days = []
    for number, cell in zip(numbers, cells, strict=True):
        try:
            days.append(_day(cell, date_format))
        except ValueError:
            valid = (
                f"a date in the format {shown(date_format)}"
                if date_format
                else "an ISO date, as in 2021-09-13; 03/11/2020 could be March or November: write the dates again, as"
                " year-month-day, or say date_format='%d/%m/%Y'"
            )
            raise InputError(f"{where}, row {number}, column Date: {shown(cell)} is not {valid}") from None
    return np.array(days, dtype="datetime64[D]")


def _day(cell: str, date_format: str | None) -> np.datetime64 | date:
    if date_format is not None:
        return datetime.strptime(cell, date_format).date()
    compact = COMPACT.fullmatch(cell)
    if compact:
        return date(*map(int, compact.groups()))
    match = MIDNIGHT.fullmatch(cell)
    return np.datetime64(match[1] if match else "no date", "D")


def _parse_starts(where: str, numbers: Sequence[int], cells: Sequence[str]) -> Dates:
    bad = [(number, cell) for number, cell in zip(numbers, cells, strict=True) if not _has_offset(cell)]
    if bad:
        number, cell = min(bad, key=lambda row: INSTANT.fullmatch(row[1]) is None)  # prefer a time without an offset
        raise InputError(
            f"{where}, row {number}, column Date: {shown(cell)} is not the start of a bar; if one row has a time of"
            " day, all rows need a time and its UTC offset, as in 2021-01-04T09:30-05:00: tz_localize the index before"
            " writing"
        )
    import pandas as pd

    try:
        starts = pd.DatetimeIndex(pd.to_datetime(list(cells), format="ISO8601", utc=True)).tz_localize(None)
    except ValueError as error:
        raise InputError(f"{where}, column Date has a time that does not exist: {error}") from None
    return np.asarray(starts.to_numpy().astype("datetime64[s]"))


def _has_offset(cell: str) -> bool:
    match = INSTANT.fullmatch(cell)
    return match is not None and match[1] is not None
