"""A study cut into parts by asset: what a worker takes, what it gives back, and how parts become one.

Parts do not depend on who works on them, so that one thread, many, and a cluster add the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from eventstudy.core import daily, overlap, singles
from eventstudy.core.scores import scores
from eventstudy.core.sums import add, day_moments, moments
from eventstudy.core.windows import blocks
from eventstudy.types import (
    Abnormal,
    Block,
    Ints,
    Model,
    Panel,
    Placed,
    Sample,
    Scores,
    Spec,
    State,
    Status,
    Test,
)

PART = 65_536  # events, about
# glibc gives freed memory above a threshold back to the system, and the next block's arrays fault it in again, which
# takes as long as the arithmetic. Freeing one array of this size, the largest that counts, raises the threshold.
LARGE = 31 * 2**20
BY_EVENT = ("panel", "asset", "day", "cluster", "group", "weight", "own", "link")  # of Placed, with a row an event


class Shared(NamedTuple):
    """A state that several tests use: computed once, finalised once."""

    chunk: Callable[[Scores, Abnormal, Spec], State]
    finalize: Callable[[State, Sample], Any]


SHARED = {
    "moments": Shared(lambda s, a, _: moments(s, a), lambda state, _: state),
    "day_moments": Shared(lambda _, a, __: day_moments(a), lambda state, _: state),
    "overlap": Shared(overlap.chunk, overlap.finalize),
    "daily": Shared(daily.chunk, daily.finalize),
}


@dataclass(frozen=True)
class Task:
    """One pass over some events: all that a worker takes.

    ``rows`` (n,) are the places of the events in the whole sample; ``tests`` and ``shares`` what is added up over them;
    ``prior`` the shared states of an earlier pass; ``singly`` whether every single event is kept.
    """

    panels: Sequence[Panel]
    placed: Placed
    rows: Ints
    model: Model
    spec: Spec
    n_clusters: int
    n_groups: int
    tests: Mapping[str, Test]
    shares: Sequence[str]
    prior: Mapping[str, State]
    singly: bool


class Done(NamedTuple):
    """What a task gives back: states by test and by shared name, and of its events status, days and results."""

    tests: dict[str, dict[str, Any]]
    shared: dict[str, dict[str, Any]]
    singles: dict[str, Any]
    rows: Ints
    status: Ints
    n_est: Ints


Each = Callable[[Callable[[Task], Done], Iterable[Task]], Iterable[Done]]


def cut(placed: Placed, size: int = PART) -> list[Ints]:
    """Part the events by asset, each part with about ``size`` events, and never the events of one asset."""
    n = len(placed.day)
    if n <= size:
        return [np.arange(n)]
    order = np.lexsort((placed.asset, placed.panel))
    fresh = np.flatnonzero((np.diff(placed.asset[order]) != 0) | (np.diff(placed.panel[order]) != 0)) + 1
    wanted = np.arange(size, n, size)
    ends = np.unique(fresh[np.minimum(np.searchsorted(fresh, wanted), len(fresh) - 1)]) if len(fresh) else fresh
    return [np.sort(rows) for rows in np.split(order, ends)]


def take(panels: Sequence[Panel], placed: Placed, rows: Ints) -> tuple[list[Panel], Placed]:
    """Give some events alone, with the rows of the panels that they need."""
    if len(rows) == len(placed.day):
        return list(panels), placed
    by_event = {name: getattr(placed, name) for name in BY_EVENT}
    some = placed._replace(**{name: values[rows] for name, values in by_event.items() if values is not None})
    position = np.full(len(placed.day), -1)
    position[rows] = np.arange(len(rows))
    tables = {}
    for name in ("hidden", "barred"):
        table = getattr(placed, name)
        if table is not None:
            mine = table[position[table[:, 0]] >= 0].copy()
            mine[:, 0] = position[mine[:, 0]]
            tables[name] = mine
    kept: list[Panel] = []
    panel, asset = np.empty_like(some.panel), np.empty_like(some.asset)
    for at in np.unique(some.panel):
        mine = some.panel == at
        used, asset[mine] = np.unique(some.asset[mine], return_inverse=True)
        panel[mine] = len(kept)
        kept.append(_of_assets(panels[at], used))
    return kept, some._replace(panel=panel, asset=asset, **tables)


def _of_assets(panel: Panel, assets: Ints) -> Panel:
    return replace(
        panel,
        r=panel.r[assets],
        ok=panel.ok[assets],
        x=panel.x[assets] if panel.x.ndim == 3 else panel.x,
        assets=tuple(panel.assets[a] for a in assets),
        r0=None if panel.r0 is None else panel.r0[assets],
        ok0=None if panel.ok0 is None else panel.ok0[assets],
    )


def work(task: Task, progress: Callable[[int], object] = lambda n: None) -> Done:
    """Fit the model to the events of a task, and add up what the tests ask for."""
    np.empty(LARGE, dtype=np.uint8)
    n = len(task.placed.day)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    tests: dict[str, dict[str, Any]] = {name: {} for name in task.tests}
    shared: dict[str, dict[str, Any]] = {name: {} for name in task.shares}
    every = singles.Kept(n)
    for block in blocks(task.panels, task.placed, task.spec, task.n_clusters, task.n_groups):
        n_est[block.id] = block.n_valid
        abnormal, status[block.id] = _fitted(block, task.model, task.spec)
        if len(abnormal.block.id):
            scored = scores(abnormal, task.spec)
            for name, test in task.tests.items():
                add(tests[name], test.chunk(scored, abnormal, task.prior))
            for name in task.shares:
                add(shared[name], SHARED[name].chunk(scored, abnormal, task.spec))
            if task.singly:
                every.add(singles.chunk(scored, abnormal, task.spec))
        progress(len(block.id))
    kept = every.arrays
    if kept:
        kept["id"] = task.rows[kept["id"]]
    return Done(tests, shared, kept, task.rows, status, n_est)


def _fitted(block: Block, model: Model, spec: Spec) -> tuple[Abnormal, Ints]:
    """Give the fit of the events that can be used, and the status of all."""
    abnormal = model.fit(block)
    status = abnormal.status.copy()
    status[~block.ok[:, block.n_est :].any(axis=1)] = Status.EMPTY_EVENT_WINDOW
    status[block.n_valid < spec.min_estimation] = Status.TOO_FEW_ESTIMATION
    good = status == Status.OK
    return (abnormal if good.all() else abnormal.take(good)), status


def joined(parts: Iterable[Done], n: int, progress: Callable[[int], object] = lambda n: None) -> Done:
    """Add parts, in their order, to what one task over all ``n`` events would give."""
    total: Done | None = None
    every = singles.Kept(n)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for part in parts:
        status[part.rows], n_est[part.rows] = part.status, part.n_est
        every.add(part.singles)
        progress(len(part.rows))
        if total is None:
            total = part
            continue
        for mine, its in ((total.tests, part.tests), (total.shared, part.shared)):
            for name, state in its.items():
                add(mine[name], state)
    if total is None:
        return Done({}, {}, {}, np.arange(0), status, n_est)
    return total._replace(singles=every.arrays, rows=np.arange(n), status=status, n_est=n_est)


def tasks_of(
    panels: Sequence[Panel], placed: Placed, model: Model, sample: Sample, parts: Sequence[Ints], **choices: Any
) -> Iterator[Task]:
    """Give the task of each part; ``choices`` are tests, shares, prior and singly."""
    n_clusters = len(sample.cluster_group)
    for rows in parts:
        mine, some = take(panels, placed, rows)
        yield Task(mine, some, rows, model, sample.spec, n_clusters, sample.n_groups, **choices)
