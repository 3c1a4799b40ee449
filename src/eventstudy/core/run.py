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
from eventstudy.core.parts import SHARED, AnyPanel, MapTasks, PartResult, cut, joined, tasks_of, work
from eventstudy.types import Model, Outcome, Placed, Sample, State, Test, Verdict

ALWAYS = ("moments", "overlap", "daily")


class Execution(NamedTuple):
    """How the work is done: ``progress`` is told the number of events after each block or part.

    ``each`` (function, tasks) carries a function over the parts of the study, and gives the results in their order;
    here and one by one where it is None.
    """

    progress: Callable[[int], object] = lambda n: None
    each: MapTasks | None = None


IN_PROCESS = Execution()


def run(
    panels: Sequence[AnyPanel],
    placed: Placed,
    model: Model,
    tests: Mapping[str, Test],
    sample: Sample,
    how: Execution = IN_PROCESS,
    keep_events: bool = True,
    seed: int = 0,
) -> Outcome:
    """Fit the model to every event and carry every test to its verdict.

    Parameters
    ----------
    panels, placed
        The returns, and the events as integers (N,).
    model : Model
    tests : mapping from name to Test
    sample : Sample
        Windows, groups and clusters.
    how : Execution
    keep_events : bool
        Whether to keep every single event.
    seed : int
        Of the dates that are drawn anew, for the tests that ask for such draws.

    Returns
    -------
    Outcome
        ``status`` and ``n_est`` (N,) in the order of ``placed``; ``singles`` hold the events of status OK, and
        their ``id`` is the row in ``placed``.
    """
    needs = sorted({name for test in tests.values() for name in test.needs})
    shares = sorted({*ALWAYS, *(name for test in tests.values() for name in test.shares)})
    parts = cut(placed, panels)

    def add_up(
        tests: Mapping[str, Test], shares: Sequence[str], prior: Any, keep_events: bool, told: Any
    ) -> PartResult:
        choices = {"tests": tests, "shares": shares, "prior": prior, "keep_events": keep_events}
        tasks = tasks_of(panels, placed, model, sample, parts, **choices)
        if how.each is None:
            return joined((work(task, told) for task in tasks), len(placed.day))
        return joined(how.each(work, tasks), len(placed.day), told)

    prior = add_up({}, needs, {}, False, lambda n: None).shared if needs else {}
    done = add_up(tests, shares, prior, keep_events, how.progress)
    if not done.shared.get("moments"):
        return Outcome({name: _nothing(sample) for name in tests}, {}, {}, done.status, done.n_est)
    known = _finalised(done.shared, sample)
    n_draws = max((test.draws for test in tests.values()), default=0)
    if n_draws:
        known["draws"] = null(
            partial(run, how=Execution(each=how.each)), panels, placed, model, {}, sample, n_draws, seed
        )
    sample = replace(sample, shared=known)
    verdicts = {name: test.finalize(done.tests[name], sample) for name, test in tests.items()}
    for name, its in verdicts.items():
        check_verdict(name, its, sample.n_groups, len(sample.spec.windows))
    return Outcome(verdicts, sample.shared, done.singles, done.status, done.n_est)


def _nothing(sample: Sample) -> Verdict:
    """Give the verdict of any test on no events."""
    nan = np.full((sample.n_groups, len(sample.spec.windows)), np.nan)
    return verdict(nan, np.zeros(nan.shape), undefined=[(np.isnan(nan), "no event could be used")])


def _finalised(states: Mapping[str, State], sample: Sample) -> dict[str, Any]:
    """Finalise the shared states, the daily averages last, for they use the overlap."""
    done: dict[str, Any] = {}
    for name in sorted(states, key=lambda name: name == "daily"):
        done[name] = SHARED[name].finalize(states[name], replace(sample, shared=done))
    return done
