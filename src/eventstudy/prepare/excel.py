"""The events sheet of an Excel workbook as a data frame, its cells as they are typed there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Protocol, cast

import pandas as pd

from eventstudy.errors import InputError

Rows = list[list[object]]
SHEET = "events"


class _Cell(Protocol):
    value: object
    number_format: str


class _Sheet(Protocol):
    """What is used of openpyxl's read-only sheets, whose types are not published right."""

    title: str

    def reset_dimensions(self) -> None: ...

    def iter_rows(self) -> Iterable[tuple[_Cell, ...]]: ...


def read_sheet(file: Path, as_typed: Sequence[str]) -> pd.DataFrame:
    """Return the only sheet of a workbook that is not empty, or the one named ``events``.

    Parameters
    ----------
    file : Path
    as_typed : sequence of str
        Columns whose cells stay as they are typed; in the other columns, pandas infers the type.

    Raises
    ------
    InputError
        If openpyxl is not installed, the file is not a workbook, or its sheet or header is ambiguous.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise InputError(
            f"{str(file)!r} is a workbook, and openpyxl, which reads it, is not installed;"
            ' install it with pip install ".[excel]", or save the sheet as CSV (UTF-8)'
        ) from None
    try:
        book = load_workbook(file, read_only=True, data_only=True)
        sheets = {sheet.title: _rows(sheet) for sheet in cast("list[_Sheet]", book.worksheets)}
        book.close()
    except Exception as error:  # openpyxl has no base class: a damaged file raises whatever its parsers raise
        raise InputError(
            f"the workbook {str(file)!r} cannot be read ({type(error).__name__}); save it again as .xlsx, or as CSV"
        ) from error
    return _frame(file, _choose(file, sheets), as_typed)


def _rows(sheet: _Sheet) -> Rows:
    """Return the cells of all rows that are not empty, of one length."""
    sheet.reset_dimensions()  # a stated size may be wrong, or the largest possible
    rows = [[_value(cell) for cell in row] for row in sheet.iter_rows()]
    filled = [row for row in rows if any(cell is not None for cell in row)]
    width = max(map(len, filled), default=0)
    return [row + [None] * (width - len(row)) for row in filled]


def _value(cell: _Cell) -> object:
    """Return a cell's value; a date without a time of day in its format is a date, and blank text is empty."""
    value = cell.value
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, datetime) and value.time() == time() and "h" not in str(cell.number_format).lower():
        return value.date()
    return value


def _choose(file: Path, sheets: dict[str, Rows]) -> Rows:
    """Return the sheet of the events."""
    filled = {name: rows for name, rows in sheets.items() if rows}
    named = [name for name in filled if name.strip().lower() == SHEET]
    if len(filled) > 1 and len(named) != 1:
        names = ", ".join(map(repr, list(filled)[:5]))
        raise InputError(
            f"the workbook {str(file)!r} has {len(filled)} sheets: {names}; name the one to read {SHEET!r}"
        )
    if not filled:
        raise InputError(f"the workbook {str(file)!r} has no cells; give at least one event")
    return filled[named[0]] if named else next(iter(filled.values()))


def _frame(file: Path, rows: Rows, as_typed: Iterable[str]) -> pd.DataFrame:
    """Return rows as a frame under the names in the first of them."""
    header, *cells = rows
    used = [at for at, name in enumerate(header) if name is not None or any(row[at] is not None for row in cells)]
    unnamed = [at + 1 for at in used if header[at] is None]
    if unnamed:
        raise InputError(f"column {unnamed[0]} of the workbook {str(file)!r} has cells and no name in the first row")
    names = [str(header[at]).strip() for at in used]
    typed = pd.DataFrame([[row[at] for at in used] for row in cells], columns=names, dtype=object)
    if typed.columns.has_duplicates:
        return typed  # refused by name when the events are read
    further = [name for name in names if name not in as_typed]
    return typed.assign(**{name: typed[name].infer_objects() for name in further})
