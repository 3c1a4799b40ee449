r"""Peers: the normal return follows a portfolio of untreated securities.

.. math:: R_{it} = \alpha_i + \beta_i R_{pt} + e_{it}, \quad \text{or} \quad AR_{it} = R_{it} - R_{pt}

where p is the equal-weighted portfolio of the event's peers, or of the ``matched`` peers whose returns correlate most
with the event's over the estimation window. It removes the return of the industry on that day, which a broad index does
not. Assumes that the peers themselves do not react: if a rival gains what the firm loses, the effect is counted twice.

Daily equal weights imply a portfolio that is rebalanced every day, which buys securities that have just bounced from
ask to bid. With ``weights="held"`` the peers are bought in equal parts at the start of the event window and not traded
afterwards, so that the compounded portfolio is the buy-and-hold one, without rebalancing bias; with
``adjust="difference"`` and compounded returns this is the reference portfolio of Lyon, Barber & Tsai (1999, Journal of
Finance 54:165). Returns are assumed to be simple returns.

A peer is used if it has a return on nine tenths of the event's estimation days and on all its event-window days; on an
estimation day without a return it is left out of the portfolio. On a day on which the event itself has no return, the
values of held peers do not change. With fewer peers than ``matched``, or none, the status is ``no_peers``.

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
from eventstudy.core.peers import Peers, mark_no_peers, standardise_peers, usable_peers
from eventstudy.errors import InputError, one_of, shown
from eventstudy.types import PEERS, Abnormal, Block, Bools, Column, DescribedModel, Estimator, Floats


@dataclass(frozen=True, repr=False)
class PeerPortfolio(DescribedModel):
    """A portfolio of peers as the benchmark.

    Parameters
    ----------
    matched : int or None
        Number of peers, those most correlated with the event's return in the estimation window; None uses all.
    weights : "equal" or "held"
        Weights within the event window: equal every day, or bought in equal parts at its start.
    adjust : "regression" or "difference"
        Regress on the portfolio, or subtract its return.

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
            raise InputError(
                f"matched of the peers model is {shown(self.matched)}; give a whole number from 1, or None"
            )
        if self.weights not in ("equal", "held"):
            raise one_of("weights of the peers model", self.weights, ("equal", "held"))
        if self.adjust not in ("regression", "difference"):
            raise one_of("adjust of the peers model", self.adjust, ("regression", "difference"))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and beta for the regression; none for the difference."""
        return ("alpha", "beta") if self.adjust == "regression" else ()

    def fit(self, block: Block) -> Abnormal:
        """Build each event's portfolio; k = 2 for the regression, 0 for the difference."""
        peers = usable_peers(block)
        selected = peers.usable if self.matched is None else _most_correlated(block, peers, self.matched)
        portfolio = _equal_weighted(peers, selected)
        if self.weights == "held":
            portfolio[:, block.n_est :] = _buy_and_hold(peers.r[:, block.n_est :], selected)
        r = np.where(peers.ok, block.r, 0.0)
        if self.adjust == "regression":
            abnormal = least_squares(replace(block, r=r, ok=peers.ok), [1.0, portfolio])
        else:
            abnormal = least_squares(replace(block, r=r - portfolio, ok=peers.ok), [])
        return mark_no_peers(replace(abnormal, block=block), peers.usable.sum(axis=1) < (self.matched or 1))


def _most_correlated(block: Block, peers: Peers, number: int) -> Bools:
    """Choose the peers most correlated with the event's return in the estimation window, (N, D)."""
    n_est = block.n_est
    z, _, _ = standardise_peers(peers, n_est)
    y = np.where(peers.ok, block.r, 0.0)[:, :n_est]
    correlation = np.where(peers.usable, (y[:, None] @ z[:, :n_est])[:, 0], -np.inf)  # up to the scale of y
    selected = np.zeros(peers.usable.shape, dtype=bool)
    np.put_along_axis(selected, np.argsort(-correlation, axis=1, kind="stable")[:, :number], True, axis=1)
    return np.asarray(selected & peers.usable)


def _equal_weighted(peers: Peers, selected: Bools) -> Floats:
    """Return the mean return of the selected peers, (N, L)."""
    total = (peers.r * selected[:, None]).sum(axis=2)
    return np.asarray(total / np.maximum(selected.sum(axis=1), 1)[:, None])


def _buy_and_hold(r: Floats, selected: Bools) -> Floats:
    """Return the daily returns of peers bought in equal parts on the first day and not rebalanced, (N, n_evt)."""
    value = (np.cumprod(1.0 + r, axis=1) * selected[:, None]).sum(axis=2)
    previous = np.column_stack([selected.sum(axis=1), value[:, :-1]])
    growth: Floats = np.divide(value, previous, out=np.ones_like(value), where=previous > 0)
    return growth - 1.0


MODEL = PeerPortfolio()
