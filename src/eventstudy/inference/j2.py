r"""J2: the sum of standardised CARs over its theoretical standard deviation.

.. math:: J_2 = \frac{\sum_i SCAR_i}{\sqrt{\sum_i (M_i - k_i) / (M_i - k_i - 2)}} \sim N(0, 1)

If all events have the same degrees of freedom, this is ``sqrt(N (M - k - 2) / (M - k))`` times the mean SCAR. Unlike
``patell`` it standardises the CAR as a whole, because the days of a window share the estimated parameters, whose error
does not average out. Events with M - k of 2 or less are excluded: their SCAR has no variance. Assumes that the event
does not change the variance of returns and that events do not share days. MacKinlay (1997, Journal of Economic
Literature 35:13); Salinger (1992, Journal of Financial and Quantitative Analysis 27:39).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum standardised CARs and their variances, with counts: leaves (G, V)."""
    dof = abnormal.dof
    usable = scores.ok & (dof > 2)[:, None]
    variance = dof / np.where(dof > 2, dof - 2.0, 1.0)
    return {
        "z": by_group(abnormal, scores.z * usable),
        "var": by_group(abnormal, variance[:, None] * usable),
        "n": by_group(abnormal, usable),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum by its standard deviation."""
    n = state["n"]
    return verdict(
        divide(state["z"], np.sqrt(state["var"])),
        n,
        undefined=[(n < 1, "no event with more than 2 degrees of freedom")],
    )


TEST = Test(
    chunk, finalize, robust_to=("long_window",), fails_under=("event_variance", "autocorrelation"), one_event=True
)
