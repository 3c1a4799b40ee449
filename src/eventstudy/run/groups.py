"""The groups of a study: the values of an events column, and the placed events that each of them holds."""

from __future__ import annotations

from dataclasses import replace
from numbers import Number
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.sums import grouped
from eventstudy.core.windows import select
from eventstudy.errors import InputError, one_of, shown
from eventstudy.run.direction import counted
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
    code, labels = group_codes(frame[column])
    row, group = _members(sample.event_table, code)
    without = np.zeros(len(frame), dtype=bool)
    without[sample.event_table.rows] = ~np.isin(np.arange(len(sample.event_table.rows)), row)
    is_counted = counted(sample.placed)[row]
    row, group = row[is_counted], group[is_counted]
    used, group = np.unique(group, return_inverse=True)
    names = [labels[at] for at in used]
    placed, by_value = grouped(select(sample.placed, row), sample.sample, group.astype(np.int64), len(names))
    notes = _notes(sample.event_table, frame, column, row, np.asarray(names, dtype=object)[group])
    lost = [label for label in labels if label not in names]
    if lost:
        notes += (f"no event of the groups {_listed(lost)} of {column!r} could be used; they have no tests",)
    grouped_sample = replace(sample, placed=placed, sample=by_value, n_valid=sample.n_valid[row])
    return Grouped(grouped_sample, names, row, without, notes)


def group_codes(column: pd.Series) -> tuple[Ints, list[str]]:
    """Return the group of each event as a number, -1 where it has none, and the names of the groups.

    Examples
    --------
    >>> codes, labels = group_codes(pd.Series(["b", None, "a", "b"], name="sector"))
    >>> codes.tolist(), labels
    ([0, -1, 1, 0], ['b', 'a'])
    """
    values = column.astype(object)
    known = np.flatnonzero(~(values.isna() | values.map(lambda value: isinstance(value, str) and not value.strip())))
    if not len(known):
        raise InputError(f"the group column {column.name!r} has no value; fill it, or name another column")
    kinds = pd.factorize(values.iloc[known].map(_kind))[0]
    try:
        codes = pd.factorize(values.iloc[known])[0]
    except TypeError:
        raise InputError(f"the group column {column.name!r} holds lists or the like; give texts or numbers") from None
    codes = pd.factorize(codes * (int(kinds.max()) + 1) + kinds)[0].astype(np.int64)
    first = known[np.unique(codes, return_index=True)[1]]
    labels = column.iloc[first].astype(str).tolist()
    for at, label in enumerate(labels):
        if label == "all":
            raise InputError(
                f"column {column.name!r} has the value 'all', which stands for the whole sample; rename it"
            )
        if label in labels[:at]:
            pair = [values.iloc[first[i]] for i in (labels.index(label), at)]
            raise InputError(
                f"the group column {column.name!r} has {shown(pair[0])} and {shown(pair[1])}, of mixed types and with"
                " the same text; write all values as texts, or all as numbers"
            )
    out = np.full(len(column), -1, dtype=np.int64)
    out[known] = codes
    return out, labels


def _kind(value: object) -> str:
    """Return the kind of a value: True is no number, and 1 and 1.0 are the same one."""
    is_number = isinstance(value, Number) and not isinstance(value, bool | np.bool_)
    return "number" if is_number else type(value).__name__


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
