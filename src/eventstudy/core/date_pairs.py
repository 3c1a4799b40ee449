"""Products of two rows of values over the dates that both have, for many pairs of rows.

Where a row has a few partners, the two rows of each pair are multiplied by themselves; where it has many, all rows that
end on neighbouring dates are multiplied together, as matrices, which takes less than the copies of the rows would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy.types import Floats, Ints

FEW = 4  # partners of a row up to which its pairs are multiplied one by one, the fastest limit measured
SINGLE = 50_000  # values of pairs that are multiplied one by one at once: they stay in the cache
SHORT = 32  # dates whose rows of few days are multiplied together
SPAN = 128  # dates whose rows are multiplied together: with their partners they take a few megabytes


class _Products(Protocol):
    """The products of some pairs."""

    def write(self, values: Floats, out: Floats) -> None:
        """Write them to the places of the pairs in ``out`` (..., pairs)."""


class DatePairs:
    """Pairs of rows of dates (C, days), ``first`` and ``second`` (pairs,), whose values are multiplied on common dates.

    The dates of a row increase.
    """

    def __init__(self, dates: Ints, first: Ints, second: Ints) -> None:
        self._first, self._same = first, first == second
        others = np.flatnonzero(~self._same)
        few = len(others) <= FEW * len(dates)
        self._others: list[_Products] = []
        if len(others):
            self._others += [_single(dates, first, second, others)] if few else _together(dates, first, second, others)

    def sums(self, values: Floats) -> Floats:
        """Sum the products of two rows of values (..., C, days) over their common dates, (..., pairs).

        Examples
        --------
        >>> pairs = DatePairs(np.array([[0, 1], [1, 3]]), np.array([0, 0]), np.array([0, 1]))
        >>> pairs.sums(np.array([[2.0, 3.0], [5.0, 7.0]])).tolist()
        [13.0, 15.0]
        """
        out = np.empty((*values.shape[:-2], len(self._first)))
        out[..., self._same] = np.vecdot(values, values)[..., self._first[self._same]]
        for products in self._others:
            products.write(values, out)
        return out


def by_date(dates: Ints, first: Ints, second: Ints, values: Floats, factor: Floats, n_dates: int) -> Floats:
    """Sum the products of the values (C, days) of pairs, times a factor (pairs,), by their common date, (n_dates,).

    Examples
    --------
    >>> dates, values = np.array([[0, 1], [1, 2]]), np.array([[2.0, 3.0], [5.0, 7.0]])
    >>> by_date(dates, np.array([0, 1]), np.array([1, 1]), values, np.array([2.0, 1.0]), 3).tolist()
    [0.0, 55.0, 49.0]
    """
    pairs, total = _single(dates, first, second, np.arange(len(first))), np.zeros(n_dates)
    for part, earlier, later in pairs.rows(values):
        date = dates[pairs.later[part], :1] + np.arange(later.shape[-1])
        product = factor[part, None] * earlier * later
        inside = date < n_dates  # a row of few dates is followed by zeros
        total += np.bincount(date[inside], product[inside], n_dates)
    return total


class _Single(NamedTuple):
    """Pairs ``at``, one by one: the later row times what the earlier one has from ``lag`` dates after its first on.

    Rows span ``width`` dates at most; ``day`` (C, days) counts the dates of a row from its first, and is None where
    rows have values on all of them.
    """

    at: Ints
    earlier: Ints
    later: Ints
    lag: Ints
    width: int
    day: Ints | None

    def write(self, values: Floats, out: Floats) -> None:
        for pairs, earlier, later in self.rows(values):
            out[..., self.at[pairs]] = np.vecdot(earlier, later)

    def rows(self, values: Floats) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield some of the pairs, and their values (..., n, width) on the dates from the later row's first on."""
        before, width = values.shape[:-2], self.width
        step = min(len(self.at), max(1, SINGLE // (width * int(np.prod(before)))))
        earlier = np.zeros((*before, step, width + int(self.lag.max())))  # after its last date a row is 0
        later = np.zeros((*before, step, width))
        from_lag = sliding_window_view(earlier, width, axis=-1)
        for start in range(0, len(self.at), step):
            pairs = slice(start, start + step)
            n = len(self.at[pairs])
            for rows, target in ((self.earlier[pairs], earlier), (self.later[pairs], later)):
                if self.day is None:
                    target[..., :n, :width] = values[..., rows, :]
                else:
                    target[..., :width] = 0.0
                    target[..., np.arange(n)[:, None], self.day[rows]] = values[..., rows, :]
            yield pairs, from_lag[..., np.arange(n), self.lag[pairs], :], later[..., :n, :]


def _single(dates: Ints, first: Ints, second: Ints, at: Ints) -> _Single:
    """Order the rows of the pairs ``at`` by their first dates."""
    begin, first, second = dates[:, 0], first[at], second[at]
    earlier, later = np.where(begin[first] <= begin[second], [first, second], [second, first])
    width = int((dates[:, -1] - begin).max()) + 1
    day = None if width == dates.shape[1] else dates - begin[:, None]
    return _Single(at, earlier, later, np.minimum(begin[later] - begin[earlier], width), width, day)


class _Together(NamedTuple):
    """Pairs ``at`` whose first rows end on neighbouring dates, as entries of one product of matrices.

    ``cell`` (rows * days,) are the places of the values of the ``rows`` that occur, date by date, in a matrix with
    ``n_dates`` columns. The first rows of the pairs are ``starts`` of them, with all their dates in ``common``; entry
    (``left``, ``right``) is that of a pair.
    """

    at: Ints
    rows: Ints
    cell: Ints
    n_dates: int
    common: slice
    starts: Ints
    left: Ints
    right: Ints

    def write(self, values: Floats, out: Floats) -> None:
        selected = values[..., self.rows, :]
        dense = np.zeros((*selected.shape[:-1], self.n_dates))
        first = np.arange(0, dense.size, len(self.rows) * self.n_dates)
        dense.reshape(-1)[(first[:, None] + self.cell).reshape(-1)] = selected.reshape(-1)
        dense = dense[..., self.common]
        products = dense[..., self.starts, :] @ np.swapaxes(dense, -1, -2)
        out[..., self.at] = products[..., self.left, self.right]


def _together(dates: Ints, first: Ints, second: Ints, others: Ints) -> Iterator[_Together]:
    """Yield the pairs ``others`` by the dates on which their first rows end."""
    span = dates[first[others], -1] // min(SPAN, max(SHORT, dates.shape[1]))
    order = np.argsort(span, kind="stable")
    for pairs in np.split(others[order], np.flatnonzero(np.diff(span[order])) + 1):
        in_part = np.zeros(len(dates), dtype=bool)
        in_part[first[pairs]] = in_part[second[pairs]] = True
        rows, at = np.flatnonzero(in_part), np.cumsum(in_part) - 1
        starts, left = np.unique(at[first[pairs]], return_inverse=True)
        day = dates[rows] - dates[rows].min()
        n_dates = int(day.max()) + 1
        cell = (np.arange(len(rows))[:, None] * n_dates + day).reshape(-1)
        common = slice(int(day[starts].min()), int(day[starts].max()) + 1)
        yield _Together(pairs, rows, cell, n_dates, common, starts, left, at[second[pairs]])
