"""Prices with gaps, from prices to result: returns that span them, by hand and by statsmodels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.errors import InputError
from tests.prepare.plain import DATES, events, prices

WINDOWS: dict[str, Any] = {
    "estimation": (-90, -6), "event": (-5, 5), "windows": ((-5, 5), (0, 0)), "min_estimation": 20,
    "min_coverage": 0.1, "tests": ["cross_section"], "benchmark": "M", "model": "trade_to_trade",
}  # fmt: skip
N = 6


def thin(seed: int = 1) -> es.Prices:
    """Take away some third of the prices, also in runs, and two of the benchmark."""
    rng = np.random.default_rng(seed)
    names = [*(f"S{i}" for i in range(N)), "M"]
    close = pd.DataFrame({name: bars.fields["close"] for name, bars in prices(names, seed=seed).bars.items()})
    holes = rng.random(close.shape) < 0.3
    holes[40:48, 2] = True
    holes[:, -1] = False
    holes[[30, 120], -1] = True
    return es.Prices.from_frame(close.mask(holes).set_axis(DATES))


ROWS = [(f"S{i}", 100 + 7 * i) for i in range(N)]


def by_hand(its: es.Prices, ticker: str, day: int) -> pd.DataFrame:
    """Give the returns between prices (index: position of the second), the sessions and the benchmark's sum."""
    price, market = (its.frame(name)["close"].reset_index(drop=True) for name in (ticker, "M"))
    step = market.pct_change(fill_method=None)
    seen = price.dropna()
    rows = {}
    for before, at in zip(seen.index[:-1], seen.index[1:], strict=True):
        rows[at] = (seen[at] / seen[before] - 1, at - before, step[before + 1 : at + 1].sum(skipna=False))
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["r", "sessions", "market"]).dropna()
    return frame.set_axis(frame.index - day, axis=0)


def test_trade_to_trade_is_weighted_least_squares_of_statsmodels_from_prices_with_gaps() -> None:
    its = thin()
    made = es.Study(**WINDOWS).run(events(ROWS), its)
    assert (made.events["status"] == "ok").all()
    for event, (ticker, day) in zip(made.events.index, ROWS, strict=True):
        frame = by_hand(its, ticker, day)
        assert frame["sessions"].max() >= 3
        before = frame.loc[-90:-6]
        fit = sm.WLS(before["r"], before[["sessions", "market"]], weights=1 / before["sessions"]).fit()
        after = frame.loc[-5:5]
        ar = after["r"] - fit.predict(after[["sessions", "market"]])
        row = made.events.loc[event]
        assert row["n_estimation"] == len(before)
        np.testing.assert_allclose(row[["alpha", "beta"]].astype(float), fit.params, rtol=1e-9)
        np.testing.assert_allclose(row["sigma"], np.sqrt(fit.scale), rtol=1e-10)
        shown = made.ar.loc[event].dropna()
        assert shown.index.tolist() == after.index.tolist()
        np.testing.assert_allclose(shown, ar, atol=1e-13)
        car = made.cars[made.cars["event_id"] == event].iloc[0]
        total = after[["sessions", "market"]].sum().to_numpy()
        var = fit.scale * (after["sessions"].sum() + total @ fit.normalized_cov_params.to_numpy() @ total)
        np.testing.assert_allclose([car["car"], car["se"]], [ar.sum(), np.sqrt(var)], rtol=1e-9)
        assert car["n_days"] == len(after)


@pytest.mark.thorough
@pytest.mark.parametrize("choice", [{}, {"model": "market", "gaps": "span"}])
def test_what_an_event_has_does_not_hang_on_the_other_events(choice: dict[str, Any]) -> None:
    its, study = thin(), es.Study(**{**WINDOWS, **choice})
    together = study.run(events(ROWS), its)
    for event, row in zip(together.events.index, ROWS, strict=True):
        alone = study.run(events([row]), its).events.iloc[0]
        for name in ("n_estimation", "beta", "sigma"):
            assert alone[name] == pytest.approx(together.events.loc[event, name], rel=1e-12), name


def test_check_counts_the_days_that_run_uses() -> None:
    study, its = es.Study(**WINDOWS), thin()
    checked, made = study.check(events(ROWS), its), study.run(events(ROWS), its)
    assert checked["n_estimation"].tolist() == made.events["n_estimation"].tolist()


def test_a_sum_of_levels_is_refused() -> None:
    frame = {
        name: es.bars.Bars(name, b.dates, {**b.fields, "volume": b.fields["close"]}) for name, b in thin().bars.items()
    }
    with pytest.raises(InputError, match="outcome is 'volume', and the model sums returns"):
        es.Study(**WINDOWS, outcome="volume").check(events(ROWS), es.Prices(frame))


