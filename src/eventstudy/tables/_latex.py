r"""A table as a LaTeX fragment for ``\input``: booktabs rules, notes below, and never wider than the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from eventstudy.tables import _decimal, _fit
from eventstudy.tables._table import Row, Table, continues

NEEDS = "% Tables by eventstudy, to be read by \\input into a document with\n% \\documentclass{article}\n"
LATIN_NEEDS = "% \\usepackage[T1]{fontenc}\n"
FOREIGN_NEEDS = "% \\usepackage{fontspec} % instead of fontenc, with XeLaTeX or LuaLaTeX\n"
FOREIGN = r"""% Letters beyond Latin: XeLaTeX and LuaLaTeX with fontspec set them; pdfLaTeX shows [?] and warns once.
\ifdefined\eventstudyforeign\else
\def\eventstudylost{[?]\ifdefined\eventstudywarned\else\global\let\eventstudywarned\relax
  \GenericWarning{}{eventstudy: letters beyond Latin are shown as [?]; compile with LuaLaTeX or XeLaTeX, with^^J%
  fontspec and one of the fonts Noto Serif CJK SC, Noto Sans CJK SC, Source Han Serif SC, Songti SC, SimSun}\fi}
\ifdefined\IfFontExistsTF
  \def\eventstudytry#1{\ifdefined\eventstudyfont\else\IfFontExistsTF{#1}{\newfontfamily\eventstudyfont{#1}}{}\fi}
  \eventstudytry{Noto Serif CJK SC}\eventstudytry{Noto Sans CJK SC}\eventstudytry{Source Han Serif SC}
  \eventstudytry{Songti SC}\eventstudytry{SimSun}
