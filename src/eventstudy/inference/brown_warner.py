r"""Brown-Warner: the average abnormal return over the time-series deviation of the average residual.

.. math:: t = \frac{\sum_{t \in W} AAR_t}{\sqrt L \, A} \sim t(T - 1), \quad
          A^2 = \frac{1}{T - 1} \sum_{t=1}^{T} (\bar e_t - \bar{\bar e})^2

the crude dependence adjustment: the average residual of each estimation day carries whatever the events have in
common that day. With one shared date the average is over the events that are valid that day, and T = M. With different
dates it is taken in *calendar* time, for in event time the dependence of a day is lost: the n_t events whose estimation
window covers the date give ``sum(e) / sqrt(n_t N)``, which has the variance of an average of N under independence. The
note says which was used. No forecast correction, no allowance for variance that the event brings. Brown & Warner (1980,
Journal of Financial Economics 8:205; 1985, 14:3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_cluster, by_group
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

ROUNDING = 1e-13  # a deviation below this share of the events' summed sigma is the rounding of none


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum residuals by cluster and estimation day, with their counts."""
    n_est = abnormal.n_est
    return {
        "e": by_cluster(abnormal, abnormal.ar[:, :n_est]),
        "n": by_cluster(abnormal, abnormal.ok[:, :n_est]),
        "sigma": by_group(abnormal, abnormal.sigma),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Lay the residuals out by calendar date, and compare the mean CAR with the deviation of their average."""
    moments = sample.shared["moments"]
    n = moments["n"]
    caar = divide(moments["car"], n)
    days = moments["days"] / np.maximum(n, 1)  # valid days of the average CAR
    deviation = np.full(sample.n_groups, np.nan)
    n_dates = np.zeros(sample.n_groups)
    shared = np.zeros(sample.n_groups, dtype=bool)
    for group in range(sample.n_groups):
        mine = np.flatnonzero((sample.cluster_group == group) & state["n"].any(axis=1))
        dates = sample.cluster_dates[mine, : sample.spec.n_est]
        deviation[group], n_dates[group] = _deviation(state["e"][mine], state["n"][mine], dates)
        shared[group] = len(mine) == 1
    of_average = deviation[:, None] / np.where(shared[:, None], 1.0, np.sqrt(np.maximum(n, 1)))
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
    notes = np.where(shared[:, None], "one date", "average residual taken in calendar time")
    result.note[known] = np.broadcast_to(notes, n.shape)[known]
    return result


def _deviation(e: Floats, n: Floats, dates: Ints) -> tuple[float, int]:
    """Give the standard deviation over dates of the average residual, or of sum / sqrt(n_t), and the dates' number.

    ``e`` and ``n`` are (C, n_est); the average is that of one cluster.
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
    fails_under=("event_variance", "autocorrelation"),
)
