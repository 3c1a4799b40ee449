"""What events cost: amounts by hand, values before the window, currencies, listings, signs, and nothing dropped."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from scipy import stats

import eventstudy as es
from eventstudy import Events, Prices, Result, transform
from eventstudy.analysis.money import Money
from eventstudy.display import amounts
from eventstudy.types import Analysis

DAYS = pd.bdate_range("2020-06-01", periods=320)
TICKERS = ("A", "B", "C", "D")
SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-100, -11), "event": (-5, 5), "min_estimation": 60, "windows": ((0, 0), (-1, 1)),
}  # fmt: skip
ROWS = [
    ("E1", "A", 150, 10e9, "x"), ("E2", "B", 150, 40e9, "y"), ("E3", "C", 200, 5e9, "x"),
    ("E4", "A", 250, 12e9, "y"), ("E5", "D", 280, 20e9, "y"),
]  # fmt: skip


@lru_cache
def made_prices() -> Prices:
    rng = np.random.default_rng(11)
    market = 0.01 * rng.standard_normal(len(DAYS))
    r = {name: 0.8 * market + 0.02 * rng.standard_normal(len(DAYS)) for name in TICKERS} | {"M": market}
    frames = []
    for name, returns in r.items():
        close = 50 * np.cumprod(1 + returns)
        opening = close * np.exp(0.003 * rng.standard_normal(len(DAYS)))
        frames.append(
            pd.DataFrame(
                {
                    "date": DAYS, "ticker": name, "open": opening, "close": close,
                    "high": np.maximum(opening, close) * 1.01, "low": np.minimum(opening, close) * 0.98,
                }
            )
        )  # fmt: skip
    return in_currencies(Prices.from_frame(pd.concat(frames)), dict.fromkeys((*TICKERS, "M"), "USD"))


def in_currencies(prices: Prices, names: dict[str, str]) -> Prices:
    return replace(prices, bars={t: replace(b, currency=names.get(t, b.currency)) for t, b in prices.bars.items()})


def made_events(**columns: Any) -> Events:
    names = ["event_id", "ticker", "day", "market_value", "kind"]
    frame = pd.DataFrame(ROWS, columns=names)
    frame["announced"] = [DAYS[day].strftime("%Y-%m-%d") for day in frame.pop("day")]
    return Events.from_frame(frame.assign(**columns))


def run(prices: Prices | None = None, events: Events | None = None, **choices: Any) -> Result:
    return es.Study(**{**SHORT, **choices}).run(events or made_events(), prices or made_prices())


def car_of(ticker: str, day: int, window: tuple[int, int]) -> tuple[float, float]:
    """Return the CAR and its forecast standard error by NumPy alone."""
    close = {name: made_prices().bars[name].fields["close"] for name in (ticker, "M")}
    r = {name: np.append(np.nan, values[1:] / values[:-1] - 1) for name, values in close.items()}
    rows = np.arange(day - 100, day - 10)
    x = np.column_stack([np.ones(len(rows)), r["M"][rows]])
    b, rss = np.linalg.lstsq(x, r[ticker][rows], rcond=None)[:2]
    days = np.arange(day + window[0], day + window[1] + 1)
    at = np.column_stack([np.ones(len(days)), r["M"][days]])
    total = at.sum(axis=0)
    variance = rss[0] / (len(rows) - 2) * (len(days) + total @ np.linalg.inv(x.T @ x) @ total)
    return float((r[ticker][days] - at @ b).sum()), float(np.sqrt(variance))


@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_abnormal_value_is_the_car_times_the_value_before(window: tuple[int, int]) -> None:
    money = run().money(window=window)
    half = stats.t.ppf(0.975, 88)
    for event_id, ticker, day, value, _ in ROWS:
        car, se = car_of(ticker, day, window)
        row = money.frame.loc[event_id]
        by_hand = [value, car * value, (car - half * se) * value, (car + half * se) * value]
        np.testing.assert_allclose(row[["value", "abnormal_value", "lower", "upper"]].astype(float), by_hand, rtol=1e-9)
        assert row["valued_on"] == DAYS[day + window[0] - 1]
    assert money.frame["status"].tolist() == ["ok"] * 5
    total = sum(car_of(ticker, day, window)[0] * value for _, ticker, day, value, _ in ROWS)
    assert money.total["total"] == pytest.approx(total, rel=1e-9)
    assert money.total[["n", "n_without", "share"]].tolist() == [5, 0, 1]
    assert money.total["value"] == 87e9
    assert money.currency == "USD"


def test_the_comparison_has_the_means_of_the_effects_by_hand() -> None:
    result = run()
    money = result.money()
    tables = {covers: part.set_index("weights") for covers, part in money.comparison.groupby("covers")}
    cars = np.array([car_of(ticker, day, (0, 0))[0] for _, ticker, day, *_ in ROWS])
    value = np.array([row[3] for row in ROWS])
    assert set(tables) == {"these events", "events like these"}
    for table in tables.values():
        found = table["estimate"]
        np.testing.assert_allclose(found["equal"], cars.mean(), rtol=1e-9)
        np.testing.assert_allclose(found["value"], cars @ value / value.sum(), rtol=1e-9)
        np.testing.assert_allclose(found["money"], cars @ value, rtol=1e-9)
    like, these = tables["events like these"], tables["these events"]
    equal = like.loc["equal"]
    primary = result.tests.iloc[0]
    np.testing.assert_allclose(
        equal[["se", "lower", "upper"]].astype(float), primary[["se", "lower", "upper"]].astype(float), rtol=1e-9
    )
    # the sum as of events like these: five values of money in four clusters, E1 and E2 on one date
    amount = cars * value
    sums = np.array([amount[:2].sum() - 2 * amount.mean(), *(amount[2:] - amount.mean())])
    counts = np.array([2, 1, 1, 1])
    np.testing.assert_allclose(like.loc["money", "se"], np.sqrt((sums**2 / (1 - counts / 5)).sum()), rtol=1e-9)
    assert these.loc["value", "p"] == pytest.approx(money.total["p"], rel=1e-12)
    assert these.loc["money", "p"] == pytest.approx(money.total["p"], rel=1e-12)
    assert "E2) 46 % of all" in money.why
    assert f"{87e9**2 / (value @ value):.1f} of one size" in money.why


def test_a_field_of_the_prices_is_that_of_the_close_before_and_never_later() -> None:
    value = pd.DataFrame({name: 1e9 * np.arange(1, len(DAYS) + 1) for name in TICKERS}, index=DAYS)
    value.loc[DAYS[149], "A"] = np.nan  # the session before E1
    value.loc[DAYS[200:], "C"] = 9e99  # from the event of C on: must never be read
    value.loc[DAYS[240] :, "D"] = np.nan  # 39 sessions before E5: too old
    prices = transform.attach(made_prices(), "cap", value)
    money = run(prices).money("cap")
    assert money.frame["value"].tolist()[:4] == [149e9, 150e9, 200e9, 250e9]
    assert money.frame.loc["E1", "valued_on"] == DAYS[148]
    assert money.frame.loc["E5", "status"] == "no_value"
    assert money.frame.loc["E5", "reason"].startswith(f"no cap of D on {DAYS[279].date()} or in the 31 days before")
    assert np.isnan(money.frame.loc["E5", "abnormal_value"])
    assert money.total[["n", "n_without", "share"]].tolist() == [4, 1, 0.8]
    notes = " ".join(money.notes)
    assert "1 of 5 used events have no value and are in no sum (E5: no cap of D" in notes
    assert "1 value of an earlier session" in notes
    assert "Not in it: 1 used event." in money.answer()


def test_shares_are_multiplied_by_the_unadjusted_close() -> None:
    prices = made_prices()
    bars = prices.bars["A"]
    halved = replace(bars, fields={**bars.fields, "adjusted": bars.fields["close"] / 2})
    prices = replace(prices, bars={**prices.bars, "A": halved})
    money = run(prices, made_events(shares=[1e8, 2e8, 3e8, 4e8, 0.0])).money(shares="shares")
    close = {name: made_prices().bars[name].fields["close"] for name in TICKERS}
    by_hand = [1e8 * close["A"][149], 2e8 * close["B"][149], 3e8 * close["C"][199], 4e8 * close["A"][249]]
    np.testing.assert_allclose(money.frame["value"].iloc[:4], by_hand, rtol=1e-12)
    assert money.frame.loc["E5", "reason"] == "shares is 0, and must be above 0"


def rates() -> Prices:
    rate = 7.8 + 0.001 * np.arange(len(DAYS))
    rate[199] = np.nan
    frame = pd.DataFrame({"date": DAYS, "ticker": "HKD=X", "close": rate}).dropna()
    return Prices.from_frame(frame)


def test_values_are_converted_at_the_rate_of_their_date() -> None:
    prices = in_currencies(made_prices(), {"B": "HKD", "C": "HKD"})
    with pytest.raises(es.InputError, match=r"several currencies: USD, HKD; give one for the sum"):
        run(prices).money()
    with pytest.raises(es.InputError, match=r"no rate from HKD to USD"):
        run(prices).money(currency="USD")
    both = replace(prices, bars={**prices.bars, **rates().bars})
    money = run(both).money(currency="USD")
    assert money.frame.loc["E2", "rate"] == pytest.approx(1 / (7.8 + 0.149), rel=1e-12)
    assert money.frame.loc["E2", "value"] == pytest.approx(40e9 / (7.8 + 0.149), rel=1e-12)
    assert money.frame.loc["E1", "rate"] == 1.0
    assert money.frame.loc["E3", "reason"] == f"no rate from HKD to USD on {DAYS[199].date()}"
    assert money.currency == "USD"
    with pytest.raises(es.InputError, match=r"several currencies: USD, HKD"):
        run(prices, made_events(market_value_currency=[None, "", np.nan, None, ""])).money()  # those of the prices
    stated = run(both, made_events(market_value_currency="USD")).money()
    assert stated.total["value"] == 87e9


def test_pence_are_hundredths_of_the_currency() -> None:
    prices = in_currencies(made_prices(), dict.fromkeys(TICKERS, "GBp"))
    money = run(prices, made_events(shares=1e9)).money(shares="shares")
    assert money.currency == "GBP"
    assert money.frame.loc["E1", "value"] == pytest.approx(
        1e7 * made_prices().bars["A"].fields["close"][149], rel=1e-12
    )
    assert run(prices).money().total["value"] == 87e9


def test_one_firm_counts_once_in_the_same_news() -> None:
    events = made_events(cluster=["n1", "n1", "n2", "n3", "n4"], firm=["F", "F", "C", "F", "D"])
    money = run(events=events).money()
    assert money.frame.loc["E2", ["status", "reason"]].tolist() == ["other_listing", "the firm is counted once, by E1"]
    assert money.total["n"] == 4
    assert "1 event of a second listing" in " ".join(money.notes)
    first = run(events=Events.from_frame(events.frame.assign(priority=[2, 1, 1, 1, 1]))).money()
    assert first.frame["status"].tolist() == ["other_listing", "ok", "ok", "ok", "ok"]


def test_overlapping_windows_of_a_firm_are_counted() -> None:
    rows = made_events().frame
    second = rows.loc[["E1"]].rename(index={"E1": "E9"}).assign(announced=DAYS[152].strftime("%Y-%m-%d"), cluster="E9")
    result = run(events=Events.from_frame(pd.concat([rows, second]).drop(columns=["stamp", "date"])))
    assert "1 session of a firm are in the sum again" in " ".join(result.money(window=(-1, 1)).notes)
    assert "overlap" not in " ".join(result.money(window=(0, 0)).notes)


def test_a_study_with_signs_has_the_same_amounts_and_says_how_they_relate() -> None:
    plain, signed = run().money(), run(events=made_events(sign=[-1, -1, 1, 0, 1]), sign="sign").money()
    pd.testing.assert_frame_equal(plain.frame, signed.frame)
    pd.testing.assert_series_equal(plain.total, signed.total)
    pd.testing.assert_frame_equal(plain.comparison, signed.comparison)
    lost = plain.frame["abnormal_value"]
    text = next(note for note in signed.notes if "not multiplied by 'sign'" in note)
    by_hand = lost.iloc[2] + lost.iloc[4] - lost.iloc[0] - lost.iloc[1]
    assert text.endswith(f"in the expected direction it is {amounts.money(by_hand, 'USD')}.")


def test_groups_add_up_and_a_group_of_one_event_has_its_interval() -> None:
    money = run(events=made_events(kind=["x", "y", "y", "y", "y"])).money(group="kind")
    groups = money.by_group.set_index("group")
    assert groups["n"].to_dict() == {"x": 1, "y": 4}
    assert groups["total"].sum() == pytest.approx(money.total["total"], rel=1e-12)
    np.testing.assert_allclose(
        groups.loc["x", ["lower", "upper"]].astype(float),
        money.frame.loc["E1", ["lower", "upper"]].astype(float),
        rtol=1e-9,
    )
    by_study = run(group="kind").money()
    assert by_study.by_group["group"].tolist() == ["x", "y"]
    with pytest.raises(es.InputError, match="group is 'sector'"):
        run().money(group="sector")


def test_reactions_are_the_raw_moves_times_the_value_before_the_session() -> None:
    money = run().money(window=(-1, 1))
    fields = made_prices().bars["B"].fields
    before = fields["close"][149]
    for name in ("open", "high", "low", "close"):
        assert money.reactions.loc["E2", name] == pytest.approx(40e9 * (fields[name][150] / before - 1), rel=1e-9)
    assert money.reactions.loc["E2", "abnormal"] == pytest.approx(40e9 * car_of("B", 150, (0, 0))[0], rel=1e-9)


def test_compounded_returns_have_amounts_and_no_error_of_these_events() -> None:
    money = run(accumulate="compound").money(window=(-1, 1))
    assert money.frame["abnormal_value"].tolist() == (money.frame["bhar"] * money.frame["value"]).tolist()
    assert money.frame[["lower", "upper"]].isna().all(axis=None)
    assert np.isnan(money.total["se"])
    table = money.comparison.set_index("covers")
    assert table.loc["these events", "se"].isna().all()
    assert table.loc["events like these", "se"].notna().all()
    assert "no interval" in money.answer()


def test_one_event_has_its_own_interval_and_no_spread() -> None:
    money = run(events=Events.from_frame(made_events().frame.drop(columns=["stamp", "date"]).iloc[[0]])).money()
    np.testing.assert_allclose(money.total[["lower", "upper"]], money.frame.loc["E1", ["lower", "upper"]].astype(float))
    like = money.comparison[money.comparison["covers"] == "events like these"]
    assert like["se"].isna().all()
    assert set(like["note"]) == {"one event has no spread"}
    assert money.why == ""


def test_a_firm_beside_which_the_others_are_nothing_has_no_spread_by_value() -> None:
    money = run(events=made_events(market_value=[1e9, 1e30, 1e9, 1e9, 1e9])).money()
    like = money.comparison[money.comparison["covers"] == "events like these"].set_index("weights")
    assert like["se"].notna().to_dict() == {"equal": True, "value": False, "money": True}
    assert like.loc["value", "note"] == "one event has nearly all of the weight, and alone has no spread"
    assert np.isnan(like.loc["value", "lower"])


def test_no_event_with_a_value_is_an_answer_and_no_number() -> None:
    money = run(events=made_events(market_value=np.nan)).money(group="kind")
    assert np.isnan(money.total["total"])
    assert money.total["n_without"] == 5
    assert money.comparison.empty
    assert "No event has both" in money.answer()
    assert "no event has" in money.plot().texts[0].get_text() + money.plot().texts[-1].get_text()


@pytest.mark.parametrize(
    ("choices", "options", "said"),
    [
        ({}, {"value": "cap"}, "value is 'cap'"),
        ({}, {"value": 3}, "value is 3"),
        ({}, {"value": "kind"}, "give numbers, such as 13.3e9, or leave the cell empty"),
        ({}, {"currency": "dollar"}, "three capital letters"),
        ({}, {"window": (0, 3)}, "window is (0, 3)"),
        ({"returns": "log"}, {}, "returns are 'log'"),
        ({"outcome": "volatility"}, {}, "outcome is 'volatility'"),
    ],
)
def test_what_is_not_valid_is_named(choices: dict[str, Any], options: dict[str, Any], said: str) -> None:
    result = run(**choices)
    with pytest.raises(es.InputError) as caught:
        result.money(**options)
    assert said in str(caught.value)


def test_a_saved_result_says_that_it_has_no_prices(tmp_path: Any) -> None:
    with pytest.raises(es.InputError, match="no study with its data"):
        es.read_result(run().save(tmp_path / "r")).money()


def test_the_record_is_an_analysis_with_table_and_figure() -> None:
    result = run(group="kind")
    money = result.money()
    assert isinstance(money, Analysis)
    assert isinstance(money, Money)
    frame = result.table("money", of=money).frame
    assert frame.equals(result.table("money").frame)
    assert frame["estimate"].iloc[:2].tolist() == money.by_group["total"].tolist()
    assert frame[frame["weights"] == "money"]["estimate"].iloc[-1] == money.total["total"]
    with pytest.raises(es.InputError, match=r"give what result.money\(\) returns"):
        result.table("money", of=3)
    bars = money.plot().patches
    widths = [bar.get_width() for bar in bars if isinstance(bar, Rectangle)]
    amounts = [*sorted(money.frame["abnormal_value"]), money.total["total"]]
    np.testing.assert_allclose(np.array(widths) * abs(amounts[-1]), np.array(amounts) * abs(widths[-1]), rtol=1e-9)
    lines: Any = money.plot(level=0.5).collections[0]
    strokes = np.array([part[:, 0] for part in lines.get_segments()])
    degrees = result.cars.drop_duplicates("event_id").set_index("event_id")["df"].to_dict()
    scale = money.total["total"] / strokes[-1].mean()
    half = [
        stats.t.ppf(0.75, degrees[event]) * row["se"] * row["value"]
        for event, row in money.frame.sort_values("abnormal_value").iterrows()
    ]
    half.append(stats.t.ppf(0.75, money.total["df"]) * money.total["se"])
    np.testing.assert_allclose(scale * np.diff(strokes)[:, 0] / 2, half, rtol=1e-8)
    assert [t.get_text() for t in money.plot(by="group").get_yticklabels()][-1] == "Sum"
    assert "all others (3)" in [t.get_text() for t in money.plot(most=2).get_yticklabels()]
    assert all(len(line) <= 100 for line in repr(money).splitlines())
    assert "Mean, weights by value" in money._repr_html_()


def test_an_executor_finds_the_same() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        result = es.Study(**SHORT).run(made_events(), made_prices(), executor=executor)
        pd.testing.assert_series_equal(result.money().total, run().money().total)


def test_the_rules_on_tutoring_cost_what_was_planted() -> None:
    """Abnormal returns as large as those of 23 July 2021, planted in simulated prices of firms of unequal value."""
    falls = {"TAL": -0.70, "EDU": -0.53, "GOTU": -0.62}
    value = {"TAL": 13.3e9, "EDU": 10.9e9, "GOTU": 2.4e9}
    moves = {(ticker, "2021-07-23"): fall for ticker, fall in falls.items()}
    prices = es.fetch_prices([*falls, "^GSPC"], "2020-06-01", "2021-12-31", source="simulated", reactions=moves, seed=1)
    frame = pd.DataFrame({"ticker": [*falls], "announced": "2021-07-23T08:00-04:00", "cluster": "rules"})
    events = Events.from_frame(frame.assign(event_id=frame["ticker"], market_value=frame["ticker"].map(value)))
    money = es.Study(benchmark="^GSPC", windows=((0, 0),)).run(events, prices).money()
    planted = sum(falls[ticker] * value[ticker] for ticker in falls)
    assert money.total["lower"] < planted < money.total["upper"]
    assert money.total["se"] < 0.03 * abs(planted)
    assert money.frame["valued_on"].dt.strftime("%Y-%m-%d").tolist() == ["2021-07-22"] * 3


def test_without_a_placed_event_every_event_has_its_reason() -> None:
    frame = made_events().frame.drop(columns=["stamp", "date"]).assign(ticker="Z")
    result = run(events=Events.from_frame(frame))
    money = result.money()
    assert set(money.frame["status"]) == {"unknown_ticker"}
    assert (money.frame["reason"] != "").all()
    assert money.total["n"] == 0


def test_bars_within_the_day_are_valued_at_the_bar_before() -> None:
    starts = pd.date_range("2021-03-01T14:30", periods=400, freq="h", tz="UTC")
    rng = np.random.default_rng(2)
    r = 0.002 * rng.standard_normal((400, 2))
    close = pd.DataFrame(100 * np.cumprod(1 + r, axis=0), starts, ["A", "M"])
    events = Events.from_frame(
        pd.DataFrame({"ticker": ["A"], "announced": [str(starts[300] + pd.Timedelta(minutes=5))], "shares": [1e6]})
    )
    money = run(Prices.from_frame(close), events).money(shares="shares")
    assert money.frame["value"].iloc[0] == pytest.approx(1e6 * close["A"].iloc[299], rel=1e-12)
    assert money.frame["valued_on"].iloc[0] == starts[299]
    assert str(money.frame["valued_on"].dt.tz) == str(money.frame["session"].dt.tz)
    assert money.currency == ""
    assert "do not say their currency" in " ".join(money.notes)


def test_bars_are_converted_at_the_rate_of_the_bar_or_the_last_within_a_week() -> None:
    """The rate is another one in every bar; it has no quote in the bars of one event, and none for weeks of another."""
    days = pd.bdate_range("2021-01-04", "2021-06-30", tz="America/New_York")
    at = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(10, 16)])
    rng = np.random.default_rng(2)
    close = pd.DataFrame(100 * np.cumprod(1 + 0.002 * rng.standard_normal((len(at), 3)), axis=0), at, ["A", "B", "C"])
    rate = pd.Series(7.0 + 0.001 * np.arange(len(at)), at)
    rows = {"A": 400, "B": 500, "C": 660}
    rate.iloc[497:500] = np.nan
    rate.iloc[600:660] = np.nan  # ten days
    close["HKD=X"] = rate
    prices = in_currencies(Prices.from_frame(close, "XNYS"), dict.fromkeys("ABC", "HKD"))
    stamps = [str(at[row] + pd.Timedelta("5min")) for row in rows.values()]
    events = Events.from_frame(
        pd.DataFrame({"ticker": list(rows), "announced": stamps, "shares": 1e6, "event_id": list(rows)})
    )
    study = es.Study(model="mean", estimation=(-200, -11), event=(0, 3), windows=((0, 0),), tests=["cross_section"])
    frame = study.run(events, prices).money(shares="shares", currency="USD").frame
    before = [row - 1 for row in rows.values()]
    assert [at.get_loc(session) for session in frame["session"]] == list(rows.values())
    np.testing.assert_allclose(frame["rate"].iloc[:2], [1 / rate.iloc[399], 1 / rate.iloc[496]], rtol=1e-12)
    wanted = [1e6 * close["A"].iloc[before[0]] / rate.iloc[399], 1e6 * close["B"].iloc[before[1]] / rate.iloc[496]]
    np.testing.assert_allclose(frame["value"].iloc[:2], wanted, rtol=1e-12)
    assert frame["reason"].iloc[2] == f"no rate from HKD to USD on {at[659].date()}"


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")  # of prices that the folder does not have
def test_alibaba_on_13_september_2021_in_money(shared: Any) -> None:
    """About 21.7 billion shares fell from 167.9 to 161.5 at the open, 156.9 at the low and 160.8 at the close."""
    frame = pd.DataFrame(
        {
            "event_id": ["home", "adr"], "ticker": ["9988.HK", "BABA"], "announced": "2021-09-13T09:30+08:00",
            "firm": "Alibaba", "cluster": "Ant", "shares": [21.7e9, 21.7e9 / 8],
        }
    )  # fmt: skip
    prices = es.read_prices(shared / "data" / "prices")
    study = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, windows=((0, 0),), min_estimation=30)
    result = study.run(Events.from_frame(frame), prices)
    money = result.money(shares="shares", currency="HKD")
    assert money.frame["status"].tolist() == ["ok", "other_listing"]
    home = money.reactions.loc["home"]
    shares = 21.7e9
    by_hand = [shares * (price - 167.9) for price in (161.5, 163.0, 156.9, 160.8)]
    np.testing.assert_allclose(home[["open", "high", "low", "close"]].astype(float), by_hand, rtol=1e-6)
    car = result.cars.set_index("event_id").loc["home", "car"]
    assert home["abnormal"] == pytest.approx(shares * 167.9 * car, rel=1e-6)
    dollars = result.money(shares="shares", currency="USD")
    assert dollars.frame.loc["home", "value"] == pytest.approx(shares * 167.9 / 7.77724, rel=1e-6)
    assert dollars.total["n"] == 1
