from __future__ import annotations

import numpy as np
import pytest

from eventstudy.errors import InputError
from tests.plots.drawing import draw
from tests.reports.fake import fake, many


@pytest.mark.thorough
def test_each_panel_is_an_events_cumulative_abnormal_return():
    result = fake()
    panels = draw(result, "events")
    assert len(panels) == 9
    returns = result.ar.loc["TUTORS-TAL"].to_numpy()
    sums = [sum(returns[: k + 1]) for k in range(len(returns))]
    (panel,) = [ax for ax in panels if ax.get_title() == "TUTORS-TAL" or ax.get_title(loc="left") == "TUTORS-TAL"]
    np.testing.assert_allclose(panel.lines[0].get_ydata(), sums, rtol=0, atol=1e-15)
    assert panel.texts[0].get_text() == "TAL"


def test_a_missing_day_leaves_a_gap_and_the_sum_goes_on():
    result = fake()
    (panel,) = draw(result, "events", events=["SAMR_DRAFT-0700.HK"])
    line = panel.lines[0].get_ydata()
    returns = result.ar.loc["SAMR_DRAFT-0700.HK"].to_numpy()
    assert np.flatnonzero(np.isnan(line)).tolist() == [13]  # day 3
    np.testing.assert_allclose(line[-1], returns[:13].sum() + returns[14:].sum(), rtol=0, atol=1e-15)


@pytest.mark.thorough
def test_more_than_24_are_counted():
    panels = draw(many(), "events")
    assert len(panels) == 24
    assert panels[0].figure.get_suptitle() == "Cumulative abnormal return: 24 of 56 events"


@pytest.mark.thorough
def test_the_panels_share_their_axes():
    panels = draw(fake(), "events")
    assert len({ax.get_ylim() for ax in panels}) == 1
    assert len({ax.get_xlim() for ax in panels}) == 1


@pytest.mark.thorough
def test_the_events_named_are_drawn_in_their_order():
    panels = draw(fake(), "events", events=["TUTORS-TAL", "LINKS-^HSI"])
    assert [ax.get_title(loc="left") for ax in panels] == ["TUTORS-TAL", "LINKS-^HSI"]
    with pytest.raises(InputError, match="TUTORS-EDU"):
        draw(fake(), "events", events=["TUTORS-TAL", "TUTORS-EDU"])
