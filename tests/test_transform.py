"""Prices made out of prices, against pandas' own resampling, closed forms, and the real Hang Seng index."""

from __future__ import annotations

import copy
import inspect
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import transform
from eventstudy.bars import Bars, Prices
from eventstudy.prepare.calendar import observed_calendar, place
from eventstudy.prepare.returns import adjusted_close, adjusted_price, compute_returns, reindex
from eventstudy.transform import portfolios
from eventstudy.types import Calendar
from tests.properties import QUICK

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.0, 0.1, 0.4])
ROUNDING = 1e-12  # a product of some hundred growth factors


def days(*iso: str) -> np.ndarray:
    return np.array(iso, dtype="datetime64[D]")


def walk(n: int = 300, seed: int = 0, names: tuple[str, ...] = ("A", "B", "C"), lost: float = 0.0) -> pd.DataFrame:
    """Prices on weekdays, some of them missing."""
    rng = np.random.default_rng(seed)
    level = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (n, len(names))), axis=0))
    level[rng.random(level.shape) < lost] = np.nan
    return pd.DataFrame(level, index=pd.bdate_range("2020-01-15", periods=n), columns=list(names))


def prices_of(wide: pd.DataFrame, mic: str | None = None) -> Prices:
    return Prices.from_frame(wide, mic)


def closes(prices: Prices, ticker: str) -> pd.Series:
    bars = prices.bars[ticker]
    return pd.Series(bars.fields["close"], pd.DatetimeIndex(bars.dates, name="date"))


def said(prices: Prices, ticker: str) -> str:
    return " | ".join(prices.provenance.get("noticed", {}).get(ticker, []))


def copied(prices: Prices) -> list[Any]:
    arrays = [(t, b.dates.copy(), {n: v.copy() for n, v in b.fields.items()}) for t, b in prices.bars.items()]
    return [arrays, copy.deepcopy(dict(prices.problems)), copy.deepcopy(dict(prices.provenance))]


# --- what all of them promise --------------------------------------------------------------------------------------

EVERY = {
    "monthly": transform.monthly,
    "portfolio": lambda p: transform.portfolio(p, ["A", "B"], "AB"),
    "held": lambda p: transform.portfolio(p, ["A", "B"], "AB", {"A": 1, "B": 3}, "never"),
    "without": lambda p: transform.without(p, "A", {"B": 0.1}, "A-EX"),
    "attach": lambda p: transform.attach(p, "spread", pd.DataFrame({"A": [1.0]}, index=["2020-02-03"])),
    "delisted": lambda p: transform.delisted(p, {"C": -0.5}),
}


@pytest.mark.parametrize("name", EVERY)
def test_the_input_is_not_changed_and_the_provenance_says_what_was_done(name):
    wide = walk(60, lost=0.1)
    wide.loc[wide.index[40] :, "C"] = np.nan
    old = {"source": "frame", "noticed": {"A": ["of the source"]}, "transformed": ["earlier"]}
    prices = Prices(prices_of(wide).bars, {"GONE": "it is gone"}, old)
    before = copied(prices)
    made = EVERY[name](prices)
    np.testing.assert_equal(copied(prices), before)
    assert made.problems == {"GONE": "it is gone"}
    assert made.provenance["source"] == "frame"
    first, last = made.provenance["transformed"]
    assert first == "earlier"
    assert last
    assert made.provenance["noticed"]["A"][0] == "of the source"
    json.dumps(made.provenance)
    again = EVERY["monthly"](made)
    assert len(again.provenance["transformed"]) == 3


