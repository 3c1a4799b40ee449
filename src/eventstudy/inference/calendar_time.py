r"""Calendar-time portfolios: on each date, the portfolio of all events whose window contains it.

.. math:: t = \frac{1}{\sqrt T} \sum_{d=1}^{T} \frac{\overline{AR}_d}{s_d} \sim N(0, 1)

with s_d the standard deviation of the residual of the same portfolio in the estimation windows, so that the correlation
of events on the same day is allowed for. The abnormal returns of successive dates do not overlap, so that event windows
may overlap in any way. The covariance of a pair of clusters is computed on the dates that both have; s_d has the
divisor T - K. This is the method ``jaffe_mandelker``. It does not allow for event-induced variance, nor for the
estimation error of the forecast: it needs an estimation window that is long compared with the span of the event dates.

With ``abnormal`` the mean abnormal return is regressed on a constant. With ``factors`` the plain return of the
portfolio is regressed on a constant and the regressors of the model (including a risk-free return), and the intercept
is tested; the estimation window is then not used. Both weight a date by its number of events, and use t(T - K) with
robust standard errors. Those of Newey and West have as many lags as the window has days minus one, and need many dates:
with 30 dates and 10 lags they reject 17 %. Dates without an event are left out.

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
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.overlap import calendar_matrix, overlapping_pairs, pair_sums
from eventstudy.core.sums import by_cluster
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

if TYPE_CHECKING:
    from eventstudy.core.overlap import Sparse

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
    in_portfolio = scores.ok[:, :, None] & (scores.weights > 0) & abnormal.ok[:, None, n_est:]
    share = weight[:, None, None] * in_portfolio
    sign = np.ones(len(block.id)) if abnormal.sign is None else abnormal.sign
    returns = sign[:, None] * block.r if method == "factors" else abnormal.ar
    state = {
        "y": by_cluster(abnormal, np.where(in_portfolio, weight[:, None, None] * returns[:, None, n_est:], 0.0)),
        "w": by_cluster(abnormal, share),
        "n": by_cluster(abnormal, in_portfolio),
    }
    if method == "factors":
        x = np.where(in_portfolio[..., None], sign[:, None, None, None] * block.x[:, None, n_est:], 0.0)
        state["x"] = by_cluster(abnormal, share[..., None] * x)
    if method == "jaffe_mandelker":
        ok = abnormal.ok[:, :n_est]
        n_valid = ok.sum(axis=1).astype(np.float64)
        e = weight[:, None] * abnormal.ar[:, :n_est] * np.sqrt(n_valid / abnormal.dof)[:, None]
        state |= {
            "w2": by_cluster(abnormal, share**2),
            "e": by_cluster(abnormal, e),
            "m": by_cluster(abnormal, weight[:, None] * ok),
            "e_squares": by_cluster(abnormal, np.einsum("nl,nl->n", e, e)),
            "m_squares": by_cluster(abnormal, weight**2 * n_valid),
        }
    return state


def jaffe_mandelker(state: State, sample: Sample) -> Verdict:
    """Sum the portfolio's abnormal return divided by its standard deviation over the dates."""
    n = sample.shared["moments"]["n"]
    clusters, dates, span = _event_clusters(state, sample)
    if not len(clusters):
        return verdict(np.full(n.shape, np.nan), n, undefined=[(n < 1, "no event")])
    n_est = sample.spec.n_est
    covariance, event_variance = _covariances(state, clusters, dates, n_est)
    statistic, n_dates, no_variance = np.zeros(n.shape), np.zeros(n.shape), np.zeros(n.shape, dtype=bool)
    for v in range(n.shape[1]):
        y, w, w2 = (calendar_matrix(dates[:, n_est:], state[name][clusters, v]) for name in ("y", "w", "w2"))
        in_portfolio = w.sum(axis=0) > 0
        group = np.flatnonzero(in_portfolio) // span
        variance = w.multiply(covariance @ w).sum(axis=0) + w2.T @ (event_variance - covariance.diagonal())
        zero = variance <= ROUNDING * (w.T @ np.sqrt(event_variance)) ** 2
        z = np.nan_to_num(divide(y.sum(axis=0), np.sqrt(np.where(zero, 0.0, variance))))
        statistic[:, v] = np.bincount(group, z[in_portfolio], len(n))
        n_dates[:, v] = np.bincount(group, minlength=len(n))
        no_variance[:, v] = np.bincount(group, zero[in_portfolio], len(n)) > 0
    return _with_notes(
        verdict(
            divide(statistic, np.sqrt(n_dates)),
            n,
            undefined=[
                (n < 1, "no event"),
                (n_dates < 1, "the events have no weight"),
                (no_variance, "the residuals of a portfolio leave no variance"),
            ],
        ),
        n_dates,
    )


