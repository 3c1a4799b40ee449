"""Returns of untreated securities: which of them are used for an event, and the abnormal return over a weighted sum.

A peer is used for an event if it has a return on nine tenths of the estimation days on which the event has one, and on
every valid day of the event window, and if its return varies over the estimation window. Event-window returns are
checked for presence only; their values never decide which peers are used. On an estimation day on which a used peer
has no return, it gets the mean of the used peers that have one (with equal weights, this is the portfolio of the peers
present). An estimation day on which no used peer has a return is left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.core.scores import min_valid_days
from eventstudy.core.slopes import column_sizes
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Bools, Floats, Ints, Status

COVERAGE = 0.9  # share of the event's estimation days on which a peer must have a return


class Peers(NamedTuple):
    """Peers by event: returns ``r`` (N, L, D), 0 where not ``usable`` (N, D) or the day is not ``ok`` (N, L)."""

    r: Floats
    usable: Bools
    ok: Bools


def usable_peers(block: Block) -> Peers:
    """Select the peers that are used for each event, and fill their missing estimation returns.

    Raises
    ------
    InputError
        When the block has no peers.
    """
    if block.peers is None:
        raise InputError("Block.peers is None; this model needs returns of other securities: give an array (N, L, D)")
    n_est = block.n_est
    present = np.isfinite(block.peers) & block.ok[:, :, None]
    n_valid, n_present = block.ok[:, :n_est].sum(axis=1), present[:, :n_est].sum(axis=1)
    r = np.where(present, block.peers, 0.0)
    prefix = r[:, :n_est]
    centred = (prefix - (prefix.sum(axis=1) / np.maximum(n_present, 1))[:, None]) * present[:, :n_est]
    usable = n_present >= min_valid_days(n_valid, COVERAGE)[:, None]
    usable &= (present | ~block.ok[:, :, None])[:, n_est:].all(axis=1)
    usable &= np.linalg.norm(centred, axis=1) > SINGULAR * np.linalg.norm(prefix, axis=1)
    present &= usable[:, None]
    n_peers = present.sum(axis=2)
    mean = np.where(present, r, 0.0).sum(axis=2) / np.maximum(n_peers, 1)
    ok = block.ok & ((n_peers > 0) | ~usable.any(axis=1)[:, None])
    filled = np.where(present, r, mean[:, :, None])
    return Peers(np.where(usable[:, None] & ok[:, :, None], filled, 0.0), usable, ok)


def standardise_peers(peers: Peers, n_est: int) -> tuple[Floats, Floats, Floats]:
    """Centre and scale peers by their estimation days; return z (N, L, D), means and standard deviations (N, D).

    z is 0 where a peer is not usable or a day not ok.
    """
    ok = peers.ok[:, :, None]
    n = np.maximum(peers.ok[:, :n_est].sum(axis=1), 1)[:, None]
    mean = peers.r[:, :n_est].sum(axis=1) / n
    z = np.where(ok & peers.usable[:, None], peers.r - mean[:, None], 0.0)
    deviation = np.sqrt((z[:, :n_est] ** 2).sum(axis=1) / n)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return z / deviation[:, None], mean, deviation


def mark_no_peers(abnormal: Abnormal, too_few: Bools) -> Abnormal:
    """Set status NO_PEERS and NaN estimates for events with too few peers (N,), unless they have too few days."""
    no_peers = too_few & (abnormal.status != Status.TOO_FEW_ESTIMATION)
    return replace(
        abnormal,
        sigma=np.where(no_peers, np.nan, abnormal.sigma),
        coef=np.where(no_peers[:, None], np.nan, abnormal.coef),
        r2=np.where(no_peers, np.nan, abnormal.r2),
        status=np.where(no_peers, Status.NO_PEERS, abnormal.status),
    )


def active_rows(design: Floats, ok: Bools, n_est: int, width: int) -> Floats:
    r"""Return the rows h = X (X'X)^{-1/2} of one event's active regressors, (L, width), padded with zero columns.

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
        x = x / column_sizes(x[:n_est])  # a constant has another unit than returns
        _, length, axes = np.linalg.svd(x[:n_est], full_matrices=False)
        nonzero = length > 1e-10 * length[0]  # regressors that are multiples of each other span one direction
        h[:, : nonzero.sum()] = x @ axes[nonzero].T / length[nonzero]
    return h


def subtract_peers(block: Block, peers: Peers, fits: PeerFits) -> Abnormal:
    r"""Subtract the weighted peers from each event's return.

    .. math:: AR_{it} = R_{it} - \alpha_i - \sum_d w_{id} R_{dt}, \quad s_i^2 = \sum_E e_{it}^2 / (M_i - P_i)

    ``status`` marks an event with ``M <= P``, or whose residuals vanish.
    """
    n_est, ok = block.n_est, peers.ok
    r = np.where(ok, block.r, 0.0)
    normal = fits.alpha[:, None] + (peers.r @ fits.weights[:, :, None])[:, :, 0]
    e = np.where(ok, r - normal, 0.0)
    n_valid = ok[:, :n_est].sum(axis=1)
    dof = (n_valid - fits.n_parameters).astype(np.float64)
    mean = r[:, :n_est].sum(axis=1) / np.maximum(n_valid, 1)
    rss = (e[:, :n_est] ** 2).sum(axis=1)
    total = (np.where(ok, r - mean[:, None], 0.0)[:, :n_est] ** 2).sum(axis=1)
    status = fits.status.copy()
    vanishing = rss <= SINGULAR**2 * (r[:, :n_est] ** 2).sum(axis=1)
    status[vanishing & (status == Status.OK)] = Status.NO_VARIATION
    status[dof < 1] = Status.TOO_FEW_ESTIMATION
    known = status == Status.OK
    nan = np.full(len(r), np.nan)
    sigma = np.sqrt(np.divide(rss, dof, out=nan.copy(), where=known))
    r2 = 1.0 - np.divide(rss, total, out=nan.copy(), where=known & (total > 0))
    coef = np.where(known[:, None], fits.coef, np.nan)
    return Abnormal(block, e, ok, sigma, dof, fits.h, coef, r2, status)


class PeerFits(NamedTuple):
    """Fitted weights of peers for N events; the arrays are filled event by event.

    ``alpha`` (N,), ``weights`` (N, D), ``coef`` (N, P), ``h`` (N, L, Q), ``n_parameters`` (N,), ``status`` (N,).
    """

    alpha: Floats
    weights: Floats
    coef: Floats
    h: Floats
    n_parameters: Ints
    status: Ints


def empty_fits(block: Block, peers: Peers, n_coef: int, min_peers: int, min_days: int) -> PeerFits:
    """Return fits of zeros; ``status`` marks events with too few days or peers, or whose return does not vary."""
    n, length, n_peers = peers.r.shape
    ok = peers.ok[:, : block.n_est]
    n_valid = ok.sum(axis=1)
    r = np.where(ok, block.r[:, : block.n_est], 0.0)
    centred = np.where(ok, r - (r.sum(axis=1) / np.maximum(n_valid, 1))[:, None], 0.0)
    status = np.full(n, Status.OK, dtype=np.int64)
    status[np.linalg.norm(centred, axis=1) <= SINGULAR * np.linalg.norm(r, axis=1)] = Status.NO_VARIATION
    status[peers.usable.sum(axis=1) < min_peers] = Status.NO_PEERS
    status[n_valid < min_days] = Status.TOO_FEW_ESTIMATION
    h = np.zeros((n, length, min(n_peers + 1, block.n_est)))
    n_parameters = np.zeros(n, dtype=np.int64)
    return PeerFits(np.zeros(n), np.zeros((n, n_peers)), np.zeros((n, n_coef)), h, n_parameters, status)
