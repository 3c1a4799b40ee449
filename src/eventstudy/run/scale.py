"""Run the parts of a study on threads, processes or a Dask cluster, with checkpoints.

Parts do not depend on the executor, so that results agree to 1e-12.
"""

from __future__ import annotations

import os
import pickle
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from eventstudy.core import memory
from eventstudy.core.parts import MapTasks, PartResult, States, Task
from eventstudy.core.sums import add, packed
from eventstudy.errors import EventStudyError, InputError, ScaleError, shown
from eventstudy.run.checkpoint import checkpointed, open_checkpoint

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

AHEAD = 2  # tasks per worker that run or wait, so that no worker is idle and memory is bounded
GROUP = 8  # states added by one task on the cluster
RETRIES = 3
CHECKPOINT_ADVICE = "with checkpoint=folder, finished parts are not computed again"


class WorkerResult(NamedTuple):
    """The output of a worker: a part, how many parts it counts as, how many were in the checkpoint, and a note."""

    part: PartResult
    n: int = 1
    resumed: int = 0
    note: str = ""


class Future(Protocol):
    """A future of ``concurrent.futures`` or of Dask."""

    def result(self) -> WorkerResult:
        """Wait for the result."""
        ...

    def cancel(self) -> object:
        """Cancel the task if it has not started."""
        ...


Call = Callable[[Task], WorkerResult]


