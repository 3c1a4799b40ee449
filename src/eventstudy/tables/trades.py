"""Trades: what a backtest of the announcements earned, at what risk and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventstudy.display import formats, names
from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import BLANK, COUNT, NUMBER, PERCENT, Cell, Format, P, text
from eventstudy.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from eventstudy.analysis.trades import Trades

FORMATS = {
    "n_events": COUNT, "n_trades": COUNT, "sharpe": NUMBER, "turnover": Format("number", 1), "placebo_p": P,
    "capacity": Format("number", 0),
}  # fmt: skip
UNITS = {"turnover": " (times the capital)", "capacity": " (capital)"}


def trades(result: Result, *, of: Trades | None = None) -> Table:
    """Return the figures of a backtest.

    Parameters
    ----------
    result : Result
    of : Trades, optional
        What ``Result.trades`` has returned; by default its result with all defaults, which needs a study with signs.

    Returns
    -------
    Table
        ``frame``: figure, value, lower, upper, note, as ``Trades.summary`` has them; shares are decimals.

    Raises
    ------
    InputError
        If ``of`` is none, or the study cannot be traded.
    """
    from eventstudy.analysis.trades import Trades
    from eventstudy.analysis.trades_figures import base, words

    backtest = result.trades() if of is None else of
    if not isinstance(backtest, Trades):
        raise InputError(f"of is {shown(of)}; give what result.trades() has returned")
    frame = backtest.summary().reset_index()
    rows: list[Row] = []
    spacing = backtest.figures.spacing
    for row in frame.to_dict("records"):
        name = row["figure"]
        form = FORMATS.get(base(name), PERCENT)
        unit = "" if base(name) in FORMATS or base(name) != name else " (%)"
        head = words(name, spacing) + UNITS.get(name, unit)
        ends = (BLANK if formats.is_missing(row[part]) else Cell(row[part], form) for part in ("lower", "upper"))
        rows.append((text(head), Cell(row["value"], form), *ends))
    said = [f"{words(row['figure'], spacing)}: {row['note']}." for row in frame.to_dict("records") if row["note"]]
    return Table(
        frame,
        _shared.with_prices("Trades on the announcements", result),
        (Column("", False), Column("Value"), *map(Column, names.ends())),
        tuple(rows),
        (
            f"Rule: {backtest.rule}; costs are of the value bought or sold.",
            f"Shares of a constant capital: nothing is reinvested. {spacing.sentence}",
            *said,
            *(f"{note[:1].upper()}{note[1:]}." for note in backtest.notes),
        ),
        label="trades",
    )


TABLE = trades
