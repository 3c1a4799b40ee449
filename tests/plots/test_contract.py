"""What every figure must keep, over the folder and over every kind of result."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from eventstudy import _registry
from eventstudy.errors import InputError
from eventstudy.plots._save import save_figure
from eventstudy.result import Result
from tests.plots.drawing import draw, drawn_texts
from tests.reports.fake import EVENTS, NOTE, VARIANTS, fake

KINDS = _registry.names("plots", plugins=False)
pytestmark = [pytest.mark.contract("kind"), pytest.mark.parametrize("kind", KINDS)]
FEW = ("full", "unusable", "nan_statistics")
each_result = pytest.mark.parametrize(
    "variant", [v if v in FEW else pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS]
)


def figure_of(found):
    axes = np.ravel(found)
    assert all(isinstance(ax, Axes) for ax in axes)
    return axes[0].figure


class Drawn(NamedTuple):
    """A figure as it was drawn, with its result and what that was before."""

    figure: Figure
    texts: list[tuple[Text, Any]]
    result: Result
    before: dict[str, Any]


@cache
def drawn(kind: str, variant: str) -> Drawn:
    """Draw a figure of a result, once for all tests that look at it."""
    result = VARIANTS[variant]()
    before = {f.name: copy.deepcopy(getattr(result, f.name)) for f in dataclasses.fields(result)}
    figure = figure_of(draw(result, kind))
    return Drawn(figure, drawn_texts(figure), result, before)


@cache
def saved(kind: str) -> bytes:
    """Return the bytes of a figure that is saved as PNG, once for all tests that compare another with it."""
    with tempfile.TemporaryDirectory() as folder:
        return save_figure(draw(fake(), kind), Path(folder) / "plain.png").read_bytes()


@each_result
def test_it_draws_says_what_the_prices_are_and_leaves_the_result_alone(kind, variant):
    figure, _, result, before = drawn(kind, variant)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    assert np.ptp(np.asarray(figure.canvas.buffer_rgba())) > 0
    said = [text.get_text() for text in figure.findobj(Text)]
    assert (NOTE in said) == (variant != "real_prices")
    for name, frame in before.items():
        if isinstance(frame, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(result, name), frame)
        else:
            assert getattr(result, name) == frame


def options_of(kind):
    return set(inspect.signature(_registry.load("plots", kind)).parameters) - {"result"}


@pytest.mark.thorough
def test_the_title_and_the_size_can_be_chosen_and_the_axes_where_there_is_one(kind):
    figure = figure_of(draw(fake(), kind, title="A title of 反垄断", figsize=(3.5, 3.0)))
    np.testing.assert_array_equal(figure.get_size_inches(), (3.5, 3.0))
    said = " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())
    assert "A title of" in said
    assert {"title", "figsize"} <= options_of(kind)
    if kind in ("events", "groups", "diagnostics"):
        assert "ax" not in options_of(kind)
        return
    ax = Figure(figsize=(8, 6)).subplots(1, 2)[1]
    assert draw(fake(), kind, ax=ax) is ax


@pytest.mark.parametrize("wrong", [{"title": 3}, {"title": ""}, {"figsize": "big"}, {"figsize": (3.5,)}])
def test_a_title_or_size_that_is_none_is_refused_by_name(kind, wrong):
    with pytest.raises(InputError, match=f"^{next(iter(wrong))} is "):
        draw(fake(), kind, **wrong)


@pytest.mark.thorough
def test_a_level_is_taken_where_there_is_a_band_or_interval_and_refused_elsewhere(kind):
    if kind in ("aar", "ar", "caar", "forest", "groups", "path"):
        draw(fake(), kind, level=0.9)
        with pytest.raises(InputError, match="level is 90"):
            draw(fake(), kind, level=90)
    else:
        with pytest.raises(InputError, match="an option of the figure"):
            draw(fake(), kind, level=0.9)


@pytest.mark.full
def test_it_is_the_same_bytes_twice_and_neither_shows_nor_keeps_a_figure(kind, tmp_path):
    before = dict(mpl.rcParams)
    again = save_figure(draw(fake(), kind), tmp_path / "again.png").read_bytes()
    assert again.startswith(b"\x89PNG")
    assert again == saved(kind)
    assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.thorough
@each_result
def test_no_text_overlaps_another_or_is_cut(kind, variant):
    figure, texts, _, _ = drawn(kind, variant)
    assert len(texts) >= 2
    width, height = figure.canvas.get_width_height()
    for text, box in texts:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text
    for k, (one, a) in enumerate(texts):
        for other, b in texts[k + 1 :]:
            apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
            assert apart, (one.get_text(), other.get_text())


@pytest.mark.thorough
def test_dollars_are_text_and_foreign_letters_neither_crash_nor_warn(kind):
    rows = [(f"反垄断 $x_{i} \U0001f600ﷺ", "$阿里_^{", *event[2:]) for i, event in enumerate(EVENTS)]
    result = fake(rows, note="模拟 $ prices")
    figure = figure_of(draw(result, kind))
    FigureCanvasAgg(figure).draw()
    texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
    assert texts
    assert not any(text.get_parse_math() for text in texts)


@pytest.mark.thorough
def test_the_callers_style_neither_matters_nor_changes(kind, tmp_path):
    plain = saved(kind)
    hostile: Any = {
        "axes.facecolor": "black", "font.size": 30, "text.color": "red", "xtick.labelsize": 20, "ytick.color": "green",
        "grid.color": "red", "text.usetex": False, "figure.constrained_layout.use": False, "axes.spines.top": True,
    }  # fmt: skip
    with mpl.rc_context(hostile):
        before = dict(mpl.rcParams)
        figure = draw(fake(), kind)
        assert dict(mpl.rcParams) == before
        assert save_figure(figure, tmp_path / "hostile.png").read_bytes() == plain


@cache
def drawn_apart() -> subprocess.CompletedProcess[str]:
    """Draw every figure in a process of its own, which names those after which there is no pyplot."""
    code = (
        "import sys; from tests.plots.drawing import draw; from tests.reports.fake import fake; result = fake()\n"
        "for kind in sys.argv[1:]:\n"
        "    draw(result, kind)\n"
        "    if 'matplotlib.pyplot' not in sys.modules: print(kind)"
    )
    return subprocess.run([sys.executable, "-c", code, *KINDS], capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_no_window_toolkit_is_touched(kind):
    assert kind in drawn_apart().stdout.split(), drawn_apart().stderr