\fi
\DeclareRobustCommand{\eventstudyforeign}[1]{\ifdefined\eventstudyfont{\eventstudyfont#1}\else\eventstudylost\fi}
\fi
"""
ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": r"\textbar{}",
    '"': r"\symbol{34}", "`": r"\textasciigrave{}", "'": r"\textquoteright{}", "−": "$-$", "±": r"$\pm$",
    "×": r"$\times$", "∞": r"$\infty$", "²": "$^2$",
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\ldots{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "†": r"$^\dagger$", "€": r"\texteuro{}", "£": r"\pounds{}", "°": r"\textdegree{}", "ß": r"\ss{}",
}  # fmt: skip
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"
WIDTH, HEIGHT = 345.0, 550.0  # points of the text of an article at 10 points on letter paper, the narrowest in use
LONG = 36  # rows above which a table may span pages
LONGEST = 13.0  # em of a column of text above which its cells are wrapped; twice that on a turned page
CHUNK, PLAIN = 10, 20  # letters of an identifier, and of a word, that is not broken
FILLED = 0.72  # of the width: narrower tables are stretched, for the notes that are as wide
TURNED = "The table is wider than the page and is therefore turned."
EM = {  # widths in Computer Modern that differ from those of their kind
    **dict.fromkeys("ilj.,:;'|!", 0.34), **dict.fromkeys("trsfIz()[]-ľ", 0.45), **dict.fromkeys("mwM%@", 0.98),
    **dict.fromkeys("^~£ď", 0.68), **dict.fromkeys("#&_€−<>=+×±", 0.84), **dict.fromkeys("W∞—", 1.05), "…": 1.34,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """A size of type: its command, an em in points, and half of the room between columns in points."""

    command: str
    em: float
    tabcolsep: float


SIZES = (Size(r"\small", 9.3, 6.0), Size(r"\footnotesize", 8.3, 4.0))
LONG_SIZES = (Size(r"\footnotesize", 8.3, 4.0), Size(r"\scriptsize", 7.4, 3.0))


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


def breakable(text: str) -> str:
    r"""Return escaped text whose long words may break: after ``_ : / .``, and where these are too far apart, anywhere.

    Examples
    --------
    >>> breakable("ANT_IPO_SUSPENDED"), breakable("short_id"), breakable("heteroskedasticity")
    ('ANT\\_\\allowbreak{}IPO\\_\\allowbreak{}SUSPENDED', 'short\\_id', 'heteroskedasticity')
    """
    return " ".join(_broken(word) for word in text.split(" "))


def _broken(word: str) -> str:
    """Return a word with places to break; TeX hyphenates words of letters by itself."""
    is_plain = re.fullmatch(r"[^_:/.@]*[.:]?", word) is not None
    if len(word) <= (PLAIN if is_plain else CHUNK):
        return escape(word)
    pieces = [piece for part in re.split("(?<=[_:/.@])", word) for piece in re.findall(f".{{1,{PLAIN}}}", part)]
    return r"\allowbreak{}".join(map(escape, pieces))


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


def ems(text: str) -> float:
    """Return a width that a text does not exceed in Computer Modern or Latin Modern, in em.

    Examples
    --------
    >>> round(ems("12.34"), 2), ems("阿里")
    (2.34, 2.0)
    """
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if _is_foreign(letter):
        return 1.0
    plain = unicodedata.normalize("NFD", letter)[0]
    if letter in EM or plain in EM:
        return EM.get(letter, EM.get(plain, 1.0))
    if plain.isdigit() or plain in " *†":
        return 0.5
    return 0.79 if plain.isupper() else 0.56


def render(tables: Sequence[Table], width: float = WIDTH) -> str:
    """Return tables as one fragment, whose first lines name the packages that it needs.

    Parameters
    ----------
    tables : sequence of Table
    width : float
        The width of the text of the document, in points.
    """
    body = "\n".join(part for table in tables for part in _environments(table, width))
    packages = ["booktabs", "array"] + ["siunitx"] * (_decimal.SETUP in body)
    packages += [
        name
        for name, sign in (
            ("threeparttable", r"\begin{threeparttable}"), ("longtable", r"\begin{longtable}"),
            ("rotating", r"\begin{sidewaystable}"), ("pdflscape", r"\begin{landscape}"),
        )
        if sign in body
    ]  # fmt: skip
    foreign = r"\eventstudyforeign" in body
    head = NEEDS + LATIN_NEEDS + f"% \\usepackage{{{','.join(packages)}}}\n"
    return head + ((FOREIGN_NEEDS + FOREIGN) if foreign else "") + body


@dataclass(frozen=True)
class _Fitted:
    """A table, or a part of one, with the size of type in which it fits a page, turned or not."""

    table: Table
    size: Size
    found: _fit.Layout
    width: float
    turned: bool = False

    @property
    def gap(self) -> float:
        """The room between columns in points."""
        return 2 * self.size.tabcolsep

    @property
    def natural(self) -> float:
        """The width of the table in points."""
        return self.found.total(range(len(self.table.columns)), self.gap)


def _measured(table: Table, size: Size, width: float, turned: bool = False) -> _Fitted:
    longest = LONGEST * size.em * (2 if turned else 1)
    found = _fit.layout(table, lambda text: ems(text) * size.em, 2 * size.tabcolsep, longest, _decimal.width)
    return _Fitted(table, size, found, width, turned)


def _environments(table: Table, width: float) -> Iterator[str]:
    """Yield the environments of a table: one where it fits the page, upright or turned, else its parts."""
    is_long = len(table.rows) > LONG
    sizes = LONG_SIZES if is_long else SIZES
    upright = [_measured(table, size, width) for size in sizes]
    turned = [_measured(table, size, HEIGHT * width / WIDTH, turned=True) for size in sizes]
    for fitted in (*upright, *turned):
        if fitted.natural <= fitted.width:
            yield _environment(fitted, is_long)
            return
    smallest = upright[-1]
    for part in _fit.parts(table, smallest.found, width, smallest.gap):
        yield _environment(_measured(part, smallest.size, width), is_long)


def _environment(fitted: _Fitted, is_long: bool) -> str:
    if fitted.turned:
        fitted = replace(fitted, table=replace(fitted.table, notes=(TURNED, *fitted.table.notes)))
    lines = _longtable(fitted) if is_long else _float(fitted)
    return "\n".join(lines) + "\n"


def _float(fitted: _Fitted) -> list[str]:
    """Return a table that floats, as one page."""
    table, kind = fitted.table, "sidewaystable" if fitted.turned else "table"
    filled = fitted.natural < FILLED * fitted.width
    columns = _columns(fitted)
    tabular = "tabular"
    if filled:
        tabular, columns = "tabular*", columns.replace("@{}", r"@{\extracolsep{\fill}}", 1)
    size = rf"{{{FILLED * fitted.width:.0f}pt}}" if filled else ""
    notes = [rf"\item[] {breakable(note)}" for note in table.notes]
    notes = [r"\begin{tablenotes}[flushleft]\footnotesize", *notes, r"\end{tablenotes}"] if notes else []
    return [
        rf"\begin{{{kind}}}[{'p' if fitted.turned else 'htbp'}]", rf"\centering{fitted.size.command}",
        rf"\setlength{{\tabcolsep}}{{{fitted.size.tabcolsep:g}pt}}", *_setup(columns), r"\begin{threeparttable}",
        _caption(table), rf"\begin{{{tabular}}}{size}{{{columns}}}", r"\toprule", *_heads(fitted), r"\midrule",
        *_rows(fitted),
        r"\bottomrule", rf"\end{{{tabular}}}", *notes, r"\end{threeparttable}", rf"\end{{{kind}}}",
    ]  # fmt: skip


def _longtable(fitted: _Fitted) -> list[str]:
    """Return a table that spans pages, with its heads again on each."""
    table = fitted.table
    size = rf"\begingroup{fitted.size.command}\setlength{{\tabcolsep}}{{{fitted.size.tabcolsep:g}pt}}"
    head = [r"\toprule", *_heads(fitted), r"\midrule"]
    columns = _columns(fitted)
    lines = [
        size, *_setup(columns), rf"\begin{{longtable}}{{{columns}}}", _caption(table) + r"\\", *head,
        r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endfoot", *_rows(fitted), r"\end{longtable}",
        *(rf"\noindent {breakable(note)}\par" for note in table.notes), r"\endgroup",
    ]  # fmt: skip
    return [r"\begin{landscape}", *lines, r"\end{landscape}"] if fitted.turned else lines


def _caption(table: Table) -> str:
    label = rf"\label{{tab:{re.sub('[^A-Za-z0-9:-]', '-', table.label)}}}" if table.label else ""
    return rf"\caption{{{breakable(table.title)}}}{label}"


def _setup(columns: str) -> list[str]:
    """Return the settings of siunitx, for a table that has a column of numbers."""
    return [_decimal.SETUP] if "S[" in columns else []


def _columns(fitted: _Fitted) -> str:
    """Return the types of the columns; those of text that must be wrapped have a width."""
    kinds = []
    for k, column in enumerate(fitted.table.columns):
        if column.right:
            kinds.append(_decimal.kind([row[k] for row in fitted.table.rows], _mark))
        elif _is_wrapped(fitted, k):
            kinds.append(rf">{{\raggedright\arraybackslash}}p{{{fitted.found.widths[k]:.1f}pt}}")
        else:
            kinds.append("l")
    return "@{}" + "".join(kinds) + "@{}"


def _is_wrapped(fitted: _Fitted, k: int) -> bool:
    """Return whether the text of a column is too long for one line."""
    return not fitted.table.columns[k].right and fitted.found.bodies[k] + fitted.found.tails[k] > fitted.found.widths[k]


def _heads(fitted: _Fitted) -> Iterator[str]:
    """Yield the rows of heads: those shared by columns, with a rule below each, and the heads in one or two lines."""
    columns, found = fitted.table.columns, fitted.found
    if any(column.span for column in columns):
        blocks = [(span, len(list(own))) for span, own in groupby(columns, key=lambda column: column.span)]
        cells = [rf"\multicolumn{{{n}}}{{c}}{{{escape(span)}}}" if span else " & " * (n - 1) for span, n in blocks]
        yield " & ".join(cells) + r" \\"
        yield "".join(_rules(blocks))
    for at in range(-found.n_lines, 0):
        lines = [escape(head[at]) if len(head) >= -at else "" for head in found.heads]
        heads = (f"{{{line}}}" if line and own.right else line for line, own in zip(lines, columns, strict=True))
        yield " & ".join(heads) + r" \\"


def _rules(blocks: Sequence[tuple[str, int]]) -> Iterator[str]:
    first = 1
    for span, n in blocks:
        if span:
            yield rf"\cmidrule(lr){{{first}-{first + n - 1}}}"
        first += n


def _rows(fitted: _Fitted) -> Iterator[str]:
    """Yield the rows; one that continues the row above stays on its page."""
    table = fitted.table
    if not table.rows:
        yield rf"\multicolumn{{{len(table.columns)}}}{{l}}{{{escape(table.empty)}}} \\"
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            yield r"\addlinespace"
        following = table.rows[number + 1 : number + 2]
        yield _row(fitted, row) + (r" \\*" if following and continues(following[0]) else r" \\")


def _row(fitted: _Fitted, row: Row) -> str:
    cells = []
    for k, (cell, column) in enumerate(zip(row, fitted.table.columns, strict=True)):
        if column.right:
            cells.append(_decimal.entry(cell, escape, _mark))
        else:
            cells.append(breakable(cell.text) if _is_wrapped(fitted, k) else escape(cell.text))
    return " & ".join(cells)


def _mark(mark: str) -> str:
    """Return what follows a number: brackets, stars as a superscript, and other marks in braces, as text."""
    stars = mark.lstrip(")")
    brackets = mark[: len(mark) - len(stars)]
    if not stars:
        return brackets
    return brackets + (f"$^{{{stars}}}$" if stars.strip("*") == "" else f"{{{escape(stars)}}}")
