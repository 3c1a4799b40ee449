"""One study with several models: each is its own study, two are least squares by hand, and figures are whole."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

import eventstudy as es
from eventstudy.analysis.across import labelled
from eventstudy.members import settings_of
from eventstudy.types import Model
from tests.make import BENCHMARK, Material, material
from tests.plots.drawing import drawn_texts

pytestmark = pytest.mark.thorough

WINDOWS = ((0, 0), (-1, 1))
SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-125, -6), "event": (-5, 5), "windows": WINDOWS, "min_estimation": 100,
}  # fmt: skip
MODELS: tuple[str | Model, ...] = ("market", "market_adjusted", "mean", es.model("dimson", leads=0))
LABELS = ["market", "market_adjusted", "mean", "dimson(leads=0)"]
EXAMPLE = Path(__file__).parent.parent / "examples" / "models_2021"


@pytest.fixture(scope="module")
def its() -> Material:
    made = material(np.random.default_rng(3), BENCHMARK, 12)
    frame = made.events.frame[["ticker", "announced"]].reset_index()
    lost = pd.DataFrame({"event_id": ["GONE"], "ticker": ["Z9"], "announced": ["2020-03-02"]})
    return made._replace(events=es.Events.from_frame(pd.concat([frame, lost])))


def run(its: Material, **choices: Any) -> es.Result:
    return es.Study(**{**SHORT, **choices}).run(its.events, its.prices)


@pytest.fixture(scope="module")
def found(its: Material) -> Any:
    return run(its).across(MODELS)


def at(frame: pd.DataFrame, window: tuple[int, int]) -> pd.DataFrame:
    return frame[(frame["start"] == window[0]) & (frame["end"] == window[1])]


# The numbers.


def test_each_model_is_its_own_study(its, found):
    assert found.models.index.tolist() == LABELS
    assert found.models["family"].tolist() == ["index", "index", "mean", "index"]
    for label, model in zip(LABELS, MODELS, strict=True):
        alone = run(its, model=model)
        mine = found.cars[found.cars["model"] == label]
        assert len(mine) == 13 * 2
        kept = mine[mine["car"].notna()].reset_index(drop=True)
        for name in ("event_id", "start", "end", "car", "se", "p", "p_sq", "p_conformal"):
            pd.testing.assert_series_equal(kept[name], alone.cars[name])
        tests = found.tests[found.tests["model"] == label].drop(columns="model").reset_index(drop=True)
        pd.testing.assert_frame_equal(tests, alone.tests)
        pd.testing.assert_frame_equal(found.results[label].tests, alone.tests)
        chosen = {**alone.provenance["settings"], "model": settings_of(labelled([model])[label])}
        assert found.results[label].provenance["settings"] == chosen
        assert found.results[label].provenance["tests"] == alone.provenance["tests"]
        again = found.results[label].diagnose()
        pd.testing.assert_frame_equal(again, alone.diagnose())


def test_two_models_are_least_squares_by_hand(its, found):
    levels = {name: pd.Series(b.fields["close"], b.dates) for name, b in its.prices.bars.items()}
    returns = pd.DataFrame(levels).pct_change(fill_method=None)
    table = found.table((-1, 1)).drop("GONE")
    by_t = at(found.cars, (-1, 1)).set_index(["model", "event_id"])["p"]
    for name, row in table.iterrows():
        ticker, session = row["event", "ticker"], row["event", "session"]
        at0 = returns.index.get_loc(session)
        before = returns.iloc[at0 - 125 : at0 - 5]
        during = returns.iloc[at0 - 1 : at0 + 2]
        x = np.column_stack([np.ones(120), before["M"]])
        b, left, *_ = np.linalg.lstsq(x, before[ticker], rcond=None)
        w = np.array([3.0, during["M"].sum()])
        car = during[ticker].sum() - w @ b
        se = np.sqrt(left[0] / 118 * (3 + w @ np.linalg.inv(x.T @ x) @ w))
        assert row["market", "car"] == pytest.approx(car, abs=1e-13)
        assert by_t["market", name] == pytest.approx(2 * stats.t.sf(abs(car / se), 118), rel=1e-9)
        x = np.column_stack([np.ones(120), before["M"]])
        sums = np.lib.stride_tricks.sliding_window_view(before[ticker] - x @ b, 3).sum(axis=1)
        count = (np.abs(sums) >= abs(car)).sum()
        assert row["market", "p"] == pytest.approx((1 + count) / (1 + len(sums))), "p_sq, which is first"
        e = (before[ticker] - before["M"]).to_numpy()
        car = (during[ticker] - during["M"]).sum()
        se = np.sqrt(3 * (e**2).mean())
        assert row["market_adjusted", "car"] == pytest.approx(car, abs=1e-13)
        assert by_t["market_adjusted", name] == pytest.approx(2 * stats.t.sf(abs(car / se), 120), rel=1e-9)


def test_the_summary_is_counted_by_hand(found):
    for window in WINDOWS:
        made = found.summary(window, test="wild_bootstrap")
        wide = found.table(window).drop("GONE")
        cars, ps = wide.xs("car", axis=1, level=1), wide.xs("p", axis=1, level=1)
        np.testing.assert_allclose(made["effect"], cars.mean()[LABELS], rtol=1e-12)
        np.testing.assert_allclose(made["reference"], cars["market"].mean(), rtol=1e-12)
        np.testing.assert_allclose(made["significant"], (ps < 0.05).mean()[LABELS])
        np.testing.assert_allclose(made["same_sign"], [(cars[m] * cars["market"] > 0).mean() for m in LABELS])
        assert made["n"].tolist() == [12] * 4
        assert made["lost"].tolist() == ["1 unknown_ticker"] * 4
        its = at(found.tests[found.tests["test"] == "wild_bootstrap"], window).set_index("model")
        np.testing.assert_array_equal(made["p"], its["p"][LABELS])
        np.testing.assert_array_equal(made["p"], made["p_wild_bootstrap"])


def test_in_a_study_with_signs_all_means_are_in_the_expected_direction(its):
    rng = np.random.default_rng(5)
    frame = its.events.frame.assign(expected=rng.choice([1.0, -1.0, 0.0], len(its.events)))
    result = run(its._replace(events=es.Events.from_frame(frame)), sign="expected")
    specifications = result.across(["market", "mean"])
    window = specifications.windows[0]
    summary = specifications.summary(window)
    signs = frame["expected"]
    values = {}
    for label, own in specifications.results.items():
        day = own.cars[(own.cars["start"] == window[0]) & (own.cars["end"] == window[1])].set_index("event_id")["car"]
        ok = own.events.index[(own.events["status"] == "ok") & (signs.reindex(own.events.index) != 0)]
        values[label] = (day * signs.reindex(day.index)).reindex(ok).dropna()
        assert summary.loc[label, "n"] == len(values[label])
        assert summary.loc[label, "effect"] == pytest.approx(values[label].mean(), rel=1e-12)
        common = values[label].index.intersection(values["market"].index)
        assert summary.loc[label, "reference"] == pytest.approx(values["market"][common].mean(), rel=1e-12)
        unsigned = (own.events["status"] == "ok") & (signs.reindex(own.events.index) == 0)
        assert f"{unsigned.sum()} without a sign" in summary.loc[label, "lost"]


def test_the_error_of_the_mean_is_that_of_the_tests():
    """Without shared days the t-test's; on one date, inflated as BMP is by Kolari and Pynnonen."""
    together = material(np.random.default_rng(5), BENCHMARK, 10, "same_day")
    alone = run(material(np.random.default_rng(5), BENCHMARK, 10, "independent"), tests=("cross_section",))
    [row] = at(alone.across(["market"]).effects, (-1, 1)).to_dict("records")
    [t] = at(alone.tests, (-1, 1))["statistic"]
    assert row["se"] == pytest.approx(row["effect"] / t, rel=1e-9)
    assert row["upper"] - row["effect"] == pytest.approx(stats.t.ppf(0.975, 9) * row["se"], rel=1e-9)
    shared = run(together, tests=("bmp", "kolari_pynnonen", "cross_section"))
    [row] = at(shared.across(["market"]).effects, (-1, 1)).to_dict("records")
    by_test = at(shared.tests, (-1, 1)).set_index("test")["statistic"]
    bmp, kp, t = by_test[["bmp", "kolari_pynnonen", "cross_section"]]
    assert bmp != pytest.approx(kp, rel=1e-4)
    assert row["se"] == pytest.approx(row["effect"] / t * bmp / kp, rel=1e-9)


