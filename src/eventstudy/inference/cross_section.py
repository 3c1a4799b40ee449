r"""Cross-sectional t: the mean CAR over its standard error across events.

.. math:: t = \frac{\overline{CAR}}{sd_{N-1}(CAR) / \sqrt N} \sim t(N - 1)

Robust to event-induced variance; needs events that do not share days. Brown & Warner (1980, Journal of Financial
Economics 8:205); Boehmer, Musumeci & Poulsen (1991, Journal of Financial Economics 30:253).
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
    """Divide the mean CAR by its cross-sectional standard error."""
    moments = sample.shared["moments"]
    mean, sd = mean_and_sd(moments["n"], moments["car"], moments["car2"])
    return t_of_mean(moments["n"], mean, sd, "the CARs are all equal")


TEST = Test(
    chunk,
    finalize,
    shares=("moments",),
    robust_to=("contaminated_estimation", "event_variance", "autocorrelation", "long_window"),
)
