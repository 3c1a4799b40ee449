r"""Corrado-Zivney: the rank test with event days freed of the variance that the event brings.

.. math:: X_{it} = \frac{AR_{it}}{s_i} \text{ on estimation days}, \quad
          X_{it} = \frac{AR_{it} / s_i}{sd_{N-1,t}(AR / s)} \text{ on event days}

          U_{it} = \frac{rank(X_{it})}{1 + T_i} - \frac12, \quad
          S^2 = \frac1T \sum_t \Big[ n_t^{-1/2} \sum_i U_{it} \Big]^2, \quad
          Z_W = \frac{\sum_{t \in W} n_t^{-1/2} \sum_i U_{it}}{\sqrt L \, S} \sim N(0, 1)

The standard deviation of an event day is across the events that are valid on it. Without it, an event that makes
returns wilder puts them at both ends of the ranks. A day with fewer than 2 events, or with returns that are all alike,
has none: it is left out of the ranks, and a window with such a day has no value. The columns carry what events on one
date have in common; dates that overlap in part are not allowed for. Every day of a window weighs alike, so a reaction
of one day is lost in a long window: ``grank_t`` ranks the window as a whole. Corrado & Zivney (1992, JFQA 27:465);
windows as in Cowan (1992, Review of Quantitative Finance and Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING, ranks
from eventstudy.core.sums import by_group, mean_and_sd
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict

DIGITS = 10  # after which all is rounding: two events with opposite returns are one and the same spread apart every day


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by column, with their counts."""
    days = prior["day_moments"]
    _, sd = mean_and_sd(days["n"], days["sar"], days["sar2"])
    spread = sd[abnormal.block.group]
    scale = np.column_stack([np.ones((len(spread), abnormal.n_est)), spread]) * abnormal.sigma[:, None]
    ok = abnormal.ok & np.isfinite(scale)
    x = np.divide(abnormal.ar, scale, out=np.zeros_like(scale), where=ok)
    place = ranks(x.round(DIGITS), ok) / (1.0 + ok.sum(axis=1))[:, None] - 0.5
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
    return verdict(
        divide(column[:, n_est:] @ weights.T, np.sqrt(seen) * deviation[:, None]),
        n,
        undefined=[
            (n < 1, "no event"),
            (seen < weights.sum(axis=1), "a day of the window has fewer than 2 events, or returns that do not differ"),
            (deviation[:, None] <= ROUNDING, "the ranks do not vary"),
        ],
    )


TEST = Test(chunk, finalize, needs=("day_moments",), shares=("moments",), survives="same_day")
