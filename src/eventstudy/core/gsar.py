r"""Generalised standardised abnormal returns: the cumulative return of a window as one more day of its event.

.. math:: GSAR_{it} = \frac{e_{it}}{s_i \sqrt{1 - |h_{it}|^2}} \text{ on estimation days}, \quad
          GSAR_{i0} = \frac{SCAR_i}{sd_{N-1}(SCAR)}

The cumulative day is called day 0. Ranks and signs within an event can then test a whole window as they test a day.
Kolari & Pynnonen (2011, Journal of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING
from eventstudy.core.scores import standardise
from eventstudy.core.sums import Rows, by_group, mean_and_sd, valid_days, weighted
from eventstudy.types import Abnormal, Bools, Floats, Sample, Scores, State, Verdict

FEWEST = 8  # events


@dataclass(frozen=True)
class Gsar:
    """The GSARs of each event: those of its estimation days, and one of day 0 for each window.

    ``estimation`` (N, M) has the mask ``ok``, and ``complete`` says that no day is missing; ``day_zero`` (N, V) has
    the mask ``usable``. ``n_days`` (N,) counts the valid days, day 0 included: T_i.
    """

    estimation: Floats
    ok: Bools
    complete: bool
    day_zero: Floats
    usable: Bools
    n_days: Floats

    def above_day_zero(self, window: int) -> Floats:
        """Mark the estimation days above day 0 with 1, and those equal to it with 1/2, (N, M)."""
        zero = self.day_zero[:, window, None]
        above = (self.estimation > zero).astype(np.float64)
        equal = self.estimation == zero
        if equal.any():
            above += 0.5 * equal
        if not self.complete:
            above *= self.ok
        return above


def gsar(scores: Scores, abnormal: Abnormal, moments: State) -> Gsar:
    """Standardise the days of a block's events; ``moments`` of the whole sample give the spread of the SCARs."""
    _, sd = mean_and_sd(moments["n"], moments["z"], moments["z2"])
    spread = sd[abnormal.block.group]
    usable = scores.ok & np.isfinite(spread)
    day_zero = np.divide(scores.z, spread, out=np.zeros_like(scores.z), where=usable)
    estimation, _ = standardise(abnormal)
    ok = abnormal.ok[:, : abnormal.n_est]
    return Gsar(estimation, ok, abnormal.complete, day_zero, usable, 1.0 + valid_days(abnormal))


def sum_scores(abnormal: Abnormal, days: Gsar, score: Callable[[int], tuple[Floats, Floats, Floats]]) -> State:
    """Sum the scores of each window's days by column, and count the events: leaves (G, V, M + 1), day 0 last.

    ``score`` (window) returns weights (N,), and the scores that they multiply: of the estimation days (N, M), 0 where
    not ok, and of day 0 (N,). An event whose CAR in the window is missing has weight 0.
    """
    u = []
    for v in range(days.day_zero.shape[1]):
        weights, estimation, zero = score(v)
        parts = [weighted(abnormal, days.usable[:, v] * weights, values) for values in (estimation, zero[:, None])]
        u.append(np.hstack([part.values for part in parts]))
    n = _count_events(abnormal, days)
    return {"u": replace(n, values=np.stack(u, axis=1)), "n": n}


def _count_events(abnormal: Abnormal, days: Gsar) -> Rows:
    """Count the events by column and window, (G, V, M + 1), day 0 last."""
    zero = by_group(abnormal, days.usable)
    if days.complete:
        return replace(zero, values=np.repeat(zero.values[..., None], days.ok.shape[1] + 1, axis=2))
    ok = days.ok.astype(np.float64)
    estimation = [weighted(abnormal, usable, ok).values for usable in days.usable.T.astype(np.float64)]
    return replace(zero, values=np.concatenate([np.stack(estimation, axis=1), zero.values[..., None]], axis=2))


def finalize(state: State, sample: Sample) -> Verdict:
    r"""Compare the mean score of day 0 with the standard deviation of the mean scores of all days.

    .. math:: S^2 = \frac1T \sum_t \frac{n_t}{n} \bar U_t^2, \quad Z = \bar U_0 / S, \quad
              t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}} \sim t(\min(N - 1, T - 2))

    The SCAR of day 0 is divided by a standard deviation of N - 1 degrees of freedom, which bound those of t.
    """
    count = state["n"]
    n = count[..., -1]
    mean = np.nan_to_num(divide(state["u"], count))
    n_columns = np.maximum((count > 0).sum(axis=-1), 1)  # a day on which no event is valid does not count
    share = np.nan_to_num(divide(count, n[..., None]))
    deviation = np.sqrt((share * mean**2).sum(axis=-1) / n_columns)
    z = np.nan_to_num(divide(mean[..., -1], deviation))
    remainder = n_columns - 1 - z**2
    return verdict(
        z * np.sqrt(divide(n_columns - 2.0, np.maximum(remainder, 0.0))),
        n,
        df=np.minimum(n - 1.0, n_columns - 2.0),
        undefined=[
            (n < 2, "fewer than 2 events with standardised CARs that differ"),
            (n < FEWEST, f"fewer than {FEWEST} events: ranks and signs of so few do not follow the distribution"),
            (deviation <= ROUNDING, "the ranks or signs do not vary"),
            (remainder <= 0, "day 0 alone makes up the whole variance of the ranks or signs"),
        ],
    )
