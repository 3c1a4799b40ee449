r"""Calendar-time portfolios: on each date, the portfolio of all events whose window contains it.

.. math:: t = \frac{\sum_{d=1}^{T} Z_d}{\sqrt{Var(\sum_d Z_d)}} \sim N(0, 1), \quad Z_d = \frac{\overline{AR}_d}{s_d}

with s_d the standard deviation of the residual of the same portfolio in the estimation windows, so that the correlation
of events on the same day is allowed for. The returns of successive dates do not overlap, so that event windows may
overlap in any way; without estimation error the variance of the sum would be T. But the days of an event share the
error of its coefficients, and events share it as far as their estimation windows overlap
(:mod:`eventstudy.core.covariance`): with T alone, and 120 days of estimation, the test rejects 13 % over 60 days, 19 %
over 120 and 22 % over 250. The covariance of a pair of clusters is computed on the dates that both have; s_d has the
divisor T - K. News that two exchanges react to on successive dates is paired at that distance, if it is linked. This is
the method ``jaffe_mandelker``. It does not allow for event-induced variance.

With ``abnormal`` the mean abnormal return is regressed on a constant, and the shared forecast error is added to the
variance of the constant. With ``factors`` the plain return of the portfolio is regressed on a constant and the
regressors of the model (including a risk-free return), and the intercept is tested; the estimation window is then not
used. Both weight a date by its number of events, and use t(T - K) with robust standard errors. Those of Newey and West
have as many lags as the window has days minus one, and need many dates: with 30 dates and 10 lags they reject 17 %.
Dates without an event are left out.

Options: ``method`` ("jaffe_mandelker", "abnormal", "factors"); ``weights`` ("equal", or "value" for the weights of the
events); ``cov`` ("HC1", "newey_west"). Jaffe (1974, Journal of Business 47:410), Mandelker (1974, Journal of Financial
Economics 1:303), Fama (1998, Journal of Financial Economics 49:283), Mitchell & Stafford (2000, Journal of Business
73:287).

Examples
--------
>>> import eventstudy as es
>>> es.test("calendar_time", method="factors", cov="newey_west").survives
'overlap'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from eventstudy.core import covariance
from eventstudy.core.covariance import Portfolios, by_portfolio
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.slopes import column_sizes, independent
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

Method = Literal["jaffe_mandelker", "abnormal", "factors"]
Weights = Literal["equal", "value"]
Cov = Literal["HC1", "newey_west"]
VALID = {
    "method": ("jaffe_mandelker", "abnormal", "factors"),
    "weights": ("equal", "value"),
    "cov": ("HC1", "newey_west"),
}
COLLINEAR = "the regressors do not vary over the dates"
CONSTANT = "the portfolio's return does not vary"
NEGATIVE = "the covariances of estimation and event windows leave no variance"
ROUNDING = 1e-12  # a variance below this share of its largest possible value is rounding error


def chunk(
    scores: Scores,
    abnormal: Abnormal,
    prior: Mapping[str, State],
    method: Method = "jaffe_mandelker",
    value: bool = False,
) -> State:
    """Sum returns and weights of the portfolios by cluster and event day, (C, V, n_evt), and estimation residuals."""
    block, n_est = abnormal.block, abnormal.n_est
    weight = block.weight if value else np.ones(len(block.id))
    ok = abnormal.ok[:, n_est:]
    sign = np.ones(len(block.id)) if abnormal.sign is None else abnormal.sign
    returns = sign[:, None] * block.r if method == "factors" else abnormal.ar
    held = weight[:, None] * np.where(ok, returns[:, n_est:], 0.0)
    state: State = {
        "y": by_portfolio(scores, abnormal, held),
        "n": by_portfolio(scores, abnormal, ok.astype(np.float64)),
    }
    if method != "factors":
        return {**state, **covariance.chunk(scores, abnormal, weight)}
    share = weight[:, None] * ok
    w = by_portfolio(scores, abnormal, share)
    x = np.empty((*w.values.shape, block.x.shape[-1]))
    for k in range(x.shape[-1]):
        column = np.where(ok, sign[:, None] * block.x[:, n_est:, k], 0.0)
        x[..., k] = by_portfolio(scores, abnormal, share * column).values
    return {**state, "w": w, "x": replace(w, values=x)}


def jaffe_mandelker(state: State, sample: Sample) -> Verdict:
    """Sum the portfolio's abnormal return divided by its standard deviation over the dates."""
    n = sample.shared["moments"]["n"]
    portfolios = _portfolios(state, sample)
    if not len(portfolios.clusters):
        return verdict(np.full(n.shape, np.nan), n, undefined=[(n < 1, "no event")])
    total, variance, n_dates, no_variance = (np.zeros(n.shape) for _ in range(4))
    for v in range(n.shape[1]):
        held = portfolios.of_dates("w", v) > 0
        of_date = portfolios.variance_of_dates(v)
        zero = held & (of_date <= ROUNDING * portfolios.largest_of_dates(v) ** 2)
        scale = np.nan_to_num(divide(np.ones(len(held)), np.sqrt(np.where(held & ~zero, of_date, 0.0))))
        for out, values in (
            (total, portfolios.of_dates("y", v) * scale), (n_dates, held), (no_variance, zero)
        ):  # fmt: skip
            out[:, v] = values.reshape(len(n), -1).sum(axis=1)
        variance[:, v] = portfolios.variance(scale, v)
    return _with_notes(
        verdict(
            divide(total, np.sqrt(np.maximum(variance, 0.0))),
            n,
            undefined=[
                (n < 1, "no event"),
                (n_dates < 1, "the events have no weight"),
                (no_variance > 0, "the residuals of a portfolio leave no variance"),
                (variance <= 0, NEGATIVE),
            ],
        ),
        n_dates,
    )


