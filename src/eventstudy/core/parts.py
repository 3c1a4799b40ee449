"""A study split into parts by asset: the input and output of a worker, and the sum of parts.

Parts do not depend on the executor, so that one thread, several, and a cluster add the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from eventstudy.core import daily, effects, memory, overlap, singles
from eventstudy.core.checks import check_abnormal, check_state
from eventstudy.core.scores import scores
from eventstudy.core.sums import add, day_moments, moments
from eventstudy.core.windows import blocks
from eventstudy.errors import InputError
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
    SharedResult,
    Spec,
    State,
    StateSum,
    Status,
    Summed,
    Test,
)

PART = 65_536  # events in a part, approximately
CELLS = 8_000_000  # returns in the deferred panels of a part at most, approximately
KEPT_BYTES = 256 * 2**20  # largest results of a run that are kept for the next
# Fields of Placed with one row for each event.
BY_EVENT = ("panel", "asset", "day", "cluster", "group", "weight", "own_windows", "link", "sign")


def build(panel: AnyPanel) -> Panel:
    """Return the panel itself, building it if it is deferred."""
    return panel if isinstance(panel, Panel) else panel.build()


class Shared(NamedTuple):
    """A state that several tests use, computed and finalised once."""

    chunk: Callable[[Scores, Abnormal, Spec], State]
    finalize: Callable[[State, Sample], SharedResult]


SHARED = {
    "moments": Shared(lambda s, a, _: moments(s, a), lambda state, _: dict(state)),
    "day_moments": Shared(lambda _, a, __: day_moments(a), lambda state, _: dict(state)),
    "overlap": Shared(overlap.chunk, overlap.finalize),
    "daily": Shared(daily.chunk, daily.finalize),
    "effects": Shared(
        lambda s, a, _: effects.chunk(s, a),
        lambda state, sample: effects.finalize(state, sample, sample.spec.windows, sample.shared["overlap"]["windows"]),
    ),
}


@dataclass(frozen=True)
class Task:
    """One pass over the events of a part: the input of a worker.

    ``rows`` (n,) are the positions of the events in the sample; ``tests``, ``shares`` and ``extra`` the states to
    compute; ``prior`` the shared states of an earlier pass; ``keep_events`` whether to return the results of single
    events, and ``keep_blocks`` the states of each block.
    """

    panels: Sequence[AnyPanel]
    placed: Placed
    rows: Ints
    model: Model
    spec: Spec
    n_clusters: int
    n_groups: int
    tests: Mapping[str, Test] = field(default_factory=dict)
    shares: Sequence[str] = ()
    prior: Mapping[str, State] = field(default_factory=dict)
    keep_events: bool = False
    extra: Mapping[str, Extra] = field(default_factory=dict)
    keep_blocks: bool = False


class TaskStates(TypedDict, total=False):
    """The fields of :class:`Task` that say what to compute."""

    tests: Mapping[str, Test]
    shares: Sequence[str]
    prior: Mapping[str, State]
    keep_events: bool
    extra: Mapping[str, Extra]
    keep_blocks: bool


States = dict[str, StateSum]  # by name of the test, the shared or the extra state


class PartResult(NamedTuple):
    """The output of a task: states by name, and the results, status and estimation days of its events.

    ``blocks`` are the states of its blocks before they were added, if the task keeps them and they are small enough.
    """

    tests: States
    shared: States
    extra: States
    singles: dict[str, NDArray[np.generic]]
    rows: Ints
    status: Ints
    n_est: Ints
    blocks: tuple[Summed, ...] = ()

    @property
    def states(self) -> tuple[States, States, States]:
        """The states of the tests, the shared and the extra states."""
        return self.tests, self.shared, self.extra

    def with_states(self, change: Callable[[StateSum], StateSum]) -> PartResult:
        """Apply a function to every state."""
        tests, shared, extra = ({name: change(state) for name, state in kind.items()} for kind in self.states)
        return self._replace(tests=tests, shared=shared, extra=extra)


def nothing() -> PartResult:
    """Return the part of no events."""
    empty = np.arange(0)
    return PartResult({}, {}, {}, {}, empty, empty, empty)


class KeptBlocks:
    """The states of blocks, for the next run: of all blocks, or of none once they take more than ``KEPT_BYTES``."""

    def __init__(self) -> None:
        self._blocks: list[Summed] = []
        self._n_bytes = 0

    def add(self, blocks: Sequence[Summed]) -> None:
        """Keep the states of more blocks; an empty sequence stands for blocks whose states were not kept."""
        self._n_bytes += sum(map(n_bytes, blocks)) if blocks else KEPT_BYTES + 1
        if self._n_bytes > KEPT_BYTES:
            self._blocks.clear()
        else:
            self._blocks += blocks

    def all(self) -> tuple[Summed, ...]:
        """Return the states of all blocks, or of none."""
        return tuple(self._blocks)


def n_bytes(block: Summed) -> int:
    """Return the memory that the states of a block take."""
    leaves = (leaf for states in block[1:] for state in states.values() for leaf in state.values())
    return sum(array.nbytes for leaf in leaves for array in _arrays(leaf))


def _arrays(leaf: object) -> Sequence[np.ndarray]:
    parts = getattr(leaf, "parts", None)
    return parts if parts is not None else [np.asarray(getattr(leaf, "values", leaf))]


class Known(NamedTuple):
    """The results of events that are not computed again.

    The events ``apart`` (n,), as rows, are in blocks of their own when they are computed: they may change again.
    """

    part: PartResult
    apart: Ints


MapTasks = Callable[[Callable[[Task], PartResult], Iterable[Task]], Iterable[PartResult]]


def split(placed: Placed, panels: Sequence[AnyPanel] = (), size: int = PART) -> list[Ints]:
    """Split the events by asset into parts of about ``size`` events; the events of an asset stay together.

    The deferred panels of a part also have about ``CELLS`` returns at most.
    """
    n = len(placed.day)
    n_cells = np.array([0 if isinstance(panel, Panel) else panel.n_cells for panel in panels] or [0])
    if n <= size and not n_cells.any():
        return [np.arange(n)]
    order = np.lexsort((placed.asset, placed.panel))
    starts = (np.diff(placed.asset[order], prepend=-1) != 0) | (np.diff(placed.panel[order], prepend=-1) != 0)
    cost = np.full(n, 1.0 / size)
    if n_cells.any():
        cost[starts] += n_cells[placed.panel[order[starts]]] / CELLS
    part = np.floor(np.cumsum(cost) - cost + 1e-9)[starts]
    ends = np.flatnonzero(starts)[np.flatnonzero(np.diff(part)) + 1]
    return [np.sort(rows) for rows in np.split(order, ends)]


def take(panels: Sequence[AnyPanel], placed: Placed, rows: Ints) -> tuple[list[AnyPanel], Placed]:
    """Select events by row, with the rows of the panels that they need."""
    if len(rows) == len(placed.day):
        return list(panels), placed
    by_event = {name: getattr(placed, name) for name in BY_EVENT}
    selected = placed._replace(**{name: values[rows] for name, values in by_event.items() if values is not None})
    position = np.full(len(placed.day), -1)
    position[rows] = np.arange(len(rows))
    tables = {}
    for name in ("masked_days", "excluded_peers"):
        table = getattr(placed, name)
        if table is not None:
            table = table[position[table[:, 0]] >= 0].copy()
            table[:, 0] = position[table[:, 0]]
            tables[name] = table
    needed: list[AnyPanel] = []
    number, asset = np.empty_like(selected.panel), np.empty_like(selected.asset)
    for at in np.unique(selected.panel):
        in_panel = selected.panel == at
        assets, asset[in_panel] = np.unique(selected.asset[in_panel], return_inverse=True)
        number[in_panel] = len(needed)
        panel = panels[at]
        needed.append(_take_assets(panel, assets) if isinstance(panel, Panel) else panel.take(assets))
    return needed, selected._replace(panel=number, asset=asset, **tables)


def _take_assets(panel: Panel, assets: Ints) -> Panel:
    return replace(
        panel,
        r=panel.r[assets],
        ok=panel.ok[assets],
        x=panel.x[assets] if panel.x.ndim == 3 else panel.x,
        assets=tuple(panel.assets[a] for a in assets),
        r0=None if panel.r0 is None else panel.r0[assets],
        ok0=None if panel.ok0 is None else panel.ok0[assets],
        x0=panel.x0[assets] if panel.x0 is not None and panel.x0.ndim == 3 else panel.x0,
    )


def work(task: Task, progress: Callable[[int], object] = lambda n: None) -> PartResult:
    """Fit the model to the events of a task, and sum the states that it names."""
    memory.keep_freed()
    n = len(task.placed.day)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    totals = _no_states(task)
    kept = KeptBlocks()
    events, n_done = singles.EventResults(n), 0  # in the order of the blocks, several times faster than row by row
    panels = [build(panel) for panel in task.panels]
    all_events = np.array_equal(task.rows, np.arange(n))
    for at, block in enumerate(blocks(panels, task.placed, task.spec, task.n_clusters, task.n_groups)):
        in_task = block.id
        if not all_events:
            block = replace(block, id=task.rows[in_task])
        n_est[in_task] = block.n_valid
        abnormal, status[in_task] = _fit(block, task.model, task.spec, checked=at == 0)
        states: tuple[Mapping[str, State], ...] = _no_states(task)
        if len(abnormal.block.id):
            scored = scores(abnormal, task.spec)
            if task.keep_events:
                events.add(slice(n_done, n_done + len(scored.ok)), singles.chunk(scored, abnormal, task.spec))
                n_done += len(scored.ok)
            counted = abnormal.signed()
            if counted is not abnormal:
                scored = scores(counted, task.spec)
            states = _add_states(task, scored, counted, totals)
        if task.keep_blocks:
            kept.add([Summed(block.id, *states)])
        progress(len(block.id))
    return PartResult(*totals, events.arrays(), task.rows, status, n_est, kept.all())


def _no_states(task: Task) -> tuple[States, States, States]:
    """Return an empty state for each test, shared and extra state of a task."""
    tests, shared, extra = ({name: StateSum() for name in names} for names in (task.tests, task.shares, task.extra))
    return tests, shared, extra


def _add_states(
    task: Task, scored: Scores, abnormal: Abnormal, totals: tuple[States, States, States]
) -> tuple[Mapping[str, State], Mapping[str, State], Mapping[str, State]]:
    """Add the states of a block to the sums of the task, and return them."""
    if not len(abnormal.block.id):
        return _no_states(task)
    tests: dict[str, State] = {}
    for name, test in task.tests.items():
        tests[name] = test.chunk(scored, abnormal, task.prior)
        check_state(name, tests[name], totals[0][name])
    shared = {name: SHARED[name].chunk(scored, abnormal, task.spec) for name in task.shares}
    extra = {name: chunk(scored, abnormal, task.spec) for name, chunk in task.extra.items()}
    for total, states in zip(totals, (tests, shared, extra), strict=True):
        for name, state in states.items():
            add(total[name], state)
    return tests, shared, extra


def _fit(block: Block, model: Model, spec: Spec, checked: bool) -> tuple[Abnormal, Ints]:
    """Return the fit of the usable events, and the status of all events; ``checked``: check the model's contract."""
    try:
        abnormal = model.fit(block)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        name = type(model).__name__
        raise InputError(
            f"the model {name!r} writes into its block, which the tests read too; copy the array"
        ) from error
    if checked:
        check_abnormal(model, block, abnormal)
    status = abnormal.status.copy()
    status[~block.ok[:, block.n_est :].any(axis=1)] = Status.EMPTY_EVENT_WINDOW
    status[block.n_valid < spec.min_estimation] = Status.TOO_FEW_ESTIMATION
    good = status == Status.OK
    return (abnormal if good.all() else abnormal.take(good)), status


