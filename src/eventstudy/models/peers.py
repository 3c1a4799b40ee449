r"""Peers: the normal return follows a portfolio of untreated securities.

.. math:: R_{it} = \alpha_i + \beta_i R_{pt} + e_{it}, \quad \text{or} \quad AR_{it} = R_{it} - R_{pt}

where p is the equal-weighted portfolio of the event's peers, or of the ``matched`` ones whose returns correlate most
with the event's over the estimation window. It takes off what moves the industry that day, which a broad index does
not. Assumes that the peers themselves do not react: a rival that gains what the firm loses counts twice.

Daily equal weights mean that the portfolio is rebalanced every day, which buys what has just bounced between bid and
ask. With ``weights="held"`` the peers are bought in equal parts at the start of the event window and then left alone,
so that the compounded portfolio is the buy-and-hold one, without rebalancing bias; with ``adjust="difference"`` and
compounded returns this is the reference portfolio of Lyon, Barber & Tsai (1999, Journal of Finance 54:165). Returns
are taken to be simple ones.

A peer counts if it has a return on nine tenths of the event's estimation days and on all its days in the event window;
on an estimation day on which one is missing the portfolio is that of the others. On a day on which the event itself
has no return, the values of held peers stand still. Fewer peers than ``matched``, or none: status ``no_peers``.

Examples
--------
>>> import eventstudy as es
>>> es.model("peers").coefficients
('alpha', 'beta')
>>> es.model("peers", matched=10, weights="held", adjust="difference").coefficients
()
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.core.peers import Peers, mark_no_peers, standardised_peers, usable_peers
from eventstudy.errors import InputError, one_of
from eventstudy.types import PEERS, Abnormal, Block, Bools, Column, Estimator, Floats


@dataclass(frozen=True)
class PeerPortfolio:
    """The benchmark of peers.

    Parameters
    ----------
    matched : int or None
        How many peers, those most correlated with the event's return in the estimation window; None takes all.
    weights : "equal" or "held"
        Within the event window: equal every day, or bought in equal parts at its start.
    adjust : "regression" or "difference"
        Regress on the portfolio, or take its return off.

    Raises
    ------
    InputError
        When an option is not one of these.
    """

    columns: ClassVar[tuple[Column, ...]] = (PEERS,)
    estimator: ClassVar[Estimator] = "ols"

    matched: int | None = None
    weights: Literal["equal", "held"] = "equal"
    adjust: Literal["regression", "difference"] = "regression"

    def __post_init__(self) -> None:
        if self.matched is not None and not (isinstance(self.matched, int) and self.matched >= 1):
            raise InputError(f"matched of the peers model is {self.matched!r}; give a whole number from 1, or None")
        if self.weights not in ("equal", "held"):
            raise one_of("weights of the peers model", self.weights, ("equal", "held"))
        if self.adjust not in ("regression", "difference"):
            raise one_of("adjust of the peers model", self.adjust, ("regression", "difference"))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and beta of the regression; none of the difference."""
        return ("alpha", "beta") if self.adjust == "regression" else ()

    def fit(self, block: Block) -> Abnormal:
        """Build each event's portfolio; k = 2 of the regression, 0 of the difference."""
        peers = usable_peers(block)
        chosen = peers.usable if self.matched is None else _closest(block, peers, self.matched)
        portfolio = _rebalanced(peers, chosen)
        if self.weights == "held":
            portfolio[:, block.n_est :] = _held(peers.r[:, block.n_est :], chosen)
        r = np.where(peers.ok, block.r, 0.0)
        if self.adjust == "regression":
            made = least_squares(replace(block, r=r, ok=peers.ok), [1.0, portfolio])
        else:
            made = least_squares(replace(block, r=r - portfolio, ok=peers.ok), [])
        return mark_no_peers(replace(made, block=block), peers.usable.sum(axis=1) < (self.matched or 1))


def _closest(block: Block, peers: Peers, number: int) -> Bools:
    """Choose the peers most correlated with the event's return in the estimation window, (N, D)."""
    n_est = block.n_est
    z, _, _ = standardised_peers(peers, n_est)
    y = np.where(peers.ok, block.r, 0.0)[:, :n_est]
    alike = np.where(peers.usable, (y[:, None] @ z[:, :n_est])[:, 0], -np.inf)  # a correlation but for y's own scale
    chosen = np.zeros(peers.usable.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-alike, axis=1, kind="stable")[:, :number], True, axis=1)
    return np.asarray(chosen & peers.usable)


def _rebalanced(peers: Peers, chosen: Bools) -> Floats:
    total = (peers.r * chosen[:, None]).sum(axis=2)
    return np.asarray(total / np.maximum(chosen.sum(axis=1), 1)[:, None])


def _held(r: Floats, chosen: Bools) -> Floats:
    """Give the daily returns of peers bought in equal parts on the first day and left alone, (N, n_evt)."""
    value = (np.cumprod(1.0 + r, axis=1) * chosen[:, None]).sum(axis=2)
    before = np.column_stack([chosen.sum(axis=1), value[:, :-1]])
    growth: Floats = np.divide(value, before, out=np.ones_like(value), where=before > 0)
    return growth - 1.0


MODEL = PeerPortfolio()
