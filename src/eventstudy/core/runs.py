"""Sums over runs of consecutive days, and counts of days.

They are several times faster on arrays in Fortran order, where equal days of the events lie side by side, and twice as
fast again in single precision (:mod:`eventstudy.core.reaching`).
"""

from __future__ import annotations

import numpy as np

from eventstudy.types import Bools, Floats, Ints

BYTE = 255  # cells whose count fits in a byte: sums of bytes are several times faster than those of wider integers
TIE = 1e-9  # of sigma: sums that differ by less are equal, such as those of days without a move
LARGEST = 1e30  # values in single precision, whose sums and products do not overflow


class RunSums:
    """Sums of runs of consecutive days of rows (N, n), each of those of its two halves, which are kept."""

    def __init__(self, rows: Floats) -> None:
        self._by_length = {1: rows}

    def of(self, length: int) -> Floats:
        """Return the sums of all runs of a length, (N, n + 1 - length); for one day these are the rows themselves.

        What lies outside a run does not enter its sum, not even by rounding, as in a difference of two running sums.

        Examples
        --------
        >>> RunSums(np.array([[1.0, 2.0, 3.0, 4.0]])).of(3)
        array([[6., 9.]])
        >>> RunSums(np.array([[1e200, 1.0, 2.0, 3.0]])).of(3).tolist()
        [[1e+200, 6.0]]
        """
        if length not in self._by_length:
            half = length // 2
            first, second = self.of(half)[:, : half - length or None], self.of(length - half)[:, half:]
            self._by_length[length] = first + second
        return self._by_length[length]


class RoundedSums(RunSums):
    """Sums of runs of rows (N, n) in single precision, and some of them in double."""

    def __init__(self, rows: Floats) -> None:
        with np.errstate(over="ignore"):
            rounded = rows.astype("float32", order="F")
        largest = np.maximum(rounded.max(axis=1), -rounded.min(axis=1)).astype(np.float64)
        wild = ~(largest < LARGEST)
        if wild.any():
            rounded[wild], largest[wild] = 0.0, np.nan
        super().__init__(rounded)
        self._rows, self._largest = rows, largest[:, None]

    def exactly(self, row: Ints, first: Ints, length: int) -> Floats:
        """Return the sums of some runs, by row and first day (m,), as :class:`RunSums` has them, (m, 1)."""
        return RunSums(self._rows[row[:, None], first[:, None] + np.arange(length)]).of(length)

    def largest(self, length: int) -> Floats:
        """Return what no sum of a length exceeds in size, (N, 1); NaN for rows without sums in single precision."""
        return np.asarray(length * self._largest)


def count(mask: Bools) -> Ints:
    """Count the True cells of each row, (N,); faster than ``numpy.count_nonzero`` in Fortran order.

    Examples
    --------
    >>> count(np.array([[True, False, True]])).tolist()
    [2]
    """
    cells, total = mask.view(np.uint8), np.zeros(len(mask), dtype=np.int64)
    for start in range(0, mask.shape[1], BYTE):
        total += cells[:, start : start + BYTE].sum(axis=1, dtype=np.uint8)
    return total


def root(variance: Floats) -> Floats:
    """Return the standard deviation; of runs without a valid day, whose variance is 0, a tiny number."""
    return np.asarray(np.sqrt(np.maximum(variance, np.finfo(float).tiny)))


def by_length(days: Ints) -> dict[int, list[int]]:
    """Map each length of windows (N, V), the shortest first, to the windows that have it; a length of 0 is none.

    Examples
    --------
    >>> by_length(np.array([[1, 3], [1, 2], [2, 0]]))
    {1: [0], 2: [0, 1], 3: [1]}
    """
    windows: dict[int, list[int]] = {}
    equal = (days == days[:1]).all(axis=0)
    for v, column in enumerate(days.T):
        for length in column[:1].tolist() if equal[v] else np.unique(column).tolist():
            windows.setdefault(length, []).append(v)
    return {length: windows[length] for length in sorted(windows) if length}
