r"""Robust market model: alpha and beta that single days of the estimation window cannot move far.

.. math:: \text{Huber:} \quad \min_{\alpha, \beta} \sum_{t \in E}
              \rho\Bigl(\frac{R_{it} - \alpha - \beta R_{mt}}{\tau}\Bigr), \quad
              \rho'(u) = \max(-c, \min(u, c)), \; c = 1.345

.. math:: \text{Theil, Sen:} \quad \beta = \mathrm{median}_{s<t} \frac{R_{it} - R_{is}}{R_{mt} - R_{ms}}, \quad
              \alpha = \mathrm{median}_t (R_{it} - \beta R_{mt})

Huber's estimator weighs down what lies beyond 1.345 scales, which costs 5 % of efficiency under normality; its scale
is the median absolute residual, made consistent for the normal and estimated anew at each step. Theil-Sen has more
resistance, to outlying market days too, and needs no scale. Take this model where other news fell into the estimation
window and cannot be dropped by name.

Only the line is robust. Sigma stays the root of the squared residuals over M - 2: returns have fat tails in the event
window as well, and a robust scale, which leaves them out, would understate the spread of a day and reject too often.
The forecast factor has the estimator's own covariance matrix: Huber's asymptotic one, and for Theil-Sen the standard
errors that invert its rank tests, Kendall's for the slope and the sign test for the level (the width of the 95 %
interval over 2 x 1.96), which need no density; slope and level at the mean market return are uncorrelated. Assumes
symmetric errors: with skewed ones alpha lies nearer their median, and the mean abnormal return is then not zero
without any event. Huber's steps that do not settle are ``not_converged``. Huber (1964, Annals of Mathematical
Statistics 35:73); Theil (1950, Proceedings KNAW 53:386); Sen (1968, Journal of the American Statistical Association
63:1379).

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

from eventstudy.core.refit import Line, refit, standard
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Block, Column, Floats, Ints

TUNING = 1.345  # scales within which Huber's weights are 1: 95 % efficient under normality
NORMAL_95 = 1.959963984540054
STEPS, SETTLED = 500, 1e-10  # of Huber's iteration; a change in units of the residual deviation
EXACT = 1e-6  # a scale below this share of the deviation: the line goes through most days, as where returns are stale


@dataclass(frozen=True)
class Robust:
    """The market model with a robust line.

    Parameters
    ----------
    method : {"huber", "theil_sen"}

    Raises
    ------
    InputError
        When the method is another.
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
        return refit(block, 2, ESTIMATORS[self.method])


def _huber(r: Floats, x: Floats, at: Ints) -> Line | None:
    import statsmodels.api as sm

    days = standard(r, x)
    model = sm.RLM(days.u, np.column_stack([np.ones(len(r)), days.z]), M=sm.robust.norms.HuberT(t=TUNING))
    # what statsmodels would warn of, a scale of 0, is the event's status here
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        made = model.fit(maxiter=STEPS, tol=SETTLED, conv="coefs", scale_est="mad", cov="H1")
        cov = np.asarray(made.bcov_scaled)
    settled = np.ptp(made.fit_history["params"][-2:], axis=0).max() <= SETTLED
    if not (settled and made.scale > EXACT and np.isfinite(cov).all()):
        return None
    return Line(*days.line(np.asarray(made.params), cov))


def _theil_sen(r: Floats, x: Floats, at: Ints) -> Line | None:
    from scipy.stats import theilslopes

    slope, _, low, high = theilslopes(r, x)
    e = np.sort(r - slope * x)
    reach = NORMAL_95 * np.sqrt(len(e)) / 2  # of the sign test's interval, in ranks to either side of the middle
    first = max(int(np.floor(len(e) / 2 - reach)), 0)
    widths = np.array([e[len(e) - 1 - first] - e[first], high - low])
    variances = (widths / (2 * NORMAL_95)) ** 2
    if not (variances > 0).all():
        return None
    turn = np.array([[1.0, -x.mean()], [0.0, 1.0]])  # the level at the mean of x, and the slope, are uncorrelated
    return Line(np.array([np.median(e), slope]), turn @ np.diag(variances) @ turn.T)


ESTIMATORS = {"huber": _huber, "theil_sen": _theil_sen}
MODEL = Robust()
