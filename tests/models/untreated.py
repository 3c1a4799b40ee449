"""Events and untreated peers that load on two common factors, with known abnormal returns."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eventstudy.types import Block

N_EST, N_EVT = 120, 7
DAY = N_EST + 3  # the column of the jump


class Drawn(NamedTuple):
    """A block, its true abnormal returns (N, n_evt), and the market's return (N, L)."""

    block: Block
    true: np.ndarray
    market: np.ndarray


def draw(
    seed: int = 0, n: int = 30, n_peers: int = 12, jump: float = 0.0, missing: float = 0.0, noise: float = 0.01
) -> Drawn:
    """Draw returns of events and peers from the same distribution: two factors, of which the market is the first."""
    rng = np.random.default_rng(seed)
    length = N_EST + N_EVT
    factors = np.array([0.012, 0.010]) * rng.standard_normal((n, length, 2))
    loadings = np.stack([rng.uniform(0.6, 1.4, (n, n_peers + 1)), rng.uniform(0.5, 1.5, (n, n_peers + 1))], axis=1)
    r = 0.0003 + factors @ loadings + noise * rng.standard_normal((n, length, n_peers + 1))
    event_returns, peers = r[:, :, 0].copy(), r[:, :, 1:].copy()
    true = noise_of(event_returns, factors, loadings[:, :, 0])[:, N_EST:]
    event_returns[:, DAY] += jump
    true[:, DAY - N_EST] += jump
    ok = rng.random(event_returns.shape) >= missing
    peers[rng.random(peers.shape) < missing / 2] = np.nan
    flat, ids = np.zeros(n, dtype=np.int64), np.arange(n)
    market = factors[:, :, 0]
    block = Block(event_returns, ok, np.empty((n, length, 0)), N_EST, ids, flat, flat, np.ones(n), 1, 1, 0, peers)
    return Drawn(block, true, market)


def noise_of(event_returns: np.ndarray, factors: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    return np.asarray(event_returns - 0.0003 - (factors @ loadings[:, :, None])[:, :, 0])


def by_hand(block: Block, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return an event's valid days, its returns, its usable peers, and their returns (days, peers), by loops."""
    assert block.peers is not None
    n_est = block.n_est
    days = np.flatnonzero(block.ok[i])
    before, after = days[days < n_est], days[days >= n_est]
    usable = []
    for d in range(block.peers.shape[2]):
        finite = np.isfinite(block.peers[i, :, d])
        if finite[after].all() and finite[before].sum() >= 0.9 * len(before):
            usable.append(d)
    rows = []
    for day in days:
        row = block.peers[i, day, usable]
        rows.append(np.where(np.isnan(row), np.nanmean(row), row))
    return days, block.r[i, days], np.array(usable), np.array(rows)


def without_event_window(block: Block) -> Block:
    """Replace the event-window returns of the events and their peers."""
    assert block.peers is not None
    rng = np.random.default_rng(99)
    r, peers = block.r.copy(), block.peers.copy()
    r[:, block.n_est :] = 0.1 * rng.standard_normal(r[:, block.n_est :].shape)
    drawn = 0.1 * rng.standard_normal(peers[:, block.n_est :].shape)
    peers[:, block.n_est :] = np.where(np.isnan(peers[:, block.n_est :]), np.nan, drawn)
    return replace(block, r=r, peers=peers)
