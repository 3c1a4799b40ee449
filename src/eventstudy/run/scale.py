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
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from eventstudy.core.parts import LARGE, MapTasks, PartResult, States, Task
from eventstudy.core.sums import add, packed
from eventstudy.errors import EventStudyError, InputError, ScaleError
from eventstudy.run.checkpoint import checkpointed, opened

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

AHEAD = 2  # tasks a worker that are under way or wait, so that none is idle and memory is bounded
WIDE = 8  # states that one sum on the cluster takes
RETRIES = 3
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
AGAIN = "with checkpoint=folder the parts that are done are not computed again"


class WorkerResult(NamedTuple):
    """The output of a worker: how many parts it is, how many of them were in the checkpoint, and a note."""

    part: PartResult
    n: int = 1
    resumed: int = 0
    note: str = ""


class Future(Protocol):
    """A result to come, of ``concurrent.futures`` or of Dask."""

    def result(self) -> WorkerResult:
        """Wait for the result."""
        ...

    def cancel(self) -> object:
        """Cancel the work where it has not begun."""
        ...


Call = Callable[[Task], WorkerResult]


@dataclass
class PartCounts:
    """How many parts a run had, how many came from its checkpoint, and what was noted of them."""

    n_parts: int = 0
    n_resumed: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Workers:
    """The executor of the parts and the folder of their checkpoint; None: this process, one by one, and no folder."""

    executor: Executor | Client | None = None
    checkpoint: str | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the executor behind: it does not travel with a study."""
        return {"executor": None, "checkpoint": self.checkpoint}

    def map_tasks(self, counts: PartCounts | None = None) -> MapTasks | None:
        """Return what maps a function over tasks, in their order; None where neither was chosen."""
        if self.executor is None and self.checkpoint is None:
            return None
        return partial(self._map, PartCounts() if counts is None else counts)

    def _map(
        self, counts: PartCounts, function: Callable[[Task], PartResult], tasks: Iterable[Task]
    ) -> Iterator[PartResult]:
        call = partial(worker_result, function, self.checkpoint)
        if self.executor is None:
            results: Iterable[WorkerResult] = map(call, tasks)
        elif isinstance(self.executor, Executor):
            results = on_executor(self.executor, call, tasks)
        else:
            results = on_dask(self.executor, call, tasks)
        for result in results:
            counts.n_parts += result.n
            counts.n_resumed += result.resumed
            counts.notes += [result.note] if result.note else []
            yield result.part.with_states(lambda state: add({}, state))


IN_ONE_PROCESS = Workers()


def workers(executor: object, checkpoint: object) -> Workers:
    """Check the executor and the checkpoint of a run.

    Raises
    ------
    InputError
        When the one is no executor and no Dask client, or the other no folder.
    ScaleError
        When nothing can be written to the folder.
    """
    folder = None if checkpoint is None else opened(checkpoint)
    if executor is None or isinstance(executor, Executor):
        return Workers(executor, folder)
    client = _dask_client(executor)
    if client is None:
        raise InputError(
            f"executor is {executor!r}; give a concurrent.futures.Executor, as ProcessPoolExecutor(), "
            "or a distributed.Client that is not asynchronous"
        )
    return Workers(client, folder)


def _dask_client(thing: object) -> Client | None:
    """Recognise a Dask client without importing Dask for what is none."""
    if not any(base.__module__.partition(".")[0] == "distributed" for base in type(thing).__mro__):
        return None
    from distributed import Client

    return thing if isinstance(thing, Client) and not thing.asynchronous else None


def worker_result(function: Callable[[Task], PartResult], checkpoint: str | None, task: Task) -> WorkerResult:
    """Compute one part on the worker, or take it from the checkpoint."""

    def packed_part(task: Task) -> PartResult:
        return function(task).with_states(packed)

    if checkpoint is None:
        return WorkerResult(packed_part(task))
    part = checkpointed(packed_part, checkpoint, task)
    return WorkerResult(part.part, 1, int(part.resumed), part.note)


def on_executor(executor: Executor, call: Call, tasks: Iterable[Task]) -> Iterator[WorkerResult]:
    """Map a function over tasks on threads or processes, some at a time, and yield the results in order."""
    ahead = AHEAD * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
    waiting: deque[tuple[Task, Future]] = deque()
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


def _result(
    task: Task, future: Future, failure: Callable[[Exception, Task], EventStudyError] | None = None
) -> WorkerResult:
    """Wait for a part; ``failure`` makes the error that says what went wrong with it."""
    try:
        return future.result()
    except EventStudyError:
        raise
    except Exception as flaw:
        raise (failure or _failure)(flaw, task) from flaw


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


def on_dask(client: Client, call: Call, tasks: Iterable[Task]) -> Iterator[WorkerResult]:
    """Map a function over tasks on a Dask cluster, and add its states there.

    The results come in order without their states; the last one has no events and the states of all.
    """
    try:
        ahead = AHEAD * max(1, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
    except Exception as flaw:
        raise _gone(flaw) from flaw
    tree = _SumTree(client)
    waiting: deque[tuple[Task, DaskFuture[WorkerResult]]] = deque()
    task = None
    for task in tasks:
        waiting.append((task, _submitted(client, call, task, tree)))
        if len(waiting) >= ahead:
            yield _answer(*waiting.popleft())
    while waiting:
        yield _answer(*waiting.popleft())
    if task is not None:
        yield _answer(task, tree.total())


def _submitted(client: Client, call: Call, task: Task, tree: _SumTree) -> DaskFuture[WorkerResult]:
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


def _roomy(call: Call, task: Task) -> WorkerResult:
    """Compute a part on a worker that keeps the memory of freed arrays.

    Dask sets glibc to return every freed array to the system, and the page faults of the next block's arrays take twice
    as long as the arithmetic.
    """
    try:
        keep = ctypes.CDLL(None).mallopt
        keep(M_MMAP_THRESHOLD, LARGE)
        keep(M_TRIM_THRESHOLD, 8 * LARGE)
    except (OSError, AttributeError, TypeError):  # another C library
        pass
    return call(task)


def _answer(task: Task, future: DaskFuture[WorkerResult]) -> WorkerResult:
    """Wait for a part on the cluster."""
    from distributed import KilledWorker

    def failure(flaw: Exception, task: Task) -> EventStudyError:
        if isinstance(flaw, KilledWorker):
            return ScaleError(
                "workers died over and over on one part of the study, most often because memory ran out; give each "
                f"worker more memory or fewer threads (their logs say which); {AGAIN}"
            )
        return _failure(flaw, task) if future.status == "error" else _gone(flaw)

    return _result(task, future, failure)


def _gone(flaw: Exception) -> ScaleError:
    return ScaleError(
        f"the Dask scheduler is gone, or dropped the study ({type(flaw).__name__}: {flaw}); start it again, give a new "
        f"Client, and run again; {AGAIN}"
    )


class _SumTree:
    """States added on the cluster in groups of consecutive parts, and groups of groups: the same sums in every run."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._levels: list[list[DaskFuture[WorkerResult]]] = []

    def add(self, future: DaskFuture[WorkerResult], level: int = 0) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(future)
        if len(self._levels[level]) == WIDE:
            group, self._levels[level] = self._levels[level], []
            self.add(self._sum(group), level + 1)

    def total(self) -> DaskFuture[WorkerResult]:
        """Return the sum of all; sums of higher levels are of earlier parts."""
        return self._sum([future for level in reversed(self._levels) for future in level])

    def _sum(self, futures: Sequence[DaskFuture[WorkerResult]]) -> DaskFuture[WorkerResult]:
        return self._client.submit(_summed, futures, pure=False, retries=RETRIES)


def _without_states(result: WorkerResult) -> WorkerResult:
    return result._replace(part=result.part.with_states(lambda state: {}))


def _summed(results: Sequence[WorkerResult]) -> WorkerResult:
    """Add the states of some parts."""
    sums: tuple[States, States, States] = ({}, {}, {})
    for result in results:
        for total, states in zip(sums, result.part.states, strict=True):
            for name, state in states.items():
                add(total.setdefault(name, {}), state)
    none = np.arange(0)
    return WorkerResult(PartResult(*sums, {}, none, none, none).with_states(packed), n=0)
