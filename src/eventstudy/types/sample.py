"""The sample of a study: returns by exchange, events as integers in them, windows, and each event's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventstudy.types.arrays import Bools, Floats, Ints, check_shape


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
        check_shape("Panel.ok", self.ok, (assets, days))
        check_shape("Panel.x", self.x, (*by_asset, days, len(self.factors)))
        check_shape("Panel.sessions", self.sessions, (days,))
        if self.peers is not None:
            check_shape("Panel.peers", self.peers, (days, self.peers.shape[1]))

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
class Sample:
    """What a test knows of the sample when it is finalised.

    ``cluster_group`` (C,) and ``cluster_dates`` (C, L): the group of a cluster and the calendar dates of its columns,
    as numbers from 0 in the order of the calendar; clusters on different exchanges pair by these. ``links`` (n, 2) are
    pairs of clusters that hold the same news, whatever their dates. ``shared`` holds what the tests' ``shares`` name,
    finalised. ``seed`` is of all that a test draws, unless its options name another.
    """

    spec: Spec
    n_groups: int
    cluster_group: Ints
    cluster_dates: Ints
    links: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    shared: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class EventTable:
    """Every event of the input, with its status: where labels enter and leave.

    ``frame`` has the index of the events and the columns ticker, announced, session, placement, benchmark, cluster;
    ``status`` and ``reason`` (N,); ``duplicate_of`` (N,) the row that a duplicate repeats, its own row otherwise;
    ``rows`` (n,) the row of each placed event; ``zone`` of the exchange where bars are shown (their ``session`` is
    the start in UTC), else None.
    """

    frame: Any
    status: Ints
    reason: NDArray[np.object_]
    duplicate_of: Ints
    rows: Ints
    zone: str | None = None
