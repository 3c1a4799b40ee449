"""Several windows of one study: adjusted p-values and the band for all days, held to loops, limits and simulation."""

from __future__ import annotations

from dataclasses import replace
from functools import partialmethod
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from scipy import special
from statsmodels.stats.multitest import multipletests

import eventstudy as es
from eventstudy.analysis.multiplicity import adjust_tests, max_t_quantile, romano_wolf
from eventstudy.core.draws import null
from eventstudy.core.run import run
from eventstudy.run.rerun import StudyRun
from eventstudy.run.sample import StudyData
from tests.make import material
from tests.plots.drawing import collections, draw

pytestmark = pytest.mark.thorough

WINDOWS = ((0, 0), (-1, 1), (0, 5))
SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-65, -6), "event": (-5, 5), "windows": WINDOWS, "min_estimation": 40
}  # fmt: skip


def stepwise(t: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The step-down of Romano and Wolf as they write it, hypothesis by hypothesis."""
    known = [v for v in range(len(t)) if np.isfinite(t[v])]
    rows = [row for row in drawn if all(np.isfinite(row[v]) for v in known)]
    out, left, before = np.full(len(t), np.nan), list(known), 0.0
    while left:
        top = max(left, key=lambda v: abs(t[v]))
        beyond = sum(max(abs(row[v]) for v in left) >= abs(t[top]) for row in rows)
        before = out[top] = max(before, (1 + beyond) / (1 + len(rows)))
        left.remove(top)
    return out


def correlated(rng: np.random.Generator, n: int, v: int, rho: float) -> np.ndarray:
    common = rng.standard_normal((n, 1))
    return np.asarray(np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.standard_normal((n, v)))


@pytest.fixture(scope="module")
def result() -> es.Result:
    made = material(np.random.default_rng(3), kind="overlap")
    made.events.frame["kind"] = ["x", "y"] * 10
    study = es.Study(tests=("bmp", "kolari_pynnonen", es.test("placebo", draws=99)), group="kind", **SHORT)
    return study.run(made.events, made.prices)


# The functions.


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_step_down_equals_a_plain_loop(rho: float):
    rng = np.random.default_rng(1)
    for _ in range(20):
        t, drawn = 2 * rng.standard_normal(6), correlated(rng, 99, 6, rho)
        t[rng.integers(6)] = np.nan
        drawn[rng.random(drawn.shape) < 0.01] = np.nan
        np.testing.assert_array_equal(romano_wolf(t, drawn), stepwise(t, drawn))


def test_one_window_is_the_plain_share_of_the_draws():
    drawn = np.random.default_rng(2).standard_normal((999, 1))
    p = romano_wolf(np.array([-1.7]), drawn)
    assert p.tolist() == [(1 + (np.abs(drawn) >= 1.7).sum()) / 1000]


def test_windows_that_always_agree_need_no_adjustment():
    drawn = np.repeat(np.random.default_rng(3).standard_normal((999, 1)), 4, axis=1)
    t = np.array([1.0, -2.5, 2.0, 2.5])
    alone = [romano_wolf(t[[v]], drawn[:, [v]])[0] for v in range(4)]
    assert romano_wolf(t, drawn).tolist() == alone


def test_independent_windows_are_near_sidak():
    drawn = np.random.default_rng(4).standard_normal((200_000, 5))
    t = np.array([2.6, 0.1, 0.2, -0.3, 0.1])
    alone = 2 * special.ndtr(-2.6)
    assert romano_wolf(t, drawn)[0] == pytest.approx(1 - (1 - alone) ** 5, rel=0.03)
    assert max_t_quantile(drawn, 0.95) == pytest.approx(special.ndtri((1 + 0.95**0.2) / 2), abs=0.01)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_family_is_falsely_rejected_in_one_study_of_twenty(rho: float):
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(2000):
        all_ = correlated(rng, 100, 5, rho)
        wrong += romano_wolf(all_[0], all_[1:]).min() <= 0.05
    assert wrong / 2000 == pytest.approx(0.05, abs=0.015)  # three standard errors


def test_a_path_leaves_the_band_somewhere_in_one_study_of_twenty():
    rng = np.random.default_rng(6)
    days = np.sqrt(np.arange(1, 22))
    outside = 0
    for _ in range(2000):
        paths = np.cumsum(rng.standard_normal((100, 21)), axis=1) / days
        outside += (np.abs(paths[0]) > max_t_quantile(paths[1:], 0.95)).any()
    assert outside / 2000 == pytest.approx(0.05, abs=0.015)


def test_the_quantile_is_the_order_statistic_that_keeps_the_level():
    drawn = np.random.default_rng(7).standard_normal((99, 3))
    largest = sorted(max(abs(v) for v in row) for row in drawn)
    assert max_t_quantile(drawn, 0.95) == largest[94]  # 5 of 100 places are above it
    assert max_t_quantile(drawn, 0.99) == largest[98]
    assert np.isnan(max_t_quantile(drawn, 0.995))


def test_draws_that_tell_nothing_give_nothing():
    for drawn in (np.ones((500, 2)), np.full((500, 2), np.nan), np.arange(38.0).reshape(19, 2), np.empty((0, 2))):
        assert np.isnan(romano_wolf(np.array([3.0, 1.0]), drawn)).all()
        assert np.isnan(max_t_quantile(drawn, 0.9))
    assert np.isnan(romano_wolf(np.array([np.nan]), np.arange(99.0)[:, None])).all()
    assert np.isnan(max_t_quantile(np.empty((99, 0)), 0.9))


def by_hand(p: list[float], method: str) -> list[float]:
    """Holm (1979), Benjamini & Hochberg (1995) and Benjamini & Yekutieli (2001) from their definitions."""
    m = len(p)
    order = sorted(range(m), key=lambda i: p[i])
    out = [0.0] * m
    for at, i in enumerate(order):
        if method == "holm":
            out[i] = min(1.0, max((m - k) * p[order[k]] for k in range(at + 1)))
        else:
            factor = sum(1 / k for k in range(1, m + 1)) if method == "by" else 1.0
            out[i] = min(1.0, min(factor * m / (k + 1) * p[order[k]] for k in range(at, m)))
    return out


IN_STATSMODELS = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


def table(p: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    rows = [(g, v, v, name, 2.0, x, "why") for (g, name), family in p.items() for v, x in enumerate(family)]
    return pd.DataFrame(rows, columns=["group", "start", "end", "test", "statistic", "p", "note"])


@pytest.mark.parametrize("method", ["holm", "bh", "by"])
def test_families_are_the_windows_of_one_group_and_test_without_the_missing(
    method: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels collects each time, for seconds in a process of tests
    one, other = [0.012, np.nan, 0.04, 0.003, 0.9], [0.5, 0.02, 0.03, np.nan, np.nan]
    frame = table({("all", "bmp"): one, ("all", "sign"): other, ("x", "bmp"): other[::-1], ("y", "bmp"): [np.nan] * 5})
    found = adjust_tests(frame, method, {})
    assert found.columns.tolist() == [*frame.columns, "p_adjusted"]
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    for family, rows in found.groupby(["group", "test"]):
        known = rows["p"].notna()
        assert rows["p_adjusted"].notna().equals(known), family
        p, adjusted = (rows.loc[known, column].to_numpy() for column in ("p", "p_adjusted"))
        np.testing.assert_allclose(adjusted, by_hand(p.tolist(), method), 1e-14)
        if len(p):
            np.testing.assert_allclose(adjusted, multipletests(p, method=IN_STATSMODELS[method])[1], 1e-14)


# The study.


def test_romano_wolf_ranks_the_study_among_its_own_dates_drawn_anew(result: es.Result):
    found = result.adjust("romano_wolf", draws=99)
    assert result.rerun is not None
    made = result.rerun.sample(full_history=True)
    tests = {name: es.test(name) for name in ("bmp", "kolari_pynnonen")}
    drawn = null(run, made.panels, made.placed, result.rerun.return_model, tests, made.sample, 99, 0)
    for name in tests:
        rows = found[(found["group"] == "all") & (found["test"] == name)]
        expected = stepwise(rows["statistic"].to_numpy(), drawn[f"t:{name}"][:, 0])
        np.testing.assert_array_equal(rows["p_adjusted"], expected)
        parts = found[(found["group"] != "all") & (found["test"] == name)]
        assert parts["p_adjusted"].between(0.01, 1).all()
        assert len(parts) == 6


def test_the_draws_of_a_group_are_those_of_a_study_of_it_alone():
    made = material(np.random.default_rng(9), kind="same_day")  # one date: the other group does not bind its draws
    made.events.frame["kind"] = ["y", "x", "x", "y"] * 5
    study = es.Study(tests=("bmp",), group="kind", **SHORT)
    both = StudyRun(study, StudyData(made.events, made.prices)).null(99)
    assert set(both) == {"all", "x", "y"}
    for kind in ("x", "y"):
        mine = es.Events(made.events.frame[made.events.frame["kind"] == kind])
        alone = StudyRun(replace(study, group=None), StudyData(mine, made.prices)).null(99)["all"]
        np.testing.assert_allclose(both[kind]["t:bmp"], alone["t:bmp"], rtol=1e-10)


def test_a_test_that_draws_dates_itself_is_left_out_and_says_so(result: es.Result):
    rows = result.adjust("romano_wolf", draws=99).query("test == 'placebo'")
    assert rows["p"].notna().all()
    assert rows["p_adjusted"].isna().all()
    assert rows["note"].str.endswith("not adjusted: it draws dates itself").all()
    assert result.adjust("holm").query("test == 'placebo'")["p_adjusted"].notna().all()


def test_the_band_is_the_largest_deviation_on_drawn_dates(result: es.Result):
    band = result.band(0.9, draws=199)
    assert result.rerun is not None
    drawn = result.rerun.null(199)["all"]["cumulative"]
    largest = sorted(max(abs(x) for x in path) for path in drawn)
    reach = largest[179] * result.daily["se"]
    assert band.columns.tolist() == ["caar", "lower", "upper"]
    assert band.index.tolist() == list(range(-5, 6))
    pd.testing.assert_series_equal(band["upper"], result.daily["caar"] + reach, check_names=False)
    pd.testing.assert_series_equal(band["lower"], result.daily["caar"] - reach, check_names=False)
    inside = np.abs(drawn) <= largest[179]
    assert inside.all(axis=1).mean() == pytest.approx(0.9, abs=0.01)
    assert (inside.mean(axis=0) > 0.9).all()  # each day alone is held more surely


def test_the_figure_has_the_band_that_is_asked_for(result: es.Result, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(es.Result, "band", partialmethod(es.Result.band, draws=199))  # fewer than by default
    ax = draw(result, "caar", band="simultaneous")
    band = result.band()
    corners = collections(ax, FillBetweenPolyCollection)[0].get_paths()[0].vertices
    assert corners[:, 1].min() == band["lower"].min()
    assert corners[:, 1].max() == band["upper"].max()
    assert ax.texts[0].get_text() == "20 events; shaded: 95 % band for all days together"
    plain = collections(draw(result, "caar", group="all"), FillBetweenPolyCollection)[0].get_paths()[0].vertices
    assert plain[:, 1].max() == result.daily["upper"].max()
    with pytest.raises(es.InputError, match="band is 'all'; valid are 'pointwise', 'simultaneous'"):
        draw(result, "caar", band="all")


def test_bad_choices_name_what_is_valid(result: es.Result):
    for call, words in (
        (lambda: result.adjust("bonferroni"), "method is 'bonferroni'; valid are 'holm', 'bh', 'by', 'romano_wolf'"),
        (lambda: result.adjust("romano_wolf", draws=50), "draws is 50; give a whole number, from 99 to 1,000,000"),
        (lambda: result.band(95), "level is 95; give a share"),
        (lambda: result.band(0.999, draws=500), "needs at least 999"),
        (lambda: replace(result, rerun=None).band(), "no study with its data"),
    ):
        with pytest.raises(es.InputError, match=words):
            call()


def test_a_group_may_not_take_the_name_of_the_whole():
    made = material(np.random.default_rng(3), n=4)
    made.events.frame["kind"] = ["all", "y"] * 2
    with pytest.raises(es.InputError, match="the value 'all', which stands for the whole sample"):
        es.Study(group="kind", **SHORT).run(made.events, made.prices)


def test_without_other_dates_or_events_there_is_no_band_and_no_adjusted_p():
    made = material(np.random.default_rng(8), n=4, kind="same_day", days=116)
    short = {name: made.prices.frame(name)["close"].iloc[:72] for name in made.prices.tickers}
    choices = {**SHORT, "min_estimation": 60}  # the only place with 60 returns before it is the events' own
    result = es.Study(tests=("bmp",), **choices).run(made.events, es.Prices.from_frame(pd.DataFrame(short)))
    assert (result.events["status"] == "ok").all()
    assert result.band(draws=99)[["lower", "upper"]].isna().all(axis=None)
    rows = result.adjust("romano_wolf", draws=99)
    assert rows["p"].notna().all()
    assert rows["p_adjusted"].isna().all()
    assert rows["note"].str.contains("not adjusted: fewer than 20").all()
    ax = draw(result, "caar", band="simultaneous")
    assert ax.texts[0].get_text() == "4 events; no band can be computed"
    lost = es.Study(tests=("bmp",), **SHORT).run(
        es.Events.from_frame(pd.DataFrame({"ticker": ["NOPE"], "announced": ["2019-04-01"]})), made.prices
    )
    assert lost.band(draws=99)["upper"].isna().all()
    assert lost.adjust("romano_wolf", draws=99)["p_adjusted"].isna().all()
    assert lost.adjust("bh")["p_adjusted"].isna().all()
