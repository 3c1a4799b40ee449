"""A study: its choices, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import _registry
from eventstudy.bars import PRICE_FIELDS, Prices
from eventstudy.engine import Engine
from eventstudy.errors import InputError, NotEnoughData, one_of
from eventstudy.members import model, models
from eventstudy.prepare.calendar import POLICIES
from eventstudy.prepare.events import Events
from eventstudy.prepare.panels import Choices
from eventstudy.prepare.returns import GAPS, RETURNS
from eventstudy.result import Result
from eventstudy.types import Model, Spec, Survives, Test

DEFAULT_TESTS: Mapping[Survives, tuple[str, ...]] = {
    "independent": ("cross_section", "bmp", "grank_t", "generalized_sign"),
    "same_day": ("kolari_pynnonen", "grank_t"),
    "overlap": ("kolari_pynnonen", "wild_bootstrap"),
}
Window = tuple[int, int]


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
        return self._engine(events, prices, factors).check()

    def run(
        self,
        events: Events,
        prices: Prices,
        *,
        factors: pd.DataFrame | None = None,
        progress: bool = False,
    ) -> Result:
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
        return self._engine(events, prices, factors).run(progress)

    def _engine(self, events: Events, prices: Prices, factors: pd.DataFrame | None) -> Engine:
        model = self.return_model
        windows = np.array(self.windows, dtype=np.int64)
        spec = Spec(self.estimation, self.event, windows, self.min_estimation, self.min_coverage)
        choices = Choices(spec, model.columns, self.benchmark, self.returns, self.gaps, self.price, self.on_closed)
        default = self.tests == "default"
        return Engine(
            model, choices, self.tests_for, default, self.group, self.weight, self.seed, self._settings(),
            events, prices, factors,
        )  # fmt: skip

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
