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

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING, ranks
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by column, with their counts."""
    ok = abnormal.ok
    place = ranks(abnormal.ar, ok) / (1.0 + ok.sum(axis=1))[:, None] - 0.5
    return {"u": by_group(abnormal, np.where(ok, place, 0.0)), "n": by_group(abnormal, ok)}


def finalize(state: State, sample: Sample) -> Verdict:
    """Sum the columns of a window over the deviation of all columns."""
    weights = sample.spec.weights
    column = np.nan_to_num(divide(state["u"], np.sqrt(state["n"])))
    n_columns = (state["n"] > 0).sum(axis=1)
    deviation = np.sqrt((column**2).sum(axis=1) / np.maximum(n_columns, 1))
    n_est = sample.spec.n_est
    seen = (state["n"][:, n_est:] > 0) @ weights.T
    n = sample.shared["moments"]["n"]
    statistic = divide(column[:, n_est:] @ weights.T, np.sqrt(seen) * deviation[:, None])
    return verdict(
        statistic,
        n,
        undefined=[
            (n < 1, "no event"),
            (seen < weights.sum(axis=1), "a day of the window has no valid return"),
            (deviation[:, None] <= ROUNDING, "the ranks do not vary"),
        ],
    )


TEST = Test(chunk, finalize, shares=("moments",), survives="same_day")
