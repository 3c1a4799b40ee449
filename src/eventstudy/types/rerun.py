"""A study with its data that can be run again in other ways: what every analysis is made from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from eventstudy.display.measure import Measure
from eventstudy.errors import InputError
from eventstudy.types.arrays import Floats, Ints, State
from eventstudy.types.block import Abnormal, Scores
from eventstudy.types.choices import Choices, Window
from eventstudy.types.members import Model, Test, Verdict
from eventstudy.types.sample import Spec, StudySample

if TYPE_CHECKING:
    import pandas as pd

Extra = Callable[[Scores, Abnormal, Spec], State]


@dataclass(frozen=True)
class Outcome:
    """The output of a run: verdicts by test, shared states, extra states, and every single event.

    ``status`` and ``n_est`` (n,) stand for all events of the run, in the order of ``rows`` (n,), their rows in
    ``Placed``; ``singles`` for those of status OK in that order, and its ``id`` is the row in ``Placed``.
    """

    verdicts: Mapping[str, Verdict]
    shared: Mapping[str, Any]
    singles: Mapping[str, NDArray[Any]]
    status: Ints
    n_est: Ints
    extra: Mapping[str, State] = field(default_factory=dict)


class ResultFrames(Protocol):
    """The frames of a result, as an analysis reads them; see :class:`eventstudy.Result`."""

    @property
    def events(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def ar(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def cars(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def daily(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def tests(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def effects(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def measure(self) -> Measure: ...  # noqa: D102


class Rerun(Protocol):
    """A study with its data. Everything that it runs honours the executor of the study."""

    @property
    def choices(self) -> Choices:
        """The choices of the study."""
        ...

    @property
    def return_model(self) -> Model:
        """The return model of the study, where ``choices.model`` may be only its name."""
        ...

    def sample(self, whole: bool = False) -> StudySample:
        """Return the placed events and their panels; ``whole`` takes all that the prices hold, to draw dates from."""
        ...

    def outcome(
        self,
        *,
        model: Model | None = None,
        windows: Sequence[Window] | None = None,
        events: Sequence[Hashable] | None = None,
        tests: Mapping[str, Test] | None = None,
        extra: Mapping[str, Extra] | None = None,
        min_coverage: float | None = None,
    ) -> Outcome:
        """Run the model and tests again.

        Parameters
        ----------
        model, windows, tests, min_coverage
            In the place of the study's own; ``tests={}`` makes none.
        events : sequence of event ids, optional
            These events alone are fitted; a duplicate stands for the event that it repeats. Without tests and extra
            states nothing of the sample is computed: ``Outcome.shared`` is empty.
        extra : mapping from name to chunk, optional
            Functions ``(Scores, Abnormal, Spec) -> state`` whose states are added over all blocks, as a test's are;
            ``Outcome.extra`` has the sums by name.
        """
        ...

    def null(
        self, draws: int, *, model: Model | None = None, seed: int | None = None, groups: bool = True
    ) -> dict[str, dict[str, Floats]]:
        """Return by group what the statistics are on dates drawn anew (:func:`eventstudy.core.draws.null`).

        Tests that draw dates themselves have none. ``groups=False`` leaves the sample undivided: the group "all" alone.
        """
        ...

    def tests(self) -> dict[str, Test]:
        """Return the tests of the study by name, for the clustering of its sample."""
        ...

    def result(self, *, model: str | Model | None = None, windows: Sequence[Window] | None = None) -> ResultFrames:
        """Run the whole study again with another model or other windows; the new result can be run again too."""
        ...


def required(rerun: Rerun | None) -> Rerun:
    """Return the study behind a result; raise InputError where it has none, as one that was read or put together."""
    if rerun is None:
        raise InputError("this result has no study with its data to run again; Study.run makes one that has")
    return rerun
