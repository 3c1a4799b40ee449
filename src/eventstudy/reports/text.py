"""Plain text for a terminal: summary, the tables of a paper, reactions, and notes of the run; 100 columns in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.tables import _cells, _text
from eventstudy.tables._table import Column, Table
from eventstudy.tables._text import WIDTH

MAX_EVENTS = 40
DISPENSABLE = ("Its low", "Open", "Announced", "Printed as", "From", "n")  # of tables of text, first left out


def text(result: Result, width: int = WIDTH) -> str:
    """Return the report as text.

    Parameters
    ----------
    result : Result
    width : int
        Of the terminal, in columns.

    Returns
    -------
    str
        Events after the first 40 are counted and not shown; a table that does not fit into the width is parted.
    """
    tables = _tables.of_result(result, MAX_EVENTS)
    parts = ["\n".join(_headline(result, width)), *(_text.render(table, width) for table in tables)]
    lists = [_reactions(result)] if result.measure.of_returns else []
    lists += [table for table in (_tables.dropped(result, MAX_EVENTS), _tables.news(result, MAX_EVENTS)) if table.rows]
    parts += [format_table(table, width) for table in lists]
    notes = _tables.notes(result)
    if notes:
        parts.append(
            "\n".join(["Noticed", *(line for note in notes for line in formats.wrap(f"- {note}", width, "  "))])
        )
    return formats.terminal("\n\n".join(parts)) + "\n"


def placement(table: pd.DataFrame, width: int = WIDTH) -> str:
    """Return the output of :meth:`eventstudy.Study.check` as text.

    Parameters
    ----------
    table : DataFrame
        Index ``event_id``; ticker, announced, session, placement, n_estimation, status, reason.
        An event that was excluded before its returns were read has a dash in place of its number of days.
    width : int
        Of the terminal, in columns.

    Returns
    -------
    str
        The number of events by status, then every event: its session and how it was placed there, or why it would be
        dropped.
    """
    counts = [f"{formats.plural(n, 'event')} {status}" for status, n in table["status"].value_counts().items()]
    head = formats.wrap(", ".join(counts) or "there are no events", width)
    return formats.terminal("\n".join([*head, "", format_table(_tables.placement(table), width)]))


def format_table(table: _tables.Table, width: int = WIDTH) -> str:
    """Return a table of text cells; columns that it can do without are left out where it is too wide, and named."""
    left_out = []
    for name in DISPENSABLE:
        if _text.fits(_of_text(table), width):
            break
        if name in table.columns:
            table = _without(table, (name,))
            left_out.append(name)
    note = f"not shown at this width: {', '.join(left_out)}"
    return _text.render(_of_text(table._replace(notes=(*table.notes, note)) if left_out else table), width)


def _without(table: _tables.Table, names: Sequence[str]) -> _tables.Table:
    """Return a table without some columns."""
    shown = [k for k, name in enumerate(table.columns) if name not in names]
    return table._replace(
        columns=tuple(table.columns[k] for k in shown),
        right=tuple(table.right[k] for k in shown),
        rows=[tuple(row[k] for k in shown) for row in table.rows],
    )


def _headline(result: Result, width: int) -> list[str]:
    pairs = _tables.headline(result)
    pairs += [(name, f"{effect} {tested}") for name, effect, tested in _tables.effects(result)]
    indent = max(len(name) for name, _ in pairs) + 2
    lines = ["Event study", "=" * width]
    for name, value in pairs:
        lines += formats.wrap(name.ljust(indent) + value, width, " " * indent)
    return lines


def _of_text(table: _tables.Table) -> Table:
    """Return a table of text cells as one that can be written; it is never parted."""
    columns = tuple(Column(name, right) for name, right in zip(table.columns, table.right, strict=True))
    rows = tuple(tuple(map(_cells.text, row)) for row in table.rows)
    frame = pd.DataFrame(table.rows, columns=list(table.columns))
    return Table(frame, table.title, columns, rows, table.notes, table.breaks, n_keys=len(columns), empty=table.empty)


def _reactions(result: Result) -> _tables.Table:
    """Return the reactions without the session, which the table of events has, and the high, for lack of width."""
    return _without(_tables.reactions(result, MAX_EVENTS), ("Session", "Bar", "High"))


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(f"Event study\n{'=' * WIDTH}\n")


REPORT = Text()
