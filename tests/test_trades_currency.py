"""Backtests in another currency: the rate of each bar, and shares without any rate."""

from __future__ import annotations

import numpy as np
import pandas as pd

import eventstudy as es

FREE = {"hedge": False, "cost_bps": 0.0, "borrow_bps": 0.0}


def in_hkd(frame: pd.DataFrame) -> pd.DataFrame:
    """Put columns of tickers one below the other, with an open that is the close before."""
    parts = [
        pd.DataFrame({"ticker": name, "date": frame.index, "open": close.shift(), "close": close, "currency": "HKD"})
        for name, close in frame.items()
    ]
    return pd.concat(parts).assign(exchange="XNYS").dropna(subset="close")


def test_bars_are_converted_at_closes_by_their_own_rate_and_at_opens_by_the_one_before() -> None:
    days = pd.bdate_range("2021-01-04", "2021-06-30", tz="America/New_York")
    at = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(10, 16)])
    rng = np.random.default_rng(2)
    close = pd.Series(100 * np.cumprod(1 + 0.002 * rng.standard_normal(len(at))), at)
    rate = pd.Series(7.0 + 0.5 * rng.random(len(at)), at)
    rate.iloc[499:501] = np.nan
    prices = es.Prices.from_frame(in_hkd(pd.DataFrame({"A": close, "HKD=X": rate})))
    rows = [400, 500]
    stamps = [str(at[row] + pd.Timedelta("5min")) for row in rows]
    events = es.Events.from_frame(pd.DataFrame({"ticker": "A", "announced": stamps, "s": 1}))
    study = es.Study(
        model="mean", estimation=(-200, -11), event=(0, 9), windows=((0, 0),), tests=["cross_section"], sign="s"
    )
    frame = study.run(events, prices).trades(currency="USD", hold=3, stake=0.1, **FREE).frame
    for trade in frame.to_dict("records"):
        # An open of a bar is at its start, and is here the close of the bar before; a close is at the end of its bar.
        bought, sold = (
            at.get_loc(trade[f"{name}_time"].tz_convert(at.tz) - pd.Timedelta("1h" if field == "close" else "0h"))
            - (field == "open")
            for name, field in (("entry", trade["entry_field"]), ("exit", trade["exit_field"]))
        )
        dollars = close / rate.ffill()
        gross = trade["weight"] * (dollars.iloc[sold] / dollars.iloc[bought] - 1)
        np.testing.assert_allclose(trade["gross"], gross, rtol=1e-10)
    assert set(frame["status"]) == {"traded"}
    assert "open" in set(frame["entry_field"])


def test_opens_have_the_rate_of_a_bar_that_has_ended_where_bars_of_rates_begin_between_those_of_shares() -> None:
    """Shares have bars from half past, rates from the full hour: at 12:30 that of 11:00 to 12:00 is known."""
    days = pd.bdate_range("2021-01-04", "2021-06-30", tz="America/New_York")
    at = pd.DatetimeIndex([day + pd.Timedelta(hours=9.5 + bar) for day in days for bar in range(6)])
    hours = pd.date_range(days[0], days[-1], freq="60min")
    rng = np.random.default_rng(2)
    close = pd.Series(100 * np.cumprod(1 + 0.002 * rng.standard_normal(len(at))), at)
    rate = pd.Series(7.0 + 0.5 * rng.random(len(hours)), hours)
    prices = es.Prices.from_frame(
        pd.concat([in_hkd(pd.DataFrame({"A": close})), in_hkd(pd.DataFrame({"HKD=X": rate}))])
    )
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": "A", "announced": [str(at[400] - pd.Timedelta("5min"))], "s": 1})
    )
    study = es.Study(
        model="mean", estimation=(-200, -11), event=(0, 9), windows=((0, 0),), tests=["cross_section"], sign="s"
    )
    made = study.run(events, prices).trades(currency="USD", hold=3, stake=0.1, **FREE).frame.iloc[0]
    assert (made["entry_field"], made["exit_field"]) == ("open", "close")
    assert made["entry_time"] == at[400]
    known = [made[name].tz_convert(at.tz) - pd.Timedelta("90min") for name in ("entry_time", "exit_time")]
    change = made["exit_price"] / made["entry_price"] * rate[known[0]] / rate[known[1]]
    np.testing.assert_allclose(made["gross"], made["weight"] * (change - 1), rtol=1e-10)


def test_shares_without_any_rate_are_not_entered_and_say_so() -> None:
    days = pd.bdate_range("2019-01-01", periods=400)
    rng = np.random.default_rng(3)
    close = pd.DataFrame(100 * np.cumprod(1 + 0.01 * rng.standard_normal((400, 2)), axis=0), days, ["A", "IDX"])
    rates = pd.DataFrame({"HKD=X": 7.8}, pd.bdate_range("2018-06-01", periods=60))  # they end before the shares begin
    prices = es.Prices.from_frame(pd.concat([in_hkd(close), in_hkd(rates)]))
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": [str(days[350].date())], "s": 1}))
    trades = es.Study(benchmark="IDX", tests=["cross_section"], sign="s").run(events, prices).trades(currency="USD")
    row = trades.frame.iloc[0]
    assert (row["status"], row["reason"]) == ("no_entry", "no exchange rate for any price of A")
    assert "no exchange rate" not in trades.answer()
