r"""Patell: the sum of standardised abnormal returns over its theoretical standard deviation.

.. math:: Z_W = N^{-1/2} \sum_i \frac{\sum_{t \in W} SAR_{it}}{\sqrt{L_i (M_i - k_i) / (M_i - k_i - 2)}} \sim N(0, 1)

SAR includes the forecast correction, without which the test rejects 13.7 % at nominal 5 % on a day with a large market
move. Assumes that the event does not change the variance of returns and that events do not share days. The variance of
a window is summed from its days as if their errors were independent, but all share the error of the coefficients: with
120 days of estimation the test rejects 9 % over 60 days and 17 % over 120. ``j2`` includes it. Patell (1976, Journal of
Accounting Research 14:246).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.scores import patell_z
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum the Z of single events, with their number."""
    z, ok = patell_z(scores, abnormal)
    return {"z": by_group(abnormal, z), "n": by_group(abnormal, ok)}


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum by the root of the number of events."""
    n = state["n"]
    return verdict(
        divide(state["z"], np.sqrt(n)), n, undefined=[(n < 1, "no event with more than 2 degrees of freedom")]
    )


TEST = Test(chunk, finalize, fails_under=("event_variance", "autocorrelation", "long_window"), one_event=True)
