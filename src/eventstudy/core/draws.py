"""The null distribution of a study's statistics: the same study on dates drawn from the histories of its securities.

Events whose windows overlap are moved together, so that each drawn sample has the clustering of the real one. A run
has many samples, with the draw as the group axis.
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

FEWEST = 20  # positions that a group of overlapping dates needs to be moved together
CELLS = 8_000_000  # residuals by cluster and day in one run at most


class DrawnSamples(NamedTuple):
    """Several drawn samples in one: events as integers, with the draw as the group, and the number of samples."""

    placed: Placed
    sample: Sample
    n_draws: int


@dataclass(frozen=True)
class ShockedModel:
    """A model that adds ``shock`` to every event's return on relative day 0, column ``zero`` of the event window.

    The shock is multiplied by the expected sign of the event, if the study has signs.
    """

    model: Model
    shock: float
    zero: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of the model."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Those of the model."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Add the shock, and fit the model."""
        r = block.r.copy()
        r[:, block.n_est + self.zero] += self.shock if block.sign is None else self.shock * block.sign
        return self.model.fit(replace(block, r=r))


def draw_samples(
    panels: Sequence[Panel], placed: Placed, sample: Sample, n_draws: int, seed: int
) -> Iterator[DrawnSamples]:
    """Redraw the dates of a study, in batches that fit in memory.

    A group of overlapping dates is shifted by one number of sessions of the common calendar. Shifts are drawn with
    equal probability from those at which all securities of the group are usable; shifts at which a window meets a real
    event of the security are excluded if 20 others remain. A group with fewer than 20 shifts is split into its dates,
    which are then shifted separately. An event that is not usable on its own date keeps it.

    Parameters
    ----------
    panels : sequence of Panel
        With the full histories of the securities.
    placed, sample
        The events and the sample of the study; its groups are kept in every draw.
    n_draws : int
    seed : int
        The draws of a group of dates depend on the seed and on the first and last date of the group only.

    Yields
    ------
    DrawnSamples
        ``placed.group`` is ``draw * n_groups + group``.
    """
    if not panels:
        return
    day = draw_days(panels, placed, sample, n_draws, seed)
    spec, n_groups = sample.spec, sample.n_groups
    step = max(1, CELLS // max(1, len(sample.cluster_group) * (spec.n_est + spec.n_evt)))
    calendar = np.unique(np.concatenate([p.sessions for p in panels]))
    numbers = [np.searchsorted(calendar, p.sessions) for p in panels]
    exchange = np.unique([p.calendar for p in panels], return_inverse=True)[1]
    for first in range(0, n_draws, step):
        batch = day[first : first + step]
        n = len(batch)
        group = (np.arange(n)[:, None] * n_groups + placed.group).ravel()
        panel, asset, flat = np.tile(placed.panel, n), np.tile(placed.asset, n), batch.ravel()
        date = _date_numbers(numbers, panel, flat)
        labels = (group * (len(calendar) + 1) + date) * (exchange.max(initial=0) + 1) + exchange[panel]
        _, at, cluster = np.unique(labels, return_index=True, return_inverse=True)
        dates = flat[at][:, None] + spec.offsets
        for k, number in enumerate(numbers):
            in_panel = panel[at] == k if len(numbers) > 1 else slice(None)
            dates[in_panel] = number[dates[in_panel]]
        events = placed._replace(
            panel=panel, asset=asset, day=flat, cluster=cluster.astype(np.int64), group=group,
            weight=np.tile(placed.weight, n), masked_days=None, **_repeat_options(placed, n),
            sign=None if placed.sign is None else np.tile(placed.sign, n),
        )  # fmt: skip
        yield DrawnSamples(events, Sample(spec, n * n_groups, group[at], dates, links(events), seed=sample.seed), n)


def _repeat_options(placed: Placed, n: int) -> dict[str, Ints | None]:
    """Repeat the optional fields n times, without the masked days, which belong to the real dates."""
    n_events = len(placed.day)
    excluded_peers = placed.excluded_peers
    if excluded_peers is not None:
        first = np.repeat(np.arange(n) * n_events, len(excluded_peers))
        excluded_peers = np.tile(excluded_peers, (n, 1)) + np.column_stack([first, np.zeros_like(first)])
    return {
        "own_windows": None if placed.own_windows is None else np.tile(placed.own_windows, (n, 1)),
        "excluded_peers": excluded_peers,
        "link": None if placed.link is None else np.tile(placed.link, n),
    }


def _date_numbers(numbers: Sequence[Ints], panel: Ints, day: Ints) -> Ints:
    """Return the number of each event's date in the common calendar, (N,)."""
    date = np.empty(len(day), dtype=np.int64)
    for k, number in enumerate(numbers):
        in_panel = panel == k
        date[in_panel] = number[day[in_panel]]
    return date


def draw_days(panels: Sequence[Panel], placed: Placed, sample: Sample, n_draws: int, seed: int) -> Ints:
    """Draw the column of day 0 of every event, (draws, N)."""
    spec = sample.spec
    calendar = np.unique(np.concatenate([p.sessions for p in panels]))
    numbers = [np.searchsorted(calendar, p.sessions) for p in panels]
    date = _date_numbers(numbers, placed.panel, placed.day)
    usable = [_usable_days(panel, spec) for panel in panels]
    event_free = [_event_free_days(panel.ok.shape, placed, at, spec.n_evt) for at, panel in enumerate(panels)]
    shifts = _Shifts(placed, date, numbers, usable, event_free, len(calendar))
    edges = sample.cluster_dates[:, [spec.n_est, -1]][placed.cluster]
    out = np.tile(placed.day, (n_draws, 1))
    is_usable = np.array(
        [usable[p][a, d] for p, a, d in zip(placed.panel, placed.asset, placed.day, strict=True)], dtype=bool
    )
    # An event that is not usable on its real date keeps it, and is excluded in every draw.
    for in_group in _positions_by_label(placed.group[is_usable]):
        events = np.flatnonzero(is_usable)[in_group]
        overlapping = components(edges[events, 0], edges[events, 1], _same_news(placed, events))
        for chain in _positions_by_label(overlapping):
            whole = events[chain]
            parts = [(whole, *shifts.valid(whole))]
            if len(parts[0][2]) < FEWEST:
                of_date = (whole[on_date] for on_date in _positions_by_label(date[whole]))
                parts = [(part, *shifts.valid(part)) for part in of_date]
            for part, columns, valid in parts:
                key = [seed, int(date[part].min()), int(date[part].max())]
                rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
                out[:, part] = columns[:, valid[rng.integers(0, len(valid), n_draws)]].T
    return out


def _same_news(placed: Placed, events: Ints) -> Ints | None:
    """Return the pairs of positions in ``events`` that report the same news, (n, 2)."""
    if placed.link is None:
        return None
    order = np.argsort(placed.link[events], kind="stable")
    link = placed.link[events][order]
    same_news = link[1:] == link[:-1]
    return np.column_stack([order[:-1][same_news], order[1:][same_news]])


class _Shifts(NamedTuple):
    """The shifts of events to other dates.

    ``date`` (N,) is the number of each event's date; by panel, ``numbers`` (T,) are the numbers of its sessions,
    ``usable`` and ``event_free`` (A, T) the days at which an asset is usable, and at which its event window meets no
    event of it.
    """

    placed: Placed
    date: Ints
    numbers: Sequence[Ints]
    usable: Sequence[Bools]
    event_free: Sequence[Bools]
    n_dates: int

    def valid(self, events: Ints) -> tuple[Ints, Ints]:
        """Return the columns of events that are shifted together (N, shifts), and the shifts valid for all of them.

        Of events that are usable on their own dates, no shift is always valid.
        """
        shifts = np.arange(self.n_dates) - self.date[events].min()
        columns = np.empty((len(events), len(shifts)), dtype=np.int64)
        usable, event_free = np.ones(len(shifts), dtype=bool), np.ones(len(shifts), dtype=bool)
        for row, e in enumerate(events):
            panel, asset = self.placed.panel[e], self.placed.asset[e]
            at = np.searchsorted(self.numbers[panel], self.date[e] + shifts)
            inside = at < len(self.numbers[panel])
            columns[row] = np.where(inside, at, 0)
            usable &= inside & self.usable[panel][asset, columns[row]]
            event_free &= self.event_free[panel][asset, columns[row]]
        valid = np.flatnonzero(usable & event_free)
        return columns, valid if len(valid) >= FEWEST else np.flatnonzero(usable)


def _positions_by_label(labels: Ints) -> Iterator[Ints]:
    """Yield the positions of each label."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)


def _usable_days(panel: Panel, spec: Spec) -> Bools:
    """Return the days at which an asset has enough estimation days and a valid day in its event window, (A, T)."""
    running = np.concatenate([np.zeros((len(panel.assets), 1), dtype=np.int64), np.cumsum(panel.ok, axis=1)], axis=1)
    n_days = panel.ok.shape[1]
    day = np.arange(n_days)
    inside = (day + spec.estimation[0] >= 0) & (day + spec.event[1] < n_days)
    at = np.where(inside, day, -spec.estimation[0])  # a panel is long enough for an event

    def count(first: int, last: int) -> Ints:
        return np.asarray(running[:, at + last + 1] - running[:, at + first])

    enough = count(*spec.estimation) >= spec.min_estimation
    return np.asarray(inside & enough & (count(*spec.event) > 0))


def _event_free_days(shape: tuple[int, ...], placed: Placed, panel: int, n_evt: int) -> Bools:
    """Return the days at which the event window of an asset would overlap none of its events' windows, (A, T)."""
    in_panel = placed.panel == panel
    near = placed.day[in_panel][:, None] + np.arange(1 - n_evt, n_evt)
    event_free = np.ones(shape, dtype=bool)
    event_free[np.repeat(placed.asset[in_panel], near.shape[1]), np.clip(near, 0, shape[1] - 1).ravel()] = False
    return event_free


Run = Callable[..., Outcome]


def null(
    run: Run, panels: Sequence[AnyPanel], placed: Placed, model: Model, tests: Mapping[str, Test], sample: Sample,
    n_draws: int, seed: int,
) -> dict[str, Floats]:  # fmt: skip
    """Run the study on drawn dates, and return its statistics.

    Returns
    -------
    dict
        ``z`` (draws, G, V) the mean standardised CAR, ``cumulative`` (draws, G, n_evt) the CAAR over its standard
        error; for each test ``p:name`` and ``t:name`` (draws, G, V), its p-value and statistic.
    """
    parts: dict[str, list[Floats]] = {}
    histories = [build(panel) for panel in panels]
    for batch in draw_samples(histories, placed, sample, n_draws, seed):
        outcome = run(histories, batch.placed, model, tests, batch.sample, keep_events=False)
        if not outcome.shared:
            continue
        shape = (batch.n_draws, sample.n_groups, -1)
        moments, daily = outcome.shared["moments"], outcome.shared["daily"]
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics = {"z": moments["z"] / moments["n"], "cumulative": daily["caar"] / daily["se"]}
        for name, verdict in outcome.verdicts.items():
            statistics |= {f"p:{name}": verdict.p, f"t:{name}": verdict.statistic}
        for name, values in statistics.items():
            parts.setdefault(name, []).append(values.reshape(shape))
    return {name: np.concatenate(values) for name, values in parts.items()}


def drawn_cars(
    run: Run, panels: Sequence[AnyPanel], placed: Placed, model: Model, sample: Sample, n_draws: int, seed: int
) -> Floats:
    """Return the CARs, or BHARs, of every event over the first window on drawn dates, (draws, N), signed if events are.

    A CAR is NaN where the event could not be fitted, and in draws in which it keeps its own date.
    """
    parts = [np.empty((0, len(placed.day)))]
    histories = [build(panel) for panel in panels]
    for batch in draw_samples(histories, placed, sample, n_draws, seed):
        singles = run(histories, batch.placed, model, {}, batch.sample, keep_events=True).singles
        car = np.full(batch.n_draws * len(placed.day), np.nan)
        if singles:
            car[singles["id"]] = singles["bhar" if sample.spec.compound else "car"][:, 0]
        unmoved = batch.placed.day.reshape(batch.n_draws, -1) == placed.day
        signed = car.reshape(batch.n_draws, -1) * (1.0 if placed.sign is None else placed.sign)
        parts.append(np.where(unmoved, np.nan, signed))
    return np.concatenate(parts)
