"""A table of a study: its numbers in a frame, and the grid of cells that every writer shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from eventstudy import _registry, arguments
from eventstudy.errors import InputError, shown
from eventstudy.tables._cells import BLANK, Cell

Row = tuple[Cell, ...]
NARROWEST = 100  # points of a page
MOST_SHOWN = 60  # rows of a table on a screen


class Column(NamedTuple):
    """A column: its head with the unit, whether it is flush right, and the head that it shares with its neighbours."""

    head: str
    right: bool = True
    span: str = ""

    @property
    def whole(self) -> str:
        """The head in one line."""
        return f"{self.span} {self.head}".strip()


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """A table of a study, as a paper prints it.

    Attributes
    ----------
    frame : DataFrame
        The numbers of the table with all their digits, one row for each thing that the table shows (a day, a window, an
        event, a coefficient). Returns are decimals; NaN is missing.
    title : str
        The caption.
    columns : tuple of Column
        The heads, with units.
    rows : tuple of tuples of Cell
        The cells: a value, its format, stars or another mark, brackets. A row whose first cell is empty continues the
        row above it.
    notes : tuple of str
        The lines below: stars, tests and what they assume, dependence, what does not hold.
    breaks : frozenset of int
        The rows before which a new part begins.
    n_keys : int
        The first columns, which are repeated where a table is parted because it is wider than its page.
    label : str
        The label of the table in LaTeX is ``tab:`` and this; it is the name of the sheet in Excel too.
    empty : str
        What is shown in place of rows if there are none.

    Examples
    --------
    >>> from eventstudy import demo
    >>> table = demo.run().result.table("attrition")
    >>> table.frame["n"].tolist()
    [417, 1, 23, 393, 60]
    """

    frame: pd.DataFrame
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    breaks: frozenset[int] = field(default_factory=frozenset)
    n_keys: int = 1
    label: str = ""
    empty: str = "no rows"

    def __repr__(self) -> str:
        return str(_writer("_text").render(first_rows(self, MOST_SHOWN, "every to_ method writes them")))

    def _repr_html_(self) -> str:
        return str(_writer("_html").render_inline(first_rows(self, MOST_SHOWN, "every to_ method writes them")))

    def to_html(self, style: bool = True) -> str:
        """Return the table as an HTML element ``<table>``, with caption, scopes of heads, and notes in its footer.

        Parameters
        ----------
        style : bool
            Whether a ``<style>`` element with the rules for the class ``es-table`` precedes it.

        Returns
        -------
        str
            All text is escaped; without script, links and ids.
        """
        writer = _writer("_html")
        return (writer.STYLE if style else "") + str(writer.render(self))

    def to_markdown(self) -> str:
        """Return the table as Markdown: its title in bold, a pipe table, and the notes as paragraphs."""
        return str(_writer("_markdown").render(self))

    def to_latex(self, width: float = 345.0) -> str:
        r"""Return the table as LaTeX for ``\input``: booktabs rules, caption, label ``tab:...`` and notes.

        Numbers are aligned at the decimal point by siunitx, version 2 or 3.

        Parameters
        ----------
        width : float
            The width of the text of the document in points (``\the\textwidth``); that of an article by default.

        Returns
        -------
        str
            The first lines name the packages that the document needs. A table that is wider than the page is set
            smaller, else turned, else parted by columns, and says so; one of many rows spans pages. Letters beyond
            Latin need XeLaTeX or LuaLaTeX with fontspec; pdfLaTeX shows [?] for them, and warns once.

        Raises
        ------
        InputError
            If the width is not valid.

        Examples
        --------
        >>> from eventstudy import demo
        >>> print(demo.run().result.table("attrition").to_latex().splitlines()[3])
        % \usepackage{booktabs,array,siunitx,threeparttable}
        """
        if not arguments.is_number(width) or width < NARROWEST:
            raise InputError(f"width is {shown(width)}; give points, {NARROWEST} or more, such as 345")
        return str(_writer("_latex").render([self], float(width)))

    def to_excel(self, path: str | Path) -> Path:
        """Write the table as a workbook with one sheet, and return its path; an existing file is replaced.

        Cells are numbers with number formats, brackets and stars included; no text becomes a formula or a link. The
        same table is the same bytes.

        Raises
        ------
        InputError
            If the path is not valid, or xlsxwriter is missing.
        OutputError
            If the file cannot be written.
        """
        written: Path = _writer("_excel").save([self], arguments.path("path", path))
        return written

    def to_word(self, path: str | Path) -> Path:
        """Write the table as a Word document, and return its path; an existing file is replaced.

        A table that is wider than the page is on a turned page, else parted by columns. The same table is the same
        bytes.

        Raises
        ------
        InputError
            If the path is not valid, or python-docx is missing.
        OutputError
            If the file cannot be written.
        """
        written: Path = _writer("_word").save([self], arguments.path("path", path))
        return written


def _writer(name: str) -> Any:
    """Import a writer when it is used: each reads the table, and some need a library of an extra."""
    return _registry.helper("tables", name)


def first_rows(table: Table, most: int, where: str) -> Table:
    """Return a table with its first rows, and a note that counts the others and says where they are."""
    hidden = len(table.rows) - most
    if hidden <= 0:
        return table
    return replace(table, rows=table.rows[:most], notes=(f"{hidden} further rows not shown; {where}.", *table.notes))


def continues(row: Row) -> bool:
    """Return whether a row continues the one above it, as that of standard errors."""
    return row[0] == BLANK
