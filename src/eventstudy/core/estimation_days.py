"""Count the valid returns in the estimation window of each event, without building blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventstudy.core.parts import build, split, take
from eventstudy.types import AnyPanel, Ints, Placed, Spec


def valid_estimation_days(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> Ints:
    """Count the valid estimation days of each placed event, (n,)."""
    count = np.zeros(len(placed.day), dtype=np.int64)
    for rows in split(placed, panels):
        count[rows] = _count_in_part(*take(panels, placed, rows), spec)
    return count


def _count_in_part(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> Ints:
    count = np.zeros(len(placed.day), dtype=np.int64)
    first = np.full(len(count), spec.estimation[0]) if placed.own_windows is None else placed.own_windows[:, 0]
    last = np.full(len(count), spec.estimation[1]) if placed.own_windows is None else placed.own_windows[:, 1]
    masked_days = np.empty((0, 3), dtype=np.int64) if placed.masked_days is None else placed.masked_days
    for at, panel in enumerate(panels):
        in_panel = placed.panel == at
        asset, day = placed.asset[in_panel], placed.day[in_panel]
        ok = build(panel).ok
        running = np.zeros((len(ok), ok.shape[1] + 1), dtype=np.int32)
        np.cumsum(ok, axis=1, dtype=np.int32, out=running[:, 1:])
        count[in_panel] = running[asset, day + last[in_panel] + 1] - running[asset, day + first[in_panel]]
        event, start, stop = masked_days[in_panel[masked_days[:, 0]]].T
        start, stop = np.maximum(start, first[event]), np.minimum(stop, last[event])
        meets = stop >= start  # the masked period and the estimation window have common days
        event, start, stop = event[meets], start[meets], stop[meets]
        asset, day = placed.asset[event], placed.day[event]
        np.subtract.at(count, event, running[asset, day + stop + 1] - running[asset, day + start])
    return count
