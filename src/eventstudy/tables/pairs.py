"""Pairs: announcements on two listings of one firm, with their moves, the gap and how much of it closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import PERCENT, Cell, text
from eventstudy.tables._table import Column, Table

if TYPE_CHECKING:
    from eventstudy.analysis.pairs import Pairs

MOVES = ("adr_return", "home_return", "gap_first", "gap_both", "usual", "currency")


def pairs(result: Result, *, of: Pairs | None = None) -> Table:
    """Return the announcements on two listings of one firm.

    Parameters
    ----------
    result : Result
    of : Pairs, optional
        What ``Result.pairs`` has returned; by default that of the listings of one ``firm``.

    Returns
    -------
    Table
        ``frame`` is that of the record; returns and gaps are decimals.

    Raises
    ------
    InputError
        If ``of`` is no such record.
    NotEnoughData
        If no announcement has two listings.
    """
    from eventstudy.analysis.pairs import Pairs

    record = result.pairs() if of is None else arguments.instance("of", of, Pairs, "a record of pairs()")
    rows = tuple(
        (
            text(row["announcement"]), text(row["adr"]), text(row["home"]), text(row["first"]),
            *(Cell(row[name], PERCENT) for name in MOVES),
        )
        for row in record.frame.to_dict("records")
    )  # fmt: skip
    heads = ("ADR (%)", "Home (%)", "Gap 1 (%)", "Gap 2 (%)", "Usual (%)", "Currency (%)")
    lost = record.frame["note"][record.frame["note"] != ""].value_counts()
    return Table(
        record.frame,
        _shared.with_prices("Two listings of one firm", result),
        (*(Column(name, right=False) for name in ("Announcement", "ADR", "Home", "First")), *map(Column, heads)),
        rows,
        (
            "Returns of the sessions that could react, in their own currencies. Gap: the log premium of the ADR after"
            " the first and the second close, less its median before; usual: its standard deviation before.",
            record.answer(),
            *(f"{n} without: {why}." for why, n in lost.items()),
        ),
        label="pairs",
        empty="no announcement has two listings",
    )


TABLE = pairs
