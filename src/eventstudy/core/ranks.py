"""Ranks within each event, among its valid days, and the tests that sum them by day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group, weighted
from eventstudy.types import Abnormal, Bools, Floats, Ints, Sample, State, Verdict

LAST = np.finfo(np.float64).max  # stands where a cell is not ok, above all that is
ROUNDING = 1e-12  # a deviation of centred ranks (each within 1/2 of 0) below this is the rounding of none


def ranks(values: Floats, ok: Bools) -> Floats:
    """Rank each row among its valid cells, ties sharing their mean rank.

    Parameters
    ----------
    values : float array (N, L)
    ok : bool array (N, L)

    Returns
    -------
    float array (N, L)
        1 for the smallest; 0 where not ok, whatever the cell holds.

    Examples
    --------
    >>> ranks(np.array([[0.3, 0.1, 0.3, 9.0]]), np.array([[True, True, True, False]])).tolist()
    [[2.5, 1.0, 2.5, 0.0]]
    """
    whole = ok.all()
    filled = values + 0.0 if whole else np.where(ok, values + 0.0, LAST)  # 0 and -0 are one number
    n, length = filled.shape
    order, near = _order(filled)
    order += (np.arange(n) * length)[:, None]  # places in the flattened rows
    found = np.empty_like(filled)
    found.reshape(-1)[order.reshape(-1)] = np.broadcast_to(np.arange(1.0, length + 1), filled.shape).reshape(-1)
    if len(near):
        found[near] = _exact(np.where(ok[near], values[near], np.inf))
    return found if whole else np.where(ok, found, 0.0)


def _order(values: Floats) -> tuple[Ints, Ints]:
    """Give the columns of each row in the order of its values, and the rows where this is not certain.

    The values are lost: their last bits hold the column while they are sorted, which takes a third of an argsort.
    """
    bits = values.shape[1].bit_length()
    last = (1 << bits) - 1
    key = values.view(np.int64)
    key &= ~last
    key |= np.arange(values.shape[1])
    values.sort(axis=1)
    rest = key >> bits
    near = ((rest[:, 1:] == rest[:, :-1]) & (values[:, 1:] < LAST / 2)).any(axis=1)
    near |= ~(np.abs(values[:, [0, -1]]) <= LAST).all(axis=1)  # an infinite one loses its last bits
    key &= last
    return key, np.flatnonzero(near)


def _exact(values: Floats) -> Floats:
    """Rank each row, ties sharing their mean rank."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(1.0, values.shape[1] + 1), values.shape)
    found = np.empty_like(values)
    np.put_along_axis(found, order, _shared(ordered[:, 1:] == ordered[:, :-1], place), axis=1)
    return found


def _shared(tied: Bools, place: Floats) -> Floats:
    """Give each run of ties the mean of its first and last place."""
    edge = np.ones((len(tied), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, ~tied]), place, 0.0), axis=1)
    ends = np.where(np.hstack([~tied, edge]), place, np.inf)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2


def by_day(abnormal: Abnormal, values: Floats, ok: Bools) -> State:
    """Sum the ranks of values (N, L), as ``rank / (1 + valid days) - 1/2``, by group and day, with their counts."""
    n_days = np.count_nonzero(ok, axis=1)
    place = ranks(values, ok)
    # a centred rank is rank / (1 + n) - 1/2 where it counts
    u = weighted(abnormal, 1.0 / (1.0 + n_days), place)
    n = by_group(abnormal, ok)
    return {"u": replace(u, values=u.values - 0.5 * n.values), "n": n}


def sum_of_days(state: State, sample: Sample, unseen: str) -> Verdict:
    """Sum the days of a window over the deviation of all days; ``unseen`` is why a window with an empty day is NaN."""
    weights, n_est = sample.spec.weights, sample.spec.n_est
    day = np.nan_to_num(divide(state["u"], np.sqrt(state["n"])))
    n_days = (state["n"] > 0).sum(axis=1)
    deviation = np.sqrt((day**2).sum(axis=1) / np.maximum(n_days, 1))
    seen = (state["n"][:, n_est:] > 0) @ weights.T
    n = sample.shared["moments"]["n"]
    return verdict(
        divide(day[:, n_est:] @ weights.T, np.sqrt(seen) * deviation[:, None]),
        n,
        undefined=[
            (n < 1, "no event"),
            (seen < weights.sum(axis=1), unseen),
            (deviation[:, None] <= ROUNDING, "the ranks do not vary"),
        ],
    )