@pytest.mark.parametrize("name", ["monthly", "portfolio", "without", "attach", "delisted"])
def test_every_function_documents_its_parameters_and_shows_an_example(name):
    function = getattr(transform, name)
    doc = inspect.getdoc(function) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\nR")[0]
    heads = [line.partition(" : ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    assert heads == list(inspect.signature(function).parameters)
    assert "Examples\n--------\n>>> " in doc


# --- monthly -------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@given(seed=SEEDS, lost=SHARES)
@QUICK
def test_months_are_those_of_pandas(seed: int, lost: float) -> None:
    rng = np.random.default_rng(seed)
    frame = walk(150, seed, ("close", "open", "high", "low"), lost)
    frame["volume"] = np.where(rng.random(150) < lost, np.nan, rng.integers(0, 1000, 150))
    frame["tilt"] = rng.normal(size=150)
    bars = Bars(
        "A", frame.index.to_numpy().astype("datetime64[D]"), {str(n): frame[n].to_numpy() for n in frame}, "XNYS", "USD"
    )
    found = transform.monthly(Prices({"A": bars})).bars["A"]
    months = frame[frame["close"].notna()].resample("ME")
    expected = pd.DataFrame(
        {
            "close": months["close"].last(), "open": months["open"].first(), "high": months["high"].max(),
            "low": months["low"].min(), "volume": months["volume"].sum(min_count=1), "tilt": months["tilt"].mean(),
        }
    ).dropna(subset="close")  # fmt: skip
    assert (found.mic, found.currency) == (None, "USD")
    assert found.dates.tolist() == [d.date() for d in expected.index]
    for name in expected:
        np.testing.assert_allclose(found.fields[name], expected[name], rtol=ROUNDING, atol=1e-15)


@given(seed=SEEDS)
@QUICK
def test_a_months_return_is_its_days_compounded(seed: int) -> None:
    wide = walk(200, seed, ("A",))
    months = closes(transform.monthly(prices_of(wide)), "A").pct_change().dropna()
    growth = 1 + wide["A"].pct_change()
    by_month = growth.groupby(pd.DatetimeIndex(growth.index).to_period("M")).prod()[1:] - 1
    np.testing.assert_allclose(months, by_month, rtol=1e-9, atol=1e-12)


def test_an_open_before_a_dividend_keeps_its_return():
    # 10 % of the price is paid on the second day: adjusted closes are 0.9 of the closes before it.
    fields = {
        "close": np.array([100.0, 100.0, 91.0, 90.0]), "adjusted": np.array([90.0, 90.0, 91.0, 90.0]),
        "open": np.array([99.0, 102.0, 90.0, 90.0]), "high": np.array([101.0, 103.0, 92.0, 91.0]),
        "low": np.array([98.0, 99.0, 89.0, 89.0]),
    }  # fmt: skip
    dates = days("2021-01-29", "2021-02-01", "2021-02-02", "2021-02-26")
    found = transform.monthly(Prices({"A": Bars("A", dates, fields, "XNYS")})).bars["A"]
    assert adjusted_close(found).tolist() == [90.0, 90.0]
    # February in the terms of its last close: 102 * 0.9, the high 103 * 0.9, the low of the days after it.
    assert [round(float(adjusted_price(found, name)[1]), 9) for name in ("open", "high", "low")] == [91.8, 92.7, 89.0]


def test_the_two_closes_of_a_month_are_of_one_day():
    fields = {"close": np.array([10.0, 11.0, 12.0]), "adjusted": np.array([5.0, 5.5, np.nan])}
    dates = days("2021-01-04", "2021-01-05", "2021-01-29")
    found = transform.monthly(Prices({"A": Bars("A", dates, fields, "XNYS")}))
    assert {name: values.tolist() for name, values in found.bars["A"].fields.items()} == {
        "close": [11.0], "adjusted": [5.5],
    }  # fmt: skip
    assert "2021-01 is not a whole month: its last price is on 2021-01-05" in said(found, "A")


@pytest.mark.parametrize(
    ("mic", "last", "stub"),
    [
        ("XNYS", "2021-03-31", False),
        ("XNYS", "2021-03-26", False),  # 3 sessions early
        ("XNYS", "2021-03-25", True),
        ("XSHG", "2020-01-23", False),  # the last session before the new year
        ("XSHG", "2020-01-15", True),
        (None, "2021-03-26", False),
        (None, "2021-03-25", True),
    ],
)
def test_an_unfinished_last_month_is_noticed(mic, last, stub):
    bars = Bars("A", days(last), {"close": np.array([1.0])}, mic)
    found = transform.monthly(Prices({"A": bars}))
    assert ("not a whole month" in said(found, "A")) == stub
    assert found.bars["A"].dates.tolist() == [(pd.Timestamp(last) + pd.offsets.MonthEnd(0)).date()]


def test_months_that_are_missing_or_stale_are_noticed():
    dates = days("2021-01-14", "2021-02-10", "2021-05-31")
    bars = {
        n: Bars(n, dates, {"close": np.ones(3), **more}, "XNYS")
        for n, more in {"A": {}, "B": {"low": np.ones(3)}}.items()
    }
    found = transform.monthly(Prices({**bars, "C": Bars("C", days(), {"close": np.array([])}, "XNYS")}))
    assert "no price in 2021-03, 2021-04; the return after it" in said(found, "A")
    assert "the last price of 2021-01, 2021-02 is more than 3 sessions before its end" in said(found, "A")
    assert "not a whole month" not in said(found, "A")
    assert "2021-01 begins on 2021-01-14" not in said(found, "A")
    assert "2021-01 begins on 2021-01-14: only its close" in said(found, "B")
    assert "C" not in found.provenance["noticed"]
    assert found.bars["C"].dates.size == 0


def test_an_event_belongs_to_its_month_on_every_exchange():
    index = pd.bdate_range("2021-01-01", "2021-06-30")
    wide = pd.DataFrame({"A": 1.0, "B": 2.0}, index=index)
    found = transform.monthly(prices_of(wide, {"A": "XHKG", "B": "XNYS"}))
    calendar = observed_calendar(None, list(found.bars.values()))
    frame = pd.DataFrame({"stamp": pd.to_datetime([None], utc=True), "date": [pd.Timestamp("2021-03-12")]}, index=["E"])
    at = place(frame, calendar, "next").position
    assert str(calendar.dates[at[0]]) == "2021-03-31"
    assert len(calendar.dates) == 6


def test_the_years_of_the_hang_seng_index_end_where_they_did(shared):
    prices = es.read_prices(shared / "data" / "prices")
    found = closes(transform.monthly(prices), "^HSI")
    # Closing levels of the last sessions of 2019 to 2022, as the index company published them.
    assert found["2019-12-31":"2022-12-31":12].round(2).tolist() == [28189.75, 27231.13, 23397.67, 19781.41]
    assert len(found) == 48


# --- portfolio -----------------------------------------------------------------------------------------------------


def portfolio_by_pandas(wide: pd.DataFrame, weights: dict[str, float]) -> pd.Series:
    """Take the weighted mean of the returns at hand, for prices of which some member has one every day."""
    r = wide.pct_change(fill_method=None)
    w = pd.Series(weights)
    return (r * w).sum(axis=1) / (r.notna() * w).sum(axis=1)


@given(seed=SEEDS, lost=st.sampled_from([0.0, 0.1]))
@QUICK
def test_a_daily_portfolio_is_the_weighted_mean_of_returns(seed: int, lost: float) -> None:
    wide = walk(80, seed, lost=lost)
    wide["C"] = walk(80, seed, ("C",))["C"]  # so that there is a return on every day
    weights = {"A": 2.0, "B": 5.0, "C": 3.0}
    made = transform.portfolio(prices_of(wide, "XNYS"), ["A", "B", "C"], "ABC", weights)
    expected = portfolio_by_pandas(wide, weights)[1:]
    found = closes(made, "ABC")
    assert found.iloc[0] == 100.0
    np.testing.assert_allclose(found.pct_change().dropna(), expected, rtol=1e-10, atol=1e-13)
    lacking = wide.pct_change(fill_method=None)[1:].isna()
    note = f"on {int(lacking.any(axis=1).sum())} of 79 days"
    assert (note in said(made, "ABC")) == bool(lacking.any(axis=None))
    if lacking["A"].any():
        assert f"A {int(lacking['A'].sum())}" in said(made, "ABC")


@given(
    seed=SEEDS, lost=SHARES, rebalance=st.sampled_from(portfolios.REBALANCE), gaps=st.sampled_from(["missing", "span"])
)
@QUICK
def test_a_portfolio_of_one_ticker_has_its_returns(seed: int, lost: float, rebalance: str, gaps: str) -> None:
    wide = walk(60, seed, lost=lost)
    made = transform.portfolio(prices_of(wide, "XNYS"), ["A"], "ONE", rebalance=rebalance)
    calendar = Calendar(None, wide.index.to_numpy().astype("datetime64[D]"), None)
    r = [
        compute_returns(reindex(made.bars[t], adjusted_close(made.bars[t]), calendar), "simple", gaps)
        for t in ("A", "ONE")
    ]
    np.testing.assert_allclose(r[1], r[0], rtol=1e-9, atol=1e-12)
    assert "ONE" not in made.provenance.get("noticed", {})


def test_a_portfolio_that_is_held_has_the_value_of_its_shares():
    wide = walk(50)
    wide.loc[wide.index[:7], "B"] = np.nan
    wide.loc[wide.index[20], "A"] = np.nan
    made = transform.portfolio(prices_of(wide), ["A", "B"], "AB", {"A": 1, "B": 3}, "never")
    whole = wide[["A", "B"]].dropna()
    shares = np.array([25.0, 75.0]) / whole.iloc[0]  # bought for 100
    found = closes(made, "AB")
    assert found.index.tolist() == whole.index.tolist()
    np.testing.assert_allclose(found, whole @ shares, rtol=1e-13)
    assert said(made, "AB") == f"no level on {wide.index[20].date()}: there was no price (A 1)"


def test_a_day_without_any_return_has_no_level():
    # B follows on A without a day on which either has two prices.
    wide = pd.DataFrame(
        {"A": [1.0, 1.1, np.nan, np.nan], "B": [np.nan, np.nan, 2.0, 3.0]},
        index=pd.bdate_range("2021-01-04", periods=4),
    )
    made = transform.portfolio(prices_of(wide), ["A", "B"], "AB")
    np.testing.assert_allclose(closes(made, "AB"), [100.0, 110.0, 165.0], rtol=1e-14)
    assert made.bars["AB"].dates.tolist() == days("2021-01-04", "2021-01-05", "2021-01-07").tolist()
    assert "no level on 2021-01-06: no member had a return" in said(made, "AB")


def test_a_portfolio_lives_where_its_members_do():
    wide = walk(20)
    bars = prices_of(wide, {"A": "XNYS", "B": "XNAS", "C": "XHKG"}).bars
    made = transform.portfolio(Prices(bars), ["A", "B"], "AB").bars["AB"]
    assert (made.mic, made.currency) == ("XNYS", None)
    with pytest.raises(es.InputError, match=r"several calendars.*A \(XNYS, no currency\), C \(XHKG, no currency\)"):
        transform.portfolio(Prices(bars), ["A", "C"], "AC")
    money = {
        t: Bars(t, b.dates, b.fields, "XLON", c) for (t, b), c in zip(bars.items(), ["GBp", "GBP", "USD"], strict=True)
    }
    assert transform.portfolio(Prices(money), ["A", "B"], "AB").bars["AB"].currency == "GBP"
    with pytest.raises(es.InputError, match=r"currencies.*C \(XLON, USD\).*one currency"):
        transform.portfolio(Prices(money), ["A", "C"], "AC")


@pytest.mark.parametrize(
    ("change_", "message"),
    [
        ({"tickers": "A"}, r"tickers is the text 'A'; give a list"),
        ({"tickers": []}, "name at least one ticker"),
        ({"tickers": ["A", "A"]}, "each once"),
        ({"tickers": ["A", "NOPE"]}, r"'NOPE' has no prices \(no such ticker\); there are prices of A, B, C"),
        ({"tickers": ["A", "GONE"]}, r"'GONE' has no prices \(it is gone\)"),
        ({"tickers": [["A"]]}, "has no prices"),
        ({"name": "a b"}, "ticker 'a b' is not valid"),
        ({"name": "C"}, "there are prices of it already"),
        ({"rebalance": "weekly"}, "rebalance is 'weekly'; valid are 'daily', 'never'"),
        ({"weights": [1, 2]}, "give a mapping"),
        ({"weights": {"A": 1}}, "give each of A, B a weight above zero, and no other"),
        ({"weights": {"A": 1, "B": -1}}, "above zero"),
        ({"weights": {"A": 1, "B": float("nan")}}, "that of B is nan"),
        ({"weights": {"A": 1, "B": "2"}}, "that of B is '2'"),
        ({"weights": {"A": 1, "B": True}}, "that of B is True"),
    ],
)
def test_a_portfolio_refuses_what_is_not_valid(change_, message):
    prices = Prices(prices_of(walk(10)).bars, {"GONE": "it is gone"})
    with pytest.raises(es.InputError, match=message):
        transform.portfolio(prices, **{"tickers": ["A", "B"], "name": "AB", **change_})


def test_members_that_never_meet_are_refused():
    wide = pd.DataFrame({"A": [1.0, np.nan], "B": [np.nan, 2.0]}, index=["2021-01-04", "2021-01-05"])
    for rebalance, message in (("daily", "no member of A, B has prices on two"), ("never", "A, B have 0 dates")):
        with pytest.raises(es.InputError, match=message):
            transform.portfolio(prices_of(wide), ["A", "B"], "AB", rebalance=rebalance)


def test_a_close_without_its_adjusted_close_is_no_price():
    fields = {"close": np.array([8.0, 10.0, 11.0, 12.0]), "adjusted": np.array([4.0, np.nan, 5.5, np.nan])}
    dates = days("2021-01-04", "2021-01-05", "2021-01-06", "2021-01-07")
    prices = Prices({"A": Bars("A", dates, fields, "XNYS")})
    made = transform.portfolio(prices, ["A"], "ONE")  # the change over the gap belongs to the day after it
    assert made.frame("ONE")["close"].to_dict() == {pd.Timestamp(dates[0]): 100.0, pd.Timestamp(dates[2]): 137.5}
    its = transform.delisted(prices, {"A": -0.5}).bars["A"]
    assert its.dates.tolist() == dates.tolist()
    np.testing.assert_array_equal(its.fields["close"], [8.0, 10.0, 11.0, 5.5])
    np.testing.assert_array_equal(its.fields["adjusted"], [4.0, np.nan, 5.5, 2.75])


# --- without -------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@given(seed=SEEDS, lost=SHARES, first=st.floats(0.001, 0.3), second=st.floats(0.001, 0.3))
@QUICK
def test_adding_the_constituents_back_gives_the_index(seed: int, lost: float, first: float, second: float) -> None:
    wide = walk(80, seed, lost=lost)
    made = transform.without(prices_of(wide, "XHKG"), "C", {"A": first, "B": second}, "C-EX")
    r = wide.dropna().pct_change().dropna()
    left = closes(made, "C-EX")
    assert left.index.tolist() == wide.dropna().index.tolist()
    assert left.iloc[0] == 100.0
    back = (1 - first - second) * left.pct_change().dropna() + first * r["A"] + second * r["B"]
    np.testing.assert_allclose(back, r["C"], rtol=1e-9, atol=1e-12)
    assert "held constant" in said(made, "C-EX")


def test_a_constituent_of_the_whole_move_leaves_nothing():
    # The index is 0.2 A + 0.8 of something that does not move.
    a = np.array([10.0, 12.0, 9.0, 9.9])
    index = np.cumprod([1.0, *(1 + 0.2 * (a[1:] / a[:-1] - 1))])
    made = transform.without(
        prices_of(pd.DataFrame({"A": a, "I": index}, index=pd.bdate_range("2021-01-04", periods=4))),
        "I",
        {"A": 0.2},
        "I-EX",
    )
    np.testing.assert_allclose(closes(made, "I-EX"), 100.0, rtol=1e-14)


def test_days_without_a_constituents_price_are_noticed():
    wide = walk(30)
    wide.loc[wide.index[:5], "B"] = np.nan
    wide.loc[wide.index[10], "B"] = np.nan
    made = transform.without(prices_of(wide, "XNYS"), "A", {"B": 0.1}, "A-EX")
    assert f"no level on {wide.index[10].date()}: there was no price (B 1)" in said(made, "A-EX")
    assert made.bars["A-EX"].dates[0] == np.datetime64(wide.index[5], "D")


@pytest.mark.parametrize(
    ("index", "weights", "message"),
    [
        ("NOPE", {"B": 0.1}, "index: 'NOPE' has no prices"),
        ("A", {"NOPE": 0.1}, "weights: 'NOPE' has no prices"),
        ("A", {}, "name at least one"),
        ("A", {"B": 0.6, "C": 0.4}, "together 1; give the shares"),
        ("A", {"B": 9.0}, "together 9; .*decimals above zero"),
        ("A", {"B": 0.0}, "above zero"),
        ("A", {"A": 0.1}, "other than A itself"),
        ("A", {"B": 0.999}, "would lose all on 2021-01-05"),
    ],
)
def test_shares_that_cannot_be_are_refused(index, weights, message):
    wide = pd.DataFrame({"A": [1.0, 1.0], "B": [1.0, 1.5], "C": [1.0, 1.0]}, index=["2021-01-04", "2021-01-05"])
    with pytest.raises(es.InputError, match=message):
        transform.without(prices_of(wide), index, weights, "EX")


def test_another_calendar_and_a_single_common_date_are_refused():
    wide = walk(10)
    with pytest.raises(es.InputError, match="several calendars"):
        transform.without(prices_of(wide, {"A": "XHKG", "B": "XNYS", "C": "XNYS"}), "A", {"B": 0.1}, "EX")
    wide.loc[wide.index[1:], "B"] = np.nan
    with pytest.raises(es.InputError, match="A, B have 1 dates with prices in common; 2 are needed"):
        transform.without(prices_of(wide), "A", {"B": 0.1}, "EX")


@pytest.mark.thorough
def test_the_hang_seng_index_without_alibaba(shared):
    folder = shared / "data" / "prices"
    prices = transform.without(es.read_prices(folder), "^HSI", {"9988.HK": 0.09}, "HSI-EX")
    level = pd.DataFrame(
        {n: pd.read_csv(folder / f"{n}.csv", index_col="Date")["Adj Close"] for n in ("HSI", "9988.HK")}
    )
    r = level.dropna().pct_change().dropna()
    expected = (r["HSI"] - 0.09 * r["9988.HK"]) / 0.91
    found = closes(prices, "HSI-EX").pct_change().dropna()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert len(found) == 764
    assert prices.bars["HSI-EX"].mic == "XHKG"
    # What is left moves less with Alibaba, and still with the index.
    corr = r["9988.HK"].corr
    assert corr(expected) < corr(r["HSI"])
    assert r["HSI"].corr(expected) > 0.98
    event = es.Events.from_frame(pd.DataFrame({"ticker": ["9988.HK"], "announced": ["2020-11-03T20:40+08:00"]}))
    car = {}
    for benchmark in ("^HSI", "HSI-EX"):
        study = es.Study(model="market_adjusted", benchmark=benchmark, windows=((0, 0),))
        result = study.run(event, prices)
        car[benchmark] = float(result.cars["car"].iloc[0])
    day = r.loc["2020-11-04"]
    np.testing.assert_allclose(car["^HSI"], day["9988.HK"] - day["HSI"], rtol=1e-9)
    # R - (I - wR)/(1 - w) = (R - I)/(1 - w): the plain benchmark hides the share w of it.
    np.testing.assert_allclose(car["HSI-EX"], car["^HSI"] / 0.91, rtol=1e-9)
    assert any("held constant" in note for note in result.provenance["notes"])
    assert "HSI-EX is ^HSI without 9988.HK 0.09" in result.provenance["prices"]["transformed"][0]


# --- attach --------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@given(seed=SEEDS, lost=SHARES)
@QUICK
def test_a_series_stands_on_the_dates_of_its_ticker(seed: int, lost: float) -> None:
    rng = np.random.default_rng(seed)
    wide = walk(40, seed)
    own = pd.DataFrame(
        rng.normal(size=(50, 2)),
        index=wide.index[:1].append(pd.date_range("2020-01-16", periods=49)),
        columns=["B", "A"],
    )
    own = own.mask(rng.random(own.shape) < lost)
    made = transform.attach(prices_of(wide), "imbalance", own.sample(frac=1, random_state=1))
    for ticker in ("A", "B"):
        np.testing.assert_array_equal(made.frame(ticker)["imbalance"], own[ticker].reindex(wide.index))
        outside = own[ticker].dropna().index.difference(wide.index)
        assert (f"({len(outside)} in all" in said(made, ticker)) == (len(outside) > 3)
    assert set(made.bars["C"].fields) == {"close"}
    assert closes(made, "A").equals(closes(prices_of(wide), "A"))


def test_a_volume_can_be_given_to_prices_that_have_none_and_a_series_may_be_negative_or_zero():
    wide = walk(5)
    made = transform.attach(prices_of(wide), "volume", pd.DataFrame({"A": [0, 5, 7, 0, 1]}, index=wide.index))
    made = transform.attach(made, "tilt", pd.DataFrame({"A": [-1.0, 0.0, 1.0, np.nan, 2.0]}, index=wide.index))
    np.testing.assert_array_equal(made.bars["A"].fields["tilt"], [-1.0, 0.0, 1.0, np.nan, 2.0])
    assert made.bars["A"].fields["volume"].tolist() == [0, 5, 7, 0, 1]
    assert "noticed" not in made.provenance


@pytest.mark.parametrize(
    ("name", "frame", "message"),
    [
        ("close", {"A": [1.0]}, "name is 'close'; a field's name is an identifier"),
        ("adjusted", {"A": [1.0]}, "name is 'adjusted'"),
        ("bid ask", {"A": [1.0]}, "name is 'bid ask'"),
        (3, {"A": [1.0]}, "name is 3"),
        ("spread", {"NOPE": [1.0]}, "'NOPE' has no prices"),
        ("spread", {7: [1.0]}, "7 has no prices"),
        ("spread", {}, "name at least one ticker"),
        ("spread", {"A": ["wide"]}, "spread of A is not numeric"),
        ("spread", {"A": [float("inf")]}, "spread of A is infinite on 2020-01-15"),
    ],
)
def test_a_series_that_is_not_valid_is_refused(name, frame, message):
    with pytest.raises(es.InputError, match=message):
        transform.attach(prices_of(walk(5)), name, pd.DataFrame(frame, index=["2020-01-15"][: 1 if frame else 0]))


def test_dates_and_names_that_stand_twice_are_refused():
    prices = prices_of(walk(5))
    with pytest.raises(es.InputError, match="two rows for one date"):
        transform.attach(prices, "spread", pd.DataFrame({"A": [1.0, 2.0]}, index=["2020-01-15", "2020-01-15"]))
    with pytest.raises(es.InputError, match="frame are not indexed by dates"):
        transform.attach(prices, "spread", pd.DataFrame({"A": [1.0]}, index=["soon"]))
    with pytest.raises(es.InputError, match=r"a pandas\.DataFrame of dates by tickers"):
        transform.attach(prices, "spread", {"A": 1.0})
    with pytest.raises(es.InputError, match="each once"):
        transform.attach(prices, "spread", pd.DataFrame([[1.0, 2.0]], columns=["A", "A"], index=["2020-01-15"]))
    twice = transform.attach(prices, "spread", pd.DataFrame({"A": [1.0]}, index=["2020-01-15"]))
    with pytest.raises(es.InputError, match="A have such a field"):
        transform.attach(twice, "spread", pd.DataFrame({"A": [1.0]}, index=["2020-01-15"]))


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("spread", -1.0, True), ("spread", 0.0, True), ("spread", np.nan, True), ("spread", np.inf, False),
        ("spread", -np.inf, False), ("volume", 0.0, True), ("adjusted", 0.0, False), ("low", -1.0, False),
    ],
)  # fmt: skip
def test_bars_hold_only_prices_above_zero(name, value, fine):
    fields = {"close": np.array([1.0]), name: np.array([value])}
    if fine:
        np.testing.assert_array_equal(Bars("A", days("2021-01-04"), fields).fields[name], [value])
    else:
        with pytest.raises(es.BadPrices, match=rf"A has the {name} {value:g} on 2021-01-04 \(1 such in all\); a"):
            Bars("A", days("2021-01-04"), fields)