def span_by_hand(closes: pd.DataFrame, ticker: str, day: int, returns: str) -> pd.DataFrame:
    """Give the returns of ticker and benchmark between the days on which both have a price (index: relative day)."""
    both = closes[[ticker, "M"]].reset_index(drop=True).dropna()
    ratio = both / both.shift()
    moved = np.log(ratio) if returns == "log" else ratio - 1
    return moved.set_axis(["r", "market"], axis=1).dropna().set_axis(both.index[1:] - day, axis=0)


@pytest.mark.parametrize("returns", ["simple", "log"])
@pytest.mark.parametrize("model", ["market", "market_adjusted"])
def test_span_compares_over_the_same_days_as_statsmodels_on_common_prices(returns: str, model: str) -> None:
    its = thin()
    closes = pd.DataFrame({name: its.frame(name)["close"] for name in its.tickers})
    made = es.Study(**{**WINDOWS, "model": model}, gaps="span", returns=returns).run(events(ROWS), its)
    assert (made.events["status"] == "ok").all()
    for event, (ticker, day) in zip(made.events.index, ROWS, strict=True):
        frame = span_by_hand(closes, ticker, day, returns)
        before, after = frame.loc[-90:-6], frame.loc[-5:5]
        normal = after["market"]
        if model == "market":
            fit = sm.OLS(before["r"], sm.add_constant(before["market"])).fit()
            normal = fit.params["const"] + fit.params["market"] * after["market"]
            np.testing.assert_allclose(made.events.loc[event, "beta"], fit.params["market"], rtol=1e-9)
        assert made.events.loc[event, "n_estimation"] == len(before)
        shown = made.ar.loc[event].dropna()
        assert shown.index.tolist() == after.index.tolist()
        np.testing.assert_allclose(shown, after["r"] - normal, atol=1e-12)
    assert any("same gap" in note for note in made.provenance["notes"])


@pytest.mark.thorough
def test_span_compounds_factors_over_the_gap() -> None:
    its = thin()
    closes = pd.DataFrame({name: its.frame(name)["close"] for name in its.tickers})
    rng = np.random.default_rng(3)
    factor = pd.DataFrame({"F": 0.01 * rng.standard_normal(len(DATES))}, index=DATES)
    factor.iloc[[60, 104], 0] = np.nan
    choices = {**WINDOWS, "model": es.model("factors", names=["F"]), "gaps": "span"}
    made = es.Study(**{**choices, "benchmark": None}).run(events(ROWS), its, factors=factor)
    level = (1 + factor["F"].fillna(0)).cumprod().to_numpy()
    for event, (ticker, day) in zip(made.events.index, ROWS, strict=True):
        price = closes[ticker].reset_index(drop=True).dropna()
        rows = {}
        for then, now in zip(price.index[:-1], price.index[1:], strict=True):
            if factor["F"].iloc[then + 1 : now + 1].notna().all():
                rows[now - day] = (price[now] / price[then] - 1, level[now] / level[then] - 1)
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["r", "F"])
        before, after = frame.loc[-90:-6], frame.loc[-5:5]
        fit = sm.OLS(before["r"], sm.add_constant(before["F"])).fit()
        assert made.events.loc[event, "n_estimation"] == len(before)
        np.testing.assert_allclose(made.events.loc[event, "F"], fit.params["F"], rtol=1e-9)
        ar = after["r"] - fit.params["const"] - fit.params["F"] * after["F"]
        shown = made.ar.loc[event].dropna()
        assert shown.index.tolist() == after.index.tolist()
        np.testing.assert_allclose(shown, ar, atol=1e-12)


def test_a_halt_in_a_falling_market_is_no_reaction() -> None:
    """Claim of the guide: a halt of five sessions, the market -10 % on its first day, the share as well."""
    its = prices(["S", "M"], seed=4)
    closes = pd.DataFrame({name: bars.fields["close"] for name, bars in its.bars.items()}, index=DATES)
    closes.iloc[150:, 1] *= 0.9
    level = closes.to_numpy(copy=True)
    level[155, 0] = level[149, 0] * level[155, 1] / level[149, 1]
    closes = pd.DataFrame(level, index=DATES, columns=["S", "M"])
    closes.iloc[150:155, 0] = np.nan
    halted = es.Prices.from_frame(closes)
    made = es.Study(**{**WINDOWS, "model": "market_adjusted", "windows": ((0, 0),)}, gaps="span").run(
        events([("S", 155)]), halted
    )
    np.testing.assert_allclose(made.ar.loc["E0", 0], 0.0, atol=1e-12)


