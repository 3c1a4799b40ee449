"""Sums over runs of consecutive days, for many rows and several lengths at once."""

from __future__ import annotations

from eventstudy.types import Floats


class RunSums:
    """Sums of runs of consecutive days of rows (N, n), composed of sums over 1, 2, 4, ... days.

    Examples
    --------
    >>> import numpy as np
    >>> RunSums(np.array([[1.0, 2.0, 3.0, 4.0]])).of(3).tolist()
    [[6.0, 9.0]]
    """

    def __init__(self, rows: Floats) -> None:
        self._powers = [rows]

    def of(self, length: int) -> Floats:
        """Return the sums of all runs of a length, (N, n + 1 - length)."""
        while 2 ** len(self._powers) <= length:
            half, step = self._powers[-1], 2 ** (len(self._powers) - 1)
            self._powers.append(half[:, :-step] + half[:, step:])
        n_runs, start, total = self._powers[0].shape[1] + 1 - length, 0, None
        for power, sums in enumerate(self._powers):
            if length >> power & 1:
                part = sums[:, start : start + n_runs]
                total = part if total is None else total + part
                start += 2**power
        assert total is not None, "a run has at least one day"
        return total
