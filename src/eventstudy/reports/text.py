"""Plain text for a terminal of 100 columns: headline, losses, tests, events, and what was noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

WIDTH = 100
WIDEST = 30
LEAST = 16
GAP = 2
MOST_EVENTS = 40


def text(result: Result) -> str:
    """Give the report as text, at most 100 columns wide.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        The events beyond 40, and the windows that do not fit beside the others, are counted and not shown.
    """
    parts = ["\n".join(_headline(result)), _drawn(_tables.attrition(result))]
    parts += [_drawn(_tables.tests(result)), _drawn(_events(result))]
    parts += [_drawn(_reactions(result))] if result.measure.of_returns else []
    lost = _tables.dropped(result, MOST_EVENTS)
    parts += [_drawn(lost)] if lost.rows else []
    noticed = _tables.notes(result)
    if noticed:
        parts.append("\n".join(["Noticed", *(line for note in noticed for line in _hanging(f"- {note}"))]))
    return _hyphens("\n\n".join(parts)) + "\n"


def placement(table: pd.DataFrame) -> str:
    """Give what :meth:`eventstudy.Study.check` says as text, at most 100 columns wide.

    Parameters
    ----------
    table : DataFrame
        Index ``event_id``; ticker, announced, session, placement, n_estimation, status, reason.

    Returns
    -------
    str
        How many events fell to each status, then every event: its session and why, or why it would be dropped.
    """
    counts = [f"{formats.plural(n, 'event')} {status}" for status, n in table["status"].value_counts().items()]
    head = wrapped(", ".join(counts) or "there are no events", WIDTH)
    return _hyphens("\n".join([*head, "", _drawn(_tables.placement(table))]))


def _hyphens(text: str) -> str:
    """Put hyphens for minus signs: every terminal can show them, and some code pages lack the true sign."""
    return text.replace("−", "-")


def _headline(result: Result) -> list[str]:
    pairs = _tables.headline(result)
    pairs += [(name, f"{effect}, {says}") for name, effect, says in _tables.effects(result)]
    indent = max(len(name) for name, _ in pairs) + 2
    lines = ["Event study", "=" * WIDTH]
    for name, value in pairs:
        lines += wrapped(name.ljust(indent) + value, WIDTH, " " * indent)
    return lines


def _events(result: Result) -> Table:
    """Take as many windows as fit beside each other."""
    windows = _tables.windows(result)
    table = _tables.per_event(result, ("p", "p_placebo"), MOST_EVENTS, windows)
    for left in range(1, len(windows)):
        if sum(_widths(table)) + GAP * (len(table.columns) - 1) <= WIDTH:
            break
        table = _tables.per_event(result, ("p", "p_placebo"), MOST_EVENTS, windows[:-left])
        further = f"{formats.plural(left, 'further window')} not shown; a .csv report has them all"
        table = table._replace(notes=(*table.notes, further))
    return table


def _reactions(result: Result) -> Table:
    """Leave out the session, which stands in the table of events, and the high, for which there is no room."""
    table = _tables.reactions(result, MOST_EVENTS)
    kept = [at for at, name in enumerate(table.columns) if name not in ("Session", "Bar", "High")]

    def short(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row[at] for at in kept)

    return table._replace(columns=short(table.columns), right=short(table.right), rows=[short(r) for r in table.rows])


def _drawn(table: Table) -> str:
    lines = [table.title, "-" * WIDTH]
    if not table.rows:
        return "\n".join([*lines, table.empty])
    widths = _widths(table)
    lines.append(_line(table.columns, widths, table.right))
    for at, row in enumerate(table.rows):
        if at in table.breaks:
            lines.append("")
        lines += _row(row, widths, table.right)
    for note in table.notes:
        lines += _hanging(note)
    return "\n".join(lines)


def _widths(table: Table) -> list[int]:
    """Fit the columns: text is cut at 30 columns, and the first and a last one of text give way."""
    widths = [max(map(formats.columns_of, cells)) for cells in zip(table.columns, *table.rows, strict=True)]
    limited = [w if right else min(w, WIDEST) for w, right in zip(widths, table.right, strict=True)]
    spare = WIDTH - GAP * (len(widths) - 1) - sum(limited[1:-1])
    limited[0] = max(min(limited[0], spare - limited[-1]), min(limited[0], LEAST))
    if not table.right[-1]:
        limited[-1] = max(min(widths[-1], spare - limited[0]), 8)
    return limited


def _row(row: tuple[str, ...], widths: list[int], right: tuple[bool, ...]) -> list[str]:
    if right[-1]:
        return [_line(row, widths, right)]
    first, *rest = wrapped(row[-1], widths[-1])
    indent = " " * (sum(widths[:-1]) + GAP * (len(widths) - 1))
    return [_line((*row[:-1], first), widths, right), *(indent + line for line in rest)]


def _line(cells: tuple[str, ...], widths: list[int], right: tuple[bool, ...]) -> str:
    padded = []
    for cell, width, flush in zip(cells, widths, right, strict=True):
        shown = formats.cut(cell, width)
        space = " " * (width - formats.columns_of(shown))
        padded.append(space + shown if flush else shown + space)
    return (" " * GAP).join(padded).rstrip()


def _hanging(note: str) -> list[str]:
    mark = note.split(" ", 1)[0]
    return wrapped(note, WIDTH, " " * (len(mark) + 1) if mark == "-" or mark.startswith("[") else "")


def wrapped(line: str, width: int, indent: str = "") -> list[str]:
    """Break a line at spaces, or within words wider than a line; Chinese letters count two columns.

    Examples
    --------
    >>> wrapped("a note of 反垄断", 8, "  ")
    ['a note', '  of', '  反垄断']
    """
    lines, current = [], ""
    for word in line.split(" "):
        joined = f"{current} {word}" if current.strip() else current + word
        if formats.columns_of(joined) > width and current.strip():
            lines.append(current)
            joined = indent + word
        while formats.columns_of(joined) > width:
            head = formats.fitting(joined, width)
            lines.append(head)
            joined = indent + joined[len(head) :]
        current = joined
    return [*lines, current]


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))


REPORT = Text()
