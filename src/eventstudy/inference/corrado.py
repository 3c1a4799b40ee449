r"""Corrado's rank test, with missing returns as in Corrado & Zivney.

.. math:: U_{it} = \frac{rank_{it}}{1 + T_i} - \frac12, \quad
          S^2 = \frac1T \sum_t \Big[ n_t^{-1/2} \sum_i U_{it} \Big]^2, \quad
          Z_W = \frac{\sum_{t \in W} n_t^{-1/2} \sum_i U_{it}}{\sqrt L \, S} \sim N(0, 1)

Each event's valid estimation and event days are ranked together. S is computed over all T days, with the known mean 0
and divisor T. It contains the dependence of events on the same date; dates that overlap in part are not allowed for.
Corrado (1989, Journal of Financial Economics 23:385), Corrado & Zivney (1992, JFQA 27:465); windows as in Cowan
(1992, Review of Quantitative Finance and Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

from eventstudy.core.ranks import rank_test, sum_ranks_by_day
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by day, with counts."""
    return sum_ranks_by_day(abnormal, abnormal.ar, abnormal.ok)


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum of a window's days by the standard deviation of all days."""
    return rank_test(state, sample, "a day of the window has no valid return")


TEST = Test(
    chunk,
    finalize,
    shares=("moments",),
    survives="same_day",
    robust_to=("non_normality",),
    fails_under=("event_variance", "autocorrelation"),
)
