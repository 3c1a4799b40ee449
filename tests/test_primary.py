"""The table of tests: effects beside statistics, the primary test first, and tests that do not hold marked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.core.residuals import Residuals
from eventstudy.display import formats
from eventstudy.reports import _tables
from eventstudy.reports.text import text
from eventstudy.run.measured import lookup
from eventstudy.run.validity import Situation, judge

FIRMS, DAYS, FIRST, LAST = 12, 460, 140, 440
CHOICES: dict[str, Any] = {
    "benchmark": "M", "estimation": (-125, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 100,
}  # fmt: skip


def run(
    days: list[int],
    seed: int = 0,
    columns: dict[str, Any] | None = None,
    noise: np.ndarray | None = None,
    traded: np.ndarray | None = None,
    **choices: Any,
) -> es.Result:
    """Return the result of events of different firms on these sessions; where they are not traded, prices stand."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2019-01-01", periods=DAYS)
    market = 0.01 * rng.standard_normal((DAYS, 1))
    r = np.hstack([market + (0.02 * rng.standard_normal((DAYS, FIRMS)) if noise is None else noise), market])
    names = [*(f"S{i}" for i in range(FIRMS)), "M"]
    level = pd.DataFrame(100 * np.cumprod(1 + r, axis=0), dates, names)
    if traded is not None:
        level.iloc[:, :FIRMS] = level.iloc[:, :FIRMS].where(traded).ffill().bfill()
    prices = es.Prices.from_frame(level)
    tickers = [f"S{i % FIRMS}" for i in range(len(days))]
    frame = pd.DataFrame({"ticker": tickers, "announced": [str(dates[day].date()) for day in days]})
    return es.Study(**{**CHOICES, **choices}).run(es.Events.from_frame(frame.assign(**(columns or {}))), prices)