def test_dependence_is_counted_by_a_loop(found):
    made = found.dependence((-1, 1))
    assert made["range"].is_monotonic_decreasing
    assert len(made) == 12
    wide = found.table((-1, 1))
    for name, row in made.iterrows():
        cars = [wide.loc[name, (m, "car")] for m in LABELS]
        hits = [wide.loc[name, (m, "p")] < 0.05 for m in LABELS]
        assert (row["low"], row["high"], row["n"]) == (min(cars), max(cars), 4)
        assert row["sign_depends"] == (min(cars) < 0 < max(cars))
        assert row["significance_depends"] == (0 < sum(hits) < 4)
        assert row["n_significant"] == sum(hits)
    assert made["sign_depends"].any()


def test_p_of_single_events_is_the_first_of_the_window(its, found):
    longer = run(its).across(["market"], windows=[(0, 3)])
    for specifications, window, column in ((found, (-1, 1), "p_sq"), (longer, (0, 3), "p_conformal")):
        cars = at(specifications.cars, window).pivot(index="event_id", columns="model", values=column)
        wide = specifications.table(window).xs("p", axis=1, level=1)
        labels = specifications.models.index
        pd.testing.assert_frame_equal(wide[labels], cars.loc[wide.index, labels], check_names=False)


def test_windows_may_be_others(its, found):
    other = run(its).across(["market"], windows=[(0, 3)])
    assert other.windows == [(0, 3)]
    wanted = run(its, windows=[(0, 3)])
    np.testing.assert_array_equal(other.cars["car"].dropna(), wanted.cars["car"])
    assert found.windows == list(WINDOWS)


