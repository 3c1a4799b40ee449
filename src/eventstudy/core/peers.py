"""Returns of untreated securities: which count for an event, and what a weighted sum of them leaves of its return.

A peer counts for an event if it has a return on nine tenths of the estimation days on which the event has one, and on
every valid day of the event window, and if its return varies over the estimation window. Whether a return is there is
asked of the event window; what it is never is. An estimation day on which a peer that counts has no return takes the
mean of those that have one (for equal weights this is the portfolio of those present), and a day on which none has
leaves the estimation window.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.core.scores import needed
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Bools, Floats, Ints, Status

COVERAGE = 0.9  # share of the event's estimation days on which a peer must have a return


class Peers(NamedTuple):
    """Peers by event: ``r`` (N, L, D) returns, 0 where not ``usable`` (N, D) or the day is not ``ok`` (N, L)."""

    r: Floats
    usable: Bools
    ok: Bools


def usable_peers(block: Block) -> Peers:
    """Find the peers that count for each event, with their missing estimation returns filled.

    Raises
    ------
    InputError
        When the block has no peers.
    """
    if block.peers is None:
        raise InputError("Block.peers is None; this model needs returns of other securities: give an array (N, L, D)")
    n_est = block.n_est
    there = np.isfinite(block.peers) & block.ok[:, :, None]
    valid, known = block.ok[:, :n_est].sum(axis=1), there[:, :n_est].sum(axis=1)
    r = np.where(there, block.peers, 0.0)
    before = r[:, :n_est]
    centred = (before - (before.sum(axis=1) / np.maximum(known, 1))[:, None]) * there[:, :n_est]
    usable = known >= needed(valid, COVERAGE)[:, None]
    usable &= (there | ~block.ok[:, :, None])[:, n_est:].all(axis=1)
    usable &= np.linalg.norm(centred, axis=1) > SINGULAR * np.linalg.norm(before, axis=1)
    there &= usable[:, None]
    n_there = there.sum(axis=2)
    mean = np.where(there, r, 0.0).sum(axis=2) / np.maximum(n_there, 1)
    ok = block.ok & ((n_there > 0) | ~usable.any(axis=1)[:, None])
    filled = np.where(there, r, mean[:, :, None])
    return Peers(np.where(usable[:, None] & ok[:, :, None], filled, 0.0), usable, ok)


def standardised_peers(peers: Peers, n_est: int) -> tuple[Floats, Floats, Floats]:
    """Centre and scale peers by their estimation days: z (N, L, D), 0 where r is, mean and deviation (N, D)."""
    ok = peers.ok[:, :, None]
    n = np.maximum(peers.ok[:, :n_est].sum(axis=1), 1)[:, None]
    mean = peers.r[:, :n_est].sum(axis=1) / n
    z = np.where(ok & peers.usable[:, None], peers.r - mean[:, None], 0.0)
    deviation = np.sqrt((z[:, :n_est] ** 2).sum(axis=1) / n)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return z / deviation[:, None], mean, deviation


def mark_no_peers(abnormal: Abnormal, lacking: Bools) -> Abnormal:
    """Take the estimates from events that lack peers (N,), but for those that lack days already."""
    lost = lacking & (abnormal.status != Status.TOO_FEW_ESTIMATION)
    return replace(
        abnormal,
        sigma=np.where(lost, np.nan, abnormal.sigma),
        coef=np.where(lost[:, None], np.nan, abnormal.coef),
        r2=np.where(lost, np.nan, abnormal.r2),
        status=np.where(lost, Status.NO_PEERS, abnormal.status),
    )


def active_rows(design: Floats, ok: Bools, n_est: int, width: int) -> Floats:
    r"""Give the rows h = X (X'X)^{-1/2} of one event's active regressors, (L, width), zeros in the columns beyond.

    Parameters
    ----------
    design : float array (L, P)
    ok : bool array (L,)
    n_est : int
        Days of the estimation window, which is the prefix.
    width : int
        At least min(P, n_est).
    """
    x = np.where(ok[:, None], design, 0.0)
    h = np.zeros((len(x), width))
    if x.shape[1]:
        _, length, axes = np.linalg.svd(x[:n_est], full_matrices=False)
        kept = length > 1e-10 * length[0]  # regressors that repeat each other span one direction
        h[:, : kept.sum()] = x @ axes[kept].T / length[kept]
    return h


def weighted(block: Block, peers: Peers, fits: Fits) -> Abnormal:
    r"""Take weighted peers off each event's return.

    .. math:: AR_{it} = R_{it} - \alpha_i - \sum_d w_{id} R_{dt}, \quad s_i^2 = \sum_E e_{it}^2 / (M_i - P_i)

    An event with ``M <= P``, or whose residuals vanish, has that status.
    """
    n_est, ok = block.n_est, peers.ok
    r = np.where(ok, block.r, 0.0)
    normal = fits.alpha[:, None] + (peers.r @ fits.weights[:, :, None])[:, :, 0]
    e = np.where(ok, r - normal, 0.0)
    n_valid = ok[:, :n_est].sum(axis=1)
    dof = (n_valid - fits.n_parameters).astype(np.float64)
    mean = r[:, :n_est].sum(axis=1) / np.maximum(n_valid, 1)
    left = (e[:, :n_est] ** 2).sum(axis=1)
    total = (np.where(ok, r - mean[:, None], 0.0)[:, :n_est] ** 2).sum(axis=1)
    status = fits.status.copy()
    vanished = left <= SINGULAR**2 * (r[:, :n_est] ** 2).sum(axis=1)
    status[vanished & (status == Status.OK)] = Status.NO_VARIATION
    status[dof < 1] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    nan = np.full(len(r), np.nan)
    sigma = np.sqrt(np.divide(left, dof, out=nan.copy(), where=known))
    r2 = 1.0 - np.divide(left, total, out=nan.copy(), where=known & (total > 0))
    coef = np.where(known[:, None], fits.coef, np.nan)
    return Abnormal(block, e, ok, sigma, dof, fits.h, coef, r2, status)


class Fits(NamedTuple):
    """The fits of weights to N events, filled one by one.

    ``alpha`` (N,), ``weights`` (N, D), ``coef`` (N, P), ``h`` (N, L, Q), ``n_parameters`` (N,), ``status`` (N,).
    """

    alpha: Floats
    weights: Floats
    coef: Floats
    h: Floats
    n_parameters: Ints
    status: Ints


def no_fits(block: Block, peers: Peers, n_coef: int, least: int, least_days: int) -> Fits:
    """Give fits of zeros, with a status where days or peers are too few or the event's return does not vary."""
    n, length, n_peers = peers.r.shape
    ok = peers.ok[:, : block.n_est]
    n_valid = ok.sum(axis=1)
    r = np.where(ok, block.r[:, : block.n_est], 0.0)
    centred = np.where(ok, r - (r.sum(axis=1) / np.maximum(n_valid, 1))[:, None], 0.0)
    status = np.full(n, Status.OK, dtype=np.int64)
    status[np.linalg.norm(centred, axis=1) <= SINGULAR * np.linalg.norm(r, axis=1)] = Status.NO_VARIATION
    status[peers.usable.sum(axis=1) < least] = Status.NO_PEERS
    status[n_valid < least_days] = Status.TOO_FEW_ESTIMATION
    h = np.zeros((n, length, min(n_peers + 1, block.n_est)))
    none = np.zeros(n, dtype=np.int64)
    return Fits(np.zeros(n), np.zeros((n, n_peers)), np.zeros((n, n_coef)), h, none, status)
