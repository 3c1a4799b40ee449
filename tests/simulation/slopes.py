"""Real closes of Hong Kong without an event: regressions and comparisons across firms on many drawn days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import _registry
from eventstudy.core.draws import drawn_cars
from eventstudy.core.run import run
from eventstudy.display.measure import Measure, measure_of
from eventstudy.types import EventTable, Floats, Model, Outcome, Panel, StudySample, Window
from eventstudy.types.sample import Clustering
from tests import make

MODEL: Model = _registry.load("models", "market")
LONGEST, EARLIER = 30, 260  # sessions after a day, and before it, that samples need


@cache
def closes(folder: Path) -> Panel:
    """Give the returns of firms with a close on nearly every date; the market is their mean."""
    wide = pd.read_csv(folder / "data" / "hk_universe_adjclose.csv.gz", index_col=0, parse_dates=True)
    returns = wide.pct_change(fill_method=None).iloc[1:]
    returns = returns.loc[:, returns.notna().mean() > 0.97].mask(returns.abs() > 0.5)
    market = returns.mean(axis=1).to_numpy()
    r = returns.to_numpy(dtype=float).T
    days = returns.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Panel(np.nan_to_num(r), np.isfinite(r), market[:, None], days, tuple(returns.columns), ("benchmark",))


@dataclass(frozen=True)
class Placed:
    """Firms on days of a panel, as a study that can be run again, and as the frames of its result."""

    panel: Panel
    firms: np.ndarray
    days: np.ndarray
    window: Window

    def sample(self, full_history: bool = False) -> StudySample:
        spec = make.spec(120, (self.window,), 100, event=(min(self.window[0], 0), max(self.window[1], 0)))
        case = make.place([self.panel], spec, [(0, int(f), int(d)) for f, d in zip(self.firms, self.days, strict=True)])
        n = len(self.firms)
        sessions = self.panel.sessions[self.days].astype("datetime64[D]")
        frame = pd.DataFrame({"session": sessions}, index=pd.RangeIndex(n, name="event_id"))
        zeros = np.zeros(n, dtype=np.int64)
        table = EventTable(frame, zeros, np.full(n, "", dtype=object), np.arange(n), np.arange(n))
        clustering = Clustering(n, len(np.unique(self.days)), 0.0)
        return StudySample(table, case.panels, case.placed, case.sample, {}, zeros + 120, clustering, np.zeros(n))

    def outcome(self, *, windows: Sequence[Window] | None = None, extra: Any = None, **_: Any) -> Outcome:
        its = self.sample()
        spec = its.sample.spec
        if windows is not None:
            spec = replace(spec, windows=np.array(windows, dtype=np.int64))
        return run(its.panels, its.placed, MODEL, {}, replace(its.sample, spec=spec), extra=extra)

    def drawn(self, draws: int, window: Window) -> Floats:
        its = self.sample()
        return drawn_cars(run, its.panels, its.placed, MODEL, its.sample, draws, 0)

    def frames(self, **columns: Any) -> Any:
        its, singles = self.sample(), self.outcome().singles
        events = its.event_table.frame.assign(status="ok", **columns).loc[singles["id"]]  # not those that stand still
        cars = pd.DataFrame({"event_id": singles["id"], "start": self.window[0], "end": self.window[1]})
        cars["car"], cars["se"] = singles["car"][:, 0], singles["se"][:, 0]
        return _Frames(events, cars)


@dataclass(frozen=True)
class _Frames:
    events: pd.DataFrame
    cars: pd.DataFrame
    measure: Measure = field(default_factory=measure_of)


def known(panel: Panel, firm: int, day: int) -> bool:
    return bool(panel.ok[firm, day - EARLIER : day + LONGEST].all())


def on_one_day(panel: Panel, n: int, window: Window, replications: int, seed: int) -> Iterator[Placed]:
    """Draw a day, and n firms on it."""
    rng = np.random.default_rng(seed)
    for _ in range(replications):
        day = int(rng.integers(EARLIER, panel.r.shape[1] - LONGEST))
        usable = [f for f in range(len(panel.assets)) if known(panel, f, day)]
        firms = rng.choice(usable, n, replace=False)
        yield Placed(panel, firms, np.full(n, day), window)


def volatility(its: Placed) -> np.ndarray:
    """Give the standard deviation of the 120 days before the event window."""
    return np.array([np.std(its.panel.r[f, d - 130 : d - 10]) for f, d in zip(its.firms, its.days, strict=True)])


def momentum(its: Placed) -> np.ndarray:
    """Give the return of the days before the estimation window, which the model has not seen."""
    return np.array([its.panel.r[f, d - 260 : d - 130].sum() for f, d in zip(its.firms, its.days, strict=True)])


def with_rewards(rng: np.random.Generator, dates: int) -> Any:
    """Give 5 firms on each date, whose size is rewarded on it: half of the variance of the CARs, and 0 on average."""
    date = np.repeat(np.arange(dates), 5)
    size = rng.standard_normal(len(date))
    car = 0.02 * (rng.standard_normal(dates)[date] * size + rng.standard_normal(len(date)))
    return _of_dates(date, car, size=size)


def on_dates_of_their_own(rng: np.random.Generator, first: int, second: int) -> Any:
    """Give two groups on dates of their own, 4 firms on each, half of whose variance is common to a date."""
    date = np.repeat(np.arange(first + second), 4)
    car = 0.02 * (rng.standard_normal(first + second)[date] + rng.standard_normal(len(date)))
    return _of_dates(date, car, kind=np.where(date < first, "a", "b"))


def _of_dates(date: np.ndarray, car: np.ndarray, **columns: np.ndarray) -> Any:
    names = pd.RangeIndex(len(date), name="event_id")
    session = pd.bdate_range("2015-01-01", periods=20 * (int(date.max()) + 1))[::20][date]
    events = pd.DataFrame({"status": "ok", "session": session, **columns}, names)
    return _Frames(events, pd.DataFrame({"event_id": names, "start": 0, "end": 0, "car": car, "se": 0.02}))
