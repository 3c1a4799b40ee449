"""The groups of a study: the values of an events column, and the placed events that each of them holds."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.sums import grouped
from eventstudy.core.windows import select
from eventstudy.errors import InputError, one_of, shown
from eventstudy.run.direction import counted
from eventstudy.tabular.labels import labels_of
from eventstudy.types import Bools, EventTable, Ints, Status, StudySample

SHOWN = 5


class Grouped(NamedTuple):
    """A sample whose events are in groups, the names of the groups, and what to say about them.

    ``rows`` (m,) are the placed events of the study that the m events of the sample are. ``without`` (N,) is True for
    the events of the input that were placed and are in no group.
    """

    sample: StudySample
    labels: list[str]
    rows: Ints
    without: Bools
    notes: tuple[str, ...]


def in_groups(sample: StudySample, frame: pd.DataFrame, column: str) -> Grouped:
    """Group the placed events by the values of a column; events without a value are in no group.

    An event that is listed several times (``Status.DUPLICATE``) counts once in each group in which it is listed.

    Raises
    ------
    InputError
        If there is no such column, it has no value at all, or two of its values have the same text.
    """
    if column not in frame.columns:
        raise one_of("group", column, frame.columns)
    code, labels, about = group_codes(frame[column])
    row, group = _members(sample.event_table, code)
    without = np.zeros(len(frame), dtype=bool)
    without[sample.event_table.rows] = ~np.isin(np.arange(len(sample.event_table.rows)), row)
    is_counted = counted(sample.placed)[row]
    row, group = row[is_counted], group[is_counted]
    used, group = np.unique(group, return_inverse=True)
    names = [labels[at] for at in used]
    placed, by_value = grouped(select(sample.placed, row), sample.sample, group.astype(np.int64), len(names))
    notes = about + _notes(sample.event_table, frame, column, row, np.asarray(names, dtype=object)[group])
    lost = [label for label in labels if label not in names]
    if lost:
        notes += (f"no event of the groups {_listed(lost)} of {column!r} could be used; they have no tests",)
    grouped_sample = replace(sample, placed=placed, sample=by_value, n_valid=sample.n_valid[row])
    return Grouped(grouped_sample, names, row, without, notes)


def group_codes(column: pd.Series) -> tuple[Ints, list[str], tuple[str, ...]]:
    """Return the group of each event as a number, -1 where it has none, the names of the groups, and notes on them.

    Examples
    --------
    >>> group_codes(pd.Series(["b", None, "a", "b"], name="sector"))
    (array([ 0, -1,  1,  0]), ['b', 'a'], ())
    """
    codes, values, notes = labels_of(column)
    if not values:
        raise InputError(f"the group column {column.name!r} has no value; fill it, or name another column")
    labels = [str(value) for value in values]
    if "all" in labels:
        raise InputError(f"column {column.name!r} has the value 'all', which stands for the whole sample; rename it")
    return codes, labels, notes


def _members(table: EventTable, code: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of a placed event and a group: two arrays (m,), in the order of the events."""
    placed_at = np.full(len(code), -1, dtype=np.int64)
    placed_at[table.rows] = np.arange(len(table.rows))
    listed = np.flatnonzero((code >= 0) & np.isin(table.status, (Status.OK, Status.DUPLICATE)))
    at = placed_at[table.duplicate_of[listed]]
    pairs = np.unique(np.column_stack([at, code[listed]])[at >= 0], axis=0)
    return pairs[:, 0], pairs[:, 1]


def _notes(table: EventTable, frame: pd.DataFrame, column: str, row: Ints, group: np.ndarray) -> tuple[str, ...]:
    """Say which events are in several groups."""
    several = np.flatnonzero(np.bincount(row, minlength=len(table.rows)) > 1)
    if not len(several):
        return ()
    first = several[0]
    event, groups = frame.index[table.rows[first]], _listed(group[row == first].tolist())
    return (f"{len(several)} events are listed in several groups of {column!r} and count in each: {event} in {groups}",)


def _listed(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