def _portfolios(state: State, sample: Sample) -> Portfolios:
    """Return the portfolios of the clusters with events; groups get separate ranges of date numbers."""
    clusters = np.flatnonzero(state["n"].any(axis=(1, 2)))
    span = int(sample.cluster_dates.max(initial=0)) + 1
    dates = sample.cluster_dates[clusters] + sample.cluster_group[clusters][:, None] * span
    return Portfolios(state, sample, clusters, dates, span)


def regression(state: State, sample: Sample, cov: Cov = "HC1") -> Verdict:
    """Regress the portfolio returns, with dates weighted by their number of events, and test the intercept."""
    n = sample.shared["moments"]["n"]
    portfolios = _portfolios(state, sample)
    clusters, dates = portfolios.clusters, portfolios.dates
    t, n_dates, reasons = np.full(n.shape, np.nan), np.zeros(n.shape), np.full(n.shape, "", dtype=object)
    n_par = 1 + state["x"].shape[-1] if "x" in state else 1
    shared = np.zeros(n.shape) if "x" in state else _shared_variance(portfolios, n.shape)
    lags = sample.spec.windows[:, 1] - sample.spec.windows[:, 0]
    for group, v in np.ndindex(*n.shape):
        rows = sample.cluster_group[clusters] == group
        sums = {name: state[name][clusters[rows], v] for name in ("y", "w", "n", "x") if name in state}
        series = _portfolio_series(sums, dates[rows, sample.spec.n_est :])
        n_dates[group, v] = len(series[0])
        if len(series[0]) > n_par + 2:
            t[group, v], reasons[group, v] = _intercept(*series, cov, int(lags[v]), float(shared[group, v]))
    undefined = [
        (n < 1, "no event"),
        (n_dates <= n_par + 2, f"fewer than {n_par + 3} dates with events"),
        *((reasons == reason, reason) for reason in (COLLINEAR, CONSTANT, NEGATIVE)),
    ]
    return _with_notes(verdict(t, n, df=n_dates - n_par, undefined=undefined), n_dates)


