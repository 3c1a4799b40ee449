"""A few hundred events at a time: their returns, the fit of a model, and their scores."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from eventstudy.types.arrays import Bools, Floats, Ints, check_shape

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Grouping(NamedTuple):
    """The events of each number: ``numbers`` (n,) without repetition, and of which events ``of`` (N,) they are.

    Those of the n-th number are ``of[ends[n]:ends[n + 1]]``. The product of ``matrix`` (n, N), which is 1 where the
    number is the event's, and values (N, M) are their sums by number. It is several times faster than
    ``numpy.add.reduceat``, most of all where numbers have few events.
    """

    numbers: Ints
    of: Ints
    ends: Ints
    matrix: csr_array[np.float64, tuple[int, int]] | Floats


def grouping(number: Ints) -> Grouping:
    """Find the events of each number (N,).

    Examples
    --------
    >>> found = grouping(np.array([7, 3, 7]))
    >>> found.numbers.tolist(), (found.matrix @ np.array([1.0, 5.0, 2.0])).tolist()
    ([3, 7], [5.0, 3.0])
    """
    from scipy.sparse import csr_array

    of = np.argsort(number, kind="stable")
    ordered = number[of]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    ends, shape = np.append(first, len(number)), (len(first), len(number))
    ones = np.ones(shape[1])
    return Grouping(ordered[first], of, ends, ones[None] if len(first) == 1 else csr_array((ones, of, ends), shape))


@dataclass(frozen=True)
class Block:
    """A few hundred events of one panel; the estimation window is the prefix of the L columns.

    ``r`` (N, L), ``ok`` (N, L), ``x`` (N, L, K); ``id``, ``cluster``, ``group`` and ``weight`` (N,), with
    ``n_clusters`` and ``n_groups`` of the whole sample. A cell that is not ok may hold any value. ``gap`` is the number
    of sessions between estimation and event window, which the block omits; ``peers`` (N, L, D) are the returns of other
    securities, NaN where missing, and their number D may differ between blocks. ``in_own_window`` (N, n_evt) is True
    where an event day lies in the event-specific event window; None stands for all days. ``sign`` (N,) is the expected
    sign of each event's abnormal return, 0 where there is none; None in a study without signs. In a run ``r``, ``ok``,
    ``x`` and ``peers`` are read-only.
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
    in_own_window: Bools | None = None
    sign: Floats | None = None

    def __post_init__(self) -> None:
        check_shape("Block.ok", self.ok, self.r.shape)
        check_shape("Block.x", self.x, (*self.r.shape, self.x.shape[2]))
        for name in ("id", "cluster", "group", "weight"):
            check_shape(f"Block.{name}", getattr(self, name), self.r.shape[:1])

    @cached_property
    def complete(self) -> bool:
        """Whether no cell is missing, so that no mask is needed."""
        return bool(self.ok.all())

    @cached_property
    def n_valid(self) -> Ints:
        """Valid days of each estimation window, (N,)."""
        return np.full(len(self.r), self.n_est) if self.complete else self.ok[:, : self.n_est].sum(axis=1)

    @cached_property
    def by_cluster(self) -> Grouping:
        """The events of each cluster of the block."""
        return grouping(self.cluster)

    @cached_property
    def by_group(self) -> Grouping:
        """The events of each group of the block."""
        return grouping(self.group)

    def zero_missing(self, values: Floats | float) -> Floats:
        """Return values (N, L), or one number for all cells, with 0 where not ok; unchanged if no cell is missing."""
        return np.asarray(values if self.complete else np.where(self.ok, values, 0.0))


@dataclass(frozen=True)
class Abnormal:
    """The fit of a model to a block: residuals in the prefix, abnormal returns in the suffix.

    ``ar`` (N, L), 0 where not ``ok`` (N, L); ``sigma`` (N,) residual standard deviation with divisor ``dof`` (N,);
    ``h`` (N, L, P) = X chol((X'X)^-1), so that for weights w over event days
    ``Var(w.AR) = sigma^2 (w.w + |w'h|^2)`` and ``|h|^2`` is the leverage of an estimation day; ``coef`` (N, P);
    ``r2`` (N,); ``status`` (N,) of Status; ``block`` the fitted block, with the raw returns.

    ``v`` (N, L) is the variance of each day in units of ``sigma^2``, for models with a variance path: then
    ``Var(w.AR) = sigma^2 (w^2.v + |w'h|^2)``; None stands for ones. ``placebos`` (N, D, n_evt) are the abnormal returns
    of D untreated securities, each divided by its sigma, NaN where missing, for models that rank the event among them.
    ``sign`` (N,) is the sign, 1 or -1, by which ``ar`` is multiplied (:meth:`signed`), None if it is not.
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
    sign: Floats | None = None

    def __post_init__(self) -> None:
        check_shape("Abnormal.ok", self.ok, self.ar.shape)
        if self.v is not None:
            check_shape("Abnormal.v", self.v, self.ar.shape)
        check_shape("Abnormal.h", self.h, (*self.ar.shape, self.h.shape[-1]))
        for name in ("sigma", "dof", "r2", "status"):
            check_shape(f"Abnormal.{name}", getattr(self, name), self.ar.shape[:1])

    @property
    def n_est(self) -> int:
        """Columns of the estimation window."""
        return self.block.n_est

    @cached_property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return self.block.complete if self.ok is self.block.ok else bool(self.ok.all())

    def take(self, rows: Bools) -> Abnormal:
        """Select the events of a mask (N,)."""
        return replace(self, **_rows(self, rows), block=replace(self.block, **_rows(self.block, rows)))

    def signed(self) -> Abnormal:
        """Multiply ``ar`` by the expected sign of each event; events of sign 0 are left out.

        Without ``Block.sign`` the abnormal returns are returned unchanged.
        """
        sign = self.block.sign
        if sign is None:
            return self
        counted = self if sign.all() else self.take(sign != 0.0)
        sign = sign[sign != 0.0]
        return replace(counted, ar=counted.ar * sign[:, None], sign=sign)


@dataclass(frozen=True)
class Scores:
    """Cumulative abnormal returns over all windows: each (N, V), 0 where not ``ok``.

    ``car``, ``var`` its forecast variance, ``z = car / sqrt(var)``, ``n_days`` valid days; ``weights`` (V, n_evt) are 1
    where a day lies in a window.
    """

    car: Floats
    var: Floats
    z: Floats
    n_days: Ints
    ok: Bools
    weights: Floats


def _rows(record: Block | Abnormal, rows: Bools) -> dict[str, Any]:
    """Select the rows of all arrays of a record, by name."""
    return {f.name: v[rows] for f in fields(record) if isinstance(v := getattr(record, f.name), np.ndarray)}
