from __future__ import annotations

import re
from importlib import resources

import pytest
from matplotlib.figure import Figure

from eventstudy.errors import EventStudyWarning, InputError
from eventstudy.plots import _style, _text
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
    page = (resources.files("eventstudy.reports") / "_report.css").read_text(encoding="utf-8")
    declared = dict(re.findall(r"--(\w+): (#\w{6})", page.split("@media")[0]))
    for name in ("ink", "grey", "rule", "blue", "warn"):
        assert declared[name] == getattr(_style, name.upper())


@pytest.mark.thorough
def test_a_notebook_shows_a_figure_without_pyplot():
    assert draw(fake(), "caar").figure._repr_png_().startswith(b"\x89PNG")


def test_text_is_cut_to_a_width_and_foreign_glyphs_become_boxes():
    assert _text.drawable("ANT_IPO_SUSPENDED:9988.HK", 12) == "ANT_IPO_SUS…"
    assert _text.drawable("a\n\x00b") == "a b"
    assert _text.drawable("\U0001f1e8 A", bold=True) == "□ A"


def test_chinese_is_drawn_where_a_font_is_installed_and_else_there_is_one_warning_with_the_cure(monkeypatch):
    """The fonts of a machine without CJK are what matplotlib brings along."""
    if len(_text.families()) > 1:
        assert _text.drawable("反垄断") == "反垄断"
    caches = (_text.families, _text.bold_families, _text._fonts, _text._warn)
    for cache in caches:
        cache.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(_text, "CJK", ())
        with pytest.warns(EventStudyWarning, match="no font that draws Chinese.*fonts-noto-cjk") as seen:
            assert [_text.drawable("反垄断 A"), _text.drawable("监管")] == ["□□□ A", "□□"]
        assert len(seen) == 1
    for cache in caches:
        cache.cache_clear()


def test_what_needs_no_such_font_never_warns(monkeypatch):
    caches = (_text.families, _text.bold_families, _text._fonts, _text._warn)
    for cache in caches:
        cache.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(_text, "CJK", ())
        assert _text.drawable("Ünïcode − ±√ ok") == "Ünïcode − ±√ ok"
    for cache in caches:
        cache.cache_clear()


def test_lines_fit_their_width_as_drawn():
    text = "24 to 333 events a day; shaded: 95 % band; overlap moves it by up to +1.92 % (joint=True)"
    lines = _text.wrapped(text, 150.0)
    assert " ".join(lines) == text
    assert all(_text.points(line, 9.0) <= 150.0 for line in lines)
    assert len(lines) == 3


@pytest.mark.parametrize("figsize", [3, (3,), (0, 2), ("a", 2), (3.5, float("nan")), (1000, 2), (3, 1), True])
def test_a_size_that_is_none_is_refused(figsize):
    with pytest.raises(InputError, match=r"figsize is .*; give width and height in inches, 2 or more, as \(3.5, 2.6\)"):
        draw(fake(), "caar", figsize=figsize)


def test_size_and_axes_exclude_each_other():
    with pytest.raises(InputError, match="leave out one of them"):
        draw(fake(), "caar", figsize=(3.5, 2.6), ax=Figure().subplots())


def test_group_colours_are_those_of_okabe_and_ito():
    """Okabe & Ito (2008), Color Universal Design: the eight colours, yellow left out because it pales on white."""
    assert set(_style.COLOURS) == {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"}
    assert len(set(zip(map(str, _style.DASHES), _style.MARKERS, strict=True))) == len(_style.COLOURS)