def _event_clusters(state: State, sample: Sample) -> tuple[Ints, Ints, int]:
    """Return the clusters with events, the dates of their columns, and the number of dates that a group takes.

    Groups get separate ranges of date numbers.
    """
    clusters = np.flatnonzero(state["n"].any(axis=(1, 2)))
    span = int(sample.cluster_dates.max(initial=0)) + 1
    return clusters, sample.cluster_dates[clusters] + sample.cluster_group[clusters][:, None] * span, span


def _covariances(state: State, clusters: Ints, dates: Ints, n_est: int) -> tuple[Sparse, Floats]:
    """Return the mean covariance of two events by their clusters (C, C), and the mean variance of an event (C,).

    Only clusters whose event windows share a day are paired.
    """
    from scipy.sparse import coo_array

    first, second = overlapping_pairs(dates[:, n_est:])
    e, m, squares, n_squares = (state[name][clusters] for name in ("e", "m", "e_squares", "m_squares"))
    products, counts = (pair_sums(dates[:, :n_est], values, first, second) for values in (e, m))
    same = first == second
    products[same] -= squares[first[same]]  # an event is not paired with itself
    counts[same] -= n_squares[first[same]]
    counts[counts <= ROUNDING * n_squares[first]] = 0.0
    shape = (len(clusters), len(clusters))
    upper_triangle = coo_array((np.nan_to_num(divide(products, counts)), (first, second)), shape=shape).tocsr()
    diagonal = coo_array((upper_triangle.diagonal(), (np.arange(len(clusters)),) * 2), shape=shape)
    return (upper_triangle + upper_triangle.T - diagonal).tocsr(), divide(squares, n_squares)


def regression(state: State, sample: Sample, cov: Cov = "HC1") -> Verdict:
    """Regress the portfolio returns, with dates weighted by their number of events, and test the intercept."""
    n = sample.shared["moments"]["n"]
    clusters, dates, _ = _event_clusters(state, sample)
    t, n_dates, reasons = np.full(n.shape, np.nan), np.zeros(n.shape), np.full(n.shape, "", dtype=object)
    n_par = 1 + state["x"].shape[-1] if "x" in state else 1
    lags = sample.spec.windows[:, 1] - sample.spec.windows[:, 0]
    for group, v in np.ndindex(*n.shape):
        rows = sample.cluster_group[clusters] == group
        sums = {name: leaf[clusters[rows], v] for name, leaf in state.items()}
        series = _portfolio_series(sums, dates[rows, sample.spec.n_est :])
        n_dates[group, v] = len(series[0])
        if len(series[0]) > n_par + 2:
            t[group, v], reasons[group, v] = _intercept(*series, cov, int(lags[v]))
    undefined = [
        (n < 1, "no event"),
        (n_dates <= n_par + 2, f"fewer than {n_par + 3} dates with events"),
        *((reasons == reason, reason) for reason in (COLLINEAR, CONSTANT)),
    ]
    return _with_notes(verdict(t, n, df=n_dates - n_par, undefined=undefined), n_dates)


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


def _intercept(y: Floats, x: Floats, n: Floats, cov: Cov, lags: int) -> tuple[float, str]:
    """Return the t of the intercept, or NaN and the reason why it has none."""
    from statsmodels.regression.linear_model import WLS

    if np.linalg.matrix_rank(np.sqrt(n)[:, None] * x) < x.shape[1]:
        return np.nan, COLLINEAR
    options = {"maxlags": min(lags, len(y) - 1), "use_correction": True} if cov == "newey_west" else None
    kind = "HAC" if cov == "newey_west" else cov
    fit = WLS(y, x, weights=n).fit(cov_type=kind, cov_kwds=options)
    if fit.ssr <= ROUNDING**2 * (n * y**2).sum():
        return np.nan, CONSTANT
    return float(fit.params[0] / fit.bse[0]), ""


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
        fails_under=("event_variance", "common_variance", "autocorrelation"),
        make=make,
        one_event=True,
    )


TEST = make()
