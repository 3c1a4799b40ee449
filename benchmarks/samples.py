"""Samples without any effect, as the tests may meet them: where the events stand, and how returns behave.

A *draw* is a function of a generator and a number of replications; the replications are the groups of one case. Where
the events stand (``apart`` of the simulations, ``dated``, ``two_markets``, ``real``) and the noise (``Market``) are
chosen separately. Periods of events that share no day share no estimation day either: what one changes in its windows
is not in what another is compared with.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from tests import make
from tests.simulation.sizes import Draw

from eventstudy.core.sums import links
from eventstudy.types import Bools, Floats, Ints, Panel, Placed, Sample, Spec

Noise = Callable[[np.random.Generator, tuple[int, int]], Floats]  # of mean 0 and variance 1, by asset and day
Variance = Literal["none", "own", "common", "all"]
# The period of each event, and its session among those of the period on which an event can be. Periods share no day.
Places = Callable[[np.random.Generator], tuple[Ints, Ints]]
CLOSES = Path(os.environ.get("EVENTSTUDY_SHARED", Path(__file__).parents[2] / "shared"))
CLOSES = CLOSES / "data" / "hk_universe_adjclose.csv.gz"
COVERED = 0.97  # share of the dates on which a security has a close
BETWEEN = 30  # sessions between news that two exchanges hear of


def normal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.standard_normal(shape)


def student(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.asarray(rng.standard_t(4, shape) / np.sqrt(2))


def exponential(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.standard_exponential(shape) - 1


def garch(rng: np.random.Generator, shape: tuple[int, int], news: float = 0.1, memory: float = 0.85) -> Floats:
    noise = rng.standard_normal(shape)
    variance = np.ones(shape[0])
    for day in range(shape[1]):
        noise[:, day] *= np.sqrt(variance)
        variance = 1 - news - memory + news * noise[:, day] ** 2 + memory * variance
    return noise


def autoregressive(rng: np.random.Generator, shape: tuple[int, int], phi: float = 0.1) -> Floats:
    noise = rng.standard_normal(shape)
    for day in range(1, shape[1]):
        noise[:, day] = phi * noise[:, day - 1] + np.sqrt(1 - phi**2) * noise[:, day]
    return noise


@dataclass(frozen=True)
class Market:
    """How returns behave.

    ``rho`` is the correlation of two firms on a day, ``industry`` what two firms of one of 5 industries have beyond.
    ``variance`` says what is multiplied by ``times`` in event windows: nothing; ``own``, the variance of each firm, by
    noise that the others do not share; ``common``, that of the common part, as by news that hits all; ``all`` noise,
    so that correlations stay. ``traded`` is the share of the days on which a firm trades: on others its price stands.
    """

    rho: float = 0.0
    noise: Noise = normal
    variance: Variance = "none"
    times: float = 4.0
    industry: float = 0.0
    traded: float = 1.0

    def panel(
        self,
        rng: np.random.Generator,
        period: Ints,
        where: tuple[Ints, Ints],
        common: Floats,
        name: str = "",
    ) -> Panel:
        """Draw the returns of firms.

        ``period`` (A,) is that of each firm; ``common`` (periods, days) the noise that all firms of a period share;
        ``where`` has the row (n, 1) and the columns (n, days) of each event window.
        """
        shape, common = (len(period), common.shape[1]), common.copy()
        if self.variance == "common":
            on = np.zeros(common.shape, dtype=bool)
            on[period[where[0]], where[1]] = True
            common[on] *= np.sqrt(self.times)
        noise = np.sqrt(1 - self.rho - self.industry) * self.noise(rng, shape) + np.sqrt(self.rho) * common[period]
        if self.industry:
            industries = self.noise(rng, (5 * len(common), shape[1]))
            noise += np.sqrt(self.industry) * industries[5 * period + np.arange(len(period)) % 5]
        if self.variance == "all":
            noise[where] *= np.sqrt(self.times)
        if self.variance == "own":
            noise[where] += np.sqrt(self.times - 1) * self.noise(rng, where[1].shape)
        x = 0.01 * rng.standard_normal(common.shape)[period]
        beta, sigma = rng.uniform(0.5, 1.5, (len(period), 1)), rng.uniform(0.01, 0.03, (len(period), 1))
        r = 0.0005 + beta * x + sigma * noise
        if self.traded < 1:
            r = stale(r, rng.random(shape) < self.traded)
        tickers = tuple(map(str, range(len(period))))
        known = np.ones(shape, dtype=bool)
        return Panel(r, known, x[..., None], np.arange(shape[1]), tickers, ("benchmark",), calendar=name)


def stale(r: Floats, traded: Bools) -> Floats:
    """Return what closes show that stand where nothing trades: 0, and on the next trade all that was missed."""
    total = np.cumsum(r, axis=1)
    last = np.maximum.accumulate(np.where(traded, np.arange(r.shape[1]), 0), axis=1)
    return np.diff(np.take_along_axis(total, last, axis=1), axis=1, prepend=0.0)


def within(draw: Draw, market: Market) -> Draw:
    """Draw the returns of firms anew that share nothing, each with a benchmark of its own.

    Events that are said to be apart have columns in common: what the model misses of one benchmark, as a beta of stale
    closes does, would be in all of them.
    """

    def draw_within(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        [panel] = case.panels
        where = case.placed.asset[:, None], case.placed.day[:, None] + case.sample.spec.days
        alone = np.arange(len(panel.assets))
        return case._replace(panels=[market.panel(rng, alone, where, np.zeros((len(alone), panel.r.shape[1])))])

    return draw_within


def signed(draw: Draw) -> Draw:
    """Expect a rise or a fall of each event, drawn at random."""

    def draw_signed(rng: np.random.Generator, replications: int) -> make.Case:
        case = draw(rng, replications)
        sign = rng.choice([-1.0, 1.0], len(case.placed.day))
        return case._replace(placed=case.placed._replace(sign=sign))

    return draw_signed


def dated(spec: Spec, places: Places, market: Market, own: tuple[int, int] | None = None) -> Draw:
    """Place events in periods, each of which has noise in common; with event windows of their own if ``own``."""

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        period, offset = (np.stack(parts) for parts in zip(*(places(rng) for _ in range(replications)), strict=True))
        n, n_days, n_periods = period.shape[1], spec.n_est + spec.n_evt + int(offset.max()), int(period.max()) + 1
        asset, day = np.arange(period.size), offset.ravel() - spec.estimation[0]
        group = asset // n
        where = asset[:, None], day[:, None] + spec.days
        common = market.noise(rng, (replications * n_periods, n_days))
        panel = market.panel(rng, group * n_periods + period.ravel(), where, common)
        case = placed([panel], spec, 0 * asset, asset, day, group, period.ravel() * n_days)
        windows = None if own is None else np.tile([*spec.estimation, *own], (len(asset), 1))
        return case._replace(placed=case.placed._replace(own_windows=windows))

    return draw


def placed(
    panels: list[Panel],
    spec: Spec,
    panel: Ints,
    asset: Ints,
    day: Ints,
    group: Ints,
    first: Ints,
    link: Ints | None = None,
) -> make.Case:
    """Return the case of events on these columns; ``first`` is the date of column 0 of each event's panel."""
    _, row, cluster = np.unique(np.stack([group, panel, first + day]), axis=1, return_index=True, return_inverse=True)
    events = Placed(panel, asset, day, cluster.ravel(), group, np.ones(len(day)), link=link)
    dates = (first + day)[row][:, None] + spec.offsets
    return make.Case(panels, events, Sample(spec, int(group.max()) + 1, group[row], dates, links(events)))


