"""Panels and placed events to blocks: slice each event's estimation and event window out of its asset's row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from eventstudy.types import Block, Bools, Floats, Ints, Panel, Placed, Spec

BLOCK = 1024  # events, the fastest size measured: smaller blocks cost more in calls, larger ones in cache misses
STRIP = 512  # events, the fastest size measured for work that passes over the same days many times
CELLS = 4_000_000  # largest number of peer returns in a block
RETURNS = 1_000_000  # largest number of event returns in a block: windows of intraday bars have thousands of columns


def blocks(
    panels: Sequence[Panel], placed: Placed, spec: Spec, n_clusters: int, n_groups: int, size: int = BLOCK
) -> Iterator[Block]:
    """Yield the events block by block, those of a cluster together; ``Block.id`` is the row in ``placed``.

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
        Largest number of events in a block.
    """
    order = np.lexsort((placed.asset, placed.day, placed.panel))
    for number, panel in enumerate(panels):
        rows = order[placed.panel[order] == number]
        step = _step(panel, spec, size)
        for start in range(0, len(rows), step):
            yield _block(panel, placed, rows[start : start + step], spec, n_clusters, n_groups)


def unchanged(
    before: tuple[Sequence[Panel], Placed], now: tuple[Sequence[Panel], Placed], rows: tuple[Ints, Ints], spec: Spec
) -> Bools:
    """Return for which events a model and tests read the same numbers in two samples, (n,).

    ``rows`` are the events (n,) in ``before`` and in ``now``. Clusters and groups, which are numbers of a sample, are
    not compared.
    """
    same = np.zeros(len(rows[0]), dtype=bool)
    first, second = (placed.panel[at] for (_, placed), at in zip((before, now), rows, strict=True))
    for pair in np.unique(np.column_stack([first, second]), axis=0):
        events = np.flatnonzero((first == pair[0]) & (second == pair[1]))
        panels = before[0][pair[0]], now[0][pair[1]]
        step = min(_step(panel, spec, BLOCK) for panel in panels)
        for start in range(0, len(events), step):
            at = events[start : start + step]
            same[at] = _equal_rows(
                *(
                    _block(panel, placed, all_rows[at], spec, 0, 0)
                    for panel, (_, placed), all_rows in zip(panels, (before, now), rows, strict=True)
                )
            )
    return same


def _equal_rows(first: Block, second: Block) -> Bools:
    """Return which events (N,) of two blocks have the same windows, weights and signs, bit for bit."""
    equal = np.ones(len(first.id), dtype=bool)
    for name in ("r", "ok", "x", "peers", "in_own_window", "weight", "sign"):
        left, right = getattr(first, name), getattr(second, name)
        if left is None and right is None:
            continue
        if left is None or right is None or left.shape != right.shape:
            return np.zeros(len(first.id), dtype=bool)
        differs = (left != right) & ((left == left) | (right == right))  # a missing peer is NaN in both
        equal &= ~differs.reshape(len(equal), -1).any(axis=1)
    return equal


def _step(panel: Panel, spec: Spec, size: int) -> int:
    """Return the number of events in a block."""
    n_peers = 0 if panel.peers is None else panel.peers.shape[1]
    length = spec.n_est + spec.n_evt
    return max(1, min(size, RETURNS // length, CELLS // max(1, n_peers * length)))


def _block(panel: Panel, placed: Placed, events: Ints, spec: Spec, n_clusters: int, n_groups: int) -> Block:
    """Return the block of some events of a panel."""
    r, ok, x = _slice_windows(panel, placed.asset[events], placed.day[events], spec)
    in_own_window = _mask_days(ok, placed, events, spec)
    cluster, group, weight = placed.cluster[events], placed.group[events], placed.weight[events]
    peers = _peer_returns(panel, placed, events, spec)
    sign = None if placed.sign is None else placed.sign[events]
    gap = spec.event[0] - spec.estimation[1] - 1
    block = Block(
        r, ok, x, spec.n_est, events, cluster, group, weight, n_clusters, n_groups, gap, peers, in_own_window, sign
    )
    for array in (r, ok, block.x, peers):  # what a model would change here, the tests after it would take for data
        if array is not None:
            array.flags.writeable = False
    return block


def select(placed: Placed, at: Ints) -> Placed:
    """Return the events at the positions (m,), any of which may repeat; their panels and clusters keep their numbers.

    Examples
    --------
    >>> zeros, ones = np.zeros(2, dtype=np.int64), np.ones(2)
    >>> placed = Placed(zeros, zeros, np.array([5, 7]), zeros, zeros, ones, masked_days=np.array([[1, -20, -18]]))
    >>> twice = select(placed, np.array([1, 1]))
    >>> twice.day.tolist(), twice.masked_days.tolist()
    ([7, 7], [[0, -20, -18], [1, -20, -18]])
    """
    tables = ("masked_days", "excluded_peers")
    fields = {name: values for name, values in placed._asdict().items() if values is not None}
    selected = {name: values[at] for name, values in fields.items() if name not in tables}
    for name in fields.keys() & set(tables):
        position, (_, *columns) = _rows_of(fields[name], at)
        selected[name] = np.column_stack([position, *columns])
    return placed._replace(**selected)


def strips(n: int) -> Iterator[slice]:
    """Split n events into strips, whose arrays of days stay in the cache."""
    for start in range(0, n, STRIP):
        yield slice(start, start + STRIP)


def _mask_days(ok: Bools, placed: Placed, events: Ints, spec: Spec) -> Bools | None:
    """Set ``ok`` to False, in place, on days that are excluded for an event.

    Return the days inside each event's own event window, (N, n_evt), or None if the events have no windows of their
    own.
    """
    if placed.masked_days is not None:
        position, (_, first, last) = _rows_of(placed.masked_days, events)
        covered = (spec.offsets >= first[:, None]) & (spec.offsets <= last[:, None])
        covered[:, spec.n_est :] = False
        masked = np.zeros(ok.shape, dtype=bool)
        np.logical_or.at(masked, position, covered)
        ok &= ~masked
    if placed.own_windows is None:
        return None
    first, last = placed.own_windows[events][:, [0, 2]].T, placed.own_windows[events][:, [1, 3]].T
    half = (np.arange(spec.n_est + spec.n_evt) >= spec.n_est).astype(np.int64)
    inside = (spec.offsets >= first[half].T) & (spec.offsets <= last[half].T)
    ok &= inside
    return inside[:, spec.n_est :]


def _peer_returns(panel: Panel, placed: Placed, events: Ints, spec: Spec) -> Floats | None:
    if panel.peers is None:
        return None
    peers: Floats = panel.peers[placed.day[events][:, None] + spec.offsets]
    if placed.excluded_peers is not None:
        position, (_, column) = _rows_of(placed.excluded_peers, events)
        peers[position, :, column] = np.nan
    return peers


def _rows_of(table: Ints, events: Ints) -> tuple[Ints, Ints]:
    """Select the rows of a table (m, k), sorted by its first column, that belong to the events.

    Return the position of each selected row's event in ``events`` (n,), and the rows transposed (k, n).
    """
    first, last = (np.searchsorted(table[:, 0], events, side=side) for side in ("left", "right"))
    n = last - first
    position = np.repeat(np.arange(len(events)), n)
    rows = np.arange(n.sum()) + np.repeat(first - np.cumsum(n) + n, n)
    return position, table[rows].T


def _slice_windows(panel: Panel, asset: Ints, day: Ints, spec: Spec) -> tuple[Floats, Bools, Floats]:
    """Return r (N, L), ok (N, L) and x (N, L, K) of events by asset row and column of day 0."""
    spans = [(spec.estimation[0], spec.n_est), (spec.event[0], spec.n_evt)]
    if spec.event[0] == spec.estimation[1] + 1:
        spans = [(spec.estimation[0], spec.n_est + spec.n_evt)]

    def cut(values: NDArray[Any]) -> NDArray[Any]:
        rows = () if values.ndim == 1 else (asset,)
        cuts = [sliding_window_view(values, width, axis=-1)[*rows, day + start] for start, width in spans]
        return cuts[0] if len(cuts) == 1 else np.concatenate(cuts, axis=1)

    r = cut(panel.r)
    ok = np.ones(r.shape, dtype=bool) if panel.complete else cut(panel.ok)
    regressors = [cut(row) for row in np.moveaxis(panel.x, -1, 0)]
    x = regressors[0][None] if len(regressors) == 1 else np.array(regressors).reshape(len(regressors), *r.shape)
    if panel.r0 is not None and panel.ok0 is not None and panel.x0 is not None and spec.event[0] <= 0 <= spec.event[1]:
        zero = spec.n_est - spec.event[0]
        r[:, zero] = panel.r0[asset, day]
        ok[:, zero] = panel.ok0[asset, day]
        x[:, :, zero] = (panel.x0[day] if panel.x0.ndim == 2 else panel.x0[asset, day]).T
    return r, ok, np.moveaxis(x, 0, -1)
