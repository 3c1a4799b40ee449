"""Panel and placed events to blocks: cut each event's estimation and event window out of its asset's row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy.types import Block, Bools, Floats, Ints, Panel, Placed, Spec

BLOCK = 1024  # events, measured best: fewer, and the calls cost more than the arithmetic; more, and caches overflow
STRIP = 128  # events whose days, some arrays of them, stay in the second-level cache
CELLS = 4_000_000  # of the returns of peers that a block may hold
RETURNS = 1_000_000  # of its own: bars within the day have windows of many thousand columns


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
    gap = spec.event[0] - spec.estimation[1] - 1
    for at, panel in enumerate(panels):
        rows = order[placed.panel[order] == at]
        n_peers = 0 if panel.peers is None else panel.peers.shape[1]
        length = spec.n_est + spec.n_evt
        step = max(1, min(size, RETURNS // length, CELLS // max(1, n_peers * length)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            r, ok, x = _cut(panel, placed.asset[some], placed.day[some], spec)
            inside = _hide(ok, placed, some, spec)
            cluster, group, weight = placed.cluster[some], placed.group[some], placed.weight[some]
            peers = _peers(panel, placed, some, spec)
            yield Block(r, ok, x, spec.n_est, some, cluster, group, weight, n_clusters, n_groups, gap, peers, inside)


def strips(n: int) -> Iterator[slice]:
    """Part n events into strips, for work of many passes over the same days."""
    for start in range(0, n, STRIP):
        yield slice(start, start + STRIP)


def _hide(ok: Bools, placed: Placed, some: Ints, spec: Spec) -> Bools | None:
    """Take out of ``ok``, in place, what does not count for an event; give the days of its own event window."""
    if placed.hidden is not None:
        at, (_, first, last) = _rows_of(placed.hidden, some)
        covered = (spec.offsets >= first[:, None]) & (spec.offsets <= last[:, None])
        covered[:, spec.n_est :] = False
        any_of_them = np.zeros(ok.shape, dtype=bool)
        np.logical_or.at(any_of_them, at, covered)
        ok &= ~any_of_them
    if placed.own is None:
        return None
    first, last = placed.own[some][:, [0, 2]].T, placed.own[some][:, [1, 3]].T
    half = (np.arange(spec.n_est + spec.n_evt) >= spec.n_est).astype(np.int64)
    inside = (spec.offsets >= first[half].T) & (spec.offsets <= last[half].T)
    ok &= inside
    return inside[:, spec.n_est :]


def _peers(panel: Panel, placed: Placed, some: Ints, spec: Spec) -> Floats | None:
    if panel.peers is None:
        return None
    peers: Floats = panel.peers[placed.day[some][:, None] + spec.offsets]
    if placed.barred is not None:
        at, (_, column) = _rows_of(placed.barred, some)
        peers[at, :, column] = np.nan
    return peers


def _rows_of(table: Ints, events: Ints) -> tuple[Ints, Ints]:
    """Give the rows of a table (m, k), sorted by its first column, of some events: their positions, and (k, n)."""
    first, last = (np.searchsorted(table[:, 0], events, side=side) for side in ("left", "right"))
    n = last - first
    at = np.repeat(np.arange(len(events)), n)
    rows = np.arange(n.sum()) + np.repeat(first - np.cumsum(n) + n, n)
    return at, table[rows].T


def _cut(panel: Panel, asset: Ints, day: Ints, spec: Spec) -> tuple[Floats, Bools, Floats]:
    n_est, length = spec.n_est, spec.n_est + spec.n_evt
    r = np.empty((len(asset), length))
    ok = np.ones((len(asset), length), dtype=bool)
    x = np.empty((panel.x.shape[-1], len(asset), length))
    regressors = np.moveaxis(panel.x, -1, 0)
    for columns, first, width in (
        (slice(0, n_est), day + spec.estimation[0], n_est),
        (slice(n_est, length), day + spec.event[0], spec.n_evt),
    ):
        r[:, columns] = sliding_window_view(panel.r, width, axis=1)[asset, first]
        if not panel.whole:
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
