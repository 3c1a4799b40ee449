"""Inference for a regression across events, some of which share their dates: by clusters, or from other days.

Every kind of covariance is one function from a :class:`Regression` to an :class:`Inference`; ``regress`` and
``compare`` both use them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import special

from eventstudy.analysis.multiplicity import FEWEST, max_t_quantile
from eventstudy.analysis.past import Past
from eventstudy.core.nulls import divide, p_t
from eventstudy.core.slopes import (
    Working,
    column_sizes,
    cr2,
    degrees_of_runs,
    estimate,
    factor_correlation,
    independent,
    standardised,
)
from eventstudy.display import formats
from eventstudy.errors import InputError, NotEnoughData, shown
from eventstudy.types import Floats, Ints

MANY = 10  # dates from which clusters by date are enough for "auto"
FEW = 3  # dates that clusters by date need
WINDOWS = 5  # windows of the length of the CAR's that the days before the event must hold
FOLDS = 5  # parts of the days before the event: the weights of a day are estimated on the other parts
MOST_GLS = 3_000  # events whose covariance is held in memory: 72 MB
ROUNDING = 1e-24  # a variance below this share of a squared coefficient is rounding error
OTHER_DAYS = "cov='placebo' compares with dates drawn from the entire prices"


@dataclass(frozen=True)
class Regression:
    """Observations ``y`` (N,) on a design ``x`` (N, k), of the events at ``rows`` (N,) of ``past``.

    ``weights`` None, "precision" or "gls"; ``se`` (N,) the standard errors of the CARs; ``measure`` their short name;
    ``outcome`` the left side of the formula.
    """

    x: Floats
    y: Floats
    past: Past
    rows: Ints
    measure: str
    weights: str | None = None
    se: Floats | None = None
    outcome: str = "car"

    @cached_property
    def chain(self) -> Ints:
        """The number of each event's cluster: dates whose windows overlap in a chain, or with the same news."""
        return np.unique(self.past.chain[self.rows], return_inverse=True)[1]

    @cached_property
    def day(self) -> Ints:
        """The number of each event's date."""
        return np.unique(self.past.day[self.rows], return_inverse=True)[1]

    @property
    def n_chains(self) -> int:
        """The number of clusters."""
        return int(self.chain.max()) + 1

    @property
    def n_days(self) -> int:
        """The number of dates."""
        return int(self.day.max()) + 1

    def working(self, columns: Ints | slice = slice(None)) -> Working:
        """Return the covariance by which events are weighted, estimated on some of the days before the event."""
        if self.weights is None:
            return Working(np.ones(len(self.y)))
        assert self.se is not None, "weights need the standard errors"
        if self.weights == "precision":
            return Working(self.se)
        if len(self.y) > MOST_GLS:
            raise NotEnoughData(
                f"weights='gls' takes {MOST_GLS:,} events at most, not {len(self.y):,}; use 'precision'"
            )
        return Working(self.se, factor_correlation(self.past.days[self.rows][:, columns], self.day))


class Inference(NamedTuple):
    """Coefficients (k,) with covariance (k, k), degrees of freedom (k,), p-values (k,), and what was done.

    ``effects`` (N, D) are the date effects that were added to the design; their coefficients follow the others.
    ``ranked`` (k, draws) are the coefficients on drawn dates, from which intervals come, in units of ``b``.
    """

    kind: str
    b: Floats
    cov: Floats
    df: Floats
    p: Floats
    note: str
    effects: Floats
    ranked: Floats | None = None

    @property
    def t(self) -> Floats:
        """The coefficients over their standard errors."""
        return divide(self.b, np.sqrt(np.diag(self.cov)))

    def margins(self, level: float) -> Floats:
        """Return half the widths of intervals of a level, (k,)."""
        if self.ranked is None:
            return np.asarray(special.stdtrit(self.df, 0.5 + level / 2) * np.sqrt(np.diag(self.cov)))
        return np.array([max_t_quantile(row[:, None], level) for row in self.ranked])


