"""Run a model and tests over the parts of a study, in as many passes as the tests need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import NamedTuple, Unpack

import numpy as np

from eventstudy.core.checks import check_verdict
from eventstudy.core.draws import null
from eventstudy.core.nulls import verdict
from eventstudy.core.parts import SHARED, Known, MapTasks, PartResult, TaskStates, join, split, tasks_of, work
from eventstudy.core.windows import select
from eventstudy.types import (
    AnyPanel,
    Extra,
    Model,
    Outcome,
    Placed,
    Sample,
    SharedResult,
    State,
    Status,
    Test,
    Verdict,
)

ALWAYS = ("moments", "overlap", "daily", "effects")
ONE_EVENT = "1 event: this test compares events with each other; the p-values of the event itself are in Result.cars"


def _silent(n: int) -> None:
    """Ignore the number of events done."""


class Execution(NamedTuple):
    """How the tasks are run.

    ``progress`` is called with the number of events after each block or part. ``map_tasks`` (function, tasks) maps a
    function over the tasks and yields the results in their order; None runs them one by one in this process. ``known``
    has the results of events that are not computed again; if it is given, even without events, the outcome has the
    states of each block.
    """

    progress: Callable[[int], object] = _silent
    map_tasks: MapTasks | None = None
    known: Known | None = None


IN_PROCESS = Execution()


def run(
    panels: Sequence[AnyPanel],
    placed: Placed,
    model: Model,
    tests: Mapping[str, Test],
    sample: Sample,
    execution: Execution = IN_PROCESS,
    keep_events: bool = True,
    extra: Mapping[str, Extra] | None = None,
) -> Outcome:
    """Fit the model to every event, and return the verdicts of the tests.

    Parameters
    ----------
    panels, placed
        The returns, and the events as integers (N,).
    model : Model
    tests : mapping from name to Test
    sample : Sample
        Windows, groups and clusters, and the seed for redrawing dates.
    execution : Execution
    keep_events : bool
        Whether to return the results of single events.
    extra : mapping from name to (Scores, Abnormal, Spec) -> state
        Further states, summed over all events.

    Returns
    -------
    Outcome
        ``status`` and ``n_est`` (N,) in the order of ``placed``; ``singles`` hold the events of status OK, and
        their ``id`` is the row in ``placed``.
    """
    run_pass = partial(_run_pass, panels, placed, model, sample)
    sums = run_pass(
        execution, tests=of_one_pass(tests), shares=shares_of(tests), keep_events=keep_events, extra=extra or {}
    )
    counted = sums.status == Status.OK if placed.sign is None else (sums.status == Status.OK) & (placed.sign != 0.0)
    if not counted.any():
        verdicts = {name: _verdict_without_events(sample) for name in tests}
        return Outcome(verdicts, {}, sums.singles, sums.status, sums.n_est, blocks=sums.blocks)
    states, alone = dict(sums.tests), execution._replace(progress=_silent, known=None)
    later = {name: test for name, test in tests.items() if test.needs}
    if later:
        prior: dict[str, State] = {name: sums.shared[name] for test in later.values() for name in test.needs}
        states |= run_pass(alone, tests=later, prior=prior).tests
    shared = _finalise(sums.shared, sample)
    n_draws = max((test.draws for test in tests.values()), default=0)
    if n_draws:
        rerun = partial(run, execution=alone)
        shared["draws"] = null(rerun, panels, placed, model, {}, sample, n_draws, sample.seed)
    sample = replace(sample, shared=shared)
    verdicts = {name: _decide(test, states[name], sample) for name, test in tests.items()}
    for name, result in verdicts.items():
        check_verdict(name, result, sample.n_groups, len(sample.spec.windows))
    return Outcome(verdicts, sample.shared, sums.singles, sums.status, sums.n_est, sums.extra, sums.blocks)


def of_one_pass(tests: Mapping[str, Test]) -> dict[str, Test]:
    """Return the tests whose states need nothing of other events."""
    return {name: test for name, test in tests.items() if not test.needs}


def shares_of(tests: Mapping[str, Test]) -> list[str]:
    """Return the names of the shared states of a run, with those that a second pass needs."""
    return sorted({*ALWAYS, *(name for test in tests.values() for name in (*test.shares, *test.needs))})


def run_events(
    panels: Sequence[AnyPanel], placed: Placed, model: Model, sample: Sample, execution: Execution = IN_PROCESS
) -> Outcome:
    """Fit the model to every event, and return the results of single events, without tests and shared states."""
    sums = _run_pass(panels, placed, model, sample, execution, keep_events=True)
    return Outcome({}, {}, sums.singles, sums.status, sums.n_est)


def _run_pass(
    panels: Sequence[AnyPanel],
    placed: Placed,
    model: Model,
    sample: Sample,
    execution: Execution,
    **states: Unpack[TaskStates],
) -> PartResult:
    """Fit every event that is not known once, and sum the states."""
    n, known = len(placed.day), execution.known
    before: list[PartResult] = []
    parts = split(placed, panels)
    if known is not None:
        states["keep_blocks"] = True
        if len(known.part.rows):
            before = [known.part]
            rest = np.setdiff1d(np.arange(n), known.part.rows)
            apart = np.isin(rest, known.apart)
            parts = [of[rows] for of in (rest[~apart], rest[apart]) for rows in split(select(placed, of), panels)]
    tasks = tasks_of(panels, placed, model, sample, [rows for rows in parts if len(rows) or not before], **states)
    if execution.map_tasks is not None:
        return join(chain(before, execution.map_tasks(work, tasks)), n, execution.progress)
    execution.progress(sum(len(part.rows) for part in before))
    return join(chain(before, (work(task, execution.progress) for task in tasks)), n)


def _decide(test: Test, state: State, sample: Sample) -> Verdict:
    """Return the verdict of a test; without a value where there is one event, unless the test is for that too."""
    result = test.finalize(state, sample)
    single = np.asarray(sample.shared["moments"]["n"]) == 1
    if test.one_event or not single.any():
        return result
    statistic, df, p = (np.where(single, np.nan, values) for values in (result.statistic, result.df, result.p))
    return Verdict(statistic, df, p, result.n, np.where(single, ONE_EVENT, result.note))


def _verdict_without_events(sample: Sample) -> Verdict:
    """Return the verdict of any test when no event could be used, or none with a sign."""
    nan = np.full((sample.n_groups, len(sample.spec.windows)), np.nan)
    return verdict(nan, np.zeros(nan.shape), undefined=[(np.isnan(nan), "no event could be used")])


def _finalise(states: Mapping[str, State], sample: Sample) -> dict[str, SharedResult]:
    """Finalise the shared states; those of means come last because they use the overlap."""
    shared: dict[str, SharedResult] = {}
    for name in sorted(states, key=lambda name: name in ("daily", "effects")):
        shared[name] = SHARED[name].finalize(states[name], replace(sample, shared=shared))
    return shared
