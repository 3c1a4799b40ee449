"""Rejection rates from many replications of a study in one run, with one group per replication."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.types import Outcome, Panel, Placed, Sample, Spec, Test
from tests import make

LEVEL, LOST = 0.05, 0.5
MARKET = _registry.load("models", "market")
Draw = Callable[[np.random.Generator, int], make.Case]  # a generator and a number of replications -> one case


def returns(rng: np.random.Generator, assets: int, days: int, common: np.ndarray | float = 0.0) -> Panel:
    """Draw normal returns of the market model; ``common`` is added to the noise, whose deviation differs by asset."""
    x = 0.01 * rng.standard_normal((days, 1))
    beta, sigma = rng.uniform(0.5, 1.5, (assets, 1)), rng.uniform(0.01, 0.03, (assets, 1))
    noise = rng.standard_normal((assets, days))
    if not isinstance(common, float):
        share, factor = common[0], common[1:]
        noise = np.sqrt(share) * factor + np.sqrt(1.0 - share) * noise
    r = 0.0005 + beta * x[:, 0] + sigma * noise
    names = tuple(str(i) for i in range(assets))
    return Panel(r, np.ones(r.shape, dtype=bool), x, np.arange(days), names, ("benchmark",))


def apart(spec: Spec, n: int, slots: int = 10) -> Draw:
    """Draw n independent events per replication, no two of which share a day; each asset has several events."""

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        events, length = n * replications, spec.n_est + spec.n_evt
        assets = events // slots
        panel = returns(rng, assets, slots * length)
        asset, slot = np.divmod(rng.permutation(events), slots)
        group = np.repeat(np.arange(replications), n)
        placed = Placed(
            np.zeros_like(asset), asset, slot * length - spec.estimation[0], np.arange(events), group, np.ones(events)
        )
        dates = (np.arange(events) % n)[:, None] * length + np.arange(length)
        return make.Case([panel], placed, Sample(spec, replications, group, dates))

    return draw


def together(spec: Spec, n: int, spread: int, rho: float) -> Draw:
    """Draw n events per replication on dates uniform over ``spread`` sessions, with noise correlated rho by date."""

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        days = spec.n_est + spec.n_evt + spread - 1
        panels = [
            returns(rng, n, days, np.concatenate([[rho], rng.standard_normal(days)])) for _ in range(replications)
        ]
        panel, asset = np.repeat(np.arange(replications), n), np.tile(np.arange(n), replications)
        offset = rng.integers(0, spread, n * replications)
        labels, first, cluster = np.unique(panel * spread + offset, return_index=True, return_inverse=True)
        placed = Placed(panel, asset, offset - spec.estimation[0], cluster, panel, np.ones(len(panel)))
        dates = offset[first][:, None] - spec.estimation[0] + spec.offsets
        return make.Case(panels, placed, Sample(spec, replications, labels // spread, dates))

    return draw


def on_dates(spec: Spec, sizes: Sequence[int], rho: float, common: float = 1.0) -> Draw:
    """Draw as many events as ``sizes`` says on dates far apart, with noise correlated rho within a date.

    The shock that the events of a date have in common has ``common`` times its variance in the event windows.
    """
    length = spec.n_est + spec.n_evt
    scale = np.where(spec.offsets >= spec.event[0], np.sqrt(common), 1.0)

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        panels, columns = [], []
        for number, n in enumerate(sizes):
            shocks = np.repeat(scale * rng.standard_normal((replications, length)), n, axis=0)
            panels.append(returns(rng, n * replications, length, np.concatenate([np.full((1, length), rho), shocks])))
            asset, group = np.arange(n * replications), np.repeat(np.arange(replications), n)
            columns.append([np.full_like(asset, number), asset, group])
        panel, asset, group = np.hstack(columns)
        day = np.full(len(panel), -spec.estimation[0])
        placed = Placed(panel, asset, day, group * len(sizes) + panel, group, np.ones(len(panel)))
        cluster_group, date = np.divmod(np.arange(len(sizes) * replications), len(sizes))
        return make.Case(
            panels, placed, Sample(spec, replications, cluster_group, date[:, None] * length + np.arange(length))
        )

    return draw


def with_halts(draw: Draw, share: float) -> Draw:
    """Delete a share of the event-window returns at random."""

    def draw_with_halts(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        days = case.placed.day[:, None] + case.sample.spec.days
        missing = rng.random(days.shape) < share
        panels = []
        for number, panel in enumerate(case.panels):
            on_panel = case.placed.panel == number
            ok = panel.ok.copy()
            assets = np.broadcast_to(case.placed.asset[on_panel, None], days[on_panel].shape)
            ok[assets[missing[on_panel]], days[on_panel][missing[on_panel]]] = False
            panels.append(replace(panel, r=np.where(ok, panel.r, 0.0), ok=ok))
        return case._replace(panels=panels)

    return draw_with_halts


def batches(
    draw: Draw, tests: Sequence[str] | Mapping[str, Test], replications: int, seed: int, batch: int = 200
) -> Iterator[Outcome]:
    """Run the replications, ``batch`` at a time."""
    if not isinstance(tests, Mapping):
        tests = {name: _registry.load("inference", name) for name in tests}
    for child in np.random.SeedSequence(seed).spawn(replications // batch):
        case = draw(np.random.default_rng(child), batch)
        yield run(case.panels, case.placed, MARKET, tests, case.sample)


class Sizes:
    """The p-values of many replications: (R, V) by test, and of every single event, (R N, V)."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        by_name: dict[str, list[np.ndarray]] = {}
        for outcome in outcomes:
            for name, verdict in outcome.verdicts.items():
                by_name.setdefault(name, []).append(verdict.p)
                by_name.setdefault(f"n {name}", []).append(verdict.n)
            single = outcome.singles
            t = single["car"] / single["se"]
            by_name.setdefault("t", []).append(make.p_of_t(t, single["dof"][:, None]))
            by_name.setdefault("p_sq", []).append(single["p_sq"])
        self.p = {name: np.concatenate(parts) for name, parts in by_name.items()}

    def of(self, name: str) -> np.ndarray:
        """Return the share of p-values below the level, (V,); NaN for a window without a p in most replications."""
        p = self.p[name]
        undefined = np.isnan(p).mean(axis=0) > LOST
        return np.where(undefined, np.nan, (p < LEVEL).sum(axis=0) / np.maximum(np.isfinite(p).sum(axis=0), 1))
