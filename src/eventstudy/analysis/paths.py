"""The cumulation of the CAR or BHAR of single events over the event window."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.core.nulls import margin
from eventstudy.display.formats import is_in
from eventstudy.errors import InputError, shown
from eventstudy.types import EventTable, Ints, Rerun, ResultFrames, required

ANY_DAY = 1e-9  # minimum coverage of a window: one valid day is enough


def paths(rerun: Rerun | None, result: ResultFrames) -> pd.DataFrame:
    """Return the cumulative CAR or BHAR of each used event by day; see ``Result.paths``."""
    ar = result.ar.loc[result.events.index[result.events["status"] == "ok"]]
    if result.measure.column == "car" or ar.empty:
        return ar.cumsum(axis=1)
    rerun, days = required(rerun), result.ar.columns
    outcome = rerun.outcome(windows=[(int(days[0]), int(day)) for day in days], min_coverage=ANY_DAY, tests={})
    table = rerun.sample().event_table
    values = pd.DataFrame(outcome.singles["bhar"], table.frame.index[table.rows[outcome.singles["id"]]], days)
    return values.reindex(ar.index).where(ar.notna())


def path(rerun: Rerun | None, result: ResultFrames, event_id: Hashable, start: int | None) -> pd.DataFrame:
    """Return the cumulative CAR or BHAR of one event by day, with its band; see ``Result.path``."""
    if not is_in(result.ar.index, event_id):
        raise InputError(
            f"event {shown(event_id)} has no abnormal returns in this study; result.ar.index lists the events that have"
            " them"
        )
    days = result.ar.columns
    first, last = int(days[0]), int(days[-1])
    first = first if start is None else arguments.whole("start", start, first, last)
    if rerun is not None:
        return _with_band(rerun, result.measure.column, event_id, range(first, last + 1))
    ar = result.ar.loc[[event_id]].iloc[0].loc[first:]
    missing = dict.fromkeys(("se", "lower", "upper"), np.nan)
    return pd.DataFrame({"time": pd.NaT, "ar": ar, result.measure.column: ar.cumsum().ffill(), **missing})


def _with_band(rerun: Rerun, column: str, event_id: Hashable, days: range) -> pd.DataFrame:
    """Fit one event again, with a window from the first day to each day."""
    windows = [(days[0], day) for day in days]
    outcome = rerun.outcome(windows=windows, min_coverage=ANY_DAY, events=[event_id], tests={})
    single = {name: values[0] for name, values in outcome.singles.items()}
    half_width = margin(single["se"], single["dof"])
    columns = {"ar": single["ar"][-len(days) :], column: single[column], "se": single["se"]}
    band = {"lower": single[column] - half_width, "upper": single[column] + half_width}
    frame = pd.DataFrame({**columns, **band}, pd.Index(days, name="day"))
    sample = rerun.sample()
    table = sample.event_table
    row = table.duplicate_of[table.frame.index.get_indexer(pd.Index([event_id]))[0]]
    at = int(np.searchsorted(table.rows, row))
    sessions = sample.panels[sample.placed.panel[at]].sessions
    frame.insert(0, "time", _times(sessions[sample.placed.day[at] + np.array(days)], table))
    return frame


def _times(numbers: Ints, table: EventTable) -> pd.DatetimeIndex:
    """Convert numbers of ``Panel.sessions`` to dates, or to starts of bars in the time zone of the exchange."""
    return pd.DatetimeIndex(table.at_the_exchange(pd.Series(table.dates_of(numbers).astype("datetime64[s]"))))
