r"""GARCH: the market model whose residual variance follows the calm and the storms of its own past.

.. math:: R_{it} = \alpha_i + \beta_i R_{mt} + e_{it}, \quad e_{it} = \sqrt{h_{it}}\, \eta_{it}

.. math:: \text{garch:} \quad h_t = \omega + a\, e_{t-1}^2 + g\, h_{t-1}, \qquad
          \text{gjr:} \quad h_t = \omega + (a + l\, 1[e_{t-1} < 0])\, e_{t-1}^2 + g\, h_{t-1}

.. math:: \text{egarch:} \quad \ln h_t = \omega + a\, (|\eta_{t-1}| - \sqrt{2 / \pi}) + l\, \eta_{t-1} + g \ln h_{t-1}

by maximum likelihood through the library ``arch``, with normal or Student's t innovations. Take it where volatility
on the event day was not that of the estimation window's average: an abnormal return is then measured against the
variance that was to be expected of its day.

That variance is the forecast from the end of the estimation window, across the gap, to each day of the event window.
No return of the event window enters it: the event's own jump would raise the variance of the days that it moves, and
scale itself away. The forecast of garch and gjr is exact (of gjr with symmetric innovations), and so is that of egarch
with normal ones. With t innovations the expectation of egarch's variance does not exist (Nelson 1991), and in its place
stands the exponential of the expected log variance, which is lower. Far from the estimation window every forecast
nears the unconditional variance, so the gap is best kept short.

Assumes that the event does not change the process. Missing days of the estimation window are left out of the
likelihood, and their neighbours stand side by side; those of the event window, or just before it, still age the
forecast. Sigma is the root of the squared residuals over M - 2; the standard errors of alpha and beta are those of
least squares weighted with the fitted variances, which with t innovations are somewhat wide. Variance parameters are
``omega``, ``arch1`` (a), ``leverage1`` (l), ``garch1`` (g) and ``nu``, for decimal returns. An optimum that cannot be
found, or whose variance leaves 0.001 to 1000 times the average one, as where returns are stale and the likelihood has
no bound, is ``not_converged``. Egarch asks for 250 days or more: on fewer its likelihood is flat or has several optima,
and which is found may hang on the last digit. It takes 15 to 50 ms an event. Bollerslev (1986, Journal of Econometrics
31:307); Nelson (1991, Econometrica 59:347); Glosten, Jagannathan & Runkle (1993, Journal of Finance 48:1779); in event
studies Corhay & Tourani Rad (1996, Quarterly Review of Economics and Finance 36:529) and Savickas (2003, Journal of
Financial Research 26:165).

Examples
--------
>>> import eventstudy as es
>>> es.model("garch", kind="gjr", dist="t").coefficients
('alpha', 'beta', 'omega', 'arch1', 'leverage1', 'garch1', 'nu')
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from eventstudy.core.refit import Line, refit, standard
from eventstudy.errors import InputError, one_of
from eventstudy.types import Abnormal, Block, Column, Floats, Ints

KINDS = ("garch", "egarch", "gjr")
DISTS = ("normal", "t")
# Of the likelihood, tried in this order until the optimiser is content; egarch's is too flat for more than arch's own.
TOLERANCES = {"garch": (1e-11, 1e-6), "gjr": (1e-11, 1e-6), "egarch": (1e-6,)}
CALM, STORM = 1e-3, 1e3  # variances over the average one, beyond which an optimum is the likelihood's degeneracy
MEAN_OF_ABS = np.sqrt(2 / np.pi)  # of a standard normal


@dataclass(frozen=True)
class Garch:
    """The market model with a conditional variance.

    Parameters
    ----------
    kind : {"garch", "egarch", "gjr"}
    dist : {"normal", "t"}
        Of the innovations.
    p, q : int
        Lags of the squared residual (of the innovation, for egarch) and of the variance, 1 to 5 each. Egarch and gjr
        have one leverage term for each of the p.

    Raises
    ------
    InputError
        When an option is none of these, or ``arch`` is not installed when it fits.
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
                raise InputError(f"{name} of the garch model is {getattr(self, name)!r}; give a whole number 1 to 5")

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

        def estimate(r: Floats, x: Floats, at: Ints) -> Line | None:
            days = standard(r, x)
            fitted = self._maximise(arch, days.u, days.z)
            if fitted is None:
                return None
            mean, dynamics, e, variance = fitted
            ahead = (_log_forecast if self.kind == "egarch" else _forecast)(
                dynamics, e, variance, horizon + n_est - 1 - at[-1]
            )
            path = np.ones(block.r.shape[1])
            path[at], path[n_est:] = variance, ahead[len(ahead) - len(path) + n_est :]
            if not ((path > CALM) & (path < STORM)).all():
                return None
            design = np.column_stack([np.ones(len(r)), days.z])
            line, cov = days.line(mean, np.asarray(np.linalg.inv(design.T @ (design / variance[:, None]))))
            return Line(np.concatenate([line, self._in_units(dynamics, days.scale)]), cov, path * days.scale**2)

        return refit(block, len(self.coefficients), estimate, path=True)

    def _maximise(self, arch: Any, u: Floats, z: Floats) -> tuple[Floats, _Dynamics, Floats, Floats] | None:
        """Give the line (2,), the dynamics, residuals and variances (M,); None where the optimiser finds none."""
        orders = {"p": self.p, "o": self._leverages, "q": self.q}
        model = arch.LS(
            u, z[:, None], rescale=False,
            volatility=arch.EGARCH(**orders) if self.kind == "egarch" else arch.GARCH(**orders),
            distribution=arch.StudentsT() if self.dist == "t" else arch.Normal(),
        )  # fmt: skip
        # what arch and SciPy would warn of is the event's status here
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                for tolerance in TOLERANCES[self.kind]:
                    made = model.fit(disp="off", show_warning=False, options={"ftol": tolerance, "maxiter": 500})
                    if made.convergence_flag == 0:
                        break
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):
                return None
        params, variance = np.asarray(made.params), np.asarray(made.conditional_volatility) ** 2
        usable = np.isfinite(params).all() and np.isfinite(variance).all() and (variance > 0).all()
        if made.convergence_flag != 0 or not usable:
            return None
        ends = np.cumsum([2, 1, self.p, self._leverages, self.q])
        mean, omega, shock, leverage, lags, nu = np.split(params, ends)
        return mean, _Dynamics(float(omega[0]), shock, leverage, lags, nu), np.asarray(made.resid), variance

    def _in_units(self, its: _Dynamics, scale: float) -> Floats:
        """Give the parameters of the variance for returns whose unit is ``scale`` times smaller."""
        logs = self.kind == "egarch"
        omega = its.omega + np.log(scale**2) * (1 - its.lags.sum()) if logs else its.omega * scale**2
        return np.concatenate([[omega], its.shock, its.leverage, its.lags, its.nu])


