"""Some hundred events at a time: their returns, what a model makes of them, and their scores."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from eventstudy.types.arrays import Bools, Floats, Ints, check_shape


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
        check_shape("Block.ok", self.ok, self.r.shape)
        check_shape("Block.x", self.x, (*self.r.shape, self.x.shape[2]))
        for name in ("id", "cluster", "group", "weight"):
            check_shape(f"Block.{name}", getattr(self, name), self.r.shape[:1])

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
    def whole(self) -> bool:
        """Whether no cell is missing."""
        return self.block.whole if self.ok is self.block.ok else bool(self.ok.all())

    def take(self, rows: Bools) -> Abnormal:
        """Keep the events of a mask (N,)."""
        return replace(self, **_rows(self, rows), block=replace(self.block, **_rows(self.block, rows)))


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


def _rows(made: Block | Abnormal, rows: Bools) -> dict[str, Any]:
    return {f.name: v[rows] for f in fields(made) if isinstance(v := getattr(made, f.name), np.ndarray)}
