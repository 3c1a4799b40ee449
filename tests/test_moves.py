"""``es.explain_moves``: days held to statsmodels, events met by hand, the chance of it by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.text import Text

import eventstudy as es
from eventstudy.analysis.moves import Moves, _by_ticker
from eventstudy.errors import InputError, NotEnoughData
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


def drawn_prices(n: int = 300) -> pd.DataFrame:
    moves = 0.01 * np.random.default_rng(1).standard_normal((n, 3))
    return pd.DataFrame(100 * np.cumprod(1 + moves, axis=0), pd.bdate_range("2020-01-01", periods=n), ["A", "B", "M"])


def two_events() -> es.Events:
    return es.Events.from_frame(pd.DataFrame({"ticker": ["A", "B"], "announced": ["2020-03-03", "2021-02-03"]}))


@pytest.mark.parametrize(("estimation", "needed"), [(250, 129), (20, 14)])
@pytest.mark.parametrize("benchmark", ["M", None])
def test_the_least_sessions_are_counted(estimation: int, needed: int, benchmark: str | None) -> None:
    """The first close, a return in half of the sessions up to day -3, two days left out, and the day itself."""
    assert needed == 1 + estimation // 2 + 2 + 1
    given = {"n": 3, "ticker": "A", "benchmark": benchmark, "estimation": estimation}
    few, enough = (es.Prices.from_frame(drawn_prices().iloc[:n]) for n in (needed - 1, needed))
    said = rf"of A \({needed - 1} sessions with a close, and {needed} are needed\); .* less than {estimation}"
    with pytest.raises(NotEnoughData, match=said):
        es.explain_moves(few, two_events(), **given)
    (row,) = es.explain_moves(enough, two_events(), **given).frame.to_dict("records")
    assert row["session"] == drawn_prices().index[needed - 1]


def test_months_that_are_too_few_are_told() -> None:
    months = es.transform.monthly(es.Prices.from_frame(drawn_prices()))
    n = len(months.frame("A"))
    with pytest.raises(NotEnoughData, match=rf"A \({n} sessions with a close, and 129 are needed\), B \({n} "):
        es.explain_moves(months, two_events(), benchmark="M")


def test_a_benchmark_that_is_too_short_is_told() -> None:
    wide = drawn_prices()
    wide.loc[wide.index[50:], "M"] = np.nan
    with pytest.raises(NotEnoughData, match=r"no day can be estimated of A \(.*125"):
        es.explain_moves(es.Prices.from_frame(wide), two_events(), ticker="A", benchmark="M")


def test_a_security_of_too_few_sessions_is_kept_beside_another() -> None:
    wide = drawn_prices()
    wide.loc[wide.index[100:], "A"] = np.nan
    moves = es.explain_moves(es.Prices.from_frame(wide), two_events(), n=3, benchmark="M")
    assert moves.tickers.index.tolist() == ["A", "B"]
    counts = ["n_days", "n_event_days", "n_largest", "n_met", "n_moved"]
    assert moves.tickers.loc["A", counts].tolist() == [0, 0, 0, 0, 0]
    assert moves.tickers.loc["B", ["n_days", "n_largest", "reason"]].tolist() == [300 - 128, 3, ""]
    said = "100 sessions with a close, and 129 are needed"
    assert moves.tickers.loc["A", "reason"] == said
    assert moves.answer().endswith(f"No day could be estimated of A ({said}).")
    assert "of 1 ticker." in moves.answer()
    assert "100 sessions with a close" in " ".join(repr(moves).split())
    assert len(moves.events) == 2
    shown = [text.get_text().replace("\n", " ") for text in moves.plot(ticker="A").figure.findobj(Text)]
    assert any(said in text for text in shown)
    assert len(moves.plot().patches) == 3
    with pytest.raises(InputError, match="ticker is 'C'"):
        moves.plot(ticker="C")


def test_the_estimation_window_ends_at_day_minus_3() -> None:
    """A price that moves and returns to its level before the day: in the window up to day -3 it counts, later not."""
    plain = drawn_prices()
    day = plain.index[250]

    def of_day(last: int) -> pd.Series:
        """Lift the levels before a relative day, of which the return alone is then another."""
        wide = plain.copy()
        wide.loc[wide.index[: 250 + last], "A"] *= 1.05
        moves = es.explain_moves(es.Prices.from_frame(wide), two_events(), n=300, ticker="A", benchmark="M")
        row: pd.Series = moves.frame.set_index("session").loc[day, ["ar", "t"]].astype(float)
        return row

    unchanged = of_day(50)  # all levels, and no return up to the day
    for at in (-2, -1):
        np.testing.assert_allclose(of_day(at), unchanged, rtol=1e-9)
    assert abs(of_day(-3)["t"] - unchanged["t"]) > 0.01


@pytest.mark.parametrize("announced", ["2021-07-24", "2021-07-25T12:00:00Z"])
def test_news_of_a_weekend_meets_the_move_of_monday(announced: str):
    days = pd.bdate_range("2019-01-01", "2021-12-31")
    moves = 0.01 * np.random.default_rng(0).standard_normal(len(days))
    moves[days.get_loc("2021-07-26")] = 0.2
    prices = es.Prices.from_frame(pd.DataFrame({"A": 100.0 * np.cumprod(1.0 + moves)}, days), "XNYS")
    events = es.Events.from_frame(pd.DataFrame({"event_id": ["E"], "ticker": ["A"], "announced": [announced]}))
    found = es.explain_moves(prices, events, n=1)
    assert found.frame["session"].tolist() == [pd.Timestamp("2021-07-26")]
    assert found.frame["events"].tolist() == [("E",)]
    assert found.events.loc["E", ["rank", "moved"]].tolist() == [1, True]
    assert "1 of the 1 largest abnormal days have an event" in found.answer()


def test_news_of_a_month_meets_the_month():
    """Months are dated by their last day, on which no news need come."""
    days = pd.bdate_range("2005-01-03", "2020-12-31")
    moves = 0.01 * np.random.default_rng(1).standard_normal(len(days))
    moves[days.get_loc("2018-03-14")] = 0.4
    daily = es.Prices.from_frame(pd.DataFrame({"A": 100.0 * np.cumprod(1.0 + moves)}, days))
    rows = {"event_id": ["E", "F"], "ticker": "A", "announced": ["2018-03-14", "2030-01-01"]}
    found = es.explain_moves(
        es.transform.monthly(daily), es.Events.from_frame(pd.DataFrame(rows)), n=2, estimation=60
    )  # fmt: skip
    assert found.row == "month"
    assert found.frame["session"].iloc[0] == pd.Timestamp("2018-03-31")
    assert found.frame["events"].iloc[0] == ("E",)
    assert "1 of the 2 largest abnormal months have an event" in found.answer()
    assert "1 event has no session" in found.answer()
    assert "days" not in found.answer()
