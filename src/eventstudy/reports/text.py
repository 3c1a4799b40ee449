"""Plain text for a terminal of 100 columns: summary, the tables of a paper, reactions, and notes of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.tables import _cells, _text
from eventstudy.tables._table import Column, Table
from eventstudy.tables._text import WIDTH

MAX_EVENTS = 40


def text(result: Result) -> str:
    """Return the report as text, at most 100 columns wide.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        Events after the first 40 are counted and not shown; a table that does not fit into the width is parted.
    """
    tables = _tables.of_result(result, MAX_EVENTS)
    tables += [_reactions(result)] if result.measure.of_returns else []
    lists = (_tables.dropped(result, MAX_EVENTS), _tables.news(result, MAX_EVENTS))
    tables += [_of_text(table) for table in lists if table.rows]
    parts = ["\n".join(_headline(result)), *map(_text.render, tables)]
    notes = _tables.notes(result)
    if notes:
        parts.append(
            "\n".join(["Noticed", *(line for note in notes for line in formats.wrap(f"- {note}", WIDTH, "  "))])
        )
    return formats.terminal("\n\n".join(parts)) + "\n"


def placement(table: pd.DataFrame) -> str:
    """Return the output of :meth:`eventstudy.Study.check` as text, at most 100 columns wide.

    Parameters
    ----------
    table : DataFrame
        Index ``event_id``; ticker, announced, session, placement, n_estimation, status, reason.

    Returns
    -------
    str
        The number of events by status, then every event: its session and how it was placed there, or why it would be
        dropped.
    """
    counts = [f"{formats.plural(n, 'event')} {status}" for status, n in table["status"].value_counts().items()]
    head = formats.wrap(", ".join(counts) or "there are no events", WIDTH)
    return formats.terminal("\n".join([*head, "", _text.render(_of_text(_tables.placement(table)))]))


def _headline(result: Result) -> list[str]:
    pairs = _tables.headline(result)
    pairs += [(name, f"{effect} {tested}") for name, effect, tested in _tables.effects(result)]
    indent = max(len(name) for name, _ in pairs) + 2
    lines = ["Event study", "=" * WIDTH]
    for name, value in pairs:
        lines += formats.wrap(name.ljust(indent) + value, WIDTH, " " * indent)
    return lines


def _of_text(table: _tables.Table) -> Table:
    """Return a table of text cells as one that can be written; it is never parted."""
    columns = tuple(Column(name, right) for name, right in zip(table.columns, table.right, strict=True))
    rows = tuple(tuple(map(_cells.text, row)) for row in table.rows)
    frame = pd.DataFrame(table.rows, columns=list(table.columns))
    return Table(frame, table.title, columns, rows, table.notes, table.breaks, n_keys=len(columns), empty=table.empty)


def _reactions(result: Result) -> Table:
    """Return the reactions without the session, which the table of events has, and the high, for lack of width."""
    table = _of_text(_tables.reactions(result, MAX_EVENTS))
    shown = [k for k, column in enumerate(table.columns) if column.head not in ("Session", "Bar", "High")]
    return replace(
        table,
        columns=tuple(table.columns[k] for k in shown),
        rows=tuple(tuple(row[k] for k in shown) for row in table.rows),
    )


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(f"Event study\n{'=' * WIDTH}\n")


REPORT = Text()
