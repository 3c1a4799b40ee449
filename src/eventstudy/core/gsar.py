r"""Generalised standardised abnormal returns: a window's cumulative return as one more day of its event.

.. math:: GSAR_{it} = \frac{e_{it}}{s_i \sqrt{1 - |h_{it}|^2}} \text{ on estimation days}, \quad
          GSAR_{i0} = \frac{SCAR_i}{sd_{N-1}(SCAR)}

so that ranks and signs within an event can judge a whole window as they judge a day. Kolari & Pynnonen (2011, Journal
of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING
from eventstudy.core.scores import standardised
from eventstudy.core.sums import by_group, mean_and_sd
from eventstudy.types import Abnormal, Bools, Floats, Sample, Scores, State, Verdict


@dataclass(frozen=True)
class Gsar:
    """The days of each event: its estimation days, and a cumulative day 0 for each window.

    ``before`` (N, M) with mask ``ok``; ``zero`` (N, V) with mask ``usable``.
    """

    before: Floats
    ok: Bools
    zero: Floats
    usable: Bools

    @property
    def n_days(self) -> Floats:
        """Valid days of each event, day 0 included: T_i, (N,)."""
        return np.asarray(1.0 + self.ok.sum(axis=1))

    @property
    def valid(self) -> Bools:
        """Valid days in the order of the columns, day 0 last, (N, M + 1)."""
        return np.column_stack([self.ok, np.ones(len(self.ok), dtype=bool)])

    def above(self, window: int) -> Floats:
        """Say which estimation days are above day 0, one half where they equal it, (N, M)."""
        zero = self.zero[:, window, None]
        return np.where(self.ok, (self.before > zero) + 0.5 * (self.before == zero), 0.0)


def gsar(scores: Scores, abnormal: Abnormal, moments: State) -> Gsar:
    """Standardise the days of some events; ``moments`` are those of the whole sample, for the spread of SCAR."""
    _, sd = mean_and_sd(moments["n"], moments["z"], moments["z2"])
    spread = sd[abnormal.block.group]
    usable = scores.ok & np.isfinite(spread)
    zero = np.divide(scores.z, spread, out=np.zeros_like(scores.z), where=usable)
    before, _ = standardised(abnormal)
    return Gsar(before, abnormal.ok[:, : abnormal.n_est], zero, usable)


def columns(abnormal: Abnormal, days: Gsar, score: Callable[[Gsar, int], Floats]) -> State:
    """Sum what ``score`` makes of each window's days (N, M + 1) by column, and count: leaves (G, V, M + 1), 0 last."""
    valid = days.usable[:, :, None] & days.valid[:, None]
    scored = np.stack([score(days, v) for v in range(days.zero.shape[1])], axis=1)
    return {"u": by_group(abnormal, np.where(valid, scored, 0.0)), "n": by_group(abnormal, valid)}


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
