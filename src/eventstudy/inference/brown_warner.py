r"""Brown-Warner: the average abnormal return over the time-series standard deviation of the average residual.

.. math:: t = \frac{\sum_{t \in W} AAR_t}{\sqrt L \, A} \sim t(T - 1), \quad
          A^2 = \frac{1}{T - 1} \sum_{t=1}^{T} (\bar e_t - \bar{\bar e})^2

This is the crude dependence adjustment: the average residual of an estimation day contains whatever the events have in
common on that day. If all events share one date, the average is over the events that are valid on that day, and T = M.
With different dates the average is taken in *calendar* time, because event time would lose the dependence within a day:
the n_t events whose estimation window covers the date contribute ``sum(e) / sqrt(n_t N)``, which under independence has
the variance of an average of N events. The note says which of the two was used. There is no forecast correction: all
days of a window share the error of the coefficients, so that with 120 days of estimation the test rejects 10 % over 60
days and 19 % over 120. Nor is event-induced variance allowed for. Brown & Warner (1980, Journal of Financial Economics
8:205; 1985, 14:3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_cluster, by_group
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

ROUNDING = 1e-13  # a standard deviation below this share of the sum of the events' sigmas is rounding error


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum residuals by cluster and estimation day, with counts."""
    n_est = abnormal.n_est
    return {
        "e": by_cluster(abnormal, abnormal.ar[:, :n_est]),
        "n": by_cluster(abnormal, abnormal.ok[:, :n_est]),
        "sigma": by_group(abnormal, abnormal.sigma),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the mean CAR by the time-series standard deviation of the average residual by calendar date."""
    moments = sample.shared["moments"]
    n = moments["n"]
    caar = divide(moments["car"], n)
    days = moments["days"] / np.maximum(n, 1)  # valid days of the average CAR
    deviation = np.full(sample.n_groups, np.nan)
    n_dates = np.zeros(sample.n_groups)
    one_date = np.zeros(sample.n_groups, dtype=bool)
    for group in range(sample.n_groups):
        clusters = np.flatnonzero((sample.cluster_group == group) & state["n"].any(axis=1))
        dates = sample.cluster_dates[clusters, : sample.spec.n_est]
        deviation[group], n_dates[group] = _deviation(state["e"][clusters], state["n"][clusters], dates)
        one_date[group] = len(clusters) == 1
    of_average = deviation[:, None] / np.where(one_date[:, None], 1.0, np.sqrt(np.maximum(n, 1)))
    result = verdict(
        divide(caar, of_average * np.sqrt(days)),
        n,
        df=np.broadcast_to(n_dates[:, None] - 1, n.shape),
        undefined=[
            (n < 1, "no event"),
            (n_dates[:, None] < 2, "fewer than 2 estimation dates"),
            (of_average * n <= ROUNDING * state["sigma"][:, None], "the residuals of each day cancel out"),
        ],
    )
    known = np.isfinite(result.statistic)
    notes = np.where(one_date[:, None], "one date", "average residual taken in calendar time")
    result.note[known] = np.broadcast_to(notes, n.shape)[known]
    return result


def _deviation(e: Floats, n: Floats, dates: Ints) -> tuple[float, int]:
    """Return the standard deviation over dates of the average residual, and the number of dates.

    ``e`` and ``n`` are sums and counts (C, n_est). For one cluster the average is sum / n_t, otherwise sum / sqrt(n_t).
    """
    total, count = (np.bincount(dates.ravel(), leaf.ravel()) for leaf in (e, n))
    total, count = total[count > 0], count[count > 0]
    average = total / count if len(e) == 1 else total / np.sqrt(count)
    return (float(average.std(ddof=1)), len(average)) if len(average) > 1 else (np.nan, len(average))


TEST = Test(
    chunk,
    finalize,
    shares=("moments",),
    survives="same_day",
    fails_under=("event_variance", "common_variance", "autocorrelation", "long_window"),
    one_event=True,
)
