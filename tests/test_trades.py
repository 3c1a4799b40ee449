"""Trades of a few events equal arithmetic by hand: entries, costs, hedges, netting, stops, caps, two currencies."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.bars import Bars
from eventstudy.errors import InputError, NotEnoughData
from tests.traded import CHOICES, FREE, HK, all_prices, at, line, study

# Hong Kong trades from 9:30 to 16:00 (UTC+8), New York from 9:30 to 16:00 (UTC-4 in summer).
ENTRIES = [
    ("0700.HK", "2021-07-20T08:00+08:00", "2021-07-20", "open"),  # before the opening
    ("0700.HK", "2021-07-20T09:30+08:00", "2021-07-20", "close"),  # at the opening: too late for it
    ("0700.HK", "2021-07-20T11:00+08:00", "2021-07-20", "close"),  # in the session
    ("0700.HK", "2021-07-20T16:00+08:00", "2021-07-21", "open"),  # at the close: too late for it
    ("0700.HK", "2021-07-20T18:00+08:00", "2021-07-21", "open"),  # after the close
    ("0700.HK", "2021-07-24T12:00+08:00", "2021-07-26", "open"),  # on a Saturday
    ("0700.HK", "2021-07-20", "2021-07-21", "open"),  # the date alone
    ("0700.HK", "2021-07-24", "2021-07-26", "open"),  # a Saturday alone
    ("BABA", "2021-07-20T11:00+08:00", "2021-07-20", "open"),  # 23:00 of the day before in New York
    ("BABA", "2021-07-20T22:00+08:00", "2021-07-20", "close"),  # 10:00
    ("BABA", "2021-07-20T21:29+08:00", "2021-07-20", "open"),  # 9:29
]


def test_the_entry_is_the_first_price_after_the_announcement():
    rows = [(f"E{k}", ticker, announced, 1) for k, (ticker, announced, _, _) in enumerate(ENTRIES)]
    frame = study(rows).trades(ticker_cap=9.0, **FREE).frame
    for (ticker, _, day, field), (_, row) in zip(ENTRIES, frame.iterrows(), strict=True):
        assert (row["status"], str(row["entry_date"].date()), row["entry_field"]) == ("traded", day, field)
        assert row["entry_price"] == at(ticker, day, field)
        assert row["entry_time"] > row["decided"]


@pytest.mark.parametrize(
    ("entry", "delay", "day", "field"),
    [
        ("open", 0, "2021-07-21", "open"), ("close", 0, "2021-07-20", "close"), ("next", 1, "2021-07-21", "close"),
        ("open", 2, "2021-07-23", "open"),
    ],
)  # fmt: skip
def test_entry_and_delay(entry, delay, day, field):
    result = study([("A", "0700.HK", "2021-07-20T11:00+08:00", 1)])
    row = result.trades(entry=entry, delay=delay, **FREE).frame.iloc[0]
    assert (str(row["entry_date"].date()), row["entry_field"]) == (day, field)


def with_columns(**columns: Any) -> es.Result:
    frame = pd.DataFrame(
        {"event_id": ["A"], "ticker": ["0700.HK"], "side": [1], **{k: [v] for k, v in columns.items()}}
    )
    return es.Study(**CHOICES).run(es.Events.from_frame(frame), es.Prices(all_prices()))


@pytest.mark.parametrize(
    ("phase", "day", "field"),
    [
        ("before_open", "2021-07-20", "open"),
        ("session", "2021-07-20", "close"),
        ("after_close", "2021-07-21", "open"),
    ],
)
def test_a_phase_narrows_a_date(phase, day, field):
    row = with_columns(announced="2021-07-20", phase=phase).trades(**FREE).frame.iloc[0]
    assert (str(row["entry_date"].date()), row["entry_field"]) == (day, field)


def test_the_latest_bound_decides_and_the_zone_of_a_date():
    bounded = with_columns(announced="2021-07-20T10:00+08:00", not_after="2021-07-20T17:00+08:00").trades(**FREE)
    assert str(bounded.frame["decided"].iloc[0]) == "2021-07-20 09:00:00+00:00"
    assert str(bounded.frame["entry_date"].iloc[0].date()) == "2021-07-21"
    # 20 July ends in New York at noon of the 21st in Hong Kong, so that the open of the 21st may be before the news
    abroad = with_columns(announced="2021-07-20", timezone="America/New_York").trades(**FREE).frame.iloc[0]
    assert (str(abroad["entry_date"].date()), abroad["entry_field"]) == ("2021-07-21", "close")


def test_holding_ends_at_the_close_of_the_last_session():
    result = study([("A", "0700.HK", "2021-07-20T11:00+08:00", 1), ("B", "9988.HK", "2021-07-20T18:00+08:00", -1)])
    frame = result.trades(hold=3, **FREE).frame
    assert [str(day.date()) for day in frame["exit_date"]] == ["2021-07-23", "2021-07-23"]
    long = at("0700.HK", "2021-07-23") / at("0700.HK", "2021-07-20") - 1
    short = -(at("9988.HK", "2021-07-23") / at("9988.HK", "2021-07-21", "open") - 1)
    np.testing.assert_allclose(frame["return"], [long, short], rtol=1e-12)


def test_three_events_by_hand_with_costs_hedge_netting_and_two_currencies():
    """A long of 0700.HK meets a short of it two days later; BABA is bought by an account in HKD."""
    rows = [
        ("A", "0700.HK", "2021-07-20T18:00+08:00", 1),
        ("B", "0700.HK", "2021-07-22T18:00+08:00", -1),
        ("C", "BABA", "2021-07-21T22:00+08:00", 1),
    ]
    trades = study(rows).trades(hold=3, cost_bps=20.0, borrow_bps=365.0, currency="HKD", stake=0.1)
    frame, cost, stake = trades.frame, 0.0020, 0.1
    rate = lambda day: at("HKD=X", day)  # noqa: E731
    # A: open of 21 to close of 23 July. B: open of 23 to close of 27. C: close of 21 to close of 26, New York.
    beta_a = line("0700.HK", "^HSI", "2021-07-21")[0]
    beta_b = line("0700.HK", "^HSI", "2021-07-23")[0]
    beta_c = line("BABA", "^GSPC", "2021-07-21")[0]
    np.testing.assert_allclose(frame["beta"], [beta_a, beta_b, beta_c], rtol=1e-9)

    def grown(ticker: str, first: tuple[str, str], last: str) -> float:
        return at(ticker, last) / at(ticker, *first) - 1.0

    def grown_in_hkd(ticker: str) -> float:
        return at(ticker, "2021-07-26") * rate("2021-07-26") / (at(ticker, "2021-07-21") * rate("2021-07-21")) - 1.0

    a, b = ("2021-07-21", "open"), ("2021-07-23", "open")
    gross = [
        stake * grown("0700.HK", a, "2021-07-23"), -stake * grown("0700.HK", b, "2021-07-27"),
        stake * grown_in_hkd("BABA"),
    ]  # fmt: skip
    hedge = [
        -beta_a * stake * grown("^HSI", a, "2021-07-23"), beta_b * stake * grown("^HSI", b, "2021-07-27"),
        -beta_c * stake * grown_in_hkd("^GSPC"),
    ]  # fmt: skip
    np.testing.assert_allclose(frame["gross"], gross, rtol=1e-10)
    np.testing.assert_allclose(frame["hedge"], hedge, rtol=1e-9)
    # No two trades are at one price, so that nothing is netted in costs: each pays for both ways of both legs.
    paid = [
        cost * stake * (1 + 1 + grown("0700.HK", a, "2021-07-23"))
        + cost * abs(beta_a) * stake * (2 + grown("^HSI", a, "2021-07-23")),
        cost * stake * (2 + grown("0700.HK", b, "2021-07-27"))
        + cost * abs(beta_b) * stake * (2 + grown("^HSI", b, "2021-07-27")),
        cost * stake * (2 + grown_in_hkd("BABA")) + cost * abs(beta_c) * stake * (2 + grown_in_hkd("^GSPC")),
    ]  # fmt: skip
    np.testing.assert_allclose(frame["cost"], paid, rtol=1e-9)
    np.testing.assert_allclose(trades.returns.sum(), frame["net"].sum(), rtol=1e-9)
    np.testing.assert_allclose(frame["net"], frame["gross"] + frame["hedge"] - frame["cost"] - frame["borrow"])
    # The first day by hand: from the open of 21 July in Hong Kong, and at the close in New York, which earns nothing.
    first = stake * grown("0700.HK", a, "2021-07-21") - beta_a * stake * grown("^HSI", a, "2021-07-21")
    spent = cost * stake * (2 + abs(beta_a) + abs(beta_c))
    short = (beta_a * stake * (1 + grown("^HSI", a, "2021-07-21"))) * (beta_a > 0) + beta_c * stake * (beta_c > 0)
    short += (-beta_c * stake) * 0.0
    np.testing.assert_allclose(trades.returns.iloc[0], first - spent - 0.0365 / 365 * short, rtol=1e-9)
    assert trades.returns.name == "returns"
    assert str(trades.returns.index[0].date()) == "2021-07-21"
    assert str(trades.returns.index[-1].date()) == "2021-07-27"


def test_opposite_trades_at_one_price_are_netted():
    rows = [
        ("A", "0700.HK", "2021-07-20T11:00+08:00", 1),
        ("B", "0700.HK", "2021-07-20T11:30+08:00", -1),
        ("C", "0700.HK", "2021-07-26T11:00+08:00", 1),
    ]
    trades = study(rows).trades(hold=3, cost_bps=10.0, hedge=False, borrow_bps=100.0, stake=0.1)
    # A and B are at one close, 20 July, to one close, 23 July: nothing is held, nothing is paid.
    np.testing.assert_allclose(trades.frame["net"].iloc[:2].sum(), 0.0, atol=1e-15)
    assert trades.frame["cost"].tolist()[:2] == [0.0, 0.0]
    assert trades.frame["borrow"].iloc[1] == pytest.approx(0.0, abs=1e-18)
    move = at("0700.HK", "2021-07-29") / at("0700.HK", "2021-07-26") - 1
    np.testing.assert_allclose(trades.frame["cost"].iloc[2], 0.001 * 0.1 * (2 + move), rtol=1e-12)
    assert (trades.positions.loc[:"2021-07-23"].abs() < 1e-15).all().all()
    np.testing.assert_allclose(trades.positions.loc["2021-07-26", "0700.HK"], 0.1, rtol=1e-12)


def test_what_leaves_and_enters_at_one_close_pays_once_for_the_difference():
    rows = [("A", "0700.HK", "2021-07-20T11:00+08:00", 1), ("B", "0700.HK", "2021-07-23T11:00+08:00", -1)]
    trades = study(rows).trades(hold=3, cost_bps=10.0, hedge=False, borrow_bps=0.0, stake=0.1)
    moved = at("0700.HK", "2021-07-23") / at("0700.HK", "2021-07-20")
    # on 23 July a value of 0.1 x moved is sold, and 0.1 sold short: both in one direction
    np.testing.assert_allclose(trades.traded.loc["2021-07-23"], 0.1 * moved + 0.1, rtol=1e-12)
    same = study([rows[0], (*rows[1][:3], 1)]).trades(hold=3, cost_bps=10.0, hedge=False, borrow_bps=0.0, stake=0.1)
    np.testing.assert_allclose(same.traded.loc["2021-07-23"], abs(0.1 * moved - 0.1), rtol=1e-10)
    np.testing.assert_allclose(same.frame["cost"].sum(), 0.001 * same.traded.sum(), rtol=1e-12)


def test_borrowing_is_paid_by_day_on_the_net_short_value():
    result = study([("A", "0700.HK", "2021-07-22T18:00+08:00", -1)])
    trades = result.trades(hold=3, hedge=False, cost_bps=0.0, borrow_bps=200.0, stake=0.1)
    bought = at("0700.HK", "2021-07-23", "open")  # Friday; held to Tuesday, 27 July
    friday, monday = (0.1 * at("0700.HK", day) / bought for day in ("2021-07-23", "2021-07-26"))
    np.testing.assert_allclose(trades.frame["borrow"].iloc[0], 0.02 / 365 * (3 * friday + monday), rtol=1e-12)


def test_a_stop_is_seen_at_a_close_and_left_at_the_next_open():
    result = study([("A", "0700.HK", "2021-07-20T11:00+08:00", 1)])
    days = [str(d) for d in es.markets.sessions_between(HK, "2021-07-21", "2021-08-10")]
    losses = [1 - at("0700.HK", day) / at("0700.HK", "2021-07-20") for day in days]
    stop = 0.015
    seen = next(k for k, loss in enumerate(losses) if loss >= stop)
    row = result.trades(hold=15, stop=stop, **FREE).frame.iloc[0]
    assert seen < 13, "the test needs a loss"
    assert (str(row["exit_date"].date()), row["exit_field"]) == (days[seen + 1], "open")
    assert row["exit_price"] == at("0700.HK", days[seen + 1], "open")


def test_sizes_and_caps_by_hand():
    rows = [
        ("A", "0700.HK", "2021-07-20T18:00+08:00", 1),
        ("B", "9988.HK", "2021-07-20T18:00+08:00", -1),
        ("C", "BABA", "2021-07-20T18:00+08:00", 1),
        ("D", "0700.HK", "2021-07-21T18:00+08:00", 1),
    ]
    result = study(rows)
    equal = result.trades(stake=0.1, **FREE).frame
    assert equal["weight"].tolist() == [0.1, 0.1, 0.1, 0.0]
    assert equal["status"].tolist() == ["traded"] * 3 + ["capped"]
    more = result.trades(stake=0.1, ticker_cap=0.15, **FREE).frame["weight"]
    np.testing.assert_allclose(more, [0.1, 0.1, 0.1, 0.05])
    # New York opens on the 20th, before Hong Kong on the 21st: C is whole, A gets the rest of the cap
    capped = result.trades(stake=0.1, size="capped", cap=0.15, **FREE).frame
    np.testing.assert_allclose(capped["weight"], [0.05, 0.0, 0.1, 0.0], atol=1e-15)
    sigma = [line(t, b, "2021-07-21")[2] for t, b in (("0700.HK", "^HSI"), ("9988.HK", "^HSI"))]
    sigma.append(line("BABA", "^GSPC", "2021-07-20")[2])
    inverse = result.trades(stake=0.1, size="inverse_sigma", ticker_cap=9.0, **FREE).frame
    # entered in the order C (New York, 20 July), A, B (Hong Kong, 21 July)
    by_hand = [0.1 * np.mean([sigma[2], sigma[0]]) / sigma[0], 0.1 * np.mean(sigma) / sigma[1], 0.1]
    np.testing.assert_allclose(inverse["sigma"].iloc[:3], sigma, rtol=1e-9)
    np.testing.assert_allclose(inverse["weight"].iloc[:3], by_hand, rtol=1e-9)


def test_beta_and_sigma_are_those_of_the_study():
    result = study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1), ("B", "BABA", "2021-09-20T18:00+08:00", -1)])
    frame = result.trades().frame
    np.testing.assert_allclose(frame["beta"], result.events["beta"], rtol=1e-9)
    np.testing.assert_allclose(frame["sigma"], result.events["sigma"], rtol=1e-9)


def without(ticker: str, first: str, last: str, *fields: str) -> dict[str, Bars]:
    made = all_prices()
    one = made[ticker]
    gone = (one.dates >= np.datetime64(first)) & (one.dates <= np.datetime64(last))
    values = {
        name: np.where(gone, np.nan, v) if name in (fields or one.fields) else v for name, v in one.fields.items()
    }
    return made | {ticker: Bars(ticker, one.dates, values, one.mic, one.currency)}


def test_every_event_has_a_status_and_a_reason():
    rows = [
        ("SUSPENDED", "0700.HK", "2021-07-20T18:00+08:00", 1), ("NOTHING", "NONE", "2021-07-20T18:00+08:00", 1),
        ("NO SIGN", "9988.HK", "2021-07-20T18:00+08:00", 0), ("EARLY", "9988.HK", "2021-01-12T18:00+08:00", 1),
        ("LATE", "9988.HK", "2021-12-30T18:00+08:00", 1), ("GOOD", "BABA", "2021-07-20T18:00+08:00", 1),
    ]  # fmt: skip
    with pytest.warns(es.EventStudyWarning):
        result = study(rows, without("0700.HK", "2021-07-21", "2021-07-23"))
    trades = result.trades()
    status = trades.frame["status"]
    assert status.to_dict() == {
        "SUSPENDED": "no_entry", "NOTHING": "unknown_ticker", "NO SIGN": "no_sign", "EARLY": "too_few_estimation",
        "LATE": "open", "GOOD": "traded",
    }  # fmt: skip
    assert (trades.frame.loc[status != "traded", "reason"] != "").all()
    assert trades.frame["reason"]["LATE"] == "still held on 2021-12-31, the last price of 9988.HK, which marks it"
    assert "no price to enter at 1, ticker without prices 1, no expected sign 1" in trades.notes[0]
    figures = trades.summary()["value"]
    assert (figures["n_events"], figures["n_trades"]) == (6, 2)


def test_a_missing_open_is_not_traded_and_the_close_is_the_next_price():
    result = study(
        [("A", "0700.HK", "2021-07-20T18:00+08:00", 1)], without("0700.HK", "2021-07-21", "2021-07-21", "open")
    )
    assert result.trades(**FREE).frame["entry_field"].tolist() == ["close"]
    assert result.trades(entry="open", **FREE).frame["status"].tolist() == ["no_entry"]


def test_without_opens_closes_are_traded_and_a_note_says_so():
    dates = pd.bdate_range("2021-01-01", periods=120)
    rng = np.random.default_rng(3)
    levels = pd.DataFrame(100 * np.cumprod(1 + 0.01 * rng.standard_normal((120, 2)), axis=0), dates, ["A", "M"])
    events = pd.DataFrame({"ticker": ["A"], "announced": [str(dates[90].date())], "side": [1]})
    result = es.Study(**{**CHOICES, "benchmark": "M"}).run(es.Events.from_frame(events), es.Prices.from_frame(levels))
    trades = result.trades(hold=2, cost_bps=0.0, borrow_bps=0.0)
    row = trades.frame.iloc[0]
    assert (row["entry_date"], row["entry_field"], row["exit_date"]) == (dates[91], "close", dates[93])
    moved = levels.iloc[93] / levels.iloc[91] - 1
    np.testing.assert_allclose(row["return"], moved["A"] - row["beta"] * moved["M"], rtol=1e-10)
    assert any("at a close" in note for note in trades.notes)


def test_figures_by_hand():
    rows = [(f"E{k}", t, f"2021-0{k}-20T18:00+08:00", (-1) ** k) for k in (5, 6, 7, 8, 9) for t in ("0700.HK",)]
    trades = study(rows).trades(hold=4, **{**FREE, "cost_bps": 10.0})
    x, value = trades.returns.to_numpy(), trades.summary()["value"]
    np.testing.assert_allclose(value["annual_return"], 252 * x.mean())
    np.testing.assert_allclose(value["sharpe"], np.sqrt(252) * x.mean() / x.std(ddof=1))
    path = 1 + np.cumsum(x)
    lowest = min(path[k] - max(1.0, *path[: k + 1]) for k in range(len(path)))
    np.testing.assert_allclose(value["max_drawdown"], lowest, rtol=1e-10)
    np.testing.assert_allclose(value["hit_rate"], (trades.frame["net"] > 0).mean())
    np.testing.assert_allclose(value["turnover"], 252 * trades.traded.sum() / len(x))
    np.testing.assert_allclose(trades.equity.iloc[-1], 1 + trades.frame["net"].sum())
    one = all_prices()["0700.HK"]
    entered = np.searchsorted(one.dates, trades.frame["entry_date"].to_numpy().astype("datetime64[D]"))
    traded = one.fields["volume"][entered] * one.fields["close"][entered]
    np.testing.assert_allclose(trades.frame["capacity"], 0.01 * traded / 0.05)
    np.testing.assert_allclose(value["capacity"], np.quantile(0.01 * traded / 0.05, 0.05))


def test_the_direction_may_be_a_function_of_the_event():
    result = study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1), ("B", "BABA", "2021-07-20T18:00+08:00", 1)])
    frame = result.trades(sign=lambda event: -1 if event["ticker"] == "BABA" else 0, **FREE).frame
    assert frame["direction"].tolist() == [0.0, -1.0]
    for wrong in (2, True, None, pd.NA, np.array([1, -1]), "1"):
        with pytest.raises(InputError, match="sign of event 'A' is"):
            result.trades(sign=lambda event, wrong=wrong: wrong)


ROW = [("A", "0700.HK", "2021-07-20T18:00+08:00", 1)]


@pytest.fixture(scope="module")
def plain_result() -> es.Result:
    return study(ROW)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"entry": "last"}, "entry is 'last'; valid are 'next', 'open', 'close'"),
        ({"hold": 0}, "hold is 0; give a whole number, from 1"),
        ({"cost_bps": -1.0}, "cost_bps is -1.0; give basis points"),
        ({"hedge": 1}, "hedge is 1; give True or False"),
        ({"size": "big"}, "size is 'big'"),
        ({"holds": 3}, "an option of a rule is 'holds'"),
        ({"stake": 0.0}, "stake is 0.0; give a share of the capital"),
        ({"stop": -0.1}, "stop is -0.1; give a loss as a decimal above 0"),
        ({"sign": 3}, "sign is 3; give a column"),
        ({"sign": "sides"}, "sign is 'sides'"),
        ({"currency": "dollar"}, "currency is 'dollar'"),
        ({"currency": "EUR"}, "there is no rate from HKD to EUR"),
    ],
)
def test_what_is_not_valid_is_refused(plain_result, option, said):
    with pytest.raises(InputError, match=said):
        plain_result.trades(**option)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"model": "mean", "benchmark": None}, "no benchmark to sell short"),
        ({"sign": None}, "name their column, as in sign='side_sign'|no expected signs"),
        ({"outcome": "volume"}, "measures 'volume', and trades need prices"),
        ({"confounding": (-1, 1)}, "later news, which nobody knew"),
        ({"estimation": (-60, 3), "event": (5, 9), "windows": ((5, 6),)}, "those known before the event"),
    ],
)
def test_a_study_that_cannot_be_traded_is_refused(choices, said):
    result = study(ROW, **choices)
    with pytest.raises(InputError, match=said):
        result.trades()


def test_nothing_to_trade():
    result = study(ROW)
    empty = result.trades(sign=lambda event: 0)
    assert len(empty.returns) == 0
    assert np.isnan(empty.summary()["value"]["sharpe"])
    assert empty.answer() == "No event could be traded."
    assert "nothing was traded" in empty.summary()["note"]["total"]
    with pytest.raises(NotEnoughData, match="nothing was traded"):
        empty.placebo(19)


def test_a_record_is_pickled_with_what_a_function_has_said():
    rows = [(f"E{k}", "0700.HK", f"2021-0{k}-20T18:00+08:00", 1) for k in (5, 6, 7, 9)]
    trades = study(rows, without("0700.HK", "2021-09-21", "2021-09-21")).trades(sign=lambda event: -1, hold=3)
    again = pickle.loads(pickle.dumps(trades))
    pd.testing.assert_frame_equal(again.frame, trades.frame)
    assert again.rule.named()["Direction"] == "<lambda>"
    rules = [{"hold": 2}, {"sign": lambda event: 1}]
    walked = [one.walk_forward("2021-07-01", rules) for one in (trades, again)]
    pd.testing.assert_frame_equal(walked[1].frame, walked[0].frame)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(walked[0])).frame, walked[0].frame)


def test_the_capacity_of_several_currencies_is_that_of_each():
    rows = [(name, name, f"2021-07-{day}T18:00+08:00", 1) for day, name in ((13, "0700.HK"), (14, "9988.HK"))]
    result = study([*rows, ("BABA", "BABA", "2021-07-15T18:00+08:00", 1)])
    trades = result.trades()
    value, own = trades.summary()["value"], trades.frame["capacity"]
    assert value["capacity_HKD"] == np.quantile(own[["0700.HK", "9988.HK"]], 0.05)
    assert value["capacity_USD"] == own["BABA"]
    assert "capacity" not in value
    assert all(
        f"Capacity in {code}" in text
        for code in ("HKD", "USD")
        for text in (repr(trades), str(result.table("trades", of=trades)))
    )
    assert result.trades(currency="USD").summary()["value"]["capacity"] > 0
