"""Spillover: the mean effect of treated securities, of their peers, and the difference, in every window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventstudy import arguments
from eventstudy.display import names
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, Cell, P, text
from eventstudy.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from eventstudy.analysis.spillover import Spillover

COLUMNS = ["start", "end", "role", "n_events", "n_announcements", "effect", "se", "lower", "upper", "p", "valid"]


def spillover(result: Result, *, of: Spillover | None = None, stars: bool = True) -> Table:
    """Return the mean effects of treated securities and of their peers around the same announcements.

    Parameters
    ----------
    result : Result
    of : Spillover, optional
        What ``Result.spillover`` has returned; that of the nearest peers by default.
    stars : bool
        Whether means have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10.

    Returns
    -------
    Table
        ``frame``: start, end, role, n_events, n_announcements, effect, se, lower, upper, p, valid; means are decimals.

    Raises
    ------
    InputError
        If ``of`` is no such record, or the spillover cannot be computed.
    """
    from eventstudy.analysis.spillover import Spillover

    stars = arguments.flag("stars", stars)
    record = result.spillover() if of is None else arguments.instance("of", of, Spillover, "a record of spillover()")
    measure, rows = record.measure, list[Row]()
    form, breaks = _shared.value_format(measure), set[int]()
    for row in record.tests.to_dict("records"):
        first = row["role"] == "treated"
        if first:
            breaks.add(len(rows))
        rows.append(
            (
                text(_shared.places(record.tests.iloc[[len(rows)]])[0] if first else ""), text(row["role"]),
                Cell(row["n_events"], COUNT), Cell(row["n_announcements"], COUNT),
                Cell(row["effect"], form, _shared.effect_mark(row, stars)), Cell(row["se"], form),
                Cell(row["lower"], form), Cell(row["upper"], form), Cell(row["p"], P),
            )
        )  # fmt: skip
    mean = _shared.with_unit(_shared.mean_head(measure), measure)
    heads = ("Events", "Announcements", mean, "SE", *names.ends(), "p")
    notes = list(dict.fromkeys(record.tests["note"]))
    return Table(
        record.tests[COLUMNS].reset_index(drop=True),
        _shared.with_prices("Treated securities and their peers", result),
        (Column("Window", right=False), Column("", right=False), *map(Column, heads)),
        tuple(rows),
        (
            "Each announcement counts once: the mean of its treated, that of its peers, and their difference.",
            *(f"Standard errors: {note}." for note in notes),
            *(f"{_shared.capital(note)}." for note in record.notes),
        ),
        frozenset(breaks - {0}),
        label="spillover",
    )


TABLE = spillover
