"""How many valid returns the estimation window of each event has, without cutting any window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventstudy.core.parts import build, cut, take
from eventstudy.types import AnyPanel, Ints, Placed, Spec


def valid_estimation_days(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> Ints:
    """Count the valid estimation days of each placed event, (n,)."""
    count = np.zeros(len(placed.day), dtype=np.int64)
    for rows in cut(placed, panels):
        count[rows] = _valid(*take(panels, placed, rows), spec)
    return count


def _valid(panels: Sequence[AnyPanel], placed: Placed, spec: Spec) -> Ints:
    count = np.zeros(len(placed.day), dtype=np.int64)
    first = np.full(len(count), spec.estimation[0]) if placed.own is None else placed.own[:, 0]
    last = np.full(len(count), spec.estimation[1]) if placed.own is None else placed.own[:, 1]
    hidden = np.empty((0, 3), dtype=np.int64) if placed.hidden is None else placed.hidden
    for at, panel in enumerate(panels):
        mine = placed.panel == at
        asset, day = placed.asset[mine], placed.day[mine]
        ok = build(panel).ok
        running = np.zeros((len(ok), ok.shape[1] + 1), dtype=np.int32)
        np.cumsum(ok, axis=1, dtype=np.int32, out=running[:, 1:])
        count[mine] = running[asset, day + last[mine] + 1] - running[asset, day + first[mine]]
        event, start, stop = hidden[mine[hidden[:, 0]]].T
        start, stop = np.maximum(start, first[event]), np.minimum(stop, last[event])
        there = stop >= start
        event, start, stop = event[there], start[there], stop[there]
        asset, day = placed.asset[event], placed.day[event]
        np.subtract.at(count, event, running[asset, day + stop + 1] - running[asset, day + start])
    return count
