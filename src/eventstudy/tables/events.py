"""Events: the CAR and p of every used event in each window, as an appendix lists them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import DATE, Cell, P, text
from eventstudy.tables._shared import Record, Window
from eventstudy.tables._table import Column, Table

P_HEADS = {"p": "p", "p_sq": "p SQ", "p_conformal": "p conf.", "p_placebo": "p pl."}
P_NOTES = {
    "p": "p: Student's t of the {} over its standard error with the forecast error.",
    "p_sq": "p SQ: the {} among the event's own estimation residuals, without normality.",
    "p_conformal": "p conf.: the {} among all runs of as many {}s, estimation window included, without normality.",
    "p_placebo": "p pl.: the {} among those of its peers, to which the same model was fitted as placebos.",
}
SUMS_NOTE = "Without p: those of Result.cars are of the sum of abnormal returns, and not of the {}."


def events(result: Result, *, stars: bool = True, most: int | None = None) -> Table:
    """Return the CAR of each used event in every window, with the first p-value of single events.

    Parameters
    ----------
    result : Result
    stars : bool
        Whether CARs have stars by the p beside them: three for p < 0.01, two for p < 0.05, one for p < 0.10.
    most : int, optional
        The number of events shown; a note counts the others. All by default.

    Returns
    -------
    Table
        ``frame``: event_id, ticker, session, start, end, car (or bhar), se, n_days, and p_name and p: the first p of
        the window, ``p_sq`` up to three days, ``p_conformal`` over more, ``p`` where the model has neither; p_placebo
        if the model has placebos. One row for each event and window. There is no p where the study compounds.
    """
    arguments.flag("stars", stars)
    measure, cars = result.measure, result.cars
    spans = _shared.windows(cars)
    every = formats.usable_events(result)
    used = every if most is None else every.iloc[: arguments.whole("most", most, 1)]
    of_window = {w: formats.first_p(result.cars, *w) for w in spans} if measure.has_p else {}
    frame = _frame(result, used, of_window)
    found = {(row["event_id"], row["start"], row["end"]): row for row in frame.to_dict("records")}
    unit = formats.day_unit(result.events["session"])
    notes = [f"Stars: {formats.STARS}."] if stars and of_window and len(frame) else []
    placebo = ("p_placebo",) if of_window and "p_placebo" in frame else ()
    heads = {w: [P_HEADS[name] for name in (of_window[w], *placebo)] if w in of_window else [] for w in spans}
    named = {*of_window.values(), *placebo}
    step = formats.day_or_bar(result.events["session"])
    notes += [note.format(measure.short, step) for name, note in P_NOTES.items() if name in named]
    notes += [] if measure.has_p else [SUMS_NOTE.format(measure.short)]
    if len(used) < len(every):
        notes.append(
            f"{formats.plural(len(every) - len(used), 'further event')} not shown; a .csv report has them all."
        )
    missing = frame[measure.column].isna()
    if missing.any():
        notes.append(f"{formats.MISSING} No {measure.short}: too few {step}s of the window have a {measure.series}.")
    p_names = ("p", *placebo) if of_window else ()
    rows = tuple(
        (
            *(text(event_id), text(ticker), Cell(session, DATE)),
            *(cell for w in spans for cell in _cells(found.get((event_id, *w)), measure, p_names, stars)),
        )
        for event_id, ticker, session in zip(used.index, used["ticker"], used["session"], strict=True)
    )
    value = _shared.with_unit(measure.short, measure)
    columns = [Column(head, span=formats.window(*w)) for w in spans for head in (value, *heads[w])]
    return Table(
        frame,
        _shared.with_prices(f"{_shared.capital(measure.full)} of each event", result),
        (Column("Event", False), Column("Ticker", False), Column(unit.capitalize(), False), *columns),
        rows,
        tuple(notes),
        n_keys=3,
        label="events",
        empty="no event could be used",
    )


def _frame(result: Result, used: pd.DataFrame, of_window: dict[Window, str]) -> pd.DataFrame:
    """Return one row for each used event and window."""
    value = result.measure.column
    frame = result.cars[result.cars["event_id"].isin(used.index)]
    labels = used.rename_axis("event_id")[["ticker", "session"]].reset_index()
    frame = labels.merge(frame, on="event_id", sort=False)
    if of_window:
        frame["p_name"] = "p"
        for window, name in of_window.items():
            rows = in_window(frame, window).index
            frame.loc[rows, "p_name"], frame.loc[rows, "p"] = name, frame.loc[rows, name]
    p = ["p_name", *(name for name in ("p", "p_placebo") if name in frame)] if of_window else []
    return frame[["event_id", "ticker", "session", "start", "end", value, "se", "n_days", *p]]


def _cells(row: Record | None, measure: Measure, p_names: Sequence[str], starred: bool) -> list[Cell]:
    """Return the cells of one event and window: its effect, with stars by the first p, and the p-values."""
    value = None if row is None else row[measure.column]
    known = row is not None and not formats.is_missing(value)
    p = [row[name] if row is not None and known else None for name in p_names]
    effect = Cell(value, _shared.value_format(measure), formats.stars(p[0]) if starred and p else "")
    return [effect, *(Cell(one, P) for one in p)]


TABLE = events
