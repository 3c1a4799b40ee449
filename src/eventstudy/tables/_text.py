"""A table as plain text for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from eventstudy.display import formats
from eventstudy.tables import _fit
from eventstudy.tables._cells import Cell
from eventstudy.tables._table import Column, Row, Table

WIDTH = 100
GAP = 2
LONGEST = 40  # columns of text, unless it is the last
LEAST = 8  # of the last column, if it is text


def render(table: Table) -> str:
    """Return a table as text of at most 100 columns: what is wider is parted by columns, and long text is cut."""
    return "\n\n".join("\n".join(_lines(part)) for part in _fit.parts(table, _widths(table), WIDTH, GAP))


def _lines(table: Table) -> Iterator[str]:
    yield from wrap(table.title, WIDTH)
    yield "-" * WIDTH
    if not table.rows:
        yield table.empty
    else:
        yield from _grid(table)
    for note in table.notes:
        yield from wrap(note, WIDTH, "  ")


def _grid(table: Table) -> Iterator[str]:
    """Yield the heads and rows."""
    widths = _limited(table)
    _, tails = _body_and_tail(table)
    if any(column.span for column in table.columns):
        yield _spans(table.columns, widths)
    yield _line([_padded(c.head, w, c.right) for c, w in zip(table.columns, widths, strict=True)])
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            yield ""
        yield from _row(table.columns, row, widths, tails)


def _row(columns: Sequence[Column], row: Row, widths: Sequence[int], tails: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a row: more than one where the text of the last column is wrapped."""
    last = row[-1].text if not columns[-1].right else ""
    first, *rest = wrap(last, widths[-1]) or [""]
    cells = [_shown(cell, c, w, t) for cell, c, w, t in zip(row, columns, widths, tails, strict=True)]
    if not columns[-1].right:
        cells[-1] = first
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


def _body_and_tail(table: Table) -> tuple[list[int], list[int]]:
    """Return by column the width of the digits, and of what follows them."""
    pairs = [[row[k].parts for row in table.rows] for k in range(len(table.columns))]
    bodies = [max((formats.columns_of(body) for body, _ in own), default=0) for own in pairs]
    tails = [max((formats.columns_of(mark) for _, mark in own), default=0) for own in pairs]
    return bodies, tails


def _widths(table: Table) -> list[int]:
    """Return the width that each column needs: text of the keys at most 40, of the last column at least 8."""
    bodies, tails = _body_and_tail(table)
    content = [body + tail for body, tail in zip(bodies, tails, strict=True)]
    widths = [max(formats.columns_of(c.head), w) for c, w in zip(table.columns, content, strict=True)]
    for span, block in groupby(range(len(widths)), key=lambda k: table.columns[k].span):
        own = list(block)
        missing = formats.columns_of(span) - sum(widths[k] for k in own) - GAP * (len(own) - 1)
        widths[own[-1]] += max(missing, 0)
    limited = [w if c.right else min(w, LONGEST) for c, w in zip(table.columns, widths, strict=True)]
    if not table.columns[-1].right:
        limited[-1] = min(limited[-1], max(WIDTH - sum(limited[:-1]) - GAP * (len(limited) - 1), LEAST))
    return limited


def _limited(table: Table) -> list[int]:
    """Return the widths of a part: the text of its first column is shortened if it still does not fit."""
    widths = _widths(table)
    over = sum(widths) + GAP * (len(widths) - 1) - WIDTH
    for k, column in enumerate(table.columns):
        if over > 0 and not column.right:
            less = min(over, max(widths[k] - LEAST, 0))
            widths[k], over = widths[k] - less, over - less
    return widths


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Return text as lines of at most some terminal columns; lines after the first begin with the indent.

    A word longer than a line is broken.

    Examples
    --------
    >>> wrap("one two three", 8, "  ")
    ['one two', '  three']
    """
    lines: list[str] = []
    current = ""
    for word in text.split():
        joined = f"{current} {word}" if current.strip() else current + word
        if formats.columns_of(joined) > width and current.strip():
            lines.append(current)
            joined = indent + word
        while formats.columns_of(joined) > width:
            head = formats.truncate(joined, width)
            lines.append(head)
            joined = indent + joined[len(head) :]
        current = joined
    return [*lines, current]