def uniform(n: int, sessions: int) -> Places:
    """Draw n dates from some sessions in a row."""
    return lambda rng: (np.zeros(n, dtype=np.int64), rng.integers(0, sessions, n))


def dates(sizes: Sequence[int]) -> Places:
    """Give dates that are far apart, with these numbers of events."""
    period = np.repeat(np.arange(len(sizes)), sizes)
    return lambda _: (period, 0 * period)


def every(n: int, sessions: int) -> Places:
    """Give n dates, each some sessions after the one before."""
    return lambda _: (np.zeros(n, dtype=np.int64), sessions * np.arange(n))


def bunches(n: int, bunches: int) -> Places:
    """Draw n dates from bunches of 3 sessions in a row that are far apart."""
    return lambda rng: (rng.integers(0, bunches, n), rng.integers(0, 3, n))


def two_markets(spec: Spec, news: int, firms: int, market: Market, linked: bool) -> Draw:
    """Let each news move firms of one market, and firms of another one session later; the common part of both is one.

    ``linked`` says whether the study knows which events are the same news.
    """

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        n, n_days = news * firms, spec.n_est + spec.n_evt + BETWEEN * (news - 1) + 1
        number = np.tile(np.repeat(np.arange(news), firms), replications)
        asset, first = np.arange(replications * n), BETWEEN * number - spec.estimation[0]
        common = market.noise(rng, (replications, n_days + 1))
        panels = []
        for later, name in enumerate(("A", "B")):
            where = asset[:, None], first[:, None] + later + spec.days
            shared = common[:, 1 - later : 1 - later + n_days]
            panels.append(market.panel(rng, asset // n, where, shared, name))
        panel = np.repeat(np.arange(2), len(asset))
        link = np.tile(number + news * (asset // n), 2) if linked else None
        twice, day = np.tile(asset, 2), np.concatenate([first, first + 1])
        return placed(panels, spec, panel, twice, day, twice // n, 0 * twice, link)

    return draw


@cache
def hong_kong() -> Panel:
    """Return the returns of the securities of Hong Kong with closes on nearly all dates, against their mean."""
    closes = pd.read_csv(CLOSES, index_col=0, parse_dates=True)
    r = closes.loc[:, closes.notna().mean() > COVERED].pct_change(fill_method=None).iloc[1:]
    market = r.mean(axis=1).to_numpy()[:, None]
    values = r.to_numpy().T
    known = np.isfinite(values)
    return Panel(np.where(known, values, 0.0), known, market, np.arange(len(r)), tuple(r.columns), ("benchmark",))


@cache
def alike() -> Ints:
    """Return for each security of Hong Kong (A, A) all securities, those first that move most with it."""
    panel = hong_kong()
    market = panel.x[:, 0] - panel.x.mean()
    beta = panel.r @ market / (market @ market)
    return np.argsort(-np.corrcoef(panel.r - beta[:, None] * market), axis=1)


def real(spec: Spec, n: int, dates: int, together: bool = False) -> Draw:
    """Draw n securities of Hong Kong, and their dates from ``dates`` random ones; one date is not drawn twice.

    If ``together``, they are a random security and those that move most with it, as firms of one industry do.
    """

    def draw(rng: np.random.Generator, replications: int) -> make.Case:
        panel = hong_kong()
        possible = np.arange(-spec.estimation[0], len(panel.sessions) - spec.event[1])
        if dates == 1:
            day = np.repeat(rng.choice(possible, replications, replace=False), n)
        else:
            on = (rng.choice(possible, min(dates, len(possible)), replace=False) for _ in range(replications))
            day = np.concatenate([rng.choice(those, n) for those in on])
        if together:
            asset = alike()[rng.integers(0, len(panel.assets), replications), :n].ravel()
        else:
            asset = np.concatenate([rng.choice(len(panel.assets), n, replace=False) for _ in range(replications)])
        group = np.repeat(np.arange(replications), n)
        return placed([panel], spec, 0 * group, asset, day, group, 0 * group)

    return draw