# --- delisted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mic", "last", "expected"),
    [
        ("XNYS", "2021-01-08", "2021-01-11"),  # over a weekend
        ("XHKG", "2021-02-11", "2021-02-16"),  # over the new year
        ("XHKG", "2023-08-31", "2023-09-04"),  # over a typhoon that the calendar's library does not know
    ],
)
def test_the_delisting_return_is_of_the_next_session(mic, last, expected):
    fields = {"close": np.array([10.0]), "adjusted": np.array([5.0]), "low": np.array([9.0]), "volume": np.array([3.0])}
    made = transform.delisted(Prices({"A": Bars("A", days(last), fields, mic, "USD")}), {"A": -0.3})
    its = made.bars["A"]
    assert its.dates.tolist() == days(last, expected).tolist()
    assert (its.mic, its.currency) == (mic, "USD")
    np.testing.assert_allclose(its.fields["close"], [10.0, 7.0], rtol=1e-15)
    np.testing.assert_allclose(its.fields["adjusted"], [5.0, 3.5], rtol=1e-15)
    np.testing.assert_array_equal(its.fields["low"], [9.0, np.nan])
    np.testing.assert_array_equal(its.fields["volume"], [3.0, np.nan])
    assert said(made, "A") == f"its last price, on {expected}, is computed from the delisting return -30.0%"


