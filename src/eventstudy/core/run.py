"""A study's parts through a model and the tests to verdicts, in as many passes as the tests need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from eventstudy.core.checks import check_verdict
from eventstudy.core.draws import null
from eventstudy.core.nulls import verdict
from eventstudy.core.parts import SHARED, MapTasks, PartResult, cut, joined, tasks_of, work
from eventstudy.types import AnyPanel, Extra, Model, Outcome, Placed, Sample, State, Status, Test, Verdict

ALWAYS = ("moments", "overlap", "daily")


def _silent(n: int) -> None:
    """Take no notice of the number of events done."""


class Execution(NamedTuple):
    """How the work is done.

    ``progress`` is called with the number of events after each block or part. ``map_tasks`` (function, tasks) maps a
    function over the parts of the study and yields the results in their order; None works in this process, one by one.
    """

    progress: Callable[[int], object] = _silent
    map_tasks: MapTasks | None = None


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
    """Fit the model to every event and carry every test to its verdict.

    Parameters
    ----------
    panels, placed
        The returns, and the events as integers (N,).
    model : Model
    tests : mapping from name to Test
    sample : Sample
        Windows, groups and clusters, and the seed of dates drawn anew for the tests that ask for such draws.
    execution : Execution
    keep_events : bool
        Whether to keep every single event.
    extra : mapping from name to (Scores, Abnormal, Spec) -> state
        Further states that are added up over all events.

    Returns
    -------
    Outcome
        ``status`` and ``n_est`` (N,) in the order of ``placed``; ``singles`` hold the events of status OK, and
        their ``id`` is the row in ``placed``.
    """
    needs = sorted({name for test in tests.values() for name in test.needs})
    shares = sorted({*ALWAYS, *(name for test in tests.values() for name in test.shares)})
    add_up = partial(_one_pass, panels, placed, model, sample)
    prior: Mapping[str, State] = {}
    if needs:
        prior = add_up(execution._replace(progress=_silent), shares=needs).shared
    sums = add_up(execution, tests=tests, shares=shares, prior=prior, keep_events=keep_events, extra=extra or {})
    if not (sums.status == Status.OK).any():
        return Outcome({name: _no_event(sample) for name in tests}, {}, {}, sums.status, sums.n_est)
    shared = _finalised(sums.shared, sample)
    n_draws = max((test.draws for test in tests.values()), default=0)
    if n_draws:
        again = partial(run, execution=execution._replace(progress=_silent))
        shared["draws"] = null(again, panels, placed, model, {}, sample, n_draws, sample.seed)
    sample = replace(sample, shared=shared)
    verdicts = {name: test.finalize(sums.tests[name], sample) for name, test in tests.items()}
    for name, answer in verdicts.items():
        check_verdict(name, answer, sample.n_groups, len(sample.spec.windows))
    return Outcome(verdicts, sample.shared, sums.singles, sums.status, sums.n_est, sums.extra)


def run_events(
    panels: Sequence[AnyPanel], placed: Placed, model: Model, sample: Sample, execution: Execution = IN_PROCESS
) -> Outcome:
    """Fit the model to every event, and keep the single events alone: no test, and nothing of the sample."""
    sums = _one_pass(panels, placed, model, sample, execution, keep_events=True)
    return Outcome({}, {}, sums.singles, sums.status, sums.n_est)


def _one_pass(
    panels: Sequence[AnyPanel],
    placed: Placed,
    model: Model,
    sample: Sample,
    execution: Execution,
    **choices: Any,
) -> PartResult:
    """Fit every event once and add up the states that are asked for; ``choices`` are those of ``Task``."""
    choices = {"tests": {}, "shares": (), "prior": {}, "keep_events": False, **choices}
    tasks = tasks_of(panels, placed, model, sample, cut(placed, panels), **choices)
    if execution.map_tasks is None:
        return joined((work(task, execution.progress) for task in tasks), len(placed.day))
    return joined(execution.map_tasks(work, tasks), len(placed.day), execution.progress)


def _no_event(sample: Sample) -> Verdict:
    """Return the verdict of any test on no events."""
    nan = np.full((sample.n_groups, len(sample.spec.windows)), np.nan)
    return verdict(nan, np.zeros(nan.shape), undefined=[(np.isnan(nan), "no event could be used")])


def _finalised(states: Mapping[str, State], sample: Sample) -> dict[str, Any]:
    """Finalise the shared states, the daily averages last, for they use the overlap."""
    shared: dict[str, Any] = {}
    for name in sorted(states, key=lambda name: name == "daily"):
        shared[name] = SHARED[name].finalize(states[name], replace(sample, shared=shared))
    return shared
