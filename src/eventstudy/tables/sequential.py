"""A study that grows: the mean standardised effect after each date, with a p-value that holds at every look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eventstudy import arguments
from eventstudy.display import formats, names
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, DATE, NUMBER, Cell, P
from eventstudy.tables._table import Column, Table

if TYPE_CHECKING:
    from eventstudy.analysis.sequential import Sequential

MOST = 20


def sequential(result: Result, *, of: Sequential | None = None, most: int = MOST) -> Table:
    """Return the last looks at a study that grows.

    Parameters
    ----------
    result : Result
    of : Sequential, optional
        What ``Result.sequential`` has returned; by default it is called.
    most : int
        The looks that are shown, the last ones.

    Returns
    -------
    Table
        ``frame``: that of ``Sequential``, of all looks.
    """
    from eventstudy.analysis.sequential import Sequential

    most = arguments.whole("most", most, 1)
    of = result.sequential() if of is None else arguments.instance("of", of, Sequential, "a record of sequential()")
    rows = tuple(
        (
            Cell(row["date"], DATE), Cell(row["n_events"], COUNT), Cell(row["n_clusters"], COUNT),
            Cell(row["effect"], NUMBER), Cell(row["lower"], NUMBER), Cell(row["upper"], NUMBER),
            Cell(np.log10(row["e_value"]), NUMBER), Cell(row["p_always"], P),
        )
        for row in of.frame.tail(most).to_dict("records")
    )  # fmt: skip
    columns = (
        Column("Date", right=False), Column("Events"), Column("Clusters"), Column("Mean SCAR"),
        *(Column(end, span="Sequence") for end in names.ends(of.level)), Column("log₁₀ e"), Column("p, always valid"),
    )  # fmt: skip
    earlier = len(of.frame) - most
    notes = [
        of.answer(),
        "Clusters: events whose windows share days. The p-values and the sequence hold at every look.",
    ]
    notes += [f"{formats.plural(earlier, 'earlier look')} not shown."] if earlier > 0 else []
    title = _shared.with_prices(f"The mean standardised {of.measure.short} as events arrived", result)
    return Table(of.frame, title, columns, rows, tuple(notes), label="sequential")


TABLE = sequential
