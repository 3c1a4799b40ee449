r"""Adjusted Patell: Patell's Z for events that share days.

.. math:: Z_{adj} = Z / \sqrt{1 + (N - 1) r} \sim N(0, 1)

with r as in ``kolari_pynnonen``. Assumes that the event does not change the variance of returns. Kolari & Pynnonen
(2010, Review of Financial Studies 23:3996). The numerator has no factor (1 - r), because the variance in Patell's Z is
theoretical and not estimated across events. As in Patell's Z, the error of the coefficients, which the days of a window
share, is left out: with 120 days of estimation the test rejects 9 % over 60 days and 17 % over 120.
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
    """Divide Patell's Z by the root of the variance inflation due to common days."""
    n = state["n"]
    inflation = 1.0 + (n - 1.0) * sample.shared["overlap"]["windows"]
    positive = np.where(inflation > 0, inflation, 1.0)
    return verdict(
        divide(state["z"], np.sqrt(n * positive)),
        n,
        undefined=[
            (n < 1, "no event with more than 2 degrees of freedom"),
            (inflation <= 0, "the mean correlation is so negative that the variance is not positive"),
        ],
    )


TEST = Test(
    chunk,
    finalize,
    shares=("overlap",),
    survives="overlap",
    fails_under=("event_variance", "common_variance", "autocorrelation", "long_window"),
    one_event=True,
)
