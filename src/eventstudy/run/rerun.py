"""Run a study from events and prices to a result, and run it again with other choices; the only module that does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.bars import Prices
from eventstudy.core import memory, residuals
from eventstudy.core.draws import drawn_cars, null
from eventstudy.core.parts import PART, Known, nothing
from eventstudy.core.run import Execution, run, run_events
from eventstudy.core.volatility import SquaredModel
from eventstudy.display.measure import measure_of
from eventstudy.errors import EventStudyWarning, InputError
from eventstudy.prepare.events import Events
from eventstudy.prepare.factors import factor_frame
from eventstudy.prepare.implausible import shorten
from eventstudy.prepare.implausible import warning as implausible_warning
from eventstudy.prepare.reactions import reactions
from eventstudy.result import NO_GROUP, Result
from eventstudy.run import extend, news, tables
from eventstudy.run.checkpoint import key
from eventstudy.run.direction import counted, direction_notes
from eventstudy.run.groups import Grouped, in_groups
from eventstudy.run.provenance import provenance
from eventstudy.run.sample import CACHE_BYTES, StudyData, n_bytes, select_events, study_sample
from eventstudy.run.scale import IN_ONE_PROCESS, PartCounts, Workers
from eventstudy.run.settings import as_model, settings, tests_for
from eventstudy.run.testing import Members, effects_of_events, no_test_holds, table_of_tests
from eventstudy.types import Bools, Choices, Extra, Floats, Ints, Model, Outcome, Status, StudySample, Test, Window

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

READERS = {
    "events": "es.Events.from_frame(df) or es.read_events(path)",
    "other_news": "es.Events.from_frame(df) or es.read_events(path)",
    "prices": "es.Prices.from_frame(df) or fetched ones",
}
RESIDUALS: Mapping[str, Extra] = {"residuals": residuals.chunk}


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A study with its data and its workers; see :class:`eventstudy.types.Rerun`.

    ``placed_for`` are the windows for which events are placed or excluded, where they are not those of the choices.
    ``kept`` has the results of all events and of groups for :meth:`extended`.
    """

    choices: Choices
    data: StudyData
    workers: Workers = IN_ONE_PROCESS
    placed_for: Sequence[Window] | None = None
    samples: dict[bool, StudySample] = field(init=False, default_factory=dict, repr=False)
    kept: dict[str, extend.Kept | None] = field(init=False, default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, object]:
        """Exclude executor and prepared samples from pickles and copies."""
        workers = replace(self.workers, executor=None)
        return {**self.__dict__, "workers": workers, "samples": {}, "code": self._code() if self.kept else ""}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Drop what other code has computed: a version of the library, or of the user's model or tests."""
        code = state.pop("code")
        self.__dict__.update(state)
        if code and code != self._code():
            self.__dict__["kept"] = {}

    def _code(self) -> str:
        return key((self.choices.model, self.choices.tests))

    @property
    def return_model(self) -> Model:
        """The return model of the study."""
        return as_model(self.choices.model)

    @property
    def events(self) -> pd.DataFrame:
        """The events of the input."""
        return self.data.events.frame

    @property
    def prices(self) -> Prices:
        """The prices of the study."""
        return self.data.prices

    @property
    def model(self) -> Model:
        """The fitted model: for abnormal volatility, a model of the squared abnormal returns of the return model."""
        return self._model_of_outcome(self.return_model)

    def _model_of_outcome(self, model: Model) -> Model:
        return SquaredModel(model) if self.choices.outcome == "volatility" else model

    def sample(self, full_history: bool = False) -> StudySample:
        """Return the placed events and their panels, cached unless they take much memory."""
        sample = self.samples.get(full_history)
        if sample is None:
            counted = ["implausible_prices"] + ["n_contaminated"] * (self.choices.contaminated != "keep")
            tables.check_names(self.data.events.frame, (*self.model.coefficients, *counted))
            choices = self.choices if self.placed_for is None else replace(self.choices, windows=self.placed_for)
            sample = study_sample(self.data, choices, self.model.columns, full_history)
            sample = replace(sample, sample=replace(sample.sample, spec=self.choices.spec))
            if n_bytes(sample) <= CACHE_BYTES:
                self.samples[full_history] = sample
        return sample

    def tests(self) -> dict[str, Test]:
        """Return the tests by name; default tests depend on the clustering of the sample."""
        return self._tests_of(self.sample())

    def _tests_of(self, sample: StudySample) -> dict[str, Test]:
        near = news.unlinked(sample.panels, sample.placed, sample.sample, np.arange(len(sample.placed.day)))
        unlinked = news.matters(near, len(sample.placed.day))
        return tests_for(self.choices, sample.clustering.kind, sample.clustering.n_clusters, unlinked)

    def check(self) -> pd.DataFrame:
        """Return the table of every event with its session and the status that the fitted model gives it."""
        sample = self.sample()
        self._groups(sample)
        execution = Execution(map_tasks=self.workers.map_tasks())
        fitted = run_events(sample.panels, sample.placed, self.model, sample.sample, execution)
        return tables.placement(sample.event_table, fitted, sample.sample.spec)

    def outcome(
        self,
        *,
        model: Model | None = None,
        windows: Sequence[Window] | None = None,
        events: Sequence[Hashable] | None = None,
        tests: Mapping[str, Test] | None = None,
        extra: Mapping[str, Extra] | None = None,
        min_coverage: float | None = None,
        signed: bool = True,
    ) -> Outcome:
        """Run the model and tests again; see :class:`eventstudy.types.Rerun`."""
        study = self if model is None else self._with(model, None)
        sample = study.sample() if events is None else select_events(study.sample(), events)
        spec = sample.sample.spec
        if windows is not None:
            spec = replace(spec, windows=np.array(windows, dtype=np.int64))
        if min_coverage is not None:
            spec = replace(spec, min_coverage=min_coverage)
        tests = study.tests() if tests is None else tests
        placed = sample.placed if signed else sample.placed._replace(sign=None)
        inputs = sample.panels, placed, study.model
        execution, core_sample = Execution(map_tasks=self.workers.map_tasks()), replace(sample.sample, spec=spec)
        if events is not None and not tests and not extra:
            return run_events(*inputs, core_sample, execution)
        return run(*inputs, tests, core_sample, execution, extra=extra)

    def null(
        self, draws: int, *, model: Model | None = None, seed: int | None = None, groups: bool = True
    ) -> dict[str, dict[str, Floats]]:
        """Return the statistics on redrawn dates, by group; see :class:`eventstudy.types.Rerun`."""
        sample = self.sample(full_history=True)
        tests = {name: test for name, test in self._tests_of(sample).items() if not test.draws}
        if not sample.panels:
            return {"all": {}}
        samples = [(sample, ["all"])]
        grouped = self._groups(sample) if groups else None
        if grouped is not None and grouped.labels:
            samples.append((grouped.sample, grouped.labels))
        fitted_model = self.model if model is None else self._model_of_outcome(model)
        run_in_parts = partial(run, execution=Execution(map_tasks=self.workers.map_tasks()))
        by_label: dict[str, dict[str, Floats]] = {}
        for part, labels in samples:
            statistics = null(
                run_in_parts, part.panels, part.placed, fitted_model, tests, part.sample, draws,
                self.choices.seed if seed is None else seed,
            )  # fmt: skip
            for at, label in enumerate(labels):
                by_label.setdefault(label, {name: values[:, at] for name, values in statistics.items()})
        return by_label

    def drawn(self, draws: int, window: Window) -> Floats:
        """Return the CARs of the placed events over a window on redrawn dates, (draws, n)."""
        sample = self.sample(full_history=True)
        spec = replace(sample.sample.spec, windows=np.array([window], dtype=np.int64))
        run_in_parts = partial(run, execution=Execution(map_tasks=self.workers.map_tasks()))
        return drawn_cars(
            run_in_parts, sample.panels, sample.placed, self.model, replace(sample.sample, spec=spec), draws,
            self.choices.seed,
        )  # fmt: skip

    def series(self, ticker: str, field: str) -> pd.Series[float] | None:
        """Return a field of the prices of a ticker by date; None if they do not have it."""
        bars = self.data.prices.bars.get(ticker)
        values = None if bars is None else bars.fields.get(field)
        return None if bars is None or values is None else pd.Series(values, pd.DatetimeIndex(bars.dates))

    def result(
        self,
        *,
        model: str | Model | None = None,
        windows: Sequence[Window] | None = None,
        events: pd.DataFrame | None = None,
        choices: Mapping[str, object] | None = None,
    ) -> Result:
        """Return the result of the study with other choices or of other events; see :class:`eventstudy.types.Rerun`."""
        if events is None and not choices:
            return self._with(model, windows).run()
        data = self.data if events is None else replace(self.data, events=Events.from_frame(events))
        changes: dict[str, Any] = {**(choices or {})}
        if model is not None:
            changes["model"] = model
        if windows is not None:
            changes["windows"] = windows
        return StudyRun(replace(self.choices, **changes), data, self.workers).run()

    def _with(self, model: str | Model | None, windows: Sequence[Window] | None) -> StudyRun:
        choices = self.choices if model is None else replace(self.choices, model=model)
        if windows is None:
            return replace(self, choices=choices)
        placed_for = (self.placed_for or self.choices.windows) if model is None else None
        return replace(self, choices=replace(choices, windows=windows), placed_for=placed_for)

    def extended(
        self,
        events: Events | None = None,
        prices: Prices | None = None,
        *,
        factors: IntoFrame | None = None,
        other_news: Events | None = None,
        progress: bool = False,
    ) -> Result:
        """Run the study with more events or newer data, and compute what is new; see ``Result.extend``."""
        newer = {"events": events, "prices": prices, "other_news": other_news}
        given: dict[str, Any] = {name: values for name, values in newer.items() if values is not None}
        for name, values in given.items():
            arguments.instance(name, values, Prices if name == "prices" else Events, READERS[name])
        if factors is not None:
            given["factors"] = factor_frame(factors)
        if not given:
            raise InputError("nothing is given; give new events, newer prices, factors or other news, or several")
        arguments.flag("progress", progress)
        if events is not None:
            given["events"] = extend.appended(self.data.events, events)
        data = replace(self.data, **given)
        return replace(self, data=data).run(progress, keep=True, before=self)

    def run(self, progress: bool = False, keep: bool = False, before: StudyRun | None = None) -> Result:
        """Estimate every event, and test the sample.

        ``progress`` shows a progress bar. ``keep`` keeps the states of events, for :meth:`extended`. Results of
        ``before``, a run of the same choices, are taken over where they are the same.
        """
        sample = self.sample()
        clustering = sample.clustering
        tests = self._tests_of(sample)
        if any(test.draws for test in tests.values()):
            sample = self.sample(full_history=True)
        for warning in sample.warnings:
            warnings.warn(warning, EventStudyWarning, stacklevel=3)
        groups = self._groups(sample)
        counts = PartCounts()
        map_tasks = self.workers.map_tasks(counts)
        growth = extend.Growth(keep, None if before is None else before.data.events)
        with _progress_bar(len(sample.placed.day), progress) as advance:
            outcome = self._estimated(sample, None, tests, Execution(advance, map_tasks), before, growth)
        by_value = None
        if groups is not None and groups.labels:
            by_value = self._estimated(sample, groups, tests, Execution(map_tasks=map_tasks), before, growth)
        tested, by_group = self._tested(sample, groups, tests, outcome, by_value)
        event_table, calendars, spec = sample.event_table, sample.calendars, sample.sample.spec
        used = (outcome.status == Status.OK) & (outcome.n_est >= spec.min_estimation)
        notes = [*self._noticed(sample, used), *counts.notes, *(() if groups is None else groups.notes)]
        n_without_sign = int((used & ~counted(sample.placed)).sum())
        without = None if groups is None else groups.without
        del sample, groups  # frees the panels before the frames are built, which take as much memory
        events, prices = self.data.events.frame, self.data.prices
        moves = reactions(event_table, prices, calendars, self.choices)
        singles, outcome = dict(outcome.singles), replace(outcome, singles={})  # those of a million events exist once
        if len(used) > PART:
            memory.give_back()
        frames = tables.assemble(event_table, outcome, spec, self.model.coefficients, events, singles)
        frames["attrition"] = tables.with_row(frames["attrition"], "ok, but without a sign", n_without_sign)
        if without is not None:
            n = int((without & (frames["events"]["status"] == "ok")).sum())
            frames["attrition"] = tables.with_row(frames["attrition"], f"ok, but without a {self.choices.group!r}", n)
        record = provenance(
            settings(self.choices), events, prices, notes, clustering._asdict(), self.model, tests, self.data.factors
        )
        if self.workers.checkpoint is not None:
            record |= {"n_parts": counts.n_parts, "n_resumed": counts.n_resumed}
        record |= growth.record()
        # Returns are shown in per cent, whatever their size.
        size = np.nan if self.choices.outcome == "return" else float(frames["cars"]["car"].dropna().abs().median())
        return Result(
            **frames,
            tests=tested,
            reactions=moves,
            provenance=record,
            measure=measure_of(self.choices.outcome, self.choices.accumulate, size, self.choices.sign),
            rerun=self,
            by_group=by_group,
        )

    def _estimated(
        self,
        sample: StudySample,
        groups: Grouped | None,
        tests: Mapping[str, Test],
        execution: Execution,
        before: StudyRun | None,
        growth: extend.Growth,
    ) -> Outcome:
        """Run model and tests over all events, or over those of groups; take over what is known, and keep it."""
        of = "all" if groups is None else "groups"
        if before is not None:
            earlier = before.sample()
            placed = extend.named(earlier, None if groups is None else before._groups(earlier))
            execution = execution._replace(
                known=growth.known(of, before.kept.get(of), placed, extend.named(sample, groups), tests)
            )
        elif growth.keep:
            execution = execution._replace(known=Known(nothing(), np.arange(0)))
        used = sample if groups is None else groups.sample
        inputs = used.panels, used.placed, self.model, tests, used.sample
        outcome = run(*inputs, execution, keep_events=groups is None, extra=RESIDUALS)
        if growth.keep:
            self.kept[of] = extend.kept(outcome, tests)
        return replace(outcome, blocks=())

    def _noticed(self, sample: StudySample, used: Bools) -> list[str]:
        """Return the notes on the sample and the used events (n,), and issue warnings."""
        implausible = sample.implausible(used)
        if implausible:
            warnings.warn(implausible_warning(implausible), EventStudyWarning, stacklevel=4)
        directions = direction_notes(self.choices, sample, self.data.events.frame, used)
        for note in directions if self.choices.sign is None else ():
            warnings.warn(note, EventStudyWarning, stacklevel=4)
        return [*sample.notes, *shorten(implausible), *directions]

    def _tested(
        self,
        sample: StudySample,
        groups: Grouped | None,
        tests: Mapping[str, Test],
        outcome: Outcome,
        by_value: Outcome | None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the table of tests, of all events and of each group, and the averages of the groups by day."""
        by_default = isinstance(self.choices.tests, str) and self.choices.tests == "default"
        ids, effect = effects_of_events(outcome, sample)
        spec = sample.sample.spec
        everyone = self._members(sample, ids, effect, outcome, [np.ones(len(ids), dtype=bool)])
        everyone = everyone._replace(n_linked=sample.clustering.n_linked)
        tested = table_of_tests(outcome, spec, tests, everyone, ("all",), by_default)
        for warning in () if by_default else no_test_holds(tested):
            warnings.warn(warning, EventStudyWarning, stacklevel=4)
        if groups is None or by_value is None:
            return tested, NO_GROUP
        masks = [np.isin(ids, groups.rows[groups.sample.placed.group == g]) for g in range(len(groups.labels))]
        members = self._members(sample, ids, effect, by_value, masks)
        of_groups = table_of_tests(by_value, spec, tests, members, groups.labels, by_default)
        return pd.concat([tested, of_groups]), tables.daily(by_value, spec, groups.labels)

    def _members(
        self, sample: StudySample, ids: Ints, effect: Floats, outcome: Outcome, groups: Sequence[Bools]
    ) -> Members:
        """Return the events of each group, given by masks of the estimated events (n,), with what is known of them."""
        before = residuals.finalize(outcome.extra.get("residuals", {}), len(groups))
        if self.choices.outcome != "return":  # zeros of another series are not prices that stand
            before = [each._replace(zeros=np.nan) for each in before]
        inputs = sample.panels, sample.placed, sample.sample
        counts = [(news.unlinked(*inputs, ids[group]), int(group.sum())) for group in groups]
        return Members(effect, groups, before, [near if news.matters(near, n) else 0 for near, n in counts])

    def _groups(self, sample: StudySample) -> Grouped | None:
        """Return the events of the sample in their groups; raise InputError if the column is not one of groups."""
        column = self.choices.group
        return None if column is None else in_groups(sample, self.data.events.frame, column)


@contextmanager
def _progress_bar(total: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """Yield a progress callback; draw a bar if ``shown``: a widget in a notebook with ipywidgets, else a text."""
    if not shown:
        yield lambda n: None
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # without ipywidgets, where a text does as well
        from tqdm.auto import tqdm

    with tqdm(total=total, unit="event") as bar:
        yield bar.update
