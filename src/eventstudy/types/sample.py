"""The sample of a study: returns by exchange, events as integers, windows, and the status of each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eventstudy.types.arrays import NO_DATE, Bools, Dates, Floats, Ints, check_shape

if TYPE_CHECKING:
    import pandas as pd

Survives = Literal["independent", "same_day", "overlap"]
SharedResult = dict[str, np.ndarray]  # a shared state, finalised


class Status(IntEnum):
    """Why an event is used or excluded; ``Result.events.status`` has the name in lower case."""

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
    SUSPENDED = 17

    @property
    def label(self) -> str:
        """The status as tables show it."""
        return self.name.lower()


@dataclass(frozen=True)
class Panel:
    """Returns on one exchange calendar, stored by asset so that an event's window is one contiguous run.

    ``r`` (A, T) returns, ``ok`` (A, T) whether return and regressors are known, ``x`` regressors, (T, K) or, if they
    differ by asset, (A, T, K); ``r0``, ``ok0`` (A, T) and ``x0``, as x, replace them on relative day 0, unless None;
    ``sessions`` (T,) days of ``calendar`` since 1970-01-01, or seconds for intraday bars. Values are 0 where not ok.
    ``peers`` (T, D) are returns of other securities, NaN where missing, for a model that uses them.
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
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return bool(self.ok.all())


class DeferredPanel(Protocol):
    """A panel that is built part by part when needed, because all of it would be too large for memory."""

    @property
    def assets(self) -> tuple[str, ...]:
        """As in ``Panel``."""
        ...

    @property
    def calendar(self) -> str:
        """As in ``Panel``."""
        ...

    @property
    def sessions(self) -> Ints:
        """As in ``Panel``."""
        ...

    @property
    def n_cells(self) -> int:
        """Number of cells of a panel of one asset."""
        ...

    def take(self, assets: Ints) -> DeferredPanel:
        """Select assets by row."""
        ...

    def build(self) -> Panel:
        """Build the panel."""
        ...


AnyPanel = Panel | DeferredPanel


class Placed(NamedTuple):
    """Events as integers: panel, asset row, column of day 0, cluster and group of each, and their weight; all (N,).

    The optional fields are None in studies without them. ``own_windows`` (N, 4): first and last relative day of the
    event-specific estimation window, and of the event-specific event window, within those of the study.
    ``masked_days`` (m, 3): an event, and the first and last relative day of a period of its estimation window that is
    not used. ``excluded_peers`` (m, 2): an event, and a column of ``Panel.peers`` that is not a peer of it. ``link``
    (N,): events with the same number report the same news, also on different sessions of different exchanges. ``sign``
    (N,) is the expected sign of the abnormal return, 1 or -1; events of sign 0 are in no average or test.
    """

    panel: Ints
    asset: Ints
    day: Ints
    cluster: Ints
    group: Ints
    weight: Floats
    own_windows: Ints | None = None
    masked_days: Ints | None = None
    excluded_peers: Ints | None = None
    link: Ints | None = None
    sign: Floats | None = None


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
    def zero(self) -> int:
        """The column of day 0 among the L columns, or the nearest one if day 0 is not in the event window."""
        return self.n_est + int(np.clip(-self.event[0], 0, self.n_evt - 1))

    @property
    def cumulative(self) -> Ints:
        """The windows from the first event day to each event day, (n_evt, 2)."""
        return np.column_stack([np.full(self.n_evt, self.event[0]), self.days])

    @property
    def offsets(self) -> Ints:
        """Relative days of all L columns."""
        return np.concatenate([np.arange(self.estimation[0], self.estimation[1] + 1), self.days])

    @property
    def weights(self) -> Floats:
        """1 where a day of the event window lies in a window, else 0, (V, n_evt)."""
        inside = (self.days >= self.windows[:, :1]) & (self.days <= self.windows[:, 1:])
        return inside.astype(np.float64)


@dataclass(frozen=True)
class Sample:
    """The sample as a test receives it when it is finalised.

    ``cluster_group`` (C,) and ``cluster_dates`` (C, L): the group of a cluster and the calendar dates of its columns,
    as numbers from 0 in the order of the calendar; clusters on different exchanges are paired by them. ``links`` (n, 2)
    are pairs of clusters that report the same news, whatever their dates. ``shared`` has the finalised states that
    ``Test.shares`` names. ``seed`` is the seed of random draws, unless the options of a test set another.
    """

    spec: Spec
    n_groups: int
    cluster_group: Ints
    cluster_dates: Ints
    links: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    shared: Mapping[str, SharedResult] = field(default_factory=dict)
    seed: int = 0


