r"""Robust market model: alpha and beta that are resistant to outlying days of the estimation window.

.. math:: \text{Huber:} \quad \min_{\alpha, \beta} \sum_{t \in E}
              \rho\Bigl(\frac{R_{it} - \alpha - \beta R_{mt}}{\tau}\Bigr), \quad
              \rho'(u) = \max(-c, \min(u, c)), \; c = 1.345

.. math:: \text{Theil, Sen:} \quad \beta = \mathrm{median}_{s<t} \frac{R_{it} - R_{is}}{R_{mt} - R_{ms}}, \quad
              \alpha = \mathrm{median}_t (R_{it} - \beta R_{mt})

Huber's estimator downweights residuals beyond 1.345 scales, at a cost of 5 % of efficiency under normality; its scale
is the median absolute residual, made consistent for the normal distribution and estimated anew in each iteration.
Theil-Sen is more resistant, also to outlying market returns, and needs no scale. Use this model if other news fell into
the estimation window and cannot be excluded by date.

Only the line is robust. Sigma is still the root of the sum of squared residuals over M - 2: event-window returns have
fat tails too, and a robust scale, which ignores them, would understate the standard deviation of a day and reject too
often. The forecast factor uses the covariance matrix of the estimator: for Huber the asymptotic one; for Theil-Sen
standard errors from inverting its rank tests, Kendall's for the slope and the sign test for the level (the width of the
95 % interval over 2 x 1.96), which need no density estimate; slope and level at the mean market return are
uncorrelated. Assumes symmetric errors: with skewed errors alpha is closer to their median, and the mean abnormal return
is then not zero even without an event. If Huber's iteration does not converge, the status is ``not_converged``. Huber
(1964, Annals of Mathematical Statistics 35:73); Theil (1950, Proceedings KNAW 53:386); Sen (1968, Journal of the
American Statistical Association 63:1379).

Examples
--------
>>> import eventstudy as es
>>> es.model("robust", method="theil_sen").coefficients
('alpha', 'beta')
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from eventstudy.core.refit import LineEstimate, fit_by_event, standardise_days
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Floats, Ints

TUNING = 1.345  # in scales; smaller residuals have weight 1 in Huber's estimator: 95 % efficient under normality
NORMAL_95 = 1.959963984540054
MAX_ITER, TOLERANCE = 500, 1e-10  # of Huber's iteration; the tolerance is in residual standard deviations
EXACT = 1e-6  # a scale below this, in standard deviations, means that the line fits most days exactly (stale prices)


@dataclass(frozen=True, repr=False)
class Robust(DescribedModel):
    """The market model estimated by a robust method.

    Parameters
    ----------
    method : {"huber", "theil_sen"}

    Raises
    ------
    InputError
        When the method is not one of these.
    """

    method: Literal["huber", "theil_sen"] = "huber"

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    tolerance: ClassVar[float] = 1e-9  # of the optimiser

    def __post_init__(self) -> None:
        if self.method not in ESTIMATORS:
            raise one_of("method of the robust model", self.method, ESTIMATORS)

    def fit(self, block: Block) -> Abnormal:
        """Estimate alpha and beta on the prefix; k = 2."""
        return fit_by_event(block, 2, ESTIMATORS[self.method])


def _huber(r: Floats, x: Floats, at: Ints) -> LineEstimate | None:
    import statsmodels.api as sm

    days = standardise_days(r, x)
    model = sm.RLM(days.u, np.column_stack([np.ones(len(r)), days.z]), M=sm.robust.norms.HuberT(t=TUNING))
    # a scale of 0, of which statsmodels warns, is reported as the status of the event
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fit = model.fit(maxiter=MAX_ITER, tol=TOLERANCE, conv="coefs", scale_est="mad", cov="H1")
        cov = np.asarray(fit.bcov_scaled)
    converged = np.ptp(fit.fit_history["params"][-2:], axis=0).max() <= TOLERANCE
    if not (converged and fit.scale > EXACT and np.isfinite(cov).all()):
        return None
    return LineEstimate(*days.to_returns(np.asarray(fit.params), np.linalg.cholesky(cov)))


def _theil_sen(r: Floats, x: Floats, at: Ints) -> LineEstimate | None:
    from scipy.stats import theilslopes

    slope, _, low, high = theilslopes(r, x)
    e = np.sort(r - slope * x)
    half_width = NORMAL_95 * np.sqrt(len(e)) / 2  # of the sign test's interval, in ranks
    first = max(int(np.floor(len(e) / 2 - half_width)), 0)
    widths = np.array([e[len(e) - 1 - first] - e[first], high - low])
    if not (widths > 0).all():
        return None
    transform = np.array([[1.0, -x.mean()], [0.0, 1.0]])  # the slope and the level at the mean of x are uncorrelated
    return LineEstimate(np.array([np.median(e), slope]), transform @ np.diag(widths) / (2 * NORMAL_95))


ESTIMATORS = {"huber": _huber, "theil_sen": _theil_sen}
MODEL = Robust()
