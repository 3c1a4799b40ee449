"""The joint path is a regression on stacked dummies, with CR2 errors by hand, and the plain path without overlap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import demo
from eventstudy.errors import InputError, NotEnoughData

DATES = pd.bdate_range("2015-01-01", periods=900)
FIRST, LAST = -3, 4
DAYS = list(range(FIRST, LAST + 1))
STUDY: dict[str, Any] = {
    "benchmark": "M", "estimation": (-124, -5), "event": (FIRST, LAST), "windows": ((0, 0),), "min_estimation": 60,
    "tests": ("cross_section",),
}  # fmt: skip
DENSE = [300, 302, 306, 330, 333, 400, 470, 476, 560, 564, 565, 700, 760, 830]


def study(days: dict[str, list[int]], signs: list[int] | None = None, seed: int = 1, **choices: Any) -> es.Result:
    """Events of tickers at positions of ``DATES``, on prices of a one-factor model."""
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal(len(DATES))
    returns = {"M": market}
    for ticker in days:
        returns[ticker] = 0.8 * market + 0.02 * rng.standard_normal(len(DATES))
    levels = 100.0 * np.cumprod(1.0 + pd.DataFrame(returns, index=DATES))
    rows = [(ticker, str(DATES[day].date())) for ticker, at in days.items() for day in at]
    events = pd.DataFrame(rows, columns=["ticker", "announced"])
    if signs is not None:
        events["up"] = np.resize(signs, len(events))
        choices["sign"] = "up"
    return es.Study(**{**STUDY, **choices}).run(es.Events.from_frame(events), es.Prices.from_frame(levels))


class Stacked(NamedTuple):
    """The regression by hand: design (n, days), returns, standardised returns, and the position of each row's date."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    date: np.ndarray


def stacked(result: es.Result, sign: pd.Series) -> Stacked:
    """Go through the events one by one, and their days one by one."""
    cells: dict[tuple[str, int], dict[str, Any]] = {}
    for row, direction, values in zip(result.events.to_dict("records"), sign, result.ar.to_numpy(), strict=True):
        if direction == 0:
            continue
        at = DATES.get_loc(row["session"])
        for day, value in zip(DAYS, values, strict=True):
            cell = cells.setdefault((row["ticker"], at + day), {"x": dict.fromkeys(DAYS, 0.0), "y": [], "z": []})
            cell["x"][day] += direction
            cell["y"].append(value)
            cell["z"].append(value / row["sigma"])
    x = np.array([[cell["x"][day] for day in DAYS] for cell in cells.values()])
    y, z = ([np.mean(cell[name]) for cell in cells.values()] for name in ("y", "z"))
    return Stacked(x, np.array(y), np.array(z), np.array([date for _, date in cells]))


def cr2(x: np.ndarray, e: np.ndarray, cluster: np.ndarray, contrast: np.ndarray) -> tuple[float, float]:
    """CR2 and Bell-McCaffrey's df with matrices of n by n, as Imbens & Kolesar (2016) write them."""
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    variance, columns = 0.0, []
    for g in np.unique(cluster):
        rows = cluster == g
        values, vectors = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        adjust = vectors @ np.diag(1.0 / np.sqrt(values)) @ vectors.T
        weight = adjust @ x[rows] @ bread @ contrast
        variance += (weight @ e[rows]) ** 2
        columns.append((np.eye(len(x)) - hat)[:, rows] @ weight)
    gamma = np.array(columns) @ np.array(columns).T
    return float(np.sqrt(variance)), float(np.trace(gamma) ** 2 / (gamma**2).sum())


