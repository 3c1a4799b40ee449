"""Count the valid returns in the windows of each event, without building blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.core.parts import build, split, take
from eventstudy.core.scores import min_valid_days
from eventstudy.types import AnyPanel, Bools, Ints, Panel, Placed, Spec


class ValidDays(NamedTuple):
    """Of each placed event, (n,), the number of valid estimation days, and whether its event day can be measured.

    An event that cannot be measured has no return on relative day 0, some on other days of its event window, and too
    few in every window.
    """

    estimation: Ints
    measured: Bools


def valid_days(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> ValidDays:
    """Count the valid days of each placed event."""
    count = np.zeros(len(placed.day), dtype=np.int64)
    measured = np.ones(len(placed.day), dtype=bool)
    for rows in split(placed, panels):
        part = take(panels, placed, rows)
        built = [build(panel) for panel in part[0]]
        count[rows] = _count_in_part(built, part[1], spec)
        if not all(panel.complete for panel in built):
            measured[rows] = _measured_in_part(built, part[1], spec)
    return ValidDays(count, measured)


def _count_in_part(panels: Sequence[Panel], placed: Placed, spec: Spec) -> Ints:
    count = np.zeros(len(placed.day), dtype=np.int64)
    first = np.full(len(count), spec.estimation[0]) if placed.own_windows is None else placed.own_windows[:, 0]
    last = np.full(len(count), spec.estimation[1]) if placed.own_windows is None else placed.own_windows[:, 1]
    masked_days = np.empty((0, 3), dtype=np.int64) if placed.masked_days is None else placed.masked_days
    for at, panel in enumerate(panels):
        in_panel = placed.panel == at
        asset, day = placed.asset[in_panel], placed.day[in_panel]
        running = _running_sum(panel.ok)
        count[in_panel] = running[asset, day + last[in_panel] + 1] - running[asset, day + first[in_panel]]
        event, start, stop = masked_days[in_panel[masked_days[:, 0]]].T
        start, stop = np.maximum(start, first[event]), np.minimum(stop, last[event])
        meets = stop >= start  # the masked period and the estimation window have common days
        event, start, stop = event[meets], start[meets], stop[meets]
        asset, day = placed.asset[event], placed.day[event]
        np.subtract.at(count, event, running[asset, day + stop + 1] - running[asset, day + start])
    return count


def _measured_in_part(panels: Sequence[Panel], placed: Placed, spec: Spec) -> Bools:
    """Return whether each event has a return on day 0, or a window with enough of them, or none at all, (n,)."""
    if not spec.event[0] <= 0 <= spec.event[1]:
        return np.ones(len(placed.day), dtype=bool)
    measured = np.ones(len(placed.day), dtype=bool)
    for at, panel in enumerate(panels):
        rows = np.flatnonzero(placed.panel == at)
        asset, day = placed.asset[rows], placed.day[rows]
        day_0 = (panel.ok if panel.ok0 is None else panel.ok0)[asset, day]
        rows, asset, day = rows[~day_0], asset[~day_0], day[~day_0]
        first, last = (np.full(len(rows), edge) for edge in spec.event)
        if placed.own_windows is not None:
            first, last = placed.own_windows[rows, 2], placed.own_windows[rows, 3]
        running = _running_sum(panel.ok)
        missing = (first <= 0) & (last >= 0)
        missing &= running[asset, day + last + 1] > running[asset, day + first]
        for start, stop in spec.windows:
            begin, end = np.maximum(start, first), np.minimum(stop, last)
            n = running[asset, day + end + 1] - running[asset, day + begin]  # not positive where they do not meet
            n -= (begin <= 0) & (end >= 0) & panel.ok[asset, day]  # day 0 is missing at its own price
            missing &= n < np.maximum(min_valid_days(end - begin + 1, spec.min_coverage), 1)
        measured[rows] = ~missing
    return measured


def _running_sum(ok: Bools) -> Ints:
    running = np.zeros((len(ok), ok.shape[1] + 1), dtype=np.int32)
    np.cumsum(ok, axis=1, dtype=np.int32, out=running[:, 1:])
    return running
