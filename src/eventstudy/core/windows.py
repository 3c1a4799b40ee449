"""Panel and placed events to blocks: cut each event's estimation and event window out of its asset's row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy.types import Block, Bools, Floats, Ints, Panel, Placed, Spec

BLOCK = 512  # events; a block of daily windows then stays in the second-level cache
CELLS = 4_000_000  # of the returns of peers that a block may hold


def blocks(
    panels: Sequence[Panel], placed: Placed, spec: Spec, n_clusters: int, n_groups: int, size: int = BLOCK
) -> Iterator[Block]:
    """Give the events block by block, those of a cluster together; ``Block.id`` is the row in ``placed``.

    Parameters
    ----------
    panels : sequence of Panel
        Each long enough on both sides for every window of its events.
    placed : Placed
        Integer arrays (N,).
    spec : Spec
    n_clusters, n_groups : int
        Of the whole sample.
    size : int
        Events a block, at most.
    """
    order = np.lexsort((placed.asset, placed.day, placed.panel))
    for at, panel in enumerate(panels):
        rows = order[placed.panel[order] == at]
        n_peers = 0 if panel.peers is None else panel.peers.shape[1]
        step = max(1, min(size, CELLS // max(1, n_peers * (spec.n_est + spec.n_evt))))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            day = placed.day[some]
            r, ok, x = _cut(panel, placed.asset[some], day, spec)
            peers = None if panel.peers is None else panel.peers[day[:, None] + spec.offsets]
            cluster, group, weight = placed.cluster[some], placed.group[some], placed.weight[some]
            gap = spec.event[0] - spec.estimation[1] - 1
            yield Block(r, ok, x, spec.n_est, some, cluster, group, weight, n_clusters, n_groups, gap, peers)


def _cut(panel: Panel, asset: Ints, day: Ints, spec: Spec) -> tuple[Floats, Bools, Floats]:
    n_est, length = spec.n_est, spec.n_est + spec.n_evt
    r = np.empty((len(asset), length))
    ok = np.empty((len(asset), length), dtype=bool)
    x = np.empty((panel.x.shape[-1], len(asset), length))
    regressors = np.moveaxis(panel.x, -1, 0)
    for columns, first, width in (
        (slice(0, n_est), day + spec.estimation[0], n_est),
        (slice(n_est, length), day + spec.event[0], spec.n_evt),
    ):
        r[:, columns] = sliding_window_view(panel.r, width, axis=1)[asset, first]
        ok[:, columns] = sliding_window_view(panel.ok, width, axis=1)[asset, first]
        for k, row in enumerate(regressors):
            views = sliding_window_view(row, width, axis=-1)
            x[k, :, columns] = views[first] if row.ndim == 1 else views[asset, first]
    if panel.r0 is not None and panel.ok0 is not None and panel.x0 is not None and spec.event[0] <= 0 <= spec.event[1]:
        zero = n_est - spec.event[0]
        r[:, zero] = panel.r0[asset, day]
        ok[:, zero] = panel.ok0[asset, day]
        x[:, :, zero] = panel.x0[day].T
    return r, ok, np.moveaxis(x, 0, -1)
