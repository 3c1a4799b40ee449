"""A study with its data that can be run again with other choices: the input of every analysis."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from eventstudy.display.measure import Measure
from eventstudy.errors import InputError
from eventstudy.types.arrays import Dates, Floats, Ints, State
from eventstudy.types.block import Abnormal, Scores
from eventstudy.types.choices import Choices, Window
from eventstudy.types.members import Model, Test, Verdict
from eventstudy.types.sample import SharedResult, Spec, StudySample

if TYPE_CHECKING:
    import pandas as pd

Extra = Callable[[Scores, Abnormal, Spec], State]


class Summed(NamedTuple):
    """The states of a block of events, by name of the test, the shared or the extra state, before they are added.

    ``rows`` (n,) are all events of the block as rows of ``Placed``, also those without a fit or a sign.
    """

    rows: Ints
    tests: Mapping[str, State]
    shared: Mapping[str, State]
    extra: Mapping[str, State]


@dataclass(frozen=True)
class Outcome:
    """The output of a run: verdicts by test, shared states, extra states, and the results of single events.

    ``status`` and ``n_est`` (n,) are those of all events of the run, in the order of ``Placed``; ``singles`` has the
    events of status OK in that order, and its ``id`` is the row in ``Placed``. ``blocks`` are the states before they
    were added, in a run that keeps them.
    """

    verdicts: Mapping[str, Verdict]
    shared: Mapping[str, SharedResult]
    singles: Mapping[str, np.ndarray]
    status: Ints
    n_est: Ints
    extra: Mapping[str, State] = field(default_factory=dict)
    blocks: Sequence[Summed] = ()


class FindingView(Protocol):
    """Something implausible in the prices of a ticker; see :class:`eventstudy.plausibility.Finding`."""

    @property
    def date(self) -> np.datetime64: ...  # noqa: D102
    @property
    def check(self) -> str: ...  # noqa: D102


class BarsView(Protocol):
    """The prices of one ticker as an analysis reads them; see :class:`eventstudy.bars.Bars`."""

    @property
    def dates(self) -> Dates: ...  # noqa: D102
    @property
    def fields(self) -> Mapping[str, Floats]: ...  # noqa: D102
    @property
    def mic(self) -> str | None: ...  # noqa: D102
    @property
    def currency(self) -> str | None: ...  # noqa: D102
    @property
    def step(self) -> np.timedelta64 | None: ...  # noqa: D102
    @property
    def intraday(self) -> bool: ...  # noqa: D102
    @property
    def findings(self) -> Sequence[FindingView]: ...  # noqa: D102


class PricesView(Protocol):
    """Prices by ticker as an analysis reads them; see :class:`eventstudy.Prices`."""

    @property
    def bars(self) -> Mapping[str, BarsView]: ...  # noqa: D102


class ResultFrames(Protocol):
    """The frames of a result that an analysis reads; see :class:`eventstudy.Result`."""

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
    def attrition(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def measure(self) -> Measure: ...  # noqa: D102
    @property
    def reactions(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def rerun(self) -> Rerun | None: ...  # noqa: D102


class Rerun(Protocol):
    """A study with its data. Every run uses the executor of the study."""

    @property
    def choices(self) -> Choices:
        """The choices of the study."""
        ...

    @property
    def return_model(self) -> Model:
        """The return model of the study; ``choices.model`` may be a name."""
        ...

    @property
    def events(self) -> pd.DataFrame:
        """The events of the input, as ``Events.frame``."""
        ...

    @property
    def prices(self) -> PricesView:
        """The prices of the study, of securities and benchmarks, with fields, currency and exchange."""
        ...

    def sample(self, full_history: bool = False) -> StudySample:
        """Return the placed events and their panels, to the ends of the prices if ``full_history``."""
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
        signed: bool = True,
    ) -> Outcome:
        """Run the model and the tests again.

        Parameters
        ----------
        model, windows, tests, min_coverage
            Replace those of the study; ``tests={}`` runs none.
        events : sequence of event ids, optional
            Fit only these events; a duplicate stands for the event that it duplicates. Without tests and extra states
            no statistic of the sample is computed: ``Outcome.shared`` is empty.
        extra : mapping from name to chunk, optional
            Functions ``(Scores, Abnormal, Spec) -> state`` whose states are added over all blocks, as those of a test;
            ``Outcome.extra`` has the sums by name.
        signed : bool
            False leaves out the expected signs of the study: events of sign 0 are in the states too.
        """
        ...

    def null(
        self, draws: int, *, model: Model | None = None, seed: int | None = None, groups: bool = True
    ) -> dict[str, dict[str, Floats]]:
        """Return the statistics on redrawn dates, by group (:func:`eventstudy.core.draws.null`).

        Tests that draw dates themselves are omitted. ``groups=False`` returns the group "all" only.
        """
        ...

    def drawn(self, draws: int, window: Window) -> Floats:
        """Return the CARs of the placed events over a window on redrawn dates, (draws, n)."""
        ...

    def series(self, ticker: str, field: str) -> pd.Series[float] | None:
        """Return a field of the prices of a ticker, such as ``volume``, by session, or by start of the bar in UTC.

        None if the prices do not have it.
        """
        ...

    def tests(self) -> dict[str, Test]:
        """Return the tests of the study by name; default tests depend on the clustering of the sample."""
        ...

    def result(
        self,
        *,
        model: str | Model | None = None,
        windows: Sequence[Window] | None = None,
        events: pd.DataFrame | None = None,
        choices: Mapping[str, object] | None = None,
    ) -> ResultFrames:
        """Return the result of the study with other choices or of other events; it can be run again too.

        Other windows alone have the events of the study: one that it excludes because none of its own windows can be
        measured stays excluded.

        Parameters
        ----------
        model, windows
            Replace those of the study.
        events : DataFrame, optional
            Other events, as ``Events.from_frame`` takes them, on the same prices.
        choices : mapping from name to value, optional
            Further choices of a :class:`eventstudy.Study`, such as ``estimation`` or ``benchmark``.
        """
        ...

    def extended(
        self,
        events: Any = None,
        prices: Any = None,
        *,
        factors: Any = None,
        other_news: Any = None,
        progress: bool = False,
    ) -> ResultFrames:
        """Return the result of the study with more events or newer data; see ``Result.extend``."""
        ...


def required(rerun: Rerun | None) -> Rerun:
    """Return the study behind a result; raise InputError if there is none, as in a result read from a file."""
    if rerun is None:
        raise InputError(
            "this result has no study with its data to run again: a file keeps the numbers of a result, not its prices;"
            " run the study again, result = study.run(events, prices), and use that result"
        )
    return rerun
