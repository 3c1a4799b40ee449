r"""GARCH: the market model with a residual variance that depends on past residuals.

.. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}, \quad e_{it} = \sqrt{h_{it}}\, \eta_{it}

.. math:: \text{garch:} \quad h_t = \omega + a\, e_{t-1}^2 + g\, h_{t-1}, \qquad
          \text{gjr:} \quad h_t = \omega + (a + l\, 1[e_{t-1} < 0])\, e_{t-1}^2 + g\, h_{t-1}

.. math:: \text{egarch:} \quad \ln h_t = \omega + a\, (|\eta_{t-1}| - \sqrt{2 / \pi}) + l\, \eta_{t-1} + g \ln h_{t-1}

by maximum likelihood with the library ``arch``, with normal or Student's t innovations. Use it if volatility on the
event day differed from the average of the estimation window: an abnormal return is then compared with the variance that
was expected for its day.

That variance is the forecast from the end of the estimation window, across the gap, to each day of the event window.
Returns of the event window do not enter it: otherwise the jump of the event would raise the variance of its own days
and so hide itself. The forecast is exact for garch, for gjr with symmetric innovations, and for egarch with normal
ones. With t innovations the expected variance of egarch does not exist (Nelson 1991); it is replaced by the exponential
of the expected log variance, which is lower. With the distance from the estimation window every forecast approaches the
unconditional variance, so keep the gap short.

Assumes that the event does not change the process. Missing days of the estimation window are left out of the
likelihood, as if the days around them were adjacent; missing days in the event window, or just before it, still count
in the forecast horizon. Sigma is the root of the sum of squared residuals over M - 2. The standard errors of alpha and
beta are those of least squares weighted by the fitted variances; with t innovations they are somewhat too large. The
variance parameters are ``omega``, ``arch1`` (a), ``leverage1`` (l), ``garch1`` (g) and ``nu``, for decimal returns. The
status is ``not_converged`` if no optimum is found, if what is found is less likely than a constant variance, or if its
variance leaves the range of 0.001 to 1000 times the average variance; this happens with stale prices, for which the
likelihood is unbounded. Give egarch 250 days or more, which is not checked: with fewer its likelihood is flat or has
several optima, and the result may depend on rounding. A fit takes 15 to 50 ms per event. Bollerslev (1986, Journal of
Econometrics 31:307); Nelson (1991, Econometrica 59:347); Glosten, Jagannathan & Runkle (1993, Journal of Finance
48:1779); in event studies Corhay & Tourani Rad (1996, Quarterly Review of Economics and Finance 36:529) and Savickas
(2003, Journal of Financial Research 26:165).

Examples
--------
>>> import eventstudy as es
>>> es.model("garch", kind="gjr", dist="t").coefficients
('alpha', 'beta', 'omega', 'arch1', 'leverage1', 'garch1', 'nu')
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from eventstudy.core.refit import LineEstimate, fit_by_event, standardise_days
from eventstudy.errors import InputError, one_of, shown
from eventstudy.types import Abnormal, Block, Column, DescribedModel, Floats, Ints

KINDS = ("garch", "egarch", "gjr")
DISTS = ("normal", "t")
# Of the likelihood, tried in this order until the fit converges; egarch's likelihood is too flat for a small tolerance.
TOLERANCES = {"garch": (1e-11, 1e-6), "gjr": (1e-11, 1e-6), "egarch": (1e-6,)}
LOWEST, HIGHEST = 1e-3, 1e3  # variances relative to the average; outside this range the optimum is degenerate
# The mean log-likelihood of a constant variance, which every kind contains, less a hundredth: what is less likely is no
# optimum, though the optimiser may say that it converged.
LEAST_LIKELY = -(np.log(2 * np.pi) + 1.0) / 2.0 - 0.01
MEAN_OF_ABS = np.sqrt(2 / np.pi)  # of a standard normal


@dataclass(frozen=True, repr=False)
class Garch(DescribedModel):
    """The market model with a conditional variance.

    Parameters
    ----------
    kind : {"garch", "egarch", "gjr"}
    dist : {"normal", "t"}
        Distribution of the innovations.
    p, q : int
        Number of lags of the squared residual (of the innovation, for egarch) and of the variance, 1 to 5 each. Egarch
        and gjr have p leverage terms.

    Raises
    ------
    InputError
        When an option is not valid; on fitting, when ``arch`` is not installed.
    """

    kind: Literal["garch", "egarch", "gjr"] = "garch"
    dist: Literal["normal", "t"] = "normal"
    p: int = 1
    q: int = 1

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    tolerance: ClassVar[float] = 1e-5  # of the optimiser

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise one_of("kind of the garch model", self.kind, KINDS)
        if self.dist not in DISTS:
            raise one_of("dist of the garch model", self.dist, DISTS)
        for name in ("p", "q"):
            if not (isinstance(getattr(self, name), int) and 1 <= getattr(self, name) <= 5):
                raise InputError(
                    f"{name} of the garch model is {shown(getattr(self, name))}; give a whole number 1 to 5"
                )

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Alpha, beta, and the parameters of the variance."""
        arch = (f"arch{lag}" for lag in range(1, self.p + 1))
        leverage = (f"leverage{lag}" for lag in range(1, self._leverages + 1))
        garch = (f"garch{lag}" for lag in range(1, self.q + 1))
        return ("alpha", "beta", "omega", *arch, *leverage, *garch, *(("nu",) if self.dist == "t" else ()))

    @property
    def _leverages(self) -> int:
        return 0 if self.kind == "garch" else self.p

    def fit(self, block: Block) -> Abnormal:
        """Estimate on the prefix and forecast the variance of the suffix; k = 2, alpha and beta."""
        arch, n_est = _arch(), block.n_est
        horizon = block.gap + block.r.shape[1] - n_est

        def estimate(r: Floats, x: Floats, at: Ints) -> LineEstimate | None:
            days = standardise_days(r, x)
            optimum = self._maximise(arch, days.u, days.z)
            if optimum is None:
                return None
            mean, dynamics, e, variance = optimum
            forecast = (_log_forecast if self.kind == "egarch" else _forecast)(
                dynamics, e, variance, horizon + n_est - 1 - at[-1]
            )
            path = np.ones(block.r.shape[1])
            path[at], path[n_est:] = variance, forecast[len(forecast) - len(path) + n_est :]
            if not ((path > LOWEST) & (path < HIGHEST)).all():
                return None
            design = np.column_stack([np.ones(len(r)), days.z])
            upper = np.asarray(np.linalg.qr(design / np.sqrt(variance)[:, None], mode="r"))
            line, root = days.to_returns(mean, np.linalg.inv(upper))
            return LineEstimate(np.concatenate([line, self._rescale(dynamics, days.scale)]), root, path * days.scale**2)

        return fit_by_event(block, len(self.coefficients), estimate, path=True)

    def _maximise(self, arch: ModuleType, u: Floats, z: Floats) -> tuple[Floats, _Dynamics, Floats, Floats] | None:
        """Return the line (2,), the dynamics, residuals and variances (M,), or None if the fit does not converge."""
        orders = {"p": self.p, "o": self._leverages, "q": self.q}
        model = arch.LS(
            u, z[:, None], rescale=False,
            volatility=arch.EGARCH(**orders) if self.kind == "egarch" else arch.GARCH(**orders),
            distribution=arch.StudentsT() if self.dist == "t" else arch.Normal(),
        )  # fmt: skip
        # warnings of arch and SciPy are reported as the status of the event
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                for tolerance in TOLERANCES[self.kind]:
                    fit = model.fit(disp="off", show_warning=False, options={"ftol": tolerance, "maxiter": 500})
                    if fit.convergence_flag == 0:
                        break
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):
                return None
        params, variance = np.asarray(fit.params), np.asarray(fit.conditional_volatility) ** 2
        usable = np.isfinite(params).all() and np.isfinite(variance).all() and (variance > 0).all()
        if fit.convergence_flag != 0 or not usable or fit.loglikelihood < LEAST_LIKELY * len(u):
            return None
        ends = np.cumsum([2, 1, self.p, self._leverages, self.q])
        mean, omega, shock, leverage, lags, nu = np.split(params, ends)
        return mean, _Dynamics(float(omega[0]), shock, leverage, lags, nu), np.asarray(fit.resid), variance

    def _rescale(self, dynamics: _Dynamics, scale: float) -> Floats:
        """Return the parameters of the variance of returns multiplied by ``scale``."""
        if self.kind == "egarch":
            omega = dynamics.omega + np.log(scale**2) * (1 - dynamics.lags.sum())
        else:
            omega = dynamics.omega * scale**2
        return np.concatenate([[omega], dynamics.shock, dynamics.leverage, dynamics.lags, dynamics.nu])


