"""The same study on dates drawn anew: what its statistics do when nothing happened.

Dates come from the securities' own histories. Events that share days of their windows move together, so that each
drawn sample has the clustering of the real one. Many samples are one run, with the draw as the group axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from eventstudy.core.clustering import components
from eventstudy.core.scores import needed
from eventstudy.types import Abnormal, Block, Bools, Column, Floats, Ints, Model, Panel, Placed, Sample, Spec

FEWEST = 50  # positions that a group of overlapping dates needs to be drawn as one
CELLS = 8_000_000  # of residuals by cluster and day that one run may hold


class Drawn(NamedTuple):
    """Some samples as one: events as integers, with the draw as their group, and how many samples they are."""

    placed: Placed
    sample: Sample
    n_draws: int


@dataclass(frozen=True)
class Shocked:
    """A model whose events all return ``shock`` more on relative day 0."""

    model: Model
    shock: float
    zero: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """The model's own."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The model's own."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Add the shock, and fit."""
        r = block.r.copy()
        r[:, block.n_est + self.zero] += self.shock
        return self.model.fit(replace(block, r=r))


def drawn(panels: Sequence[Panel], placed: Placed, sample: Sample, n_draws: int, seed: int) -> Iterator[Drawn]:
    """Draw the dates of a study anew, in batches that fit in memory.

    A group of overlapping dates is moved by one number of sessions of the common calendar, drawn evenly from those
    at which every one of its securities has its estimation days and its whole event window. A group with fewer than
    50 such places is drawn date by date. An event for which there is no place stays where it is.

    Parameters
    ----------
    panels : sequence of Panel
        With the whole histories of the securities.
    placed, sample
        The study itself; its groups stay apart in every draw.
    n_draws : int
    seed : int
        The draws of a group of dates depend on it and on the group's place in the calendar alone.

    Yields
    ------
    Drawn
        ``placed.group`` is ``draw * n_groups + group``.
    """
    day = _days(panels, placed, sample, n_draws, seed)
    spec, n_groups = sample.spec, sample.n_groups
    step = max(1, CELLS // max(1, len(sample.cluster_group) * (spec.n_est + spec.n_evt)))
    calendar = np.unique(np.concatenate([p.sessions for p in panels])) if panels else np.empty(0, dtype=np.int64)
    numbers = [np.searchsorted(calendar, p.sessions) for p in panels]
    kinds = np.unique([p.calendar for p in panels], return_inverse=True)[1]
    for first in range(0, n_draws, step):
        some = day[first : first + step]
        n = len(some)
        group = (np.arange(n)[:, None] * n_groups + placed.group).ravel()
        panel, asset, flat = np.tile(placed.panel, n), np.tile(placed.asset, n), some.ravel()
        date = _looked_up(numbers, panel, flat)
        labels = (group * (len(calendar) + 1) + date) * (kinds.max(initial=0) + 1) + kinds[panel]
        _, at, cluster = np.unique(labels, return_index=True, return_inverse=True)
        columns = flat[at][:, None] + spec.offsets
        dates = np.empty(columns.shape, dtype=np.int64)
        for k, its in enumerate(numbers):
            mine = panel[at] == k
            dates[mine] = its[columns[mine]]
        weight = np.tile(placed.weight, n)
        yield Drawn(
            Placed(panel, asset, flat, cluster.astype(np.int64), group, weight),
            Sample(spec, n * n_groups, group[at], dates),
            n,
        )


def _looked_up(numbers: Sequence[Ints], panel: Ints, day: Ints) -> Ints:
    date = np.empty(len(day), dtype=np.int64)
    for k, its in enumerate(numbers):
        mine = panel == k
        date[mine] = its[day[mine]]
    return date


def _days(panels: Sequence[Panel], placed: Placed, sample: Sample, n_draws: int, seed: int) -> Ints:
    """Draw the column of day 0 of every event, (draws, N)."""
    spec = sample.spec
    calendar = np.unique(np.concatenate([p.sessions for p in panels]))
    numbers = [np.searchsorted(calendar, p.sessions) for p in panels]
    fits = [_usable(panel, spec) for panel in panels]
    date = _looked_up(numbers, placed.panel, placed.day)
    edges = sample.cluster_dates[placed.cluster][:, [spec.n_est, -1]]
    out = np.tile(placed.day, (n_draws, 1))

    def draw(events: Ints, least: int) -> bool:
        shifts = np.arange(len(calendar)) - date[events].min()
        places = np.empty((len(events), len(shifts)), dtype=np.int64)
        open_ = np.ones(len(shifts), dtype=bool)
        for row, e in enumerate(events):
            its = numbers[placed.panel[e]]
            at = np.searchsorted(its, date[e] + shifts)
            inside = at < len(its)
            places[row] = np.where(inside, at, 0)
            open_ &= inside & fits[placed.panel[e]][placed.asset[e], places[row]]
        found = np.flatnonzero(open_)
        if len(found) < least:
            return False
        key = [seed, int(date[events].min()), int(date[events].max())]
        chosen = found[
            np.random.Generator(np.random.PCG64(np.random.SeedSequence(key))).integers(0, len(found), n_draws)
        ]
        out[:, events] = places[:, chosen].T
        return True

    for group in _apart(components(edges[:, 0], edges[:, 1])):
        if not draw(group, FEWEST):
            for one in _apart(date[group]):
                draw(group[one], 1)
    return out


def _apart(labels: Ints) -> Iterator[Ints]:
    """Give the positions of each label."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)


def _usable(panel: Panel, spec: Spec) -> Bools:
    """Say at which days each asset has enough estimation days and its whole event window, (A, T)."""
    running = np.concatenate([np.zeros((len(panel.assets), 1), dtype=np.int64), np.cumsum(panel.ok, axis=1)], axis=1)
    n_days = panel.ok.shape[1]
    day = np.arange(n_days)
    inside = (day + spec.estimation[0] >= 0) & (day + spec.event[1] < n_days)
    at = np.where(inside, day, -spec.estimation[0] if inside.any() else 0)
    if not inside.any():
        return np.zeros(panel.ok.shape, dtype=bool)

    def count(first: int, last: int) -> Ints:
        return np.asarray(running[:, at + last + 1] - running[:, at + first])

    enough = count(*spec.estimation) >= spec.min_estimation
    whole = count(*spec.event) >= needed(np.array([float(spec.n_evt)]), spec.min_coverage)[0]
    return np.asarray(inside & enough & whole)


Run = Callable[..., Any]


def null(
    run: Run, panels: Sequence[Panel], placed: Placed, model: Model, tests: Mapping[str, Any], sample: Sample,
    n_draws: int, seed: int,
) -> dict[str, Floats]:  # fmt: skip
    """Run the study on drawn dates, and give what its statistics do there.

    Returns
    -------
    dict
        ``z`` (draws, G, V) mean standardised CAR, ``cumulative`` (draws, G, n_evt) CAAR over its standard error; and by
        test ``p:name`` and ``t:name`` (draws, G, V).
    """
    parts: dict[str, list[Floats]] = {}
    for one in drawn(panels, placed, sample, n_draws, seed):
        outcome = run(panels, one.placed, model, tests, one.sample, singly=False)
        if not outcome.shared:
            continue
        shape = (one.n_draws, sample.n_groups, -1)
        moments, daily = outcome.shared["moments"], outcome.shared["daily"]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {"z": moments["z"] / moments["n"], "cumulative": daily["caar"] / daily["se"]}
        for name, verdict in outcome.verdicts.items():
            found |= {f"p:{name}": verdict.p, f"t:{name}": verdict.statistic}
        for name, values in found.items():
            parts.setdefault(name, []).append(values.reshape(shape))
    return {name: np.concatenate(values) for name, values in parts.items()}
