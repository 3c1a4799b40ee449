r"""Sign test: whether as many CARs are above zero as below.

.. math:: w = \#\{CAR_i > 0\} \sim B(n, 1/2), \quad z = (2 w - n) / \sqrt n

p is exact binomial; the statistic z is reported for its sign and size. CARs of exactly zero are dropped. Returns are
skewed to the right, so that the share of positive abnormal returns is below one half even without an event: prefer
``generalized_sign``. Needs events that do not share days. Dixon & Mood (1946, Journal of the American Statistical
Association 41:557).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.runs import TIE
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Count CARs above and below zero, from which rounding alone is no difference."""
    tie = TIE * abnormal.sigma[:, None]
    return {"up": by_group(abnormal, scores.car > tie), "down": by_group(abnormal, scores.car < -tie)}


def finalize(state: State, sample: Sample) -> Verdict:
    """Compute the exact two-sided binomial p-value."""
    up, down = state["up"], state["down"]
    n = up + down
    p = np.minimum(1.0, 2.0 * special.bdtr(np.minimum(up, down), np.maximum(n, 1).astype(np.int64), 0.5))
    return verdict(divide(up - down, np.sqrt(n)), n, p=p, undefined=[(n < 1, "no CAR differs from zero")])


TEST = Test(
    chunk,
    finalize,
    robust_to=("contaminated_estimation", "event_variance", "autocorrelation", "few_dates", "long_window"),
)
