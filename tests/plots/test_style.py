from __future__ import annotations

import re
from importlib import resources

import pytest

from eventstudy.plots import _style
from tests.plots.drawing import draw
from tests.reports.fake import fake


def contrast_with_white(colour):
    """WCAG 2.2, relative luminance and contrast ratio."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


@pytest.mark.parametrize("name", ["INK", "GREY", "BLUE", "RED", "WARN"])
def test_text_and_marks_stand_out_from_white(name):
    assert contrast_with_white(getattr(_style, name)) > 4.5


def test_the_page_has_the_colours_of_the_figures():
    page = (resources.files("eventstudy.reports") / "_report.html.j2").read_text(encoding="utf-8")
    declared = dict(re.findall(r"--(\w+): (#\w{6})", page))
    for name in ("ink", "grey", "rule", "blue", "warn"):
        assert declared[name] == getattr(_style, name.upper())


def test_a_notebook_shows_a_figure_without_pyplot():
    assert draw(fake(), "caar").figure._repr_png_().startswith(b"\x89PNG")


def test_text_is_cut_to_a_width_and_foreign_glyphs_become_boxes():
    assert _style.drawable("ANT_IPO_SUSPENDED:9988.HK", 12) == "ANT_IPO_SUS…"
    assert _style.drawable("a\n\x00b") == "a b"
    assert _style.drawable("\U0001f1e8 反", bold=True)[-1] == "□"