APART = [FIRST + 12 * i for i in range(24)]
TOGETHER = [300] * 12
BUNCHES = [FIRST + 30 * (i // 4) for i in range(24)]


def in_window(result: es.Result, window: tuple[int, int] = (0, 0), group: str = "all") -> pd.DataFrame:
    tests = result.tests
    return tests[(tests["group"] == group) & (tests["start"] == window[0]) & (tests["end"] == window[1])]


def test_columns_and_effects_are_those_of_the_single_events():
    result = run(APART)
    assert result.tests.columns.tolist() == [
        "group", "start", "end", "test", "n", "effect", "se", "lower", "upper", "median", "positive", "statistic",
        "df", "p", "valid", "note",
    ]  # fmt: skip
    for window in CHOICES["windows"]:
        rows = in_window(result, window)
        of_window = (result.cars["start"] == window[0]) & (result.cars["end"] == window[1])
        car = result.cars.loc[of_window, "car"]
        assert len(car) == 24
        for name, value in (("effect", car.mean()), ("se", car.std() / np.sqrt(24)), ("median", car.median())):
            np.testing.assert_allclose(rows[name], value, rtol=1e-12)
        assert (rows["positive"] == (car > 0).mean()).all()
        assert ((rows["lower"] < rows["effect"]) & (rows["effect"] < rows["upper"])).all()
    assert result.tests["valid"].dtype == bool


@pytest.mark.parametrize(
    ("days", "primary", "why"),
    [
        (APART, "bmp", "no two windows share a day"),
        (BUNCHES, "clustered", "it allows for events that share days or news; 6 clusters of events"),
        (TOGETHER, "kolari_pynnonen", "one date cannot tell a common shock from an effect"),
    ],
)
def test_the_primary_test_is_first_and_says_why(days, primary, why):
    result = run(days)
    first = formats.primary(result.tests)
    assert first["test"].tolist() == [primary] * 2
    assert first["valid"].all()
    assert first["note"].str.startswith("primary: ").all()
    assert first["note"].str.contains(why, regex=False).all()
    others = result.tests.drop(first.index)
    assert not others["note"].str.contains("primary").any()
    [line] = [line for line in repr(result).splitlines() if "(0, 0)" in line]
    assert f"({primary})" in line
    smallest = in_window(result)["p"].min()
    p = first["p"].iloc[0]
    assert formats.p_value(p) in line
    assert smallest <= p


@pytest.mark.thorough
def test_a_test_that_does_not_hold_is_marked_wherever_it_stands():
    with pytest.warns(es.EventStudyWarning, match=r"the test 'patell' does not hold .* none of the 1 other"):
        result = run(TOGETHER, tests=["patell", "sign"])
    assert not result.tests["valid"].any()
    assert result.tests["note"].str.contains("it assumes that no two windows share a day").all()
    windows = [line for line in repr(result).splitlines() if ": mean CAR" in line]
    assert len(windows) == len(formats.primary(result.tests))
    assert all("does not hold here" in line and "!" in line and "*" not in line for line in windows)
    table = _tables.tests(result)
    assert all(row[-1].endswith("†") for row in table.rows)
    assert table.notes[0].startswith("† does not hold for this sample")
    assert "! does not hold for this sample" in text(result)
    assert r"$^\dagger$" in result.to_latex()


@pytest.mark.thorough
def test_a_run_warns_once_and_only_if_no_test_holds():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(TOGETHER, tests=["patell", "bmp", "kolari_pynnonen"])
        run(TOGETHER)
        run(APART, tests=["patell"])
    assert [str(w.message) for w in caught if "does not hold" in str(w.message)] == []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(TOGETHER, tests=["patell", "bmp"])
    assert len([w for w in caught if "does not hold" in str(w.message)]) == 1


def test_tests_asked_for_keep_their_order_behind_the_first_that_holds():
    result = run(BUNCHES, tests=["sign", "patell", "kolari_pynnonen", "clustered"])
    assert in_window(result)["test"].tolist() == ["kolari_pynnonen", "sign", "patell", "clustered"]
    assert in_window(result)["valid"].tolist() == [True, False, False, True]


def test_each_group_has_the_primary_test_of_its_own_days():
    sector = ["one date"] * 6 + ["apart"] * 12
    days = [300] * 6 + [FIRST + 12 * i for i in range(12)]
    result = run(days, columns={"sector": sector}, group="sector", tests=["bmp", "kolari_pynnonen"])
    assert in_window(result, group="apart")["test"].tolist() == ["bmp", "kolari_pynnonen"]
    one_date = in_window(result, group="one date")
    assert one_date["test"].tolist() == ["kolari_pynnonen", "bmp"]
    assert one_date["valid"].tolist() == [True, False]
    car = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")["car"]
    by_sector = car.groupby(np.array(sector))
    for group in ("apart", "one date"):
        row = in_window(result, group=group).iloc[0]
        assert row["median"] == pytest.approx(by_sector.median()[group], rel=1e-12)
        assert row["positive"] == pytest.approx((car > 0).groupby(np.array(sector)).mean()[group])


def test_without_a_value_a_test_does_not_hold_and_its_note_says_why():
    result = run(APART[:1])
    missing = result.tests[result.tests["p"].isna()]
    assert len(missing)
    assert not missing["valid"].any()
    assert (missing["note"] != "").all()


def test_dependence_is_that_of_the_window():
    assert Situation(10, 10, 10, 1).kind == "independent"
    assert Situation(10, 1, 1, 1).kind == "same_day"
    assert Situation(10, 1, 4, 11).kind == "overlap"
    assert Situation(2, 1, 2, 1, n_linked=1).kind == "overlap"
    assert judge(es.test("grank_t"), Situation(10, 1, 1, 1), 0.3).valid
    assert "all events share one date" in judge(es.test("grank_t"), Situation(10, 3, 3, 1), 0.3).note
    assert not judge(es.test("clustered"), Situation(10, 3, 3, 1), np.nan).valid


def test_a_test_that_rejects_too_often_in_measured_samples_like_this_one_does_not_hold():
    found = lookup("skewness_adjusted", "independent", 8, 8, 1)
    assert found is not None
    assert found.nearest.scenario.n_events == 8
    assert found.nearest.lower > 0.065
    result = run(APART[:8], tests=["skewness_adjusted", "bmp"], windows=((0, 0),))
    assert result.tests["test"].tolist() == ["bmp", "skewness_adjusted"]
    assert result.tests["valid"].tolist() == [True, False]
    label = found.nearest.scenario.label
    note = f"does not hold here: it rejects {found.nearest.rate:.0%} at 5 % in samples of {label}"
    assert result.tests["note"].iloc[1] == note
    many = run(APART, tests=["skewness_adjusted"], windows=((0, 0),))
    assert many.tests["valid"].all()


def test_an_assumption_is_named_with_what_happens_otherwise():
    result = run(BUNCHES, tests=["kolari_pynnonen"], windows=((0, 0),))
    [note] = result.tests["note"]
    assert "assumes that news does not raise the variance of the common shock (else it rejects up to" in note
    found = lookup("kolari_pynnonen", "overlap", 24, 6, 1)
    assert found is not None
    assert f"up to {found.worst.rate:.0%} at 5 %" in note


def shown(result: es.Result, test: str, window: tuple[int, int] = (0, 0)) -> Any:
    rows = in_window(result, window)
    [row] = rows[rows["test"] == test].to_dict("records")
    return row


@pytest.mark.thorough
def test_few_events_with_skewed_returns_are_seen_and_signs_are_primary():
    rng = np.random.default_rng(1)
    skewed = 0.02 * (rng.standard_exponential((DAYS, FIRMS)) - 1)
    mild = 0.01 * (rng.standard_gamma(4, (DAYS, FIRMS)) - 4)  # skewness 1: squared, 1/8 of 8 events and 1/24 of 24
    cases = [(APART[:8], skewed, False), (APART, skewed, False), (APART[:8], mild, False), (APART, mild, True)]
    for days, noise, holds in cases:
        result, primary = run(days, noise=noise), "bmp" if holds else "generalized_sign"
        assert in_window(result)["test"].iloc[0] == primary
        assert [shown(result, test)["valid"] for test in ("bmp", "cross_section")] == [holds] * 2
    note = shown(run(APART[:8], noise=skewed), "bmp")["note"]
    found = lookup("bmp", "independent", 8, 8, 1, "exponential")
    assert found is not None
    assert "8 events are too few for returns this skewed (skewness +1." in note
    assert f"it rejects {found.nearest.rate:.0%} at 5 % in samples of 8 events apart; noise exponential" in note
    assert run(APART[:8]).tests["valid"].all()
    turned = run(APART[:8], noise=-skewed, columns={"sign": [-1] * 8}, sign="sign")
    assert "(skewness +1." in shown(turned, "bmp")["note"]
    assert shown(run(APART[:8], noise=skewed, windows=((-5, 5),)), "bmp", (-5, 5))["valid"], "sums are less skewed"


def test_each_group_is_judged_by_its_own_returns():
    rng = np.random.default_rng(4)
    noise = 0.02 * rng.standard_normal((DAYS, FIRMS))
    noise[:, :6] = 0.02 * (rng.standard_exponential((DAYS, 6)) - 1)
    kind = ["skewed" if i % FIRMS < 6 else "normal" for i in range(16)]
    result = run(APART[:16], noise=noise, columns={"kind": kind}, group="kind", tests=["bmp", "generalized_sign"])
    assert in_window(result, group="normal")["valid"].tolist() == [True, True]
    skewed = in_window(result, group="skewed")
    assert skewed["test"].tolist() == ["generalized_sign", "bmp"]
    assert skewed["valid"].tolist() == [True, False]
    assert "10 events are too few" in skewed["note"].iloc[1]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("n", "most"),
    [(3, 0.07), (5, 0.02), *(pytest.param(*more, marks=pytest.mark.full) for more in ((8, 0.01), (50, 0.001)))],
)
def test_normal_returns_never_look_skewed_and_heavy_tails_seldom(n, most):
    rng = np.random.default_rng(n)
    for draw, limit in ((rng.standard_normal, 0.001), (lambda shape: rng.standard_t(4, shape), most)):
        g = np.asarray(stats.skew(draw((2000, n, 120)), axis=2))
        se = g.std(axis=1, ddof=1) / np.sqrt(n)
        alarms = [
            Situation(n, n, n, 1, residuals=Residuals(*each, 0.0)).skewed
            for each in zip(g.mean(axis=1), se, strict=True)
        ]
        assert np.mean(alarms) <= limit


def test_stale_prices_are_seen_in_long_windows():
    rng = np.random.default_rng(2)
    noise = 0.02 * rng.standard_normal((DAYS, FIRMS))
    windows = ((0, 0), (-5, 5))
    stale = run(APART, noise=noise, traded=rng.random((DAYS, FIRMS)) < 0.6, windows=windows)
    found = lookup("grank_t", "independent", 24, 24, 11, "thin")
    assert found is not None
    assert found.nearest.rate > 0.065
    row = shown(stale, "grank_t", (-5, 5))
    assert not row["valid"]
    assert "of the returns before the events are zero; it rejects" in row["note"]
    assert shown(stale, "bmp", (-5, 5))["valid"]
    assert shown(run(APART, noise=noise, windows=windows), "grank_t", (-5, 5))["valid"]


def test_unlinked_news_of_two_exchanges_is_seen_in_windows_of_one_day():
    near = Situation(120, 20, 20, 1, n_unlinked=120)
    assert near.kind == "overlap"
    judged = {test: judge(es.test(test), near, 0.01) for test in ("clustered", "bmp", "ibragimov_muller")}
    assert [each.valid for each in judged.values()] == [False, False, True]
    assert "120 of the 120 events are within a session of events on another exchange" in judged["clustered"].note
    assert judge(es.test("clustered"), near._replace(length=11, n_clusters=10), 0.01).valid, "the dates share days"
    assert Situation(10, 10, 10, 1, n_unlinked=10).kind == "overlap", "events may be the same news"
    linked = Situation(120, 10, 20, 1, n_linked=10)
    assert judge(es.test("clustered"), linked, 0.01).valid
    assert "the same news moves firms on two dates" in judge(es.test("two_way"), linked, 0.01).note
    assert judge(es.test("two_way"), Situation(120, 10, 20, 1), 0.01).valid


@pytest.mark.thorough
def test_in_a_dense_chain_two_way_clustering_is_primary():
    result = run([300 + i % 15 for i in range(24)], windows=((-5, 5),))
    assert in_window(result, (-5, 5))["test"].iloc[0] == "two_way"
    assert not shown(result, "clustered", (-5, 5))["valid"]
