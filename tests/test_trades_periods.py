"""Prices of weeks and months: their opens come before most of their news, and are not had after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

CHOICES: dict[str, Any] = {
    "model": "mean", "estimation": (-30, -2), "min_estimation": 12, "event": (-1, 3), "windows": ((0, 0),),
    "sign": "side", "tests": ["cross_section"],
}  # fmt: skip


def days(n: int = 800, start: str = "2017-01-02") -> pd.DataFrame:
    """Opens and closes of weekdays; an open is not the close before."""
    rng = np.random.default_rng(4)
    close = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(n))
    open_ = close * (1.0 + 0.002 * rng.standard_normal(n))
    return pd.DataFrame({"open": open_, "close": close}, pd.bdate_range(start, periods=n))


def weeks(daily: pd.DataFrame, exchange: str | None) -> es.Prices:
    """Weeks dated by their Friday, of two tickers."""
    ends = daily.resample("W-FRI").agg({"open": "first", "close": "last"})
    rows = [ends.assign(ticker=name).rename_axis("date").reset_index() for name in ("AAA", "BBB")]
    return es.Prices.from_frame(pd.concat(rows), exchange)


def trade(prices: es.Prices, announced: str, **rule: Any) -> pd.Series:
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["AAA"], "announced": [announced], "side": [1]}))
    return es.Study(**CHOICES).run(events, prices).trades(hold=1, hedge=False, cost_bps=0, **rule).frame.iloc[0]


@pytest.mark.parametrize(
    ("announced", "open_week", "close_week"),
    [
        ("2019-03-06T12:00:00-05:00", None, "2019-03-08"),  # a Wednesday: the open of its week is past
        ("2019-03-04T08:00:00-05:00", "2019-03-08", "2019-03-08"),  # before Monday's opening
        ("2019-03-04T09:31:00-05:00", None, "2019-03-08"),  # a minute after it
        ("2019-03-09T12:00:00-05:00", "2019-03-15", "2019-03-15"),  # on a Saturday
    ],
)
def test_the_open_of_a_week_is_had_before_its_first_session_alone(announced, open_week, close_week):
    daily = days()
    prices = weeks(daily, "XNYS")
    by_week = daily.resample("W-FRI").agg({"open": "first", "close": "last"})
    made = trade(prices, announced)
    assert made["entry_field"] == ("close" if open_week is None else "open")
    wanted = by_week.loc[close_week, "close"] if open_week is None else by_week.loc[open_week, "open"]
    assert made["entry_price"] == pytest.approx(wanted, rel=1e-12)
    assert trade(prices, announced, entry="close")["entry_price"] == pytest.approx(by_week.loc[close_week, "close"])
    assert made["entry_time"] > pd.Timestamp(announced)
    following = trade(prices, announced, entry="open")
    first = by_week.index[by_week.index > pd.Timestamp(announced[:10])][0] if open_week else pd.Timestamp("2019-03-15")
    assert following["entry_price"] == pytest.approx(by_week.loc[first, "open"], rel=1e-12)


def test_without_an_exchange_the_open_of_a_month_is_had_after_the_month_before():
    daily = days()
    months = es.transform.monthly(es.Prices.from_frame(daily.rename_axis("date").reset_index().assign(ticker="AAA")))
    frame = months.frame("AAA")
    inside, before = trade(months, "2019-05-14"), trade(months, str(frame.index[28].date()))
    assert inside["entry_field"] == "close"
    assert inside["entry_price"] == pytest.approx(frame.loc["2019-05", "close"].iloc[0], rel=1e-12)
    assert before["entry_field"] == "open"
    assert before["entry_price"] == pytest.approx(frame["open"].iloc[29], rel=1e-12)
    assert before["entry_time"] > before["decided"]


def test_news_whose_move_of_the_month_so_far_is_known_earns_nothing():
    """The direction is that of the month until the day before the news: who buys at the month's open has that move."""
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("2005-01-03", "2020-12-31")
    frames, rows = [], []
    for at in range(12):
        close = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(len(dates)))
        open_ = np.concatenate([[100.0], close[:-1]])
        frames.append(pd.DataFrame({"ticker": f"S{at}", "date": dates, "open": open_, "close": close}))
        for k in rng.choice(np.arange(900, len(dates) - 200), 8, replace=False):
            first = dates.searchsorted(dates[k].to_period("M").start_time)
            if k - first >= 5:
                rows.append((f"S{at}", str(dates[k].date()), int(np.sign(close[k - 1] / open_[first] - 1.0))))
    months = es.transform.monthly(es.Prices.from_frame(pd.concat(frames)))
    events = es.Events.from_frame(pd.DataFrame(rows, columns=["ticker", "announced", "side"]))
    result = es.Study(**CHOICES).run(events, months)
    earned = result.trades(hold=1, hedge=False, cost_bps=0).frame["return"].dropna()
    assert len(earned) > 50
    assert abs(earned.mean()) < 3.0 * earned.std(ddof=1) / np.sqrt(len(earned))


def test_weeks_among_days_have_no_opens():
    """No row of days says on which day the week began: a trade enters at the close."""
    daily = days()
    weekly = daily.resample("W-FRI").agg({"open": "first", "close": "last"})
    rows = [
        weekly.assign(ticker="AAA").rename_axis("date").reset_index(),
        daily.assign(ticker="BBB").rename_axis("date").reset_index(),
    ]
    prices = es.Prices.from_frame(pd.concat(rows))
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": ["AAA"], "announced": ["2019-03-07"], "side": [1]}),
    )
    study = es.Study(**CHOICES | {"gaps": "span", "estimation": (-200, -2), "event": (-1, 12)})
    made = study.run(events, prices).trades(hold=1, hedge=False, cost_bps=0).frame.iloc[0]
    assert made["entry_field"] == "close"
    assert made["entry_price"] == pytest.approx(weekly.loc["2019-03-08", "close"], rel=1e-12)


def test_the_open_of_a_month_has_the_rate_of_the_month_before():
    """The rate doubles within the month of the trade: who buys at its open has the rate of before."""
    daily = days()
    month = pd.DatetimeIndex(daily.index).to_period("M")
    at = month.unique()[30]
    rates = pd.Series(np.where(month < at, 4.0, 8.0), daily.index)
    rows = pd.concat(
        [
            daily.assign(ticker="AAA", currency="HKD").rename_axis("date").reset_index(),
            pd.DataFrame({"date": daily.index, "ticker": "HKD=X", "close": rates.to_numpy()}),
        ]
    )
    months = es.transform.monthly(es.Prices.from_frame(rows))
    frame = months.frame("AAA")
    made = trade(months, str(frame.index[29].date()), entry="open", currency="USD", stake=1.0)
    assert made["entry_date"] == frame.index[30]
    in_dollars = (frame["close"].loc[made["exit_date"]] / 8.0) / (frame["open"].iloc[30] / 4.0) - 1.0
    assert made["gross"] / made["weight"] == pytest.approx(in_dollars, rel=1e-9)
