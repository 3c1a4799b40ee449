"""The same study on dates drawn anew: what its statistics do when nothing happened.

Dates come from the securities' own histories. Events that share days of their windows move together, so that each
drawn sample has the clustering of the real one. Many samples are one run, with the draw as the group axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from eventstudy.core.clustering import components
from eventstudy.core.parts import build
from eventstudy.core.sums import links
from eventstudy.types import (
    Abnormal,
    AnyPanel,
    Block,
    Bools,
    Column,
    Floats,
    Ints,
    Model,
    Outcome,
    Panel,
    Placed,
    Sample,
    Spec,
    Test,
)

FEWEST = 20  # positions that a group of overlapping dates needs to be drawn as one
CELLS = 8_000_000  # of residuals by cluster and day that one run may hold


class DrawnSamples(NamedTuple):
    """Some samples as one: events as integers, with the draw as their group, and how many samples they are."""

    placed: Placed
    sample: Sample
    n_draws: int


@dataclass(frozen=True)
class ShockedModel:
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


def drawn(panels: Sequence[Panel], placed: Placed, sample: Sample, n_draws: int, seed: int) -> Iterator[DrawnSamples]:
    """Draw the dates of a study anew, in batches that fit in memory.

    A group of overlapping dates is moved by one number of sessions of the common calendar, drawn evenly from those
    at which every one of its securities could be used, and none has a window on an event of its own where that leaves
    20 places. A group with fewer than 20 places in all is drawn date by date. An event without any stays where it is.

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
    DrawnSamples
        ``placed.group`` is ``draw * n_groups + group``.
    """
    if not panels:
        return
    day = _days(panels, placed, sample, n_draws, seed)
    spec, n_groups = sample.spec, sample.n_groups
    step = max(1, CELLS // max(1, len(sample.cluster_group) * (spec.n_est + spec.n_evt)))
    calendar = np.unique(np.concatenate([p.sessions for p in panels]))
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
        moved = placed._replace(
            panel=panel, asset=asset, day=flat, cluster=cluster.astype(np.int64), group=group,
            weight=np.tile(placed.weight, n), hidden=None, **_repeated(placed, n),
        )  # fmt: skip
        yield DrawnSamples(moved, Sample(spec, n * n_groups, group[at], dates, links(moved), seed=sample.seed), n)


def _repeated(placed: Placed, n: int) -> dict[str, Ints | None]:
    """Repeat n times what belongs to single events; what hides days of a real estimation window goes."""
    n_events = len(placed.day)
    barred = placed.barred
    if barred is not None:
        first = np.repeat(np.arange(n) * n_events, len(barred))
        barred = np.tile(barred, (n, 1)) + np.column_stack([first, np.zeros_like(first)])
    return {
        "own": None if placed.own is None else np.tile(placed.own, (n, 1)),
        "barred": barred,
        "link": None if placed.link is None else np.tile(placed.link, n),
    }


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
    date = _looked_up(numbers, placed.panel, placed.day)
    fits = [_usable(panel, spec) for panel in panels]
    free = [_clear(panel.ok.shape, placed, at, spec.n_evt) for at, panel in enumerate(panels)]
    places = _Places(placed, date, numbers, fits, free, len(calendar))
    edges = sample.cluster_dates[:, [spec.n_est, -1]][placed.cluster]
    out = np.tile(placed.day, (n_draws, 1))
    own = np.array([fits[p][a, d] for p, a, d in zip(placed.panel, placed.asset, placed.day, strict=True)], dtype=bool)
    # An event that cannot be used where it is stays there, and is lost there.
    for each in _apart(placed.group[own]):
        events = np.flatnonzero(own)[each]
        for chain in _apart(components(edges[events, 0], edges[events, 1], _linked(placed, events))):
            parts = [events[chain]]
            if not len(places.of(parts[0], FEWEST)[1]):
                parts = [events[chain][one] for one in _apart(date[events[chain]])]
            for part in parts:
                columns, found = places.of(part, 1)
                if len(found):
                    key = [seed, int(date[part].min()), int(date[part].max())]
                    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
                    out[:, part] = columns[:, found[draw.integers(0, len(found), n_draws)]].T
    return out


def _linked(placed: Placed, events: Ints) -> Ints | None:
    """Give the pairs of positions among some events that tell the same news, (n, 2)."""
    if placed.link is None:
        return None
    order = np.argsort(placed.link[events], kind="stable")
    link = placed.link[events][order]
    same = link[1:] == link[:-1]
    return np.column_stack([order[:-1][same], order[1:][same]])


class _Places(NamedTuple):
    """Where events could be moved to: by panel, the numbers of its dates, where its assets fit, and where free."""

    placed: Placed
    date: Ints
    numbers: Sequence[Ints]
    fits: Sequence[Bools]
    free: Sequence[Bools]
    n_dates: int

    def of(self, events: Ints, least: int) -> tuple[Ints, Ints]:
        """Give the columns of some events (N, shifts) when moved together, and the shifts that all of them allow.

        Fewer than ``least`` count as none.
        """
        shifts = np.arange(self.n_dates) - self.date[events].min()
        columns = np.empty((len(events), len(shifts)), dtype=np.int64)
        open_, quiet = np.ones(len(shifts), dtype=bool), np.ones(len(shifts), dtype=bool)
        for row, e in enumerate(events):
            panel, asset = self.placed.panel[e], self.placed.asset[e]
            at = np.searchsorted(self.numbers[panel], self.date[e] + shifts)
            inside = at < len(self.numbers[panel])
            columns[row] = np.where(inside, at, 0)
            open_ &= inside & self.fits[panel][asset, columns[row]]
            quiet &= self.free[panel][asset, columns[row]]
        found = np.flatnonzero(open_ & quiet)
        if len(found) < FEWEST:
            found = np.flatnonzero(open_)
        return columns, found if len(found) >= least else found[:0]


def _apart(labels: Ints) -> Iterator[Ints]:
    """Give the positions of each label."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)


def _usable(panel: Panel, spec: Spec) -> Bools:
    """Say at which days each asset has enough estimation days and a valid day in its event window, (A, T)."""
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
    return np.asarray(inside & enough & (count(*spec.event) > 0))


def _clear(shape: tuple[int, ...], placed: Placed, panel: int, n_evt: int) -> Bools:
    """Say at which days the event window of each asset would meet none of its events, (A, T)."""
    mine = placed.panel == panel
    near = placed.day[mine][:, None] + np.arange(1 - n_evt, n_evt)
    clear = np.ones(shape, dtype=bool)
    clear[np.repeat(placed.asset[mine], near.shape[1]), np.clip(near, 0, shape[1] - 1).ravel()] = False
    return clear


Run = Callable[..., Outcome]


def null(
    run: Run, panels: Sequence[AnyPanel], placed: Placed, model: Model, tests: Mapping[str, Test], sample: Sample,
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
    whole = [build(its) for its in panels]
    for one in drawn(whole, placed, sample, n_draws, seed):
        outcome = run(whole, one.placed, model, tests, one.sample, keep_events=False)
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
