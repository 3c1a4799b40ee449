r"""Synthetic control: the normal return is that of the portfolio of peers which best tracked the security.

.. math:: AR_{it} = R_{it} - \sum_d w_{id} R_{dt}, \quad
          w_i = \mathrm{argmin}_{w \ge 0, \; 1'w = 1} \sum_{t \in E} (R_{it} - \sum_d w_d R_{dt})^2

The weights are those of a portfolio that one could have held: none is short and they sum to 1, so that nothing is
extrapolated, and few are positive. Assumes that the security's return lies within what its peers span (one more
volatile than all of them does not), and that they do not react. Abadie, Diamond & Hainmueller (2010, Journal of the
American Statistical Association 105:493); for event studies Acemoglu et al. (2016, Journal of Financial Economics
121:368). With ``intercept`` the mean of the estimation window is taken off all returns first, so that only the moves
about it are tracked (Ferman & Pinto 2021, Quantitative Economics 12:1197).

**Placebos.** The same is fitted to every peer in turn, with the others as its donors and never the security itself;
``p_placebo`` of the single events ranks :math:`|CAR|/s` among theirs. It assumes no distribution, but needs peers: the
smallest p with D of them is 1/(1 + D).

The variance is :math:`s_i^2 = \sum_E e_{it}^2 / (M - P)` with P the number of positive weights less 1, for they sum
to 1, and 1 more for an intercept. The forecast variance is approximate: that of least squares on the active donors,
their sum held to 1, as if they had been known before. ``n_donors`` is the number of positive weights.

A peer counts if it has a return on nine tenths of the event's estimation days and on all its days in the event window;
on an estimation day on which one is missing it takes the mean of the others. Fewer than two peers: status
``no_peers``.

Examples
--------
>>> import eventstudy as es
>>> es.model("synthetic_control").coefficients
('n_donors',)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from eventstudy.core.ols import SINGULAR
from eventstudy.core.peers import active_rows, no_fits, usable_peers, weighted
from eventstudy.errors import InputError
from eventstudy.types import PEERS, Abnormal, Block, Column, Floats, Ints, Status

LEAST = 2  # peers


@dataclass(frozen=True)
class SyntheticControl:
    """The synthetic control.

    Parameters
    ----------
    intercept : bool
        Track the moves about the mean of the estimation window, and not the mean itself.
    max_placebos : int
        Peers to which the same is fitted, evenly spread where there are more; 0 leaves the placebos out.

    Raises
    ------
    InputError
        When an option is not of its kind.
    """

    columns: ClassVar[tuple[Column, ...]] = (PEERS,)

    intercept: bool = False
    max_placebos: int = 100

    def __post_init__(self) -> None:
        if not isinstance(self.intercept, bool):
            raise InputError(f"intercept of the synthetic_control model is {self.intercept!r}; give True or False")
        if not (isinstance(self.max_placebos, int) and self.max_placebos >= 0):
            raise InputError(
                f"max_placebos of the synthetic_control model is {self.max_placebos!r}; give a whole number from 0"
            )

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha where there is an intercept, and the number of positive weights."""
        return ("alpha",) * self.intercept + ("n_donors",)

    def fit(self, block: Block) -> Abnormal:
        """Find each event's weights on the prefix; k = positive weights - 1, + 1 with an intercept."""
        peers, n_est = usable_peers(block), block.n_est
        fits = no_fits(block, peers, len(self.coefficients), LEAST, 2 + self.intercept)
        placebos = np.full((len(block.r), peers.r.shape[2], block.r.shape[1] - n_est), np.nan)
        for i in np.flatnonzero(fits.status == Status.OK):
            kept, ok = np.flatnonzero(peers.usable[i]), peers.ok[i]
            r = np.column_stack([np.where(ok, block.r[i], 0.0), peers.r[i][:, kept]])
            days = np.flatnonzero(ok[:n_est])
            mean = r[days].mean(axis=0) * self.intercept
            r = np.where(ok[:, None], r - mean, 0.0)
            upper = np.asarray(np.linalg.qr(r[:n_est], mode="r"))  # the same distances in as many rows as columns
            donors = np.arange(1, len(kept) + 1)
            try:
                w = _weights(upper, 0, donors)
                chosen = _spread(donors, self.max_placebos)
                placebos[i, kept[chosen - 1]] = _placebos(r[n_est:], upper, chosen, len(days) - self.intercept)
            except RuntimeError:  # nnls has taken 3 D steps
                fits.status[i] = Status.NOT_CONVERGED
                continue
            active = np.flatnonzero(w)
            fits.weights[i, kept] = w[1:]
            fits.alpha[i] = mean[0] - mean @ w
            fits.n_parameters[i] = len(active) - 1 + self.intercept
            fits.coef[i] = (fits.alpha[i],) * self.intercept + (len(active),)
            free = [r[:, active[1:]] - r[:, active[:1]]] + [np.ones((len(r), 1))] * self.intercept
            fits.h[i] = active_rows(np.hstack(free), ok, n_est, fits.h.shape[2])
        made = weighted(block, peers, fits)
        return replace(made, placebos=placebos) if self.max_placebos else made


def _weights(r: Floats, target: int, donors: Ints) -> Floats:
    """Give the weights of the columns of r, at least 0 and summing to 1, that come nearest to a column of it.

    As the weights sum to 1, the distance is |B w| with B the donors less the target, and v = w / (1 + |B w|^2) is what
    minimises |B v|^2 + (1'v - 1)^2 over v >= 0: the non-negative least squares of Lawson & Hanson (1974, chapter 23),
    which end at the optimum after finitely many steps.
    """
    from scipy.optimize import nnls

    gaps = r[:, donors] - r[:, [target]]
    size = np.linalg.norm(gaps) / np.sqrt(len(donors))
    stacked = np.vstack([gaps / (size if size > 0 else 1.0), np.ones(len(donors))])
    v, _ = nnls(stacked, np.append(np.zeros(len(gaps)), 1.0))
    weights = np.zeros(r.shape[1])
    weights[donors] = v / v.sum()
    return weights


def _placebos(events: Floats, upper: Floats, chosen: Ints, n: int) -> Floats:
    """Give the abnormal returns of the chosen columns over their own sigma, each tracked by the other peers."""
    made = np.full((len(chosen), len(events)), np.nan)
    for row, target in zip(made, chosen, strict=True):
        others = np.delete(np.arange(1, upper.shape[1]), target - 1)
        w = _weights(upper, target, others)
        dof = n - np.count_nonzero(w) + 1
        left = np.linalg.norm(upper[:, target] - upper @ w)
        if dof >= 1 and left > SINGULAR * np.linalg.norm(upper[:, target]):
            row[:] = (events[:, target] - events @ w) / (left / np.sqrt(dof))
    return made


def _spread(of: Ints, most: int) -> Ints:
    """Take at most so many of them, evenly spread."""
    return of if len(of) <= most else of[np.arange(most) * len(of) // most]


MODEL = SyntheticControl()
