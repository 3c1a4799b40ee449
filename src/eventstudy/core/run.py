"""Blocks through a model and the tests to states, in as many passes as the tests need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from eventstudy.core import daily, overlap, singles
from eventstudy.core.draws import null
from eventstudy.core.nulls import verdict
from eventstudy.core.scores import scores
from eventstudy.core.sums import add, day_moments, moments
from eventstudy.core.windows import blocks
from eventstudy.types import (
    Abnormal,
    Block,
    Model,
    Outcome,
    Panel,
    Placed,
    Sample,
    Scores,
    Spec,
    State,
    Status,
    Test,
    Verdict,
)


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
ALWAYS = ("moments", "overlap", "daily")


def run(
    panels: Sequence[Panel],
    placed: Placed,
    model: Model,
    tests: Mapping[str, Test],
    sample: Sample,
    progress: Callable[[int], object] = lambda n: None,
    singly: bool = True,
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
    progress : callable
        Told the number of events after each block.
    singly : bool
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
    status = np.full(len(placed.day), Status.OK, dtype=np.int64)
    n_est = np.zeros(len(placed.day), dtype=np.int64)
    work = _Pass(panels, placed, model, sample, status, n_est)
    prior: dict[str, dict[str, Any]] = {name: {} for name in needs}
    if needs:
        for scored, abnormal in work.blocks(lambda n: None):
            for name in needs:
                add(prior[name], SHARED[name].chunk(scored, abnormal, sample.spec))
    states: dict[str, dict[str, Any]] = {name: {} for name in tests}
    shared: dict[str, dict[str, Any]] = {name: {} for name in shares}
    every: dict[str, Any] = {}
    for scored, abnormal in work.blocks(progress):
        for name, test in tests.items():
            add(states[name], test.chunk(scored, abnormal, prior))
        for name in shares:
            add(shared[name], SHARED[name].chunk(scored, abnormal, sample.spec))
        add(every, singles.chunk(scored, abnormal, sample.spec) if singly else {})
    kept = {name: leaf.values for name, leaf in every.items()}
    if not shared["moments"]:
        return Outcome({name: _nothing(sample) for name in tests}, {}, {}, status, n_est)
    known = _finalised(shared, sample)
    n_draws = max((test.draws for test in tests.values()), default=0)
    if n_draws:
        known["draws"] = null(run, panels, placed, model, {}, sample, n_draws, seed)
    sample = replace(sample, shared=known)
    verdicts = {name: test.finalize(states[name], sample) for name, test in tests.items()}
    return Outcome(verdicts, sample.shared, kept, status, n_est)


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


@dataclass(frozen=True)
class _Pass:
    """One way through all blocks; the status of each event is noted on the way."""

    panels: Sequence[Panel]
    placed: Placed
    model: Model
    sample: Sample
    status: np.ndarray
    n_est: np.ndarray

    def blocks(self, progress: Callable[[int], object]) -> Any:
        spec = self.sample.spec
        for block in blocks(self.panels, self.placed, spec, len(self.sample.cluster_group), self.sample.n_groups):
            abnormal = self._fit(block)
            if len(abnormal.block.id):
                yield scores(abnormal, spec), abnormal
            progress(len(block.id))

    def _fit(self, block: Block) -> Abnormal:
        n_valid = block.ok[:, : block.n_est].sum(axis=1)
        self.n_est[block.id] = n_valid
        abnormal = self.model.fit(block)
        status = abnormal.status.copy()
        status[~block.ok[:, block.n_est :].any(axis=1)] = Status.EMPTY_EVENT_WINDOW
        status[n_valid < self.sample.spec.min_estimation] = Status.TOO_FEW_ESTIMATION
        self.status[block.id] = status
        good = status == Status.OK
        return abnormal if good.all() else abnormal.take(good)
