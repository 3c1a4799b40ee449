"""The contracts of models and tests, and the result of a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eventstudy.display import formats
from eventstudy.display.cards import WIDTH, Summary
from eventstudy.types.arrays import Floats, Ints, State
from eventstudy.types.block import Abnormal, Block, Scores
from eventstudy.types.sample import Sample, Survives


class Verdict(NamedTuple):
    """The result of a test: ``statistic``, ``df``, ``p``, ``n`` and ``note``, each (G, V)."""

    statistic: Floats
    df: Floats
    p: Floats
    n: Ints
    note: NDArray[np.object_]


SharedState = Literal["moments", "day_moments", "overlap", "daily", "effects"]  # computed in ``core.parts.SHARED``
Failing = Literal[
    "contaminated_estimation",  # reactions to other events in the estimation window
    "event_variance",  # variance that the event itself adds
    "common_variance",  # variance that the event adds to the shock that all events of a date share
    "non_normality",  # non-normal returns of few events
    "autocorrelation",
    "thin_trading",
    "few_dates",
    "long_window",  # more days than a quarter of the estimation window: they share the error of its coefficients
]


@dataclass(frozen=True, repr=False)
class Test:
    """A test of the null that the mean (or median) abnormal return of a window is zero.

    Parameters
    ----------
    chunk : callable (Scores, Abnormal, prior) -> state
        The contribution of a block of events: a dict of leaves that can be added (:mod:`eventstudy.core.sums`).
    finalize : callable (state, Sample) -> Verdict
    needs : names of the shared states of an earlier pass, passed to ``chunk`` as ``prior``
    shares : names of the shared states of the same pass, passed to ``finalize`` in ``Sample.shared``
    survives : the strongest dependence among events under which the size of the test holds
        ``independent`` (none), ``same_day`` (all events on one date), ``overlap`` (any overlap of event windows).
    draws : int
        Number of samples with redrawn dates, whose statistics ``finalize`` reads from ``Sample.shared["draws"]``.
    make : callable (options) -> Test
        Returns the test with other options; None if it has no options.
    robust_to : failings of a sample under which its size holds
    fails_under : failings of a sample under which it rejects too often; for a failing in neither, the size is unknown
    value_under : kinds of dependence among events, as in ``survives``, under which it has a value at all
    one_design : whether it has a value only where a model gives all events the same dof and forecast variance
    one_event : whether it has a value for one event: its variance is that of the estimation window or of drawn dates
    name, options : str, mapping
        The name of the member and its options; :func:`eventstudy.test` sets them.
    """

    __test__: ClassVar[bool] = False

    chunk: Callable[[Scores, Abnormal, Mapping[str, State]], State]
    finalize: Callable[[State, Sample], Verdict]
    needs: tuple[SharedState, ...] = ()
    shares: tuple[SharedState, ...] = ()
    survives: Survives = "independent"
    draws: int = 0
    make: Callable[..., Test] | None = None
    robust_to: tuple[Failing, ...] = ()
    fails_under: tuple[Failing, ...] = ()
    value_under: tuple[Survives, ...] = ("independent", "same_day", "overlap")
    one_design: bool = False
    one_event: bool = False
    name: str = ""
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"test({self._label!r}{options})"

    def _repr_html_(self) -> str:
        facts = [
            ("Options", formats.setting(self.options)),
            ("Holds under dependence up to", self.survives.replace("_", " ")),
            ("Robust to", formats.setting(self.robust_to).replace("_", " ")),
            ("Fails under", formats.setting(self.fails_under).replace("_", " ")),
        ]
        return Summary(f"Test {self._label}", facts).as_html()

    @property
    def _label(self) -> str:
        """The name of the member, or that of the function of a user's test."""
        return self.name or getattr(self.finalize, "__qualname__", type(self.finalize).__name__)


class Column(NamedTuple):
    """One regressor: the name of a factor or ticker, and its lead in sessions (negative: a lag).

    Some names are reserved: ``benchmark`` is the benchmark of the event; ``sessions`` the number of sessions since the
    security's previous price; ``clock`` the time of day of a bar in seconds; ``peers`` the returns of other securities,
    which are in ``Block.peers`` and not in ``Block.x``. A ``summed`` series is summed over the sessions since the
    security's previous price, and the return of the security then spans these sessions too.
    """

    name: str
    shift: int = 0
    summed: bool = False


PEERS = Column("peers")
# Class variables that a model may have: ``estimator``, and ``tolerance``, how far an iterative fit may move (else 0).
Estimator = Literal["ols", "other"]  # "ols": least squares on all valid estimation days; "other" where nothing is said


class DescribedModel:
    """What a model of the library says of itself: its options, its regressors, and what it estimates.

    A class of :class:`Model` that is a dataclass without a ``repr`` of its own inherits it.

    Examples
    --------
    >>> from eventstudy import model
    >>> model("dimson", leads=1, lags=0)
    Dimson(leads=1, lags=0): estimates alpha, beta, beta_lead1; regressors: benchmark
    """

    def __repr__(self: Model) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in _options(self).items())
        text = f"{type(self).__name__}({options}): estimates {_estimates(self)}; regressors: {_regressors(self)}"
        return "\n".join(formats.wrap(text, WIDTH, "  "))

    def _repr_html_(self: Model) -> str:
        facts = [
            ("Options", formats.setting(_options(self))),
            ("Regressors", _regressors(self)),
            ("Estimates", _estimates(self)),
        ]
        return Summary(f"Model: {str(type(self).__doc__).partition(chr(10))[0]}", facts).as_html()


def _options(model: Model) -> dict[str, object]:
    return {entry.name: getattr(model, entry.name) for entry in fields(model)}  # type: ignore[arg-type]


def _estimates(model: Model) -> str:
    return ", ".join(model.coefficients) or "nothing"


def _regressors(model: Model) -> str:
    return ", ".join(dict.fromkeys(column.name for column in model.columns)) or "none"


class Model(Protocol):
    """A return model, as members of ``models/`` provide it; its options are the fields of its dataclass."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The regressors, in the order of the last axis of ``Block.x``; ``PEERS`` comes last."""

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The names of the P estimated parameters."""

    def fit(self, block: Block) -> Abnormal:
        """Estimate on the prefix, and return residuals and abnormal returns."""
