"""Market-wide news: the mean effect and the slopes on exposures, of all dates and of each date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.display import formats, names
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, NUMBER, Cell, P, text
from eventstudy.tables._table import Column, Table

if TYPE_CHECKING:
    from eventstudy.analysis.market_wide import MarketWide


def market_wide(
    result: Result, *, of: MarketWide | None = None, exposure: str | Sequence[str] | None = None, stars: bool = True
) -> Table:
    """Return the effects of news on a whole market.

    Parameters
    ----------
    result : Result
    of : MarketWide, optional
        What ``Result.market_wide`` has returned; by default it is called.
    exposure : str or sequence of str, optional
        The exposures, where ``of`` is None.
    stars : bool
        Whether estimates have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10.

    Returns
    -------
    Table
        ``frame``: that of ``MarketWide``.

    Raises
    ------
    InputError
        If ``of`` is no such record, or the study or the exposures are not those of ``Result.market_wide``.
    """
    from eventstudy.analysis.market_wide import MarketWide

    arguments.flag("stars", stars)
    of = (
        result.market_wide(exposure)
        if of is None
        else arguments.instance("of", of, MarketWide, "a record of market_wide()")
    )
    measure, form = of.measure, _shared.value_format(of.measure)
    rows = tuple(
        (
            text(formats.window(row["start"], row["end"])),
            text("all dates" if formats.is_missing(row["date"]) else formats.date(row["date"])),
            text(row["term"]),
            Cell(row["estimate"], form, formats.stars(of.first_p(row)) if stars else ""),
            Cell(row["se"], form), Cell(row["lower"], form), Cell(row["upper"], form),
            Cell(row["t"], NUMBER), Cell(row["p"], P), Cell(row["p_conformal"], P), Cell(row["n"], COUNT),
        )
        for row in of.frame.to_dict("records")
    )  # fmt: skip
    columns = (
        Column("Window", right=False), Column("Date", right=False), Column("Term", right=False),
        Column(_shared.with_unit("Estimate", measure)), Column(_shared.with_unit("SE", measure)),
        *map(Column, names.ends()), Column("t"), Column("p of t"), Column("p"), Column("Firms"),
    )  # fmt: skip
    notes = (f"t has {int(of.frame['df'].iloc[0])} degrees of freedom.", *of.notes)
    notes = (f"Stars: {formats.STARS}.", *notes) if stars else notes
    title = _shared.with_prices("News of a whole market", result)
    return Table(of.frame, title, columns, rows, notes, n_keys=3, label="market_wide")


TABLE = market_wide
