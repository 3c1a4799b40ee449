"""What must not matter does not: the order of rows and columns, the unit of prices, the name of a firm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import _registry
from eventstudy.types import Test
from tests import make
from tests.properties import QUICK

SEEDS = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from(["independent", "same_day", "overlap"])
SOME = settings(QUICK, max_examples=8)


DRAWS = 99
TESTS = {name: _registry.load("inference", name) for name in _registry.names("inference")}
TESTS = {name: test.make(draws=DRAWS) if test.draws else test for name, test in TESTS.items()}
BY_EVENT = {name: test for name, test in TESTS.items() if not test.draws}
DRAWN = {name: test for name, test in TESTS.items() if test.draws}
EACH = pytest.mark.parametrize(
    "tests", [BY_EVENT, pytest.param(DRAWN, marks=[pytest.mark.thorough, pytest.mark.full])], ids=["by event", "drawn"]
)


def study(tests: dict[str, Test], **choices: Any) -> es.Study:
    windows = ((0, 0), (-1, 1), (-5, 5))
    base: dict[str, Any] = {"benchmark": "M", "estimation": (-65, -6), "event": (-5, 5), "min_estimation": 40}
    return es.Study(**{**base, "windows": windows, "tests": tests, **choices})


def wide(prices: es.Prices) -> pd.DataFrame:
    return pd.DataFrame({t: prices.frame(t)["close"] for t in prices.tickers})


def renew(frame: pd.DataFrame, columns: list[str]) -> es.Events:
    return es.Events.from_frame(frame.reset_index()[["event_id", *columns]])


def same(found: es.Result, wanted: es.Result, rtol: float = 1e-11) -> None:
    for name in ("tests", "daily", "attrition"):
        left, right = getattr(found, name), getattr(wanted, name)
        pd.testing.assert_frame_equal(left, right, rtol=rtol, atol=1e-13, obj=name)
    own = wanted.ar.index
    pd.testing.assert_frame_equal(found.ar.loc[own], wanted.ar, rtol=rtol, atol=1e-13)
    columns = ["event_id", "start", "end"]
    left, right = (r.cars.set_index(columns).sort_index() for r in (found, wanted))
    pd.testing.assert_frame_equal(left, right, rtol=rtol, atol=1e-13)


@pytest.mark.thorough
@EACH
@given(seed=SEEDS, kind=KINDS)
@SOME
def test_order_of_events_securities_and_dates_does_not_matter(
    tests: dict[str, Test], seed: int, kind: make.Kind
) -> None:
    rng = np.random.default_rng(seed)
    given = make.material(rng, n=12, kind=kind)
    wanted = study(tests).run(given.events, given.prices)
    assert (wanted.events["status"] == "ok").all()
    events = renew(given.events.frame.iloc[rng.permutation(12)], ["ticker", "announced"])
    frame = wide(given.prices)
    prices = es.Prices.from_frame(frame.iloc[:, rng.permutation(frame.shape[1])])
    same(study(tests).run(events, prices), wanted)


@pytest.mark.thorough
@EACH
@given(seed=SEEDS, kind=KINDS, returns=st.sampled_from(["simple", "log"]))
@SOME
def test_the_unit_of_a_price_does_not_matter(tests: dict[str, Test], seed: int, kind: make.Kind, returns: str) -> None:
    rng = np.random.default_rng(seed)
    given = make.material(rng, n=12, kind=kind)
    frame = wide(given.prices)
    prices = es.Prices.from_frame(frame * rng.uniform(0.01, 100.0, frame.shape[1]))
    chosen = study(tests, returns=returns)
    same(chosen.run(given.events, prices), chosen.run(given.events, given.prices), 1e-8)


@pytest.mark.thorough
# A draw of dates keeps away from a firm's other events, so its name matters there.
@given(seed=SEEDS)
@SOME
def test_a_firm_under_two_names_has_the_same_events_and_tests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = make.material(rng, n=10)
    dates = given.prices.bars["M"].dates
    frame = given.events.frame[["ticker", "announced"]].copy()
    frame.loc["AGAIN"] = ["S0", str(dates[-20])]
    prices = wide(given.prices)
    prices["S0B"] = prices["S0"]
    one = study(BY_EVENT).run(
        renew(frame.rename_axis("event_id"), ["ticker", "announced"]), es.Prices.from_frame(prices)
    )
    assert one.events.loc["AGAIN", "status"] == "ok"
    frame.loc["AGAIN", "ticker"] = "S0B"
    two = study(BY_EVENT).run(
        renew(frame.rename_axis("event_id"), ["ticker", "announced"]), es.Prices.from_frame(prices)
    )
    same(two, one)


@pytest.mark.thorough
@EACH
@given(seed=SEEDS, kind=KINDS)
@SOME
def test_securities_that_no_event_names_do_not_matter(tests: dict[str, Test], seed: int, kind: make.Kind) -> None:
    rng = np.random.default_rng(seed)
    given = make.material(rng, n=12, kind=kind)
    frame = wide(given.prices)
    frame.insert(3, "IDLE", 50.0 + rng.random(len(frame)))
    same(study(tests).run(given.events, es.Prices.from_frame(frame)), study(tests).run(given.events, given.prices))
