"""Nothing that a backtest does at some moment depends on what comes after it: prices, volumes, rates, events."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.analysis.trades import Trades
from eventstudy.bars import Bars
from tests.traded import CHOICES, all_prices, study, without_day

TICKERS = ("0700.HK", "9988.HK", "BABA")
RULES: tuple[dict[str, Any], ...] = (
    {"hold": 4},
    {"hold": 12, "stop": 0.03, "size": "inverse_sigma", "ticker_cap": 0.2},
    {"hold": 8, "size": "capped", "cap": 0.12, "entry": "close", "currency": "USD"},
    {"hold": 3, "hedge": False, "delay": 1, "borrow_bps": 300.0},
)
KNOWN = ["decided", "direction"]
ENTERED = ["entry_date", "entry_field", "entry_price", "entry_time", "weight", "beta", "sigma"]
EXITED = ["exit_date", "exit_field", "exit_price", "exit_time"]
EARNED = ["gross", "hedge", "cost", "borrow"]  # by day, at the exchange rates of the day


class World(NamedTuple):
    """Events and prices, as they are or as they become."""

    events: pd.DataFrame
    prices: dict[str, Bars]

    def result(self) -> es.Result:
        return es.Study(**CHOICES).run(es.Events.from_frame(self.events), es.Prices(self.prices))


def world(n: int = 24) -> World:
    rng = np.random.default_rng(8)
    days = pd.Timestamp("2021-05-03") + pd.to_timedelta(np.sort(rng.integers(0, 190, n)), unit="D")
    hours = rng.choice(["T02:10Z", "T04:00Z", "T09:30Z", "T14:45Z", "T22:00Z", ""], n)
    rows = {
        "event_id": [f"E{k}" for k in range(n)], "ticker": rng.choice(TICKERS, n),
        "announced": [f"{day:%Y-%m-%d}{hour}" for day, hour in zip(days, hours, strict=True)],
        "side": rng.choice([-1, 1], n),
    }  # fmt: skip
    return World(pd.DataFrame(rows), all_prices())


WORLD = world()


@cache
def before() -> list[Trades]:
    """Trade by each rule in the world as it is."""
    return [WORLD.result().trades(**rule) for rule in RULES]


def corrupted(cut: pd.Timestamp, seed: int) -> World:
    """Change every price, volume and rate after a moment, and every event that becomes public after it."""
    rng = np.random.default_rng(seed)
    prices = {}
    for name, bars in WORLD.prices.items():
        opens, closes = instants(bars)
        late, half = closes > cut.to_datetime64(), (closes > cut.to_datetime64()) & (opens <= cut.to_datetime64())
        factor = np.where(late, np.exp(0.3 * rng.standard_normal(len(late))), 1.0)
        fields = {field: values * factor for field, values in bars.fields.items() if field != "open"}
        if "open" in bars.fields:
            other = np.exp(0.3 * rng.standard_normal(len(late)))
            fields["open"] = np.where(late & ~half, bars.fields["open"] * other, bars.fields["open"])
            fields["high"] = np.maximum.reduce([fields[name] for name in ("open", "close", "high", "low")])
            fields["low"] = np.minimum.reduce([fields[name] for name in ("open", "close", "low")])
            gone = late & ~half & (rng.random(len(late)) < 0.2)
            fields = {field: np.where(gone, np.nan, values) for field, values in fields.items()}
        prices[name] = Bars(name, bars.dates, fields, bars.mic, bars.currency)
    events = WORLD.events.copy()
    late = (before()[0].frame["decided"] > cut.tz_localize("UTC")).to_numpy()
    events.loc[late, "side"] = rng.choice([-1, 1], int(late.sum()))
    return World(events[~(late & (rng.random(len(late)) < 0.5))], prices)


def instants(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """Return opens and closes in UTC: those of the exchanges in summer and winter, and of rates those of New York."""
    day = bars.dates.astype("datetime64[ns]")
    if bars.mic == "FX":
        return day, day + np.timedelta64(22, "h")
    zone, hours = {"XHKG": ("Asia/Hong_Kong", (9.5, 16)), "XNYS": ("America/New_York", (9.5, 16))}[str(bars.mic)]
    local = [pd.DatetimeIndex(day + np.timedelta64(int(60 * hour), "m")).tz_localize(zone) for hour in hours]
    opens, closes = (times.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]") for times in local)
    return opens, closes


def unchanged(before: Trades, after: Trades, cut: pd.Timestamp) -> None:
    """Assert that what was known or done up to a moment is the same."""
    moment = cut.tz_localize("UTC")
    known = before.frame[before.frame["decided"] <= moment]
    pd.testing.assert_frame_equal(known[KNOWN], after.frame.loc[known.index, KNOWN])
    for columns, time in ((ENTERED, "entry_time"), (EXITED, "exit_time")):
        done = known[known[time] <= moment]
        pd.testing.assert_frame_equal(done[columns], after.frame.loc[done.index, columns], rtol=1e-9)
        again = after.frame.loc[known.index]
        assert (again.index[again[time] <= moment] == done.index).all()
    whole = cut.normalize() if cut.hour >= 23 else cut.normalize() - pd.Timedelta(days=1)
    done = known[known["exit_date"] <= whole]
    pd.testing.assert_frame_equal(done[EARNED], after.frame.loc[done.index, EARNED], rtol=1e-9)
    for name in ("returns", "gross", "traded"):
        pair = [getattr(trades, name).loc[:whole] for trades in (before, after)]
        index = pair[0].index.union(pair[1].index)
        pair = [series.reindex(index, fill_value=0.0) for series in pair]
        np.testing.assert_allclose(pair[1], pair[0], rtol=1e-9, atol=1e-15)
    held = [trades.positions.loc[:whole] for trades in (before, after)]
    names, index = held[0].columns.union(held[1].columns), held[0].index.union(held[1].index)
    held = [frame.reindex(index=index, columns=names, fill_value=0.0) for frame in held]
    np.testing.assert_allclose(held[1], held[0], rtol=1e-9, atol=1e-15)


def check(day: int, hour: str, seed: int) -> None:
    cut = pd.Timestamp("2021-05-03") + pd.Timedelta(days=day) + pd.Timedelta(hour)
    after = corrupted(cut, seed).result()
    for rule, first in zip(RULES, before(), strict=True):
        unchanged(first, after.trades(**rule), cut)


PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller moment explains no more
HOURS = ("23h", "1h31min", "8h1min", "14h31min")
MOMENTS = {"day": st.integers(5, 185), "hour": st.sampled_from(HOURS), "seed": st.integers(0, 10**6)}


@settings(max_examples=5, deadline=None, phases=PHASES)
@given(**MOMENTS)
@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_nothing_before_a_moment_depends_on_what_comes_after_it(day, hour, seed):
    check(day, hour, seed)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, phases=PHASES)
@given(**MOMENTS)
@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_nothing_depends_on_what_comes_after_it_at_many_moments(day, hour, seed):
    check(day, hour, seed)


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_the_check_finds_a_rule_that_looks_ahead():
    """The direction is the sign of the return of the day after the event: such a rule is caught."""
    cut = pd.Timestamp("2021-07-14 23:00")
    after = corrupted(cut, 1)

    def oracle(prices: dict[str, Bars]) -> Any:
        def sign(event: Any) -> float:
            bars = prices[event["ticker"]]
            at = int(np.searchsorted(bars.dates, np.datetime64(event["announced"][:10]))) + 20
            return float(np.sign(np.nan_to_num(bars.fields["close"][at] / bars.fields["close"][at - 20] - 1.0)))

        return sign

    before = WORLD.result().trades(sign=oracle(WORLD.prices))
    with pytest.raises(AssertionError):
        unchanged(before, after.result().trades(sign=oracle(after.prices)), cut)


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_the_choice_of_a_walk_forward_is_that_of_the_past():
    cut, rules = pd.Timestamp("2021-07-31 23:00"), [{"hold": 1}, {"hold": 5}, {"hold": 10}, {"hold": 20}]
    chosen = [
        one.result().trades().walk_forward(["2021-08-01", "2021-10-01"], rules).notes[0]
        for one in (WORLD, corrupted(cut, 3), corrupted(cut, 4))
    ]
    assert len(set(chosen)) == 1
    past = [WORLD.result().trades(**rule).returns.loc[:"2021-07-31"] for rule in rules]
    best = int(np.argmax([r.mean() / r.std() for r in past]))
    assert f"rule {best + 1} of 4" in chosen[0]


def test_a_delay_is_every_event_a_session_later_and_its_cost_is_seen():
    """A reaction of 3 % between the open and the close after the news is earned in time, and lost a session later."""
    prices = all_prices()
    bars = prices["0700.HK"]
    days = bars.dates[[100, 130, 160, 190]]
    fields = {name: values.copy() for name, values in bars.fields.items()}
    for day in np.searchsorted(bars.dates, days) + 1:
        for name in ("close", "high", "low", "adjusted"):
            fields[name][day:] *= 1.03
        fields["open"][day + 1 :] *= 1.03
        fields["low"][day] = min(fields["open"][day], fields["low"][day])
    prices["0700.HK"] = Bars("0700.HK", bars.dates, fields, bars.mic, bars.currency)

    def result(at: np.ndarray) -> es.Result:
        rows = {"event_id": list("ABCD"), "ticker": "0700.HK", "announced": [f"{d}T18:00+08:00" for d in at], "side": 1}
        return World(pd.DataFrame(rows), prices).result()

    free: dict[str, Any] = {"cost_bps": 0.0, "borrow_bps": 0.0, "hedge": False, "hold": 3}
    real = result(days)
    in_time, late = real.trades(**free), real.trades(delay=1, **free)
    moved = result(bars.dates[np.searchsorted(bars.dates, days) + 1]).trades(**free)
    same = ["entry_date", "entry_price", "exit_date", "exit_price", "return"]
    pd.testing.assert_frame_equal(late.frame[same], moved.frame[same])
    plain = bars.fields["close"]
    at = np.searchsorted(bars.dates, days)
    expected = [1.03 * plain[d + 3] / bars.fields["open"][d + 1] - 1 for d in at]
    np.testing.assert_allclose(in_time.frame["return"], expected, rtol=1e-10)
    expected = [plain[d + 4] / bars.fields["open"][d + 2] - 1 for d in at]
    np.testing.assert_allclose(late.frame["return"], expected, rtol=1e-10)


SUSPENDED = (  # no price on its own day, and traded a session later
    ("A", "0700.HK", "2021-07-20T18:00+08:00", 1), ("OTHER", "9988.HK", "2021-07-20T18:00+08:00", 1),
    ("LATER", "0700.HK", "2021-10-20T18:00+08:00", 1),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
@pytest.mark.parametrize(("closed", "choices"), [("0700.HK", {}), ("HKD=X", {"currency": "USD"})])
def test_a_trade_does_not_depend_on_a_later_event_of_its_ticker(closed: str, choices: dict[str, Any]) -> None:
    """Without a price, or a rate, on its day the study cannot measure an event; it is traded all the same."""
    prices = all_prices(**without_day(closed, "2021-07-21"))
    before, after = (study([*SUSPENDED[:n]], prices, **choices).trades(delay=1).frame.loc[["A"]] for n in (2, 3))
    assert before["status"].tolist() == ["traded"]
    pd.testing.assert_frame_equal(before, after)


def test_a_session_whose_close_is_not_known_may_have_closed_before_the_news() -> None:
    """On a Saturday with prices that the calendar does not know, trade at one o'clock may have ended at noon."""
    day, prices = np.datetime64("2021-07-24"), all_prices()
    for name in ("0700.HK", "9988.HK", "^HSI"):
        bars = prices[name]
        at = int(np.searchsorted(bars.dates, day))
        fields = {field: np.insert(values, at, values[at] * 1.001) for field, values in bars.fields.items()}
        prices[name] = Bars(name, np.insert(bars.dates, at, day), fields, bars.mic, bars.currency)
    times = ("2021-07-23T18:00+08:00", "2021-07-24T13:00+08:00")
    result = study([(when, "0700.HK", when, 1) for when in times], prices)
    frame = result.trades(hold=1, ticker_cap=1.0).frame
    assert frame["entry_date"].astype(str).tolist() == ["2021-07-24", "2021-07-26"]
    assert frame["exit_date"].astype(str).tolist() == ["2021-07-24", "2021-07-26"]
    assert frame["entry_field"].tolist() == ["open", "open"]