def join(parts: Iterable[PartResult], n: int, progress: Callable[[int], object] = lambda n: None) -> PartResult:
    """Sum parts, in their order, to the result of one task over all ``n`` events, with the single events in order.

    There is a part, if without events, in a study that has none too.
    """
    remaining = iter(parts)
    total = next(remaining)
    kept = KeptBlocks()
    events = singles.EventResults(n)
    status, n_est = np.full(n, Status.OK, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for part in chain([total], remaining):
        status[part.rows], n_est[part.rows] = part.status, part.n_est
        events.add(np.asarray(part.singles.get("id", ()), dtype=np.int64), part.singles)
        if len(part.rows):
            kept.add(part.blocks)
        progress(len(part.rows))
        if part is total:
            continue
        for sums, states in zip(total.states, part.states, strict=True):
            for name, state in states.items():
                add(sums[name], state)
    if n > PART:
        memory.give_back()
    return total._replace(singles=events.arrays(), rows=np.arange(n), status=status, n_est=n_est, blocks=kept.all())


def tasks_of(
    panels: Sequence[AnyPanel],
    placed: Placed,
    model: Model,
    sample: Sample,
    parts: Sequence[Ints],
    **states: Unpack[TaskStates],
) -> Iterator[Task]:
    """Yield the task of each part, with the same states."""
    n_clusters = len(sample.cluster_group)
    for rows in parts:
        part_panels, events = take(panels, placed, rows)
        yield Task(part_panels, events, rows, model, sample.spec, n_clusters, sample.n_groups, **states)
