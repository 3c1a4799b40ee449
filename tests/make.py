"""Random panels, events, blocks and prices for the tests: seeded, and without any of the library's arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from eventstudy import Events, Prices
from eventstudy.types import PEERS, Abnormal, Block, Column, Model, Panel, Placed, Sample, Scores, Spec, Test, Verdict

BENCHMARK = (Column("benchmark"),)
WINDOWS = ((0, 0), (-1, 1), (-5, 5))
N_PEERS = 8
BUNCH = 25  # sessions between bunches of events whose windows overlap
Kind = Literal["independent", "same_day", "overlap"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEPT = 256  # fits, and the events of the largest that is kept: blocks of drawn dates are larger, and asked for once


class Case(NamedTuple):
    """All that a run takes beside a model and tests."""

    panels: list[Panel]
    placed: Placed
    sample: Sample


def spec(
    n_est: int = 60,
    windows: Sequence[tuple[int, int]] = WINDOWS,
    min_estimation: int = 30,
    min_coverage: float = 1.0,
    event: tuple[int, int] = (-5, 5),
) -> Spec:
    end = event[0] - 1
    return Spec((end - n_est + 1, end), event, np.array(windows, dtype=np.int64), min_estimation, min_coverage)


def regressors(rng: np.random.Generator, columns: Sequence[Column], days: int) -> np.ndarray:
    """Give one series a name, each column led by its shift, (T, K)."""
    columns = [c for c in columns if c != PEERS]
    room = max((abs(c.shift) for c in columns), default=0)
    series = {name: _series(rng, name, days + 2 * room) for name in dict.fromkeys(c.name for c in columns)}
    led = [series[c.name][room + c.shift : room + c.shift + days] for c in columns]
    return np.stack(led, axis=1) if led else np.empty((days, 0))


def _series(rng: np.random.Generator, name: str, days: int) -> np.ndarray:
    if name == "sessions":
        return rng.choice([1.0, 1.0, 1.0, 2.0, 4.0], days)
    if name == "clock":
        return 3600.0 * (9 + np.arange(days) % 6)
    return 0.01 * rng.standard_normal(days)


def returns_of_peers(rng: np.random.Generator, columns: Sequence[Column], common: np.ndarray) -> np.ndarray | None:
    """Give peers that load on a common series (..., L), (..., L, D); None where the columns do not ask for them."""
    if PEERS not in columns:
        return None
    loaded = common[..., None] * rng.uniform(0.5, 1.5, N_PEERS)
    return np.asarray(loaded + 0.01 * rng.standard_normal(loaded.shape))


def panel(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    assets: int = 12,
    days: int = 300,
    missing: float = 0.0,
    sessions: np.ndarray | None = None,
) -> Panel:
    """Draw returns that are linear in the regressors, with fat tails; some cells missing, and one whole day."""
    x = regressors(rng, columns, days)
    returns = x[:, [c.name not in ("sessions", "clock") for c in columns if c != PEERS]]
    common = 0.01 * rng.standard_normal(days) if PEERS in columns else np.zeros(days)
    beta = rng.uniform(0.5, 1.5, (assets, returns.shape[1]))
    r = 0.0005 + beta @ returns.T + common + 0.02 * rng.standard_t(5, (assets, days))
    ok = rng.random((assets, days)) >= missing
    if missing:
        ok[:, days // 5] = False
        x[days // 5] = 0.0
    named = tuple(f"{c.name}{c.shift:+d}" for c in columns if c != PEERS)
    own = np.arange(18000, 18000 + days) if sessions is None else sessions
    tickers = tuple(f"S{i}" for i in range(assets))
    peers = returns_of_peers(rng, columns, common)
    return Panel(np.where(ok, r, 0.0), ok, x, own, tickers, named, peers=peers)


def place(
    panels: Sequence[Panel], spec: Spec, where: Sequence[tuple[int, int, int]], group: Sequence[int] | None = None
) -> Case:
    """Make a case of events at (panel, asset, day); events of one group, panel and session are one cluster."""
    at, asset, day = (np.array(column, dtype=np.int64) for column in zip(*where, strict=True))
    groups = np.zeros(len(day), dtype=np.int64) if group is None else np.array(group, dtype=np.int64)
    keys = list(zip(groups.tolist(), at.tolist(), day.tolist(), strict=True))
    found = {key: c for c, key in enumerate(dict.fromkeys(keys))}
    cluster = np.array([found[key] for key in keys], dtype=np.int64)
    days = np.array([panels[p].sessions[d + spec.offsets] for _, p, d in found], dtype=np.int64)
    dates = np.searchsorted(np.unique(np.concatenate([p.sessions for p in panels])), days)
    sample = Sample(spec, int(groups.max()) + 1, np.array([g for g, _, _ in found], dtype=np.int64), dates)
    return Case(list(panels), Placed(at, asset, day, cluster, groups, np.ones(len(day))), sample)


def case(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    n: int = 40,
    kind: Kind = "overlap",
    its: Spec | None = None,
    missing: float = 0.03,
    groups: int = 1,
) -> Case:
    """Draw events of a kind; those that overlap in part are in eight bunches, on two panels with different sessions."""
    its = its or spec()
    before, after = -its.estimation[0], its.event[1]
    if kind == "same_day":
        panels = [panel(rng, columns, n, before + after + 120, missing)]
        where = [(0, asset, before + 10) for asset in range(n)]
    elif kind == "independent":
        length = its.n_evt + 1
        panels = [panel(rng, columns, n, before + after + n * length, missing)]
        where = [(0, asset, before + asset * length) for asset in range(n)]
    else:
        dates = np.arange(18000, 18000 + before + after + 10 * BUNCH)  # of which either calendar lacks 30
        calendars = [np.sort(rng.choice(dates, len(dates) - 30, replace=False)) for _ in range(2)]
        panels = [panel(rng, columns, n, len(sessions), missing, sessions) for sessions in calendars]
        wanted = dates[before + 30] + BUNCH * (np.arange(n) % 8) + rng.integers(0, 4, n)
        where = [(i % 2, i, int(np.searchsorted(calendars[i % 2], wanted[i]))) for i in range(n)]
    return place(panels, its, where, rng.integers(0, groups, n).tolist() if groups > 1 else None)


def block(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    n: int = 40,
    n_est: int = 60,
    n_evt: int = 11,
    missing: float = 0.05,
) -> Block:
    """Draw a block; every event has regressors of its own."""
    length = n_est + n_evt
    x = np.stack([regressors(rng, columns, length) for _ in range(n)])
    returns = x[..., [c.name not in ("sessions", "clock") for c in columns if c != PEERS]]
    common = 0.01 * rng.standard_normal((n, length)) if PEERS in columns else np.zeros((n, length))
    r = 0.001 + returns.sum(axis=2) + common + 0.02 * rng.standard_normal((n, length))
    ok = rng.random((n, length)) >= missing
    r[~ok], x[~ok] = 0.0, 0.0
    peers = returns_of_peers(rng, columns, common)
    flat = np.zeros(n, dtype=np.int64)
    return Block(r, ok, x, n_est, np.arange(n), np.arange(n), flat, np.ones(n), n, 1, 5, peers)


@dataclass(frozen=True)
class Fit:
    """One event's market model by numpy's least squares: residuals then abnormal returns (L,), NaN where missing."""

    e: np.ndarray
    design: np.ndarray
    inverse: np.ndarray
    sigma: float
    dof: int
    n_est: int
    dates: np.ndarray
    cluster: int

    @property
    def leverage(self) -> np.ndarray:
        """x' (X'X)^-1 x by day, (L,)."""
        return np.asarray((self.design @ self.inverse * self.design).sum(axis=1))

    def car(self, days: np.ndarray) -> tuple[float, float, int]:
        """Give the CAR over columns, its forecast variance, and the number of valid days."""
        valid = days[np.isfinite(self.e[days])]
        own = self.design[valid].sum(axis=0)
        return self.e[valid].sum(), self.sigma**2 * (len(valid) + own @ self.inverse @ own), len(valid)


def fits(case: Case) -> list[Fit]:
    """Fit the market model event by event, with a slice and a call of ``lstsq`` each."""
    its, made = case.sample.spec, []
    for at, asset, day, cluster, _ in zip(*case.placed[:5], strict=True):
        panel, columns = case.panels[at], day + its.offsets
        r = np.where(panel.ok[asset, columns], panel.r[asset, columns], np.nan)
        design = np.column_stack([np.ones(len(columns)), panel.x[columns]])
        rows = np.flatnonzero(np.isfinite(r[: its.n_est]))
        b = np.linalg.lstsq(design[rows], r[rows], rcond=None)[0]
        e, dof = r - design @ b, len(rows) - design.shape[1]
        inverse = np.linalg.inv(design[rows].T @ design[rows])
        sigma = float(np.sqrt((e[rows] ** 2).sum() / dof))
        made.append(Fit(e, design, inverse, sigma, dof, its.n_est, panel.sessions[columns], int(cluster)))
    return made


def columns_of(its: Spec, window: int) -> np.ndarray:
    """Give the columns of a window among all L."""
    start, end = its.windows[window]
    return np.arange(its.n_est + start - its.event[0], its.n_est + end - its.event[0] + 1)


def p_of_t(t: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Give the two-sided p of Student's t by scipy.stats."""
    from scipy import stats

    return np.asarray(2 * stats.t.sf(np.abs(t), df))


