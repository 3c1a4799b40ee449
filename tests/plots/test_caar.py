from __future__ import annotations

import numpy as np
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

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
