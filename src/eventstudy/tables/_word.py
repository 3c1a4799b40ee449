"""Tables as a Word document: three rules, notes below, on pages that are turned where a table is wide."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.files import replacing, writing
from eventstudy.tables import _fit
from eventstudy.tables._cells import Cell
from eventstudy.tables._table import Table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable
    from docx.table import _Cell as WordCell

CREATED = datetime(2000, 1, 1)  # in every document, so that the same tables are the same bytes
ZIPPED = (1980, 1, 1, 0, 0, 0)
MARK = "Tables by eventstudy"  # in the properties, by which a report is recognised
POINTS = 9.0  # size of type
UPRIGHT, TURNED = 453.0, 700.0  # points of the text of an A4 page with margins of 1 inch
DIGIT = 0.56  # of the size of type, of an average letter; Chinese ones have two
GAP = 8.0
MARGIN = 3.0  # points at both sides of a cell
CELL, NUMBER, SPAN, TITLE, NOTE = "Table text", "Table number", "Table span", "Table title", "Table note"
FIGURE_SPACE = "\u2007"  # as wide as a star
LONGEST = 150.0  # points of a column of text


def save(tables: Sequence[Table], path: str | Path) -> Path:
    """Write tables as one document, whole or not at all, and return its path."""
    target = Path(path)
    with writing("the document", target), replacing(target) as aside:
        render(tables, aside)
    return target


def render(tables: Sequence[Table], path: Path) -> None:
    """Write tables to a path."""
    try:
        import docx
    except ImportError as error:
        raise InputError(
            "a Word document needs python-docx, which is not installed; install the extra with"
            ' pip install ".[word]", or write .md'
        ) from error
    document = docx.Document()
    properties = document.core_properties
    properties.created = properties.modified = CREATED
    properties.author, properties.comments, properties.last_modified_by = "eventstudy", MARK, ""
    _set_page(document.sections[0], turned=False)
    _styles(document)
    was_turned = False
    for table in tables:
        for part, turned in _pages(table):
            if turned != was_turned:
                _set_page(document.add_section(), turned)
                was_turned = turned
            _add(document, part, turned)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_dated(document))


def _dated(document: Document) -> bytes:
    """Return the document with a fixed date on every file inside."""
    plain, dated = io.BytesIO(), io.BytesIO()
    document.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(dated, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, ZIPPED)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(name))
    return dated.getvalue()


def _layout(table: Table, turned: bool) -> _fit.Layout:
    longest = LONGEST * (2 if turned else 1)
    return _fit.layout(table, lambda text: formats.columns_of(text) * DIGIT * POINTS, GAP, longest)


def _pages(table: Table) -> list[tuple[Table, bool]]:
    """Return a table with whether its page is turned, in parts if it is wider than that."""
    width = _layout(table, turned=False).total(range(len(table.columns)), GAP)
    if width <= UPRIGHT:
        return [(table, False)]
    return [(part, True) for part in _fit.parts(table, _layout(table, turned=True), TURNED, GAP)]


def _set_page(section: Any, turned: bool) -> None:
    """Make the page A4, upright or turned, with margins of one inch."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm, Pt

    long, short = Mm(297), Mm(210)
    section.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if turned else (short, long)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Pt(72)