@pytest.mark.parametrize("signs", [None, [1, -1, 1, 1, 0, -1, 1]])
def test_it_is_least_squares_on_stacked_dummies(signs: list[int] | None) -> None:
    from statsmodels.regression.linear_model import OLS

    result = study({"A": DENSE, "B": [day + 3 for day in DENSE], "C": [302, 470, 640]}, signs)
    sign = pd.Series(1.0, result.events.index) if signs is None else result.events["up"].astype(float)
    by_hand, joint = stacked(result, sign), result.joint()
    np.testing.assert_allclose(joint["aar"], OLS(by_hand.y, by_hand.x).fit().params, rtol=0, atol=1e-12)
    np.testing.assert_allclose(joint["theta"], OLS(by_hand.z, by_hand.x).fit().params, rtol=0, atol=1e-10)
    np.testing.assert_allclose(joint["caar"], np.cumsum(joint["aar"]), rtol=0, atol=1e-15)
    assert joint["n"].tolist() == [int((sign != 0).sum())] * len(DAYS)
    assert (joint["aar"] - result.daily["aar"]).abs().max() > 1e-4


def test_its_errors_are_cr2_by_hand() -> None:
    """The chains of windows are at 300-333, 400, 470-476, ...: less than eight days apart. None is cut."""
    result = study({"A": DENSE, "B": [day + 3 for day in DENSE], "C": [302, 470, 640]})
    by_hand, joint = stacked(result, pd.Series(1.0, result.events.index)), result.joint()
    order = np.unique(by_hand.date)
    chain = dict(zip(order, np.cumsum(np.diff(order, prepend=order[0]) > 1), strict=True))
    cluster = np.array([chain[date] for date in by_hand.date])
    assert len(np.unique(cluster)) == 9
    e = by_hand.y - by_hand.x @ joint["aar"].to_numpy()
    for k, day in enumerate(DAYS):
        contrast = np.where(np.arange(len(DAYS)) <= k, 1.0, 0.0)
        se, df = cr2(by_hand.x, e, cluster, contrast)
        row = joint.loc[day]
        np.testing.assert_allclose(row["se"], se, rtol=1e-9)
        half = stats.t.ppf(0.975, df) * se
        np.testing.assert_allclose([row["lower"], row["upper"]], [row["caar"] - half, row["caar"] + half], rtol=1e-8)


def test_without_overlap_it_is_the_plain_path_and_its_errors_those_of_clusters() -> None:
    """Chains of three, two and one events; the variance of 2.13: sums of deviations over 1 - n_g / N."""
    days = {"A": [300, 400, 500, 600], "B": [302, 500, 700], "C": [304, 705]}
    result = study(days)
    joint, daily = result.joint(), result.daily
    for name in ("n", "aar", "caar"):
        np.testing.assert_allclose(joint[name], daily[name], rtol=0, atol=1e-15)
    np.testing.assert_allclose(joint["theta"], result.ar.div(result.events["sigma"], axis=0).mean(), rtol=1e-12)
    car = result.ar.sum(axis=1).to_numpy()
    cluster = np.array(
        [{300: 0, 302: 0, 304: 0, 400: 1, 500: 2, 600: 3, 700: 4, 705: 4}[d] for at in days.values() for d in at]
    )
    n = np.bincount(cluster)
    sums = np.bincount(cluster, car - car.mean())
    np.testing.assert_allclose(joint.loc[LAST, "se"], np.sqrt((sums**2 / (1 - n / 9)).sum()) / 9, rtol=1e-10)


def test_missing_days_are_left_out_of_both_paths() -> None:
    result = study({"A": [300, 400, 500, 600], "B": [310, 700]})
    gaps = result.ar.copy()
    gaps.iloc[0, 2] = np.nan
    joint = replace(result, ar=gaps).joint()
    np.testing.assert_allclose(joint["aar"], gaps.mean(), rtol=1e-12)
    assert joint["n"].tolist() == [6, 6, 5, 6, 6, 6, 6, 6]
    gaps.iloc[:, 2] = np.nan
    joint = replace(result, ar=gaps).joint()
    assert joint["n"].tolist() == [6, 6, 0, 6, 6, 6, 6, 6]
    assert np.isfinite(joint["caar"]).tolist() == [True, True, *[False] * 6]
    np.testing.assert_allclose(joint["aar"], gaps.mean(), rtol=1e-12)


