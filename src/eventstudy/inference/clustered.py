r"""Clustered: the mean standardised CAR over its standard error by clusters of events, for few and uneven clusters.

.. math:: t = \frac{\bar z}{\sqrt V} \sim t(\nu), \quad
          V = \frac{1}{N^2} \sum_g \frac{(S_g - n_g \bar z)^2}{1 - n_g / N}, \quad
          \nu = \frac{(tr A)^2}{tr(A^2)}, \quad
          A_{gh} = \frac{\delta_{gh} n_g - n_g n_h / N}{\sqrt{(1 - n_g / N) (1 - n_h / N)}}

z is SCAR, and S_g the sum of the n_g SCARs of cluster g. V is the CR2 variance of Bell & McCaffrey (2002, Survey
Methodology 28:169), and nu are their degrees of freedom: the number of clusters minus one if all have as many events,
fewer if some are large. A cluster is a set of events whose windows are linked by common calendar days in a chain, or by
the same news on several exchanges. Robust to any dependence within a cluster, to event-induced variance, and to news
that raises the variance of the shock that the events of a date have in common, which ``kolari_pynnonen`` takes for an
effect. Needs at least 3 clusters, none of which has more than 85 % of the events; with few, it has little power: t(2)
rejects at 5 % from 4.3 on. Imbens & Kolesar (2016, Review of Economics and Statistics 98:701).

Examples
--------
>>> TEST.survives, TEST.value_under
('overlap', ('independent', 'overlap'))
"""

from __future__ import annotations

import numpy as np

from eventstudy.core.cr2 import FEWEST, LARGEST, mean_by_chain
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import scars_by_cluster
from eventstudy.types import Sample, State, Test, Verdict


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the mean of each group and window by its CR2 standard error."""
    mean, se, df, n, n_clusters, largest = mean_by_chain(sample, sample.spec.windows, state["z"], state["n"])
    few = f"fewer than {FEWEST} clusters of events: too few to estimate how much clusters differ"
    large = f"one cluster has more than {LARGEST:.0%} of the events: the others are too few beside it"
    undefined = [
        (n < 1, "no event"),
        (n_clusters < FEWEST, few),
        (largest > LARGEST, large),
        (np.isnan(se), "the standardised CARs are all equal"),
    ]
    result = verdict(divide(mean, se), n, df=df, undefined=undefined)
    for where in zip(*np.nonzero(np.isfinite(result.statistic)), strict=True):
        result.note[where] = f"{n_clusters[where]:.0f} clusters of events, {df[where]:.1f} degrees of freedom"
    return result


TEST = Test(
    scars_by_cluster,
    finalize,
    survives="overlap",
    robust_to=("event_variance", "common_variance", "autocorrelation", "few_dates", "long_window"),
    value_under=("independent", "overlap"),  # one date is one cluster, with nothing to compare it with
)
