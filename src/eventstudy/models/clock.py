r"""Clock time: the normal return of a bar is the average of the bars at the same time on earlier days.

.. math:: R_{it} = a_{i,c(t)} + e_{it}, \quad Var(e_{it}) = s_{i,c(t)}^2

with c(t) the local clock time at which bar t starts. Intraday returns are far more volatile at the open and the close
than at noon, and differ in mean; with the same variance for all bars, every opening bar would look like an event. Here
each clock time has a separate mean and variance, estimated over the n days that have it:

.. math:: s_{ic}^2 = \frac{\sum_{c(t) = c} e_{it}^2}{n_{ic} - 1}, \quad
          Var(\textstyle\sum_t w_t AR_{it}) = \sum_t w_t^2 s_{i,c(t)}^2
          + \sum_c \frac{s_{ic}^2}{n_{ic}} \Big(\sum_{c(t) = c} w_t\Big)^2

With ``benchmark=True`` the normal return is :math:`a_{i,c(t)} + \beta_i R_{mt}`, with a single beta from the deviations
of both series from their means at each clock time; its variance allows for the different variances of the clock times
(White 1980, Econometrica 48:817).

Assumes that bars are independent, and that the intraday pattern does not change. p-values are from t; its degrees of
freedom are the smallest number of days, minus one, among the clock times in the event window. An event-window bar whose
clock time has fewer than 5 valid bars in the estimation window, or does not vary there, has no abnormal return. Daily
prices have one clock time, and the model is then the constant mean.

The intraday pattern: Wood, McInish & Ord (1985, Journal of Finance 40:723). Event studies that compare with the same
time on other days: Woodruff & Senchack (1988, Journal of Finance 43:467); Barclay & Litzenberger (1988, Journal of
Financial Economics 21:71).

Examples
--------
>>> import eventstudy as es
>>> es.model("clock", benchmark=True).coefficients
('alpha', 'beta')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Bools, Column, DescribedModel, Floats, Ints, Status

FEWEST = 5  # valid bars that a clock time needs in the estimation window


@dataclass(frozen=True, repr=False)
class Clock(DescribedModel):
    """The mean and the variance of each clock time.

    Parameters
    ----------
    benchmark : bool
        Whether to subtract the benchmark's return of the bar too, with one beta.

    Raises
    ------
    InputError
        When it is not a bool.
    """

    benchmark: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.benchmark, bool):
            raise InputError(f"benchmark of the clock model is {shown(self.benchmark)}; give True or False")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The clock, and the benchmark if that option is set."""
        return (Column("clock"), Column("benchmark")) if self.benchmark else (Column("clock"),)

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha, averaged over the bars of the estimation window that are used, and beta."""
        return ("alpha", "beta") if self.benchmark else ("alpha",)

    def fit(self, block: Block) -> Abnormal:
        """Estimate the means, beta and the variances on the prefix."""
        slots = _slots(block)
        n_est, ok = block.n_est, slots.ok
        r = np.where(ok, block.r, 0.0)
        e, mean = slots.demean(r)
        x, beta = np.zeros_like(r), np.zeros(len(r))
        singular = np.zeros(len(r), dtype=bool)
        centre = np.zeros(len(r))
        if self.benchmark:
            benchmark = np.where(ok, block.x[..., 1], 0.0)
            x, centre = slots.demean(benchmark)
            total = np.einsum("nl,nl->n", benchmark[:, :n_est], benchmark[:, :n_est])
            squares = np.einsum("nl,nl->n", x[:, :n_est], x[:, :n_est])
            singular = squares <= SINGULAR**2 * total
            squares = np.where(singular, 1.0, squares)
            x = x / np.sqrt(squares)[:, None]
            weight = np.einsum("nl,nl->n", x[:, :n_est], e[:, :n_est])
            e = e - weight[:, None] * x
            beta = weight / np.sqrt(squares)
        return _abnormal(self, block, slots, e, x, np.column_stack([mean - beta * centre, beta]), singular)


class _Slots(NamedTuple):
    """The clock times of a block: each bar's ``code`` (N, L), and the valid bars ``n_bars`` of each time (N, S)."""

    code: Ints
    ok: Bools
    n_bars: Ints
    n_est: int

    def sums(self, values: Floats) -> Floats:
        """Sum values (N, L) over the valid estimation bars of each clock time, (N, S)."""
        n, size = self.n_bars.shape
        rows = (np.arange(n)[:, None] * size + self.code)[:, : self.n_est].ravel()
        valid = np.where(self.ok[:, : self.n_est], values[:, : self.n_est], 0.0)
        return np.asarray(np.bincount(rows, valid.ravel(), n * size).reshape(n, size), dtype=np.float64)

    def at(self, values: Floats | Ints) -> Floats:
        """Look up the value (N, S) of each bar's clock time, (N, L)."""
        return np.take_along_axis(values.astype(np.float64), self.code, axis=1)

    def demean(self, values: Floats) -> tuple[Floats, Floats]:
        """Return each bar minus the mean of its clock time (N, L), 0 where not ok, and the mean of all bars (N,)."""
        total = self.sums(values)
        centred = np.where(self.ok, values - self.at(total / np.maximum(self.n_bars, 1)), 0.0)
        centred -= np.where(self.ok, self.at(self.sums(centred) / np.maximum(self.n_bars, 1)), 0.0)  # rounding error
        return centred, total.sum(axis=1) / np.maximum(self.n_bars.sum(axis=1), 1)