def test_a_long_chain_is_cut_and_two_clusters_have_no_error() -> None:
    long = study({"A": list(range(300, 700, 7)), "B": list(range(303, 703, 11))})
    assert np.isfinite(long.joint()["se"]).all()
    short = study({"A": [300, 302], "B": [301, 500]})
    assert short.joint()["se"].isna().all()
    assert np.isfinite(short.joint()["caar"]).all()


def test_days_that_cannot_be_told_apart_are_an_error() -> None:
    """The only day of one event that is known is the only one of the other: day 1 and day 0."""
    result = study({"A": [300, 301]})
    ar = result.ar * np.nan
    ar.iloc[0, 4] = ar.iloc[1, 3] = 0.01
    with pytest.raises(NotEnoughData, match="the days of one cannot be told from those of the next"):
        replace(result, ar=ar).joint()


def test_a_study_that_compounds_has_no_joint_path() -> None:
    with pytest.raises(InputError, match="this study compounds; use accumulate='sum'"):
        study({"A": [300, 400]}, accumulate="compound").joint()


@pytest.mark.thorough
def test_the_joint_signed_path_of_the_demo_is_the_planted_one() -> None:
    result, planted = demo.run()
    joint = result.joint()
    sign = result.events["expected_sign"].loc[planted.index]
    effect = (planted["planted"] * sign)[sign != 0].mean()
    assert 0.029 < effect < 0.031
    truth = np.where(joint.index >= 0, effect, 0.0)
    assert ((joint["lower"] <= truth) & (truth <= joint["upper"])).all()
    before = joint.loc[:-1]
    assert ((before["lower"] <= 0) & (before["upper"] >= 0)).all()
    assert result.daily.loc[10, "caar"] - effect > 0.015  # the plain path is moved by overlap


@pytest.mark.slow
def test_the_demo_recovers_what_is_planted() -> None:
    """Over 200 seeds: each event's 95 % interval, and the band of the joint path on each day."""
    events, days = [], []
    for seed in range(200):
        result, planted = demo.run(seed)
        events.append(planted["within"].mean())
        joint = result.joint()
        sign = result.events["expected_sign"].loc[planted.index]
        effect = (planted["planted"] * sign)[sign != 0].mean()
        truth = np.where(joint.index >= 0, effect, 0.0)
        days.append(((joint["lower"] <= truth) & (truth <= joint["upper"])).to_numpy())
    assert 0.93 <= np.mean(events) <= 0.97
    assert 0.92 <= np.mean(days) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_its_band_holds_in_one_long_chain(rho: float) -> None:
    """No effect, eight tickers with a common shock, events of each a few days apart: the caar over all days."""
    hits, n = 0, 300
    for seed in range(n):
        rng = np.random.default_rng(seed)
        market, shock = 0.01 * rng.standard_normal(len(DATES)), rng.standard_normal(len(DATES))
        returns = {"M": market}
        rows = []
        for k in range(8):
            own = rng.standard_normal(len(DATES))
            returns[f"T{k}"] = market + 0.02 * (np.sqrt(rho) * shock + np.sqrt(1 - rho) * own)
            rows += [(f"T{k}", str(DATES[day].date())) for day in np.sort(rng.choice(np.arange(200, 880), 15, False))]
        levels = 100.0 * np.cumprod(1.0 + pd.DataFrame(returns, index=DATES))
        events = es.Events.from_frame(pd.DataFrame(rows, columns=["ticker", "announced"]))
        joint = es.Study(**STUDY).run(events, es.Prices.from_frame(levels)).joint()
        hits += bool(joint.loc[LAST, "lower"] > 0 or joint.loc[LAST, "upper"] < 0)
    interval = stats.binomtest(hits, n).proportion_ci()
    assert interval.low <= 0.065
    assert interval.high >= 0.015  # fewer than 5 %: means of estimation windows undo part of a common shock