class TestSuspended:
    """A share without a price from day 150 to 154, with a fall at its next trade."""

    CHOICES: ClassVar[dict[str, Any]] = {
        **WINDOWS,
        "model": "market_adjusted",
        "windows": ((0, 0), (0, 2)),
        "min_coverage": 1.0,
    }

    def closes(self, length: int = 5) -> pd.DataFrame:
        its = prices(["S", "A", "M"], seed=7)
        closes = pd.DataFrame({name: bars.fields["close"] for name, bars in its.bars.items()}, index=DATES)
        closes.iloc[150 + length :, 0] *= 0.6
        closes.iloc[150 : 150 + length, 0] = np.nan
        return closes

    @pytest.mark.thorough
    def test_an_event_that_cannot_be_measured_has_a_status_and_stops_no_other(self) -> None:
        prices_ = es.Prices.from_frame(self.closes())
        study = es.Study(**self.CHOICES)
        made = study.run(events([("S", 150), ("A", 150)]), prices_)
        assert made.events["status"].tolist() == ["suspended", "ok"]
        assert "no return on the event day" in made.events["reason"].iloc[0]
        assert made.cars["event_id"].unique().tolist() == ["E1"]
        assert dict(made.attrition.to_numpy()) == {"suspended": 1, "ok": 1}
        returns = prices_.frame("S")["close"].pct_change(fill_method=None).to_numpy()
        assert made.events["n_estimation"].iloc[0] == np.isfinite(returns[150 - 90 : 150 - 5]).sum() > 0
        alone = study.run(events([("A", 150)]), prices_)
        np.testing.assert_array_equal(made.cars["car"], alone.cars["car"])
        assert study.check(events([("S", 150), ("A", 150)]), prices_)["status"].tolist() == ["suspended", "ok"]
        assert study.run(events([("S", 150)]), prices_).events["status"].tolist() == ["suspended"]

    def test_an_event_is_ok_if_a_window_can_be_measured(self) -> None:
        study = es.Study(**{**self.CHOICES, "windows": ((0, 0), (-5, -1))})
        assert study.run(events([("S", 150)]), es.Prices.from_frame(self.closes())).events["status"].tolist() == ["ok"]

    @pytest.mark.parametrize("gaps", ["missing", "span"])
    def test_the_next_trade_is_measured_over_the_gap_and_so_is_the_benchmark(self, gaps: Any) -> None:
        closes = self.closes()
        made = es.Study(**self.CHOICES, suspended="next_trade", gaps=gaps).run(
            events([("S", 150), ("A", 150)]), es.Prices.from_frame(closes)
        )
        price = closes.to_numpy()
        fall = price[155, 0] / price[149, 0] - price[155, 2] / price[149, 2]
        later = [price[d, 0] / price[d - 1, 0] - price[d, 2] / price[d - 1, 2] for d in (156, 157)]
        one_day = price[150, 1] / price[149, 1] - price[150, 2] / price[149, 2]
        assert made.events["session"].tolist() == [DATES[155], DATES[150]]
        assert (
            made.events["placement"].iloc[0].endswith(f"no price on {DATES[150].date()}: next trade, 5 sessions later")
        )
        np.testing.assert_allclose(made.ar.loc[["E0", "E1"], 0], [fall, one_day], atol=1e-12)
        np.testing.assert_allclose(made.cars["car"].iloc[:2], [fall, fall + sum(later)], atol=1e-12)

    def test_the_next_bar_is_one_bar_later(self) -> None:
        starts = pd.date_range("2021-03-01T14:30", periods=300, freq="h", tz="UTC")
        rng = np.random.default_rng(2)
        closes = pd.DataFrame(100 * np.cumprod(1 + 0.002 * rng.standard_normal((300, 2)), axis=0), starts, ["S", "M"])
        closes.iloc[200, 0] = np.nan
        rows = pd.DataFrame({"ticker": ["S"], "announced": [str(starts[200] + pd.Timedelta("5min"))]})
        study = es.Study(
            benchmark="M",
            estimation=(-100, -11),
            event=(0, 1),
            windows=((0, 0),),
            min_estimation=60,
            suspended="next_trade",
        )
        found = study.check(es.Events.from_frame(rows), es.Prices.from_frame(closes))
        assert found["placement"].iloc[0].endswith(": next trade, 1 bar later")

    def test_the_next_session_is_one_session_later(self) -> None:
        closes = self.closes()
        closes.iloc[151:155, 0] = 100.0  # it trades again on the day after
        found = es.Study(**self.CHOICES, suspended="next_trade").check(
            events([("S", 150)]), es.Prices.from_frame(closes)
        )
        assert found["placement"].iloc[0].endswith(": next trade, 1 session later")

    def test_a_reaction_after_sixty_sessions_is_none(self) -> None:
        wide = pd.bdate_range("2020-01-01", periods=260)
        its = prices(["S", "M"], seed=7, dates=wide)
        closes = pd.DataFrame({name: bars.fields["close"] for name, bars in its.bars.items()}, index=wide)
        for length, status in ((60, "ok"), (61, "suspended")):
            halted = closes.copy()
            halted.iloc[150 : 150 + length, 0] = np.nan
            choices = {**self.CHOICES, "estimation": (-140, -61), "event": (-1, 2)}
            made = es.Study(**choices, suspended="next_trade").run(events([("S", 150)]), es.Prices.from_frame(halted))
            assert made.events["status"].tolist() == [status]

    def test_an_event_after_the_last_price_stays_without_one(self) -> None:
        closes = self.closes()
        closes.iloc[150:, 0] = np.nan
        found = es.Study(**self.CHOICES, suspended="next_trade").check(
            events([("S", 150)]), es.Prices.from_frame(closes)
        )
        assert found["status"].tolist() == ["no_price"]

    def test_models_of_peers_refuse_returns_over_gaps(self) -> None:
        study = es.Study(**{**self.CHOICES, "model": "peers"}, suspended="next_trade")
        with pytest.raises(InputError, match="daily returns of other securities"):
            study.check(events([("S", 150)]), es.Prices.from_frame(self.closes()))


