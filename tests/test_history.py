"""Slopes and differences compared with other days: each number by a plain loop over days and statsmodels."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es

DATES = pd.bdate_range("2019-01-01", periods=260)
N, ZERO, M = 24, 200, 60
SIGN = np.where(np.arange(N) % 3 == 0, -1.0, 1.0)
STUDY: dict[str, Any] = {
    "benchmark": "M", "estimation": (-70, -11), "event": (-2, 2), "windows": ((0, 0), (-2, 2)), "min_estimation": 40,
    "tests": ["cross_section"],
}  # fmt: skip


@cache
def returns(gaps: bool = False) -> pd.DataFrame:
    """Firms whose returns load on a market and on a second factor by their size, and the market; some are missing."""
    rng = np.random.default_rng(8)
    market, factor = 0.01 * rng.standard_normal((2, len(DATES)))
    size = np.linspace(-1, 1, N)
    r = market[:, None] * rng.uniform(0.5, 1.5, N) + factor[:, None] * size + 0.02 * rng.standard_normal((260, N))
    frame = pd.DataFrame(r, index=DATES, columns=[f"S{i}" for i in range(N)]).assign(M=market)
    if gaps:
        for day, firms in ((150, range(3)), (160, range(12)), (171, [5])):
            frame.iloc[day, list(firms)] = np.nan
    return frame


def result(days: Any = None, gaps: bool = False, **choices: Any) -> es.Result:
    """Run a study of one event of each firm, on one day unless ``days`` (N,) are given."""
    on = np.full(N, ZERO) if days is None else np.asarray(days)
    events = pd.DataFrame({"ticker": [f"S{i}" for i in range(N)], "announced": [str(DATES[d].date()) for d in on]})
    events["size"], events["kind"] = np.linspace(-1, 1, N) ** 3, ["a", "b"] * (N // 2)
    events["value"] = 1e14 * events["size"]
    if "sign" in choices:
        events[choices["sign"]] = SIGN
    prices = es.Prices.from_returns(returns(gaps))
    return es.Study(**{**STUDY, **choices}).run(es.Events.from_frame(events), prices)


def abnormal(firm: int, day: int, gaps: bool = False) -> np.ndarray:
    """Give residuals and abnormal returns by relative day, from 70 days before to 2 days after; NaN where missing."""
    r = returns(gaps)
    y, x = r[f"S{firm}"].to_numpy()[day - 70 : day + 3], sm.add_constant(r["M"].to_numpy()[day - 70 : day + 3])
    rows = np.flatnonzero(np.isfinite(y[:M]))
    return np.asarray(y - x @ sm.OLS(y[rows], x[rows]).fit().params)


def sums(ar: np.ndarray, length: int) -> np.ndarray:
    """Give the CAR of each run of estimation days, by its first day; NaN if a day is missing."""
    return np.array([ar[t : t + length].sum() for t in range(M - length + 1)])


def by_loop(y: np.ndarray, days: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Regress the event's y and each day's on x: the coefficients, their t, and the number of days."""
    fit, ratios = sm.OLS(y, x).fit(), []
    for day in days.T:
        has = np.isfinite(day)
        if has.mean() >= 0.8:
            its = sm.OLS(day[has], x[has]).fit()
            ratios.append(its.params / np.sqrt(its.scale))
    return fit.params, fit.params / np.sqrt(fit.scale) / np.std(ratios, axis=0, ddof=1), len(ratios)


@pytest.mark.thorough
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("window", [(0, 0), (-2, 2)])
def test_one_date_is_compared_with_the_same_regression_on_every_day_before(gaps: bool, window: tuple[int, int]) -> None:
    made = result(gaps=gaps)
    length = window[1] - window[0] + 1
    ar = np.array([abnormal(i, ZERO, gaps) for i in range(N)])
    y = ar[:, 70 + window[0] : 71 + window[1]].sum(axis=1)
    days = np.array([sums(row, length) for row in ar])
    size = np.linspace(-1, 1, N) ** 3
    x = np.column_stack([np.ones(N), np.arange(N) % 2 == 1, size]).astype(float)
    b, t, n = by_loop(y, days, x)
    fit = made.regress("car ~ kind + size", window)
    assert fit.cov_type == "history"
    assert f"same regression on {n} " in fit.note
    assert n == {(False, 1): 60, (False, 5): 56, (True, 1): 59, (True, 5): 51}[gaps, length]
    lag = np.arange(1, length)
    df = n - 1 if length == 1 else n**2 / (n + 2 * ((n - lag) * (1 - lag / length) ** 2).sum())
    assert np.isfinite(t).all()
    np.testing.assert_allclose(fit.params, b, rtol=1e-11)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-11)
    np.testing.assert_allclose(fit.bse, b / t, rtol=1e-11)
    np.testing.assert_allclose(fit.df, df, rtol=1e-12)
    np.testing.assert_allclose(fit.pvalues, 2 * stats.t.sf(np.abs(t), df), rtol=1e-9)
    half = stats.t.ppf(0.975, df) * np.abs(b / t)
    np.testing.assert_allclose(fit.conf_int(), np.column_stack([b - half, b + half]), rtol=1e-9)
    assert fit.nobs == N
    assert fit.rsquared == pytest.approx(sm.OLS(y, x).fit().rsquared, rel=1e-10)
    [row] = made.compare("kind", window).to_dict("records")
    b, t, n = by_loop(y, days, np.column_stack([np.ones(N), np.arange(N) % 2 == 0]).astype(float))
    assert row["difference"] == pytest.approx(b[1], rel=1e-11)
    assert row["difference"] == pytest.approx(y[::2].mean() - y[1::2].mean(), rel=1e-11)
    assert (row["t"], row["df"]) == pytest.approx((t[1], df), rel=1e-11)
    assert "24 have 1 dates" in row["note"]