class Clustering(NamedTuple):
    """Number of events, number of distinct event dates, and share of pairs of events whose event windows overlap.

    ``n_linked`` is the number of pairs of dates on which two exchanges react to the same news, whether or not their
    windows share a day. ``n_clusters`` counts the sets of events whose event windows overlap in a chain, or are linked
    so.
    """

    n_events: int
    n_dates: int
    share: float
    n_linked: int = 0
    n_clusters: int = 0

    @property
    def kind(self) -> Survives:
        """The dependence that a test must be robust to."""
        if self.share == 0.0:
            return "overlap" if self.n_linked else "independent"
        return "same_day" if self.n_dates == 1 else "overlap"

    def __str__(self) -> str:
        if self.kind == "independent":
            return "no two event windows share a day"
        if self.share == 0.0:
            pairs = "1 pair of dates reports" if self.n_linked == 1 else f"{self.n_linked} pairs of dates report"
            return f"{pairs} the same news on two exchanges"
        if self.kind == "same_day":
            return "all events share one date"
        return f"{self.share:.1%} of the pairs of events share days of their windows ({self.n_dates} dates)"


@dataclass(frozen=True)
class Calendar:
    """Sessions ``dates`` (T,) as datetime64[D], their ``closes`` (T,) in UTC or None if not known, and ``notes``.

    The sessions of intraday prices are bars: ``dates`` are their starts in UTC, datetime64[s], ``closes`` their ends.
    ``unknown`` are the dates of sessions that only prices show: their closes are not known, and the usual time of day
    stands for them where series of several exchanges are aligned.
    """

    name: str | None
    dates: Dates
    closes: Dates | None
    notes: tuple[str, ...] = ()
    unknown: Dates = field(default_factory=lambda: np.empty(0, dtype="datetime64[D]"))

    @property
    def intraday(self) -> bool:
        """Whether the sessions are intraday bars."""
        return bool(np.datetime_data(self.dates.dtype)[0] == "s")


@dataclass(frozen=True)
class EventTable:
    """Every event of the input, with its labels and status.

    ``frame`` has the index of the events and the columns ticker, announced, session, placement, benchmark, cluster;
    ``status`` and ``reason`` (N,); ``duplicate_of`` (N,) the row that an event duplicates, or the row of the event
    itself; ``rows`` (n,) the row of each placed event; ``zone`` the time zone in which intraday bars are shown (their
    ``session`` is the start in UTC), None for daily sessions; ``n_read`` (N,) the valid estimation days of the events
    that were excluded after their returns were read, else 0, and None if there are no such events.
    """

    frame: pd.DataFrame
    status: Ints
    reason: NDArray[np.object_]
    duplicate_of: Ints
    rows: Ints
    zone: str | None = None
    n_read: Ints | None = None

    @property
    def intraday(self) -> bool:
        """Whether sessions are intraday bars."""
        return self.zone is not None

    @property
    def sessions(self) -> Dates:
        """The session of every event (N,), datetime64[D], or datetime64[s] for bars; NaT where there is none."""
        return np.asarray(self.frame["session"].to_numpy(), dtype="datetime64[s]" if self.intraday else "datetime64[D]")

    def dates_of(self, numbers: Ints) -> Dates:
        """Convert numbers of ``Panel.sessions`` to dates, or starts of bars in UTC; NaT outside the calendar."""
        dates = np.where(np.abs(numbers) < NO_DATE, numbers, 0).astype(self.sessions.dtype)
        dates[np.abs(numbers) >= NO_DATE] = np.array("NaT", dtype=dates.dtype)
        return dates

    def at_the_exchange(self, sessions: pd.Series) -> pd.Series:
        """Convert starts of bars to the time zone of their exchange; daily sessions are returned unchanged."""
        if self.zone is None:
            return sessions
        local: pd.Series = sessions.dt.tz_localize("UTC").dt.tz_convert(self.zone)
        return local


def _nothing(events: Bools) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class StudySample:
    """The input of a run: the table of all events, and the usable events as integers in panels.

    Attributes
    ----------
    event_table : EventTable
    panels : sequence of Panel or DeferredPanel
    placed : Placed
        The n usable events.
    sample : Sample
        Windows, groups and clusters.
    calendars : mapping from name to Calendar
    n_valid : int array (n,)
        Valid days of each estimation window.
    clustering : Clustering
        How the events with enough valid days share calendar days.
    other_zone : float array (n,)
        1 if the benchmark closes in another time zone than the security, 0 if not, NaN if unknown or if the model has
        no benchmark.
    notes, warnings : tuple of str
        Remarks on the data; ``StudyRun.run`` issues the warnings.
    implausible : function from a mask (n,) to tuple of str
        Remarks on prices in the windows of these events.
    """

    event_table: EventTable
    panels: Sequence[AnyPanel]
    placed: Placed
    sample: Sample
    calendars: Mapping[str | None, Calendar]
    n_valid: Ints
    clustering: Clustering
    other_zone: Floats
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    implausible: Callable[[Bools], tuple[str, ...]] = _nothing