class _Dynamics(NamedTuple):
    """Parameters of the variance: ``shock`` of lagged shocks, ``leverage`` of their sign, ``lags`` of lagged variances.

    ``nu`` (1,) holds the degrees of freedom of t innovations, and is empty for normal ones.
    """

    omega: float
    shock: Floats
    leverage: Floats
    lags: Floats
    nu: Floats


def _forecast(dynamics: _Dynamics, e: Floats, variance: Floats, horizon: int) -> Floats:
    """Compute the expected variances of the next ``horizon`` days; negative returns are half of the expected square."""
    past, squares, negative = list(variance), list(e**2), list(np.where(e < 0, e**2, 0.0))
    for _ in range(horizon):
        expected = dynamics.omega + _weighted_sum(dynamics.shock, squares) + _weighted_sum(dynamics.leverage, negative)
        expected += _weighted_sum(dynamics.lags, past)
        past.append(expected)
        squares.append(expected)
        negative.append(expected / 2)
    return np.array(past[len(e) :])


def _log_forecast(dynamics: _Dynamics, e: Floats, variance: Floats, horizon: int) -> Floats:
    """Compute the expected variances of the next ``horizon`` days of a model that is linear in the log variance.

    The path sets future shocks to 0. The log variance is linear in each shock, with the impulse responses to its size
    and to its sign as weights, so that the expectation over future shocks is a product of one factor per shock.
    """
    eta = e / np.sqrt(variance)
    past, sizes, signed = list(np.log(variance)), list(np.abs(eta) - MEAN_OF_ABS), list(eta)
    size: list[float] = []
    sign: list[float] = []
    for k in range(horizon):
        past.append(
            dynamics.omega
            + _weighted_sum(dynamics.shock, sizes)
            + _weighted_sum(dynamics.leverage, signed)
            + _weighted_sum(dynamics.lags, past)
        )
        sizes.append(0.0)
        signed.append(0.0)
        size.append((dynamics.shock[k] if k < len(dynamics.shock) else 0.0) + _weighted_sum(dynamics.lags, size))
        sign.append((dynamics.leverage[k] if k < len(dynamics.leverage) else 0.0) + _weighted_sum(dynamics.lags, sign))
    shocks = _log_expectation(np.array(size), np.array(sign), dynamics.nu)
    with np.errstate(over="ignore"):  # a forecast that is not finite becomes NOT_CONVERGED
        return np.asarray(np.exp(np.array(past[len(e) :]) + np.concatenate([[0.0], np.cumsum(shocks)[:-1]])))


