r"""Generalised sign: the share of positive CARs against the share of positive residuals in the estimation window.

.. math:: z = \frac{w - N \hat p}{\sqrt{N \hat p (1 - \hat p)}} \sim N(0, 1), \quad
          \hat p = \frac{1}{N} \sum_i \frac{1}{M_i} \#\{t \in E_i : e_{it} > 0\}

w is the number of positive CARs. Allows for skewed returns; needs events that do not share days. Cowan (1992, Review of
Quantitative Finance and Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Count positive CARs, and sum each event's share of positive residuals."""
    n_est = abnormal.n_est
    ok = abnormal.ok[:, :n_est]
    share = ((abnormal.ar[:, :n_est] > 0) & ok).sum(axis=1) / ok.sum(axis=1)
    return {
        "up": by_group(abnormal, scores.ok & (scores.car > 0)),
        "share": by_group(abnormal, share[:, None] * scores.ok),
        "n": by_group(abnormal, scores.ok),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Compare the count of positive CARs with its expectation from the estimation windows."""
    n = state["n"]
    share = np.nan_to_num(divide(state["share"], n))
    variance = n * share * (1.0 - share)
    return verdict(
        divide(state["up"] - n * share, np.sqrt(variance)),
        n,
        undefined=[(n < 1, "no event"), (variance <= 0, "no residual, or every residual, is positive")],
    )


TEST = Test(chunk, finalize, robust_to=("event_variance", "non_normality", "thin_trading"))