def _slots(block: Block) -> _Slots:
    """Assign a number to each clock time, and exclude the bars of those with too few."""
    n_est, ok = block.n_est, block.ok
    times = np.unique(block.x[..., 0][ok])
    code = np.searchsorted(times, np.where(ok, block.x[..., 0], times[0] if len(times) else 0.0))
    slots = _Slots(code, ok, np.zeros((len(code), max(len(times), 1)), dtype=np.int64), n_est)
    count = np.rint(slots.sums(np.ones(code.shape))).astype(np.int64)
    enough = ok & (np.take_along_axis(count, code, axis=1) >= FEWEST)
    return slots._replace(ok=enough, n_bars=np.where(count >= FEWEST, count, 0))


def _abnormal(
    model: Clock, block: Block, slots: _Slots, e: Floats, x: Floats, coef: Floats, singular: Bools
) -> Abnormal:
    """Compute the abnormal returns from residuals, clock times and the benchmark scaled to unit length."""
    n_est, count = block.n_est, slots.n_bars
    squares = slots.sums(e * e)
    total = slots.sums(np.square(np.where(slots.ok, block.r, 0.0)))
    varies = squares > SINGULAR**2 * total
    dof_by_slot = np.where(varies, count - 1.0, 0.0)
    variance = np.where(varies, squares / np.maximum(dof_by_slot, 1.0), 0.0)
    ok = slots.ok & np.take_along_axis(varies, slots.code, axis=1)
    status = np.full(len(e), Status.OK, dtype=np.int64)
    status[~varies.any(axis=1)] = Status.NO_VARIATION
    status[singular] = Status.SINGULAR
    # Without a clock time that has enough bars nothing is estimated.
    too_few = ~slots.ok[:, :n_est].any(axis=1) | (block.ok[:, n_est:].any(axis=1) & ~slots.ok[:, n_est:].any(axis=1))
    status[too_few] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    pooled = np.where(varies, squares, 0.0).sum(axis=1) / np.maximum(dof_by_slot.sum(axis=1), 1.0)
    sigma2 = np.where(known, pooled, 1.0)
    v = np.where(ok, slots.at(variance) / sigma2[:, None], 1.0)
    dof = np.where(ok[:, n_est:], slots.at(dof_by_slot)[:, n_est:], np.inf).min(axis=1)
    dof = np.where(np.isfinite(dof), dof, dof_by_slot.sum(axis=1)) - (x != 0).any(axis=1)
    ar = np.where(ok, e, 0.0)
    h = _forecast_factor(slots, ok, v, x)
    coef = np.where(known[:, None], coef[:, : len(model.coefficients)], np.nan)
    sigma = np.where(known, np.sqrt(sigma2), np.nan)
    r2 = _r2(slots, block, e, known)
    return Abnormal(block, ar, ok, sigma, np.maximum(dof, 0.0), h, coef, r2, status, v=v)


def _forecast_factor(slots: _Slots, ok: Bools, v: Floats, x: Floats) -> Floats:
    """Return h (N, L, n_evt + 1): a column for each clock time of the event window, and one for beta.

    Bars of one clock time share the error of its mean. For estimation bars only the length of a row of h matters.
    """
    n_est, n_evt = slots.n_est, ok.shape[1] - slots.n_est
    share = np.where(ok, np.sqrt(v / np.maximum(slots.at(slots.n_bars), 1.0)), 0.0)
    h = np.zeros((*ok.shape, n_evt + 1))
    h[:, :n_est, 0] = share[:, :n_est]
    code = np.where(ok, slots.code, -1)[:, n_est:]
    first = (code[:, :, None] == code[:, None, :]).argmax(axis=2)
    np.put_along_axis(h[:, n_est:], first[..., None], share[:, n_est:, None], axis=2)
    prefix = np.where(ok[:, :n_est], x[:, :n_est], 0.0)
    scale = np.sqrt(np.einsum("nl,nl,nl->n", prefix, prefix, v[:, :n_est]))  # x has unit length
    h[..., -1] = np.where(ok, x, 0.0) * scale[:, None]
    return h


def _r2(slots: _Slots, block: Block, e: Floats, known: Bools) -> Floats:
    """Return the share of the variance about a single mean that clock times and the benchmark explain, (N,)."""
    ok = slots.ok[:, : slots.n_est]
    r = np.where(ok, block.r[:, : slots.n_est], 0.0)
    mean = r.sum(axis=1) / np.maximum(ok.sum(axis=1), 1)
    total = np.square(np.where(ok, r - mean[:, None], 0.0)).sum(axis=1)
    rss = np.square(e[:, : slots.n_est]).sum(axis=1)
    return np.asarray(1.0 - np.divide(rss, total, out=np.full(len(e), np.nan), where=known))


MODEL = Clock()
