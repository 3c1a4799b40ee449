from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

import eventstudy as es
from eventstudy import demo
from eventstudy.errors import InputError
from eventstudy.result import Result
from tests.make import material
from tests.plots.drawing import collections, draw
from tests.reports.fake import fake, nan_statistics


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


def test_it_counts_the_events_and_names_the_band():
    result = fake()
    said = [t.get_text() for t in draw(result, "caar").texts]
    assert said == ["8 to 9 events a day; shaded: 95 % band"]  # one of the nine was halted on day 3
    assert [t.get_text() for t in draw(nan_statistics(), "caar").texts] == [
        "8 to 9 events a day; no band can be computed"
    ]


def test_the_axis_is_in_signed_percent():
    ax = draw(fake(), "caar")
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert "0 %" in ticks
    assert "−10 %" in ticks
    assert "+5 %" in ticks
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


def test_a_study_with_groups_has_a_line_for_each_of_the_first_seven(grouped):
    ax = draw(grouped, "caar")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [f"g{i}" for i in range(7)]
    assert ax.texts[0].get_text() == "7 of 9 groups; shaded: 95 % band; wide bands are cut"
    for name, line in zip(names, ax.lines, strict=False):
        rows = grouped.by_group[grouped.by_group["group"] == name]
        np.testing.assert_array_equal(line.get_ydata(), rows["caar"])
        assert np.isfinite(line.get_ydata()).all()
    assert len(collections(ax, FillBetweenPolyCollection)) == 7


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
