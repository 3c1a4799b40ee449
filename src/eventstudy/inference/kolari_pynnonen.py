r"""Adjusted BMP: the standardised cross-sectional test for events that share days.

.. math:: t = t_{BMP} \sqrt{\frac{1 - r}{1 + (N - 1) r}} \sim t(N - 1)

with r the mean correlation of the events' residuals, each pair weighted by the valid days that the windows of its two
events have in common on the calendar (:mod:`eventstudy.core.overlap`). If all events share one date, it is the
statistic of Kolari & Pynnonen (2010, Review of Financial Studies 23:3996). With dates that overlap in part it keeps its
size, which pairing residuals in event time does not. With r = 0 it is ``bmp``.

This assumes that the event leaves the correlation of residuals as it was: it multiplies the variance that events share
as much as the variance that each has of its own. With ``variance="additive"`` the covariance of two events is that of
ordinary days, and the event adds variance of each event's own only:

.. math:: t = \frac{\bar z}{\sqrt{s^2 / N + r v_0}} \sim t(N - 1), \quad
          v_0 = \frac1N \sum_i \frac{M_i - k_i}{M_i - k_i - 2}

with z the SCARs, s their standard deviation, and v_0 their variance on ordinary days. On one date with correlation 0.1
and three times the own variance it rejects 3.9 % at 5 %, the multiplicative form 0.2 %; if the event scales all noise,
it rejects 18.7 %, and the multiplicative form 5 %. On one date no data can tell the two apart: state both.

Neither stands news that raises the variance of the *common* shock, such as a policy for a whole sector: with four times
its variance, correlation 0.1 and 3 to 10 dates the test rejects 12 to 28 %. Use ``clustered`` there, from 3 dates on.

Options: ``variance`` ("multiplicative", "additive").

Examples
--------
>>> import eventstudy as es
>>> es.test("kolari_pynnonen", variance="additive").fails_under
('event_variance', 'common_variance')
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal, get_args

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group, mean_and_sd
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict

Variance = Literal["multiplicative", "additive"]


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum the variances of SCAR on ordinary days, (G, V), NaN if one has none; moments and correlation are shared."""
    v0 = divide(abnormal.dof, abnormal.dof - 2.0)
    return {"v0": by_group(abnormal, np.where(scores.ok, v0[:, None], 0.0))}


def no_state(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Return no state: moments and correlation are shared."""
    return {}


def finalize(state: State, sample: Sample, variance: Variance = "multiplicative") -> Verdict:
    """Shrink the BMP statistic by the variance that common days add."""
    moments = sample.shared["moments"]
    r = sample.shared["overlap"]["windows"]
    n = moments["n"]
    mean, sd = mean_and_sd(n, moments["z"], moments["z2"])
    if variance == "additive":
        alone, together = sd**2, sd**2 + r * state["v0"]
    else:
        alone, together = 1.0 - r, 1.0 + (n - 1.0) * r
    shrink = np.sqrt(np.maximum(divide(alone, together), 0.0))
    result = verdict(
        divide(mean * np.sqrt(n), sd) * shrink,
        n,
        df=n - 1,
        undefined=[
            (n < 2, "fewer than 2 events"),
            (np.isnan(sd), "the standardised CARs are all equal"),
            (together <= 0, "the mean correlation is so negative that the variance is not positive"),
            (r >= 1, "the residuals of all events are the same"),
            (np.isnan(together), "an event has no more than 2 degrees of freedom"),
        ],
    )
    known = np.isfinite(result.statistic)
    result.note[known] = [f"mean correlation {round(value, 4) + 0.0:.4f}" for value in r[known]]  # never -0.0000
    return result


def make(variance: Variance = "multiplicative") -> Test:
    """Return the test with the variance that the event adds to all noise, or to each event's own."""
    if variance not in get_args(Variance):
        raise one_of("variance of the kolari_pynnonen test", variance, get_args(Variance))
    additive = variance == "additive"
    return Test(
        chunk if additive else no_state,
        partial(finalize, variance=variance),
        shares=("moments", "overlap"),
        survives="overlap",
        robust_to=("autocorrelation",) if additive else ("event_variance", "autocorrelation", "long_window"),
        fails_under=("event_variance", "common_variance") if additive else ("common_variance",),
        make=make,
    )


TEST = make()