def by_clusters(its: Regression) -> Inference:
    """Cluster by date: CR2, with the degrees of freedom of Bell & McCaffrey for each coefficient."""
    if its.n_chains < FEW:
        raise NotEnoughData(
            f"{_dates(its)}, and cov='cr2' needs {FEW} dates whose windows do not overlap; use cov='history'"
        )
    working = its.working()
    estimated = estimate(its.x, its.y, working)
    if estimated is None:
        raise NotEnoughData("the coefficients are not identified; leave a term out")
    cov, df = cr2(working.whiten(its.x), estimated.e, its.chain)
    lost = ~np.isfinite(df)
    cancel = ~lost & ~(np.diag(cov) > ROUNDING * np.maximum(estimated.b**2, estimated.s**2))
    cov = np.where(np.logical_or.outer(lost | cancel, lost | cancel), np.nan, cov)
    df = np.where(lost | cancel, np.nan, df)
    note = (
        f"CR2 by date, {its.n_chains} clusters of dates whose windows do not overlap, and the degrees of freedom of"
        " Bell & McCaffrey"
    )
    if lost.any():
        note += "; a coefficient that rests on one cluster alone has no standard error"
    if cancel.any():
        note += "; the residuals of each date cancel out"
    t = divide(estimated.b, np.sqrt(np.diag(cov)))
    return Inference("cr2", estimated.b, cov, df, p_t(t, df), note, np.empty((len(its.y), 0)))


def by_history(its: Regression) -> Inference:
    """Compare with the same regression on the days before the events."""
    _check_outcome(its)
    runs, length = its.past.runs[its.rows], its.past.window[1] - its.past.window[0] + 1
    its, effects, note = _with_date_effects(its, needed=True)
    b, s = _estimate(its)
    q = np.full((its.x.shape[1], runs.shape[1]), np.nan)
    # Weights estimated on the days that they weight would make the slopes of these days too small.
    folds = (
        np.arange(runs.shape[1]) * FOLDS // max(runs.shape[1], 1) if its.weights == "gls" else np.zeros(runs.shape[1])
    )
    for fold in np.unique(folds):
        others = _other_days(its, folds != fold) if its.weights == "gls" else slice(None)
        q[:, folds == fold] = standardised(its.x, runs[:, folds == fold], its.working(others))
    q = q[:, np.isfinite(q).all(axis=0)]
    n = q.shape[1]
    if n < FEWEST or n + length - 1 < WINDOWS * length:
        raise NotEnoughData(
            f"{n} windows of {length} days before the events have enough of their {its.measure}s; cov='history' needs"
            f" {max(FEWEST, (WINDOWS - 1) * length + 1)}: take a longer estimation window, or a shorter window;"
            f" {OTHER_DAYS}"
        )
    cov = s**2 * np.atleast_2d(np.cov(q))
    df = np.full(len(b), degrees_of_runs(n, length))
    step = formats.day_or_bar(its.past.frame["session"])
    past = f"{n} {step}s" if length == 1 else f"{n} runs of {length} {step}s"
    events = "event" if its.n_days == 1 else "events"
    note = f"history: against the same regression on {past} before the {events}{note}"
    return Inference("history", b, cov, df, p_t(divide(b, np.sqrt(np.diag(cov))), df), note, effects)


def by_placebo(its: Regression) -> Inference:
    """Rank the coefficients, over s of their regression, among those on dates drawn at random."""
    _check_outcome(its)
    drawn = its.past.drawn[its.rows]
    its, effects, note = _with_date_effects(its, needed=False)
    b, s = _estimate(its)
    q = standardised(its.x, drawn, its.working())
    q = q[:, np.isfinite(q).all(axis=0)]
    n = q.shape[1]
    if n < FEWEST:
        raise NotEnoughData(
            f"{n} dates drawn at random have enough of the {its.measure}s; cov='placebo' needs {FEWEST}: give longer"
            " prices, or a shorter estimation window"
        )
    n_as_large = (np.abs(q) >= np.abs(b / s)[:, None] * (1 - 1e-12)).sum(axis=1)
    cov = s**2 * np.atleast_2d(np.cov(q))
    note = f"placebo: ranked among the same regression on {n} dates drawn at random{note}"
    df = np.full(len(b), np.nan)
    return Inference("placebo", b, cov, df, (1.0 + n_as_large) / (1.0 + n), note, effects, s * q)


