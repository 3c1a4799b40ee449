"""Plain text for a terminal of 100 columns: headline, losses, tests, events, and what was noticed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from eventstudy import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.tables import Result

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
    lost = _tables.dropped(result)
    if lost.rows:
        rest = len(lost.rows) - MOST_EVENTS
        more = (f"{formats.plural(rest, 'further event')} not shown; a .csv report has them all",) if rest > 0 else ()
        parts.append(_drawn(lost._replace(rows=lost.rows[:MOST_EVENTS], notes=more)))
    noticed = _tables.notes(result)
    if noticed:
        parts.append("\n".join(["Noticed", *(line for note in noticed for line in _hanging(f"- {note}"))]))
    # Terminals of every platform can show a hyphen; a true minus sign is beyond some code pages.
    return "\n\n".join(parts).replace("−", "-") + "\n"


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
    table = _tables.per_event(result, ("car", "p"), MOST_EVENTS, windows)
    for left in range(1, len(windows)):
        if sum(_widths(table)) + GAP * (len(table.columns) - 1) <= WIDTH:
            break
        table = _tables.per_event(result, ("car", "p"), MOST_EVENTS, windows[:-left])
        further = f"{formats.plural(left, 'further window')} not shown; a .csv report has them all"
        table = table._replace(notes=(*table.notes, further))
    return table


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
    widths = [max(map(columns_of, cells)) for cells in zip(table.columns, *table.rows, strict=True)]
    limited = [w if right else min(w, WIDEST) for w, right in zip(widths, table.right, strict=True)]
    spare = WIDTH - GAP * (len(widths) - 1) - sum(limited[1:-1])
    if table.right[-1]:
        limited[0] = max(min(limited[0], spare - limited[-1]), min(limited[0], LEAST))
    else:
        limited[0] = max(min(limited[0], spare - LEAST), min(limited[0], LEAST))
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
        shown = _cut(cell, width)
        space = " " * (width - columns_of(shown))
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
        if columns_of(joined) > width and current.strip():
            lines.append(current)
            joined = indent + word
        while columns_of(joined) > width:
            head = _fitting(joined, width)
            lines.append(head)
            joined = indent + joined[len(head) :]
        current = joined
    return [*lines, current]


def columns_of(line: str) -> int:
    """Count the terminal columns of a line: Chinese takes two a letter, a combining accent none.

    Examples
    --------
    >>> columns_of("BABA"), columns_of("阿里")
    (4, 4)
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(bool(unicodedata.combining(c)) for c in line)


def _cut(line: str, width: int) -> str:
    return line if columns_of(line) <= width else _fitting(line, width - 1) + "…"


def _fitting(line: str, width: int) -> str:
    """Give the longest beginning that fits, at least one letter."""
    while columns_of(line) > width and len(line) > 1:
        line = line[:-1]
    return line


class Text:
    """The report as plain text."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the text to ``path``."""
        _files.write(path, text(result))


REPORT = Text()
