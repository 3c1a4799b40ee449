r"""Principal components: the normal return is linear in the first components of its peers' returns.

.. math:: R_{it} = \alpha_i + \sum_{k=1}^{K} \beta_{ik} P_{kt} + e_{it}, \quad P_{kt} = \sum_d v_{kd} z_{dt}

where z are the peers' returns, standardised by mean and standard deviation of the estimation window, and v the first K
eigenvectors of their correlation matrix there; the same loadings give the scores of the event days. The components
represent what the peers have in common, without choosing factors by hand. The sign of a component is chosen so that its
largest loading is positive. The forecast variance treats the scores as known: it does not include the estimation error
of the loadings. Assumes that K components contain what the security and its peers share, and that the peers do not
react to the event. Baker & Gelbach (2020, Journal of Law, Finance, and Accounting 5:231).

A peer is used if it has a return on nine tenths of the event's estimation days and on all its event-window days; a
missing return on an estimation day is replaced by the mean of the other peers. With no more peers than components the
status is ``no_peers``.

Examples
--------
>>> import eventstudy as es
>>> es.model("pca", n_components=2).coefficients
('alpha', 'pc1', 'pc2')
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import least_squares
from eventstudy.core.peers import mark_no_peers, standardise_peers, usable_peers
from eventstudy.errors import InputError, shown
from eventstudy.types import PEERS, Abnormal, Block, Column, DescribedModel, Estimator, Floats


@dataclass(frozen=True, repr=False)
class PrincipalComponents(DescribedModel):
    """Regression on the principal components of the peers' returns.

    Parameters
    ----------
    n_components : int
        Number of components, 1 to 20.

    Raises
    ------
    InputError
        When it is not in this range.
    """

    columns: ClassVar[tuple[Column, ...]] = (PEERS,)
    estimator: ClassVar[Estimator] = "ols"

    n_components: int = 3

    def __post_init__(self) -> None:
        if not (isinstance(self.n_components, int) and 1 <= self.n_components <= 20):
            raise InputError(
                f"n_components of the pca model is {shown(self.n_components)}; give a whole number 1 to 20"
            )

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha and one loading for each component."""
        return ("alpha", *(f"pc{k}" for k in range(1, self.n_components + 1)))

    def fit(self, block: Block) -> Abnormal:
        """Estimate components and loadings on the prefix; k = 1 + number of components."""
        peers = usable_peers(block)
        z, _, _ = standardise_peers(peers, block.n_est)
        scores = _scores(z, block.n_est, self.n_components)
        abnormal = least_squares(replace(block, ok=peers.ok), [1.0, *np.moveaxis(scores, -1, 0)])
        return mark_no_peers(replace(abnormal, block=block), peers.usable.sum(axis=1) <= self.n_components)


def _scores(z: Floats, n_est: int, number: int) -> Floats:
    """Project standardised peers (N, L, D) on their first components, (N, L, number); columns after D are 0."""
    prefix = z[:, :n_est]
    _, vectors = np.linalg.eigh(prefix.transpose(0, 2, 1) @ prefix)
    loadings = vectors[:, :, ::-1][:, :, :number]
    scores = np.zeros((*z.shape[:2], number))
    if loadings.size:
        largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=1)[:, None], axis=1)
        scores[:, :, : loadings.shape[2]] = z @ (loadings * np.sign(largest))
    return scores


MODEL = PrincipalComponents()