def _styles(document: Document) -> None:
    """Add the styles of cells and of notes: set once, because each setting of a cell by itself takes long."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
    from docx.oxml.ns import qn
    from docx.shared import Pt

    alignments = {CELL: ALIGN.LEFT, NUMBER: ALIGN.RIGHT, SPAN: ALIGN.CENTER, TITLE: ALIGN.LEFT, NOTE: ALIGN.LEFT}
    for name, alignment in alignments.items():
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.font.name, style.font.size = "Times New Roman", Pt(POINTS - 1 if name == NOTE else POINTS)
        style.font.bold = name == TITLE
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "SimSun")
        shape = style.paragraph_format
        shape.space_before, shape.space_after, shape.line_spacing = Pt(1), Pt(1), 1.0
        shape.alignment, shape.keep_with_next = alignment, name == TITLE


def _add(document: Document, table: Table, turned: bool) -> None:
    """Add title, table and notes."""
    document.add_paragraph(table.title, style=TITLE)
    spans = any(column.span for column in table.columns)
    n_heads = 1 + int(spans)
    grid = document.add_table(rows=n_heads + max(len(table.rows), 1), cols=len(table.columns))
    cells = [list(row.cells) for row in grid.rows]  # once: each access walks the whole table
    _shape(grid, cells, _stretched(_layout(table, turned).widths, TURNED if turned else UPRIGHT))
    if spans:
        _spans(cells[0], table)
    for k, column in enumerate(table.columns):
        _fill(cells[n_heads - 1][k], column.head, NUMBER if column.right else CELL)
    tails = [max((len(row[k].parts[1]) for row in table.rows), default=0) for k in range(len(table.columns))]
    for at, row in enumerate(table.rows):
        for k, cell in enumerate(row):
            room = tails[k] if table.columns[k].right else None
            _cell(cells[n_heads + at][k], cell, room, before=at in table.breaks)
    if not table.rows:
        _fill(cells[n_heads][0].merge(cells[n_heads][-1]), table.empty, CELL)
    for line in cells[:n_heads]:
        _repeat(line[0])
    _rule(cells[0], "top", 12)
    _rule(cells[n_heads - 1], "bottom", 6)
    _rule(cells[-1], "bottom", 12)
    for note in table.notes:
        document.add_paragraph(note, style=NOTE)
    document.add_paragraph()


def _shape(grid: WordTable, cells: list[list[WordCell]], widths: Sequence[float]) -> None:
    """Set the widths of the columns, and narrow margins of the cells."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    grid.autofit = False
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(int(20 * MARGIN)))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    grid._tbl.tblPr.append(margins)
    for k, width in enumerate(widths):
        grid.columns[k].width = Pt(width)
        for line in cells:
            line[k].width = Pt(width)


def _stretched(widths: Sequence[float], page: float) -> list[float]:
    """Return the widths with the room between columns, not wider together than the page."""
    wide = [width + GAP for width in widths]
    return [width * min(1.0, page / sum(wide)) for width in wide]


def _spans(line: list[WordCell], table: Table) -> None:
    """Fill the heads that columns share, with a rule below each."""
    first = 0
    for span, block in groupby(table.columns, key=lambda column: column.span):
        n = len(list(block))
        for cell in line[first : first + n] if not span else ():
            _fill(cell, "", CELL)
        if span:
            merged = line[first].merge(line[first + n - 1]) if n > 1 else line[first]
            _fill(merged, span, SPAN)
            _rule([merged], "bottom", 4)
        first += n


def _cell(target: WordCell, cell: Cell, room: int | None, before: bool) -> None:
    """Fill one cell; stars are superscript, and digits align through the ``room`` of marks; None for text."""
    from docx.shared import Pt

    body, mark = (cell.text, "") if room is None else cell.parts
    paragraph = _fill(target, body, CELL if room is None else NUMBER)
    if before:
        paragraph.paragraph_format.space_before = Pt(5)
    stars = mark.lstrip(")")
    bracket = mark[: len(mark) - len(stars)]
    if bracket:
        paragraph.add_run(bracket)
    raised = stars + FIGURE_SPACE * ((room or 0) - len(mark))
    if raised and body:
        paragraph.add_run(raised).font.superscript = True


def _fill(target: WordCell, text: str, style: str) -> Any:
    """Fill a cell with one paragraph and return it."""
    paragraph = target.paragraphs[0]
    paragraph._p.style = style.replace(" ", "")  # its id; paragraph.style would look it up among all styles
    if text:
        paragraph.add_run(text)
    return paragraph


def _rule(line: Sequence[WordCell], edge: str, eighths: int) -> None:
    """Draw a rule along an edge of cells, in eighths of a point."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for cell in line:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        border = OxmlElement(f"w:{edge}")
        for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "0"), ("color", "auto")):
            border.set(qn(f"w:{name}"), value)
        borders.append(border)


def _repeat(cell: WordCell) -> None:
    """Repeat the row of a cell on each page that the table spans."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    row = cell._tc.getparent()
    properties = row.get_or_add_trPr()
    header = OxmlElement("w:tblHeader")
    header.set(qn("w:val"), "true")
    properties.append(header)
