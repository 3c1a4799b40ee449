"""Tables that are wider than their page: the parts that fit, each with the key columns again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from eventstudy.tables._table import Table

PARTED = "The table is wider than the page and is therefore parted by columns."


def parts(table: Table, widths: Sequence[float], limit: float, gap: float) -> list[Table]:
    """Return a table whole if it fits into a width, else in parts with the key columns repeated.

    Parameters
    ----------
    table : Table
    widths : sequence of float
        The width of each column; ``gap`` is that of the room between two.
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
    for block in _blocks(table, widths, limit, gap):
        if chosen[-1] and _total(widths, [*keys, *chosen[-1], *block], gap) > limit:
            chosen.append([])
        chosen[-1] += block
    if len(chosen) == 1:
        return [table]
    return [_part(table, [*keys, *own], at, len(chosen)) for at, own in enumerate(chosen, start=1)]


def _blocks(table: Table, widths: Sequence[float], limit: float, gap: float) -> Iterator[list[int]]:
    """Yield the columns that stay together: those under a shared head if they fit, else each by itself."""
    keys = list(range(table.n_keys))
    others = range(table.n_keys, len(table.columns))
    for span, block in groupby(others, key=lambda k: table.columns[k].span):
        own = list(block)
        if span and _total(widths, [*keys, *own], gap) <= limit:
            yield own
        else:
            yield from ([k] for k in own)


def _total(widths: Sequence[float], chosen: list[int], gap: float) -> float:
    return sum(widths[k] for k in chosen) + gap * (len(chosen) - 1)


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
