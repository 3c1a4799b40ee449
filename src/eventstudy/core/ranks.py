"""Ranks within each event, among its valid days."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Bools, Floats

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
    filled = np.where(ok, values, np.inf)
    order = np.argsort(filled, axis=1)
    ordered = np.take_along_axis(filled, order, axis=1)
    tied = ordered[:, 1:] == ordered[:, :-1]
    place = np.broadcast_to(np.arange(1.0, values.shape[1] + 1), values.shape)
    if (tied & np.isfinite(ordered[:, 1:])).any():
        place = _shared(tied, place)
    found = np.empty_like(filled)
    np.put_along_axis(found, order, place, axis=1)
    return np.where(ok, found, 0.0)


def _shared(tied: Bools, place: Floats) -> Floats:
    """Give each run of ties the mean of its first and last place."""
    edge = np.ones((len(tied), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, ~tied]), place, 0.0), axis=1)
    ends = np.where(np.hstack([~tied, edge]), place, np.inf)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return (first + last) / 2
