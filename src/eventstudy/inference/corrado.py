r"""Corrado's rank test, with missing returns as in Corrado & Zivney.

.. math:: U_{it} = \frac{rank_{it}}{1 + T_i} - \frac12, \quad
          S^2 = \frac1T \sum_t \Big[ n_t^{-1/2} \sum_i U_{it} \Big]^2, \quad
          Z_W = \frac{\sum_{t \in W} n_t^{-1/2} \sum_i U_{it}}{\sqrt L \, S} \sim N(0, 1)

Ranks are within the event, over its valid estimation and event days; S is over all T of them, with the known mean
and divisor T. The columns carry what events on one date have in common; dates that overlap in part are not allowed
for. Corrado (1989, Journal of Financial Economics 23:385), Corrado & Zivney (1992, JFQA 27:465); windows as in Cowan
(1992, Review of Quantitative Finance and Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

from eventstudy.core.ranks import by_day, sum_of_days
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by day, with their counts."""
    return by_day(abnormal, abnormal.ar, abnormal.ok)


def finalize(state: State, sample: Sample) -> Verdict:
    """Sum the days of a window over the deviation of all days."""
    return sum_of_days(state, sample, "a day of the window has no valid return")


TEST = Test(
    chunk,
    finalize,
    shares=("moments",),
    survives="same_day",
    robust_to=("non_normality",),
    fails_under=("event_variance", "autocorrelation"),
)
