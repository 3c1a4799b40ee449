"""Volume, turnover, a series of one's own and volatility in the place of returns, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.bars import Bars
from eventstudy.errors import InputError
from tests.prepare.plain import DATES, events

WINDOWS: dict[str, Any] = {
    "estimation": (-60, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 3)), "min_estimation": 30,
    "tests": ["cross_section"], "benchmark": "M",
}  # fmt: skip
DAYS = DATES.to_numpy().astype("datetime64[D]")
NAMES = ("A", "B", "C", "M")
ROWS = [("A", 100), ("B", 110), ("C", 150)]


def prices(zero: tuple[int, ...] = (), shares: bool = False, seed: int = 2) -> es.Prices:
    rng = np.random.default_rng(seed)
    bars = {}
    market = rng.standard_normal(len(DAYS))
    for name in NAMES:
        close = 100 * np.cumprod(1 + 0.02 * rng.standard_normal(len(DAYS)))
        volume = np.round(np.exp(12 + 0.3 * market + 0.4 * rng.standard_normal(len(DAYS))))
        volume[list(zero)] = 0.0 if name == "A" else volume[list(zero)]
        fields = {"close": close, "volume": volume}
        if shares:
            fields["shares"] = np.full(len(DAYS), 1e8) * np.where(np.arange(len(DAYS)) < 95, 1.0, 2.0)
            fields["shares"][3] = 0.0
        bars[name] = Bars(name, DAYS, fields, None, "USD")
    return es.Prices(bars)


def by_hand(y: pd.Series, x: pd.Series | None, day: int) -> tuple[pd.Series, pd.Series, float]:
    """Give coefficients, abnormal values of the event window, and sigma, by statsmodels."""
    frame = pd.DataFrame({"const": 1.0, "y": y} if x is None else {"const": 1.0, "x": x, "y": y}).reset_index(drop=True)
    before, after = frame.iloc[day - 60 : day - 5].dropna(), frame.iloc[day - 5 : day + 6]
    fit = sm.OLS(before["y"], before.drop(columns="y")).fit()
    made = after["y"] - fit.predict(after.drop(columns="y"))
    return fit.params, made.set_axis(range(-5, 6)), float(np.sqrt(fit.scale))


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("model", ["mean", "market"])
def test_log_volume_and_log_turnover(model: str, shares: bool) -> None:
    its = prices((60, 80, 101), shares)
    found = es.Study(**WINDOWS, model=model, outcome="volume").run(events(ROWS), its)
    levels = {}
    for name in NAMES:
        frame = its.frame(name)
        traded = frame["volume"].where(frame["volume"] > 0) / (
            frame["shares"].where(frame["shares"] > 0) if shares else 1
        )
        levels[name] = np.log(traded)
    for event, (ticker, day) in zip(found.events.index, ROWS, strict=True):
        params, ar, sigma = by_hand(levels[ticker], levels["M"] if model == "market" else None, day)
        row = found.events.loc[event]
        np.testing.assert_allclose(
            row[["alpha", *(["beta"] if model == "market" else [])]].astype(float), params, rtol=1e-9
        )
        np.testing.assert_allclose(row["sigma"], sigma, rtol=1e-10)
        np.testing.assert_allclose(found.ar.loc[event], ar, atol=1e-11)
    assert found.events["n_estimation"].tolist() == [53, 55, 55]
    assert np.isnan(found.ar.loc["E0", 1]), "a day without trade has no volume"
    assert np.isnan(found.cars.set_index(["event_id", "start"]).loc[("E0", -1), "car"])


def test_check_counts_as_run_does() -> None:
    study, its = es.Study(**WINDOWS, outcome="volume"), prices((60, 80, 101))
    assert study.check(events(ROWS), its)["n_estimation"].tolist() == study.run(events(ROWS), its).events[
        "n_estimation"
    ].tolist()  # fmt: skip


def test_an_event_outside_of_the_series_is_lost_whatever_its_prices() -> None:
    its = prices()
    volume = its.bars["A"].fields["volume"].copy()
    volume[:101] = np.nan
    bars = dict(its.bars)
    bars["A"] = Bars("A", DAYS, {**bars["A"].fields, "volume": volume}, None, "USD")
    bars["B"] = Bars("B", DAYS, {"close": bars["B"].fields["close"]}, None, "USD")
    found = es.Study(**WINDOWS, model="mean", outcome="volume").run(events(ROWS), es.Prices(bars))
    assert found.events["status"].tolist() == ["no_price", "no_price", "ok"]
    assert found.events["reason"].tolist()[:2] == [
        f"its first volume is on {DAYS[101]}, after the event", "it has no volume at all",
    ]  # fmt: skip


def test_a_benchmark_without_volume_is_no_benchmark() -> None:
    its = prices()
    bars = {**its.bars, "M": Bars("M", DAYS, {"close": its.bars["M"].fields["close"]}, None, "USD")}
    found = es.Study(**WINDOWS, outcome="volume").check(events(ROWS), es.Prices(bars))
    assert set(found["status"]) == {"no_benchmark"}
    assert set(found["reason"]) == {"its benchmark M has no volume at all"}
    assert set(es.Study(**WINDOWS, model="mean", outcome="volume").check(events(ROWS), es.Prices(bars))["status"]) == {
        "ok"
    }


@pytest.mark.parametrize("model", ["mean", "market"])
def test_a_series_of_ones_own_is_taken_as_it_stands(model: str) -> None:
    rng = np.random.default_rng(5)
    spread = pd.DataFrame(0.01 + 0.002 * rng.standard_normal((len(DAYS), 4)), index=DATES, columns=list(NAMES))
    spread.iloc[70, 0] = np.nan
    its = es.transform.attach(prices(), "spread", spread)
    found = es.Study(**WINDOWS, model=model, outcome="spread").run(events(ROWS), its)
    assert (found.events["status"] == "ok").all()
    for event, (ticker, day) in zip(found.events.index, ROWS, strict=True):
        _, ar, sigma = by_hand(spread[ticker], spread["M"] if model == "market" else None, day)
        np.testing.assert_allclose(found.ar.loc[event], ar, atol=1e-14)
        np.testing.assert_allclose(found.events.loc[event, "sigma"], sigma, rtol=1e-10)
    assert found.events["n_estimation"].tolist() == [54, 55, 55]
    moves = es.Study(**WINDOWS).run(events(ROWS), its).reactions
    pd.testing.assert_series_equal(found.reactions["close"], moves["close"])


def test_volumes_are_not_converted_and_an_unused_rate_loses_nothing_else() -> None:
    its = prices()
    local = es.Study(**WINDOWS, outcome="volume").run(events(ROWS), its)
    same = es.Study(**WINDOWS, outcome="volume", currency="USD").run(events(ROWS), its)
    pd.testing.assert_frame_equal(local.ar, same.ar)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"outcome": "spread"}, "outcome.*'spread'.*return.*volatility.*close.*volume"),
        ({"outcome": "volume", "price": "open"}, "price is 'open', and outcome is 'volume'; use 'close'"),
        ({"outcome": "volume", "accumulate": "compound"}, "outcome is 'volume'; only returns compound"),
        ({"outcome": "volatility", "accumulate": "compound"}, "outcome is 'volatility'; only returns compound"),
        ({"accumulate": "compound", "returns": "log"}, "simple returns compound, log returns add"),
        ({"accumulate": "multiply"}, "accumulate.*'multiply'.*sum.*compound"),
    ],
)
def test_an_outcome_that_is_none(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        es.Study(**{**WINDOWS, **choices}).check(events(ROWS), prices())


def test_volatility_is_the_excess_of_the_squared_standardised_return() -> None:
    its = prices()
    found = es.Study(**WINDOWS, outcome="volatility").run(events(ROWS), its)
    moves = pd.DataFrame({n: its.frame(n)["close"].pct_change() for n in NAMES}).reset_index(drop=True)
    for event, (ticker, day) in zip(found.events.index, ROWS, strict=True):
        x = sm.add_constant(moves["M"])
        fit = sm.OLS(moves[ticker][day - 60 : day - 5], x[day - 60 : day - 5]).fit()
        after = fit.get_prediction(x[day - 5 : day + 6])
        z = (moves[ticker][day - 5 : day + 6] - after.predicted_mean) / after.se_obs
        d = fit.df_resid
        np.testing.assert_allclose(found.ar.loc[event], (d - 2) / d * z**2 - 1, atol=1e-11)
        row = found.events.loc[event]
        np.testing.assert_allclose(row[["alpha", "beta"]].astype(float), fit.params, rtol=1e-9)
        np.testing.assert_allclose(row["r2"], fit.rsquared, rtol=1e-9)
        car = found.cars.set_index(["event_id", "start"]).loc[event]
        np.testing.assert_allclose(car.loc[-1, "car"], ((d - 2) / d * z**2 - 1)[4:9].sum(), rtol=1e-9)
        np.testing.assert_array_equal(car["df"], 54)


def test_no_usable_event_leaves_empty_frames() -> None:
    for choices in ({"outcome": "volume"}, {"outcome": "volatility"}, {"accumulate": "compound"}):
        found = es.Study(**{**WINDOWS, **choices}).run(events([("NOBODY", 100)]), prices())
        assert found.events["status"].tolist() == ["unknown_ticker"]
        assert found.cars.empty
        assert found.tests["n"].tolist() == [0, 0]
        assert ("bhar" in found.cars) == ("accumulate" in choices)


@pytest.mark.thorough
def test_one_event_is_enough_for_its_own_numbers() -> None:
    for choices in ({"outcome": "volume"}, {"outcome": "volatility"}, {"accumulate": "compound"}):
        found = es.Study(**{**WINDOWS, **choices, "tests": "default"}).run(events(ROWS[:1]), prices())
        assert found.events["status"].tolist() == ["ok"]
        assert found.cars["p"].between(0, 1).all()
        assert found.tests["note"].ne("").all()
