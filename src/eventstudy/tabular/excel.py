"""The sheet of an Excel workbook, its cells as they are typed there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from pathlib import Path
from typing import Protocol, cast
from zipfile import ZipFile

from eventstudy.errors import InputError

Rows = list[list[object]]
UNPACKED = 200  # bytes in memory for each byte of a workbook, at most; sheets of real numbers take some twenty
LEAST = 100_000_000  # bytes that a small workbook may have in any case


class _Cell(Protocol):
    value: object
    number_format: str


class _Sheet(Protocol):
    """What is used of openpyxl's read-only sheets, whose types are not published right."""

    title: str

    def reset_dimensions(self) -> None: ...

    def iter_rows(self) -> Iterable[tuple[_Cell, ...]]: ...


def read_rows(file: Path, sheet: str) -> Rows:
    """Return the cells of the only sheet of a workbook that is not empty, or of the one with a name.

    Parameters
    ----------
    file : Path
    sheet : str
        The name, without regard to case, by which one of several sheets is chosen.

    Returns
    -------
    list of list
        Values as they are typed, None where empty; rows of one length, without empty ones.

    Raises
    ------
    InputError
        If openpyxl is not installed, the file is not a workbook, or its sheet is ambiguous.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise InputError(
            f"{str(file)!r} is a workbook, and openpyxl, which reads it, is not installed;"
            ' install it with pip install ".[excel]", or save the sheet as CSV (UTF-8)'
        ) from None
    try:
        _check_size(file)
        with file.open("rb") as opened:  # openpyxl leaves a damaged file open
            book = load_workbook(opened, read_only=True, data_only=True)
            sheets = {one.title: _rows(one) for one in cast("list[_Sheet]", book.worksheets)}
    except Exception as error:  # openpyxl has no base class: a damaged file raises whatever its parsers raise
        raise InputError(
            f"the workbook {str(file)!r} cannot be read ({type(error).__name__}); save it again as .xlsx, or as CSV"
        ) from error
    return _choose(file, sheets, sheet)


def _check_size(file: Path) -> None:
    """Raise ValueError for a zip that unpacks to far more than its size; no more is read than its entries declare."""
    with ZipFile(file) as archive:
        if sum(info.file_size for info in archive.infolist()) > max(LEAST, UNPACKED * file.stat().st_size):
            raise ValueError("more than a workbook can hold")


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


def _choose(file: Path, sheets: dict[str, Rows], sheet: str) -> Rows:
    """Return the one sheet with cells, or the one that is named so."""
    filled = {name: rows for name, rows in sheets.items() if rows}
    named = [name for name in filled if name.strip().lower() == sheet]
    if len(filled) > 1 and len(named) != 1:
        names = ", ".join(map(repr, list(filled)[:5]))
        raise InputError(
            f"the workbook {str(file)!r} has {len(filled)} sheets: {names}; name the one to read {sheet!r}"
        )
    if not filled:
        raise InputError(
            f"the workbook {str(file)!r} has no cells; its first row names the columns, and each further one is read"
        )
    return filled[named[0]] if named else next(iter(filled.values()))