def _shared_variance(portfolios: Portfolios, shape: tuple[int, ...]) -> Floats:
    """Return what the forecast error, and linked news, add to the variance of the mean abnormal return, (G, V)."""
    added = np.zeros(shape)
    for v in range(shape[1] if len(portfolios.clusters) else 0):
        n, w = (portfolios.of_dates(name, v).reshape(shape[0], -1) for name in ("n", "w"))
        scale = np.nan_to_num(divide(np.where(w > 0, n, 0.0), w * np.where(w > 0, n, 0.0).sum(axis=1)[:, None])).ravel()
        alone = (scale**2 * portfolios.variance_of_dates(v)).reshape(shape[0], -1).sum(axis=1)
        added[:, v] = portfolios.variance(scale, v) - alone
    return added


def _portfolio_series(sums: Mapping[str, Floats], dates: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the portfolio's return, regressors with the constant, and number of events on each date with events."""
    unique_dates, column = np.unique(dates, return_inverse=True)
    column = column.ravel()

    def by_date(values: Floats) -> Floats:
        return np.asarray(np.bincount(column, values.ravel(), len(unique_dates)), dtype=np.float64)

    weight = by_date(sums["w"])
    in_portfolio = weight > 0
    x = [by_date(values) for values in np.moveaxis(sums["x"], -1, 0)] if "x" in sums else []
    design = np.column_stack(
        [np.ones(in_portfolio.sum()), *(values[in_portfolio] / weight[in_portfolio] for values in x)]
    )
    return by_date(sums["y"])[in_portfolio] / weight[in_portfolio], design, by_date(sums["n"])[in_portfolio]


def _intercept(y: Floats, x: Floats, n: Floats, cov: Cov, lags: int, shared: float) -> tuple[float, str]:
    """Return the t of the intercept, with ``shared`` added to its variance, or NaN and the reason why it has none."""
    from statsmodels.regression.linear_model import WLS

    x = x / column_sizes(x)  # the constant, whose coefficient is tested, keeps its unit
    if not independent(np.sqrt(n)[:, None] * x):
        return np.nan, COLLINEAR
    options = {"maxlags": min(lags, len(y) - 1), "use_correction": True} if cov == "newey_west" else None
    kind = "HAC" if cov == "newey_west" else cov
    fit = WLS(y, x, weights=n).fit(cov_type=kind, cov_kwds=options)
    if fit.ssr <= ROUNDING**2 * (n * y**2).sum():
        return np.nan, CONSTANT
    variance = float(fit.bse[0] ** 2) + shared
    return (float(fit.params[0] / np.sqrt(variance)), "") if variance > 0 else (np.nan, NEGATIVE)


def _with_notes(result: Verdict, n_dates: Floats) -> Verdict:
    """Note the number of dates where there is a statistic."""
    known = np.isfinite(result.statistic)
    result.note[known] = [f"portfolios of {n:.0f} dates" for n in n_dates[known]]
    return result


def make(method: Method = "jaffe_mandelker", weights: Weights = "equal", cov: Cov = "HC1") -> Test:
    """Return the test with a method, weights and, for the regressions, standard errors."""
    for name, option in (("method", method), ("weights", weights), ("cov", cov)):
        if option not in VALID[name]:
            raise one_of(f"{name} of the calendar_time test", option, VALID[name])
    finalize = jaffe_mandelker if method == "jaffe_mandelker" else partial(regression, cov=cov)
    chunk_of_method = partial(chunk, method=method, value=weights == "value")
    return Test(
        chunk_of_method,
        finalize,
        shares=("moments",),
        survives="overlap",
        robust_to=("long_window",) if method != "factors" and cov == "HC1" else (),
        fails_under=("event_variance", "common_variance", "autocorrelation"),
        make=make,
        one_event=True,
    )


TEST = make()
