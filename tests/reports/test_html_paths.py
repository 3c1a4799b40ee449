"""The small figures of single events: the cumulated abnormal returns, all on one scale."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from eventstudy.display.measure import measure_of
from eventstudy.reports._html_paths import HEIGHT, MARGIN, SHARE, WIDTH, paths
from tests.reports.fake import fake, many, unusable


def points(line):
    """Return the points of a line, (n, 2)."""
    return np.array([[float(v) for v in pair] for pair in re.findall(r"[ML]([-\d.]+),([-\d.]+)", line)])


@pytest.mark.parametrize("made", [fake, many])
def test_each_line_is_the_cumulated_abnormal_return_of_its_event(made):
    result = made()
    used = result.events.index[result.events["status"] == "ok"]
    drawn = paths(result)
    assert list(drawn.by_event) == list(used)
    sums = {event: np.nancumsum(result.ar.loc[event].to_numpy()) for event in used}
    limit = np.quantile([np.abs(values).max() for values in sums.values()], SHARE)
    assert f"from {result.measure.text(-limit)} to {result.measure.text(limit)};" in drawn.scale
    days = result.ar.columns.to_numpy()
    for event, values in sums.items():
        there = result.ar.loc[event].notna().to_numpy()
        line = points(drawn.by_event[event].line)
        x = MARGIN + (WIDTH - 2 * MARGIN) * (days - days[0]) / (days[-1] - days[0])
        np.testing.assert_allclose(line[:, 0], x[there], atol=0.051)
        y = HEIGHT / 2 - np.clip(values / limit, -1, 1) * (HEIGHT / 2 - MARGIN)
        np.testing.assert_allclose(line[:, 1], y[there], atol=0.051)
        assert drawn.by_event[event].label.endswith(f": {result.measure.text(values[-1])}")
    assert drawn.x_zero == x[days == 0][0]


def test_a_missing_day_leaves_a_gap():
    result = fake()
    event = result.events.index[2]
    at = list(result.ar.columns).index(3)
    assert np.isnan(result.ar.iloc[2, at])
    line = paths(result).by_event[event].line
    assert line.count("M") == 2
    assert len(points(line)) == result.ar.shape[1] - 1
    before, after = line.split("M")[1:]
    assert before.count("L") == at - 1
    assert after.count("L") == result.ar.shape[1] - at - 2


def test_a_day_between_missing_days_is_a_dot():
    result = fake()
    ar = result.ar.copy()
    ar.iloc[0, [4, 6]] = np.nan
    line = paths(replace(result, ar=ar)).by_event[ar.index[0]].line
    assert re.search(r"M[\d.]+,[\d.]+h\.1M", line)


def test_paths_beyond_the_scale_are_counted():
    result = many()
    n_used = int((result.events["status"] == "ok").sum())
    assert paths(result).scale.endswith(f"; {int(np.ceil((1 - SHARE) * n_used))} longer paths cut at the edge")


def test_without_events_there_is_no_path():
    assert paths(unusable()).by_event == {}


def test_buy_and_hold_paths_are_left_out_without_the_study():
    result = fake()
    assert result.rerun is None
    held = replace(result, measure=measure_of(accumulate="compound"))
    drawn = paths(held)
    assert drawn.by_event == {}
    assert drawn.scale.startswith("Without paths: those of BHARs need the study with its data")
