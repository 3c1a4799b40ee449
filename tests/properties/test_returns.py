"""Returns and carried benchmarks against plain loops over sessions."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.bars import Bars
from eventstudy.prepare.returns import adjusted_close, adjusted_price, compute_returns, reindex, reindex_as_of
from eventstudy.types import Calendar
from tests.properties import QUICK

SEEDS = st.integers(0, 2**32 - 1)
RULES = st.sampled_from([("simple", "missing"), ("simple", "span"), ("log", "missing"), ("log", "span")])


def returns_by_loop(level: np.ndarray, returns: str, gaps: str, now: np.ndarray) -> np.ndarray:
    out = np.full(len(level), np.nan)
    for t in range(1, len(level)):
        before = level[t - 1]
        if gaps == "span":
            known = [p for p in level[:t] if not math.isnan(p)]
            before = known[-1] if known else math.nan
        if not (math.isnan(before) or math.isnan(now[t])):
            out[t] = math.log(now[t]) - math.log(before) if returns == "log" else (now[t] - before) / before
    return out


@given(seed=SEEDS, length=st.integers(1, 40), share=st.sampled_from([0.0, 0.2, 0.6]), rules=RULES, other=st.booleans())
@QUICK
def test_returns_are_those_of_a_plain_loop(
    seed: int, length: int, share: float, rules: tuple[str, str], other: bool
) -> None:
    rng = np.random.default_rng(seed)
    level = rng.uniform(5.0, 50.0, (3, length))
    level[rng.random(level.shape) < share] = np.nan
    now = np.where(rng.random(level.shape) < 0.9, level * 0.97, np.nan) if other else level
    before = level.copy()
    with np.errstate(all="raise"):
        found = compute_returns(level, *rules, now if other else None)
    for row in range(3):
        np.testing.assert_allclose(found[row], returns_by_loop(level[row], *rules, now[row]), rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(level, before)


@given(seed=SEEDS, share=st.sampled_from([0.0, 0.3, 1.0]), timed=st.sampled_from(["both", "own", "none"]))
@QUICK
def test_a_carried_level_is_the_last_one_known_at_each_close(seed: int, share: float, timed: str) -> None:
    rng = np.random.default_rng(seed)
    own, target = random_calendar(rng, 8, timed != "none"), random_calendar(rng, 21, timed == "both")
    dates = own.dates[rng.random(len(own.dates)) >= share]
    values = rng.uniform(1.0, 9.0, len(dates))
    values[rng.random(len(dates)) < share] = np.nan
    found = reindex_as_of(Bars("B", dates, {"close": values}), values, own, target)
    price = {d: v for d, v in zip(dates.tolist(), values.tolist(), strict=True) if not math.isnan(v)}
    sessions = own.dates.tolist()
    known = [k for k, d in enumerate(sessions) if d in price]
    both = own.closes is not None and target.closes is not None
    own_time, target_time = (own.closes, target.closes) if both else (own.dates, target.dates)
    assert own_time is not None
    assert target_time is not None
    for t, when in enumerate(target_time):
        past = [k for k, close in enumerate(own_time) if close <= when]
        if not known or not past or past[-1] < known[0] or past[-1] > known[-1]:
            assert math.isnan(found[t])
        else:
            assert found[t] == price[sessions[max(k for k in known if k <= past[-1])]]


def random_calendar(rng: np.random.Generator, hour: int, timed: bool) -> Calendar:
    """Draw a month or so of sessions that close at an hour of UTC, some of them at noon."""
    days = np.datetime64("2021-01-04") + np.sort(rng.choice(60, 35, replace=False)).astype("timedelta64[D]")
    early = np.where(rng.random(35) < 0.1, 12, hour).astype("timedelta64[h]")
    return Calendar("X", days, days.astype("datetime64[ns]") + early if timed else None)


@given(seed=SEEDS)
@QUICK
def test_a_value_lies_on_its_own_date_or_nowhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calendar, other = random_calendar(rng, 8, True), random_calendar(rng, 8, True)
    values = rng.uniform(1.0, 9.0, 35)
    found = reindex(Bars("B", other.dates, {"close": values}), values, calendar)
    by_date = dict(zip(other.dates.tolist(), values.tolist(), strict=True))
    wanted = [by_date.get(d, math.nan) for d in calendar.dates.tolist()]
    np.testing.assert_array_equal(found, wanted)


def test_a_days_fields_are_scaled_by_its_adjustment() -> None:
    dates = np.array(["2021-01-04", "2021-01-05"], dtype="datetime64[D]")
    fields = {
        name: np.array(v) for name, v in (("close", [10.0, 12.0]), ("adjusted", [5.0, 12.0]), ("low", [8.0, 9.0]))
    }
    bars = Bars("B", dates, fields)
    assert adjusted_close(bars).tolist() == [5.0, 12.0]
    assert adjusted_price(bars, "close").tolist() == [5.0, 12.0]
    assert adjusted_price(bars, "low").tolist() == [4.0, 9.0]
    assert np.isnan(adjusted_price(bars, "open")).all()
    assert adjusted_close(Bars("B", dates, {"close": fields["close"]})).tolist() == [10.0, 12.0]