@pytest.mark.thorough
def test_expected_signs_multiply_the_days_before_and_drawn_dates_too() -> None:
    made = result(sign="up")
    ar = SIGN[:, None] * np.array([abnormal(i, ZERO) for i in range(N)])
    x = np.column_stack([np.ones(N), np.linspace(-1, 1, N) ** 3])
    b, t, n = by_loop(ar[:, 70], ar[:, :M], x)
    fit = made.regress("car ~ size")
    assert (fit.cov_type, n) == ("history", M)
    np.testing.assert_allclose(fit.params, b, rtol=1e-11)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-11)
    plain = result()
    assert made.rerun is not None
    assert plain.rerun is not None
    np.testing.assert_allclose(made.rerun.drawn(99, (0, 0)), SIGN * plain.rerun.drawn(99, (0, 0)), rtol=1e-12)


def test_a_factor_behind_the_characteristic_makes_the_errors_larger() -> None:
    made = result()
    plain, history = (made.regress("car ~ size", cov=cov) for cov in ("HC1", "history"))
    assert history.bse["size"] > 1.3 * plain.bse["size"]
    np.testing.assert_allclose(history.params, plain.params, rtol=1e-10)


def test_precision_weights_hold_on_other_days_too() -> None:
    made = result()
    fit = made.regress("car ~ size", weights="precision")
    root = 1 / made.cars[made.cars["start"] == 0]["se"].to_numpy()
    ar = np.array([abnormal(i, ZERO) for i in range(N)]) * root[:, None]
    x = np.column_stack([np.ones(N), np.linspace(-1, 1, N) ** 3]) * root[:, None]
    b, t, _ = by_loop(ar[:, 70], ar[:, :M], x)
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)


def test_slopes_within_several_dates_are_averaged() -> None:
    at = np.repeat([ZERO - 15, ZERO, ZERO + 9], [6, 8, 10])
    made = result(at)
    ar = np.array([abnormal(i, d) for i, d in enumerate(at)])
    size = np.linspace(-1, 1, N) ** 3
    dates = np.column_stack([at == ZERO, at == ZERO + 9]).astype(float)
    x = np.column_stack([np.ones(N), size, dates - dates.mean(axis=0)])
    b, t, n = by_loop(ar[:, 70], ar[:, :M], x)
    fit = made.regress("car ~ size")
    assert fit.params.index.tolist() == ["Intercept", "size", "date[2019-10-08]", "date[2019-10-21]"]
    assert f"on {n} days before the events, with an effect for each of 3 dates" in fit.note
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)
    # the mean of the slopes of the three dates, weighted by how much the sizes of a date differ
    slopes = np.array([np.polyfit(size[at == d], ar[at == d, 70], 1)[0] for d in np.unique(at)])
    weights = [size[at == d].var() * (at == d).sum() for d in np.unique(at)]
    assert fit.params["size"] == pytest.approx(np.average(slopes, weights=weights), rel=1e-10)
    assert fit.fvalue == pytest.approx(fit.tvalues["size"] ** 2, rel=1e-9)


def test_what_does_not_vary_within_dates_is_clustered_by_date() -> None:
    at = np.repeat([ZERO - 15, ZERO, ZERO + 9, ZERO + 18], 6)
    made = result(at)
    made.events["when"] = np.repeat([0.0, 1.0, 1.0, 3.0], 6)
    fit = made.regress("car ~ when")
    assert fit.cov_type == "cr2"
    assert "not from history: a term does not vary within the 4 dates" in fit.note
    assert np.isfinite(fit.pvalues["when"])
    with pytest.raises(es.NotEnoughData, match=r"does not vary within the 4 dates.*cov='placebo'"):
        made.regress("car ~ when", cov="history")


