"""Figures on disk: what is in the file, that it is the same each time, and that it is written whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from eventstudy.errors import InputError, OutputError
from eventstudy.plots import _text
from eventstudy.plots._save import DESCRIPTION, save_figure
from tests.plots.drawing import draw
from tests.reports.browser import program
from tests.reports.fake import EVENTS, fake

TEXT = "Path of 反垄断, −6.12 % (é)"
SUFFIXES = tuple(DESCRIPTION)


@pytest.fixture(scope="module")
def of_another_process(tmp_path_factory):
    """Return a folder with a figure that another process has saved in every format."""
    folder = tmp_path_factory.mktemp("other")
    code = (
        "import sys; from eventstudy.plots._save import save_figure; from tests.reports.fake import fake\n"
        "for path in sys.argv[2:]: save_figure(fake().plot('caar'), path, alt=sys.argv[1])"
    )
    files = [str(folder / f"other{suffix}") for suffix in SUFFIXES]
    subprocess.run([sys.executable, "-c", code, TEXT, *files], check=True, env={**os.environ, "PYTHONHASHSEED": "77"})
    return folder


@pytest.mark.thorough
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_figure_is_the_same_bytes_in_every_process_and_style(suffix, of_another_process, tmp_path):
    with mpl.rc_context({"svg.hashsalt": "other", "pdf.fonttype": 3, "savefig.facecolor": "red", "font.size": 30}):
        mine = save_figure(draw(fake(), "caar"), tmp_path / f"mine{suffix}", alt=TEXT).read_bytes()
    assert (of_another_process / f"other{suffix}").read_bytes() == mine


@pytest.mark.thorough
def test_a_png_has_the_description_and_the_pixels(tmp_path):
    ax = draw(fake(), "caar")
    with Image.open(save_figure(ax, tmp_path / "a.png", alt=TEXT, dpi=100)) as image:
        assert image.info["Description"] == TEXT
        assert "Software" not in image.info
        np.testing.assert_allclose(image.size, 100 * ax.figure.get_size_inches(), atol=1)


@pytest.mark.thorough
def test_a_pdf_embeds_truetype_and_has_no_time_unless_the_environment_sets_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    plain = save_figure(draw(fake(), "caar"), tmp_path / "a.pdf", alt="the subject").read_bytes()
    assert b"/Subtype /Type3" not in plain
    assert b"/FontFile2" in plain
    assert b"/Subject (the subject)" in plain
    assert b"/CreationDate" not in plain
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")  # 2020-09-13 12:26:40 UTC
    dated = save_figure(draw(fake(), "caar"), tmp_path / "a.pdf").read_bytes()
    assert b"/CreationDate (D:20200913122640Z)" in dated
    svg = save_figure(draw(fake(), "caar"), tmp_path / "a.svg").read_text()
    assert "2020-09-13T12:26:40" in svg


@pytest.mark.thorough
def test_a_pdf_with_chinese_embeds_outlines_for_fonts_that_are_no_truetype(tmp_path):
    rows = [(f"反垄断 {i}", *event[1:]) for i, event in enumerate(EVENTS)]
    content = save_figure(draw(fake(rows), "forest"), tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile" not in content
    command = [program("pdftotext"), str(tmp_path / "a.pdf"), "-"]
    text = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    assert text.stderr == ""
    if len(_text.families()) > 1:
        assert "反垄断 3" in text.stdout


@pytest.mark.thorough
def test_an_svg_has_the_description_and_no_time(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    svg = save_figure(draw(fake(), "caar"), tmp_path / "a.svg", alt="a < b").read_text(encoding="utf-8")
    assert re.search(r"<dc:description>a &lt; b</dc:description>", svg)
    assert "dc:date" not in svg


@pytest.mark.thorough
def test_axes_arrays_of_axes_and_figures_are_taken_and_nothing_else(tmp_path):
    panels = draw(fake(), "events")
    sizes = {save_figure(what, tmp_path / "a.png").stat().st_size for what in (panels, panels[3], panels[0].figure)}
    assert len(sizes) == 1
    others: tuple[Any, ...] = (None, "caar", [], np.array([]), 3)
    for wrong in others:
        with pytest.raises(InputError, match=r"give what result\.plot"):
            save_figure(wrong, tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.pn g", ".png"])
def test_another_suffix_is_refused_before_anything_is_drawn(name, tmp_path):
    with pytest.raises(InputError, match=r"the suffix of the figure is .*; valid are '.png', '.pdf', '.svg'"):
        save_figure(Figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.thorough
def test_a_failed_writing_leaves_the_old_file(tmp_path, monkeypatch):
    file = save_figure(draw(fake(), "caar"), tmp_path / "a.png")
    before = file.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OutputError, match="the figure cannot be written"):
        save_figure(Figure(), file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
