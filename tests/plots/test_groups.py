"""The figure of groups: a panel for each, on shared axes, with what is left out said."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from eventstudy.errors import InputError
from eventstudy.plots._alt import alt_text
from tests.plots.drawing import collections, draw, in_groups
from tests.reports.fake import fake

TEN_AND_FIVE = [f"g{k}" for k in range(15)]


def test_each_panel_has_the_path_and_the_band_of_a_group_and_the_path_of_all():
    result = in_groups(fake(), ("first", "second"))
    panels = draw(result, "groups")
    assert [ax.get_title(loc="left") for ax in panels] == ["first", "second"]
    assert [ax.texts[0].get_text() for ax in panels] == ["9 events", "9 events"]
    for ax, times in zip(panels, (1, 2), strict=True):
        by_style = {line.get_linestyle(): line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 21}
        np.testing.assert_allclose(by_style["-"], times * result.daily["caar"], rtol=1e-12)
        np.testing.assert_allclose(by_style["--"], result.daily["caar"], rtol=1e-12)
        (band,) = collections(ax, FillBetweenPolyCollection)
        corners = band.get_paths()[0].vertices[:, 1]
        expected = (times * result.daily["lower"].min(), times * result.daily["upper"].max())
        np.testing.assert_allclose((corners.min(), corners.max()), expected, rtol=1e-12)
    assert len({(*ax.get_xlim(), *ax.get_ylim()) for ax in panels}) == 1
    assert panels[0].get_ylim()[0] < 0 < panels[0].get_ylim()[1]


def test_beyond_twelve_groups_the_title_says_how_many_and_others_can_be_named():
    result = in_groups(fake(), TEN_AND_FIVE)
    panels = draw(result, "groups")
    assert len(panels) == 12
    assert panels[0].figure.get_suptitle() == "Cumulative average abnormal return: 12 of 15 groups"
    assert "of 12 of 15 groups" in alt_text("groups", result)
    others = draw(result, "groups", groups=["g14", "g0"], title="Reaction")
    assert [ax.get_title(loc="left") for ax in others] == ["g14", "g0"]
    assert others[0].figure.get_suptitle() == "Reaction: 2 of 15 groups"
    narrow = draw(result, "groups", figsize=(3.4, 4.0))
    assert narrow[0].figure.get_suptitle().split(":")[1].replace("\n", " ").strip() == f"{len(narrow)} of 15 groups"
    assert len({ax.get_position().x0 for ax in narrow}) == 2


@pytest.mark.parametrize("groups", ["g1", [], ["none"], [None], 3])
def test_groups_that_are_none_are_refused(groups):
    with pytest.raises(InputError, match="group"):
        draw(in_groups(fake(), TEN_AND_FIVE), "groups", groups=groups)


def test_a_study_without_groups_has_no_such_figure():
    with pytest.raises(InputError, match="the study has no groups; name a column of its events"):
        fake().plot("groups")
