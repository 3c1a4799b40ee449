"""Legends stand below the axis label in every format and style, and are not wider than the figure."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend

import eventstudy as es
from eventstudy.result import Result
from tests.make import material
from tests.plots.drawing import draw

LARGE = {"axes.labelsize": 18, "axes.labelpad": 10, "xtick.major.pad": 10, "xtick.major.size": 10, "font.size": 18}


@pytest.fixture(scope="module")
def grouped() -> Result:
    made = material(np.random.default_rng(6), kind="independent")
    made.events.frame["g"] = [f"a group with a long name {i % 5}" for i in range(20)]
    study = es.Study(
        benchmark="M", estimation=(-65, -6), event=(-5, 5), windows=((0, 0),), min_estimation=40, group="g",
        tests=("bmp",),
    )  # fmt: skip
    return study.run(made.events, made.prices)


def boxes(ax: Any, suffix: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Any]:
    """Return the boxes of legend, axis label and figure while a user saves the figure."""
    seen = []
    original = Legend.draw

    def spy(self: Any, renderer: Any) -> None:
        original(self, renderer)
        label = ax.xaxis.label.get_window_extent(renderer)
        seen.append((self.get_window_extent(renderer), label, ax.figure.bbox.frozen()))

    with monkeypatch.context() as patch:
        patch.setattr(Legend, "draw", spy)
        ax.figure.savefig(io.BytesIO(), format=suffix)
    return seen[-1]


@pytest.mark.parametrize("suffix", ["png", *(pytest.param(s, marks=pytest.mark.full) for s in ("pdf", "svg"))])
@pytest.mark.parametrize("kind", ["caar", "distribution"])
@pytest.mark.parametrize("own_axes", [True, False])
def test_a_legend_is_below_the_label_of_the_axis(grouped, kind, suffix, own_axes, monkeypatch):
    with mpl.rc_context(LARGE):
        options: dict[str, Any] = {"ax": Figure(figsize=(7, 5), layout="constrained").subplots()} if own_axes else {}
        ax = draw(grouped, kind, **options)
        legend, label, figure = boxes(ax, suffix, monkeypatch)
    assert legend.y1 < label.y0
    assert legend.y0 >= figure.y0
    assert legend.x1 <= figure.x1


@pytest.mark.parametrize("width", [3.5, 7.2])
def test_long_names_of_groups_take_fewer_columns_and_not_the_room_of_the_axes(grouped, width):
    ax = draw(grouped, "caar", figsize=(width, 3.4))
    assert ax.get_position().width > 0.7
