"""``es.explain_moves``: days held to statsmodels, events met by hand, the chance of it by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.analysis.moves import Moves, _by_ticker
from eventstudy.errors import InputError
from eventstudy.types import Analysis

PLANTED = {"2021-07-26": -0.22, "2021-09-13": -0.28, "2022-03-16": 0.25}


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    reactions = {("0700.HK", day): move for day, move in PLANTED.items()}
    return es.fetch_prices(
        ["0700.HK", "9988.HK", "^HSI"], "2020-06-01", "2022-06-30", source="simulated", seed=6, reactions=reactions
    )


def events() -> es.Events:
    rows = [
        ("AFTER_CLOSE", "0700.HK", "2021-07-23T20:00+08:00"),  # a Friday evening: the Monday after
        ("SPLIT", "0700.HK", "2021-09-13T09:00+08:00"),
        ("ECHO; AGAIN", "0700.HK", "2021-09-13T10:00+08:00"),
        ("DAY_BEFORE", "0700.HK", "2022-03-15T10:00+08:00"),
        ("QUIET", "9988.HK", "2021-05-12T10:00+08:00"),
        ("EARLY", "9988.HK", "2020-06-10T10:00+08:00"),  # no estimation window before it
        ("UNKNOWN", "1234.HK", "2021-05-12T10:00+08:00"),
    ]
    return es.Events.from_frame(pd.DataFrame(rows, columns=["event_id", "ticker", "announced"]))


@pytest.fixture(scope="module")
def moves(prices: es.Prices) -> Moves:
    return es.explain_moves(prices, events(), n=12, benchmark="^HSI", estimation=100)


def test_days_equal_a_regression_on_the_days_before_them(moves: Moves, prices: es.Prices) -> None:
    closes = {name: prices.frame(name)["adjusted"] for name in ("0700.HK", "^HSI")}
    returns = pd.DataFrame(closes).pct_change().dropna()
    rows = moves.frame[moves.frame["ticker"] == "0700.HK"]
    assert len(rows) == 12
    for row in rows.to_dict("records"):
        at = returns.index.get_loc(row["session"])
        past = returns.iloc[max(at - 102, 0) : at - 2]
        fit = sm.OLS(past["0700.HK"], sm.add_constant(past["^HSI"])).fit()
        day = fit.get_prediction([[1.0, returns["^HSI"].iloc[at]]])
        ar = returns["0700.HK"].iloc[at] - day.predicted_mean[0]
        assert row["ar"] == pytest.approx(ar, abs=1e-12)
        assert row["t"] == pytest.approx(ar / day.se_obs[0], abs=1e-9)
        n_days = moves.tickers.loc["0700.HK", "n_days"]
        assert row["p_adjusted"] == pytest.approx(1 - (1 - row["p"]) ** n_days, abs=1e-10)


def test_events_meet_the_days_of_their_sessions(moves: Moves) -> None:
    assert isinstance(moves, Analysis)
    rows = moves.frame[moves.frame["ticker"] == "0700.HK"].set_index("session")
    assert set(pd.to_datetime(list(PLANTED))) <= set(rows.index)
    assert rows.loc["2021-07-26", "events"] == ("AFTER_CLOSE",)
    assert rows.loc["2021-09-13", "events"] == ("SPLIT", "ECHO; AGAIN")
    assert rows.loc["2022-03-16", ["events", "near"]].tolist() == [(), ("DAY_BEFORE",)]
    assert moves.events.loc["SPLIT", "rank"] == rows.loc["2021-09-13", "rank"]
    assert moves.events["moved"].to_dict() == {
        "AFTER_CLOSE": True, "SPLIT": True, "ECHO; AGAIN": True, "DAY_BEFORE": False, "QUIET": False, "EARLY": False,
        "UNKNOWN": False,
    }  # fmt: skip
    assert moves.events.loc["EARLY", ["ar", "t", "p", "rank"]].isna().all()
    assert moves.events.loc["EARLY", "status"] == "too_few_estimation"
    assert moves.events.loc["UNKNOWN", "status"] == "unknown_ticker"
    assert moves.tickers.loc["0700.HK", ["n_event_days", "n_met", "n_moved"]].tolist() == [3, 2, 2]


def test_the_chance_of_meeting_is_that_of_all_draws() -> None:
    rng = np.random.default_rng(1)
    days = pd.DataFrame({"ticker": "A", "t": rng.normal(size=9), "p": 0.5, "events": [("x",)] * 3 + [()] * 6})
    days["rank"] = days["t"].abs().rank(ascending=False).astype(int)
    (row,) = _by_ticker(days, 4).to_dict("records")
    largest = set(np.flatnonzero(days["rank"] <= 4))
    draws = [len(largest & set(drawn)) for drawn in combinations(range(9), 3)]
    assert row["expected"] == pytest.approx(np.mean(draws))
    assert row["p"] == pytest.approx(np.mean(np.array(draws) >= row["n_met"]))


def test_a_later_price_changes_no_earlier_day(moves: Moves, prices: es.Prices) -> None:
    frames = {name: prices.frame(name) for name in prices.tickers}
    cut = pd.Timestamp("2022-01-03")
    frame = pd.concat({name: part[["close"]].iloc[:, 0] for name, part in frames.items()}, axis=1)
    changed = frame.copy()
    later = changed.loc[cut:].to_numpy()
    changed.loc[cut:] = later * np.exp(np.random.default_rng(2).normal(0, 0.1, later.shape))
    exchange = {"0700.HK": "XHKG", "9988.HK": "XHKG", "^HSI": "XHKG"}
    one, other = (
        es.explain_moves(es.Prices.from_frame(part, exchange), events(), n=2000, benchmark="^HSI", estimation=100).frame
        for part in (frame, changed)
    )
    columns = ["ticker", "session", "ar", "t", "p"]
    before = [part[part["session"] < cut].sort_values(["ticker", "session"])[columns] for part in (one, other)]
    assert len(before[0]) > 400
    pd.testing.assert_frame_equal(*(part.reset_index(drop=True) for part in before))


def test_without_a_benchmark_the_mean_is_the_normal_return(prices: es.Prices) -> None:
    moves = es.explain_moves(prices, events(), n=3, ticker="9988.HK", estimation=60)
    returns = prices.frame("9988.HK")["adjusted"].pct_change()
    row = moves.frame.iloc[0]
    at = returns.index.get_loc(row["session"])
    past = returns.iloc[at - 62 : at - 2]
    assert row["ar"] == pytest.approx(returns.iloc[at] - past.mean(), abs=1e-12)
    assert row["t"] == pytest.approx((returns.iloc[at] - past.mean()) / (past.std() * np.sqrt(1 + 1 / 60)), abs=1e-9)


def test_what_is_not_valid_is_refused(prices: es.Prices) -> None:
    for options, match in (
        ({"n": 0}, "n is 0"), ({"ticker": "0005.HK"}, "ticker"), ({"ticker": np.array([1, 2])}, "ticker is"),
        ({"estimation": 5}, "estimation"),
        ({"benchmark": "^N225"}, "benchmark"),
    ):  # fmt: skip
        with pytest.raises(es.EventStudyError, match=match):
            es.explain_moves(prices, events(), **options)
    with pytest.raises(InputError, match=r"no prices of 1234\.HK"):
        es.explain_moves(prices, es.Events.from_frame(events().frame.loc[["UNKNOWN"]]))
