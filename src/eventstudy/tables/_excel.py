"""Tables as an Excel workbook: real numbers with number formats, one sheet for each table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.files import replacing, writing
from eventstudy.tables import _fit
from eventstudy.tables._cells import LEAST_P, Cell, Format
from eventstudy.tables._table import Table

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

CREATED = datetime(2000, 1, 1)  # in every workbook, so that the same tables are the same bytes
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
MARK = "Tables by eventstudy"  # in the properties, by which a report is recognised
LONGEST_NAME = 31  # letters of the name of a sheet
LONGEST_TEXT = 32_767  # letters of a cell
WIDEST = 60  # of a column, in letters
LINE = 13.0  # points of a line
PRINTED = 110  # letters of a page on which a sheet is printed upright


def save(tables: Sequence[Table], path: str | Path) -> Path:
    """Write tables as sheets of one workbook, whole or not at all, and return its path."""
    target = Path(path)
    with writing("the workbook", target), replacing(target) as aside:
        render(tables, aside)
    return target


def render(tables: Sequence[Table], path: Path) -> None:
    """Write tables to a path."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise InputError(
            "a workbook needs xlsxwriter, which is not installed; install the extra with"
            ' pip install ".[excel]", or write .csv'
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        book.set_properties({"created": CREATED, "comments": MARK})
        names: list[str] = []
        for table in tables:
            names.append(_sheet_name(table, names))
            _sheet(_Styles(book), book.add_worksheet(names[-1]), table)


class _Styles:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self.book, self.made = book, dict[tuple[tuple[str, Any], ...], Any]()

    def get(self, **properties: Any) -> Any:
        """Return the format of some properties."""
        key = tuple(sorted(properties.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format({"font_name": "Calibri", "font_size": 10, **properties})
        return self.made[key]


def _sheet_name(table: Table, taken: Sequence[str]) -> str:
    """Return a name that no other sheet has."""
    name = re.sub(r"[\[\]:*?/\\']", " ", table.label or "table")[:LONGEST_NAME].strip() or "table"
    same = [other for other in taken if other.split(" ")[0] == name]
    return f"{name[: LONGEST_NAME - 4]} {len(same) + 1}" if same else name


def _sheet(styles: _Styles, sheet: Worksheet, table: Table) -> None:
    """Write title, heads, rows and notes; the heads are frozen, and printed again on each page."""
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, table.title[:LONGEST_TEXT], styles.get(bold=True))
    first = _heads(styles, sheet, table)
    last = first + len(table.rows) - 1
    for at, row in enumerate(table.rows):
        for k, cell in enumerate(row):
            edge = {"bottom": 2} if at == len(table.rows) - 1 else {}
            edge |= {"top": 4} if at in table.breaks else {}
            _write(styles, sheet, (first + at, k), cell, right=table.columns[k].right, edge=edge)
    if not table.rows:
        sheet.write_string(first, 0, table.empty, styles.get())
        last = first
    widths = _widths(table)
    _notes(styles, sheet, table, last + 2, sum(widths))
    for k, width in enumerate(widths):
        sheet.set_column(k, k, width)
    sheet.freeze_panes(first, table.n_keys)
    sheet.repeat_rows(first - 1)
    sheet.fit_to_pages(1, 0)
    if sum(widths) > PRINTED:
        sheet.set_landscape()


def _notes(styles: _Styles, sheet: Worksheet, table: Table, first: int, width: float) -> None:
    """Write each note over the width of the table, with as many lines as it needs."""
    style = styles.get(italic=True, font_size=9, text_wrap=True, valign="top")
    for at, note in enumerate(table.notes, start=first):
        if len(table.columns) > 1:
            sheet.merge_range(at, 0, at, len(table.columns) - 1, "", style)
        sheet.write_string(at, 0, note[:LONGEST_TEXT], style)
        sheet.set_row(at, LINE * math.ceil(formats.columns_of(note) / width))


def _heads(styles: _Styles, sheet: Worksheet, table: Table) -> int:
    """Write the heads, those shared by columns merged above them; return the row below."""
    top = 2
    spans = any(column.span for column in table.columns)
    first = 0
    for span, block in groupby(table.columns, key=lambda column: column.span) if spans else ():
        n = len(list(block))
        style = styles.get(align="center", top=2, bottom=1 if span else 0)
        if span and n > 1:
            sheet.merge_range(top, first, top, first + n - 1, span, style)
        else:
            for k in range(first, first + n):
                sheet.write_string(top, k, span, style)
        first += n
    row = top + int(spans)
    heads = _fit.layout(table, lambda text: float(formats.columns_of(text)), 1.0, WIDEST).heads
    sheet.set_row(row, LINE * max(map(len, heads)) + 2)
    for k, column in enumerate(table.columns):
        edge = {"bottom": 1} if spans else {"top": 2, "bottom": 1}
        style = styles.get(align="right" if column.right else "left", text_wrap=True, valign="bottom", **edge)
        sheet.write_string(row, k, "\n".join(heads[k]), style)
    return row + 1


def _write(
    styles: _Styles, sheet: Worksheet, at: tuple[int, int], cell: Cell, *, right: bool, edge: dict[str, int]
) -> None:
    """Write one cell: a number with its number format, a date, or text; the head of a column says where it is (%)."""
    value = cell.value
    align = "right" if right else "left"
    if cell.format.is_number and not formats.is_missing(value) and math.isfinite(number := float(value)):  # type: ignore[arg-type]  # a number by its format
        style = styles.get(num_format=number_format(cell), align=align, **edge)
        sheet.write_number(*at, 100 * number if cell.format.kind == "percent" else number, style)
    elif cell.format.kind == "date" and isinstance(value, pd.Timestamp) and value.tzinfo is None:
        pattern = "yyyy-mm-dd" if value == value.normalize() else "yyyy-mm-dd hh:mm"
        sheet.write_datetime(*at, value.to_pydatetime(), styles.get(num_format=pattern, align=align, **edge))
    else:
        sheet.write_string(*at, cell.text[:LONGEST_TEXT], styles.get(align=align, **edge))


def number_format(cell: Cell) -> str:
    """Return the number format of a cell, with its brackets and mark as text.

    Examples
    --------
    >>> from eventstudy.tables._cells import PERCENT, P
    >>> number_format(Cell(-0.0612, PERCENT, "***")), number_format(Cell(0.0002, P, brackets=True))
    ('0.00"***"', '"(<0.001)"')
    """
    before, after = ("(", ")" + cell.mark) if cell.brackets else ("", cell.mark)
    if cell.format.kind == "p" and float(cell.value) < LEAST_P:  # type: ignore[arg-type]  # a number by its format
        return f'"{before}<{LEAST_P}{after}"'
    pattern = _pattern(cell.format, float(cell.value))  # type: ignore[arg-type]  # a number by its format
    quoted = [f'"{text}"' if text else "" for text in (before, after)]
    return f"{quoted[0]}{pattern}{quoted[1]}"


def _pattern(form: Format, value: float) -> str:
    if form.kind == "count":
        return "0" if value.is_integer() else "0.0"
    return "0." + "0" * form.digits if form.digits else "0"


def _widths(table: Table) -> list[float]:
    """Return the widths of the columns in letters."""
    found = _fit.layout(table, lambda text: float(formats.columns_of(text)), 1.0, WIDEST)
    return [max(width, 4.0) + 2.5 for width in found.widths]
