r"""The residuals before the events of a sample: how skewed they are, and how many of the returns are zero.

The skewness of an event is that of the residuals e of its n valid estimation days,

.. math:: g = \frac{m_3}{m_2^{3/2}}, \quad m_k = \frac{1}{n} \sum_t (e_t - \bar e)^k

In a study with expected signs the residuals are multiplied by the sign of the event.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.sums import by_group, valid_days
from eventstudy.types import Abnormal, Floats, Scores, Spec, State


class Residuals(NamedTuple):
    """Mean skewness of the residuals over the events of a group, its standard error, and the share of zero returns.

    Without events all are NaN, and the standard error for one event too.
    """

    skewness: float = np.nan
    se: float = np.nan
    zeros: float = np.nan


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
    """Sum the skewness of the events and its square, and count days and zero returns, by group: leaves (G,)."""
    n_valid = valid_days(abnormal)
    skewness = _skewness(abnormal, n_valid)
    # Returns that are not valid are 0 too, and are not counted.
    zeros = n_valid - np.count_nonzero(abnormal.block.r[:, : abnormal.n_est], axis=1)
    leaves = {"n": np.ones(len(skewness)), "g": skewness, "g2": skewness**2, "days": n_valid, "zeros": zeros}
    return {name: by_group(abnormal, values) for name, values in leaves.items()}


def _skewness(abnormal: Abnormal, n: Floats) -> Floats:
    """Return the skewness of each event's residuals, (N,): of unit variance, where the variance has a path."""
    e = abnormal.ar[:, : abnormal.n_est]
    if abnormal.v is not None:
        e = e / np.sqrt(abnormal.v[:, : abnormal.n_est])
    squares = e * e
    mean = e.sum(axis=1) / n
    second = squares.sum(axis=1) / n
    third = np.vecdot(squares, e) / n
    variance = second - mean**2
    centred = third - 3.0 * mean * second + 2.0 * mean**3
    return np.asarray(np.divide(centred, variance**1.5, out=np.zeros(len(n)), where=variance > 1e-13 * second))


def finalize(state: State, n_groups: int) -> list[Residuals]:
    """Return the residuals of each group."""
    if not state:
        return [Residuals()] * n_groups
    found = []
    for n, g, g2, days, zeros in zip(*(state[name] for name in ("n", "g", "g2", "days", "zeros")), strict=True):
        if not n:
            found.append(Residuals())
            continue
        spread = max(g2 - g * g / n, 0.0)
        found.append(Residuals(g / n, np.sqrt(spread / (n - 1) / n) if n > 1 else np.nan, zeros / days))
    return found
