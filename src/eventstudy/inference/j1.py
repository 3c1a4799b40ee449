r"""J1: the mean CAR over its standard error from the estimation windows.

.. math:: J_1 = \frac{\overline{CAR}}{\sqrt{\sum_i s_i^2 V_i / N^2}} \sim N(0, 1)

with V_i the forecast variance factor of the window. Every event has the same weight, so that the most volatile shares
dominate; ``j2`` standardises each CAR first. Assumes that the event does not change the variance of returns and that
events do not share days. MacKinlay (1997, Journal of Economic Literature 35:13).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Return no state: the moments are shared."""
    return {}


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum of CARs by the root of the sum of their variances."""
    moments = sample.shared["moments"]
    n = moments["n"]
    return verdict(divide(moments["car"], np.sqrt(moments["var"])), n, undefined=[(n < 1, "no event")])


TEST = Test(
    chunk,
    finalize,
    shares=("moments",),
    robust_to=("long_window",),
    fails_under=("event_variance", "autocorrelation"),
    one_event=True,
)
