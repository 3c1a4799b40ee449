r"""Calendar-time portfolios: on each date, all events whose window holds it.

.. math:: t = \frac{1}{\sqrt T} \sum_{d=1}^{T} \frac{\overline{AR}_d}{s_d} \sim N(0, 1)

with s_d the standard deviation, in the estimation windows, of the residual of the same portfolio, so that what events
have in common on a day counts. Dates follow each other without overlap, so that windows may overlap in any way. Each
pair of clusters is compared on the dates that both have; s_d has the divisor T - K. That is ``jaffe_mandelker``; no
allowance for variance that the event brings, and none for the error of the forecast: it needs an estimation window
that is long beside the span of the event dates.

With ``abnormal`` the mean abnormal return is regressed on a constant. With ``factors`` the portfolio's plain return is
regressed on a constant and the model's regressors (a risk-free one among them), and the intercept is tested: nothing
then comes from the estimation window. Both weigh a date by its number of events, and have t(T - K) with robust errors;
Newey and West's have as many lags as the window has days less one, and need many dates: with 30 dates and 10 lags they
reject 17 %. Dates without an event are passed over.

Options: ``method`` ("jaffe_mandelker", "abnormal", "factors"); ``weights`` ("equal", or "value" for those of the
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
from typing import Any, Literal

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.overlap import laid, pair_sums
from eventstudy.core.sums import by_cluster
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
ROUNDING = 1e-12  # a variance below this share of its largest possible value is the rounding of none


def chunk(
    scores: Scores,
    abnormal: Abnormal,
    prior: Mapping[str, State],
    method: Method = "jaffe_mandelker",
    value: bool = False,
) -> State:
    """Sum by cluster and event day what a portfolio holds in each window, (C, V, n_evt), and the residuals before."""
    block, n_est = abnormal.block, abnormal.n_est
    weight = block.weight if value else np.ones(len(block.id))
    held = scores.ok[:, :, None] & (scores.weights > 0) & abnormal.ok[:, None, n_est:]
    share = weight[:, None, None] * held
    made = block.r if method == "factors" else abnormal.ar
    state = {
        "y": by_cluster(abnormal, np.where(held, weight[:, None, None] * made[:, None, n_est:], 0.0)),
        "w": by_cluster(abnormal, share),
        "n": by_cluster(abnormal, held),
    }
    if method == "factors":
        x = np.where(held[..., None], block.x[:, None, n_est:], 0.0)
        state["x"] = by_cluster(abnormal, share[..., None] * x)
    if method == "jaffe_mandelker":
        ok = abnormal.ok[:, :n_est]
        n_valid = ok.sum(axis=1).astype(np.float64)
        e = weight[:, None] * abnormal.ar[:, :n_est] * np.sqrt(n_valid / abnormal.dof)[:, None]
        state |= {
            "w2": by_cluster(abnormal, share**2),
            "e": by_cluster(abnormal, e),
            "m": by_cluster(abnormal, weight[:, None] * ok),
            "own": by_cluster(abnormal, np.einsum("nl,nl->n", e, e)),
            "own_m": by_cluster(abnormal, weight**2 * n_valid),
        }
    return state


def standardised(state: State, sample: Sample) -> Verdict:
    """Sum each date's abnormal return over the deviation of its portfolio."""
    n = sample.shared["moments"]["n"]
    some, dates, span = _dated(state, sample)
    if not len(some):
        return verdict(np.full(n.shape, np.nan), n, undefined=[(n < 1, "no event")])
    n_est = sample.spec.n_est
    covariance, own = _covariances(state, some, dates, n_est)
    statistic, n_dates, lost = np.zeros(n.shape), np.zeros(n.shape), np.zeros(n.shape, dtype=bool)
    for v in range(n.shape[1]):
        y, w, w2 = (laid(dates[:, n_est:], state[name][some, v]) for name in ("y", "w", "w2"))
        held = w.sum(axis=0) > 0
        group = np.flatnonzero(held) // span
        variance = w.multiply(covariance @ w).sum(axis=0) + w2.T @ (own - covariance.diagonal())
        none = variance <= ROUNDING * (w.T @ np.sqrt(own)) ** 2
        z = np.nan_to_num(divide(y.sum(axis=0), np.sqrt(np.where(none, 0.0, variance))))
        statistic[:, v] = np.bincount(group, z[held], len(n))
        n_dates[:, v] = np.bincount(group, minlength=len(n))
        lost[:, v] = np.bincount(group, none[held], len(n)) > 0
    return _noted(
        verdict(
            divide(statistic, np.sqrt(n_dates)),
            n,
            undefined=[
                (n < 1, "no event"),
                (n_dates < 1, "the events have no weight"),
                (lost, "the residuals of a portfolio leave no variance"),
            ],
        ),
        n_dates,
    )


def _dated(state: State, sample: Sample) -> tuple[Ints, Ints, int]:
    """Give the clusters with events, and the dates of their columns, each group's after those of the one before."""
    some = np.flatnonzero(state["n"].any(axis=(1, 2)))
    span = int(sample.cluster_dates.max(initial=0)) + 1
    return some, sample.cluster_dates[some] + sample.cluster_group[some][:, None] * span, span


