r"""Corrado-Zivney: the rank test with event days adjusted for event-induced variance.

.. math:: X_{it} = \frac{AR_{it}}{s_i} \text{ on estimation days}, \quad
          X_{it} = \frac{AR_{it} / s_i}{sd_{N-1,t}(AR / s)} \text{ on event days}

          U_{it} = \frac{rank(X_{it})}{1 + T_i} - \frac12, \quad
          S^2 = \frac1T \sum_t \Big[ n_t^{-1/2} \sum_i U_{it} \Big]^2, \quad
          Z_W = \frac{\sum_{t \in W} n_t^{-1/2} \sum_i U_{it}}{\sqrt L \, S} \sim N(0, 1)

The standard deviation of an event day is taken across the events that are valid on it. Without it, an event that makes
returns more volatile moves them to both ends of the ranks. It does not exist for a day with fewer than 2 events or with
equal returns: that day is not ranked, and a window that contains it has no value. S contains the dependence of events
on the same date; dates that overlap in part are not allowed for. Every day of a window has the same weight, so a
reaction on one day is diluted in a long window: ``grank_t`` ranks the window as a whole. Corrado & Zivney (1992, JFQA
27:465); windows as in Cowan (1992, Review of Quantitative Finance and Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.ranks import rank_test, sum_ranks_by_day
from eventstudy.core.sums import mean_and_sd
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict

DIGITS = 10  # of x: beyond them two events with opposite returns differ from day to day by rounding error only


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by day, with counts."""
    days = prior["day_moments"]
    _, sd = mean_and_sd(days["n"], days["sar"], days["sar2"])
    spread = sd[abnormal.block.group]
    scale = np.column_stack([np.ones((len(spread), abnormal.n_est)), spread]) * abnormal.sigma[:, None]
    ok = abnormal.ok & np.isfinite(scale)
    x = np.divide(abnormal.ar, scale, out=np.zeros_like(scale), where=ok)
    return sum_ranks_by_day(abnormal, x.round(DIGITS), ok)


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum of a window's days by the standard deviation of all days."""
    return rank_test(state, sample, "a day of the window has fewer than 2 events, or returns that do not differ")


TEST = Test(
    chunk,
    finalize,
    needs=("day_moments",),
    shares=("moments",),
    survives="same_day",
    robust_to=("event_variance", "non_normality"),
)