def _weighted_sum(weights: Floats, past: list[float]) -> float:
    """Sum the last values, latest first, times their weights; values before the first count as 0."""
    return float(sum(w * value for w, value in zip(weights, reversed(past), strict=False)))


def _log_expectation(size: Floats, sign: Floats, nu: Floats) -> Floats:
    """Compute ln E exp(a (|z| - c) + l z) of a normal innovation z; for Student's t the mean log, a (E|z| - c)."""
    from scipy.special import gammaln, log_ndtr

    if len(nu):
        ratio = np.exp(gammaln((nu + 1) / 2) - gammaln(nu / 2))
        return np.asarray(size * (2 * np.sqrt((nu - 2) / np.pi) * ratio / (nu - 1) - MEAN_OF_ABS))
    up, down = size + sign, size - sign
    mean = np.logaddexp(up**2 / 2 + log_ndtr(up), down**2 / 2 + log_ndtr(down))
    return np.asarray(mean - size * MEAN_OF_ABS)


def _arch() -> ModuleType:
    """Import the library arch, or raise InputError with the command that installs it."""
    try:
        import arch.univariate as arch
    except ImportError:
        raise InputError(
            'the garch model needs the library arch, which is not installed; pip install ".[models]"'
        ) from None
    return arch


MODEL = Garch()
