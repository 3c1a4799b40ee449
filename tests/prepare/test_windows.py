"""Windows of the single event, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.core.draws import draw_samples
from eventstudy.errors import InputError
from eventstudy.run.rerun import StudyRun
from eventstudy.run.sample import StudyData
from tests.prepare.plain import events, prices

WINDOWS: dict[str, Any] = {
    "estimation": (-60, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 3), (-5, 5)), "min_estimation": 20,
    "tests": ["cross_section"], "benchmark": "M",
    "estimation_columns": ("est_first", "est_last"), "event_columns": ("first", "last"),
}  # fmt: skip
NAMES = ("A", "B", "C", "D", "M")
ROWS = [("A", 100), ("B", 110), ("C", 150), ("D", 160)]
OWN: dict[str, list[Any]] = {
    "est_first": [-60, -50, None, ""], "est_last": [-6, -20, -10, None],
    "first": [-5, 0, -1, ""], "last": [5, 2, None, 1],
}  # fmt: skip
FILLED = [(-60, -6, -5, 5), (-50, -20, 0, 2), (-60, -10, -1, 5), (-60, -6, -5, 1)]


def test_each_event_has_the_windows_of_its_row() -> None:
    its, given = prices(NAMES), events(ROWS, **OWN)
    study = es.Study(**WINDOWS)
    made, table = study.run(given, its), study.check(given, its)
    assert (made.events["status"] == "ok").all()
    assert made.events["n_estimation"].tolist() == [55, 31, 51, 55] == table["n_estimation"].tolist()
    moves = {name: its.frame(name)["close"].pct_change().to_numpy() for name in NAMES}
    cars = made.cars.set_index(["event_id", "start", "end"])
    for event, (ticker, day), (e0, e1, w0, w1) in zip(made.events.index, ROWS, FILLED, strict=True):
        rows = np.arange(day + e0, day + e1 + 1)
        x = np.column_stack([np.ones(len(moves["M"])), moves["M"]])
        b, rss = np.linalg.lstsq(x[rows], moves[ticker][rows], rcond=None)[:2]
        s2, inverse = rss[0] / (len(rows) - 2), np.linalg.inv(x[rows].T @ x[rows])
        e = moves[ticker] - x @ b
        shown = made.ar.loc[event]
        inside = (shown.index >= w0) & (shown.index <= w1)
        assert shown[~inside].isna().all()
        np.testing.assert_allclose(shown[inside], e[day + w0 : day + w1 + 1], atol=1e-14)
        for first, last in study.windows:
            days = np.arange(max(first, w0), min(last, w1) + 1)
            row, at = cars.loc[(event, first, last)], day + days
            total = x[at].sum(axis=0)
            np.testing.assert_allclose(row["car"], e[at].sum(), rtol=1e-10)
            np.testing.assert_allclose(row["se"], np.sqrt(s2 * (len(at) + total @ inverse @ total)), rtol=1e-10)
            assert row["n_days"] == len(at)
            runs = np.abs(np.convolve(e[rows], np.ones(len(at)), "valid"))
            p = (1 + (runs >= abs(e[at].sum())).sum()) / (1 + len(runs))
            assert row["p_sq"] == pytest.approx(p, abs=1e-12)


@pytest.mark.thorough
def test_a_window_outside_of_the_events_own_has_no_car_and_coverage_counts_own_days() -> None:
    its = prices(NAMES)
    close = pd.DataFrame({name: bars.fields["close"] for name, bars in its.bars.items()})
    close.iloc[101, 0] = np.nan  # A has no return on days 1 and 2
    holed = es.Prices.from_frame(close.set_axis(its.frame("A").index))
    given = events(ROWS[:1], first=[2], last=[5])
    choices = {**WINDOWS, "estimation_columns": None, "windows": ((0, 0), (-1, 3), (-5, 5))}
    full = es.Study(**choices).run(given, holed).cars.set_index("start")
    assert full["car"].isna().tolist() == [True, True, True]
    half = es.Study(**choices, min_coverage=0.5).run(given, holed).cars.set_index("start")
    assert half["n_days"].tolist() == [0, 1, 3]
    assert half["car"].isna().tolist() == [True, False, False], "a half of days 2 and 3, three quarters of 2 to 5"
    most = es.Study(**choices, min_coverage=0.7).run(given, holed).cars.set_index("start")
    assert most["car"].isna().tolist() == [True, True, False]


@pytest.mark.thorough
def test_windows_of_the_study_written_out_change_nothing() -> None:
    its = prices(NAMES)
    written = events(ROWS, est_first=[-60] * 4, est_last=["-6"] * 4, first=[-5.0] * 4, last=[5] * 4)
    plain = es.Study(**{**WINDOWS, "estimation_columns": None, "event_columns": None, "tests": "all"})
    own = es.Study(**{**WINDOWS, "tests": "all"})
    tests = [name for name in plain.tests_for("independent") if name not in ("placebo", "mvrm")]
    one, two = (es.Study(**{**WINDOWS, **c, "tests": tests}).run(written, its) for c in (
        {"estimation_columns": None, "event_columns": None}, {},
    ))  # fmt: skip
    assert own.tests == plain.tests
    pd.testing.assert_frame_equal(one.tests, two.tests)
    pd.testing.assert_frame_equal(one.cars, two.cars)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("first", -6, r"event window of event 'E1' is \(-6, 5\); it must lie inside the study's, \(-5, 5\)"),
        ("last", -7, r"event window of event 'E1' is \(-5, -7\)"),
        ("est_first", -61, r"estimation window of event 'E1' is \(-61, -6\).*widen estimation="),
        ("est_last", -5, r"estimation window of event 'E1' is \(-60, -5\)"),
        ("first", 0.5, "first of event 'E1' is 0.5; give a whole number"),
        ("first", "soon", "first of event 'E1' is 'soon'; give a whole number"),
        ("first", np.inf, "first of event 'E1' is inf; give a whole number"),
    ],
)
def test_a_window_that_is_none(column: str, value: Any, words: str) -> None:
    columns: dict[str, list[Any]] = {name: [None, None] for name in OWN} | {column: [None, value]}
    with pytest.raises(InputError, match=words):
        es.Study(**WINDOWS).check(events(ROWS[:2], **columns), prices(NAMES))


@pytest.mark.parametrize("value", ["first", ("first",), ("a", "b", "c"), (1, 2)])
def test_columns_that_are_no_pair_of_names(value: Any) -> None:
    with pytest.raises(InputError, match=r"event_columns is .*give the names of two events columns"):
        es.Study(**{**WINDOWS, "event_columns": value})


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"a column of the window.*'first'"):
        es.Study(**{**WINDOWS, "estimation_columns": None}).check(events(ROWS), prices(NAMES))


def test_a_short_own_estimation_window_is_too_few() -> None:
    found = es.Study(**WINDOWS).run(events(ROWS, **{**OWN, "est_first": [-20, -50, None, ""]}), prices(NAMES))
    assert found.events["status"].tolist() == ["too_few_estimation", "ok", "ok", "ok"]


@pytest.mark.thorough
def test_drawn_dates_keep_own_windows() -> None:
    study = es.Study(**{**WINDOWS, "min_estimation": 20})
    made = StudyRun(study, StudyData(events(ROWS, **OWN), prices(NAMES))).sample(full_history=True)
    assert made.placed.own_windows is not None
    np.testing.assert_array_equal(made.placed.own_windows, FILLED)
    for one in draw_samples(made.panels, made.placed, made.sample, 7, 1):
        np.testing.assert_array_equal(one.placed.own_windows, np.tile(FILLED, (7, 1)))
    found = es.Study(**{**WINDOWS, "tests": ["placebo"]}).run(events(ROWS, **OWN), prices(NAMES))
    assert found.tests["p"].between(0, 1).all()