@pytest.mark.thorough
def test_check_and_run_give_the_same_status() -> None:
    """A constant price, an event window without a return, and a constant benchmark are lost in both."""
    its = prices(["A", "FLAT", "EMPTY", "M"], seed=2)
    closes = pd.DataFrame({name: bars.fields["close"] for name, bars in its.bars.items()}, index=DATES)
    closes["FLAT"] = 10.0
    closes.iloc[140:165, 2] = np.nan
    closes["STILL"] = 5.0
    rows = [("A", 150), ("FLAT", 150), ("EMPTY", 150)]
    choices = {**WINDOWS, "model": "market"}
    for benchmark, expected in (("M", ["ok", "no_variation", "empty_event_window"]),
                                ("STILL", ["singular", "singular", "empty_event_window"])):  # fmt: skip
        study = es.Study(**{**choices, "benchmark": benchmark})
        made = study.run(events(rows), es.Prices.from_frame(closes))
        found = study.check(events(rows), es.Prices.from_frame(closes))
        assert made.events["status"].tolist() == expected
        assert found[["status", "reason", "n_estimation"]].equals(made.events[["status", "reason", "n_estimation"]])


@pytest.mark.thorough
def test_an_event_without_a_window_inside_a_factor_has_no_factors() -> None:
    factor = pd.DataFrame({"F": 0.01 * np.random.default_rng(0).standard_normal(152)}, index=DATES[:152])
    choices = {**WINDOWS, "benchmark": None, "model": es.model("factors", names=["F"]), "min_coverage": 1.0}
    rows = [("A", 150), ("A", 148)]
    for windows, expected in ((((0, 2), (-1, 3)), ["no_factors", "ok"]), (((0, 0), (-1, 3)), ["ok", "ok"])):
        study = es.Study(**{**choices, "windows": windows})
        made = study.run(events(rows), prices(["A", "B"]), factors=factor)
        assert made.events["status"].tolist() == expected
    assert "F ends on" in es.Study(**{**choices, "windows": ((0, 2),)}).check(
        events(rows), prices(["A", "B"]), factors=factor
    )["reason"].iloc[0]  # fmt: skip


def test_windows_with_fewer_days_by_an_events_own_window_are_noted() -> None:
    choices = {**WINDOWS, "model": "market", "windows": ((0, 5), (0, 0)), "min_coverage": 1.0}
    given = events([("A", 150), ("B", 150)], first=[-2, ""], last=[3, ""])
    made = es.Study(**choices, event_columns=("first", "last")).run(given, prices(["A", "B", "M"]))
    assert made.cars[made.cars["end"] == 5]["n_days"].tolist() == [4, 6]
    notes = [note for note in made.provenance["notes"] if "own" in note or "hold a part" in note]
    assert notes == [
        "the event windows of 1 of 2 events hold a part of (0, 5) only: their CARs have fewer days (n_days) than those"
        " with which they are averaged"
    ]
