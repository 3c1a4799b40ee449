r"""Wilcoxon: the signed rank test on the CARs.

.. math:: W = \sum_{i: CAR_i > 0} rank(|CAR_i|), \quad z = \frac{W - n (n + 1) / 4}{\sqrt{n (n + 1)(2 n + 1) / 24}}

p is exact for n <= 50 without ties, and otherwise from the normal, with the variance corrected for ties; the signed z
is reported in both cases. CARs of exactly zero are dropped. Needs CARs that are symmetric under the null and events
that do not share days. Wilcoxon (1945, Biometrics Bulletin 1:80).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import p_normal, verdict
from eventstudy.core.ranks import ranks
from eventstudy.core.sums import Gathered
from eventstudy.types import Abnormal, Floats, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Gather the CARs, NaN where missing, and their groups."""
    return {
        "car": Gathered((np.where(scores.ok, scores.car, np.nan),), "nothing"),
        "group": Gathered((abnormal.block.group,), "group"),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Rank the absolute CARs of each group and window."""
    cars, groups = state["car"].values, state["group"].values
    shape = (sample.n_groups, cars.shape[1])
    z, p, n = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    for group, window in np.ndindex(*shape):
        car = cars[groups == group, window]
        car = car[np.isfinite(car) & (car != 0)]
        n[group, window] = len(car)
        if len(car):
            z[group, window], p[group, window] = _signed_rank(car)
    return verdict(z, n, p=p, undefined=[(n < 1, "no CAR differs from zero")])


def _signed_rank(car: Floats) -> tuple[float, float]:
    """Return z and p of nonzero CARs (n,)."""
    from scipy import stats

    n = len(car)
    place = ranks(np.abs(car)[None], np.ones((1, n), dtype=bool))[0]
    _, ties = np.unique(place, return_counts=True)
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties**3 - ties).sum() / 48
    z = (place[car > 0].sum() - n * (n + 1) / 4) / np.sqrt(variance)
    if n <= 50 and (ties == 1).all():
        return float(z), float(stats.wilcoxon(car, method="exact").pvalue)
    return float(z), float(p_normal(z))


TEST = Test(
    chunk,
    finalize,
    robust_to=("contaminated_estimation", "event_variance", "autocorrelation", "few_dates", "long_window"),
)
