r"""A LaTeX fragment for ``\input``: booktabs tables of the tests and of the events."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

NEEDS = "% needs \\usepackage{booktabs,longtable} in the preamble of the document\n"
FOREIGN = r"""% Letters beyond Latin: XeLaTeX and LuaLaTeX set them, in a font that has them; pdfLaTeX shows dots.
\providecommand{\eventstudyforeign}[1]{\ifdefined\XeTeXversion#1\else\ifdefined\directlua#1\else[\ldots]\fi\fi}
"""
ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    '"': r"\symbol{34}", "`": r"\textasciigrave{}", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "∞": r"$\infty$",
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\ldots{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "†": r"$^\dagger$", "€": r"\texteuro{}", "£": r"\pounds{}", "°": r"\textdegree{}", "ß": r"\ss{}",
}  # fmt: skip
MAX_EVENTS = 1000
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"


def escape(text: str) -> str:
    r"""Return text in which no character is a command to TeX, for use inside a cell.

    Examples
    --------
    >>> escape("50 % of $x_1 & 阿里")
    '50 \\% of \\$x\\_1 \\& \\eventstudyforeign{阿里}'
    """
    parts = (
        rf"\eventstudyforeign{{{run}}}" if _is_foreign(run[0]) else "".join(ESCAPES.get(c, c) for c in run)
        for run in _runs(unicodedata.normalize("NFC", text))
    )
    safe = "".join(parts).replace("--", "-{}-")
    return f"{{{safe[0]}}}{safe[1:]}" if safe[:1] in ("[", "*") else safe  # after \\ they would start an option of it


def _is_foreign(letter: str) -> bool:
    """Return whether a character is outside ASCII, ESCAPES and the Latin letters with one common accent."""
    if letter < "\x7f" or letter in ESCAPES:
        return False
    parts = unicodedata.normalize("NFD", letter)
    return letter > "\u017f" or len(parts) != 2 or not parts[0].isascii() or parts[1] not in ACCENTS


def _runs(line: str) -> list[str]:
    """Split a line into runs of foreign and of other letters."""
    flags = "".join("f" if _is_foreign(c) else "l" for c in line)
    return [line[m.start() : m.end()] for m in re.finditer("f+|l+", flags)]


def _row(cells: tuple[str, ...]) -> str:
    return " & ".join(map(escape, cells)) + r" \\"


def _rows(table: Table) -> list[str]:
    if not table.rows:
        return [rf"\multicolumn{{{len(table.columns)}}}{{l}}{{{escape(table.empty)}}} \\"]
    lines = []
    for number, row in enumerate(table.rows):
        lines += [r"\addlinespace"] if number in table.breaks else []
        lines.append(_row(row))
    return lines


def _columns(table: Table) -> str:
    return "@{}" + "".join("r" if right else "l" for right in table.right) + "@{}"


def _notes(table: Table) -> list[str]:
    return [rf"{escape(note)}\par" for note in table.notes]


def _float(table: Table) -> str:
    """Return a short table as a floating ``table`` environment."""
    notes = [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *_notes(table), r"\end{minipage}"]
    lines = [
        r"\begin{table}[htbp]", r"\centering\small", rf"\caption{{{escape(table.title)}}}",
        rf"\begin{{tabular}}{{{_columns(table)}}}", r"\toprule", _row(table.columns), r"\midrule", *_rows(table),
        r"\bottomrule", r"\end{tabular}", *(notes if table.notes else []), r"\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _longtable(table: Table) -> str:
    """Return a table as a ``longtable``, which can span pages."""
    lines = [
        r"\begingroup\scriptsize\setlength{\tabcolsep}{3pt}", rf"\begin{{longtable}}{{{_columns(table)}}}",
        rf"\caption{{{escape(table.title)}}}\\", r"\toprule", _row(table.columns), r"\midrule", r"\endfirsthead",
        r"\toprule", _row(table.columns), r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot", *_rows(table),
        r"\end{longtable}", *(rf"\noindent {note}" for note in _notes(table)), r"\endgroup",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _fragment(body: str) -> str:
    return NEEDS + (FOREIGN if r"\eventstudyforeign" in body else "") + body


def table(result: Result) -> str:
    """Return the table of tests as a LaTeX fragment.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        A ``table`` environment with booktabs rules; the first line names the packages that it needs.
    """
    return _fragment(_float(_tables.tests(result)))


class Latex:
    """The tables of tests and of events as LaTeX."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write both tables to ``path``, as a fragment without preamble."""
        events = _tables.per_event(result, MAX_EVENTS)
        _files.write(path, _fragment(_float(_tables.tests(result)) + "\n" + _longtable(events)))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(NEEDS)

    def table(self, result: Result) -> str:
        """Return the table of tests; see :func:`table`."""
        return table(result)


REPORT = Latex()
