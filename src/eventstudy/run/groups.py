"""The groups of a study: the values of an events column, and the placed events that each of them holds."""

from __future__ import annotations

from dataclasses import replace
from numbers import Number
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.core.sums import grouped
from eventstudy.core.windows import select
from eventstudy.errors import InputError, one_of, shown
from eventstudy.run.direction import counted
from eventstudy.types import Bools, EventTable, Ints, Status, StudySample

SHOWN = 5


class Grouped(NamedTuple):
    """A sample whose events are in groups, the names of the groups, and what to say about them.

    ``without`` (N,) is True for the events of the input that were placed and are in no group.
    """

    sample: StudySample
    labels: list[str]
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
    return Grouped(replace(sample, placed=placed, sample=by_value, n_valid=sample.n_valid[row]), names, without, notes)


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


def chain_notes(grouped: Grouped) -> dict[tuple[str, int, int], str]:
    """Return what to say of the groups of one cluster, by group and window.

    The clusters of a window are its chains of overlapping dates.
    """
    sample = grouped.sample
    spec, links = sample.sample.spec, sample.sample.links
    usable = sample.n_valid >= spec.min_estimation
    notes = {}
    for at, label in enumerate(grouped.labels):
        events = sample.placed.cluster[usable & (sample.placed.group == at)]
        clusters = np.unique(events)
        dates = sample.sample.cluster_dates[clusters][:, spec.n_est :]
        pairs = np.searchsorted(clusters, links[np.isin(links, clusters).all(axis=1)])
        for start, end in spec.windows:
            first, last = dates[:, start - spec.event[0]], dates[:, end - spec.event[0]]
            if len(clusters) and components(first, last, pairs).max() == 0:
                notes[label, int(start), int(end)] = _one_chain(len(events), len(np.unique(dates[:, 0])))
    return notes


def _one_chain(n_events: int, n_dates: int) -> str:
    if n_events == 1:
        return "1 cluster: the group has one event"
    if n_dates == 1:
        return f"1 cluster: its {n_events} events share one date, and a common shock cannot be told from an effect"
    return f"1 cluster: the windows of its {n_events} events on {n_dates} dates overlap in one chain"


def _listed(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
