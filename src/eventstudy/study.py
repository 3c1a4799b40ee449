"""A study: its choices, checked when they are made, and its run, the only wiring of the library."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import _registry, tables
from eventstudy.bars import PRICE_FIELDS, Prices
from eventstudy.calibration import Calibration, calibrate
from eventstudy.core.clustering import Clustering, clustering
from eventstudy.core.draws import null
from eventstudy.core.run import run
from eventstudy.core.sums import grouped
from eventstudy.diagnosis import Constituents, diagnose
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData, one_of
from eventstudy.members import model, models
from eventstudy.prepare.align import Prepared, prepare, valid_estimation_days
from eventstudy.prepare.calendar import POLICIES
from eventstudy.prepare.events import Events
from eventstudy.prepare.panels import Choices
from eventstudy.prepare.reactions import reactions
from eventstudy.prepare.returns import GAPS, RETURNS
from eventstudy.provenance import provenance
from eventstudy.types import Floats, Model, Placed, Sample, Spec, Survives, Test

DEFAULT_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("cross_section", "bmp", "grank_t", "generalized_sign"),
    "same_day": ("kolari_pynnonen", "grank_t"),
    "overlap": ("kolari_pynnonen", "wild_bootstrap"),
}
Window = tuple[int, int]


@dataclass(frozen=True)
class Engine:
    """A study with its data, so that a result can run it again in other ways."""

    study: Study
    events: Events
    prices: Prices
    factors: pd.DataFrame | None

    def prepared(self, whole: bool = False) -> Prepared:
        """Give the placed events and their panels; ``whole`` takes all that the prices hold."""
        made = self.study.prepare(self.events, self.prices, factors=self.factors, whole=whole)
        return _weighted(made, self.events.frame, self.study.weight)

    def null(self, draws: int) -> dict[str, dict[str, Floats]]:
        """Give by group what the statistics do on dates drawn anew (:func:`eventstudy.core.draws.null`).

        Raises
        ------
        InputError
            When ``draws`` is not a whole number of 99 or more.
        """
        if not isinstance(draws, int) or draws < 99:
            raise InputError(f"draws is {draws!r}; give a whole number, 99 or more")
        study, made = self.study, self.prepared(whole=True)
        tests = {name: t for name, t in study.tests_for(_clustering(made).kind).items() if not t.draws}
        if not made.panels:
            return {"all": {}}
        samples = [(made.placed, made.sample, ["all"])]
        if study.group is not None:
            samples.append(_grouped(made, self.events.frame, study.group))
        found: dict[str, dict[str, Floats]] = {}
        for placed, sample, labels in samples:
            its = null(run, made.panels, placed, study.return_model, tests, sample, draws, study.seed)
            for g, label in enumerate(labels):
                found.setdefault(label, {name: values[:, g] for name, values in its.items()})
        return found

    def diagnose(self, constituents: Constituents | None) -> pd.DataFrame:
        """Check what breaks the assumptions of the tests."""
        return diagnose(self.prepared(), self.study.return_model, self.prices, constituents)

    def calibrate(self, draws: int, shocks: Sequence[float], level: float, seed: int) -> Calibration:
        """Measure the size and power of the study's tests on the securities' own histories."""
        prepared = self.prepared(whole=True)
        chosen = self.study.tests_for(_clustering(prepared).kind)
        return calibrate(prepared, self.study.return_model, chosen, draws, shocks, level, seed, self.prices.provenance)


@dataclass(frozen=True)
class Study:
    """The choices of an event study.

    Parameters
    ----------
    model : str or Model
        The return model; a name takes its defaults, :func:`model` gives it options.
    benchmark : str, mapping or None
        One ticker; a mapping from ticker or MIC to a ticker; or the name of an events column.
    estimation, event : (int, int)
        Windows in sessions relative to the event's, both ends included.
    windows : sequence of (int, int)
        Windows, inside the event window, over which abnormal returns are summed.
    tests : str, sequence or mapping
        "default" (what holds for the clustering of this sample), "all", names or Test objects, or a mapping from
        names to Test objects.
    returns : {"simple", "log"}
    price : {"close", "open", "high", "low"}
        What the reaction of relative day 0 is measured to; all other days are close to close.
    min_estimation : int
        Valid returns that an estimation window needs.
    on_closed : {"next", "previous", "drop", "raise"}
        What a date alone means where its exchange was closed.
    seed : int
        Of everything that is drawn at random.
    gaps : {"missing", "span"}
        After a session without a price: no return, or the whole change on the next session with one.
    min_coverage : float
        Share of a window's days that must be valid for its CAR; all of them by default.
    group : str or None
        An events column; every test is also made for each of its values.
    weight : str or None
        An events column of positive numbers, for the tests that weigh events (calendar_time by value).

    Raises
    ------
    InputError
        When a choice is not valid; the message names it, its value and what is valid.

    Examples
    --------
    >>> Study(benchmark="^HSI", windows=((-1, 1),)).windows
    ((-1, 1),)
    """

    model: str | Model = "market"
    benchmark: str | Mapping[str, str] | None = None
    estimation: Window = (-260, -11)
    event: Window = (-10, 10)
    windows: Sequence[Window] = ((0, 0), (-1, 1), (0, 5))
    tests: str | Sequence[str | Test] | Mapping[str, Test] = "default"
    returns: str = "simple"
    price: str = "close"
    min_estimation: int = 120
    on_closed: str = "next"
    seed: int = 0
    gaps: str = "missing"
    min_coverage: float = 1.0
    group: str | None = None
    weight: str | None = None

    def __post_init__(self) -> None:
        for name in ("estimation", "event"):
            object.__setattr__(self, name, _window(name, getattr(self, name)))
        object.__setattr__(self, "windows", tuple(_window("windows", w) for w in self.windows))
        _check_windows(self.estimation, self.event, self.windows)
        for name, valid in (("returns", RETURNS), ("gaps", GAPS), ("price", PRICE_FIELDS), ("on_closed", POLICIES)):
            if getattr(self, name) not in valid:
                raise one_of(name, getattr(self, name), valid)
        length = self.estimation[1] - self.estimation[0] + 1
        if not 1 <= self.min_estimation <= length:
            raise InputError(f"min_estimation is {self.min_estimation}; the estimation window has {length} days")
        if not 0.0 < self.min_coverage <= 1.0:
            raise InputError(f"min_coverage is {self.min_coverage}; it is a share above 0 and up to 1")
        if not callable(getattr(self.return_model, "fit", None)):
            raise InputError(f"model is {self.model!r}; give a name ({', '.join(models())}) or an object with a fit")
        self.tests_for("independent")

    @property
    def return_model(self) -> Model:
        """The return model itself, where ``model`` may be only its name."""
        return model(self.model) if isinstance(self.model, str) else self.model

    def tests_for(self, kind: Survives) -> dict[str, Test]:
        """Give the tests by name; ``kind`` is the dependence that the default must survive."""
        given = self.tests
        if isinstance(given, Mapping):
            return dict(given)
        if given == "default":
            given = DEFAULT_TESTS[kind]
        elif given == "all":
            given = _registry.names("inference")
        elif isinstance(given, str):
            given = (given,)
        return {
            _name_of(t, k): _registry.load("inference", t) if isinstance(t, str) else t
            for k, t in enumerate(given, start=1)
        }

    def _spec(self) -> Spec:
        windows = np.array(self.windows, dtype=np.int64)
        return Spec(self.estimation, self.event, windows, self.min_estimation, self.min_coverage)

    def prepare(
        self, events: Events, prices: Prices, *, factors: pd.DataFrame | None = None, whole: bool = False
    ) -> Prepared:
        """Place the events and build the panels; ``whole`` takes all that the prices hold, to draw dates from."""
        columns = self.return_model.columns
        choices = Choices(
            self._spec(), columns, self.benchmark, self.returns, self.gaps, self.price, self.on_closed, whole
        )
        return prepare(events.frame, prices, choices, factors)

    def check(self, events: Events, prices: Prices, *, factors: pd.DataFrame | None = None) -> pd.DataFrame:
        """Place every event and say what would become of it, without estimating anything.

        Parameters
        ----------
        events : Events
        prices : Prices
        factors : DataFrame, optional
            Decimal factor returns, dates by names.

        Returns
        -------
        DataFrame
            Index ``event_id``; ticker, announced, session, placement, benchmark, n_estimation, status, reason.
        """
        prepared = self.prepare(events, prices, factors=factors)
        return tables.placement(prepared.roll, valid_estimation_days(prepared), prepared.sample.spec)

    def run(
        self,
        events: Events,
        prices: Prices,
        *,
        factors: pd.DataFrame | None = None,
        progress: bool = False,
    ) -> tables.Result:
        """Estimate every event, and test the sample.

        Parameters
        ----------
        events : Events
        prices : Prices
        factors : DataFrame, optional
            Decimal factor returns, dates by names, for a model with named columns.
        progress : bool
            Whether to show a bar.

        Returns
        -------
        Result

        Raises
        ------
        AlignmentError
            When the one benchmark has no prices, or a date has no session and the policy is "raise".
        NotEnoughData
            When there are no events.

        Warns
        -----
        EventStudyWarning
            When the benchmark closes in another time zone and the model has no lead of it.
        """
        if not len(events):
            raise NotEnoughData("there are no events; give at least one")
        narrow = self.prepare(events, prices, factors=factors)
        cluster = _clustering(narrow)
        chosen = self.tests_for(cluster.kind)
        draws = any(t.draws for t in chosen.values())
        prepared = self.prepare(events, prices, factors=factors, whole=True) if draws else narrow
        for note in prepared.notes:
            if "another time zone" in note:
                warnings.warn(note, EventStudyWarning, stacklevel=2)
        prepared = _weighted(prepared, events.frame, self.weight)
        with _bar(len(prepared.placed.day), progress) as advance:
            placed, sample = prepared.placed, prepared.sample
            outcome = run(prepared.panels, placed, self.return_model, chosen, sample, advance, seed=self.seed)
        why = f"default: {cluster}" if self.tests == "default" else ""
        names = self.return_model.coefficients
        made = tables.assemble(prepared.roll, outcome, prepared.sample.spec, names, events.frame, why)
        if self.group is not None:
            made["tests"] = pd.concat([made["tests"], self._by_group(events.frame, prepared, chosen, why)])
        story = provenance(self._settings(), events.frame, prices, prepared.notes, cluster._asdict(), list(chosen))
        moves = reactions(prepared.roll, prices, prepared.calendars, self.returns)
        again = Engine(self, events, prices, factors)
        return tables.Result(**made, reactions=moves, provenance=story, engine=again)

    def _by_group(self, frame: pd.DataFrame, prepared: Prepared, chosen: Mapping[str, Test], why: str) -> pd.DataFrame:
        """Make every test for each value of the group's column."""
        placed, sample, labels = _grouped(prepared, frame, str(self.group))
        model = self.return_model
        outcome = run(prepared.panels, placed, model, chosen, sample, singly=False, seed=self.seed)
        return tables.verdicts(outcome, sample.spec, why, labels)

    def _settings(self) -> dict[str, Any]:
        """Give the choices as plain values."""
        chosen = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if not isinstance(self.model, str):
            options = {name: getattr(self.model, name) for name in getattr(self.model, "__dataclass_fields__", ())}
            chosen["model"] = {"name": type(self.model).__module__.rpartition(".")[2], **options}
        if not isinstance(self.tests, str):
            chosen["tests"] = [t if isinstance(t, str) else "user" for t in self.tests]
        return chosen


