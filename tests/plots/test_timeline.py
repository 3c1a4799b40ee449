from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.dates import num2date

from tests.plots.drawing import collections, draw
from tests.reports.fake import fake, many


def marks_of(ax):
    return {c.get_label(): c.get_offsets() for c in ax.collections if not isinstance(c, PolyCollection)}


@pytest.mark.thorough
def test_every_event_has_a_mark_and_the_legend_counts_them_by_status():
    ax = draw(fake(), "timeline")
    marks = marks_of(ax)
    assert list(marks) == ["ok (9)", "duplicate (1)", "too_few_estimation (1)", "unknown_ticker (1)"]
    assert sum(len(m) for m in marks.values()) == 12
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(marks)


@pytest.mark.thorough
def test_an_event_stands_on_its_session_or_else_its_announcement_in_the_row_of_its_ticker():
    ax = draw(fake(), "timeline")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    ((when, row),) = marks_of(ax)["unknown_ticker (1)"]
    assert num2date(when).date().isoformat() == "2021-09-13"
    assert rows[int(row)] == "0000.HK"
    days = {num2date(x).date().isoformat() for x, y in marks_of(ax)["ok (9)"] if rows[int(y)] == "9988.HK"}
    assert days == {"2020-11-04", "2020-12-24"}


def test_the_bars_are_the_event_windows_in_weekdays():
    result = fake()
    ax = draw(replace(result, events=result.events.loc[["TUTORS-TAL"]]), "timeline")
    (bars,) = collections(ax, PolyCollection)
    x = bars.get_paths()[0].vertices[:, 0]
    window = pd.bdate_range(end="2021-07-23", periods=11)[0], pd.bdate_range("2021-07-23", periods=11)[-1]
    assert num2date(x.min()).date() == window[0].date()
    assert num2date(x.max()).date() == window[1].date() + pd.Timedelta(days=1)


@pytest.mark.thorough
def test_bars_are_translucent_so_that_overlaps_are_darker():
    bars = collections(draw(many(), "timeline"), PolyCollection)
    assert sum(len(b.get_paths()) for b in bars) == 56
    assert all(0 < b.get_alpha() < 0.5 for b in bars)


@pytest.mark.thorough
def test_what_is_not_shown_is_counted():
    result = fake([(f"E{i}", f"T{i:02d}", "2021-07-23", "2021-07-23", "ok", "", "") for i in range(63)])
    assert "63 events" not in draw(result, "timeline").texts[0].get_text()
    assert draw(result, "timeline").texts[0].get_text().startswith("60 events, 60 tickers; 3 further tickers not shown")
    undated = result.events.assign(session=None, announced="soon")
    assert draw(replace(result, events=undated), "timeline").texts[-1].get_text() == "no event has a date"


@pytest.mark.thorough
def test_statuses_beyond_the_marks_are_still_drawn():
    rows = [(f"E{i}", "BABA", "2021-07-23", "2021-07-23", f"status_{i}", "", "") for i in range(15)]
    assert len(marks_of(draw(fake(rows), "timeline"))) == 15
    assert np.isfinite(list(marks_of(draw(fake(rows), "timeline")).values())).all()
