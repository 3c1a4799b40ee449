"""Every figure says what was studied, in its own units, and a year of sessions can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from eventstudy.display.measure import measure_of
from eventstudy.plots._style import png
from tests.plots.drawing import draw, drawn_texts
from tests.reports.studies import FULL, STUDIES, study

pytestmark = pytest.mark.thorough

KINDS = ("aar", "ar", "caar", "distribution", "events", "forest", "heatmap", "path")
PLAIN = ("volume", "volatility", "spread")
AVERAGE = {
    "return": "Cumulative average abnormal return",
    "volume": "Mean cumulative abnormal log volume",
    "volatility": "Mean cumulative abnormal volatility",
    "spread": "Mean cumulative abnormal spread",
    "compound": "Average buy-and-hold abnormal return",
    "peers": "Cumulative average abnormal return",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", [name if name in ("spread", "compound") else pytest.param(name, marks=pytest.mark.full) for name in STUDIES]
)
def test_axes_are_in_per_cent_for_returns_alone_and_no_text_meets_another(name, kind):
    axes = np.ravel(draw(study(name), kind))
    figure = axes[0].figure
    label = {
        "events": figure.get_supylabel,
        "heatmap": figure.axes[-1].get_ylabel,
        "distribution": axes[0].get_xlabel,
        "forest": axes[0].get_xlabel,
    }.get(kind, axes[0].get_ylabel)()
    assert ("(%)" in label) == (name not in PLAIN)
    width, height = figure.canvas.get_width_height()
    texts = drawn_texts(figure)
    for k, (one, a) in enumerate(texts):
        assert a.x0 >= -1, one
        assert a.y0 >= -1, one
        assert a.x1 <= width + 1, one
        assert a.y1 <= height + 1, one
        for other, b in texts[k + 1 :]:
            assert a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1, (one, other)


@pytest.mark.parametrize("name", STUDIES)
def test_titles_and_labels_name_the_quantity(name):
    result = study(name)
    ax = draw(result, "caar")
    assert ax.get_title(loc="left") == AVERAGE[name]
    quantity, short = FULL[name].removesuffix(")").rsplit(" (", 1)
    capital, unit = quantity[:1].upper() + quantity[1:], "" if name in PLAIN else " (%)"
    assert ax.get_ylabel() == f"Mean {short}{unit}"
    assert draw(result, "ar").get_ylabel() == f"Abnormal {result.measure.daily.removeprefix('abnormal ')}{unit}"
    assert np.ravel(draw(result, "events"))[0].figure.get_suptitle() == f"{capital}: 6 of 6 events"


def test_panels_of_a_compounding_study_end_at_its_bhar():
    result = study("compound")
    whole = result.cars[result.cars["end"] == 249].set_index("event_id")["bhar"]
    for ax in np.ravel(draw(result, "events")):
        assert ax.lines[0].get_ydata()[-1] == pytest.approx(whole[ax.get_title(loc="left")], abs=1e-12)


def test_a_year_of_sessions_has_no_marker_a_day():
    assert draw(study("compound"), "caar").lines[0].get_marker() == "None"
    assert draw(study("return"), "caar").lines[0].get_marker() == "o"


def test_the_name_of_a_field_is_text():
    result = study("spread")
    other = replace(result, measure=measure_of("$x_{ 利差"), rerun=None)
    for kind in KINDS:
        figure = np.ravel(draw(other, kind))[0].figure
        texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
        assert texts
        assert not any(text.get_parse_math() for text in texts)
        assert png(figure)
