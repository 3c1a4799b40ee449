"""A table as a semantic HTML element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

from eventstudy.tables._cells import Cell
from eventstudy.tables._table import Column, Row, Table, continues

LONG = 34  # letters of a text above which it may wrap
WIDEST = 6  # of the room for marks, in digits
# The class is doubled, and the stripes of rows are overruled, against the style that Jupyter gives to all tables.
STYLE = """<style>
.es-table.es-table{border-collapse:collapse;border-block:2px solid;font-variant-numeric:tabular-nums;margin:1em 0}
.es-table.es-table caption{text-align:start;font-weight:600;padding:.3em 0}
.es-table.es-table tr{background:none!important}
.es-table.es-table th,.es-table.es-table td{padding:.15em .6em;text-align:start;vertical-align:baseline;border:0}
.es-table.es-table th,.es-table.es-table td{background:none}
.es-table.es-table th{font-weight:500}.es-table.es-table tbody th{font-weight:400}
.es-table.es-table thead tr:last-child>*{border-bottom:1px solid}.es-table.es-table thead .span{text-align:center}
.es-table.es-table .num{text-align:end;white-space:nowrap}.es-table.es-table .key{white-space:nowrap}
.es-table.es-table .tail{display:inline-block;text-align:start}
.es-table.es-table .t1{width:1ch}.es-table.es-table .t2{width:2ch}.es-table.es-table .t3{width:3ch}
.es-table.es-table .t4{width:4ch}.es-table.es-table .t5{width:5ch}.es-table.es-table .t6{width:6ch}
.es-table.es-table .more>*{padding-top:0}.es-table.es-table .part>*{padding-top:.8em}
.es-table.es-table tfoot td{border-top:1px solid;font-size:.85em;max-width:44em}
.es-table.es-table tfoot p{margin:.15em 0}
</style>
"""
RULE = "1px solid rgba(128, 128, 128, 0.8)"
INLINE = {  # for pages that remove style sheets; a class adds to its element
    "table": f"border-collapse: collapse; border: 0; border-top: {RULE}; border-bottom: {RULE}; margin: 1em 0;",
    "caption": "caption-side: top; text-align: left; font-weight: 600; padding: 0.3em 0;",
    "tr": "background: none;",
    "th": "padding: 0.15em 0.6em; border: 0; background: none; vertical-align: baseline; text-align: left;",
    "p": "margin: 0.15em 0; line-height: 1.3;",
    "num": "text-align: right; white-space: nowrap;",
    "key": "white-space: nowrap;",
    "span": "text-align: center;",
    "tail": "display: inline-block; text-align: left;",
}
TAG = re.compile(r'<(table|caption|thead|tbody|tfoot|tr|th|td|p|span)\b([^>]*?(?: class="([^"]*)")?)>')


def render(table: Table) -> str:
    """Return a table as an element ``<table class="es-table">``.

    Flush-right cells have the class ``num``, and in them what stands to the right of the digits (stars, a closing
    bracket) is as wide in all cells of a column, so that the digits align.
    """
    tails = [max((len(row[k].parts[1]) for row in table.rows), default=0) for k in range(len(table.columns))]
    lines = [
        '<table class="es-table">', f"<caption>{escape(table.title)}</caption>", "<thead>", *_heads(table.columns),
        "</thead>", "<tbody>", *_body(table, tails), "</tbody>",
    ]  # fmt: skip
    if table.notes:
        notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
        lines += ["<tfoot>", f'<tr><td colspan="{len(table.columns)}">{notes}</td></tr>', "</tfoot>"]
    return "\n".join([*lines, "</table>"]) + "\n"


def render_inline(table: Table) -> str:
    """Return a table as an element that has its style at each part of it, as the cards of a notebook have.

    Jupyter removes the style sheets of a notebook that was not run on the machine that shows it.
    """
    part, line, n_lines, n_heads = "", "", 0, 1 + any(column.span for column in table.columns)

    def styled(found: re.Match[str]) -> str:
        nonlocal part, line, n_lines
        tag, attributes, names = found[1], found[2], (found[3] or "").split()
        if tag in ("thead", "tbody", "tfoot"):
            part = tag
            return found[0]
        if tag == "tr":
            line, n_lines = " ".join(names), n_lines + 1
        rules = [INLINE.get("th" if tag == "td" else tag, "") if tag != "span" else ""]
        rules += [f"width: {name[1]}ch;" if re.fullmatch(r"t\d", name) else INLINE.get(name, "") for name in names]
        if tag in ("th", "td"):
            rules.append(_of_cell(tag, part, line, part == "thead" and n_lines == n_heads))
        return f'<{tag}{attributes} style="{" ".join(filter(None, rules))}">'

    return TAG.sub(styled, render(table))


def _of_cell(tag: str, part: str, line: str, is_last_head: bool) -> str:
    """Return the rules that a cell has by the part of the table and the row in which it stands."""
    if part == "tfoot":
        return f"border-top: {RULE}; font-size: 0.85em; max-width: 44em; white-space: normal;"
    rules = f"font-weight: {500 if part == 'thead' else 400};" if tag == "th" else ""
    rules += f" border-bottom: {RULE};" if is_last_head else ""
    return (rules + {"more": " padding-top: 0;", "part": " padding-top: 0.8em;"}.get(line, "")).strip()


def _heads(columns: tuple[Column, ...]) -> Iterator[str]:
    """Yield the rows of heads: that of shared heads, if there are any, and that of columns."""
    if any(column.span for column in columns):
        cells = []
        for span, part in groupby(columns, key=lambda column: column.span):
            n = len(list(part))
            head = f'<th scope="colgroup" colspan="{n}" class="span">{escape(span)}</th>'
            cells.append(head if span else f'<td colspan="{n}"></td>')
        yield f"<tr>{''.join(cells)}</tr>"
    yield f"<tr>{''.join(_head(column) for column in columns)}</tr>"


def _head(column: Column) -> str:
    if not column.head:
        return "<td></td>"
    return f'<th scope="col"{_class("num" if column.right else "")}>{escape(column.head)}</th>'


def _body(table: Table, tails: list[int]) -> Iterator[str]:
    if not table.rows:
        yield f'<tr><td colspan="{len(table.columns)}">{escape(table.empty)}</td></tr>'
    for number, row in enumerate(table.rows):
        kind = "part" if number in table.breaks else "more" if continues(row) else ""
        yield f"<tr{_class(kind)}>{''.join(_cells(table.columns, row, tails))}</tr>"


def _cells(columns: tuple[Column, ...], row: Row, tails: list[int]) -> Iterator[str]:
    for k, (column, cell) in enumerate(zip(columns, row, strict=True)):
        kind = "num" if column.right else "" if len(cell.text) > LONG else "key"
        tag = 'th scope="row"' if k == 0 and not continues(row) else "td"
        content = _aligned(cell, tails[k]) if column.right else escape(cell.text)
        yield f"<{tag}{_class(kind)}>{content}</{tag[:2]}>"


def _aligned(cell: Cell, tail: int) -> str:
    body, mark = cell.parts
    return escape(body) + (f'<span class="tail t{min(tail, WIDEST)}">{escape(mark)}</span>' if tail else "")


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
