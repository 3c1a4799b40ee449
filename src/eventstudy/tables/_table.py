"""A table of a study: its numbers in a frame, and the grid of cells that every writer shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd

from eventstudy import _registry
from eventstudy.tables._cells import BLANK, Cell

Row = tuple[Cell, ...]
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
        return str(_writer("_text").render(self._head()))

    def _repr_html_(self) -> str:
        return self._head().to_html()

    def _head(self) -> Table:
        """Return the table with as many rows as a screen or a notebook shows."""
        hidden = len(self.rows) - MOST_SHOWN
        if hidden <= 0:
            return self
        note = f"{hidden} further rows are not shown here; every to_ method writes them."
        return replace(self, rows=self.rows[:MOST_SHOWN], notes=(note, *self.notes))

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


def _writer(name: str) -> Any:
    """Import a writer when it is used: each reads the table, and some need a library of an extra."""
    return _registry.helper("tables", name)


def continues(row: Row) -> bool:
    """Return whether a row continues the one above it, as that of standard errors."""
    return row[0] == BLANK