def with_cars(cars: np.ndarray, n_est: int = 60, rng: np.random.Generator | None = None) -> tuple[Scores, Abnormal]:
    """Make what a test's chunk takes from given CARs (N, V) of unit variance; one cluster, one group."""
    n, v = cars.shape
    rng = rng or np.random.default_rng(0)
    ar = np.concatenate([rng.standard_normal((n, n_est)), cars[:, :1]], axis=1)
    ok, flat = np.ones(ar.shape, dtype=bool), np.zeros(n, dtype=np.int64)
    block = Block(ar, ok, np.empty((*ar.shape, 0)), n_est, np.arange(n), flat, flat, np.ones(n), 1, 1)
    sigma, dof, h = np.ones(n), np.full(n, float(n_est)), np.zeros((n, n_est + 1, 0))
    abnormal = Abnormal(block, ar, ok, sigma, dof, h, np.empty((n, 0)), np.full(n, np.nan), flat)
    ones = np.ones((n, v), dtype=bool)
    return Scores(cars, ones.astype(float), cars, ones.astype(np.int64), ones, np.ones((v, 1))), abnormal


def read_only(thing: Any) -> Any:
    """Forbid writing to every array in a thing, and give it back."""
    if isinstance(thing, np.ndarray):
        thing.setflags(write=False)
    elif isinstance(thing, Mapping):
        for value in thing.values():
            read_only(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            read_only(value)
    elif is_dataclass(thing):
        for its in fields(thing):
            read_only(getattr(thing, its.name))
    return thing


def same(found: Verdict, wanted: Verdict, rtol: float = 1e-12) -> None:
    """Hold two verdicts to each other: NaN where NaN, and values to ``rtol``; notes too."""
    for name in ("statistic", "df", "p", "n"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol, rtol, err_msg=name)
    assert [note == "" for note in found.note.ravel()] == [note == "" for note in wanted.note.ravel()]


class Same:
    """A block as a key: equal to every other block that holds the same."""

    def __init__(self, block: Block) -> None:
        self.block = block
        values = [getattr(block, f.name) for f in fields(block)]
        self.key = tuple(v.tobytes() if isinstance(v, np.ndarray) else v for v in values)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.key == other.key


@lru_cache(maxsize=KEPT)
def _fit(model: Model, same: Same) -> Abnormal:
    fitted: Abnormal = read_only(model.fit(same.block))
    return fitted


@dataclass(frozen=True)
class Once:
    """A model that fits equal blocks once, however many tests ask for it; nobody can write to what it gives."""

    model: Model

    @property
    def columns(self) -> tuple[Column, ...]:
        """The model's own."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The model's own."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Fit, or give the fit of the same block again."""
        return _fit(self.model, Same(block)) if len(block.r) <= KEPT else self.model.fit(block)


def everywhere(test: Test) -> bool:
    """Say whether a test has a value for events of every kind."""
    return set(test.value_under) == set(KINDS)


class Material(NamedTuple):
    """What ``Study.run`` takes."""

    events: Events
    prices: Prices
    factors: pd.DataFrame | None


def material(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    n: int = 20,
    kind: Kind = "overlap",
    days: int = 400,
) -> Material:
    """Draw prices of n tickers S0, S1, ... and a benchmark M, an event each, and factors for the named columns.

    Where the columns ask for peers there are also P0, P1, ..., without events.
    """
    dates = pd.bdate_range("2019-01-01", periods=days)
    names = list(dict.fromkeys(c.name for c in columns if c.name not in ("benchmark", "sessions", "clock", "peers")))
    factors = pd.DataFrame(0.01 * rng.standard_normal((days, len(names))), index=dates, columns=names)
    market = 0.01 * rng.standard_normal(days)
    own = rng.uniform(0.5, 1.5, n) * market[:, None] + factors.sum(axis=1).to_numpy()[:, None]
    own += 0.02 * rng.standard_normal((days, n))
    tickers = [f"S{i}" for i in range(n)]
    peers = returns_of_peers(rng, columns, market)
    untreated = np.empty((days, 0)) if peers is None else peers
    levels = 100.0 * np.cumprod(1.0 + np.column_stack([own, market, untreated]), axis=0)
    names_of_all = [*tickers, "M", *(f"P{i}" for i in range(untreated.shape[1]))]
    day = {
        "same_day": np.full(n, days - 50),
        "overlap": rng.integers(days - 70, days - 40, n),
        "independent": days - 15 - 12 * np.arange(n),
    }[kind]
    events = pd.DataFrame({"event_id": [f"E{i}" for i in range(n)], "ticker": tickers})
    events["announced"] = [str(dates[d].date()) for d in day]
    prices = Prices.from_frame(pd.DataFrame(levels, index=dates, columns=names_of_all))
    return Material(Events.from_frame(events), prices, factors if names else None)