@pytest.mark.thorough
def test_days_are_paired_by_the_calendar_across_exchanges() -> None:
    """On one date in two markets with different holidays; days on which one is closed have half of the firms."""
    rng = np.random.default_rng(3)
    dates = pd.bdate_range("2019-01-01", periods=260)
    tickers = [f"{i:04d}.HK" for i in range(1, 9)] + [f"{chr(65 + i)}{chr(65 + i)}" for i in range(8)]
    hong_kong, new_york = (np.setdiff1d(np.arange(260), rng.choice(190, 12, replace=False)) for _ in range(2))
    common = 0.02 * rng.standard_normal(260)
    size = np.tile(np.linspace(-1, 1, 8), 2)
    wide = pd.DataFrame(common[:, None] * size + 0.01 * rng.standard_normal((260, 16)), index=dates, columns=tickers)
    wide.iloc[np.setdiff1d(np.arange(260), hong_kong), :8] = np.nan
    wide.iloc[np.setdiff1d(np.arange(260), new_york), 8:] = np.nan
    prices = es.Prices.from_returns(
        wide, exchange=dict.fromkeys(tickers[:8], "XHKG") | dict.fromkeys(tickers[8:], "XNYS")
    )
    closed = {
        name: dict.fromkeys((str(d.date()) for d in dates[np.setdiff1d(np.arange(260), of)]), None)
        for name, of in (("XHKG", hong_kong), ("XNYS", new_york))
    }
    events = pd.DataFrame({"ticker": tickers, "announced": str(dates[ZERO].date()), "size": size})
    study = es.Study(
        model="mean",
        estimation=(-70, -11),
        event=(0, 0),
        windows=((0, 0),),
        min_estimation=40,
        tests=["cross_section"],
        calendars=closed,
    )
    made = study.run(es.Events.from_frame(events), prices)
    assert (made.events["status"] == "ok").all()
    residuals, y = {}, np.empty(16)
    for j, ticker in enumerate(tickers):
        sessions = hong_kong if j < 8 else new_york
        at = int(np.searchsorted(sessions, ZERO))
        window = wide[ticker].iloc[sessions[at - 70 : at - 10]]
        residuals[ticker], y[j] = window - window.mean(), wide[ticker].iloc[ZERO] - window.mean()
    days = pd.DataFrame(residuals).T.to_numpy()  # by date
    b, t, n = by_loop(y, days, np.column_stack([np.ones(16), size]))
    fit = made.regress("car ~ size")
    assert f"on {n} days" in fit.note
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)


def test_compounded_returns_are_compounded_on_other_days_too() -> None:
    made = result(accumulate="compound")
    r = returns()
    held, values = [], []
    for i in range(N):
        window = r[f"S{i}"].to_numpy()[ZERO - 70 : ZERO + 3]
        normal = window - abnormal(i, ZERO)
        runs = [np.prod(1 + window[t : t + 5]) - np.prod(1 + normal[t : t + 5]) for t in (*range(56), 68)]
        held.append(runs[-1])
        values.append(runs[:-1])
    x = np.column_stack([np.ones(N), np.linspace(-1, 1, N) ** 3])
    b, t, n = by_loop(np.array(held), np.array(values), x)
    fit = made.regress("bhar ~ size", (-2, 2))
    assert n == 56
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)


def test_events_with_windows_of_their_own_have_runs_as_long() -> None:
    events = pd.DataFrame({"ticker": [f"S{i}" for i in range(N)], "announced": str(DATES[ZERO].date())})
    events["size"] = np.linspace(-1, 1, N) ** 3
    events["event_start"], events["event_end"] = np.repeat([0, -2], 12), np.repeat([0, 2], 12)
    own = es.Study(**{**STUDY, "windows": ((-2, 2),)}, event_columns=("event_start", "event_end")).run(
        es.Events.from_frame(events), es.Prices.from_returns(returns())
    )
    ar = np.array([abnormal(i, ZERO) for i in range(N)])
    y = np.where(np.arange(N) < 12, ar[:, 70], ar[:, 68:73].sum(axis=1))
    days = np.full((N, 62), np.nan)  # by the distance of a run's first day from the window's
    days[:12, :60] = ar[:12, :60]
    days[12:, 2:58] = np.array([sums(row, 5) for row in ar[12:]])
    b, t, n = by_loop(y, days, np.column_stack([np.ones(N), events["size"]]))
    fit = own.regress("car ~ size")
    assert f"on {n} " in fit.note
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)


