"""Control firms and reference portfolios from a table of characteristics, against values worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.transform import control_firms, delisted, reference_portfolios

DAYS = pd.bdate_range("2021-01-04", periods=160)
FIRMS = list("ABCDEFGH")
SIZES = dict(zip(FIRMS, [1.0, 1.1, 1.3, 1.6, 2.0, 4.0, 8.0, 16.0], strict=True))
AT = 120  # the session of the event
WINDOW = (0, 20)
STUDY: dict[str, Any] = {
    "model": "market_adjusted", "estimation": (-100, -1), "event": WINDOW, "windows": (WINDOW,), "min_estimation": 60,
    "tests": ["cross_section"], "accumulate": "compound",
}  # fmt: skip


def walk(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        100 * np.cumprod(1 + 0.02 * rng.standard_normal((len(DAYS), len(FIRMS))), axis=0), index=DAYS, columns=FIRMS
    )


def events(*rows: tuple[str, int], **columns: Any) -> es.Events:
    frame = {"ticker": [t for t, _ in rows], "announced": [str(DAYS[day].date()) for _, day in rows]}
    return es.Events.from_frame(pd.DataFrame({**frame, **columns}))


def sizes(**values: float) -> pd.DataFrame:
    table = {**SIZES, **values}
    return pd.DataFrame({"ticker": list(table), "size": list(table.values())})


def controls(found: Any) -> list[str]:
    return list(found.events.frame["control_firms"])


def close(prices: es.Prices, ticker: str) -> pd.Series:
    bars = prices.bars[ticker]
    return pd.Series(bars.fields["close"], index=pd.DatetimeIndex(bars.dates))


def said(prices: es.Prices, ticker: str) -> str:
    return " | ".join(prices.provenance["noticed"].get(ticker, []))


def test_the_bhar_against_a_control_firm_is_the_difference_of_two_holding_returns() -> None:
    wide = walk()
    found = control_firms(events(("A", AT), ("E", AT)), es.Prices.from_frame(wide), sizes(), on=["size"], window=WINDOW)
    assert controls(found) == ["B", "D"], "A and E have events in that window, and are nobody's control"
    made = es.Study(**STUDY, benchmark="control").run(*found)
    for row, (own, other) in enumerate((("A", "B"), ("E", "D"))):
        growth = wide.iloc[AT + 20] / wide.iloc[AT - 1]
        assert made.cars["bhar"].iloc[row] == pytest.approx(growth[own] - growth[other], rel=1e-10)
        before = wide.pct_change().iloc[AT - 100 : AT]
        sigma = np.sqrt(((before[own] - before[other]) ** 2).sum() / 100)
        assert made.events["sigma"].iloc[row] == pytest.approx(sigma, rel=1e-10)


def test_several_controls_are_bought_in_equal_parts_and_held() -> None:
    wide = walk(1)
    found = control_firms(events(("C", AT)), es.Prices.from_frame(wide), sizes(), on=["size"], window=WINDOW, n=3)
    assert set(controls(found)[0].split(";")) == {"A", "B", "D"}
    level = close(found.prices, "CONTROL-1")
    growth = wide.iloc[AT + 20] / wide.iloc[AT - 1]
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx(growth[["A", "B", "D"]].mean(), rel=1e-12)
    before = wide[["A", "B", "D"]].pct_change().mean(axis=1)
    np.testing.assert_allclose(level.pct_change().iloc[1:AT], before.iloc[1:AT], rtol=1e-10)


def test_distances_are_in_standard_deviations_and_within_limits_the_choice() -> None:
    prices = es.Prices.from_frame(walk())
    books = {"A": 0.5, "B": 2.0, "C": 0.9, "D": 1.0, "E": 0.55, "F": 0.5, "G": 0.5, "H": 0.5}
    table = sizes().assign(bm=[books[t] for t in FIRMS])
    both = control_firms(events(("A", AT)), prices, table, on=["size", "bm"], window=WINDOW)
    spread = table[["size", "bm"]].std(ddof=0)
    distance = (((table[["size", "bm"]] - table[["size", "bm"]].iloc[0]) / spread) ** 2).sum(axis=1).iloc[1:]
    assert controls(both) == [FIRMS[1 + int(distance.to_numpy().argmin())]]
    barber_lyon = control_firms(events(("A", AT)), prices, table, on=["bm"], window=WINDOW, within={"size": (0.7, 1.7)})
    assert controls(barber_lyon) == ["C"], "F to H have its book-to-market, but not its size"


def test_only_what_was_known_before_the_announcement_counts() -> None:
    prices = es.Prices.from_frame(walk())
    old = sizes().assign(date=DAYS[AT - 1])
    new = sizes(B=50.0, F=1.01).assign(date=DAYS[AT])
    later = control_firms(events(("A", AT)), prices, pd.concat([new, old]), on=["size"], window=WINDOW)
    assert controls(later) == ["B"], "rows of the day of the announcement are not known"
    next_day = control_firms(events(("A", AT + 1)), prices, pd.concat([new, old]), on=["size"], window=WINDOW)
    assert controls(next_day) == ["F"]
    with pytest.raises(es.InputError, match="no size of A is known before 2021-06-21"):
        control_firms(events(("A", AT)), prices, new, on=["size"], window=WINDOW)


@pytest.mark.thorough
def test_a_time_stamp_is_on_the_earlier_of_two_dates() -> None:
    """03:00 in Hong Kong is the day before in New York, whose figures of that evening are not known."""
    prices = es.Prices.from_frame(walk(), exchange="XNYS")
    stamped = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": ["2021-06-22T03:00+08:00"]}))
    dated = pd.concat([sizes().assign(date="2021-06-18"), sizes(F=1.01).assign(date="2021-06-21")])
    assert controls(control_firms(stamped, prices, dated, on=["size"], window=WINDOW)) == ["B"]


def test_firms_with_an_event_in_an_overlapping_window_are_no_controls() -> None:
    prices, table = es.Prices.from_frame(walk()), sizes()
    for day, wanted in ((AT + 20, "C"), (AT - 20, "C"), (AT + 21, "B"), (AT - 21, "B")):
        found = control_firms(events(("A", AT), ("B", day)), prices, table, on=["size"], window=WINDOW)
        assert controls(found)[0] == wanted, day


def test_the_own_firm_by_another_ticker_is_no_control() -> None:
    wide = walk().assign(A2=walk(5)["A"])
    both = events(("A", AT), ("A2", 20), firm=["Alpha", "Alpha"])
    found = control_firms(both, es.Prices.from_frame(wide), sizes(A2=1.0), on=["size"], window=WINDOW)
    assert controls(found)[0] == "B"


def test_a_control_without_further_prices_is_replaced_by_the_next_nearest() -> None:
    wide = walk(2)
    wide.loc[DAYS[AT + 5] :, "B"] = np.nan
    prices = es.Prices.from_frame(wide)
    found = control_firms(events(("A", AT)), prices, sizes(), on=["size"], window=WINDOW)
    level = close(found.prices, "CONTROL-1")
    wanted = wide["B"].iloc[AT + 4] / wide["B"].iloc[AT - 1] * wide["C"].iloc[AT + 20] / wide["C"].iloc[AT + 4]
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx(wanted, rel=1e-12)
    assert "B has no further return and is replaced by C on 2021-06-28" in said(found.prices, "CONTROL-1")
    lost = control_firms(events(("A", AT)), delisted(prices, {"B": -0.4}), sizes(), on=["size"], window=WINDOW)
    level = close(lost.prices, "CONTROL-1")
    with_loss = wanted * 0.6 * wide["C"].iloc[AT + 4] / wide["C"].iloc[AT + 5]
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx(with_loss, rel=1e-12)


def test_a_suspended_control_stays_and_one_without_a_price_before_the_window_is_not_chosen() -> None:
    wide = walk(3)
    wide.loc[DAYS[AT + 3] : DAYS[AT + 6], "B"] = np.nan
    found = control_firms(events(("A", AT)), es.Prices.from_frame(wide), sizes(), on=["size"], window=WINDOW)
    level = close(found.prices, "CONTROL-1")
    assert controls(found) == ["B"]
    assert (level.pct_change().iloc[AT + 3 : AT + 7] == 0).all()
    holding = wide["B"].iloc[AT + 20] / wide["B"].iloc[AT - 1]
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx(holding, rel=1e-12)
    wide.loc[DAYS[AT - 1], "B"] = np.nan
    found = control_firms(events(("A", AT)), es.Prices.from_frame(wide), sizes(), on=["size"], window=WINDOW)
    assert controls(found) == ["C"]


def test_before_the_window_the_nearest_with_a_return_count() -> None:
    wide = walk(4)
    wide.loc[: DAYS[AT - 10], "B"] = np.nan  # listed ten days before
    found = control_firms(events(("A", AT)), es.Prices.from_frame(wide), sizes(), on=["size"], window=WINDOW)
    r = close(found.prices, "CONTROL-1").pct_change()
    np.testing.assert_allclose(r.iloc[1 : AT - 9], wide["C"].pct_change().iloc[1 : AT - 9], rtol=1e-9)
    np.testing.assert_allclose(r.iloc[AT - 8 :], wide["B"].pct_change(fill_method=None).iloc[AT - 8 :], rtol=1e-9)


def test_an_event_without_a_match_is_excluded_with_a_reason() -> None:
    table = sizes().query("ticker != 'E'")
    many = events(("A", AT), ("E", AT), ("A", 0), ("ZZ", AT))
    found = control_firms(many, es.Prices.from_frame(walk()), table, on=["size"], window=WINDOW)
    notes = found.events.frame["control_note"].tolist()
    assert notes[0] == ""
    assert notes[1].startswith("no size of E is known")
    assert notes[2] == "no session is before its window"
    assert "there are no prices of ZZ" in notes[3]
    made = es.Study(**STUDY, benchmark="control").run(*found)
    assert made.events["status"].tolist()[:2] == ["ok", "no_benchmark"]
    assert "benchmark of 1 of 4 events" in found.prices.provenance["transformed"][-1]


def test_a_reference_portfolio_holds_the_group_of_the_firm() -> None:
    wide = walk(6)
    prices = es.Prices.from_frame(wide)
    halves = reference_portfolios(events(("A", AT)), prices, sizes(), groups={"size": 2}, window=WINDOW)
    assert halves.events.frame["reference_firms"].tolist() == ["B;C;D"]
    growth = wide.iloc[AT + 20] / wide.iloc[AT - 1]
    made = es.Study(**STUDY, benchmark="reference").run(*halves)
    assert made.cars["bhar"].iloc[0] == pytest.approx(growth["A"] - growth[["B", "C", "D"]].mean(), rel=1e-10)
    members, share = ["B", "C", "D"], np.array([1.1, 1.3, 1.6])
    by_size = reference_portfolios(
        events(("A", AT)), prices, sizes(), groups={"size": 2}, window=WINDOW, weights="size", name="bigger"
    )
    level = close(by_size.prices, "BIGGER-1")
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx((growth[members] @ share) / share.sum(), rel=1e-12)
    daily = reference_portfolios(
        events(("A", AT)), prices, sizes(), groups={"size": 2}, window=WINDOW, rebalance="daily"
    )
    r = wide[members].pct_change().mean(axis=1)
    np.testing.assert_allclose(close(daily.prices, "REFERENCE-1").pct_change().iloc[1:], r.iloc[1:], rtol=1e-9)


def test_groups_of_a_second_characteristic_divide_those_of_the_first() -> None:
    table = sizes().assign(bm=[1.0, 2.0, 1.1, 2.1, 9.0, 8.0, 7.0, 6.0])
    found = reference_portfolios(
        events(("A", AT)), es.Prices.from_frame(walk()), table, groups={"size": 2, "bm": 2}, window=WINDOW
    )
    assert found.events.frame["reference_firms"].tolist() == ["C"]


def test_a_member_that_leaves_a_held_portfolio_leaves_its_value_to_the_others() -> None:
    wide = walk(7)
    wide.loc[DAYS[AT + 5] :, "B"] = np.nan
    found = reference_portfolios(
        events(("A", AT)), es.Prices.from_frame(wide), sizes(), groups={"size": 2}, window=WINDOW
    )
    level = close(found.prices, "REFERENCE-1")
    held = wide[["B", "C", "D"]] / wide[["B", "C", "D"]].iloc[AT - 1]
    until = held.iloc[AT + 4].sum()
    after = held[["C", "D"]].iloc[AT + 20].sum() / held[["C", "D"]].iloc[AT + 4].sum()
    assert level.iloc[AT + 20] / level.iloc[AT - 1] == pytest.approx(until / 3 * after, rel=1e-12)
    assert "1 of its 3 firms have no price on some later date" in said(found.prices, "REFERENCE-1")


def test_events_of_a_date_and_group_have_one_benchmark() -> None:
    many = events(("A", AT), ("B", AT), ("H", AT))
    found = reference_portfolios(many, es.Prices.from_frame(walk()), sizes(), groups={"size": 2}, window=WINDOW)
    assert found.events.frame["reference"].tolist() == ["REFERENCE-1", "REFERENCE-1", "REFERENCE-2"]
    assert [*found.prices.bars][len(FIRMS) :] == ["REFERENCE-1", "REFERENCE-2"]


def test_only_securities_of_the_same_calendar_and_currency_are_compared() -> None:
    frame = walk().rename(columns={"B": "0700.HK"})
    prices = es.Prices.from_frame(frame, exchange={"0700.HK": "XHKG"} | dict.fromkeys(set(FIRMS) - {"B"}, "XNYS"))
    found = control_firms(events(("A", AT)), prices, sizes(**{"0700.HK": 1.0}), on=["size"], window=WINDOW)
    assert controls(found) == ["C"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on": []}, "on is"),
        ({"on": "size"}, "on is"),
        ({"on": ["sise"]}, "no column 'sise'"),
        ({"window": (5, 0)}, "window has"),
        ({"n": 0}, "n is"),
        ({"n": 9}, "7 firms can be its controls; 9 are needed"),
        ({"name": "ticker"}, "have a column ticker"),
        ({"name": "my control"}, "name is 'my control'"),
        ({"within": {"size": (1.2, 2)}}, "within is"),
        ({"within": {"bm": (0.7, 1.3)}}, "no column 'bm'"),
        ({"characteristics": sizes(B=np.inf)}, r"size of B is inf in row 2"),
        ({"characteristics": sizes().astype({"size": object}).replace(1.1, "big")}, "size of B is 'big' in row 2"),
        ({"characteristics": pd.concat([sizes(), sizes()])}, "two rows of A, and no column date"),
        ({"characteristics": sizes().assign(ticker=range(8))}, "ticker is 0 in row 1"),
        ({"characteristics": sizes().head(0)}, "have no rows"),
        ({"characteristics": {"A": 1}}, "of type dict"),
        ({"events": "A"}, "events"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    given = {
        "events": events(("A", AT)), "prices": es.Prices.from_frame(walk()), "characteristics": sizes(), "on": ["size"],
        "window": WINDOW,
    }  # fmt: skip
    with pytest.raises(es.InputError, match=message):
        control_firms(**{**given, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": {}}, "groups is"),
        ({"groups": {"size": 0}}, "groups of size"),
        ({"groups": {"size": 8}}, "no other firm is in its group"),
        ({"rebalance": "monthly"}, "rebalance"),
        ({"weights": "value"}, "no column 'value'"),
        ({"characteristics": sizes(B=-1.0), "weights": "size"}, "size of B is -1"),
    ],
)
def test_what_makes_no_portfolio_is_refused(change: dict[str, Any], message: str) -> None:
    given = {
        "events": events(("A", AT)), "prices": es.Prices.from_frame(walk()), "characteristics": sizes(),
        "groups": {"size": 2}, "window": WINDOW,
    }  # fmt: skip
    with pytest.raises(es.InputError, match=message):
        reference_portfolios(**{**given, **change})


def test_the_input_is_not_changed_and_other_frames_are_read() -> None:
    polars = pytest.importorskip("polars")
    prices, sample = es.Prices.from_frame(walk()), events(("A", AT))
    found = control_firms(sample, prices, polars.from_pandas(sizes()), on=["size"], window=WINDOW)
    assert controls(found) == ["B"]
    assert [*prices.bars] == FIRMS
    assert "control" not in sample.frame
