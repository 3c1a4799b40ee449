"""Dates: the results on every session that the times of the announcements allow."""

from __future__ import annotations

from eventstudy import arguments
from eventstudy.analysis.dates import PLACEMENTS, Dates
from eventstudy.display import formats, names
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, Cell, P, text
from eventstudy.tables._table import Column, Table


def dates(result: Result, *, of: Dates | None = None, stars: bool = True) -> Table:
    """Return the mean effect with the events on their first, last, lowest and highest possible sessions.

    Parameters
    ----------
    result : Result
    of : Dates, optional
        What ``Result.dates`` has returned; that of the first window by default.
    stars : bool
        Whether means have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10, by the primary test. A test
        that does not hold for the sample has a dagger instead.

    Returns
    -------
    Table
        ``frame``: placement, start, end, n, effect, se, lower, upper, test, p, valid; means are decimals.

    Raises
    ------
    InputError
        If the study has intraday bars, or an option is not valid.
    """
    arguments.flag("stars", stars)
    record = result.dates() if of is None else arguments.instance("of", of, Dates, "a record of dates()")
    unit = _shared.value_format(record.measure)
    rows = [
        (
            text(_shared.capital(PLACEMENTS[row["placement"]])),
            Cell(row["effect"], unit, _shared.effect_mark(row, stars)),
            *(Cell(row[name], unit) for name in ("se", "lower", "upper")),
            Cell(row["p"], P),
            Cell(row["n"], COUNT),
        )
        for row in record.sample.to_dict("records")
    ]
    head = _shared.with_unit(_shared.mean_head(record.measure), record.measure)
    return Table(
        record.sample,
        _shared.with_prices(f"The mean over possible sessions, window {formats.window(*record.window)}", result),
        (Column("Events placed on", right=False), *(Column(name) for name in (head, "SE", *names.ends(), "p", "N"))),
        tuple(rows),
        (
            record.answer(),
            *_shared.about_stars(record.sample, record.sample["placement"].tolist(), stars),
            "The rows of the lowest and the highest value are chosen by their values: bounds, not tests.",
            *_shared.dependence(result),
        ),
        label="dates",
    )


TABLE = dates
