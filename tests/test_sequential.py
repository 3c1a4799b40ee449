"""Tests that hold at every look: e-values by integrals, and the share of null studies that ever reject."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import eventstudy as es
from eventstudy.core import sequential as core
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.types import Analysis

DAYS = pd.bdate_range("2018-01-01", periods=900)
AT = range(200, 860, 20)  # windows that share no day
NAMES = ["AAA", "BBB", "CCC"]
CHOICES: dict[str, Any] = {
    "benchmark": "MKT", "estimation": (-120, -11), "event": (-2, 2), "windows": ((0, 1), (0, 0)), "min_estimation": 60,
}  # fmt: skip


def run(effect: float) -> es.Result:
    rng = np.random.default_rng(4)
    market = 0.01 * rng.standard_normal((len(DAYS), 1))
    r = market + 0.015 * rng.standard_t(5, (len(DAYS), len(NAMES)))
    r[list(AT)] += effect
    frame = pd.DataFrame(np.hstack([r, market]), DAYS, [*NAMES, "MKT"])
    rows = [(name, f"{DAYS[day]:%Y-%m-%d} 09:00-05:00") for day in AT for name in NAMES]
    events = es.Events.from_frame(pd.DataFrame(rows, columns=["ticker", "announced"]))
    return es.Study(**CHOICES).run(events, es.Prices.from_returns(frame, exchange="XNYS"))


@pytest.fixture(scope="module")
def result() -> es.Result:
    return run(0.03)


def test_the_e_value_is_the_mixture_of_supermartingales():
    rng = np.random.default_rng(0)
    z, a, rho, mean = rng.standard_normal(7), rng.uniform(0.5, 2.0, 7), 3.0, 0.4
    s, v = (a * (z - mean)).sum(), ((a * (z - mean)) ** 2).sum()
    mixed = integrate.quad(
        lambda u: np.exp(u * s - u**2 * v / 2) * stats.norm.pdf(u, scale=rho**-0.5), -12, 12, epsabs=1e-13
    )
    np.testing.assert_allclose(np.exp(core.log_e(z, a, rho, mean)[-1]), mixed[0], rtol=1e-9)


def test_the_supermartingale_never_grows_in_expectation():
    """For two equally likely signs, the mean of the next e-value is at most the present one, whatever the size."""
    z = np.random.default_rng(1).standard_t(2, 30)
    for k in range(1, 30):
        now = np.exp(core.log_e(z[:k], np.ones(k), 5.0)[-1])
        both = [np.exp(core.log_e(np.append(z[:k], x), np.ones(k + 1), 5.0)[-1]) for x in (z[k], -z[k])]
        assert np.mean(both) <= now * (1 + 1e-12)


def test_the_ends_of_the_sequence_are_where_the_largest_e_value_is_its_bound():
    z = 0.8 + np.random.default_rng(2).standard_normal(60)
    a, rho = np.ones(60), core.tightest(30, 0.95)
    lower, upper = core.confidence_sequence(z, a, rho, 0.95)
    for end in (lower[-1], upper[-1]):
        assert core.log_e(z, a, rho, end).max() == pytest.approx(np.log(20.0), abs=1e-8)  # at the end of a bisection
    assert (np.diff(lower[np.isfinite(lower)]) >= 0).all()
    assert (np.diff(upper[np.isfinite(upper)]) <= 0).all()
    assert np.isinf(lower[0])


def test_where_every_mean_was_rejected_no_end_is_left():
    z = np.concatenate([np.full(30, 4.0), np.full(30, -4.0)]) + 0.01 * np.random.default_rng(3).standard_normal(60)
    a, rho = np.ones(60), core.tightest(30, 0.95)
    lower, upper = core.confidence_sequence(z, a, rho, 0.95)
    largest = np.maximum.accumulate(core.log_e(z, a, rho, np.linspace(-12, 12, 48_001)), axis=0)
    none_left = (largest >= np.log(20.0)).all(axis=1)
    assert 0 < none_left.sum() < 30
    np.testing.assert_array_equal(np.isnan(lower), none_left)
    np.testing.assert_array_equal(np.isnan(upper), none_left)


def test_from_the_date_on_which_every_mean_considered_is_rejected_there_is_no_interval():
    """The values are 1000: with n of them the e-value of a mean below 10 is near exp(n / 2) times a factor."""
    z, rho = np.full(30, 1000.0), 3.0
    lower, upper = core.confidence_sequence(z, np.ones(30), rho, 0.95)
    k = np.arange(1, 31)
    v = k * 990.0**2  # of the mean 10, which is rejected last
    rejected = np.maximum.accumulate(0.5 * np.log(rho / (rho + v)) + (k * 990.0) ** 2 / (2 * (rho + v))) >= np.log(20.0)
    assert 5 < rejected.sum() < 25
    np.testing.assert_array_equal(np.isnan(lower), rejected)
    np.testing.assert_array_equal(np.isnan(upper), rejected)


def ever_rejects(z: np.ndarray, rho: float) -> np.ndarray:
    """Return which rows of draws (m, n) ever have an e-value of 20; written out anew."""
    s, v = z.cumsum(axis=1), (z**2).cumsum(axis=1)
    e = np.sqrt(rho / (rho + v)) * np.exp(s**2 / (2 * (rho + v)))
    return np.asarray((e >= 20).any(axis=1))


def draw(rng: np.random.Generator, m: int, kind: str) -> np.ndarray:
    """Draw standardised CARs of m studies of 100 dates, with sigmas estimated on 60 days of the same returns."""
    n = 100
    draws = {"normal": rng.standard_normal, "t3": lambda size: rng.standard_t(3, size)}.get(kind)
    if draws is None:
        draws = lambda size: np.exp(0.3 * rng.standard_normal(size)) - np.exp(0.045)  # noqa: E731  # skewness 0.95
    sigma = np.sqrt(np.mean([draws((m, n)) ** 2 for _ in range(60)], axis=0))
    return np.asarray(draws((m, n)) / sigma)


@pytest.mark.parametrize("kind", ["normal", "t3"])
def test_few_null_studies_ever_reject(kind):
    rejected = ever_rejects(draw(np.random.default_rng(3), 2000, kind), core.tightest(30, 0.95))
    assert rejected.mean() <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "t3", "skewed"])
@pytest.mark.parametrize("plan", [10, 30, 100])
def test_size_over_a_hundred_looks(kind, plan):
    rng = np.random.default_rng(5)
    rejected = [ever_rejects(draw(rng, 2000, kind), core.tightest(plan, 0.95)).mean() for _ in range(10)]
    assert np.mean(rejected) <= 0.05


def test_the_looks_of_a_study_by_hand(result):
    looks = result.sequential()
    t = result.cars[result.cars["end"] == 1].set_index("event_id")["t"]
    by_date = t.groupby(result.events["session"]).mean()
    a = 1 / np.sqrt((1 + 2 * 0.3) / 3)
    rho = 30 / (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05)))
    s, v = (a * by_date).cumsum(), ((a * by_date) ** 2).cumsum()
    e = np.sqrt(rho / (rho + v)) * np.exp(s**2 / (2 * (rho + v)))
    assert looks.frame["date"].tolist() == by_date.index.tolist()
    np.testing.assert_allclose(looks.frame["e_value"], e, rtol=1e-11)
    np.testing.assert_allclose(looks.frame["p_always"], np.minimum(1, 1 / e.cummax()), rtol=1e-11)
    np.testing.assert_allclose(looks.frame["effect"], by_date.expanding().mean(), rtol=1e-12)
    assert looks.frame["n_events"].iloc[-1] == 3 * len(AT)
    assert looks.frame["p_always"].iloc[-1] < 0.05
    assert "it first was 0.05 or less with the event of" in looks.answer()
    assert isinstance(looks, Analysis)


def test_a_study_without_effect_does_not_reject():
    looks = run(0.0).sequential(window=(0, 0))
    assert looks.frame["p_always"].iloc[-1] > 0.05
    assert looks.answer().endswith("at no look was it 0.05 or less.")


def test_events_that_share_days_are_one_look(result):
    near = result.events.copy()
    assert near["session"].nunique() == len(AT)
    assert len(result.sequential().frame) == len(AT)


def test_arguments_are_checked(result):
    with pytest.raises(InputError, match="plan"):
        result.sequential(plan=0)
    with pytest.raises(InputError, match="level"):
        result.sequential(level=2.0)


def test_the_table_and_the_figure(result):
    table = result.table("sequential", most=5)
    assert len(table.rows) == 5
    pd.testing.assert_frame_equal(table.frame, result.sequential().frame)
    assert result.sequential().plot().get_ylabel() == "Mean standardised CAR"
    assert max(map(len, repr(result.sequential()).splitlines())) <= 100


def test_a_study_without_a_measured_event_has_no_looks(result):
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["NONE"], "announced": ["2019-06-03"]}))
    with pytest.raises(NotEnoughData, match="no event was measured"):
        es.Study(**CHOICES).run(events, result.rerun.prices).sequential()
