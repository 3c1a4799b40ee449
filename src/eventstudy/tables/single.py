"""Single: one event in every window, with p-values, the detectable effect, Bayes factors, and the price without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import NUMBER, Cell, Format, P, text
from eventstudy.tables._table import Column, Table

if TYPE_CHECKING:
    from eventstudy.analysis.single import Single

FACTOR = Format("number", 1)


def single(result: Result, *, of: Single | None = None) -> Table:
    """Return one event in every window of the study.

    Parameters
    ----------
    result : Result
    of : Single, optional
        What ``Result.single`` has returned; that of the only used event by default.

    Returns
    -------
    Table
        ``frame``: that of ``Single``; CARs are decimals.

    Raises
    ------
    InputError
        If ``of`` is no such record, or is None and the study has several used events.
    """
    from eventstudy.analysis.single import Single

    of = result.single() if of is None else arguments.instance("of", of, Single, "a record of single()")
    measure, form = of.measure, _shared.value_format(of.measure)
    ps = {"p": "p", "p_sq": "SQ p", "p_conformal": "Conformal p"}
    ps = {name: head for name, head in ps.items() if name in of.frame}
    rows = tuple(
        (
            text(formats.window(row["start"], row["end"])),
            Cell(row["car"], form), Cell(row["se"], form), Cell(row["t"], NUMBER),
            *(Cell(row[name], P) for name in ps),
            Cell(row["detectable"], form), Cell(row["bayes_factor"], FACTOR), Cell(row["bayes_bound"], FACTOR),
        )
        for row in of.frame.to_dict("records")
    )  # fmt: skip
    columns = (
        Column("Window", right=False), Column(_shared.with_unit(measure.short, measure)),
        Column(_shared.with_unit("SE", measure)), Column("t"), *map(Column, ps.values()),
        Column(_shared.with_unit("Detectable", measure)), Column("Bayes factor"), Column("At most"),
    )  # fmt: skip
    notes = (
        "Detectable: the effect that a two-sided t test at 5 % finds with a power of 80 %.",
        "At most: the largest Bayes factor that the p-value can stand for (Sellke, Bayarri & Berger 2001).",
        of.answer(),
        *of.notes,
    )
    title = f"{formats.plain(of.ticker)} on {formats.date(of.session)}"
    return Table(of.frame, _shared.with_prices(title, result), columns, rows, notes, label="single")


TABLE = single
