from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from eventstudy.errors import InputError
from tests.plots.drawing import draw
from tests.reports.fake import EVENTS, fake


@pytest.mark.thorough
def test_bars_are_the_abnormal_returns_of_the_first_usable_event():
    result = fake()
    ax = draw(result, "ar")
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_array_equal(heights, result.ar.loc["ANT_SUSPENDED-9988.HK"].to_numpy())
    assert ax.get_title(loc="left") == "9988.HK, 2020-11-04"


@pytest.mark.thorough
def test_the_dashed_lines_are_at_196_sigma():
    result = fake()
    ax = draw(result, "ar", event_id="TUTORS-TAL")
    levels = sorted(
        line.get_ydata()[0] for line in ax.lines if line.get_linestyle() != "-" and line.get_ydata()[0] != 0
    )
    sigma = result.events["sigma"]["TUTORS-TAL"]
    np.testing.assert_allclose(levels, [-1.959963984540054 * sigma, 1.959963984540054 * sigma], rtol=1e-12)


@pytest.mark.thorough
def test_a_missing_day_is_marked():
    ax = draw(fake(), "ar", event_id="SAMR_DRAFT-0700.HK")
    (marks,) = ax.collections
    np.testing.assert_array_equal(marks.get_offsets(), [[3, 0]])
    assert ax.texts[0].get_text().endswith("×: no return")


@pytest.mark.thorough
def test_without_sigma_there_are_no_lines_and_none_is_named():
    result = fake()
    ax = draw(replace(result, events=result.events.assign(sigma=np.nan)), "ar")
    assert "standard deviations" not in ax.texts[0].get_text()


@pytest.mark.parametrize(
    ("event_id", "message"),
    [
        (
            "NOWHERE",
            r"event 'NOWHERE' is not in this study; its usable events are 'ANT_SUSPENDED-9988.HK', .* and 4 more",
        ),
        ("DIDI_REVIEW-DIDI", r"event 'DIDI_REVIEW-DIDI' was not used: too_few_estimation, 2 of 120 days"),
    ],
)
def test_an_event_that_cannot_be_drawn_is_refused_with_its_reason(event_id, message):
    with pytest.raises(InputError, match=message):
        draw(fake(), "ar", event_id=event_id)


def test_dollars_are_text_on_axes_that_were_made_elsewhere_too():
    ax = Figure().subplots()
    rows = [("$id_{", "$A", *EVENTS[0][2:])]
    assert draw(fake(rows), "ar", ax=ax) is ax
    FigureCanvasAgg(ax.figure).draw()
    assert ax.get_title(loc="left") == "$A, 2020-11-04"
    assert not [t for t in ax.findobj(Text) if "$" in t.get_text() and t.get_parse_math()]


@pytest.mark.thorough
def test_the_dashed_lines_are_at_the_quantiles_of_another_level():
    ax = draw(fake(), "ar", level=0.9)
    sigma = fake().events["sigma"]["ANT_SUSPENDED-9988.HK"]
    assert max(line.get_ydata()[0] for line in ax.lines) == pytest.approx(1.6448536269514722 * sigma, rel=1e-12)
    assert ax.texts[0].get_text().endswith("dashed: ±1.64 standard deviations")
