"""Plain text for a terminal of 100 columns: summary, attrition, tests, events, and notes of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

WIDTH = 100
MAX_COLUMN = 30  # of a column of text
MIN_COLUMN = 16  # of the first column, where the table is too wide
GAP = 2
MAX_EVENTS = 40
T = TypeVar("T")


def text(result: Result) -> str:
    """Return the report as text, at most 100 columns wide.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        Events after the first 40, and windows that do not fit into the width, are counted and not shown.
    """
    parts = ["\n".join(_headline(result)), _format_table(_tables.attrition(result))]
    differences = _tables.differences(result)
    parts += [_format_table(_tables.tests(result))] + ([] if differences is None else [_format_table(differences)])
    parts += [_format_table(_events(result))]
    parts += [_format_table(_reactions(result))] if result.measure.of_returns else []
    dropped = _tables.dropped(result, MAX_EVENTS)
    news = _tables.news(result, MAX_EVENTS)
    parts += [_format_table(table) for table in (dropped, news) if table.rows]
    notes = _tables.notes(result)
    if notes:
        parts.append("\n".join(["Noticed", *(line for note in notes for line in _wrap_note(f"- {note}"))]))
    return _plain_signs("\n\n".join(parts)) + "\n"


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
    return _plain_signs("\n".join([*head, "", _format_table(_tables.placement(table))]))


def _plain_signs(text: str) -> str:
    """Replace minus signs and daggers, which some terminals and code pages cannot show."""
    return text.replace("−", "-").replace(formats.DOES_NOT_HOLD, "!")


def _headline(result: Result) -> list[str]:
    pairs = _tables.headline(result)
    pairs += [(name, f"{effect} {tested}") for name, effect, tested in _tables.effects(result)]
    indent = max(len(name) for name, _ in pairs) + 2
    lines = ["Event study", "=" * WIDTH]
    for name, value in pairs:
        lines += formats.wrap(name.ljust(indent) + value, WIDTH, " " * indent)
    return lines


def _events(result: Result) -> Table:
    """Return the table of events with as many windows as fit into the width."""
    windows = _tables.windows(result)
    table = _tables.per_event(result, MAX_EVENTS, windows)
    for n_hidden in range(1, len(windows)):
        if sum(_widths(table)) + GAP * (len(table.columns) - 1) <= WIDTH:
            break
        table = _tables.per_event(result, MAX_EVENTS, windows[:-n_hidden])
        note = f"{formats.plural(n_hidden, 'further window')} not shown; a .csv report has them all"
        table = table._replace(notes=(*table.notes, note))
    return table


def _reactions(result: Result) -> Table:
    """Return the reactions without the session, which the table of events has, and the high, for lack of width."""
    table = _tables.reactions(result, MAX_EVENTS)
    positions = [k for k, name in enumerate(table.columns) if name not in ("Session", "Bar", "High")]

    def select(row: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(row[k] for k in positions)

    return table._replace(
        columns=select(table.columns), right=select(table.right), rows=[select(r) for r in table.rows]
    )


def _format_table(table: Table) -> str:
    lines = [table.title, "-" * WIDTH]
    if not table.rows:
        return "\n".join([*lines, table.empty])
    widths = _widths(table)
    lines.append(_line(table.columns, widths, table.right))
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            lines.append("")
        lines += _row(row, widths, table.right)
    for note in table.notes:
        lines += _wrap_note(note)
    return "\n".join(lines)


def _widths(table: Table) -> list[int]:
    """Return the columns' widths: text has at most 30, less in the first and last column of a table that is too wide.

    The text of the first column is shortened to at least 16, that of the last is wrapped at 8 or more.
    """
    widths = [max(map(formats.columns_of, cells)) for cells in zip(table.columns, *table.rows, strict=True)]
    limited = [w if right else min(w, MAX_COLUMN) for w, right in zip(widths, table.right, strict=True)]
    spare = WIDTH - GAP * (len(widths) - 1) - sum(limited[1:-1])
    limited[0] = max(min(limited[0], spare - limited[-1]), min(limited[0], MIN_COLUMN))
    if not table.right[-1]:
        limited[-1] = max(min(widths[-1], spare - limited[0]), 8)
    return limited


def _row(row: tuple[str, ...], widths: list[int], right: tuple[bool, ...]) -> list[str]:
    if right[-1]:
        return [_line(row, widths, right)]
    first, *rest = formats.wrap(row[-1], widths[-1])
    indent = " " * (sum(widths[:-1]) + GAP * (len(widths) - 1))
    return [_line((*row[:-1], first), widths, right), *(indent + line for line in rest)]


def _line(cells: tuple[str, ...], widths: list[int], right: tuple[bool, ...]) -> str:
    padded = []
    for cell, width, flush in zip(cells, widths, right, strict=True):
        shown = formats.cut(cell, width)
        space = " " * (width - formats.columns_of(shown))
        padded.append(space + shown if flush else shown + space)
    return (" " * GAP).join(padded).rstrip()


def _wrap_note(note: str) -> list[str]:
    """Wrap a note; its further lines are indented by the width of its mark, ``-`` or ``[1]``."""
    mark = note.split(" ", 1)[0]
    return formats.wrap(note, WIDTH, " " * (len(mark) + 1) if mark == "-" or mark.startswith("[") else "")


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(f"Event study\n{'=' * WIDTH}\n")


REPORT = Text()