def _covariances(state: State, some: Ints, dates: Ints, n_est: int) -> tuple[Any, Floats]:
    """Give the mean covariance of two events by their clusters (C, C), sparse, and the mean variance of one (C,).

    Only clusters whose event windows share a day are paired.
    """
    from scipy.sparse import coo_array

    marks = laid(dates[:, n_est:])
    first, second = (marks @ marks.T).tocoo().coords
    upper = first <= second
    first, second = first[upper], second[upper]
    e, m, own, own_m = (state[name][some] for name in ("e", "m", "own", "own_m"))
    products, counts = (pair_sums(dates[:, :n_est], values, first, second) for values in (e, m))
    same = first == second
    products[same] -= own[first[same]]
    counts[same] -= own_m[first[same]]
    counts[counts <= ROUNDING * own_m[first]] = 0.0
    found = coo_array((np.nan_to_num(divide(products, counts)), (first, second)), shape=(len(some), len(some))).tocsr()
    diagonal = coo_array((found.diagonal(), (np.arange(len(some)),) * 2), shape=found.shape)
    return (found + found.T - diagonal).tocsr(), divide(own, own_m)


def regressed(state: State, sample: Sample, cov: Cov = "HC1") -> Verdict:
    """Regress the portfolios' returns, each date weighted by its events, and test the intercept."""
    n = sample.shared["moments"]["n"]
    some, dates, _ = _dated(state, sample)
    t, n_dates, flaw = np.full(n.shape, np.nan), np.zeros(n.shape), np.full(n.shape, "", dtype=object)
    n_par = 1 + state["x"].shape[-1] if "x" in state else 1
    lags = sample.spec.windows[:, 1] - sample.spec.windows[:, 0]
    for group, v in np.ndindex(*n.shape):
        mine = sample.cluster_group[some] == group
        series = _series({name: leaf[some[mine], v] for name, leaf in state.items()}, dates[mine, sample.spec.n_est :])
        n_dates[group, v] = len(series[0])
        if len(series[0]) > n_par + 2:
            t[group, v], flaw[group, v] = _intercept(*series, cov, int(lags[v]))
    undefined = [
        (n < 1, "no event"),
        (n_dates <= n_par + 2, f"fewer than {n_par + 3} dates with events"),
        *((flaw == reason, reason) for reason in (COLLINEAR, CONSTANT)),
    ]
    return _noted(verdict(t, n, df=n_dates - n_par, undefined=undefined), n_dates)


def _series(sums: Mapping[str, Floats], dates: Ints) -> tuple[Floats, Floats, Floats]:
    """Give return, regressors with the constant, and number of events of the portfolio on each date that has one."""
    at, column = np.unique(dates, return_inverse=True)
    column = column.ravel()

    def by_date(values: Floats) -> Floats:
        return np.asarray(np.bincount(column, values.ravel(), len(at)), dtype=np.float64)

    weight = by_date(sums["w"])
    held = weight > 0
    x = [by_date(values) for values in np.moveaxis(sums["x"], -1, 0)] if "x" in sums else []
    design = np.column_stack([np.ones(held.sum()), *(values[held] / weight[held] for values in x)])
    return by_date(sums["y"])[held] / weight[held], design, by_date(sums["n"])[held]


def _intercept(y: Floats, x: Floats, n: Floats, cov: Cov, lags: int) -> tuple[float, str]:
    """Give the t of the intercept, or why it has none."""
    from statsmodels.regression.linear_model import WLS

    if np.linalg.matrix_rank(np.sqrt(n)[:, None] * x) < x.shape[1]:
        return np.nan, COLLINEAR
    options = {"maxlags": min(lags, len(y) - 1), "use_correction": True} if cov == "newey_west" else None
    kind = "HAC" if cov == "newey_west" else cov
    fit = WLS(y, x, weights=n).fit(cov_type=kind, cov_kwds=options)
    if fit.ssr <= ROUNDING**2 * (n * y**2).sum():
        return np.nan, CONSTANT
    return float(fit.params[0] / fit.bse[0]), ""


def _noted(found: Verdict, n_dates: Floats) -> Verdict:
    known = np.isfinite(found.statistic)
    found.note[known] = [f"portfolios of {n:.0f} dates" for n in n_dates[known]]
    return found


def make(method: Method = "jaffe_mandelker", weights: Weights = "equal", cov: Cov = "HC1") -> Test:
    """Make the test by a method, with weights and, for the regressions, errors."""
    for name, given in (("method", method), ("weights", weights), ("cov", cov)):
        if given not in VALID[name]:
            raise one_of(f"{name} of the calendar_time test", given, VALID[name])
    finalize = standardised if method == "jaffe_mandelker" else partial(regressed, cov=cov)
    made = partial(chunk, method=method, value=weights == "value")
    return Test(
        made,
        finalize,
        shares=("moments",),
        survives="overlap",
        fails_under=("event_variance", "autocorrelation"),
        make=make,
    )


TEST = make()
