"""A study cut into parts by asset: what a worker takes, what it gives back, and how parts become one.

Parts do not depend on who works on them, so that one thread, many, and a cluster add the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventstudy.core import daily, overlap, singles
from eventstudy.core.checks import check_abnormal, check_state
from eventstudy.core.scores import scores
from eventstudy.core.sums import add, day_moments, moments
from eventstudy.core.windows import blocks
from eventstudy.types import (
    Abnormal,
    AnyPanel,
    Block,
    Extra,
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
CELLS = 8_000_000  # returns that the panels of a part have at most, about, where they are made for it
# glibc gives freed memory above a threshold back to the system, and the next block's arrays fault it in again, which
# takes as long as the arithmetic. Freeing one array of this size, the largest that counts, raises the threshold.
LARGE = 31 * 2**20
BY_EVENT = ("panel", "asset", "day", "cluster", "group", "weight", "own", "link")  # of Placed, with a row an event


def build(panel: AnyPanel) -> Panel:
    """Return the panel itself, building it if it is deferred."""
    return panel if isinstance(panel, Panel) else panel.build()


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
    """One pass over some events: the whole input of a worker.

    ``rows`` (n,) are the places of the events in the whole sample; ``tests``, ``shares`` and ``extra`` what is added up
    over them; ``prior`` the shared states of an earlier pass; ``keep_events`` whether every single event is kept.
    """

    panels: Sequence[AnyPanel]
    placed: Placed
    rows: Ints
    model: Model
    spec: Spec
    n_clusters: int
    n_groups: int
    tests: Mapping[str, Test]
    shares: Sequence[str]
    prior: Mapping[str, State]
    keep_events: bool
    extra: Mapping[str, Extra] = field(default_factory=dict)


States = dict[str, dict[str, Any]]  # by name of the test, the shared or the extra state


class PartResult(NamedTuple):
    """The output of a task: states by test, by shared and by extra name, and of its events status, days and results."""

    tests: States
    shared: States
    extra: States
    singles: dict[str, NDArray[Any]]
    rows: Ints
    status: Ints
    n_est: Ints

    @property
    def states(self) -> tuple[States, States, States]:
        """All states, by kind."""
        return self.tests, self.shared, self.extra

    def with_states(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> PartResult:
        """Replace every state by what a function makes of it."""
        tests, shared, extra = ({name: change(state) for name, state in kind.items()} for kind in self.states)
        return self._replace(tests=tests, shared=shared, extra=extra)


MapTasks = Callable[[Callable[[Task], PartResult], Iterable[Task]], Iterable[PartResult]]


def cut(placed: Placed, panels: Sequence[AnyPanel] = (), size: int = PART) -> list[Ints]:
    """Part the events by asset, each part with about ``size`` events, and never the events of one asset.

    A part of deferred panels holds at most about ``CELLS`` of their returns, too.
    """
    n = len(placed.day)
    n_cells = np.array([0 if isinstance(its, Panel) else its.n_cells for its in panels] or [0])
    if n <= size and not n_cells.any():
        return [np.arange(n)]
    order = np.lexsort((placed.asset, placed.panel))
    fresh = (np.diff(placed.asset[order], prepend=-1) != 0) | (np.diff(placed.panel[order], prepend=-1) != 0)
    cost = np.full(n, 1.0 / size)
    if n_cells.any():
        cost[fresh] += n_cells[placed.panel[order[fresh]]] / CELLS
    before = np.floor(np.cumsum(cost) - cost + 1e-9)[fresh]
    ends = np.flatnonzero(fresh)[np.flatnonzero(np.diff(before)) + 1]
    return [np.sort(rows) for rows in np.split(order, ends)]


def take(panels: Sequence[AnyPanel], placed: Placed, rows: Ints) -> tuple[list[AnyPanel], Placed]:
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
    kept: list[AnyPanel] = []
    panel, asset = np.empty_like(some.panel), np.empty_like(some.asset)
    for at in np.unique(some.panel):
        mine = some.panel == at
        used, asset[mine] = np.unique(some.asset[mine], return_inverse=True)
        panel[mine] = len(kept)
        its = panels[at]
        kept.append(_of_assets(its, used) if isinstance(its, Panel) else its.take(used))
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


def work(task: Task, progress: Callable[[int], object] = lambda n: None) -> PartResult:
    """Fit the model to the events of a task, and add up the states that are asked for."""
    np.empty(LARGE, dtype=np.uint8)
    n = len(task.placed.day)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    tests: States = {name: {} for name in task.tests}
    shared: States = {name: {} for name in task.shares}
    extra: States = {name: {} for name in task.extra}
    every = singles.EventResults(n)
    panels = [build(panel) for panel in task.panels]
    for at, block in enumerate(blocks(panels, task.placed, task.spec, task.n_clusters, task.n_groups)):
        n_est[block.id] = block.n_valid
        abnormal, status[block.id] = _fitted(block, task.model, task.spec, checked=at == 0)
        if len(abnormal.block.id):
            abnormal = replace(abnormal, block=replace(abnormal.block, id=task.rows[abnormal.block.id]))
            scored = scores(abnormal, task.spec)
            for name, test in task.tests.items():
                state = test.chunk(scored, abnormal, task.prior)
                check_state(name, state, tests[name])
                add(tests[name], state)
            for name in task.shares:
                add(shared[name], SHARED[name].chunk(scored, abnormal, task.spec))
            for name, chunk in task.extra.items():
                add(extra[name], chunk(scored, abnormal, task.spec))
            if task.keep_events:
                every.add(singles.chunk(scored, abnormal, task.spec))
        progress(len(block.id))
    return PartResult(tests, shared, extra, every.arrays, task.rows, status, n_est)


def _fitted(block: Block, model: Model, spec: Spec, checked: bool) -> tuple[Abnormal, Ints]:
    """Return the fit of the events that can be used, and the status of all; ``checked`` holds it to the contract."""
    abnormal = model.fit(block)
    if checked:
        check_abnormal(model, block, abnormal)
    status = abnormal.status.copy()
    status[~block.ok[:, block.n_est :].any(axis=1)] = Status.EMPTY_EVENT_WINDOW
    status[block.n_valid < spec.min_estimation] = Status.TOO_FEW_ESTIMATION
    good = status == Status.OK
    return (abnormal if good.all() else abnormal.take(good)), status


def joined(parts: Iterable[PartResult], n: int, progress: Callable[[int], object] = lambda n: None) -> PartResult:
    """Add parts, in their order, to what one task over all ``n`` events would give; single events in their order."""
    total: PartResult | None = None
    every = singles.EventResults(n)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for part in parts:
        status[part.rows], n_est[part.rows] = part.status, part.n_est
        every.add(part.singles)
        progress(len(part.rows))
        if total is None:
            total = part
            continue
        for sums, states in zip(total.states, part.states, strict=True):
            for name, state in states.items():
                add(sums[name], state)
    if total is None:
        return PartResult({}, {}, {}, {}, np.arange(0), status, n_est)
    every.sort()
    return total._replace(singles=every.arrays, rows=np.arange(n), status=status, n_est=n_est)


def tasks_of(
    panels: Sequence[AnyPanel], placed: Placed, model: Model, sample: Sample, parts: Sequence[Ints], **choices: Any
) -> Iterator[Task]:
    """Yield the task of each part; ``choices`` are tests, shares, prior, keep_events and extra."""
    n_clusters = len(sample.cluster_group)
    for rows in parts:
        some_panels, some = take(panels, placed, rows)
        yield Task(some_panels, some, rows, model, sample.spec, n_clusters, sample.n_groups, **choices)
