"""Tables that are wider than their page: heads in two lines, and parts that fit, each with the key columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from eventstudy.tables._cells import Cell
from eventstudy.tables._table import Table

PARTED = "The table is wider than the page and is therefore parted by columns."
NARROW = 8  # letters that a head may have where the cells below it have fewer


@dataclass(frozen=True)
class Layout:
    """What the columns of a table need: the lines of each head, and the width of digits, of marks, and of a column."""

    heads: tuple[tuple[str, ...], ...]
    bodies: tuple[float, ...]
    tails: tuple[float, ...]
    widths: tuple[float, ...]

    def total(self, chosen: Sequence[int], gap: float) -> float:
        """Return the width of some columns."""
        return sum(self.widths[k] for k in chosen) + gap * (len(chosen) - 1)

    @property
    def n_lines(self) -> int:
        """The lines of the heads."""
        return max(map(len, self.heads))


Measure = Callable[[str], float]


def layout(
    table: Table,
    measure: Measure,
    gap: float,
    longest: float,
    of_numbers: Callable[[Sequence[Cell], Measure], float] | None = None,
) -> Layout:
    """Measure the columns of a table.

    Parameters
    ----------
    table : Table
    measure : function from text to width
    gap : float
        The room between two columns.
    longest : float
        The widest that a column of text becomes.
    of_numbers : function from the cells of a column and ``measure`` to width, optional
        For numbers that are not aligned at the right of their digits.
    """
    n = len(table.columns)
    pairs = [[row[k].parts for row in table.rows] for k in range(n)]
    bodies = tuple(max((measure(body) for body, _ in own), default=0.0) for own in pairs)
    tails = tuple(max((measure(mark) for _, mark in own), default=0.0) for own in pairs)
    contents = [max((len(body) + len(mark) for body, mark in own), default=0) for own in pairs]
    heads = tuple(broken(column.head, content) for column, content in zip(table.columns, contents, strict=True))
    inner = [
        bodies[k] + tails[k]
        if of_numbers is None or not table.columns[k].right
        else of_numbers([row[k] for row in table.rows], measure)
        for k in range(n)
    ]
    widths = [max(*map(measure, heads[k]), inner[k]) for k in range(n)]
    for span, block in groupby(range(n), key=lambda k: table.columns[k].span):
        own = list(block)
        missing = measure(span) - sum(widths[k] for k in own) - gap * (len(own) - 1)
        widths[own[-1]] += max(missing, 0.0)
    limited = [w if column.right else min(w, longest) for w, column in zip(widths, table.columns, strict=True)]
    return Layout(heads, bodies, tails, tuple(limited))


def broken(head: str, content: int) -> tuple[str, ...]:
    """Return a head in two lines, if it is longer than the cells below it and has a place to break.

    Examples
    --------
    >>> broken("Positive (%)", 4), broken("Kolari-Pynnönen", 8), broken("BHAR (%)", 5)
    (('Positive', '(%)'), ('Kolari-', 'Pynnönen'), ('BHAR (%)',))
    """
    places = [match.end() for match in re.finditer("[ -]", head)]
    if len(head) <= max(content, NARROW) or not places:
        return (head,)
    best = min(places, key=lambda place: max(place, len(head) - place))
    return head[:best].rstrip(), head[best:]


def parts(table: Table, found: Layout, limit: float, gap: float) -> list[Table]:
    """Return a table whole if it fits into a width, else in parts with the key columns repeated.

    Parameters
    ----------
    table : Table
    found : Layout
        Its measures; ``gap`` is the room between two columns.
    limit : float
        The width of the page. A part has at least one column beside the keys, even where that does not fit.

    Returns
    -------
    list of Table
        Columns with a shared head stay together where they fit. The last part has the notes, and says that the table
        is parted.
    """
    keys = list(range(table.n_keys))
    chosen: list[list[int]] = [[]]
    for block in _blocks(table, found, limit, gap):
        if chosen[-1] and found.total([*keys, *chosen[-1], *block], gap) > limit:
            chosen.append([])
        chosen[-1] += block
    if len(chosen) == 1:
        return [table]
    return [_part(table, [*keys, *own], at, len(chosen)) for at, own in enumerate(chosen, start=1)]


def _blocks(table: Table, found: Layout, limit: float, gap: float) -> Iterator[list[int]]:
    """Yield the columns that stay together: those under a shared head if they fit, else each by itself."""
    keys = list(range(table.n_keys))
    others = range(table.n_keys, len(table.columns))
    for span, block in groupby(others, key=lambda k: table.columns[k].span):
        own = list(block)
        if span and found.total([*keys, *own], gap) <= limit:
            yield own
        else:
            yield from ([k] for k in own)


def _part(table: Table, chosen: list[int], at: int, n: int) -> Table:
    """Return a part of a table: some of its columns."""
    return replace(
        table,
        title=f"{table.title} (part {at} of {n})",
        columns=tuple(table.columns[k] for k in chosen),
        rows=tuple(tuple(row[k] for k in chosen) for row in table.rows),
        notes=(PARTED, *table.notes) if at == n else (),
        label=table.label if at == 1 else f"{table.label}-{at}",
    )