@pytest.mark.parametrize("choices", [{"accumulate": "compound"}, {"outcome": "volatility"}])
def test_other_measures_are_those_of_the_study(its, choices):
    found = run(its, tests=("cross_section",), **choices).across(["market", "mean"])
    alone = run(its, model="mean", tests=("cross_section",), **choices)
    np.testing.assert_array_equal(found.effects["effect"][2:], alone.tests["effect"])
    value = found.measure.column
    wide = found.table().drop("GONE")
    np.testing.assert_array_equal(wide["mean"][value], at(alone.cars, (0, 0))[value])
    assert found.measure.short in found.plot()[0].get_title(loc="left")
    assert found.measure.short in repr(found)
    np.testing.assert_allclose(found.summary()["reference"].iloc[0], found.summary()["effect"].iloc[0], rtol=1e-12)


def test_placebos_are_kept(its):
    made = material(np.random.default_rng(0), es.model("peers").columns, 6)
    found = es.Study(**SHORT).run(made.events, made.prices).across(["market", "synthetic_control"])
    p = found.cars.groupby("model", sort=False)["p_placebo"]
    assert p.count().to_dict() == {"market": 0, "synthetic_control": 12}
    assert found.models["family"].tolist() == ["index", "peers"]


# What cannot be had.


def test_a_model_that_cannot_be_run_stays_with_its_reason(its):
    with pytest.warns(es.EventStudyWarning, match="the model 'ff3' could not be run: the regressor is 'Mkt-RF'"):
        found = run(its).across(["ff3", "market"])
    made = found.summary()
    assert made["n"].tolist() == [0, 12]
    assert made.loc["ff3", "lost"].startswith("the regressor is")
    assert np.isnan(made.loc["ff3", ["effect", "lower", "p", "significant", "same_sign"]].astype(float)).all()
    assert (found.table()["ff3"]["status"] == "not_run").all()
    assert "none: the regressor" in repr(found)
    assert list(found.results) == ["market"]
    assert len(found.plot()) == 2
    assert found.plot("events") is not None


def test_a_model_without_a_usable_event_has_their_statuses(its):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(its, min_estimation=100).across({"m": "market", "few": es.model("peers", matched=99)})
    made = found.summary()
    assert made.loc["few", "n"] == 0
    assert made.loc["few", "lost"] == "12 no_peers, 1 unknown_ticker"
    assert (found.table()["few"]["status"].drop("GONE") == "no_peers").all()
    lone = run(its).across({"few": es.model("peers", matched=99)})
    assert lone.dependence().empty
    assert lone.summary()["n"].tolist() == [0]
    for kind in ("curve", "events"):
        figure = np.ravel(lone.plot(kind))[0].figure
        assert figure is not None
    assert "none: 12 no_peers" in repr(lone)


