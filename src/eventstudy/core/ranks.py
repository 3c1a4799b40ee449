"""Ranks within each event, among its valid days, and the tests that sum them by day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group, weighted
from eventstudy.types import Abnormal, Bools, Floats, Ints, Sample, State, Verdict

LAST = np.finfo(np.float64).max  # placeholder for cells that are not ok: sorts after all others
ROUNDING = 1e-12  # a standard deviation of centred ranks (each within 1/2 of 0) below this is rounding error


def ranks(values: Floats, ok: Bools) -> Floats:
    """Rank each row among its valid cells; ties get their mean rank.

    Parameters
    ----------
    values : float array (N, L)
    ok : bool array (N, L)

    Returns
    -------
    float array (N, L)
        1 for the smallest; 0 where not ok, whatever the value of the cell.

    Examples
    --------
    >>> ranks(np.array([[0.3, 0.1, 0.3, 9.0]]), np.array([[True, True, True, False]])).tolist()
    [[2.5, 1.0, 2.5, 0.0]]
    """
    complete = ok.all()
    filled = values + 0.0 if complete else np.where(ok, values + 0.0, LAST)  # 0 and -0 become the same number
    n, length = filled.shape
    order, uncertain = _sort_order(filled)
    order += (np.arange(n) * length)[:, None]  # positions in the flattened rows
    result = np.empty_like(filled)
    result.reshape(-1)[order.reshape(-1)] = np.broadcast_to(np.arange(1.0, length + 1), filled.shape).reshape(-1)
    if len(uncertain):
        result[uncertain] = _rank_with_ties(np.where(ok[uncertain], values[uncertain], np.inf))
    return result if complete else np.where(ok, result, 0.0)


def _sort_order(values: Floats) -> tuple[Ints, Ints]:
    """Return the columns of each row in the order of their values, and the rows where that order is uncertain.

    ``values`` is overwritten: the last bits of each value hold its column during the sort, which takes a third of the
    time of an argsort.
    """
    bits = values.shape[1].bit_length()
    last = (1 << bits) - 1
    key = values.view(np.int64)
    key &= ~last
    key |= np.arange(values.shape[1])
    values.sort(axis=1)
    leading = key >> bits
    uncertain = ((leading[:, 1:] == leading[:, :-1]) & (values[:, 1:] < LAST / 2)).any(axis=1)
    uncertain |= ~(np.abs(values[:, [0, -1]]) <= LAST).all(axis=1)  # an infinite value loses its last bits
    key &= last
    return key, np.flatnonzero(uncertain)


def _rank_with_ties(values: Floats) -> Floats:
    """Rank each row; ties get their mean rank."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(1.0, values.shape[1] + 1), values.shape)
    result = np.empty_like(values)
    np.put_along_axis(result, order, _mean_place(ordered[:, 1:] == ordered[:, :-1], place), axis=1)
    return result


def _mean_place(tied: Bools, place: Floats) -> Floats:
    """Give each run of ties the mean of its first and last place."""
    edge = np.ones((len(tied), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, ~tied]), place, 0.0), axis=1)
    ends = np.where(np.hstack([~tied, edge]), place, np.inf)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2


def sum_ranks_by_day(abnormal: Abnormal, values: Floats, ok: Bools) -> State:
    """Sum the centred ranks of values (N, L), ``rank / (1 + valid days) - 1/2``, by group and day, with counts."""
    n_days = np.count_nonzero(ok, axis=1)
    place = ranks(values, ok)
    # the 1/2 is subtracted from the sums, once for each valid event
    u = weighted(abnormal, 1.0 / (1.0 + n_days), place)
    n = by_group(abnormal, ok)
    return {"u": replace(u, values=u.values - 0.5 * n.values), "n": n}


def rank_test(state: State, sample: Sample, empty_day: str) -> Verdict:
    """Divide the sum of a window's days by the standard deviation of all days.

    ``empty_day`` is the reason for a window that has a day without a valid event, whose statistic is NaN.
    """
    weights, n_est = sample.spec.weights, sample.spec.n_est
    day = np.nan_to_num(divide(state["u"], np.sqrt(state["n"])))
    n_days = (state["n"] > 0).sum(axis=1)
    deviation = np.sqrt((day**2).sum(axis=1) / np.maximum(n_days, 1))
    n_valid = (state["n"][:, n_est:] > 0) @ weights.T
    n = sample.shared["moments"]["n"]
    return verdict(
        divide(day[:, n_est:] @ weights.T, np.sqrt(n_valid) * deviation[:, None]),
        n,
        undefined=[
            (n < 1, "no event"),
            (n_valid < weights.sum(axis=1), empty_day),
            (deviation[:, None] <= ROUNDING, "the ranks do not vary"),
        ],
    )