@pytest.mark.parametrize("weights", [None, "gls"])
@pytest.mark.parametrize("cov", ["history", "placebo"])
@pytest.mark.parametrize("days", [None, ZERO + 3 * (np.arange(N) // 2 % 4)], ids=["one date", "four"])
def test_the_unit_of_a_term_is_that_of_its_coefficient(cov: str, weights: str | None, days: Any) -> None:
    made = result(days)
    found, wanted = (
        made.regress(f"car ~ {name} + kind", (0, 0), weights=weights, cov=cov, draws=99) for name in ("value", "size")
    )
    assert (len(wanted.params) > 3) == (days is not None)  # with date effects
    size = np.array([1e14 if "size" in name else 1.0 for name in wanted.params.index])
    np.testing.assert_allclose(found.params * size, wanted.params, rtol=1e-9)
    np.testing.assert_allclose(found.conf_int().to_numpy() * size[:, None], wanted.conf_int(), rtol=1e-8)
    for name in ("tvalues", "pvalues", "df", "fvalue"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-8, err_msg=name)


@pytest.mark.thorough
def test_the_placebo_ranks_the_slope_among_those_on_drawn_dates() -> None:
    made = result()
    assert made.rerun is not None
    drawn = made.rerun.drawn(199, (-2, 2))
    assert drawn.shape == (199, N)
    size = np.linspace(-1, 1, N) ** 3
    x = np.column_stack([np.ones(N), size])
    cars = made.cars[made.cars["start"] == -2]["car"].to_numpy()
    every = np.array([abnormal(0, d)[68:73].sum() for d in range(70, 258)])
    assert np.isclose(drawn[:, :1], every, rtol=1e-9, atol=1e-13).any(axis=1).all()  # each is the CAR of a date
    ratios = []
    for row in np.vstack([cars, drawn]):
        its = sm.OLS(row, x).fit()
        ratios.append(its.params / np.sqrt(its.scale))
    fit = made.regress("car ~ size", (-2, 2), cov="placebo", draws=199)
    rank = (np.abs(ratios[1:]) >= np.abs(ratios[0])).sum(axis=0)
    np.testing.assert_allclose(fit.pvalues, (1 + rank) / 200, rtol=1e-12)
    np.testing.assert_allclose(
        fit.bse, sm.OLS(cars, x).fit().scale ** 0.5 * np.std(ratios[1:], axis=0, ddof=1), rtol=1e-9
    )
    low, high = fit.conf_int().loc["size"]
    for value, inside in ((low + 1e-9, True), (low - 1e-9, False), (high - 1e-9, True), (high + 1e-9, False)):
        distance = abs(fit.params["size"] - value) / sm.OLS(cars, x).fit().scale ** 0.5
        p = (1 + (np.abs(np.array(ratios[1:])[:, 1]) >= distance).sum()) / 200
        assert (p > 0.05) == inside
    [row] = made.compare("kind", (-2, 2), cov="placebo", draws=199).to_dict("records")
    assert 0.005 <= row["p"] <= 1
    assert np.isfinite(row["t"])
    assert "ranked among the same regression on 199 dates" in row["note"]


def test_generalised_least_squares_takes_the_correlations_of_the_days_before() -> None:
    """With many days the factor's components are found, and GLS is more precise than OLS by them."""
    made = result()
    fit = made.regress("car ~ size", weights="gls")
    sigma = fit.model.sigma
    x = np.column_stack([np.ones(N), np.linspace(-1, 1, N) ** 3])
    cars = made.cars[made.cars["start"] == 0]
    inverse = np.linalg.inv(sigma)
    b = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ cars["car"])
    np.testing.assert_allclose(fit.params, b, rtol=1e-9)
    np.testing.assert_allclose(np.diag(sigma), cars["se"] ** 2, rtol=1e-9)
    size = np.linspace(-1, 1, N)
    correlation = sigma / np.outer(cars["se"], cars["se"])
    planted = np.outer(size, size)[~np.eye(N, dtype=bool)]
    assert np.corrcoef(correlation[~np.eye(N, dtype=bool)], planted)[0, 1] > 0.8
    assert fit.cov_type == "history"
    assert np.isfinite(fit.pvalues).all()


@pytest.mark.thorough
def test_what_history_cannot_do_says_what_to_do() -> None:
    made = result()
    for options, error, words in (
        ({"formula": "abs(car) ~ size", "cov": "history"}, es.InputError, "write 'car ~ ...', or use cov='cr2'"),
        ({"formula": "car ~ size", "cov": "cr2"}, es.NotEnoughData, "share one date.*use cov='history'"),
        ({"formula": "abs(car) ~ size"}, es.NotEnoughData, "share one date: on fewer than 3"),
        ({"formula": "car ~ size", "cov": "placebo", "draws": 9}, es.InputError, "draws is 9; give a whole number"),
    ):
        with pytest.raises(error, match=words):
            made.regress(**options)
    short = result(estimation=(-30, -11), min_estimation=15)
    with pytest.raises(
        es.NotEnoughData, match=r"16 windows of 5 days .* needs 21: take a longer estimation window.*placebo"
    ):
        short.regress("car ~ size", (-2, 2))
    assert np.isfinite(short.regress("car ~ size").pvalues).all()