def test_nothing_that_can_be_run_is_an_error(its):
    with pytest.raises(es.InputError, match="the regressor is 'Mkt-RF'"):
        run(its).across(["ff3"])


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([], "models is empty"),
        (["markt"], "'markt'; valid are"),
        (["market", "market"], "two models have the label 'market'; give a mapping"),
        ([3], "is 3; give a name, or an object with a fit"),
        ({"": "market"}, "is not a text"),
        ({"event": "market"}, "stands for the event itself"),
        ({7: "market"}, "the label 7 of a model is not a text"),
    ],
)
def test_bad_models_say_so(its, models, words):
    with pytest.raises(es.InputError, match=words):
        run(its).across(models)


@pytest.mark.parametrize("windows", [[], [(0, 9)], [(1, 0)], [(0.5, 1)], (0, 0), [(0, 1, 2)], [(0, 0), (1,)]])
def test_bad_windows_say_so(its, windows):
    with pytest.raises(es.InputError, match=r"pairs of whole numbers inside event \(-5, 5\)"):
        run(its).across(["market"], windows)


def test_bad_questions_say_so(found):
    with pytest.raises(es.InputError, match=r"window is \(0, 9\); valid are \(0, 0\)"):
        found.table((0, 9))
    with pytest.raises(es.InputError, match="test is 'bmp'; valid are"):
        found.summary(test="bmp")
    with pytest.raises(es.InputError, match="kind of the figure is 'pie'"):
        found.plot("pie")
    with pytest.raises(es.InputError, match="most is 0"):
        found.plot("events", most=0)
    with pytest.raises(es.InputError, match="'market' is in both"):
        found.join(found)


def test_labels_name_the_options_that_are_not_the_default():
    given = ["market", es.model("peers", matched=3, adjust="difference"), es.model("garch")]
    assert list(labelled(given)) == ["market", "peers(matched=3, adjust='difference')", "garch"]
    assert list(labelled("mean")) == ["mean"]
    assert list(labelled({"a": "market", "b": "market"})) == ["a", "b"]


# Joining.


def test_specifications_of_a_part_of_the_events_join(its, found):
    frame = its.events.frame[["ticker", "announced"]].reset_index()
    part = its._replace(events=es.Events.from_frame(frame[:5]))
    other = run(part).across({"market here": "market"})
    both = found.join(other)
    assert both.models.index.tolist() == [*LABELS, "market here"]
    table = both.table()
    assert len(table) == 13
    assert (table["market here"]["status"] == "not_studied").sum() == 8
    here = table["market here"]["car"].notna()
    np.testing.assert_array_equal(table["market here"]["car"][here], table["market"]["car"][here])
    made = both.summary()
    assert made["n"].tolist() == [12, 12, 12, 12, 5]
    assert made.loc["market here", "reference"] == pytest.approx(made.loc["market here", "effect"], rel=1e-12)
    assert made.loc["market here", "lost"] == "8 not_studied"
    assert made.loc["market", "lost"] == "1 unknown_ticker"
    known = table.xs("car", axis=1, level=1).notna().sum(axis=1).drop("GONE")
    assert both.dependence()["n"].to_dict() == known.to_dict()
    with pytest.raises(es.InputError, match="the windows are"):
        found.join(run(part).across({"b": "market"}, [(0, 0)]))
    renamed = es.Events.from_frame(frame[:2].assign(ticker=["S1", "S0"]))
    with pytest.raises(es.InputError, match="event 'E0' has different tickers"):
        found.join(run(its._replace(events=renamed)).across({"b": "market"}))


# The figures.


FIGURES: dict[str, tuple[str, dict[str, Any]]] = {
    "curve": ("curve", {}),
    "all windows": ("curve", {"window": "all", "test": "wild_bootstrap"}),
    "events": ("events", {}),
    "two events": ("events", {"window": (-1, 1), "most": 2}),
}


@pytest.fixture(scope="module")
def of_samples(its: Material, found: Any) -> dict[str, Any]:
    return {"plain": found, "wanting": wanting(its)}


