r"""Adjusted BMP: the standardised cross-sectional test for events that share days.

.. math:: t = t_{BMP} \sqrt{\frac{1 - r}{1 + (N - 1) r}} \sim t(N - 1)

with r the mean correlation of the events' residuals, each pair weighted by the share of the window that its two events
have in common on the calendar (:mod:`eventstudy.core.overlap`). If all events share one date, it is the statistic of
Kolari & Pynnonen (2010, Review of Financial Studies 23:3996). With dates that overlap in part it keeps its size, which
pairing residuals in event time does not. With r = 0 it is ``bmp``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import mean_and_sd
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Return no state: moments and correlation are shared."""
    return {}


def finalize(state: State, sample: Sample) -> Verdict:
    """Shrink the BMP statistic by the variance that common days add."""
    moments = sample.shared["moments"]
    r = sample.shared["overlap"]["windows"]
    n = moments["n"]
    mean, sd = mean_and_sd(n, moments["z"], moments["z2"])
    inflation = 1.0 + (n - 1.0) * r
    shrink = np.sqrt(np.maximum(divide(1.0 - r, inflation), 0.0))
    result = verdict(
        divide(mean * np.sqrt(n), sd) * shrink,
        n,
        df=n - 1,
        undefined=[
            (n < 2, "fewer than 2 events"),
            (np.isnan(sd), "the standardised CARs are all equal"),
            (inflation <= 0, "the mean correlation is so negative that the variance is not positive"),
            (r >= 1, "the residuals of all events are the same"),
        ],
    )
    known = np.isfinite(result.statistic)
    result.note[known] = [f"mean correlation {value:.4f}" for value in r[known]]
    return result


TEST = Test(
    chunk,
    finalize,
    shares=("moments", "overlap"),
    survives="overlap",
    robust_to=("event_variance", "autocorrelation"),
)
