from __future__ import annotations

from functools import partialmethod

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure
from scipy import stats

import eventstudy as es
from eventstudy import demo
from eventstudy.errors import InputError
from eventstudy.result import Result
from tests.make import material
from tests.plots.drawing import collections, draw
from tests.reports.fake import fake, nan_statistics


@pytest.mark.thorough
def test_line_and_band_are_the_daily_frame():
    result = fake()
    ax = draw(result, "caar")
    line = ax.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), np.arange(-10, 11))
    np.testing.assert_array_equal(line.get_ydata(), result.daily["caar"].to_numpy())
    (band,) = collections(ax, FillBetweenPolyCollection)
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == result.daily["lower"].min()
    assert corners[:, 1].max() == result.daily["upper"].max()


@pytest.mark.thorough
def test_it_counts_the_events_and_names_the_band():
    result = fake()
    said = [t.get_text() for t in draw(result, "caar").texts]
    assert said == ["8 to 9 events a day; shaded: 95 % band"]  # one of the nine was halted on day 3
    assert [t.get_text() for t in draw(nan_statistics(), "caar").texts] == [
        "8 to 9 events a day; no band can be computed"
    ]


@pytest.mark.thorough
def test_the_axis_is_in_signed_percent():
    ax = draw(fake(), "caar")
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert "0" in ticks
    assert "−10" in ticks
    assert "+5" in ticks
    assert ax.get_ylabel() == "Mean CAR (%)"
    assert ax.get_xlabel() == "Sessions from the event"


def test_it_draws_on_given_axes():
    ax = Figure().subplots()
    assert draw(fake(), "caar", ax=ax) is ax
    assert ax.get_title(loc="left") == "Cumulative average abnormal return"


@pytest.fixture(scope="module")
def grouped() -> Result:
    """Twenty events in nine groups, none of which overlap."""
    made = material(np.random.default_rng(6), kind="independent")
    frame = made.events.frame
    frame["g"] = [f"g{i % 9}" for i in range(20)]
    study = es.Study(
        benchmark="M",
        estimation=(-65, -6),
        event=(-5, 5),
        windows=((0, 0),),
        min_estimation=40,
        group="g",
        tests=("bmp",),
    )
    return study.run(made.events, made.prices)


@pytest.mark.thorough
def test_a_study_with_groups_has_a_line_for_each_of_the_first_seven(grouped):
    ax = draw(grouped, "caar")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["g0 (3)", "g1 (3)", *(f"g{i} (2)" for i in range(2, 7))]
    intervals = "at the right: 95 % intervals of the last day; wide intervals are cut"
    assert ax.texts[0].get_text() == f"7 of 9 groups; {intervals}"
    lines = [line for line in ax.lines if len(line.get_xdata()) == 11]
    strokes = [stroke for part in collections(ax, LineCollection) for stroke in part.get_segments()]
    for k, (line, ends) in enumerate(zip(lines, strokes, strict=True)):
        rows = grouped.by_group[grouped.by_group["group"] == f"g{k}"]
        np.testing.assert_array_equal(line.get_ydata(), rows["caar"])
        assert np.isfinite(line.get_ydata()).all()
        np.testing.assert_array_equal(ends[:, 1], rows[["lower", "upper"]].iloc[-1])
    assert not collections(ax, FillBetweenPolyCollection)
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == 7
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 7  # in grey


@pytest.mark.thorough
def test_the_level_of_a_band_is_that_of_its_standard_error_and_degrees_of_freedom(grouped):
    """The run gives the degrees of freedom, which the frames do not have: the band is computed from them here."""
    days = grouped.daily.index
    windows = [(int(days[0]), int(day)) for day in days]
    effects = grouped.rerun.outcome(windows=windows, tests={}).shared["effects"]
    for level in (0.5, 0.9, 0.99):
        (band,) = collections(draw(grouped, "caar", group="all", level=level), FillBetweenPolyCollection)
        half = stats.t.ppf(0.5 + level / 2, effects["df"][0]) * effects["se"][0]
        corners = band.get_paths()[0].vertices
        assert corners[:, 1].max() == pytest.approx((grouped.daily["caar"] + half).max(), rel=1e-9)
        assert corners[:, 1].min() == pytest.approx((grouped.daily["caar"] - half).min(), rel=1e-9)
    assert "shaded: 99 % band" in draw(grouped, "caar", group="all", level=0.99).texts[0].get_text()


@pytest.mark.thorough
def test_both_bands_are_drawn_the_one_for_all_days_wider(grouped, monkeypatch):
    monkeypatch.setattr(Result, "band", partialmethod(Result.band, draws=199))  # fewer than by default
    ax = draw(grouped, "caar", group="all", band="both")
    together, pointwise = (band.get_paths()[0].vertices[:, 1] for band in collections(ax, FillBetweenPolyCollection))
    assert together.max() == grouped.band()["upper"].max()
    assert pointwise.max() == grouped.daily["upper"].max()
    assert "95 % band, and lighter that for all days together" in ax.texts[0].get_text()


@pytest.mark.thorough
def test_one_group_or_all_events_can_be_chosen(grouped):
    one, everything = draw(grouped, "caar", group="g8"), draw(grouped, "caar", group="all")
    np.testing.assert_array_equal(one.lines[0].get_ydata(), grouped.by_group.query("group == 'g8'")["caar"])
    np.testing.assert_array_equal(everything.lines[0].get_ydata(), grouped.daily["caar"])
    assert [ax.texts[0].get_text().split(";")[0] for ax in (one, everything)] == ["2 events", "20 events"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "h"}, "group is 'h'; valid are 'all', 'g0'"),
        ({"group": "g1", "joint": True}, "group is 'g1', and the joint path"),
        ({"group": "g1", "band": "simultaneous"}, "group is 'g1', and the joint path"),
        ({"joint": True, "band": "simultaneous"}, "the joint path has no simultaneous band"),
        ({"joint": 1}, "joint is 1"),
        ({"level": 95}, "level is 95; give a share between 0 and 1"),
    ],
)
def test_options_that_exclude_each_other_are_an_error(grouped, options, message):
    with pytest.raises(InputError, match=message):
        draw(grouped, "caar", **options)


@pytest.mark.thorough
def test_the_joint_path_is_drawn_and_overlap_is_mentioned_where_it_moves_the_path(grouped):
    """Without overlap both paths are one; the demo's events overlap, and move it by 1.9 %."""
    without = draw(grouped, "caar", joint=True)
    np.testing.assert_allclose(without.lines[0].get_ydata(), grouped.daily["caar"], rtol=1e-9)
    assert "overlap" not in draw(grouped, "caar", group="all").texts[0].get_text()
    result = demo.run().result
    moved = float(result.daily["caar"].iloc[-1] - result.joint()["caar"].iloc[-1])
    assert 0.01 < moved < 0.03
    caption = draw(result, "caar").texts[0].get_text()
    assert caption.endswith(f"overlap moves it by up to +{100 * moved:.2f} % (joint=True)")
    ax = draw(result, "caar", joint=True)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.joint()["caar"])
    assert ax.texts[0].get_text() == "333 events, overlap taken out; shaded: 95 % band"
