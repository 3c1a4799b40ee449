"""The parts of a study on threads, processes or a Dask cluster, and their checkpoints.

Parts are the same whoever works on them, so that the results are too, to 1e-12.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from eventstudy.core.parts import LARGE, MapTasks, PartResult, Task
from eventstudy.core.sums import add, packed
from eventstudy.errors import EventStudyError, InputError, ScaleError
from eventstudy.run.checkpoint import kept, opened

AHEAD = 2  # tasks a worker that are under way or wait, so that none is idle and memory is bounded
WIDE = 8  # states that one sum on the cluster takes
RETRIES = 3
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
AGAIN = "with checkpoint=folder the parts that are done are not computed again"


class Part(NamedTuple):
    """What a worker gives back: how many parts it is, how many of them lay in the checkpoint, and a note."""

    done: PartResult
    n: int = 1
    resumed: int = 0
    note: str = ""


@dataclass
class Tally:
    """What became of the parts of a run."""

    n_parts: int = 0
    n_resumed: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scale:
    """Who works on the parts, and where they are left; None: here, one after the other, and nowhere."""

    executor: Any = None
    checkpoint: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"executor": None, "checkpoint": self.checkpoint}  # workers do not travel with a study

    def each(self, tally: Tally | None = None) -> MapTasks | None:
        """Give what carries a function over tasks, in their order; None where nothing was chosen."""
        if self.executor is None and self.checkpoint is None:
            return None
        return partial(self._each, Tally() if tally is None else tally)

    def _each(
        self, tally: Tally, function: Callable[[Task], PartResult], tasks: Iterable[Task]
    ) -> Iterator[PartResult]:
        call = partial(made, function, self.checkpoint)
        if self.executor is None:
            parts: Iterable[Part] = map(call, tasks)
        elif isinstance(self.executor, Executor):
            parts = on_executor(self.executor, call, tasks)
        else:
            parts = on_dask(self.executor, call, tasks)
        for part in parts:
            tally.n_parts += part.n
            tally.n_resumed += part.resumed
            tally.notes += [part.note] if part.note else []
            yield _states(part.done, lambda state: add({}, state))


NO_SCALE = Scale()


def scaled(executor: Any, checkpoint: Any) -> Scale:
    """Check who is to work on a study, and where its parts are left.

    Raises
    ------
    InputError
        When the one is no executor and no Dask client, or the other no folder.
    ScaleError
        When nothing can be written to the folder.
    """
    if executor is not None and not isinstance(executor, Executor) and not _is_client(executor):
        raise InputError(
            f"executor is {executor!r}; give a concurrent.futures.Executor, as ProcessPoolExecutor(), "
            "or a distributed.Client that is not asynchronous"
        )
    return Scale(executor, None if checkpoint is None else opened(checkpoint))


def _is_client(thing: Any) -> bool:
    """Tell a Dask client without importing Dask for what is none."""
    if not any(base.__module__.partition(".")[0] == "distributed" for base in type(thing).__mro__):
        return False
    from distributed import Client

    return isinstance(thing, Client) and not thing.asynchronous


def made(function: Callable[[Task], PartResult], checkpoint: str | None, task: Task) -> Part:
    """Make one part, where the worker is."""
    if checkpoint is None:
        return Part(_states(function(task), packed))
    found = kept(lambda task: _states(function(task), packed), checkpoint, task)
    return Part(found.done, 1, int(found.resumed), found.note)


def _states(done: PartResult, change: Callable[[Any], Any]) -> PartResult:
    """Change every state of a part."""
    tests, shared = ({name: change(state) for name, state in its.items()} for its in (done.tests, done.shared))
    return done._replace(tests=tests, shared=shared)


def on_executor(executor: Executor, call: Callable[[Task], Part], tasks: Iterable[Task]) -> Iterator[Part]:
    """Carry a function over tasks on threads or processes, some at a time, and give the parts in order."""
    ahead = AHEAD * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
    waiting: deque[tuple[Task, Any]] = deque()
    try:
        for task in tasks:
            try:
                waiting.append((task, executor.submit(call, task)))
            except RuntimeError as flaw:  # a broken one is a RuntimeError too
                raise _failure(flaw, task) if isinstance(flaw, BrokenExecutor) else _closed(flaw) from flaw
            if len(waiting) >= ahead:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def _closed(flaw: Exception) -> ScaleError:
    return ScaleError(
        f"the executor takes no more work ({flaw}); a result goes on using the executor of its study: call its methods "
        "before the executor is shut down, or run the study again"
    )


def _result(task: Task, future: Any, named: Callable[[Exception, Task], EventStudyError] | None = None) -> Part:
    """Wait for a part; ``named`` says what went wrong with it."""
    try:
        part: Part = future.result()
    except EventStudyError:
        raise
    except Exception as flaw:
        raise (named or _failure)(flaw, task) from flaw
    return part


def _failure(flaw: Exception, task: Task) -> EventStudyError:
    """Say what went wrong with a part, and what to do."""
    if isinstance(flaw, BrokenExecutor):
        return ScaleError(
            "a worker process died, most often because memory ran out; give fewer workers or more memory, and a new "
            f"executor; {AGAIN}"
        )
    if isinstance(flaw, CancelledError):
        return ScaleError(f"a part of the study was cancelled, and so there is no result; run it again; {AGAIN}")
    unsendable = _unsendable(task) if isinstance(flaw, pickle.PicklingError | AttributeError | TypeError) else None
    return unsendable or ScaleError(
        f"a part of {len(task.rows)} events failed with {type(flaw).__name__}: {flaw}; nothing is given of the others; "
        f"run without executor to see where; {AGAIN}"
    )


def _unsendable(task: Task) -> InputError | None:
    """Say which of the user's objects no other process can take; None where all can be sent."""
    for name, thing in {"the model": task.model, **{f"test {name!r}": t for name, t in task.tests.items()}}.items():
        try:
            pickle.dumps(thing)
        except Exception as flaw:
            return InputError(
                f"{name} cannot be sent to another process ({flaw}); define its functions with def at the top of a "
                "module, not as a lambda or inside a function, or give a ThreadPoolExecutor"
            )
    return None