class _Dynamics(NamedTuple):
    """Parameters of a variance: of lagged shocks, of their sign, of lagged variances; ``nu`` (1,) or (0,)."""

    omega: float
    shock: Floats
    leverage: Floats
    lags: Floats
    nu: Floats


def _forecast(its: _Dynamics, e: Floats, variance: Floats, horizon: int) -> Floats:
    """Give the expected variances of the ``horizon`` days after the last; half of the expected square is a fall's."""
    past, squares, falls = list(variance), list(e**2), list(np.where(e < 0, e**2, 0.0))
    for _ in range(horizon):
        ahead = its.omega + _weigh(its.shock, squares) + _weigh(its.leverage, falls) + _weigh(its.lags, past)
        past.append(ahead)
        squares.append(ahead)
        falls.append(ahead / 2)
    return np.array(past[len(e) :])


def _log_forecast(its: _Dynamics, e: Floats, variance: Floats, horizon: int) -> Floats:
    """Give the expected variances of the ``horizon`` days after the last, where their logarithm is linear.

    Shocks to come are 0 on the path; what they add on average is a product over them, for the log variance is linear
    in each, with weights that are the responses to a shock of one: to its size, and to its sign.
    """
    eta = e / np.sqrt(variance)
    past, sizes, signed = list(np.log(variance)), list(np.abs(eta) - MEAN_OF_ABS), list(eta)
    size: list[float] = []
    sign: list[float] = []
    for k in range(horizon):
        past.append(its.omega + _weigh(its.shock, sizes) + _weigh(its.leverage, signed) + _weigh(its.lags, past))
        sizes.append(0.0)
        signed.append(0.0)
        size.append((its.shock[k] if k < len(its.shock) else 0.0) + _weigh(its.lags, size))
        sign.append((its.leverage[k] if k < len(its.leverage) else 0.0) + _weigh(its.lags, sign))
    shocks = _expected(np.array(size), np.array(sign), its.nu)
    with np.errstate(over="ignore"):  # what is not finite is no forecast, and the event says so
        return np.asarray(np.exp(np.array(past[len(e) :]) + np.concatenate([[0.0], np.cumsum(shocks)[:-1]])))


def _weigh(weights: Floats, past: list[float]) -> float:
    """Sum the last values, the latest first, with their weights; what lies before the first counts for nothing."""
    return float(sum(w * value for w, value in zip(weights, reversed(past), strict=False)))


def _expected(size: Floats, sign: Floats, nu: Floats) -> Floats:
    """Give ln E exp(a (|z| - c) + l z) of a normal innovation z, and for Student's t a (E|z| - c), the mean log."""
    from scipy.special import gammaln, log_ndtr

    if len(nu):
        ratio = np.exp(gammaln((nu + 1) / 2) - gammaln(nu / 2))
        return np.asarray(size * (2 * np.sqrt((nu - 2) / np.pi) * ratio / (nu - 1) - MEAN_OF_ABS))
    up, down = size + sign, size - sign
    mean = np.logaddexp(up**2 / 2 + log_ndtr(up), down**2 / 2 + log_ndtr(down))
    return np.asarray(mean - size * MEAN_OF_ABS)


def _arch() -> Any:
    try:
        import arch.univariate as arch
    except ImportError:
        raise InputError(
            'the garch model needs the library arch, which is not installed; pip install "eventstudy-quant[models]"'
        ) from None
    return arch


MODEL = Garch()
