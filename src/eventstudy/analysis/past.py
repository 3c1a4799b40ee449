"""What a study knows about events beside their CARs: which share days, and how they moved on other days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.core.slopes import run_cars
from eventstudy.errors import NotEnoughData
from eventstudy.types import Floats, Ints, Rerun, StudySample, Window

MOST_CELLS = 30_000_000  # returns before the events that are held in memory at once: 240 MB
NO_STUDY = "this result has no study with its data, which the days before the event need; use a result of Study.run"


@dataclass(frozen=True)
class Past:
    """The events of a frame with the study behind them.

    ``rerun`` may be None, for a result without its study. ``frame`` is indexed by ``event_id`` and has ``session``.
    """

    rerun: Rerun | None
    frame: pd.DataFrame
    window: Window
    draws: int

    @cached_property
    def chain(self) -> Ints:
        """The same number for events whose windows overlap in a chain, or that report the same news, (N,)."""
        return self._labels(*self.window)

    @cached_property
    def day(self) -> Ints:
        """The same number for events of one calendar date, or that report the same news, (N,)."""
        return self._labels(0, 0)

    def _labels(self, start: int, end: int) -> Ints:
        if self.rerun is None:  # weekdays are no sessions, but near enough to tell windows that overlap
            days = pd.to_datetime(self.frame["session"]).to_numpy().astype("datetime64[D]")
            number = np.busday_count(np.datetime64("1970-01-01"), days)
            return components(number + start, number + end)
        sample = self.rerun.sample()
        spec, cluster = sample.sample.spec, sample.placed.cluster[self._rows(sample)]
        zero = spec.n_est - spec.event[0]
        columns = [int(np.clip(zero + day, spec.n_est, spec.n_est + spec.n_evt - 1)) for day in (start, end)]
        first, last = (sample.sample.cluster_dates[:, column] for column in columns)
        return components(first, last, sample.sample.links)[cluster]

    def _rows(self, sample: StudySample) -> Ints:
        """Return the row in ``Placed`` of each event of the frame, (N,)."""
        table = sample.event_table
        rows: Ints = pd.Index(table.frame.index[table.rows]).get_indexer(self.frame.index)
        return rows

    @cached_property
    def runs(self) -> Floats:
        """The CAR of every run of estimation days as long as the window, (N, T), NaN where missing.

        A column has the runs of one distance from the events' own windows, in dates of the common calendar: for events
        of one date, on whatever exchanges, they are of the same days.
        """
        return self._runs(self.window)

    @cached_property
    def days(self) -> Floats:
        """The residuals of single estimation days, as ``runs``."""
        return self.runs if self.window[0] == self.window[1] else self._runs((self.window[0], self.window[0]))

    def _runs(self, window: Window) -> Floats:
        if self.rerun is None:
            raise NotEnoughData(NO_STUDY)
        sample = self.rerun.sample()
        n_est = sample.sample.spec.n_est
        self._check_memory(len(sample.placed.day) * n_est)
        state = self.rerun.outcome(windows=[window], tests={}, extra={"runs": run_cars}).extra.get("runs", {})
        if not state:
            raise NotEnoughData("no event could be used")
        ids, first, car = (np.asarray(state[name].values) for name in ("id", "first", "car"))
        position = pd.Index(ids).get_indexer(pd.Index(self._rows(sample)))
        first, car = first[position], car[position]
        dates = sample.sample.cluster_dates[sample.placed.cluster[self._rows(sample)]]
        distance = dates[:, :n_est] - dates[np.arange(len(dates)), n_est + first][:, None]
        distance -= distance.min()
        out = np.full((len(car), int(distance.max()) + 1), np.nan)
        out[np.arange(len(car))[:, None], distance] = np.where((position >= 0)[:, None], car, np.nan)
        return out[:, np.isfinite(out).any(axis=0)]

    @cached_property
    def drawn(self) -> Floats:
        """The CAR of each event on dates drawn at random, (N, draws), NaN where missing."""
        if self.rerun is None:
            raise NotEnoughData(NO_STUDY.replace("the days before the event need", "dates drawn at random need"))
        sample = self.rerun.sample(full_history=True)
        self._check_memory(len(sample.placed.day) * self.draws)
        car = self.rerun.drawn(self.draws, self.window)
        return np.ascontiguousarray(car[:, self._rows(sample)].T)

    @staticmethod
    def _check_memory(n_cells: int) -> None:
        if n_cells > MOST_CELLS:
            raise NotEnoughData(
                f"the returns on other days are {n_cells:,}, more than the {MOST_CELLS:,} that are held in memory; use"
                " cov='cr2', or fewer events or draws"
            )
