"""Prices of several currencies in one: by hand, date by date, on real prices and on made ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.bars import Bars
from eventstudy.errors import InputError

WINDOWS: dict[str, Any] = {
    "estimation": (-60, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 1), (2, 4)), "min_estimation": 30,
    "tests": ["cross_section"], "benchmark": "M",
}  # fmt: skip
DATES = pd.bdate_range("2020-01-01", periods=150)
DAYS = DATES.to_numpy().astype("datetime64[D]")


def made(
    currencies: dict[str, str | None], rates: dict[str, np.ndarray], mic: str | None = None, seed: int = 3
) -> es.Prices:
    """Draw a price for each ticker with a currency; rates as they are, NaN left out."""
    rng = np.random.default_rng(seed)
    bars = {}
    for name, currency in currencies.items():
        close = 100 * np.cumprod(1 + 0.02 * rng.standard_normal(len(DAYS)))
        fields = {"close": close, "adjusted": 0.9 * close, "open": 0.99 * close, "volume": np.full(len(close), 1e6)}
        bars[name] = Bars(name, DAYS, fields, mic, currency)
    for name, values in rates.items():
        there = np.isfinite(values)
        bars[name] = Bars(name, DAYS[there], {"close": values[there]}, None if mic is None else "FX", None)
    return es.Prices(bars)


def rate(seed: int, level: float = 7.8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(level * np.cumprod(1 + 0.005 * rng.standard_normal(len(DAYS))))


def events(rows: list[tuple[str, int]]) -> es.Events:
    frame = pd.DataFrame({"ticker": [t for t, _ in rows], "announced": [str(DATES[d].date()) for _, d in rows]})
    return es.Events.from_frame(frame)


def returns(its: es.Prices, name: str) -> pd.Series:
    frame: pd.DataFrame = its.frame(name)
    return frame["adjusted"].pct_change(fill_method=None)


def ar_by_hand(r: pd.Series, m: pd.Series, day: int) -> pd.Series:
    """Give the abnormal returns of the market model over the event window, by statsmodels."""
    frame = pd.DataFrame({"r": r, "m": m}).reset_index(drop=True)
    before = frame.iloc[day - 60 : day - 5].dropna()
    fit = sm.OLS(before["r"], sm.add_constant(before["m"])).fit()
    after = frame.iloc[day - 5 : day + 6]
    made: pd.Series = after["r"] - fit.predict(sm.add_constant(after["m"], has_constant="add"))
    return made.set_axis(range(-5, 6))


@pytest.mark.thorough
def test_dollar_returns_of_hong_kong_are_a_merge_by_date(shared: Path) -> None:
    folder = shared / "data" / "prices"
    its = es.fetch_prices(["9988.HK", "^HSI", "HKD=X"], "2019-01-01", "2022-12-30", source="folder", path=folder)
    given = es.Events.from_frame(pd.DataFrame({"ticker": ["9988.HK"], "announced": ["2021-04-12"]}))
    study = es.Study(benchmark="^HSI", currency="USD", windows=((0, 0), (-5, 5)), tests=["cross_section"])
    found = study.run(given, its)
    frames = {
        name: pd.read_csv(folder / file, index_col="Date", parse_dates=True)
        for name, file in (("own", "9988.HK.csv"), ("index", "HSI.csv"), ("rate", "HKD_X.csv"))
    }
    level = pd.DataFrame({name: frame["Adj Close"] for name, frame in frames.items()}).dropna(subset=["index"])
    dollars = level[["own", "index"]].div(level["rate"], axis=0).pct_change(fill_method=None)
    day = dollars.index.get_loc(pd.Timestamp("2021-04-12"))
    before, after = dollars.iloc[day - 260 : day - 10].dropna(), dollars.iloc[day - 10 : day + 11]
    fit = sm.OLS(before["own"], sm.add_constant(before["index"])).fit()
    ar = after["own"] - fit.predict(sm.add_constant(after["index"]))
    np.testing.assert_allclose(found.ar.iloc[0], ar, atol=1e-12)
    np.testing.assert_allclose(found.events[["alpha", "beta"]].iloc[0].astype(float), fit.params, rtol=1e-9)
    local = replace(study, currency=None).run(given, its)
    assert np.abs(local.ar.iloc[0] - found.ar.iloc[0]).max() > 1e-5, "the rate moves, if within its band"
    pd.testing.assert_frame_equal(found.reactions, local.reactions)
    quoted = level["own"].pct_change().iloc[day]
    np.testing.assert_allclose(found.reactions["close"].iloc[0], quoted, rtol=1e-9)
    assert any("no rate from HKD to USD" in note for note in found.provenance["notes"])
    assert found.provenance["settings"]["currency"] == "USD"


@pytest.mark.parametrize(
    ("own", "currency", "rates", "wanted"),
    [
        ("HKD", "USD", {"HKD=X": 1}, lambda r: 1 / r["HKD=X"]),
        ("HKD", "USD", {"USDHKD=X": 1}, lambda r: 1 / r["USDHKD=X"]),
        ("HKD", "USD", {"HKDUSD=X": 1}, lambda r: r["HKDUSD=X"]),
        ("USD", "HKD", {"HKD=X": 1}, lambda r: r["HKD=X"]),
        ("EUR", "GBP", {"EURGBP=X": 1}, lambda r: r["EURGBP=X"]),
        ("EUR", "GBP", {"GBPEUR=X": 1}, lambda r: 1 / r["GBPEUR=X"]),
        ("EUR", "GBP", {"EUR=X": 1, "GBP=X": 2}, lambda r: r["GBP=X"] / r["EUR=X"]),
        ("EUR", "GBP", {"EURUSD=X": 1, "GBPUSD=X": 2}, lambda r: r["EURUSD=X"] / r["GBPUSD=X"]),
        ("EUR", "GBP", {"EURUSD=X": 1, "GBP=X": 2, "EURGBP=X": 4}, lambda r: r["EURGBP=X"]),
        ("GBp", "USD", {"GBPUSD=X": 1}, lambda r: r["GBPUSD=X"] / 100),
        ("GBX", "GBP", {}, lambda r: 0.01),
        ("ZAc", "USD", {"ZAR=X": 1}, lambda r: 0.01 / r["ZAR=X"]),
    ],
)
def test_rates_direct_inverse_crossed_and_of_pence(own: str, currency: str, rates: dict[str, int], wanted: Any) -> None:
    from eventstudy.prepare.currency import convert_prices

    given = {name: rate(seed) for name, seed in rates.items()}
    its = made({"A": own}, given)
    found = convert_prices(its, currency).prices
    assert found.bars["A"].currency == currency
    for name in ("close", "adjusted", "open"):
        np.testing.assert_allclose(found.bars["A"].fields[name], its.bars["A"].fields[name] * wanted(given), rtol=1e-14)
    np.testing.assert_array_equal(found.bars["A"].fields["volume"], its.bars["A"].fields["volume"])


@pytest.mark.thorough
def test_pence_and_pounds_make_the_same_returns() -> None:
    rates = {"GBP=X": rate(1, 0.8)}
    pence, pounds = (made({"A": unit, "M": "USD"}, rates) for unit in ("GBp", "GBP"))
    study, given = es.Study(**WINDOWS, currency="USD"), events([("A", 100)])
    pd.testing.assert_frame_equal(study.run(given, pence).ar, study.run(given, pounds).ar, rtol=1e-12)
    r = returns(pounds, "A").add(1) / pd.Series(rates["GBP=X"], DATES).pct_change().add(1) - 1
    np.testing.assert_allclose(study.run(given, pence).ar.iloc[0], ar_by_hand(r, returns(pounds, "M"), 100), atol=1e-12)


@pytest.mark.parametrize("mic", [None, "XHKG"])
def test_a_session_without_a_rate_stays_a_session_and_loses_its_events(mic: str | None) -> None:
    dates = es.markets.sessions("XHKG")[0]
    global_days = pd.DatetimeIndex(dates[(dates >= np.datetime64("2020-01-01"))][:150])
    lost = 100
    values = rate(1)
    values[lost] = np.nan
    bars = {
        name: replace(b, dates=global_days.to_numpy().astype("datetime64[D]")[: len(b.dates)])
        if name != "HKD=X"
        else replace(b, dates=np.delete(global_days.to_numpy().astype("datetime64[D]"), lost))
        for name, b in made({"A": "HKD", "B": "HKD", "C": "USD", "M": "HKD"}, {"HKD=X": values}, mic).bars.items()
    }
    its = es.Prices(bars)
    rows = [("A", lost), ("B", lost + 1), ("A", lost + 3), ("C", lost), ("B", lost - 20)]
    frame = pd.DataFrame({
        "ticker": [t for t, _ in rows], "announced": [str(global_days[d].date()) for _, d in rows]
    })  # fmt: skip
    found = es.Study(**WINDOWS, currency="USD").run(es.Events.from_frame(frame), its)
    status = found.events["status"].tolist()
    assert status == ["no_fx", "ok", "ok", "ok", "ok"]
    assert found.events["reason"].iloc[0] == f"no exchange rate on {global_days[lost].date()}"
    assert (found.events["session"] == [global_days[d] for _, d in rows]).all(), "the session is still one"
    # The next session's return needs the rate of this one: it is missing, and nothing spans the gap.
    assert found.ar.loc["E0002", [-1, 0]].isna().all()
    assert found.ar.loc["E0002", [-2, 1, 2]].notna().all()
    assert found.ar.loc["E0003", [-3, -2]].isna().all()
    cars = found.cars.set_index(["event_id", "start"])["car"]
    assert np.isnan(cars["E0002", 0])
    assert np.isfinite(cars["E0002", 2])
    few = found.attrition.set_index("reason")["n"]
    assert few["no_fx"] == 1
    assert few["ok, but a day is missing in (0, 0)"] == 2, "B after the date, and C, whose benchmark has no rate"
    assert any("A: no rate from HKD to USD on 1 of its dates" in note for note in found.provenance["notes"])
    assert not any("taken as closed" in note for note in found.provenance["notes"])


def test_rates_that_begin_after_an_event_lose_it_as_no_fx() -> None:
    values = rate(1)
    values[:80] = np.nan
    its = made({"A": "HKD", "M": "USD"}, {"HKD=X": values})
    found = es.Study(**WINDOWS, currency="USD").check(events([("A", 70), ("A", 140), ("A", 90)]), its)
    assert found["status"].tolist() == ["no_fx", "ok", "too_few_estimation"]


def test_rates_on_holidays_make_no_sessions() -> None:
    its = made({"A": "HKD", "M": "HKD"}, {})
    weekend = np.arange(DAYS[0], DAYS[-1] + np.timedelta64(1, "D"))
    bars = {**its.bars, "HKD=X": Bars("HKD=X", weekend, {"close": np.full(len(weekend), 7.8)}, None, None)}
    with_rates = es.Study(**WINDOWS, currency="USD").run(events([("A", 100)]), es.Prices(bars))
    local = es.Study(**WINDOWS).run(events([("A", 100)]), its)
    pd.testing.assert_frame_equal(with_rates.ar, local.ar, rtol=1e-12)


@pytest.mark.parametrize(
    ("currencies", "rates", "currency", "words"),
    [
        (
            {"A": "HKD", "M": "USD"},
            {},
            "USD",
            "no rate from HKD to USD.*HKDUSD=X, USDHKD=X, or the rate to the dollar, HKD=X$",
        ),
        (
            {"A": "EUR", "M": "EUR"},
            {"EUR=X": 1},
            "GBP",
            "no rate from EUR to GBP.*EURGBP=X, GBPEUR=X, or the rates to the dollar, EUR=X and GBP=X$",
        ),
        ({"A": None, "M": "USD"}, {}, "USD", "that of A is not known"),
        ({"A": "USD", "M": "USD"}, {}, "usd", "currency is 'usd'; give a code of three capital letters"),
        ({"A": "USD", "M": "USD"}, {}, "dollars", "currency is 'dollars'"),
    ],
)
def test_what_cannot_be_expressed(
    currencies: dict[str, str | None], rates: dict[str, int], currency: str, words: str
) -> None:
    its = made(currencies, {name: rate(seed) for name, seed in rates.items()})
    with pytest.raises(InputError, match=words):
        es.Study(**WINDOWS, currency=currency).check(events([("A", 100)]), its)


def test_prices_are_not_changed() -> None:
    its = made({"A": "HKD", "M": "HKD"}, {"HKD=X": rate(1)})
    before = its.bars["A"].fields["close"].copy()
    es.Study(**WINDOWS, currency="USD").run(events([("A", 100)]), its)
    np.testing.assert_array_equal(its.bars["A"].fields["close"], before)


def test_no_event_with_a_rate_leaves_empty_frames() -> None:
    values = np.full(len(DAYS), np.nan)
    values[:3] = 7.8
    its = made({"A": "HKD", "M": "HKD"}, {"HKD=X": values})
    found = es.Study(**WINDOWS, currency="USD").run(events([("A", 100), ("A", 120)]), its)
    assert found.events["status"].tolist() == ["no_fx", "no_fx"]
    assert found.cars.empty
    assert found.ar.empty