@dataclass
class PartCounts:
    """The number of parts of a run, the number read from its checkpoint, and notes."""

    n_parts: int = 0
    n_resumed: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Workers:
    """The executor of the parts, None for this process, and the folder of their checkpoint, None for no checkpoint."""

    executor: Executor | Client | None = None
    checkpoint: str | None = field(default=None, repr=False)  # a URL of it can have a password

    def __getstate__(self) -> dict[str, object]:
        """Exclude the executor, which cannot be pickled."""
        return {"executor": None, "checkpoint": self.checkpoint}

    def map_tasks(self, counts: PartCounts | None = None) -> MapTasks | None:
        """Return a function that maps a function over tasks, in order; None without executor and checkpoint."""
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
        If ``executor`` is neither an executor nor a Dask client, or ``checkpoint`` is not a folder.
    ScaleError
        If the folder is not writable.
    """
    folder = None if checkpoint is None else open_checkpoint(checkpoint)
    if executor is None or isinstance(executor, Executor):
        return Workers(executor, folder)
    client = _dask_client(executor)
    if client is None:
        raise InputError(
            f"executor is {shown(executor)}; give a concurrent.futures.Executor, such as ProcessPoolExecutor(), "
            "or a distributed.Client that is not asynchronous"
        )
    return Workers(client, folder)


def _dask_client(executor: object) -> Client | None:
    """Return a synchronous Dask client, else None; Dask is not imported for objects of other libraries."""
    if not any(base.__module__.partition(".")[0] == "distributed" for base in type(executor).__mro__):
        return None
    from distributed import Client

    return executor if isinstance(executor, Client) and not executor.asynchronous else None


def worker_result(function: Callable[[Task], PartResult], checkpoint: str | None, task: Task) -> WorkerResult:
    """Compute one part on the worker, or read it from the checkpoint."""

    def packed_part(task: Task) -> PartResult:
        return function(task).with_states(packed)

    if checkpoint is None:
        return WorkerResult(packed_part(task))
    part = checkpointed(packed_part, checkpoint, task)
    return WorkerResult(part.part, 1, int(part.resumed), part.note)


def on_executor(executor: Executor, call: Call, tasks: Iterable[Task]) -> Iterator[WorkerResult]:
    """Map a function over tasks on threads or processes, a few at a time, and yield the results in order."""
    ahead = AHEAD * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
    waiting: deque[tuple[Task, Future]] = deque()
    try:
        for task in tasks:
            try:
                waiting.append((task, executor.submit(call, task)))
            except RuntimeError as error:  # BrokenExecutor is a RuntimeError too
                raise _part_error(error, task) if isinstance(error, BrokenExecutor) else _closed_error(error) from error
            if len(waiting) >= ahead:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def _closed_error(error: Exception) -> ScaleError:
    return ScaleError(
        f"the executor takes no more work ({error}); a result uses the executor of its study: call its methods "
        "before the executor is shut down, or run the study again"
    )


def _result(
    task: Task, future: Future, to_error: Callable[[Exception, Task], EventStudyError] | None = None
) -> WorkerResult:
    """Wait for a part; ``to_error`` converts an exception to an error of the library."""
    try:
        return future.result()
    except EventStudyError:
        raise
    except Exception as error:
        raise (to_error or _part_error)(error, task) from error


def _part_error(error: Exception, task: Task) -> EventStudyError:
    """Convert an exception of a part to an error that says what failed and what to do."""
    if isinstance(error, BrokenExecutor):
        return ScaleError(
            "a worker process died, most often because memory ran out; give fewer workers or more memory, and a new "
            f"executor; {CHECKPOINT_ADVICE}"
        )
    if isinstance(error, CancelledError):
        return ScaleError(
            f"a part of the study was cancelled, and so there is no result; run it again; {CHECKPOINT_ADVICE}"
        )
    not_picklable = (
        _pickling_error(task) if isinstance(error, pickle.PicklingError | AttributeError | TypeError) else None
    )
    return not_picklable or ScaleError(
        f"a part of {len(task.rows)} events failed with {type(error).__name__}: {error}; there is no result of "
        f"other parts; run without executor to see where; {CHECKPOINT_ADVICE}"
    )


def _pickling_error(task: Task) -> InputError | None:
    """Return the error of the first model or test that cannot be pickled; None if all can."""
    for name, member in {"the model": task.model, **{f"test {name!r}": t for name, t in task.tests.items()}}.items():
        try:
            pickle.dumps(member)
        except Exception as error:
            return InputError(
                f"{name} cannot be sent to another process ({error}); define its functions with def at the top of a "
                "module, not as a lambda or inside a function, or give a ThreadPoolExecutor"
            )
    return None


def on_dask(client: Client, call: Call, tasks: Iterable[Task]) -> Iterator[WorkerResult]:
    """Map a function over tasks on a Dask cluster, and add the states there.

    The results are in order, without states; an additional last result has no events and the sum of all states.
    """
    try:
        ahead = AHEAD * max(1, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
    except Exception as error:
        raise _scheduler_error(error) from error
    tree = _SumTree(client)
    waiting: deque[tuple[Task, DaskFuture[WorkerResult]]] = deque()
    task, finished = None, False
    try:
        for task in tasks:
            waiting.append((task, _submit(client, call, task, tree)))
            if len(waiting) >= ahead:
                yield _dask_result(*waiting.popleft())
        while waiting:
            yield _dask_result(*waiting.popleft())
        if task is not None:
            yield _dask_result(task, tree.total())
        finished = True
    finally:
        if not finished:  # its parts would be computed on, and a part that kills its worker would kill the next study's
            _cancel(client, [*(future for _, future in waiting), *tree.futures()])


def _cancel(client: Client, futures: list[DaskFuture[WorkerResult]]) -> None:
    with suppress(Exception):  # of a scheduler that is gone
        client.cancel(futures, force=True)  # type: ignore[no-untyped-call]


def _submit(client: Client, call: Call, task: Task, tree: _SumTree) -> DaskFuture[WorkerResult]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # a task carries its data
            future = client.submit(_call_keeping_memory, call, task, pure=False, retries=RETRIES)
        tree.add(future)
        return client.submit(_without_states, future, pure=False, retries=RETRIES)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise _part_error(error, task) from error
    except Exception as error:
        raise _scheduler_error(error) from error


def _call_keeping_memory(call: Call, task: Task) -> WorkerResult:
    """Compute a part on a worker that does not return the memory of freed arrays to the system."""
    memory.keep_freed_on_a_worker()
    return call(task)


def _dask_result(task: Task, future: DaskFuture[WorkerResult]) -> WorkerResult:
    """Wait for a part on the cluster."""
    from distributed import KilledWorker

    def to_error(error: Exception, task: Task) -> EventStudyError:
        if isinstance(error, KilledWorker):
            return ScaleError(
                "workers died repeatedly on one part of the study, most often because memory ran out; give each "
                f"worker more memory or fewer threads (their logs say which); {CHECKPOINT_ADVICE}"
            )
        return _part_error(error, task) if future.status == "error" else _scheduler_error(error)

    return _result(task, future, to_error)


def _scheduler_error(error: Exception) -> ScaleError:
    return ScaleError(
        f"the Dask scheduler is gone, or dropped the study ({type(error).__name__}: {error}); restart it, give a new "
        f"Client, and run again; {CHECKPOINT_ADVICE}"
    )


class _SumTree:
    """Sums of states on the cluster, by groups of consecutive parts and groups of groups, in a fixed order."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._levels: list[list[DaskFuture[WorkerResult]]] = []

    def add(self, future: DaskFuture[WorkerResult], level: int = 0) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(future)
        if len(self._levels[level]) == GROUP:
            group, self._levels[level] = self._levels[level], []
            self.add(self._sum(group), level + 1)

    def total(self) -> DaskFuture[WorkerResult]:
        """Return the sum of all states; sums of higher levels are of earlier parts."""
        return self._sum(self.futures())

    def futures(self) -> list[DaskFuture[WorkerResult]]:
        """Return what is added and not summed yet, in the order of the parts."""
        return [future for level in reversed(self._levels) for future in level]

    def _sum(self, futures: Sequence[DaskFuture[WorkerResult]]) -> DaskFuture[WorkerResult]:
        return self._client.submit(_sum_states, futures, pure=False, retries=RETRIES)


def _without_states(result: WorkerResult) -> WorkerResult:
    return result._replace(part=result.part.with_states(lambda state: {})._replace(blocks=()))


def _sum_states(results: Sequence[WorkerResult]) -> WorkerResult:
    """Add the states of parts; return a part without events."""
    sums: tuple[States, States, States] = ({}, {}, {})
    for result in results:
        for total, states in zip(sums, result.part.states, strict=True):
            for name, state in states.items():
                add(total.setdefault(name, {}), state)
    empty = np.arange(0)
    return WorkerResult(PartResult(*sums, {}, empty, empty, empty).with_states(packed), n=0)
