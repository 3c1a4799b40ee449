"""A study with its data: what is prepared, run, drawn anew and calibrated from the choices; the only wiring."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.analysis.across import Models, across
from eventstudy.analysis.calibration import Calibration, calibrate
from eventstudy.analysis.diagnosis import Constituents, diagnose
from eventstudy.analysis.specifications import Specifications
from eventstudy.bars import Prices
from eventstudy.core.clustering import Clustering, clustering
from eventstudy.core.draws import null
from eventstudy.core.nulls import margin
from eventstudy.core.parts import MapTasks
from eventstudy.core.run import Execution, run
from eventstudy.core.sums import grouped
from eventstudy.core.volatility import SquaredModel
from eventstudy.display.measure import measure_of
from eventstudy.errors import EventStudyWarning, InputError, one_of
from eventstudy.members import settings_of
from eventstudy.prepare.align import Prepared, prepare, valid_estimation_days
from eventstudy.prepare.events import Events
from eventstudy.prepare.panels import Choices
from eventstudy.prepare.reactions import reactions
from eventstudy.result import Result
from eventstudy.run import tables
from eventstudy.run.provenance import provenance
from eventstudy.run.scale import NO_SCALE, Scale, Tally
from eventstudy.types import Floats, Ints, Model, Placed, Sample, Survives, Test


@dataclass(frozen=True)
class Engine:
    """The choices of a study and its data, so that a result can run it again in other ways.

    ``tests`` gives the tests by name that survive a kind of dependence, and ``default`` says whether the library chose
    them; ``settings`` are the choices as plain values; ``scale`` is who works on the parts.
    """

    model: Model
    choices: Choices
    tests: Callable[[Survives], dict[str, Test]]
    default: bool
    group: str | None
    weight: str | None
    seed: int
    settings: Mapping[str, Any]
    events: Events
    prices: Prices
    factors: pd.DataFrame | None
    other_news: Events | None = None
    scale: Scale = NO_SCALE

    def prepared(self, whole: bool = False) -> Prepared:
        """Give the placed events and their panels; ``whole`` takes all that the prices hold, to draw dates from."""
        other = None if self.other_news is None else self.other_news.frame
        made = prepare(self.events.frame, self.prices, replace(self.choices, whole=whole), self.factors, other)
        return _weighted(made, self.events.frame, self.weight)

    def check(self) -> pd.DataFrame:
        """Give the table of every event, its session, and what would become of it."""
        made = self.prepared()
        return tables.placement(made.event_table, valid_estimation_days(made), made.sample.spec)

    def run(self, progress: bool) -> Result:
        """Estimate every event, and test the sample."""
        prepared = self.prepared()
        cluster = _clustering(prepared)
        chosen = self.tests(cluster.kind)
        if any(t.draws for t in chosen.values()):
            prepared = self.prepared(whole=True)
        for note in prepared.notes:
            if "another time zone" in note:
                warnings.warn(note, EventStudyWarning, stacklevel=3)
        tally = Tally()
        each = self.scale.each(tally)
        with _bar(len(prepared.placed.day), progress) as advance:
            placed, sample = prepared.placed, prepared.sample
            outcome = run(prepared.panels, placed, self.model, chosen, sample, Execution(advance, each), seed=self.seed)
        why = f"default: {cluster}" if self.default else ""
        further = [] if self.group is None else [self._by_group(prepared, chosen, why, each)]
        event_table, calendars, spec, notes = (
            prepared.event_table,
            prepared.calendars,
            sample.spec,
            [*prepared.notes, *tally.notes],
        )
        del prepared, placed, sample  # the frames of a million events take the room of their panels
        frame = self.events.frame
        made = tables.assemble(event_table, outcome, spec, self.model.coefficients, frame, why)
        made["tests"] = pd.concat([made["tests"], *further])
        story = provenance(
            dict(self.settings), frame, self.prices, notes, cluster._asdict(), list(chosen), self.factors
        )
        if self.scale.checkpoint is not None:
            story |= {"checkpoint": self.scale.checkpoint, "n_parts": tally.n_parts, "n_resumed": tally.n_resumed}
        moves = reactions(event_table, self.prices, calendars, self.choices.returns)
        moves["session"] = tables.at_the_exchange(moves["session"], event_table.zone)
        return Result(**made, reactions=moves, provenance=story, engine=self)

    def _by_group(
        self, prepared: Prepared, chosen: Mapping[str, Test], why: str, each: MapTasks | None
    ) -> pd.DataFrame:
        """Make every test for each value of the group's column."""
        placed, sample, labels = _grouped(prepared, self.events.frame, str(self.group))
        how = Execution(each=each)
        outcome = run(prepared.panels, placed, self.model, chosen, sample, how, keep_events=False, seed=self.seed)
        return tables.verdicts(outcome, sample.spec, why, labels)

    def null(self, draws: int) -> dict[str, dict[str, Floats]]:
        """Give by group what the statistics do on dates drawn anew (:func:`eventstudy.core.draws.null`).

        Raises
        ------
        InputError
            When ``draws`` is not a whole number of 99 or more.
        """
        if not isinstance(draws, int) or draws < 99:
            raise InputError(f"draws is {draws!r}; give a whole number, 99 or more")
        made = self.prepared(whole=True)
        tests = {name: t for name, t in self.tests(_clustering(made).kind).items() if not t.draws}
        if not made.panels:
            return {"all": {}}
        samples = [(made.placed, made.sample, ["all"])]
        if self.group is not None:
            samples.append(_grouped(made, self.events.frame, self.group))
        found: dict[str, dict[str, Floats]] = {}
        again = partial(run, how=Execution(each=self.scale.each()))
        for placed, sample, labels in samples:
            its = null(again, made.panels, placed, self.model, tests, sample, draws, self.seed)
            for g, label in enumerate(labels):
                found.setdefault(label, {name: values[:, g] for name, values in its.items()})
        return found

    def paths(self) -> pd.DataFrame:
        """Give each event's sum, or compounding, from the first day of the event window to every day of it."""
        made = self.prepared()
        days = made.sample.spec.days
        running = np.column_stack([np.full(len(days), days[0]), days])
        spec = replace(made.sample.spec, windows=running, min_coverage=1e-9)  # a missing day adds nothing
        kept = run(made.panels, made.placed, self.model, {}, replace(made.sample, spec=spec)).singles
        names = (
            made.event_table.frame.index[made.event_table.rows[kept["id"]]]
            if kept
            else made.event_table.frame.index[:0]
        )
        values = kept.get("bhar", kept["car"]) if kept else np.empty((0, len(days)))
        return pd.DataFrame(values, index=names, columns=pd.Index(days, name="day"))

    def path(self, event_id: Any, start: int) -> pd.DataFrame:
        """Give one placed event's sum, or compounding, from a day of the event window to every later one."""
        made = self.prepared()
        event_table, days = made.event_table, np.arange(start, made.sample.spec.event[1] + 1)
        row = event_table.duplicate_of[event_table.frame.index.get_indexer([event_id])[0]]
        at = int(np.flatnonzero(event_table.rows == row)[0])
        running = np.column_stack([np.full(len(days), start), days])
        spec = replace(made.sample.spec, windows=running, min_coverage=1e-9)  # a missing day adds nothing
        kept = run(made.panels, made.placed, self.model, {}, replace(made.sample, spec=spec)).singles
        mine = int(np.flatnonzero(kept["id"] == at)[0])
        name = "bhar" if "bhar" in kept else "car"
        value, se = kept[name][mine], kept["se"][mine]
        reach = margin(se, kept["dof"][[mine]])
        found = {"ar": kept["ar"][mine, -len(days) :], name: value, "se": se}
        when = made.panels[made.placed.panel[at]].sessions[made.placed.day[at] + days]
        frame = pd.DataFrame({**found, "lower": value - reach, "upper": value + reach}, pd.Index(days, name="day"))
        frame.insert(0, "time", tables.times_of(when, event_table.zone))
        return frame

    def diagnose(self, constituents: Constituents | None) -> pd.DataFrame:
        """Check what breaks the assumptions of the tests."""
        return diagnose(self.prepared().build(), self.model, self.prices, constituents, measure_of(self.settings))

    def across(self, models: Models, windows: Sequence[tuple[int, int]] | None) -> Specifications:
        """Run the study with each of several models."""
        return across(self._run_with, models, windows, self.choices.spec)

    def _run_with(self, model: Model, windows: Ints, further: Mapping[str, Test]) -> Result:
        choices = replace(self.choices, columns=model.columns, spec=replace(self.choices.spec, windows=windows))
        settings = {**self.settings, "model": settings_of(model), "windows": tuple(map(tuple, windows.tolist()))}
        fitted = SquaredModel(model) if choices.outcome == "volatility" else model
        again = replace(self, model=fitted, choices=choices, settings=settings)
        made = replace(again, tests=lambda kind: {**self.tests(kind), **further}).run(progress=False)
        return replace(made, engine=again)

    def calibrate(self, draws: int, shocks: Sequence[float], level: float, seed: int) -> Calibration:
        """Measure the size and power of the study's tests on the securities' own histories."""
        prepared = self.prepared(whole=True)
        chosen = self.tests(_clustering(prepared).kind)
        about = {"prices": dict(self.prices.provenance), "settings": dict(self.settings)}
        found = calibrate(prepared, self.model, chosen, draws, shocks, level, seed, Execution(each=self.scale.each()))
        return replace(found, provenance={**about, **found.provenance})