def _name_of(test: str | Test, position: int) -> str:
    """Name a test given as an object by its member's file, and one of the user's by its position."""
    if isinstance(test, str):
        return test
    home, _, name = test.chunk.__module__.rpartition(".")
    return name if home == "eventstudy.inference" else f"user_{position}"


def _window(name: str, value: Any) -> Window:
    ok = isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | np.integer) for v in value)
    if not ok or value[0] > value[1]:
        raise InputError(f"{name} has {value!r}; a window is two whole numbers, the first not after the second")
    return int(value[0]), int(value[1])


def _check_windows(estimation: Window, event: Window, windows: Sequence[Window]) -> None:
    if estimation[1] >= event[0]:
        raise InputError(
            f"estimation {estimation} reaches into event {event}; the estimation window ends before the event window"
        )
    if not windows:
        raise InputError("windows is empty; give at least one, as ((0, 0),)")
    outside = [w for w in windows if w[0] < event[0] or w[1] > event[1]]
    if outside:
        raise InputError(f"window {outside[0]} is not inside event {event}; widen event or narrow the window")


def _clustering(prepared: Prepared) -> Clustering:
    """Count the overlaps of the events that have enough estimation days."""
    spec, placed = prepared.sample.spec, prepared.placed
    kept = valid_estimation_days(prepared) >= spec.min_estimation
    dates = prepared.sample.cluster_dates[placed.cluster[kept]]
    session = prepared.roll.table["session"].to_numpy()[prepared.roll.rows[kept]]
    return clustering(dates[:, spec.n_est], np.unique(session, return_inverse=True)[1], dates[:, -1])


def _grouped(prepared: Prepared, frame: pd.DataFrame, column: str) -> tuple[Placed, Sample, list[str]]:
    """Part the placed events by the values of a column, and give these."""
    if column not in frame.columns:
        raise one_of("group", column, frame.columns)
    codes, labels = pd.factorize(frame[column].astype(str).iloc[prepared.roll.rows])
    if "all" in labels:
        raise InputError(f"column {column!r} has the value 'all', which stands for the whole sample; rename it")
    return *grouped(prepared.placed, prepared.sample, codes.astype(np.int64), len(labels)), list(labels)


def _weighted(prepared: Prepared, frame: pd.DataFrame, column: str | None) -> Prepared:
    """Give the placed events the weights of a column, or ones."""
    weight = column_of_numbers(frame, column)[prepared.roll.rows]
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
