"""A table as Markdown: a pipe table, with its notes below."""

from __future__ import annotations

import re

from eventstudy.tables._table import Table

# What Markdown, in its dialects, reads as a mark: emphasis, code, links, HTML, tables, formulas, footnotes.
MARKS = re.compile(r"([\\`*_{}\[\]<>|~$^#!&@])")
STARTS = re.compile(r"^(\d+)([.)])(?= |$)|^([-+=:])")
LINKS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


def escape(text: str) -> str:
    r"""Return text in which nothing is a mark of Markdown.

    Examples
    --------
    >>> escape("a|b *c* <d>"), escape("1. x"), escape("- y"), escape("https://x.example")
    ('a\\|b \\*c\\* \\<d\\>', '1\\. x', '\\- y', 'https\\://x.example')
    """
    safe = MARKS.sub(r"\\\1", text)
    safe = LINKS.sub(lambda match: match.group(1) + "\\", safe)
    return STARTS.sub(lambda match: f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}", safe)


def render(table: Table) -> str:
    """Return a table as a title in bold, a pipe table and a paragraph for each note."""
    heads = [escape(column.whole) for column in table.columns]
    rules = ["---:" if column.right else ":---" for column in table.columns]
    rows = [[escape(cell.text) for cell in row] for row in table.rows]
    empty = [escape(table.empty), *[""] * (len(heads) - 1)]
    lines = [f"**{escape(table.title)}**", "", *map(_line, (heads, rules, *(rows or [empty])))]
    for note in table.notes:
        lines += ["", escape(note)]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
