r"""Synthetic control: the normal return is that of the portfolio of peers that best tracked the security.

.. math:: AR_{it} = R_{it} - \sum_d w_{id} R_{dt}, \quad
          w_i = \mathrm{argmin}_{w \ge 0, \; 1'w = 1} \sum_{t \in E} (R_{it} - \sum_d w_d R_{dt})^2

The weights are those of a long-only portfolio: none is negative and they sum to 1, so that nothing is extrapolated, and
few are positive. Assumes that the security's return lies within the span of its peers (a security more volatile than
all of them does not), and that the peers do not react to the event. Abadie, Diamond & Hainmueller (2010, Journal of the
American Statistical Association 105:493); for event studies Acemoglu et al. (2016, Journal of Financial Economics
121:368). With ``intercept`` the mean of the estimation window is first subtracted from all returns, so that only the
deviations from it are tracked (Ferman & Pinto 2021, Quantitative Economics 12:1197).

**Placebos.** A synthetic control is also fitted to every peer in turn, with the other peers as its donors and never the
security itself; ``p_placebo`` of the single events ranks :math:`|CAR|/s` among those of the placebos. It assumes no
distribution, but needs peers: the smallest p with D of them is 1/(1 + D).

The variance is :math:`s_i^2 = \sum_E e_{it}^2 / (M - P)`, with P the number of positive weights minus 1, because they
sum to 1, plus 1 for an intercept. The forecast variance is approximate: that of least squares on the donors with
positive weight, constrained to sum to 1, as if they had been known in advance. ``n_donors`` is the number of positive
weights.

A peer is used if it has a return on nine tenths of the event's estimation days and on all its event-window days; a
missing return on an estimation day is replaced by the mean of the other peers. With fewer than two peers the status is
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
from eventstudy.core.peers import active_rows, empty_fits, subtract_peers, usable_peers
from eventstudy.errors import InputError, shown
from eventstudy.types import PEERS, Abnormal, Block, Column, DescribedModel, Floats, Ints, Status

MIN_PEERS = 2


@dataclass(frozen=True, repr=False)
class SyntheticControl(DescribedModel):
    """A synthetic control of peers for each event.

    Parameters
    ----------
    intercept : bool
        Whether to track deviations from the mean of the estimation window instead of returns.
    max_placebos : int
        Largest number of peers to use as placebos, evenly spaced if there are more; 0 turns placebos off.

    Raises
    ------
    InputError
        When an option is not valid.
    """

    columns: ClassVar[tuple[Column, ...]] = (PEERS,)

    intercept: bool = False
    max_placebos: int = 100

    def __post_init__(self) -> None:
        if not isinstance(self.intercept, bool):
            raise InputError(f"intercept of the synthetic_control model is {shown(self.intercept)}; give True or False")
        if not (isinstance(self.max_placebos, int) and self.max_placebos >= 0):
            raise InputError(
                f"max_placebos of the synthetic_control model is {shown(self.max_placebos)}; give a whole number from 0"
            )

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha if there is an intercept, and the number of positive weights."""
        return ("alpha",) * self.intercept + ("n_donors",)

    def fit(self, block: Block) -> Abnormal:
        """Estimate each event's weights on the prefix; k = positive weights - 1, + 1 with an intercept."""
        peers, n_est = usable_peers(block), block.n_est
        fits = empty_fits(block, peers, len(self.coefficients), MIN_PEERS, 2 + self.intercept)
        placebos = np.full((len(block.r), peers.r.shape[2], block.r.shape[1] - n_est), np.nan)
        for i in np.flatnonzero(fits.status == Status.OK):
            usable, ok = np.flatnonzero(peers.usable[i]), peers.ok[i]
            r = np.column_stack([np.where(ok, block.r[i], 0.0), peers.r[i][:, usable]])
            days = np.flatnonzero(ok[:n_est])
            mean = r[days].mean(axis=0) * self.intercept
            r = np.where(ok[:, None], r - mean, 0.0)
            upper = np.asarray(np.linalg.qr(r[:n_est], mode="r"))  # preserves distances, with no more rows than columns
            donors = np.arange(1, len(usable) + 1)
            try:
                w = _weights(upper, 0, donors)
                targets = _evenly_spaced(donors, self.max_placebos)
                placebos[i, usable[targets - 1]] = _fit_placebos(r[n_est:], upper, targets, len(days) - self.intercept)
            except RuntimeError:  # nnls did not converge in 3 D steps
                fits.status[i] = Status.NOT_CONVERGED
                continue
            active = np.flatnonzero(w)
            fits.weights[i, usable] = w[1:]
            fits.alpha[i] = mean[0] - mean @ w
            fits.n_parameters[i] = len(active) - 1 + self.intercept
            fits.coef[i] = (fits.alpha[i],) * self.intercept + (len(active),)
            regressors = [r[:, active[1:]] - r[:, active[:1]]] + [np.ones((len(r), 1))] * self.intercept
            fits.h[i] = active_rows(np.hstack(regressors), ok, n_est, fits.h.shape[2])
        abnormal = subtract_peers(block, peers, fits)
        return replace(abnormal, placebos=placebos) if self.max_placebos else abnormal


def _weights(r: Floats, target: int, donors: Ints) -> Floats:
    """Return nonnegative weights of the donor columns of r, summing to 1, that best approximate the target column.

    As the weights sum to 1, the distance is |B w| with B the donors minus the target, and v = w / (1 + |B w|^2)
    minimises |B v|^2 + (1'v - 1)^2 over v >= 0. This is the nonnegative least squares of Lawson & Hanson (1974,
    chapter 23), which reaches the optimum after finitely many steps.
    """
    from scipy.optimize import nnls

    gaps = r[:, donors] - r[:, [target]]
    size = np.linalg.norm(gaps) / np.sqrt(len(donors))
    stacked = np.vstack([gaps / (size if size > 0 else 1.0), np.ones(len(donors))])
    v, _ = nnls(stacked, np.append(np.zeros(len(gaps)), 1.0))
    weights = np.zeros(r.shape[1])
    weights[donors] = v / v.sum()
    return weights


def _fit_placebos(events: Floats, upper: Floats, targets: Ints, n: int) -> Floats:
    """Return the abnormal returns of the target columns over their sigma, each tracked by the other peers."""
    result = np.full((len(targets), len(events)), np.nan)
    for row, target in zip(result, targets, strict=True):
        others = np.delete(np.arange(1, upper.shape[1]), target - 1)
        w = _weights(upper, target, others)
        dof = n - np.count_nonzero(w) + 1
        residual_norm = np.linalg.norm(upper[:, target] - upper @ w)
        if dof >= 1 and residual_norm > SINGULAR * np.linalg.norm(upper[:, target]):
            row[:] = (events[:, target] - events @ w) / (residual_norm / np.sqrt(dof))
    return result


def _evenly_spaced(values: Ints, most: int) -> Ints:
    """Select at most ``most`` of the values, evenly spaced."""
    return values if len(values) <= most else values[np.arange(most) * len(values) // most]


MODEL = SyntheticControl()
