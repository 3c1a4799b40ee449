"""A quoted move is held to the prices: candidates by hand, rounding, currencies, and the real day of the seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import Prices
from eventstudy.analysis.headline import Headline

DAYS = ("2021-09-09", "2021-09-10", "2021-09-13", "2021-09-14", "2021-09-15")
BARS = {
    "open": [100.0, 101.0, 96.0, 95.0, 97.0],
    "high": [103.0, 104.0, 98.0, 97.0, 99.0],
    "low": [99.0, 100.0, 93.4, 94.0, 96.0],
    "close": [102.0, 100.0, 95.8, 96.0, 98.0],
}
CLOSE = "from the previous close to the close"
LOW = "from the previous close to the low"


def prices() -> Prices:
    frame = pd.DataFrame(BARS).assign(date=DAYS, ticker="A")
    other = frame.assign(ticker="^M", **{name: frame[name] * 0.0 + 50.0 for name in BARS})
    other.loc[2, "close"] = 49.0
    rates = pd.DataFrame({"date": DAYS, "ticker": "HKD=X", "close": [8.0, 8.0, 7.6, 8.0, 8.0]})
    made = Prices.from_frame(pd.concat([frame, other, rates]))
    return Prices({name: replace(bars, currency="HKD") for name, bars in made.bars.items()}, {}, {})


def found(move: float, **options: Any) -> Any:
    return es.headline("A", "2021-09-13", move, prices=prices(), **options)


def moves(held: Any, currency: str = "HKD") -> dict[str, float]:
    own = held.frame[held.frame["currency"] == currency]
    return dict(zip(own["what"], own["move"], strict=True))


def test_every_candidate_by_hand() -> None:
    held = found(-0.066, benchmark="^M")
    assert held.session == pd.Timestamp("2021-09-13")
    by_hand = {
        CLOSE: 95.8 / 100 - 1, LOW: 93.4 / 100 - 1, "from the previous close to the open": 96 / 100 - 1,
        "from the previous close to the high": 98 / 100 - 1, "from the open to the low": 93.4 / 96 - 1,
        "from the open to the close": 95.8 / 96 - 1, "from the high to the low of the session": 93.4 / 98 - 1,
        "from the close to the open of the next session": 95 / 95.8 - 1,
        "from the close to the low of the next session": 94 / 95.8 - 1,
        "from the close to the high of the next session": 97 / 95.8 - 1,
        "from the close to the close of the next session": 96 / 95.8 - 1,
        "from the previous close to the low of the next session": 94 / 100 - 1,
        "from the previous close to the close of the next session": 96 / 100 - 1,
        "of the session before, close to close": 100 / 102 - 1,
        "over five sessions to the close": np.nan, "from the last close of the year before": np.nan,
        f"{CLOSE}, less ^M": 95.8 / 100 - 1 - (49 / 50 - 1),
        "from the previous close to the open, less ^M": 96 / 100 - 1,
        "from the close to the close of the next session, less ^M": 96 / 95.8 - 50 / 49,
        "from the previous close to the close of the next session, less ^M": 96 / 100 - 1,
        "of the session before, close to close, less ^M": 100 / 102 - 1,
    }  # fmt: skip
    assert moves(held) == pytest.approx(by_hand, rel=1e-12, nan_ok=True)
    assert held.frame["what"].iloc[0] == LOW
    assert held.frame["difference"].abs().dropna().is_monotonic_increasing
    assert (held.low, held.high) == pytest.approx((-0.066, -0.02), rel=1e-12)


def test_a_foreign_currency_takes_the_rate_of_the_date_of_each_price() -> None:
    """The rate 7.6 in place of 8.0 on the day: the fall of 4.2 % is a rise of 0.84 % in dollars."""
    dollars = moves(found(-0.066), "USD")
    assert dollars[CLOSE] == pytest.approx(95.8 / 7.6 / (100 / 8.0) - 1, rel=1e-12)
    assert "in USD" in found(0.008).answer()


@pytest.mark.parametrize(
    ("move", "digits", "bounds", "true"),
    [
        (-0.066, None, (-0.0665, -0.0655), [LOW]),
        (-0.07, None, (-0.075, -0.065), [LOW]),
        (-0.07, 1, (-0.0705, -0.0695), []),
        (-0.1, None, (-0.105, -0.095), []),
    ],
)
def test_a_number_is_true_of_what_rounds_to_it(
    move: float, digits: int | None, bounds: tuple[float, float], true: list[str]
) -> None:
    held = found(move, digits=digits)
    assert (held.lower, held.upper) == pytest.approx(bounds, rel=1e-12)
    own = held.frame[held.frame["currency"] == "HKD"]
    assert own.loc[own["matches"], "what"].tolist() == true


def test_six_and_a_half_per_cent_cut_off_are_six() -> None:
    held = found(-0.06)
    own = held.frame[(held.frame["currency"] == "HKD") & held.frame["cut_off"]]
    assert own["what"].tolist() == ["from the previous close to the low of the next session", LOW]
    assert "With digits cut off it is true of the move from the previous close to the low (−6.60 %)." in held.answer()
    assert "During the session the price passed it: −6.60 % to −2.00 %." in held.answer()
    assert held.answer().endswith("At the close it was −4.20 %.")
    up = found(0.06)
    assert not up.frame["cut_off"].any()
    assert "did not reach it" in up.answer()


def test_points_are_differences_and_their_zeros_are_not_digits() -> None:
    held = found(-4.2, kind="points")
    assert moves(held)[CLOSE] == pytest.approx(-4.2, rel=1e-12)
    assert held.frame["matches"].iloc[0]
    assert (found(-600.0, kind="points").lower, found(-600.0, kind="points").upper) == (-650.0, -550.0)
    assert (found(-600.0, kind="points", digits=-1).lower, found(-600.0, kind="points", digits=0).upper) == (
        -605,
        -599.5,
    )
    assert set(held.frame["currency"]) == {"HKD"}


def test_money_is_the_move_of_the_market_value() -> None:
    held = found(-42e9, kind="money", value=1e12)
    assert moves(held)[CLOSE] == pytest.approx(-0.042 * 1e12, rel=1e-12)
    assert moves(held)["of the session before, close to close"] == pytest.approx(-0.02 * 1e12, rel=1e-12)
    assert "−42.00 bn HKD" in held.answer()
    assert moves(held, "USD")[CLOSE] == pytest.approx((95.8 / 7.6 - 100 / 8.0) / 100 * 1e12, rel=1e-12)


def test_the_session_is_the_first_that_closes_after_the_news() -> None:
    frame = pd.DataFrame(BARS).assign(date=DAYS, ticker="0001.HK")
    made = Prices.from_frame(frame, exchange="XHKG")
    session = {
        when: es.headline("0001.HK", when, -0.06, prices=made).session.strftime("%d")
        for when in ("2021-09-10T17:00+08:00", "2021-09-13T09:30+08:00", "2021-09-13T16:30+08:00", "2021-09-11")
    }
    assert list(session.values()) == ["13", "13", "14", "13"]


def test_a_time_of_day_without_an_exchange_is_said() -> None:
    held = es.headline("A", "2021-09-13T22:00+08:00", -0.06, prices=prices())
    assert held.session == pd.Timestamp("2021-09-13")
    assert held.placement == "no closing times known: the date is a session"
    assert held.answer().endswith("The session is a guess (no closing times known: the date is a session).")


PEAK = "from the high of 52 weeks to the close"


def held_to_a_peak(days: pd.DatetimeIndex, peaks: dict[str, float]) -> Headline:
    """A security of 100 that closes at 75 on 2021-09-13, with higher highs on some days."""
    frame = pd.DataFrame({"date": days, "ticker": "A"}).assign(open=100.0, high=101.0, low=75.0, close=100.0)
    frame.loc[frame["date"] == "2021-09-13", "close"] = 75.0
    for day, high in peaks.items():
        frame.loc[frame["date"] == day, "high"] = high
    return es.headline("A", "2021-09-13", -0.5, prices=Prices.from_frame(frame))


@pytest.mark.parametrize("rule", ["B", "D", "every second row of the spring"])
def test_a_high_of_52_weeks_is_that_of_the_364_days_before(rule: str) -> None:
    """The 364 days before Monday 2021-09-13 begin on 2020-09-14, of whatever rows."""
    days = pd.date_range("2020-06-16", "2021-09-25", freq=rule if len(rule) < 3 else "B")
    if len(rule) > 2:
        spring = (days >= "2021-03-01") & (days < "2021-06-01")
        days = days[~spring | (np.arange(len(days)) % 2 == 0)]
    own = held_to_a_peak(days, {"2020-09-11": 200.0, "2020-09-14": 150.0}).frame.set_index("what")
    assert own.loc[PEAK, "move"] == pytest.approx(-0.5, rel=1e-12)
    assert own.loc[PEAK, "first_on"] == pd.Timestamp("2020-09-14")


def test_a_high_of_52_weeks_needs_their_prices() -> None:
    later = pd.date_range("2020-09-15", "2021-09-25")  # 363 rows, and 52 weeks have not passed
    assert PEAK not in set(held_to_a_peak(later, {}).frame["what"])
    assert PEAK in set(held_to_a_peak(pd.date_range("2020-09-14", "2021-09-25"), {}).frame["what"])
    gap = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06", "2021-09-13", "2021-09-14", "2021-09-15"])
    assert PEAK not in set(held_to_a_peak(gap, {}).frame["what"])


@pytest.mark.parametrize(("rule", "apart"), [("W-MON", "7"), ("ME", "31"), ("QE", "92"), ("2W-MON", "14")])
def test_prices_that_are_not_daily_are_refused(rule: str, apart: str) -> None:
    days = pd.date_range("2018-01-01", "2021-12-31", freq=rule)
    coarse = pd.DataFrame({"date": days, "ticker": "A", "close": np.linspace(100, 50, len(days))})
    daily = pd.DataFrame({"date": pd.bdate_range("2021-01-01", "2021-12-31"), "ticker": "B", "close": 10.0})
    made = Prices.from_frame(pd.concat([coarse, daily]))
    said = f"'A', whose closes are mostly {apart} days apart; a move is held to daily prices"
    with pytest.raises(es.InputError, match=f"ticker is {said}"):
        es.headline("A", "2021-09-13", -0.5, prices=made)
    with pytest.raises(es.InputError, match=f"benchmark is {said}"):
        es.headline("B", "2021-09-13", -0.5, prices=made, benchmark="A")


def test_months_of_daily_prices_are_refused() -> None:
    days = pd.bdate_range("2020-01-01", "2021-12-31")
    daily = Prices.from_frame(pd.DataFrame({"A": np.linspace(100, 50, len(days))}, days))
    with pytest.raises(es.InputError, match="a move is held to daily prices"):
        es.headline("A", "2021-09-13", -0.5, prices=es.transform.monthly(daily))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"move": 0.0}, "give a number other than 0"),
        ({"move": "6 %"}, "give a number other than 0"),
        ({"kind": "euros"}, "valid are 'percent', 'points', 'money'"),
        ({"ticker": "B"}, "ticker is 'B'"),
        ({"benchmark": "B"}, "benchmark is 'B'"),
        ({"kind": "money"}, "money needs the market value"),
        ({"kind": "money", "value": -1.0}, "a number above 0"),
        ({"digits": 2.5}, "digits is 2.5"),
        ({"prices": {}}, "prices is {}"),
    ],
)
def test_an_argument_that_is_not_valid_is_named(options: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"ticker": "A", "when": "2021-09-13", "move": -0.06, "prices": prices()} | options
    with pytest.raises(es.InputError) as caught:
        es.headline(given.pop("ticker"), given.pop("when"), given.pop("move"), **given)
    assert said in str(caught.value)


@pytest.mark.parametrize("when", ["2021-09-09", "2021-10-01", "2020-01-01"])
def test_a_session_without_a_price_before_or_on_it_is_an_error(when: str) -> None:
    with pytest.raises(es.NotEnoughData, match="read more prices"):
        es.headline("A", when, -0.06, prices=prices())


def test_it_says_itself_in_100_columns_and_in_html() -> None:
    held = found(-0.06)
    assert all(len(line) <= 100 for line in repr(held).splitlines())
    assert "cut off" in held._repr_html_()


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")  # of prices that the folder does not have
def test_the_press_of_13_september_2021(shared: Any) -> None:
    """Facts by division of the prices in the folder: 156.9 / 167.9 is a fall of 6.55 %, and so on."""
    made = es.read_prices(shared / "data" / "prices")
    said = {"9988.HK": -0.06, "0700.HK": -0.03, "1211.HK": -0.035, "9868.HK": -0.035, "^HSI": -0.023}
    held = {name: es.headline(name, "2021-09-13T09:30+08:00", move, prices=made) for name, move in said.items()}
    low = {name: round(100 * each.low, 2) for name, each in held.items()}
    assert low == {"9988.HK": -6.55, "0700.HK": -3.88, "1211.HK": -3.98, "9868.HK": -3.19, "^HSI": -2.42}
    passed = {name for name, each in held.items() if each.low <= each.quoted <= each.high}
    assert passed == {"9988.HK", "0700.HK", "1211.HK", "^HSI"}
    of_the_day = {
        name: each.frame[each.frame["matches"] & (each.frame["last_on"] == "2021-09-13")] for name, each in held.items()
    }
    assert all(rows.empty for rows in of_the_day.values())  # early trade: no open, low or close, but between them
    alibaba = held["9988.HK"].frame
    assert LOW in alibaba.loc[alibaba["cut_off"], "what"].tolist()


def priced(close: list[float], adjusted: list[float], **more: list[float]) -> es.Prices:
    days = pd.to_datetime(["2021-09-07", "2021-09-08", "2021-09-09", "2021-09-10", "2021-09-13", "2021-09-14"])[
        : len(close)
    ]
    bars = pd.DataFrame({"close": close, "adjusted": adjusted, **more}, index=days)
    return es.Prices.from_frame(bars.assign(ticker="A").rename_axis("date").reset_index())


def moves_of(found: Headline) -> dict[str, float]:
    return dict(zip(found.frame["what"], found.frame["move"], strict=True))


def test_a_move_is_that_of_the_price_and_of_a_dividend_what_it_adds() -> None:
    """A share that falls from 100 to 94.5 on the day that it pays 5: news says -5.5 %."""
    prices = priced([100.0, 100.0, 94.5, 94.5], [95.0, 95.0, 94.5, 94.5])
    found = es.headline("A", "2021-09-09", -0.055, prices=prices)
    moves = moves_of(found)
    assert moves["from the previous close to the close"] == pytest.approx(-0.055, abs=1e-12)
    assert moves["from the previous close to the close, with dividends"] == pytest.approx(94.5 / 95.0 - 1, abs=1e-12)
    assert "is true of the move from the previous close to the close (−5.500 %)" in found.answer()
    money = es.headline("A", "2021-09-09", -5.5e9, prices=prices, kind="money", value=1e11)
    assert moves_of(money)["from the previous close to the close"] == pytest.approx(-5.5e9, rel=1e-12)


def test_no_points_are_counted_across_a_split() -> None:
    """Two new shares for an old one on the day: the price moves from 100 to 49.5, and the share by -1 %."""
    prices = priced([100.0, 100.0, 49.5, 49.0], [50.0, 50.0, 49.5, 49.0])
    points = moves_of(es.headline("A", "2021-09-09", -50, prices=prices, kind="points"))
    assert np.isnan(points["from the previous close to the close"])
    assert points["from the close to the close of the next session"] == pytest.approx(-0.5)
    found = es.headline("A", "2021-09-09", -0.01, prices=prices)
    assert moves_of(found)["from the previous close to the close"] == pytest.approx(-0.01, abs=1e-12)
    money = moves_of(es.headline("A", "2021-09-09", -1e9, prices=prices, kind="money", value=1e11))
    assert money["from the previous close to the close"] == pytest.approx(-1e9, rel=1e-12)


def test_a_quoted_amount_has_no_currency_of_its_own() -> None:
    found = es.headline(
        "A", "2021-09-09", -1e9, prices=priced([100.0, 100.0, 99.0], [100.0, 100.0, 99.0]), kind="money", value=1e11
    )
    assert replace(found, currency="HKD").answer().startswith("A, 2021-09-09: −1.00 bn (")
