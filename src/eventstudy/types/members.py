"""What a model and a test provide, and what a test answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eventstudy.types.arrays import Floats, Ints, State
from eventstudy.types.block import Abnormal, Block, Scores
from eventstudy.types.sample import Sample, Survives


class Verdict(NamedTuple):
    """A test's answer: ``statistic``, ``df``, ``p``, ``n`` and ``note``, each (G, V)."""

    statistic: Floats
    df: Floats
    p: Floats
    n: Ints
    note: NDArray[np.object_]


SharedState = Literal["moments", "day_moments", "overlap", "daily"]  # computed in ``core.parts.SHARED``
Failing = Literal[
    "contaminated_estimation",  # other reactions in the estimation window
    "event_variance",  # variance that the event brings of itself
    "non_normality",  # of the returns of few events
    "autocorrelation",
    "thin_trading",
    "few_dates",
]


@dataclass(frozen=True)
class Test:
    """A test of the null that the mean (or median) abnormal return of a window is zero.

    Parameters
    ----------
    chunk : callable (Scores, Abnormal, prior) -> state
        The contribution of some events: a dict of leaves that are added (:mod:`eventstudy.core.sums`).
    finalize : callable (state, Sample) -> Verdict
    needs : names of shared states of an earlier pass that ``chunk`` gets as ``prior``
    shares : names of shared states of the same pass that ``finalize`` finds in ``Sample.shared``
    survives : the strongest dependence among events under which its size holds
        ``independent`` (none), ``same_day`` (all events on one date), ``overlap`` (any overlap of event windows).
    draws : int
        Samples with the dates drawn anew that ``finalize`` finds in ``Sample.shared["draws"]``.
    make : callable (options) -> Test
        How the test is made with other options; None where it has none.
    robust_to : failings of a sample under which its size holds
    fails_under : failings of a sample under which it rejects too often; what stands in neither is not known
    value_under : kinds of dependence among events, as in ``survives``, under which it has a value at all
    one_design : whether it has a value only where a model gives all events the same dof and forecast variance
    name, options : str, mapping
        The member that it is, and every option by name; :func:`eventstudy.test` fills them in.
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
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Column(NamedTuple):
    """One regressor: the name of a factor or ticker, and the sessions by which it is led.

    Some names are taken: ``benchmark`` is the event's own; ``sessions`` the number of sessions since the security's
    previous price; ``clock`` the time of day of a bar in seconds; and ``peers`` stands for the returns of other
    securities, which are no column of ``Block.x`` but ``Block.peers``. A ``summed`` series is summed over the sessions
    since the security's previous price, and then the security's own return spans them too.
    """

    name: str
    shift: int = 0
    summed: bool = False


PEERS = Column("peers")
# Class variables that a model may have: ``estimator``, and ``tolerance``, how far an iterative fit may move (else 0).
Estimator = Literal["ols", "other"]  # "ols": least squares on all valid estimation days; "other" where nothing is said


class Model(Protocol):
    """What a member of ``models/`` provides; its options are the fields of its dataclass."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The regressors that the panel must hold, in the order of the block's last axis; ``PEERS`` stands last."""

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the P estimated parameters."""

    def fit(self, block: Block) -> Abnormal:
        """Estimate on the prefix, and give residuals and abnormal returns."""