def _clustering(prepared: Prepared) -> Clustering:
    """Count the overlaps of the events that have enough estimation days."""
    spec, placed = prepared.sample.spec, prepared.placed
    kept = valid_estimation_days(prepared) >= spec.min_estimation
    first, last = prepared.sample.cluster_dates[:, [spec.n_est, -1]][placed.cluster[kept]].T
    session = prepared.event_table.frame["session"].to_numpy()[prepared.event_table.rows[kept]]
    found = clustering(first, pd.factorize(session)[0], last)
    return found._replace(n_linked=len(prepared.sample.links))


def _grouped(prepared: Prepared, frame: pd.DataFrame, column: str) -> tuple[Placed, Sample, list[str]]:
    """Part the placed events by the values of a column, and give these."""
    if column not in frame.columns:
        raise one_of("group", column, frame.columns)
    codes, labels = pd.factorize(frame[column].astype(str).iloc[prepared.event_table.rows])
    if "all" in labels:
        raise InputError(f"column {column!r} has the value 'all', which stands for the whole sample; rename it")
    return *grouped(prepared.placed, prepared.sample, codes.astype(np.int64), len(labels)), list(labels)


def _weighted(prepared: Prepared, frame: pd.DataFrame, column: str | None) -> Prepared:
    """Give the placed events the weights of a column, or ones."""
    weight = column_of_numbers(frame, column)[prepared.event_table.rows]
    return replace(prepared, placed=prepared.placed._replace(weight=weight))


def column_of_numbers(frame: pd.DataFrame, name: str | None) -> np.ndarray:
    """Give an events column as positive numbers, ones where none is named."""
    if name is None:
        return np.ones(len(frame))
    if name not in frame.columns:
        raise one_of("weight", name, frame.columns)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
    bad = ~(values > 0) | np.isinf(values)
    if bad.any():
        event, value = frame.index[bad][0], frame[name][bad].iloc[0]
        raise InputError(f"weight {name!r} of event {event!r} is {value!r}; a weight is a number above 0")
    return values


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """Give what is told the number of events done, and shows a bar of it where wanted."""
    if not shown:
        yield lambda n: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="event") as bar:
        yield bar.update
