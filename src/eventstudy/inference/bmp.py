r"""BMP, the standardised cross-sectional test: the mean standardised CAR over its standard error across events.

.. math:: t = \frac{\overline{SCAR}}{sd_{N-1}(SCAR) / \sqrt N} \sim t(N - 1)

with the forecast correction in each SCAR. Robust to event-induced variance; needs events that do not share days.
Boehmer, Musumeci & Poulsen (1991, Journal of Financial Economics 30:253). The degrees of freedom are N - 1: with those
of the estimation window the test rejects 12 % at N = 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from eventstudy.core.nulls import t_of_mean
from eventstudy.core.sums import mean_and_sd
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Return no state: the moments are shared."""
    return {}


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the mean SCAR by its cross-sectional standard error."""
    moments = sample.shared["moments"]
    mean, sd = mean_and_sd(moments["n"], moments["z"], moments["z2"])
    return t_of_mean(moments["n"], mean, sd, "the standardised CARs are all equal")


TEST = Test(chunk, finalize, shares=("moments",), robust_to=("event_variance", "autocorrelation", "long_window"))
