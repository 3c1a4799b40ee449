"""Plain text for a terminal: summary, attrition, tests, events, and notes of the run; files have 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

WIDTH = 100
MAX_COLUMN = 30  # of a column of text
MIN_COLUMN = 18  # of the first column, where the table is too wide
# Of the last column, whose text is wrapped: at least; before other columns are left out; before the first is shortened.
MIN_LAST, GOOD_LAST, WRAPPED = 8, 16, 20
GAP = 2
MAX_EVENTS = 40
DISPENSABLE = (
    "df",
    "Its low",
    "Open",
    "Days",
    "Bars",
    "Announced",
    "Printed as",
    "From",
    "Statistic",
    "t",
    "n",
)  # first left out
T = TypeVar("T")


def text(result: Result, width: int = WIDTH) -> str:
    """Return the report as text.

    Parameters
    ----------
    result : Result
    width : int
        The terminal columns of the widest line, at least 60.

    Returns
    -------
    str
        Events after the first 40, and windows and columns that do not fit into the width, are named or counted below
        the table.
    """
    tables = [_tables.attrition(result), _tables.tests(result), _tables.differences(result), _events(result, width)]
    tables += [_reactions(result)] if result.measure.of_returns else []
    tables += [table for table in (_tables.dropped(result, MAX_EVENTS), _tables.news(result, MAX_EVENTS)) if table.rows]
    parts = [
        "\n".join(_headline(result, width)),
        *(format_table(table, width) for table in tables if table is not None),
    ]
    notes = _tables.notes(result)
    if notes:
        parts.append("\n".join(["Noticed", *(line for note in notes for line in _wrap_note(f"- {note}", width))]))
    return _plain_signs("\n\n".join(parts)) + "\n"


def placement(table: pd.DataFrame, width: int = WIDTH) -> str:
    """Return the output of :meth:`eventstudy.Study.check` as text.

    Parameters
    ----------
    table : DataFrame
        Index ``event_id``; ticker, announced, session, placement, n_estimation, status, reason.
    width : int
        The terminal columns of the widest line, at least 60.

    Returns
    -------
    str
        The number of events by status, then every event: its session and how it was placed there, or why it would be
        dropped.
    """
    counts = [f"{formats.plural(n, 'event')} {status}" for status, n in table["status"].value_counts().items()]
    head = formats.wrap(", ".join(counts) or "there are no events", width)
    return _plain_signs("\n".join([*head, "", format_table(_tables.placement(table), width)]))


def _plain_signs(text: str) -> str:
    """Replace minus signs and daggers, which some terminals and code pages cannot show."""
    return text.replace("−", "-").replace(formats.DOES_NOT_HOLD, "!")


def _headline(result: Result, width: int) -> list[str]:
    pairs = _tables.headline(result)
    pairs += [(name, f"{effect} {tested}") for name, effect, tested in _tables.effects(result)]
    indent = max(len(name) for name, _ in pairs) + 2
    lines = ["Event study", "=" * width]
    for name, value in pairs:
        lines += formats.wrap(name.ljust(indent) + value, width, " " * indent)
    return lines


def _events(result: Result, width: int) -> Table:
    """Return the table of events with as many windows as fit into the width."""
    windows = _tables.windows(result)
    table = _tables.per_event(result, MAX_EVENTS, windows)
    for n_hidden in range(1, len(windows)):
        if _fits(table, width):
            break
        table = _tables.per_event(result, MAX_EVENTS, windows[:-n_hidden])
        note = f"{formats.plural(n_hidden, 'further window')} not shown; a .csv report has them all"
        table = table._replace(notes=(*table.notes, note))
    return table


def _reactions(result: Result) -> Table:
    """Return the reactions without the session, which the table of events has, and the high, for lack of width."""
    table = _tables.reactions(result, MAX_EVENTS)
    return _select(table, [k for k, name in enumerate(table.columns) if name not in ("Session", "Bar", "High")])


def format_table(table: Table, width: int = WIDTH) -> str:
    """Return a table as text; columns that it can do without are left out where it is too wide, and named below it."""
    table = _narrowed(table, width)
    lines = [*formats.wrap(table.title, width), "-" * width]
    if not table.rows:
        return "\n".join([*lines, table.empty])
    widths = _widths(table, width)
    lines += _heads(table, widths)
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            lines.append("")
        lines += _row(row, widths, table.right)
    for note in table.notes:
        lines += _wrap_note(note, width)
    return "\n".join(lines)


def _narrowed(table: Table, width: int) -> Table:
    left_out = []
    for name in DISPENSABLE:
        if _fits(table, width):
            break
        if name in table.columns:
            table = _select(table, [k for k, column in enumerate(table.columns) if column != name])
            left_out.append(name)
    note = f"not shown at this width: {', '.join(left_out)}"
    return table._replace(notes=(*table.notes, note)) if left_out else table


def _select(table: Table, positions: Sequence[int]) -> Table:
    def select(row: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(row[k] for k in positions)

    return table._replace(
        columns=select(table.columns), right=select(table.right), rows=[select(r) for r in table.rows]
    )


def _fits(table: Table, width: int) -> bool:
    """Return whether the columns fit into the width, with room to wrap the text of the last."""
    widths = _widths(table, width)
    wrapped = not table.right[-1] and widths[-1] < min(_natural_widths(table)[-1], GOOD_LAST)
    return _total(widths) <= width and not wrapped


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _natural_widths(table: Table, wrap_heads: bool = False) -> list[int]:
    heads = [max(_words(head), key=formats.columns_of) if wrap_heads else head for head in table.columns]
    return [max(map(formats.columns_of, cells)) for cells in zip(heads, *table.rows, strict=True)]


def _words(head: str) -> list[str]:
    """Return the parts of a head that may stand on lines of their own; a window is one."""
    return [head] if head.startswith("(") else head.split()


def _widths(table: Table, width: int) -> list[int]:
    """Return the columns' widths: text has at most 30, less in the first and last column of a table that is too wide.

    The text of the first column is shortened to at least 18, that of the last is wrapped at 8 columns or more. Heads
    are wrapped if that is not enough.
    """
    limited = _limited(table, _natural_widths(table), width)
    return limited if _total(limited) <= width else _limited(table, _natural_widths(table, wrap_heads=True), width)


def _limited(table: Table, widths: list[int], width: int) -> list[int]:
    limited = [w if right else min(w, MAX_COLUMN) for w, right in zip(widths, table.right, strict=True)]
    spare = width - GAP * (len(widths) - 1) - sum(limited[1:-1])
    last = limited[-1] if table.right[-1] else min(limited[-1], WRAPPED)
    limited[0] = max(min(limited[0], spare - last), min(limited[0], MIN_COLUMN))
    if not table.right[-1]:
        limited[-1] = max(min(widths[-1], spare - limited[0]), MIN_LAST)
    return limited


def _heads(table: Table, widths: list[int]) -> list[str]:
    """Return the lines of the heads, each wrapped to its column and set at the bottom."""
    columns = [
        formats.wrap(head, width) if formats.columns_of(head) > width and len(_words(head)) > 1 else [head]
        for head, width in zip(table.columns, widths, strict=True)
    ]
    height = max(map(len, columns))
    rows = zip(*([""] * (height - len(lines)) + lines for lines in columns), strict=True)
    return [_line(row, widths, table.right) for row in rows]


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


def _wrap_note(note: str, width: int) -> list[str]:
    """Wrap a note; its further lines are indented by the width of its mark, ``-`` or ``[1]``."""
    mark = note.split(" ", 1)[0]
    return formats.wrap(note, width, " " * (len(mark) + 1) if mark == "-" or mark.startswith("[") else "")


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(f"Event study\n{'=' * WIDTH}\n")


REPORT = Text()
