"""The sample of a study: its events placed in panels, with weights and groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.core.clustering import clustering_of
from eventstudy.core.estimation_days import valid_days
from eventstudy.core.parts import take
from eventstudy.core.sums import links
from eventstudy.errors import InputError, one_of
from eventstudy.prepare.align import prepare
from eventstudy.prepare.events import Events
from eventstudy.run.direction import counted, signs
from eventstudy.types import (
    Bools,
    Choices,
    Column,
    Floats,
    Ints,
    Panel,
    Status,
    StudySample,
)

SUSPENDED = (
    "no return on the event day, so that no window can be measured; suspended='next_trade' takes the next trade, and a"
    " lower min_coverage or gaps='span' measure windows with missing days"
)
CACHE_BYTES = 64 * 2**20  # largest sample that is cached; a larger one is prepared again for every run


@dataclass(frozen=True, eq=False)
class StudyData:
    """The data of a study: events, prices, factor returns, and events that are not studied but may confound."""

    events: Events
    prices: Prices
    factors: pd.DataFrame | None = None
    other_news: Events | None = None


def study_sample(
    data: StudyData, choices: Choices, columns: tuple[Column, ...], full_history: bool = False
) -> StudySample:
    """Place the events in panels, with their weights; ``full_history``: panels reach to the ends of the prices."""
    other_news = None if data.other_news is None else data.other_news.frame
    prepared = prepare(data.events.frame, data.prices, choices, columns, data.factors, other_news, full_history)
    table, panels, sample = prepared.event_table, prepared.panels, prepared.sample
    frame = data.events.frame
    placed = prepared.placed._replace(weight=_weights(frame, choices.weight)[table.rows])
    if choices.sign is not None:
        placed = placed._replace(sign=signs(frame, choices.sign)[table.rows])
    n_valid, measured = valid_days(panels, placed, sample.spec)
    enough = n_valid >= sample.spec.min_estimation
    clustering = clustering_of(table.sessions[table.rows], placed, sample, enough & counted(placed))
    placed_sample = StudySample(**prepared._replace(placed=placed)._asdict(), n_valid=n_valid, clustering=clustering)
    suspended = ~measured & enough
    return _without_suspended(placed_sample, suspended) if suspended.any() else placed_sample


def _without_suspended(sample: StudySample, suspended: Bools) -> StudySample:
    """Exclude the placed events (n,) on whose day nothing can be measured."""
    table = sample.event_table
    status, reason, n_read = table.status.copy(), table.reason.copy(), np.zeros(len(table.status), dtype=np.int64)
    rows = table.rows[suspended]
    status[rows], reason[rows], n_read[rows] = Status.SUSPENDED, SUSPENDED, sample.n_valid[suspended]
    if "implausible_prices" in table.frame:  # a bar that does not count may be why
        texts = table.frame["implausible_prices"].to_numpy(dtype=object)[rows]
        reason[rows] = [f"{SUSPENDED}; {text}" if text else SUSPENDED for text in texts]
    remaining = _take_rows(
        replace(sample, event_table=replace(table, status=status, reason=reason, n_read=n_read)),
        np.flatnonzero(~suspended),
    )
    enough = remaining.n_valid >= remaining.sample.spec.min_estimation
    sessions = table.sessions[remaining.event_table.rows]
    clustering = clustering_of(sessions, remaining.placed, remaining.sample, enough & counted(remaining.placed))
    return replace(remaining, sample=replace(remaining.sample, links=links(remaining.placed)), clustering=clustering)


def select_events(sample: StudySample, events: Sequence[Hashable]) -> StudySample:
    """Select events; a duplicate stands for the event that it duplicates.

    Raises
    ------
    InputError
        If an event is not in the study or could not be placed.
    """
    table = sample.event_table
    row = table.frame.index.get_indexer(pd.Index(events))
    placed_at = np.full(len(table.status) + 1, -1)
    placed_at[table.rows] = np.arange(len(table.rows))
    at = np.where(row < 0, -1, placed_at[table.duplicate_of[row]])
    if (at < 0).any():
        raise InputError(f"event {list(events)[int(np.argmax(at < 0))]!r} cannot be used in this study")
    return _take_rows(sample, np.unique(at))


def _take_rows(sample: StudySample, rows: Ints) -> StudySample:
    """Select placed events by row, without their links."""
    table = sample.event_table
    panels, placed = take(sample.panels, sample.placed, rows)
    clusters, cluster = np.unique(placed.cluster, return_inverse=True)
    selected = replace(
        sample.sample,
        cluster_group=sample.sample.cluster_group[clusters],
        cluster_dates=sample.sample.cluster_dates[clusters],
        links=np.empty((0, 2), dtype=np.int64),
    )
    return replace(
        sample,
        event_table=replace(table, rows=table.rows[rows]),
        panels=panels,
        placed=placed._replace(cluster=cluster.astype(np.int64)),
        sample=selected,
        n_valid=sample.n_valid[rows],
        other_zone=sample.other_zone[rows],
        implausible=partial(_implausible_of, sample, rows),
    )


def _implausible_of(sample: StudySample, rows: Ints, used: Bools) -> tuple[str, ...]:
    """Return the notes on prices in the windows of used events, of the rows that are selected from a sample."""
    mask = np.zeros(len(sample.placed.day), dtype=bool)
    mask[rows] = used
    return sample.implausible(mask)


def n_bytes(sample: StudySample) -> int:
    """Return the approximate memory of a sample; deferred panels count 0."""
    panels = [panel for panel in sample.panels if isinstance(panel, Panel)]
    table = sample.event_table
    arrays = [
        *(array for panel in panels for array in (panel.r, panel.ok, panel.x, panel.peers)),
        *sample.placed, table.status, table.reason, table.duplicate_of, table.rows, sample.n_valid, sample.other_zone,
    ]  # fmt: skip
    in_frame = int(table.frame.memory_usage(index=False).sum())
    return in_frame + sum(array.nbytes for array in arrays if array is not None)


def _weights(frame: pd.DataFrame, name: str | None) -> Floats:
    """Return an events column as positive numbers, (N,); ones without a column."""
    if name is None:
        return np.ones(len(frame))
    if name not in frame.columns:
        raise one_of("weight", name, frame.columns)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    bad = ~(values > 0) | np.isinf(values)
    if bad.any():
        event, value = frame.index[bad][0], frame[name][bad].iloc[0]
        raise InputError(f"weight {name!r} of event {event!r} is {value!r}; a weight is a number above 0")
    return values