def test_prices_win_where_the_calendar_has_a_session_that_was_none():
    # Two others trade before and after 2021-01-11, and neither on it.
    index = pd.DatetimeIndex(["2021-01-07", "2021-01-08", "2021-01-12"])
    wide = pd.DataFrame({"A": [1.0, 1.0, np.nan], "B": 1.0, "C": 1.0}, index=index)
    made = transform.delisted(prices_of(wide, "XNYS"), {"A": 0.1})
    assert str(made.bars["A"].dates[-1]) == "2021-01-12"


def test_rows_without_a_price_after_the_last_are_left_out_and_the_observed_dates_are_the_calendar():
    wide = walk(10)
    wide.loc[wide.index[6:], "C"] = np.nan
    made = transform.delisted(prices_of(wide), {"C": 0.25})
    found = closes(made, "C")
    assert found.index.tolist() == wide.index[:7].tolist()
    np.testing.assert_allclose(found.pct_change().iloc[-1], 0.25, rtol=1e-14)
    with pytest.raises(es.InputError, match="no session is known after 2020-01-28, the last price of A"):
        transform.delisted(prices_of(wide), {"A": 0.25})


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (
            {"A": -1},
            "the delisting return of A is -1; it must be above -1, .* total loss give a return close to it, as -0.99",
        ),
        ({"A": -30}, "is -30; it must be above -1"),
        ({"A": np.nan}, "that of A is nan; give a finite decimal number"),
        ({"NOPE": -0.3}, "'NOPE' has no prices"),
        ({"EMPTY": -0.3}, "EMPTY has no price"),
        ({}, "name at least one"),
        (-0.3, "give a mapping"),
    ],
)
def test_a_delisting_return_that_is_not_valid_is_refused(returns, message):
    wide = walk(10)
    wide["EMPTY"] = np.nan
    with pytest.raises(es.InputError, match=message):
        transform.delisted(prices_of(wide, "XNYS"), returns)


@pytest.mark.parametrize("gaps", ["missing", "span"])
def test_an_event_window_past_the_delisting_has_its_return(gaps):
    wide = walk(120)
    wide.loc[wide.index[101:], "A"] = np.nan
    prices = transform.delisted(prices_of(wide, "XNYS"), pd.Series({"A": -0.55}))
    event = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": [str(wide.index[100].date())]}))
    study = es.Study(
        model="market_adjusted", benchmark="B", estimation=(-80, -11), event=(-1, 1), windows=((1, 1),), gaps=gaps,
        min_estimation=40,
    )  # fmt: skip
    result = study.run(event, prices)
    market = wide["B"].iloc[101] / wide["B"].iloc[100] - 1
    np.testing.assert_allclose(float(result.cars["car"].iloc[0]), -0.55 - market, rtol=1e-10)
    assert any(note.startswith("A: its last price") for note in result.provenance["notes"])