def wanting(its: Material, **labels: Any) -> Any:
    """Give specifications with a model that fails, one without events, and long names of foreign letters."""
    with pytest.warns(es.EventStudyWarning, match="could not be run"):
        return run(its).across({"反垄断 $x_{i}$ a very long name of a model": "market", "ff3": "ff3", "few": es.model(
            "peers", matched=99), "mean": "mean", **labels})  # fmt: skip


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("sample", [pytest.param("plain", marks=pytest.mark.full), "wanting"])
def test_no_text_of_a_figure_overlaps_another_or_is_cut(of_samples, kind, sample):
    name, options = FIGURES[kind]
    figure = np.ravel(of_samples[sample].plot(name, **options))[0].figure
    texts = drawn_texts(figure)
    width, height = figure.canvas.get_width_height()
    assert len(texts) > 8
    for text, box in texts:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text
    for k, (one, a) in enumerate(texts):
        for other, b in texts[k + 1 :]:
            apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
            assert apart, (one.get_text(), other.get_text())
    assert not any(text.get_parse_math() for text, _ in texts if "$" in text.get_text())


def test_the_curve_has_what_the_summary_has(found):
    upper, lower = found.plot(window=(-1, 1))
    made = found.summary((-1, 1)).sort_values("effect")
    points = upper.collections[-1].get_offsets()
    np.testing.assert_allclose(points[:, 1], made["effect"])
    bars = [path.vertices for path in upper.collections[0].get_paths()]
    np.testing.assert_allclose([bar[:, 1] for bar in bars], made[["lower", "upper"]])
    effects = found.effects[(found.effects["start"] == -1) & (found.effects["end"] == 1)].set_index("model")
    effects = effects.loc[made.index]
    half = stats.t.ppf(0.95, effects["df"]) * effects["se"]
    narrow = found.plot(window=(-1, 1), level=0.9)[0]
    bars = [path.vertices for path in narrow.collections[0].get_paths()]
    expected = np.column_stack([effects["effect"] - half, effects["effect"] + half])
    np.testing.assert_allclose([bar[:, 1] for bar in bars], expected, rtol=1e-9)
    assert "bars: 90 %" in " ".join(text.get_text() for text in narrow.texts)
    with pytest.raises(es.InputError, match="level is 95; give a share between 0 and 1"):
        found.plot(level=95)
    rows = [label.get_text() for label in lower.get_yticklabels()]
    assert rows[:4] == made.index.tolist()
    assert {"index", "mean", "kolari_pynnonen", "wild_bootstrap"} <= set(rows)
    said = [text.get_text() for text in upper.figure.findobj(Text)]
    assert any("grey stroke: what market gives the same events" in text for text in said)


def test_the_events_are_those_that_depend_most(found):
    ax = found.plot("events", most=5)
    assert len(ax.get_yticks()) == 5
    assert "the 5 widest of 12 events" in ax.texts[0].get_text()
    made = found.dependence()
    assert made.index[0] in ax.get_yticklabels()[0].get_text()
    segments = [s for lines in ax.collections[:2] for s in lines.get_segments()]
    assert sorted(s[:, 0].tolist() for s in segments) == sorted(made[["low", "high"]].iloc[:5].to_numpy().tolist())
    every = found.plot("events", most=None)
    assert len(every.get_yticks()) == 12


def test_simulated_prices_are_named():
    tickers = ["9988.HK", "^HSI"]
    prices = es.fetch_prices(tickers, "2019-06-01", "2021-12-30", source="simulated", seed=1)
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["9988.HK"], "announced": ["2021-09-13"]}))
    found = es.Study(benchmark="^HSI").run(events, prices).across(["market", "mean"])
    assert found.summary()["n"].tolist() == [1, 1]
    for kind in ("curve", "events"):
        said = [text.get_text() for text in np.ravel(found.plot(kind))[0].figure.findobj(Text)]
        assert "simulated prices" in said


# The example, on the real prices, with the models that are quick.


@pytest.mark.full
def test_the_example_on_real_prices(shared: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    example = importlib.import_module("models")
    try:
        data = shared / "data"
        prices = example.read(str(data / "prices"), str(data / "hk_universe_adjclose.csv.gz"))
        factors = es.read_french(data / "oracles" / "fama_french_daily" / "ff3_daily.csv")
        quick = {"market": "market", "adjusted": "market_adjusted"}
        hong_kong = {"market HK": "market", "matched": es.model("peers", matched=10)}
        found = example.specifications(prices, factors, quick, {"capm": "capm"}, hong_kong)
        made = found.summary()
        assert made["n"].tolist() == [172, 172, 60, 112, 112]
        text = example.text(found)
        assert max(map(len, text.splitlines())) <= 100
        assert len(text.splitlines()) == 172 + 3
        assert "of 172 events the sign depends on the model in" in example.counts(found)
    finally:
        sys.modules.pop("models", None)
