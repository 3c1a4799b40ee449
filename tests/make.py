"""Random panels, events, blocks and prices for the tests: seeded, and without the library's arithmetic."""

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
GAP = 20  # sessions between dates whose windows do not overlap
BUNCH = 25  # sessions between bunches of events whose windows overlap
Kind = Literal["independent", "same_day", "overlap"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CACHED = 256  # fits, and the most events of a cached block: larger blocks, of dates drawn at random, are fitted once


class Case(NamedTuple):
    """The input of a run, without model and tests."""

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
    """Draw one series per name, and return the columns, each led by its shift, (T, K)."""
    columns = [c for c in columns if c != PEERS]
    longest = max((abs(c.shift) for c in columns), default=0)
    series = {name: _series(rng, name, days + 2 * longest) for name in dict.fromkeys(c.name for c in columns)}
    shifted = [series[c.name][longest + c.shift : longest + c.shift + days] for c in columns]
    return np.stack(shifted, axis=1) if shifted else np.empty((days, 0))


def _series(rng: np.random.Generator, name: str, days: int) -> np.ndarray:
    if name == "sessions":
        return rng.choice([1.0, 1.0, 1.0, 2.0, 4.0], days)
    if name == "clock":
        return 3600.0 * (9 + np.arange(days) % 6)
    return 0.01 * rng.standard_normal(days)


def returns_of_peers(rng: np.random.Generator, columns: Sequence[Column], common: np.ndarray) -> np.ndarray | None:
    """Draw returns of peers (..., L, D) that load on a common series (..., L); None if the columns have no peers."""
    if PEERS not in columns:
        return None
    common_part = common[..., None] * rng.uniform(0.5, 1.5, N_PEERS)
    return np.asarray(common_part + 0.01 * rng.standard_normal(common_part.shape))


def panel(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    assets: int = 12,
    days: int = 300,
    missing: float = 0.0,
    sessions: np.ndarray | None = None,
) -> Panel:
    """Draw returns that are linear in the regressors, with fat tails; some cells and one entire day are missing."""
    x = regressors(rng, columns, days)
    returns = x[:, [c.name not in ("sessions", "clock") for c in columns if c != PEERS]]
    common = 0.01 * rng.standard_normal(days) if PEERS in columns else np.zeros(days)
    beta = rng.uniform(0.5, 1.5, (assets, returns.shape[1]))
    r = 0.0005 + beta @ returns.T + common + 0.02 * rng.standard_t(5, (assets, days))
    ok = rng.random((assets, days)) >= missing
    if missing:
        ok[:, days // 5] = False
        x[days // 5] = 0.0
    factors = tuple(f"{c.name}{c.shift:+d}" for c in columns if c != PEERS)
    dates = np.arange(18000, 18000 + days) if sessions is None else sessions
    tickers = tuple(f"S{i}" for i in range(assets))
    peers = returns_of_peers(rng, columns, common)
    return Panel(np.where(ok, r, 0.0), ok, x, dates, tickers, factors, peers=peers)


def place(
    panels: Sequence[Panel], spec: Spec, where: Sequence[tuple[int, int, int]], group: Sequence[int] | None = None
) -> Case:
    """Make a case of events at (panel, asset, day); events of one group, panel and session are one cluster."""
    at, asset, day = (np.array(column, dtype=np.int64) for column in zip(*where, strict=True))
    groups = np.zeros(len(day), dtype=np.int64) if group is None else np.array(group, dtype=np.int64)
    keys = list(zip(groups.tolist(), at.tolist(), day.tolist(), strict=True))
    numbers = {key: c for c, key in enumerate(dict.fromkeys(keys))}
    cluster = np.array([numbers[key] for key in keys], dtype=np.int64)
    days = np.array([panels[p].sessions[d + spec.offsets] for _, p, d in numbers], dtype=np.int64)
    dates = np.searchsorted(np.unique(np.concatenate([p.sessions for p in panels])), days)
    sample = Sample(spec, int(groups.max()) + 1, np.array([g for g, _, _ in numbers], dtype=np.int64), dates)
    return Case(list(panels), Placed(at, asset, day, cluster, groups, np.ones(len(day))), sample)


def case(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    n: int = 40,
    kind: Kind = "overlap",
    study_spec: Spec | None = None,
    missing: float = 0.03,
    groups: int = 1,
) -> Case:
    """Draw events with a kind of dependence; for "overlap" eight bunches, on two panels with different sessions."""
    study_spec = study_spec or spec()
    before, after = -study_spec.estimation[0], study_spec.event[1]
    if kind == "same_day":
        panels = [panel(rng, columns, n, before + after + 120, missing)]
        where = [(0, asset, before + 10) for asset in range(n)]
    elif kind == "independent":
        length = study_spec.n_evt + 1
        panels = [panel(rng, columns, n, before + after + n * length, missing)]
        where = [(0, asset, before + asset * length) for asset in range(n)]
    else:
        dates = np.arange(18000, 18000 + before + after + 10 * BUNCH)  # each calendar lacks 30 of them
        calendars = [np.sort(rng.choice(dates, len(dates) - 30, replace=False)) for _ in range(2)]
        panels = [panel(rng, columns, n, len(sessions), missing, sessions) for sessions in calendars]
        days = dates[before + 30] + BUNCH * (np.arange(n) % 8) + rng.integers(0, 4, n)
        where = [(i % 2, i, int(np.searchsorted(calendars[i % 2], days[i]))) for i in range(n)]
    return place(panels, study_spec, where, rng.integers(0, groups, n).tolist() if groups > 1 else None)


def bunches(sizes: Sequence[int], seed: int = 41, step: int = GAP, missing: float = 0.0) -> Case:
    """Draw as many events on each date as ``sizes`` says, the dates ``step`` sessions apart."""
    rng = np.random.default_rng(seed)
    drawn = panel(rng, assets=sum(sizes), days=80 + step * len(sizes), missing=missing)
    dates = np.repeat(np.arange(len(sizes)), sizes)
    return place([drawn], spec(), [(0, asset, 70 + step * int(date)) for asset, date in enumerate(dates)])


def block(
    rng: np.random.Generator,
    columns: Sequence[Column] = BENCHMARK,
    n: int = 40,
    n_est: int = 60,
    n_evt: int = 11,
    missing: float = 0.05,
) -> Block:
    """Draw a block; regressors differ by event."""
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
    """One event's market model by NumPy's least squares: residuals, then abnormal returns (L,), NaN where missing."""

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
        """The leverage x' (X'X)^-1 x by day, (L,)."""
        return np.asarray((self.design @ self.inverse * self.design).sum(axis=1))

    def car(self, days: np.ndarray) -> tuple[float, float, int]:
        """Return the CAR over columns, its forecast variance, and the number of valid days."""
        valid = days[np.isfinite(self.e[days])]
        x = self.design[valid].sum(axis=0)
        return self.e[valid].sum(), self.sigma**2 * (len(valid) + x @ self.inverse @ x), len(valid)


def fits(case: Case) -> list[Fit]:
    """Fit the market model event by event, with a slice and a call of ``lstsq`` for each."""
    spec, events = case.sample.spec, []
    for number, asset, day, cluster, _ in zip(*case.placed[:5], strict=True):
        panel, columns = case.panels[number], day + spec.offsets
        r = np.where(panel.ok[asset, columns], panel.r[asset, columns], np.nan)
        design = np.column_stack([np.ones(len(columns)), panel.x[columns]])
        rows = np.flatnonzero(np.isfinite(r[: spec.n_est]))
        b = np.linalg.lstsq(design[rows], r[rows], rcond=None)[0]
        e, dof = r - design @ b, len(rows) - design.shape[1]
        inverse = np.linalg.inv(design[rows].T @ design[rows])
        sigma = float(np.sqrt((e[rows] ** 2).sum() / dof))
        events.append(Fit(e, design, inverse, sigma, dof, spec.n_est, panel.sessions[columns], int(cluster)))
    return events


def columns_of(spec: Spec, window: int) -> np.ndarray:
    """Return the columns of a window among all L."""
    start, end = spec.windows[window]
    return np.arange(spec.n_est + start - spec.event[0], spec.n_est + end - spec.event[0] + 1)


def scars(case: Case, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised CARs and clusters of the events whose window is complete."""
    days = columns_of(case.sample.spec, window)
    whole = [fit for fit in fits(case) if np.isfinite(fit.e[days]).all()]
    parts = [fit.car(days) for fit in whole]
    return np.array([car / np.sqrt(var) for car, var, _ in parts]), np.array([fit.cluster for fit in whole])


def p_of_t(t: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return the two-sided p-value of Student's t by scipy.stats."""
    from scipy import stats

    return np.asarray(2 * stats.t.sf(np.abs(t), df))


def with_cars(cars: np.ndarray, n_est: int = 60, rng: np.random.Generator | None = None) -> tuple[Scores, Abnormal]:
    """Return the input of a test's ``chunk`` for CARs (N, V) of unit variance, in one cluster and one group."""
    n, v = cars.shape
    rng = rng or np.random.default_rng(0)
    ar = np.concatenate([rng.standard_normal((n, n_est)), cars[:, :1]], axis=1)
    ok, flat = np.ones(ar.shape, dtype=bool), np.zeros(n, dtype=np.int64)
    block = Block(ar, ok, np.empty((*ar.shape, 0)), n_est, np.arange(n), flat, flat, np.ones(n), 1, 1)
    sigma, dof, h = np.ones(n), np.full(n, float(n_est)), np.zeros((n, n_est + 1, 0))
    abnormal = Abnormal(block, ar, ok, sigma, dof, h, np.empty((n, 0)), np.full(n, np.nan), flat)
    ones = np.ones((n, v), dtype=bool)
    return Scores(cars, ones.astype(float), cars, ones.astype(np.int64), ones, np.ones((v, 1))), abnormal


def read_only(value: Any) -> Any:
    """Make every array in a value read-only, and return the value."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, Mapping):
        for item in value.values():
            read_only(item)
    elif isinstance(value, list | tuple):
        for item in value:
            read_only(item)
    elif is_dataclass(value):
        for field in fields(value):
            read_only(getattr(value, field.name))
    return value


def same(actual: Verdict, expected: Verdict, rtol: float = 1e-12) -> None:
    """Assert that two verdicts have equal values to ``rtol``, NaN at the same places, and notes at the same places."""
    for name in ("statistic", "df", "p", "n"):
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol, rtol, err_msg=name)
    assert [note == "" for note in actual.note.ravel()] == [note == "" for note in expected.note.ravel()]


class BlockKey:
    """A hashable block: equal to every other block with the same values."""

    def __init__(self, block: Block) -> None:
        self.block = block
        values = [getattr(block, f.name) for f in fields(block)]
        self.key = tuple(v.tobytes() if isinstance(v, np.ndarray) else v for v in values)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlockKey) and self.key == other.key


@lru_cache(maxsize=CACHED)
def _fit(model: Model, key: BlockKey) -> Abnormal:
    abnormal: Abnormal = read_only(model.fit(key.block))
    return abnormal


@dataclass(frozen=True)
class CachedModel:
    """A model that fits equal blocks once, for all tests; its output is read-only."""

    model: Model

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the model."""
        return self.model.columns

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The coefficients of the model."""
        return self.model.coefficients

    def fit(self, block: Block) -> Abnormal:
        """Return the fit of the block, from the cache if an equal block was fitted before."""
        return _fit(self.model, BlockKey(block)) if len(block.r) <= CACHED else self.model.fit(block)


def has_value_for_all_kinds(test: Test) -> bool:
    """Return whether a test has a value for events with every kind of dependence."""
    return set(test.value_under) == set(KINDS)


class Material(NamedTuple):
    """The arguments of ``Study.run``."""

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
    """Draw prices of n tickers S0, S1, ..., one event of each, a benchmark M, and factors for the columns.

    If the columns have peers, there are also tickers P0, P1, ..., without events.
    """
    dates = pd.bdate_range("2019-01-01", periods=days)
    names = list(dict.fromkeys(c.name for c in columns if c.name not in ("benchmark", "sessions", "clock", "peers")))
    factors = pd.DataFrame(0.01 * rng.standard_normal((days, len(names))), index=dates, columns=names)
    market = 0.01 * rng.standard_normal(days)
    returns = rng.uniform(0.5, 1.5, n) * market[:, None] + factors.sum(axis=1).to_numpy()[:, None]
    returns += 0.02 * rng.standard_normal((days, n))
    tickers = [f"S{i}" for i in range(n)]
    peers = returns_of_peers(rng, columns, market)
    untreated = np.empty((days, 0)) if peers is None else peers
    levels = 100.0 * np.cumprod(1.0 + np.column_stack([returns, market, untreated]), axis=0)
    columns_of_prices = [*tickers, "M", *(f"P{i}" for i in range(untreated.shape[1]))]
    day = {
        "same_day": np.full(n, days - 50),
        "overlap": rng.integers(days - 70, days - 40, n),
        "independent": days - 15 - 12 * np.arange(n),
    }[kind]
    events = pd.DataFrame({"event_id": [f"E{i}" for i in range(n)], "ticker": tickers})
    events["announced"] = [str(dates[d].date()) for d in day]
    prices = Prices.from_frame(pd.DataFrame(levels, index=dates, columns=columns_of_prices))
    return Material(Events.from_frame(events), prices, factors if names else None)
