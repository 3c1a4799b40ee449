"""What an object says of itself: facts, tables and notes, as text for a terminal and as HTML for a notebook.

The HTML has its style at each element, without script or style sheet, and takes the colours of the page around it, so
that it can be read on light and on dark pages. All text in it is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from eventstudy.display import formats

WIDTH = 100  # terminal columns at most
LEAST = 78
GAP = 2
LONGEST_CELL = 40
RULE = "1px solid rgba(128, 128, 128, 0.5)"
CELL = "padding: 0.15em 0.7em; border: 0; background: none;"

LABEL = f"{CELL} text-align: left; font-weight: 600; white-space: nowrap;"


class Grid(NamedTuple):
    """A table of text cells: ``right`` says which columns are flush right."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: tuple[bool, ...]
    title: str = ""


@dataclass(frozen=True, repr=False)
class Summary:
    """Facts, tables and notes under a title; printing it shows text of at most 100 columns.

    Attributes
    ----------
    title : str
    facts : sequence of (str, str)
        Labels and values, shown in two columns.
    tables : sequence of Grid
    notes : sequence of str

    Examples
    --------
    >>> Summary("A study", [("Events", "3"), ("Model", "market")]).as_html().count("<th")
    2
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Grid] = ()
    notes: Sequence[str] = ()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()

    def as_text(self) -> str:
        """Return the text, without a line break at its end."""
        widest = max((sum(_widths(grid)) + GAP * (len(grid.columns) - 1) for grid in self.tables), default=0)
        width = min(max(LEAST, widest), WIDTH)
        lines = [*(line.center(width).rstrip() for line in formats.wrap(self.title, width)), "=" * width]
        lines += _in_two_columns(self.facts, width)
        for grid in self.tables:
            for part in _parts(grid, width):
                lines += ["-" * width, *_lines(part)]
        lines.append("=" * width)
        for note in self.notes:
            lines += formats.wrap(f"- {note}", width, "  ")
        return formats.terminal("\n".join(lines))

    def as_html(self) -> str:
        """Return one ``<div>``, to be put into a page."""
        parts = [f'<div style="font-weight: 600; margin: 0.3em 0;">{html.escape(self.title)}</div>']
        if self.facts:
            parts.append(_table("", "".join(_fact_row(pair) for pair in _pairs(self.facts))))
        parts += [_grid(grid) for grid in self.tables]
        if self.notes:
            items = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
            parts.append(f'<ul style="margin: 0.4em 0; padding-left: 1.4em; font-size: 0.9em;">{items}</ul>')
        return f'<div style="max-width: 62em; overflow-x: auto;">{"".join(parts)}</div>'


def _pairs(facts: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield the facts side by side: the first half at the left, the second at the right."""
    half = (len(facts) + 1) // 2
    return zip_longest(facts[:half], facts[half:], fillvalue=("", ""))


def _in_two_columns(facts: Sequence[tuple[str, str]], width: int) -> list[str]:
    half = (width - GAP) // 2
    lines = []
    for left, right in _pairs(facts):
        for first, second in zip_longest(_fact(left, half), _fact(right, half), fillvalue=""):
            lines.append((first + " " * (width - half - formats.columns_of(first)) + second).rstrip())
    return lines


def _fact(fact: tuple[str, str], width: int) -> list[str]:
    """Return the lines of a fact: its label, and its value at the right, or below in several lines if it is long."""
    label, value = f"{fact[0]}:" if fact[0] else "", fact[1]
    space = width - formats.columns_of(label) - formats.columns_of(value)
    if space >= 1:
        return [label + " " * space + value]
    return [label, *("  " + line for line in formats.wrap(value, width - 2))]


def _widths(grid: Grid) -> list[int]:
    columns = zip(grid.columns, *grid.rows, strict=True)
    return [min(max(map(formats.columns_of, cells)), LONGEST_CELL) for cells in columns]


def _parts(grid: Grid, width: int) -> Iterator[Grid]:
    """Yield a table in parts that are not wider than ``width``; each has the first column."""
    widths = _widths(grid)
    chosen: list[int] = []
    for column in range(1, len(widths)):
        taken = widths[0] + sum(widths[k] + GAP for k in (*chosen, column))
        if chosen and taken > width:
            yield _columns(grid, [0, *chosen])
            chosen = []
        chosen.append(column)
    yield _columns(grid, [0, *chosen])


def _columns(grid: Grid, chosen: list[int]) -> Grid:
    def pick(cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(cells[k] for k in chosen)

    return Grid(pick(grid.columns), [pick(row) for row in grid.rows], tuple(grid.right[k] for k in chosen), grid.title)


def _lines(grid: Grid) -> list[str]:
    """Return the lines of a table: title, heads, a rule and the rows."""
    widths = _widths(grid)
    lines = [grid.title] if grid.title else []
    for cells in (grid.columns, *grid.rows):
        padded = []
        for cell, width, right in zip(cells, widths, grid.right, strict=True):
            shown = formats.cut(cell, width)
            space = " " * (width - formats.columns_of(shown))
            padded.append(space + shown if right else shown + space)
        lines.append((" " * GAP).join(padded).rstrip())
    return lines


def _table(caption: str, rows: str) -> str:
    head = f'<caption style="caption-side: top; text-align: left;">{html.escape(caption)}</caption>' if caption else ""
    style = f"border-collapse: collapse; border: 0; border-top: {RULE}; border-bottom: {RULE}; margin: 0.4em 0;"
    return f'<table style="{style}">{head}{rows}</table>'


def _fact_row(pair: tuple[tuple[str, str], tuple[str, str]]) -> str:
    cells = ""
    for label, value in pair:
        if label:
            cells += f'<th scope="row" style="{LABEL}">{html.escape(label)}</th>'
            cells += f'<td style="{CELL} text-align: left;">{html.escape(value)}</td>'
    return f'<tr style="background: none;">{cells}</tr>'


def _grid(grid: Grid) -> str:
    sides = ["right" if right else "left" for right in grid.right]
    heads = "".join(
        f'<th scope="col" style="{CELL} text-align: {side}; border-bottom: {RULE};">{html.escape(name)}</th>'
        for name, side in zip(grid.columns, sides, strict=True)
    )
    body = ""
    for row in grid.rows:
        cells = "".join(
            f'<td style="{CELL} text-align: {side}; white-space: nowrap;">{html.escape(cell)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        body += f'<tr style="background: none;">{cells}</tr>'
    return _table(grid.title, f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>")
