"""The types that everything passes through, their shape checks, and nothing else.

Arrays are named by their axes: A assets, T sessions, N events of a block, L = n_est + n_evt columns (the
estimation window is the prefix, the event window the suffix), K regressors, P estimated parameters,
V event windows, G groups, C clusters (the events of one group on one calendar on one session).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eventstudy.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Dates = NDArray[np.datetime64]
State = Mapping[str, Any]
BEYOND = 10**11  # days or seconds from 1970 that no date has: sessions before or after a calendar count from there


class Status(IntEnum):
    """What became of an event; the name in lower case stands in ``Result.events.status``."""

    OK = 0
    UNKNOWN_TICKER = 1
    NO_PRICE = 2
    OUTSIDE_CALENDAR = 3
    CLOSED = 4
    NO_BENCHMARK = 5
    TOO_FEW_ESTIMATION = 6
    EMPTY_EVENT_WINDOW = 7
    SINGULAR = 8
    DUPLICATE = 9
    NO_VARIATION = 10
    NO_FACTORS = 11
    NO_FX = 12
    NO_PEERS = 13
    NOT_CONVERGED = 14
    CONTAMINATED = 15
    CONFOUNDED = 16

    @property
    def label(self) -> str:
        """The status as it stands in tables."""
        return self.name.lower()


@dataclass(frozen=True)
class Panel:
    """Returns on one exchange calendar, stored by asset so that an event's window is one contiguous run.

    ``r`` (A, T) returns, ``ok`` (A, T) where return and regressors are known, ``x`` regressors, (T, K) or, where they
    differ by asset, (A, T, K), ``r0``, ``ok0`` (A, T) and ``x0`` (T, K) what stands in for them on relative day 0
    (None: the same), ``sessions`` (T,) days of ``calendar`` since 1970-01-01, or seconds for bars within it. Values are
    0 where not ok. ``peers`` (T, D) are returns of other securities, NaN where missing, for a model that asks for them.
    """

    r: Floats
    ok: Bools
    x: Floats
    sessions: Ints
    assets: tuple[str, ...]
    factors: tuple[str, ...]
    r0: Floats | None = None
    ok0: Bools | None = None
    x0: Floats | None = None
    calendar: str = ""
    peers: Floats | None = None

    def __post_init__(self) -> None:
        assets, days = self.r.shape
        by_asset = (assets,) * (self.x.ndim == 3)
        _check_shape("Panel.ok", self.ok, (assets, days))
        _check_shape("Panel.x", self.x, (*by_asset, days, len(self.factors)))
        _check_shape("Panel.sessions", self.sessions, (days,))
        if self.peers is not None:
            _check_shape("Panel.peers", self.peers, (days, self.peers.shape[1]))

    @cached_property
    def whole(self) -> bool:
        """Whether no cell is missing."""
        return bool(self.ok.all())


class Placed(NamedTuple):
    """Events as integers: panel, asset row, column of day 0, cluster and group of each, and their weight; all (N,).

    What few studies have is None in the others. ``own`` (N, 4): first and last day of the estimation window and of the
    event window that are the event's own, relative and inside the study's. ``hidden`` (m, 3): an event, and first and
    last relative day of a stretch of its estimation window that does not count. ``barred`` (m, 2): an event, and a
    column of ``Panel.peers`` that is no peer of it. ``link`` (N,): events with the same number tell the same news, also
    where they fall on different sessions of different exchanges.
    """

    panel: Ints
    asset: Ints
    day: Ints
    cluster: Ints
    group: Ints
    weight: Floats
    own: Ints | None = None
    hidden: Ints | None = None
    barred: Ints | None = None
    link: Ints | None = None


@dataclass(frozen=True)
class Spec:
    """The windows of a study in relative days, both ends included.

    ``windows`` is (V, 2). ``min_coverage`` is the share of a window's days that must be valid for its CAR. ``compound``
    accumulates returns by compounding (BHAR) and not by summing (CAR).
    """

    estimation: tuple[int, int]
    event: tuple[int, int]
    windows: Ints
    min_estimation: int = 120
    min_coverage: float = 1.0
    compound: bool = False

    @property
    def n_est(self) -> int:
        """Columns of the estimation window."""
        return self.estimation[1] - self.estimation[0] + 1

    @property
    def n_evt(self) -> int:
        """Columns of the event window."""
        return self.event[1] - self.event[0] + 1

    @property
    def days(self) -> Ints:
        """Relative days of the event window, (n_evt,)."""
        return np.arange(self.event[0], self.event[1] + 1)

    @property
    def offsets(self) -> Ints:
        """Relative days of all L columns."""
        return np.concatenate([np.arange(self.estimation[0], self.estimation[1] + 1), self.days])

    @property
    def weights(self) -> Floats:
        """One where a day of the event window lies in a window, (V, n_evt)."""
        inside = (self.days >= self.windows[:, :1]) & (self.days <= self.windows[:, 1:])
        return inside.astype(np.float64)


@dataclass(frozen=True)
class Block:
    """Some hundred events, cut out of one panel: the estimation window is the prefix of the L columns.

    ``r`` (N, L), ``ok`` (N, L), ``x`` (N, L, K); ``id``, ``cluster``, ``group`` and ``weight`` (N,), with
    ``n_clusters`` and ``n_groups`` of the whole sample. A cell that is not ok may hold anything. ``gap`` is the number
    of sessions between estimation and event window, which are cut out; ``peers`` (N, L, D) are the returns of other
    securities, NaN where missing, and their number D may differ between blocks. ``inside`` (N, n_evt) says which event
    days are in the event's own window; None stands for all.
    """

    r: Floats
    ok: Bools
    x: Floats
    n_est: int
    id: Ints
    cluster: Ints
    group: Ints
    weight: Floats
    n_clusters: int
    n_groups: int
    gap: int = 0
    peers: Floats | None = None
    inside: Bools | None = None

    def __post_init__(self) -> None:
        _check_shape("Block.ok", self.ok, self.r.shape)
        _check_shape("Block.x", self.x, (*self.r.shape, self.x.shape[2]))
        for name in ("id", "cluster", "group", "weight"):
            _check_shape(f"Block.{name}", getattr(self, name), self.r.shape[:1])

    @cached_property
    def whole(self) -> bool:
        """Whether no cell is missing, so that what masks them can be left out."""
        return bool(self.ok.all())

    @cached_property
    def n_valid(self) -> Ints:
        """Valid days of each estimation window, (N,)."""
        return np.full(len(self.r), self.n_est) if self.whole else self.ok[:, : self.n_est].sum(axis=1)

    def known(self, values: Floats | float) -> Floats:
        """Give values (N, L), or one for all, with 0 where not ok; the values themselves where nothing is missing."""
        return np.asarray(values if self.whole else np.where(self.ok, values, 0.0))


@dataclass(frozen=True)
class Abnormal:
    """What a model makes of a block: residuals in the prefix, abnormal returns in the suffix.

    ``ar`` (N, L), 0 where not ``ok`` (N, L); ``sigma`` (N,) residual standard deviation with divisor ``dof`` (N,);
    ``h`` (N, L, P) = X chol((X'X)^-1), so that for weights w over event days
    ``Var(w.AR) = sigma^2 (w.w + |w'h|^2)`` and ``|h|^2`` is the leverage of an estimation day; ``coef`` (N, P);
    ``r2`` (N,); ``status`` (N,) of Status; ``block`` what it was made from, with the plain returns.

    ``v`` (N, L) is the variance of each day in units of ``sigma^2``, for models with a variance path: then
    ``Var(w.AR) = sigma^2 (w^2.v + |w'h|^2)``; None stands for ones. ``placebos`` (N, D, n_evt) are the abnormal returns
    of D untreated securities over their own sigma, NaN where missing, for models that rank the event's own among them.
    """

    block: Block
    ar: Floats
    ok: Bools
    sigma: Floats
    dof: Floats
    h: Floats
    coef: Floats
    r2: Floats
    status: Ints
    v: Floats | None = None
    placebos: Floats | None = None

    def __post_init__(self) -> None:
        _check_shape("Abnormal.ok", self.ok, self.ar.shape)
        if self.v is not None:
            _check_shape("Abnormal.v", self.v, self.ar.shape)
        _check_shape("Abnormal.h", self.h, (*self.ar.shape, self.h.shape[2]))
        for name in ("sigma", "dof", "r2", "status"):
            _check_shape(f"Abnormal.{name}", getattr(self, name), self.ar.shape[:1])

    @property
    def n_est(self) -> int:
        """Columns of the estimation window."""
        return self.block.n_est

    @cached_property
    def whole(self) -> bool:
        """Whether no cell is missing."""
        return self.block.whole if self.ok is self.block.ok else bool(self.ok.all())

    def take(self, rows: Bools) -> Abnormal:
        """Keep the events of a mask (N,)."""
        return replace(self, **_rows(self, rows), block=replace(self.block, **_rows(self.block, rows)))


@dataclass(frozen=True)
class Scores:
    """Cumulative abnormal returns over all windows: each (N, V), 0 where not ``ok``.

    ``car``, ``var`` its forecast variance, ``z = car / sqrt(var)``, ``n_days`` valid days; ``weights`` (V, n_evt).
    """

    car: Floats
    var: Floats
    z: Floats
    n_days: Ints
    ok: Bools
    weights: Floats


@dataclass(frozen=True)
class Sample:
    """What a test knows of the sample when it is finalised.

    ``cluster_group`` (C,) and ``cluster_dates`` (C, L): the group of a cluster and the calendar dates of its columns,
    as numbers from 0 in the order of the calendar; clusters on different exchanges pair by these. ``links`` (n, 2) are
    pairs of clusters that hold the same news, whatever their dates. ``shared`` holds the tests' ``shares``, finalised.
    """

    spec: Spec
    n_groups: int
    cluster_group: Ints
    cluster_dates: Ints
    links: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    shared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Roll:
    """Every event that was given: labels come in here and go out in ``tables``.

    ``table`` has the index of the events and the columns ticker, announced, session, placement, benchmark, cluster;
    ``status`` and ``reason`` (N,); ``twin`` (N,) the row that a duplicate repeats, its own where it is none; ``rows``
    (n,) the row of each placed event; ``zone`` where bars are shown, whose ``session`` is their start in UTC, or None.
    """

    table: Any
    status: Ints
    reason: NDArray[np.object_]
    twin: Ints
    rows: Ints
    zone: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run leaves: the verdicts by test, what is shared, and every single event, by row of ``Placed``.

    ``status`` and ``n_est`` (n,) are of all placed events, ``singles`` of those that are OK; ``id`` is their row.
    """

    verdicts: Mapping[str, Verdict]
    shared: Mapping[str, Any]
    singles: dict[str, Any]
    status: Ints
    n_est: Ints


class Verdict(NamedTuple):
    """A test's answer: ``statistic``, ``df``, ``p``, ``n`` and ``note``, each (G, V)."""

    statistic: Floats
    df: Floats
    p: Floats
    n: Ints
    note: NDArray[np.object_]


Survives = Literal["independent", "same_day", "overlap"]


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
    draws : number of samples with the dates drawn anew that ``finalize`` finds in ``Sample.shared["draws"]``
    make : callable (options) -> Test, with other options; None where it has none
    value_under : the kinds of dependence among events, as in ``survives``, under which it has a value at all
    one_design : whether it has a value only where a model gives all events the same dof and forecast variance
    """

    __test__: ClassVar[bool] = False

    chunk: Callable[[Scores, Abnormal, Mapping[str, State]], State]
    finalize: Callable[[State, Sample], Verdict]
    needs: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    survives: Survives = "independent"
    draws: int = 0
    make: Callable[..., Test] | None = None
    value_under: tuple[Survives, ...] = ("independent", "same_day", "overlap")
    one_design: bool = False


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


def _rows(made: Block | Abnormal, rows: Bools) -> dict[str, Any]:
    return {f.name: v[rows] for f in fields(made) if isinstance(v := getattr(made, f.name), np.ndarray)}


def _check_shape(name: str, array: Any, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}; {shape} is needed")
