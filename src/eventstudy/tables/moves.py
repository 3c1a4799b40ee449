"""Moves: the largest abnormal days of securities, and the events that meet them."""

from __future__ import annotations

from eventstudy.analysis.moves import Moves
from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, DATE, NUMBER, PERCENT, Cell, P, text
from eventstudy.tables._table import Column, Table

NEEDS = "the table of moves needs of=, what es.explain_moves(prices, events) has returned"


def moves(result: Result, *, of: Moves | None = None) -> Table:
    """Return the largest abnormal days of each ticker with their events.

    Parameters
    ----------
    result : Result
        The result beside which the table is shown.
    of : Moves
        What :func:`eventstudy.explain_moves` has returned; it is required.

    Returns
    -------
    Table
        ``frame``: ticker, rank, session, ar, t, p, p_adjusted, events, near.

    Raises
    ------
    InputError
        If ``of`` is not a record of moves.
    """
    if not isinstance(of, Moves):
        raise InputError(NEEDS)
    rows = [
        (
            text(formats.plain(row["ticker"])), Cell(row["rank"], COUNT), Cell(row["session"], DATE),
            Cell(row["ar"], PERCENT), Cell(row["t"], NUMBER), Cell(row["p_adjusted"], P),
            text(", ".join(map(formats.plain, row["events"])) or formats.MISSING),
        )
        for row in of.frame.to_dict("records")
    ]  # fmt: skip
    first = of.frame["ticker"].ne(of.frame["ticker"].shift())
    return Table(
        of.frame,
        _shared.with_prices(f"Largest abnormal {of.row}s and their events", result),
        (
            Column("Ticker", right=False), Column("Rank"), Column("Session", right=False), Column("AR (%)"),
            Column("t"), Column("p, adjusted"), Column("Events in the session", right=False),
        ),
        tuple(rows),
        (of.answer(), f"Adjusted p: of the largest of all {of.row}s of the ticker (Šidák)."),
        frozenset(row for row in range(1, len(rows)) if first.iloc[row]),
        n_keys=2,
        label="moves",
    )  # fmt: skip


TABLE = moves
