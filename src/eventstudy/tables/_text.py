"""A table as plain text for a terminal, of 100 columns if no other width is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from eventstudy.display import formats
from eventstudy.tables import _fit
from eventstudy.tables._cells import Cell
from eventstudy.tables._table import Column, Row, Table

WIDTH = 100
GAP = 2
LONGEST = 30  # of a column of text, unless it is the last, in a table that is too wide
SHORTEST = 18  # of the first column, where the table is too wide
# Of the last column, if it is text: at least, before other columns are left out, and before the first is shortened.
LEAST, GOOD_LAST, WRAPPED = 8, 16, 20


def render(table: Table, width: int = WIDTH) -> str:
    """Return a table as text of some columns: what is wider is parted by columns, and long text is cut."""
    parts = _fit.parts(table, _measured(table, width), width, GAP)
    return formats.terminal("\n\n".join("\n".join(_lines(part, width)) for part in parts))


def fits(table: Table, width: int) -> bool:
    """Return whether a table fits into a width, with room to wrap the text of its last column."""
    if not table.rows:
        return True
    widths = _shortened(table, _measured(table, width), width)
    last = max(formats.columns_of(row[-1].text) for row in table.rows)
    wrapped = not table.columns[-1].right and widths[-1] < min(last, GOOD_LAST)
    return sum(widths) + GAP * (len(widths) - 1) <= width and not wrapped


def _measured(table: Table, width: int) -> _fit.Layout:
    """Measure a table; long text is shortened only if the table does not fit."""
    whole, short = (
        _fit.layout(table, lambda text: float(formats.columns_of(text)), GAP, longest) for longest in (width, LONGEST)
    )
    return whole if whole.total(range(len(table.columns)), GAP) <= width else short


def _lines(table: Table, width: int) -> Iterator[str]:
    yield from formats.wrap(table.title, width)
    yield "-" * width
    if not table.rows:
        yield table.empty
    else:
        yield from _grid(table, width)
    for note in table.notes:
        yield from formats.wrap(note, width, "  ")


def _grid(table: Table, width: int) -> Iterator[str]:
    """Yield the heads and rows."""
    found = _measured(table, width)
    widths, tails = _shortened(table, found, width), [int(tail) for tail in found.tails]
    if any(column.span for column in table.columns):
        yield _spans(table.columns, widths)
    for at in range(-found.n_lines, 0):
        heads = [lines[at] if len(lines) >= -at else "" for lines in found.heads]
        yield _line([_padded(h, w, c.right) for h, w, c in zip(heads, widths, table.columns, strict=True)])
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            yield ""
        yield from _row(table.columns, row, widths, tails)


def _shortened(table: Table, found: _fit.Layout, width: int) -> list[int]:
    """Return the widths of a part: text of the first column is shortened if it must, that of the last wrapped."""
    widths = [int(width) for width in found.widths]
    spare = width - GAP * (len(widths) - 1) - sum(widths[1:-1])
    if not table.columns[0].right:
        last = widths[-1] if table.columns[-1].right else min(widths[-1], WRAPPED)
        widths[0] = max(min(widths[0], spare - last), min(widths[0], SHORTEST))
    if not table.columns[-1].right:
        longest = max(formats.columns_of(row[-1].text) for row in table.rows)
        widths[-1] = max(min(max(longest, widths[-1]), spare - widths[0]), LEAST)
    return widths


def _row(columns: Sequence[Column], row: Row, widths: Sequence[int], tails: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a row: more than one where the text of the last column is wrapped."""
    cells = [_shown(cell, c, w, t) for cell, c, w, t in zip(row, columns, widths, tails, strict=True)]
    rest: list[str] = []
    if not columns[-1].right:
        cells[-1], *rest = formats.wrap(row[-1].text, widths[-1])
    yield _line(cells)
    indent = " " * (sum(widths[:-1]) + GAP * (len(widths) - 1))
    yield from (indent + line for line in rest)


def _shown(cell: Cell, column: Column, width: int, tail: int) -> str:
    """Return a cell padded to the width of its column; what follows the digits stands to the right of their line."""
    if not column.right:
        return _padded(cell.text, width, right=False)
    body, mark = cell.parts
    return _padded(body + mark + " " * (tail - formats.columns_of(mark)), width, right=True)


def _spans(columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Return the line of shared heads, each over its columns."""
    cells = []
    for span, block in groupby(range(len(columns)), key=lambda k: columns[k].span):
        own = list(block)
        width = sum(widths[k] for k in own) + GAP * (len(own) - 1)
        shown = formats.cut(span, width)
        left = (width - formats.columns_of(shown)) // 2
        cells.append(_padded(" " * left + shown, width, right=False))
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return (" " * GAP).join(cells).rstrip()


def _padded(text: str, width: int, right: bool) -> str:
    shown = formats.cut(text, width)
    space = " " * (width - formats.columns_of(shown))
    return space + shown if right else shown + space
