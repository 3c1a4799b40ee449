r"""Generalised standardised abnormal returns: a window's cumulative return as one more day of its event.

.. math:: GSAR_{it} = \frac{e_{it}}{s_i \sqrt{1 - |h_{it}|^2}} \text{ on estimation days}, \quad
          GSAR_{i0} = \frac{SCAR_i}{sd_{N-1}(SCAR)}

so that ranks and signs within an event can judge a whole window as they judge a day. Kolari & Pynnonen (2011, Journal
of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING
from eventstudy.core.scores import standardised
from eventstudy.core.sums import Rows, by_group, mean_and_sd, valid_days, weighted
from eventstudy.types import Abnormal, Bools, Floats, Sample, Scores, State, Verdict


@dataclass(frozen=True)
class Gsar:
    """The days of each event: its estimation days, and a cumulative day 0 for each window.

    ``before`` (N, M) with mask ``ok``, and ``whole`` where none is missing; ``zero`` (N, V) with mask ``usable``;
    ``n_days`` (N,) are the valid days, day 0 included: T_i.
    """

    before: Floats
    ok: Bools
    whole: bool
    zero: Floats
    usable: Bools
    n_days: Floats

    def above(self, window: int) -> Floats:
        """Say which estimation days are above day 0, one half where they equal it, (N, M)."""
        zero = self.zero[:, window, None]
        above = (self.before > zero).astype(np.float64)
        equal = self.before == zero
        if equal.any():
            above += 0.5 * equal
        if not self.whole:
            above *= self.ok
        return above


def gsar(scores: Scores, abnormal: Abnormal, moments: State) -> Gsar:
    """Standardise the days of some events; ``moments`` are those of the whole sample, for the spread of SCAR."""
    _, sd = mean_and_sd(moments["n"], moments["z"], moments["z2"])
    spread = sd[abnormal.block.group]
    usable = scores.ok & np.isfinite(spread)
    zero = np.divide(scores.z, spread, out=np.zeros_like(scores.z), where=usable)
    before, _ = standardised(abnormal)
    ok = abnormal.ok[:, : abnormal.n_est]
    return Gsar(before, ok, abnormal.whole, zero, usable, 1.0 + valid_days(abnormal))


def summed(abnormal: Abnormal, days: Gsar, score: Callable[[int], tuple[Floats, Floats, Floats]]) -> State:
    """Sum the scores of each window's days by column, and count: leaves (G, V, M + 1), day 0 last.

    ``score`` (window) gives weights (N,), what they weigh of the estimation days (N, M), 0 where not ok, and of day 0
    (N,). Events whose CAR in the window is missing have no weight.
    """
    u = []
    for v in range(days.zero.shape[1]):
        weights, before, zero = score(v)
        parts = [weighted(abnormal, days.usable[:, v] * weights, values) for values in (before, zero[:, None])]
        u.append(np.hstack([part.values for part in parts]))
    n = _counts(abnormal, days)
    return {"u": replace(n, values=np.stack(u, axis=1)), "n": n}


def _counts(abnormal: Abnormal, days: Gsar) -> Rows:
    """Count the events by column and window, (G, V, M + 1), day 0 last."""
    zero = by_group(abnormal, days.usable)
    if days.whole:
        return replace(zero, values=np.repeat(zero.values[..., None], days.ok.shape[1] + 1, axis=2))
    ok = days.ok.astype(np.float64)
    before = [weighted(abnormal, its, ok).values for its in days.usable.T.astype(np.float64)]
    return replace(zero, values=np.concatenate([np.stack(before, axis=1), zero.values[..., None]], axis=2))


def finalize(state: State, sample: Sample) -> Verdict:
    r"""Compare the mean score of day 0 with the deviation of all columns' means.

    .. math:: S^2 = \frac1T \sum_t \frac{n_t}{n} \bar U_t^2, \quad Z = \bar U_0 / S, \quad
              t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}} \sim t(T - 2)
    """
    count = state["n"]
    n = count[..., -1]
    mean = np.nan_to_num(divide(state["u"], count))
    n_columns = np.maximum((count > 0).sum(axis=-1), 1)  # a day on which no event is valid is none
    share = np.nan_to_num(divide(count, n[..., None]))
    deviation = np.sqrt((share * mean**2).sum(axis=-1) / n_columns)
    z = np.nan_to_num(divide(mean[..., -1], deviation))
    room = n_columns - 1 - z**2
    return verdict(
        z * np.sqrt(divide(n_columns - 2.0, np.maximum(room, 0.0))),
        n,
        df=n_columns - 2.0,
        undefined=[
            (n < 2, "fewer than 2 events with standardised CARs that differ"),
            (deviation <= ROUNDING, "the ranks or signs do not vary"),
            (room <= 0, "day 0 alone makes up the whole variance of the ranks or signs"),
        ],
    )
