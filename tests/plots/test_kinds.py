"""What the figures of averages, single events and checks draw is what the frames and an independent sum say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.patches import StepPatch
from scipy import stats

import eventstudy as es
from eventstudy import _registry, demo
from eventstudy.errors import InputError
from eventstudy.plots._save import figure_of, save_figure
from eventstudy.plots._text import wrapped
from eventstudy.plots.diagnostics import normal_quantiles
from eventstudy.plots.distribution import alt
from eventstudy.result import Result
from tests.make import material
from tests.plots.drawing import collections, draw
from tests.reports.fake import fake, many


@pytest.fixture(scope="module")
def studied() -> Result:
    """Twenty events in two groups, none of which overlap."""
    made = material(np.random.default_rng(6), kind="independent")
    made.events.frame["g"] = [f"g{i % 2}" for i in range(20)]
    study = es.Study(
        benchmark="M", estimation=(-65, -6), event=(-5, 5), windows=((0, 0), (-1, 1)), min_estimation=40, group="g",
        tests=("bmp",),
    )  # fmt: skip
    return study.run(made.events, made.prices)


@pytest.mark.thorough
def test_the_average_of_a_day_has_the_interval_of_a_window_of_that_day(studied):
    ax = draw(studied, "aar", level=0.9)
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], studied.daily["aar"])
    assert studied.rerun is not None
    alone = studied.rerun.result(windows=[(0, 0)]).effects.iloc[0]
    half = stats.t.ppf(0.95, alone["df"]) * alone["se"]
    strokes = collections(ax, LineCollection)[0].get_segments()
    np.testing.assert_allclose(strokes[5][:, 1], [alone["effect"] - half, alone["effect"] + half], rtol=1e-12)
    plain = studied.ar[0].std() / np.sqrt(20)  # no two events share a day
    assert alone["se"] == pytest.approx(plain, rel=1e-9)


@pytest.mark.thorough
def test_the_rows_of_the_heat_map_are_the_events_by_group_and_by_their_sums(studied):
    ax = draw(studied, "heatmap")
    drawn = np.ma.filled(ax.images[0].get_array(), np.nan)
    rows = []
    for group in dict.fromkeys(studied.by_group["group"]):
        inside = studied.ar[(studied.events["g"] == group).reindex(studied.ar.index)]
        rows.append(inside.loc[inside.sum(axis=1).sort_values().index])
    np.testing.assert_array_equal(drawn, np.concatenate(rows))
    low, high = ax.images[0].get_clim()
    assert low == -high
    assert high == np.quantile(np.abs(studied.ar.to_numpy()), 0.98)
    assert "by group" in ax.texts[0].get_text()


@pytest.mark.thorough
def test_the_heat_map_can_be_sorted_by_a_window_and_says_what_is_missing():
    result = fake()
    ax = draw(result, "heatmap", window=(-1, 1))
    used = result.events.index[result.events["status"] == "ok"]
    order = result.ar.loc[used, -1:1].sum(axis=1).sort_values().index
    np.testing.assert_array_equal(np.ma.filled(ax.images[0].get_array(), np.nan), result.ar.loc[order])
    assert ax.texts[0].get_text().startswith("9 events, sorted by CAR (−1, 1); grey: no value")
    with pytest.raises(InputError, match="window is"):
        draw(result, "heatmap", window=(-3, 3))


@pytest.mark.thorough
def test_the_forest_has_the_cars_and_their_intervals_the_lowest_first(studied):
    ax = draw(studied, "forest", window=(-1, 1), level=0.9)
    cars = studied.cars[(studied.cars["start"] == -1)].set_index("event_id")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert [name for name in names if name.startswith("g")] == ["g0", "g1"]
    assert names[-1] == "Mean of 20 events"
    events, mean = collections(ax, PathCollection)[:2]
    order = [
        event
        for group in ("g0", "g1")
        for event in cars.loc[studied.events.index[studied.events["g"] == group], "car"].sort_values().index
    ]
    np.testing.assert_array_equal(events.get_offsets()[:, 0], cars.loc[order, "car"])
    half = stats.t.ppf(0.95, cars.loc[order, "df"]) * cars.loc[order, "se"]
    strokes = np.array(collections(ax, LineCollection)[0].get_segments())[:, :, 0]
    np.testing.assert_allclose(strokes[:, 0], cars.loc[order, "car"] - half, rtol=1e-9)
    effect = studied.effects[studied.effects["start"] == -1].iloc[0]
    assert mean.get_offsets()[0, 0] == effect["effect"]
    end = np.array(collections(ax, LineCollection)[1].get_segments())[0, :, 0]
    half = stats.t.ppf(0.95, effect["df"]) * effect["se"]
    np.testing.assert_allclose(end, [effect["effect"] - half, effect["effect"] + half], rtol=1e-9)


@pytest.mark.thorough
def test_the_forest_pages_and_says_so():
    result = many(150)
    n = int((result.events["status"] == "ok").sum())
    first, last = draw(result, "forest"), draw(result, "forest", page=3)
    assert first.texts[0].get_text().startswith(f"events 1 to 60 of {n}, window (0, 0)")
    assert "page=2 has the next" in " ".join(first.texts[0].get_text().split())
    assert last.texts[0].get_text().startswith(f"events 121 to {n} of {n}")
    assert "has the next" not in last.texts[0].get_text()
    shown = collections(first, PathCollection)[0].get_offsets()[:, 0]
    lowest = result.cars[result.cars["start"].eq(0) & result.cars["end"].eq(0)].set_index("event_id")["car"]
    used = result.events.index[result.events["status"] == "ok"]
    np.testing.assert_array_equal(shown, lowest[used].sort_values()[:60])
    for page in (0, 4, 1.5, "1"):
        with pytest.raises(InputError, match=f"page is .*; {n} events fill pages 1 to 3"):
            draw(result, "forest", page=page)


@pytest.mark.thorough
def test_the_distribution_is_of_the_cars_and_of_all_runs_of_as_many_days_before(studied):
    ax = draw(studied, "distribution", window=(-1, 1))
    cars = studied.cars[studied.cars["start"] == -1]["car"].to_numpy()
    bars = [patch for patch in ax.patches if hasattr(patch, "get_width")]
    edges = np.array([bar.get_x() for bar in bars] + [bars[-1].get_x() + bars[-1].get_width()])
    counts = [((cars >= low) & (cars < high)).sum() for low, high in pairwise(edges)]
    assert sum(counts) in (19, 20)  # the largest may end the last bin
    np.testing.assert_allclose([20 * bar.get_height() for bar in bars][:-1], counts[:-1], atol=1e-9)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(labels) == ["1,160 runs of 3 days before", "20 events"]  # 20 events with 58 runs in 60 days
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1.0)


def signed(values: list[int]) -> Result:
    """Twenty events that do not overlap, in a study with these signs."""
    made = material(np.random.default_rng(6), kind="independent")
    made.events.frame["s"] = values
    study = es.Study(
        benchmark="M", estimation=(-65, -6), event=(-5, 5), windows=((0, 0),), min_estimation=40, sign="s",
        tests=("bmp",),
    )  # fmt: skip
    return study.run(made.events, made.prices)


def test_the_distribution_is_of_signed_cars_where_the_study_has_signs():
    signs = np.array([1, -1, -1, 0] * 5)
    result = signed(signs.tolist())
    cars = result.cars["car"].to_numpy()
    mean = (cars * signs)[signs != 0].mean()
    assert mean != pytest.approx(cars.mean(), abs=1e-4)
    ax = draw(result, "distribution")
    assert ax.lines[1].get_xdata()[0] == pytest.approx(mean, rel=1e-12)
    assert ax.lines[1].get_xdata()[0] == pytest.approx(result.effects["effect"].iloc[0], rel=1e-12)
    assert "15 events" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_xlabel() == "Signed CAR (0, 0) (%)"
    assert "5 without a sign left out" in " ".join(ax.texts[0].get_text().split())
    assert ax.get_title(loc="left") == "Distribution of the signed CARs"
    assert f"of 15 events over (0, 0): mean {result.measure.text(mean)}" in alt(result)


def test_the_days_before_are_signed_too():
    upward, downward = (draw(signed([sign] * 20), "distribution") for sign in (1, -1))
    (shares, edges, _), (mirrored, of_mirrored, _) = (
        next(patch for patch in ax.patches if isinstance(patch, StepPatch)).get_data() for ax in (upward, downward)
    )
    np.testing.assert_allclose(edges, -of_mirrored[::-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(shares, mirrored[::-1], atol=1e-9)
    assert shares.tolist() != mirrored.tolist()


def test_the_forest_says_that_single_events_are_not_signed(studied):
    result = signed([1, -1] * 10)
    ax = draw(result, "forest")
    assert "not signed, unlike the study's mean, which is not drawn" in " ".join(ax.texts[0].get_text().split())
    np.testing.assert_array_equal(
        collections(ax, PathCollection)[0].get_offsets()[:, 0], np.sort(result.cars["car"].to_numpy())
    )
    assert "signed" not in draw(studied, "forest").texts[0].get_text()


def test_a_long_caption_does_not_make_the_axes_of_a_forest_narrower():
    result = signed([1, -1] * 10)
    assert len(draw(result, "forest").texts[0].get_text().splitlines()) > 1
    assert draw(result, "forest").get_position().x1 > 0.98


@pytest.mark.thorough
def test_the_distribution_of_a_result_without_its_study_has_the_events_alone():
    labels = [text.get_text() for text in draw(fake(), "distribution").get_legend().get_texts()]
    assert labels == ["9 events"]


@pytest.mark.thorough
def test_the_diagnostics_are_those_of_diagnose(studied):
    axes = draw(studied, "diagnostics")
    found = studied.diagnose().set_index("check")["figure"]
    titles = [" ".join(ax.get_title(loc="left").split()) for ax in axes]
    assert titles[0] == f"Normality: {found['normality']:.0%} of events reject it"
    assert titles[2] == "Common days: 20 events in 20 clusters"
    assert titles[3].startswith(f"Variance of the event: {found['event-induced variance']:.2f}, usual")
    rho = axes[1].patches
    assert sum(bar.get_height() for bar in rho) == 20
    assert [bar.get_height() for bar in axes[2].patches] == [1.0] * 20
    scar = collections(axes[0], PathCollection)[1].get_offsets()
    np.testing.assert_allclose(scar[:, 0], stats.norm.ppf((np.arange(20) + 0.5) / 20), rtol=1e-9)
    assert (np.diff(scar[:, 1]) >= 0).all()


def test_normal_quantiles_of_a_large_sample_lie_on_the_line():
    """A sample that is the quantiles of the normal, times 2, has its points on y = 2 x."""
    exact = 2.0 * stats.norm.ppf((np.arange(5000) + 0.5) / 5000)
    x, y = normal_quantiles(np.random.default_rng(0).permutation(exact))
    assert len(x) <= 400
    assert (x[0], x[-1]) == (exact[0] / 2, exact[-1] / 2)
    np.testing.assert_allclose(y, 2.0 * x, rtol=1e-9)


def test_the_axes_of_a_path_of_another_level_are_those_of_t(studied):
    event = studied.ar.index[0]
    ax = draw(studied, "path", event_id=event, level=0.5)
    frame = studied.path(event)
    df = studied.cars["df"].iloc[0]
    half = stats.t.ppf(0.75, df) * frame["se"]
    corners = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert corners.max() == pytest.approx((frame["car"] + half).max(), rel=1e-9)


@pytest.fixture(scope="module")
def of_many() -> Result:
    return many(280)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in ("events", "heatmap", "timeline") else pytest.param(kind, marks=pytest.mark.full)
        for kind in _registry.names("plots", plugins=False)
    ],
)
def test_no_figure_of_250_events_has_an_artist_for_every_day_of_each(kind, of_many, tmp_path):
    """Matplotlib takes its time for each artist: tens of thousands are minutes."""
    n_days = int(of_many.ar.notna().to_numpy().sum())
    assert n_days >= 250 * 11
    axes = draw(of_many, kind)
    assert len(figure_of(axes).findobj()) < n_days
    assert save_figure(axes, tmp_path / f"{kind}.png").stat().st_size > 10_000


@pytest.mark.thorough
def test_a_path_shows_other_news_of_the_firm_and_its_volume():
    made = material(np.random.default_rng(6), kind="independent")
    first = made.events.frame.iloc[0]
    bars = made.prices.bars[first["ticker"]]
    at = int(np.searchsorted(bars.dates, np.datetime64(str(first["announced"])[:10])))
    volume = np.arange(1.0, len(bars.dates) + 1)
    with_volume = dict(made.prices.bars) | {first["ticker"]: replace(bars, fields={**bars.fields, "volume": volume})}
    other = {"event_id": "OTHER", "ticker": first["ticker"], "announced": str(bars.dates[at + 2])}
    frame = pd.concat([made.events.frame.reset_index()[["event_id", "ticker", "announced"]], pd.DataFrame([other])])
    study = es.Study(benchmark="M", estimation=(-65, -6), event=(-5, 5), min_estimation=40, tests=("bmp",))
    result = study.run(es.Events.from_frame(frame), replace(made.prices, bars=with_volume))
    ax = draw(result, "path", event_id=made.events.frame.index[0])
    heights = np.array([bar.get_height() for bar in ax.patches])
    session = int(np.searchsorted(bars.dates, result.events["session"].iloc[0].to_datetime64()))
    np.testing.assert_allclose(heights, 0.18 * volume[session - 5 : session + 6] / volume[session + 5], rtol=1e-12)
    other_day = int(np.searchsorted(bars.dates, result.events.loc["OTHER", "session"].to_datetime64())) - session
    (triangles,) = (c for c in collections(ax, PathCollection) if c.get_offsets().tolist() == [[other_day, 0.03]])
    assert triangles
    text = " ".join(ax.texts[0].get_text().split())
    assert f"▲: other news of the firm; grey bars: volume, at most {volume[session + 5]:,.0f}" in text
    low, high = ax.get_ylim()
    assert low <= result.path(made.events.frame.index[0])["car"].min() <= high


@pytest.mark.thorough
def test_the_specification_curve_of_a_signed_study_compares_signed_means():
    specifications = demo.run().result.across(["market", "market_adjusted"], windows=[(0, 0)])
    upper = specifications.plot()[0]
    effects = specifications.summary()["effect"]
    assert (effects > 0.02).all()
    strokes = [line for part in collections(upper, LineCollection) for line in part.get_segments()]
    heights = [line[:, 1] for line in strokes if len(line)]
    *intervals, reference = heights
    for ends, (low, high) in zip(intervals, specifications.summary()[["lower", "upper"]].to_numpy(), strict=True):
        np.testing.assert_allclose(sorted(ends), [low, high])
    np.testing.assert_allclose(reference, effects["market"], 1e-14)  # of the one model that differs


def test_a_number_and_its_per_cent_sign_stay_on_one_line():
    lines = wrapped("overlap moves it by up to −0.79 % (joint=True)", 150.0)
    assert any("−0.79 %" in line for line in lines)