def on_dask(client: Any, call: Callable[[Task], Part], tasks: Iterable[Task]) -> Iterator[Part]:
    """Carry a function over tasks on a Dask cluster, and add its states there.

    The parts come in order without their states, and behind them one without events that has the states of all.
    """
    try:
        ahead = AHEAD * max(1, sum(client.nthreads().values()))
    except Exception as flaw:
        raise _gone(flaw) from flaw
    tree = _Tree(client)
    waiting: deque[tuple[Task, Any]] = deque()
    task = None
    for task in tasks:
        waiting.append((task, _submitted(client, call, task, tree)))
        if len(waiting) >= ahead:
            yield _answer(*waiting.popleft())
    while waiting:
        yield _answer(*waiting.popleft())
    if task is not None:
        yield _answer(task, tree.total())


def _submitted(client: Any, call: Callable[[Task], Part], task: Task, tree: _Tree) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # a task carries its data
            whole = client.submit(_roomy, call, task, pure=False, retries=RETRIES)
        tree.add(whole)
        return client.submit(_without_states, whole, pure=False, retries=RETRIES)
    except (pickle.PicklingError, AttributeError, TypeError) as flaw:
        raise _failure(flaw, task) from flaw
    except Exception as flaw:
        raise _gone(flaw) from flaw


def _roomy(call: Callable[[Task], Part], task: Task) -> Part:
    """Make a part on a worker whose freed arrays stay with it.

    Dask has glibc give every freed array back to the system, and the next block faults its own in again: that takes
    twice as long as the arithmetic.
    """
    try:
        keep = ctypes.CDLL(None).mallopt
        keep(M_MMAP_THRESHOLD, LARGE)
        keep(M_TRIM_THRESHOLD, 8 * LARGE)
    except (OSError, AttributeError, TypeError):  # another C library
        pass
    return call(task)


def _answer(task: Task, future: Any) -> Part:
    """Wait for a part on the cluster."""
    from distributed import KilledWorker

    def named(flaw: Exception, task: Task) -> EventStudyError:
        if isinstance(flaw, KilledWorker):
            return ScaleError(
                "workers died over and over on one part of the study, most often because memory ran out; give each "
                f"worker more memory or fewer threads (their logs say which); {AGAIN}"
            )
        return _failure(flaw, task) if future.status == "error" else _gone(flaw)

    return _result(task, future, named)


def _gone(flaw: Exception) -> ScaleError:
    return ScaleError(
        f"the Dask scheduler is gone, or dropped the study ({type(flaw).__name__}: {flaw}); start it again, give a new "
        f"Client, and run again; {AGAIN}"
    )


class _Tree:
    """States added on the cluster in groups of consecutive parts, and groups of groups: the same sums in every run."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._levels: list[list[Any]] = []

    def add(self, future: Any, level: int = 0) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(future)
        if len(self._levels[level]) == WIDE:
            group, self._levels[level] = self._levels[level], []
            self.add(self._sum(group), level + 1)

    def total(self) -> Any:
        """Give the sum of all; what stands higher came earlier."""
        return self._sum([future for level in reversed(self._levels) for future in level])

    def _sum(self, futures: Sequence[Any]) -> Any:
        return self._client.submit(_summed, futures, pure=False, retries=RETRIES)


def _without_states(part: Part) -> Part:
    return part._replace(done=_states(part.done, lambda state: {}))


def _summed(parts: Sequence[Part]) -> Part:
    """Add the states of some parts, and leave these as they are."""
    tests: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    for part in parts:
        for total, its in ((tests, part.done.tests), (shared, part.done.shared)):
            for name, state in its.items():
                mine = total.setdefault(name, {})
                new = {leaf: v.copy() for leaf, v in state.items() if leaf not in mine and isinstance(v, np.ndarray)}
                add(mine, {**state, **new})
    none = np.arange(0)
    return Part(_states(PartResult(tests, shared, {}, none, none, none), packed), n=0)