def automatic(its: Regression) -> Inference:
    """Cluster by date from 10 dates on; compare with the days before the events if there are fewer."""
    if its.n_chains >= MANY:
        return by_clusters(its)
    try:
        return by_history(its)
    except (NotEnoughData, InputError) as error:
        reason = str(error)
    if its.n_chains >= FEW:
        clustered = by_clusters(its)
        return clustered._replace(note=f"{clustered.note}; not from history: {reason}")
    raise NotEnoughData(
        f"{_dates(its)}: on fewer than {FEW} the {its.measure}s alone cannot tell a common move from an effect, and"
        f" {reason}"
    )


COVARIANCES = {"auto": automatic, "history": by_history, "cr2": by_clusters, "placebo": by_placebo}


def infer(its: Regression, cov: str) -> Inference:
    """Return the inference of a kind of covariance, in which the units of the terms lose no digits."""
    size = column_sizes(its.x)
    found = COVARIANCES[cov](replace(its, x=its.x / size))
    size = np.append(size, np.ones(found.effects.shape[1]))
    ranked = None if found.ranked is None else found.ranked / size[:, None]
    return found._replace(b=found.b / size, cov=found.cov / np.outer(size, size), ranked=ranked)


def _estimate(its: Regression) -> tuple[Floats, float]:
    estimated = estimate(its.x, its.y, its.working())
    if estimated is None or not estimated.s > 0:
        raise NotEnoughData(
            "the coefficients are not identified, or leave no residual; use fewer terms, or more events"
        )
    return estimated.b, estimated.s


def _other_days(its: Regression, runs: Floats) -> Ints:
    """Return the columns of ``past.days`` in the same folds as a mask of runs, whose days are as many or fewer."""
    n_days = its.past.days.shape[1]
    at = np.minimum(np.arange(n_days) * len(runs) // max(n_days, 1), len(runs) - 1)
    return np.flatnonzero(runs[at])


def _check_outcome(its: Regression) -> None:
    if its.outcome not in ("car", "bhar"):
        raise InputError(
            f"the left side of the formula is {shown(its.outcome)}; other days have a value of 'car' alone: write"
            " 'car ~ ...', or use cov='cr2'"
        )


def _with_date_effects(its: Regression, needed: bool) -> tuple[Regression, Floats, str]:
    """Add an effect for each date to a design with a constant, so that dates' slopes are averaged.

    The effects are centred: the constant remains that of the mean event. If they are not identified, an error is
    raised where ``needed``; else the design is left as it is.
    """
    n = len(its.x)
    none = np.empty((n, 0))
    if its.n_days == 1 or independent(np.column_stack([its.x, np.ones(n)])):
        return its, none, ""
    effects = (its.day[:, None] == np.arange(1, its.n_days)).astype(np.float64)
    effects -= effects.mean(axis=0)
    design = np.column_stack([its.x, effects])
    if n > design.shape[1] and independent(design):
        return replace(its, x=design), effects, f", with an effect for each of {its.n_days} dates"
    if needed:
        raise NotEnoughData(
            f"a term does not vary within the {its.n_days} dates, so that its effect cannot be told from their common"
            f" moves; cov='cr2' clusters by date, from {FEW} dates on; {OTHER_DAYS}"
        )
    return its, none, ", assuming that the common moves of the dates are ordinary"


def _dates(its: Regression) -> str:
    return (
        "the events share one date"
        if its.n_days == 1
        else (f"the events have {its.n_days} dates, {its.n_chains} of them without overlapping windows")
    )
