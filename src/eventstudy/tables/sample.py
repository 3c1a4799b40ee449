"""Sample: the CARs by year, by group and by exchange, as a table of descriptive statistics."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, Cell, Format, text
from eventstudy.tables._shared import Record, Window
from eventstudy.tables._table import Column, Row, Table
from eventstudy.tabular.labels import labels_of

QUANTILES = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}
NO_WINDOW = (0, 0)  # of a result without events
COMPUTED = ("year", "exchange")


def sample(result: Result, *, by: Sequence[str] | None = None, window: Window | None = None) -> Table:
    """Describe the CARs of the used events in one window: number, mean, median and quantiles, in parts of the sample.

    Parameters
    ----------
    result : Result
    by : sequence of str, optional
        How the sample is divided: "year" (of the session), "exchange", and columns of ``events``. By default the year,
        the group column of the study, and the exchange; the year alone for a result that was read from a file.
    window : (int, int), optional
        A window of the study; the first by default.

    Returns
    -------
    Table
        ``frame``: by, value, n (events with a CAR), mean, median, positive, then the quantiles q05, q25, q75, q95
        (linear between values). In a study with signs each CAR is multiplied by the expected sign of its event, and
        events without one are left out, as in ``daily`` and ``tests``. A first row has all events. An event that is
        listed several times (its duplicates) counts once in each part in which it is listed, as in groups of a study.

    Raises
    ------
    InputError
        If ``by`` or the window is not valid.
    """
    measure = result.measure
    spans = _shared.windows(result.cars) or _shared.windows(result.tests) or [NO_WINDOW]
    first, last = arguments.one_window(window, spans)
    cars = _shared.signed_cars(result, (first, last))
    records = [_described("all", "all", cars)]
    counted = _counted(result, cars)
    in_several: set[Hashable] = set()
    for column in _columns(result, by):
        parts = pd.DataFrame({"label": _labels(result, column), "counted": counted}).dropna().drop_duplicates()
        in_several |= set(parts["counted"][parts["counted"].duplicated()])
        by_label = {value: cars[parts["counted"][parts["label"] == value]] for value in _in_order(parts["label"])}
        records += [_described(column, value, own) for value, own in by_label.items()]
    frame = pd.DataFrame(records)
    form, head = _shared.value_format(measure), _shared.with_unit(_shared.capital(measure.averaged), measure)
    breaks = {number for number, row in enumerate(records) if number and row["by"] != records[number - 1]["by"]}
    names = ("Mean", "Median", *(f"{100 * level:g} %" for level in QUANTILES.values()))
    values = (Column("Positive (%)"), *(Column(name, span=head) for name in names))
    return Table(
        frame,
        _shared.with_prices(f"The sample: {measure.averaged_full} {formats.window(first, last)}", result),
        (Column("", right=False), Column("N"), *values),
        tuple(_rows(records, form)),
        (*_notes(measure), *_in_several(in_several), *_without_study(result, by)),
        frozenset(breaks),
        label="sample",
    )


def _counted(result: Result, cars: pd.Series[float]) -> pd.Series[Any]:
    """Return, by each listing of an event in the list, the event with a CAR that counts for it; missing if none."""
    events = result.events[result.events["status"].isin(["ok", "duplicate"])]
    with_car = events.loc[cars.index]
    by_session = dict(zip(zip(with_car["ticker"], with_car["session"], strict=True), cars.index, strict=True))
    counts = [by_session.get(key) for key in zip(events["ticker"], events["session"], strict=True)]
    return pd.Series(counts, index=events.index, dtype=object)


def _columns(result: Result, by: Sequence[str] | None) -> list[str]:
    """Return by what the sample is divided."""
    rerun = result.rerun
    if by is None:
        group = None if rerun is None else rerun.choices.group
        return ["year", *([] if group is None else [group]), *([] if rerun is None else ["exchange"])]
    if isinstance(by, str) or not isinstance(by, Sequence):
        raise InputError(f"by is {shown(by)}; give a list, as in ['year', 'sector']")
    valid = [name for name in COMPUTED if name != "exchange" or rerun is not None]
    for name in by:
        arguments.choice("by", name, (*valid, *result.events.columns))
    return list(dict.fromkeys(by))


def _labels(result: Result, column: str) -> pd.Series[str]:
    """Return the part of the sample that each listing of an event belongs to; missing where it has none."""
    used = result.events[result.events["status"].isin(["ok", "duplicate"])]
    if column == "exchange" and "exchange" not in used and result.rerun is not None:
        study_sample = result.rerun.sample()
        calendars = np.array([panel.calendar for panel in study_sample.panels], dtype=object)
        labels = pd.Series(None, index=result.events.index, dtype=object)
        labels.iloc[study_sample.event_table.rows] = calendars[study_sample.placed.panel]
        return labels.where(labels != "").reindex(used.index)  # prices without an exchange have none
    if column == "year" and "year" not in used:
        return pd.Series(used["session"].dt.year.astype(str), index=used.index)
    codes, values, _ = labels_of(used[column])
    return pd.Series([None if code < 0 else str(values[code]) for code in codes], index=used.index, dtype=object)


def _in_order(labels: pd.Series[str]) -> list[str]:
    return sorted(labels.dropna().unique())


def _described(by: str, value: str, cars: pd.Series[float]) -> Record:
    """Return a row of the frame."""
    positive = float((cars > 0).mean()) if len(cars) else np.nan
    record: dict[Hashable, Any] = {"by": by, "value": value, "n": len(cars), "mean": float(cars.mean())}
    record |= {"median": float(cars.median()), "positive": positive}
    return record | {name: float(cars.quantile(level)) for name, level in QUANTILES.items()}


def _rows(records: Sequence[Record], form: Format) -> Iterator[Row]:
    for row in records:
        name = "All events" if row["by"] == "all" else row["value"]
        share = Cell(row["positive"], _shared.SHARE)
        ends = (Cell(row[quantile], form) for quantile in QUANTILES)
        yield (text(name), Cell(row["n"], COUNT), share, Cell(row["mean"], form), Cell(row["median"], form), *ends)


def _in_several(events: Collection[Hashable]) -> Iterator[str]:
    if events:
        yield f"{formats.plural(len(events), 'event')} listed in several parts, counted in each."


def _without_study(result: Result, by: Sequence[str] | None) -> Iterator[str]:
    if by is None and result.rerun is None:
        groups = "groups and by " if len(result.by_group) else ""
        yield _shared.needs_study(f"Parts by {groups}exchange")


def _notes(measure: Measure) -> tuple[str, ...]:
    signed = "" if measure.sign is None else " and a sign"
    notes = (f"N: used events with a {measure.short}{signed}; the last columns are quantiles.",)
    if measure.sign is None:
        return notes
    return (*notes, f"Each {measure.short} is multiplied by the sign in {formats.plain(measure.sign)}.")


TABLE = sample
