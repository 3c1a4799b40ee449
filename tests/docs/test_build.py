"""The site builds offline without a warning, has a page for everything, and takes nothing from elsewhere."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy import _registry
from tests.site import each_example, each_notebook

pytestmark = pytest.mark.site

ROOT = Path(__file__).parents[2]
MEMBERS = [(folder, name) for folder in sorted(_registry.CONTRACTS) for name in _registry.names(folder, plugins=False)]
ASSETS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


@pytest.fixture(scope="module")
def site(built: Path) -> Path:
    return built / "html"


class Page(HTMLParser):
    """Collect what a page loads, and the text of its formulas."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.formulas: list[str] = []
        self.depth = 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "math"
        if tag == "math":
            self.formulas.append("")
        given = dict(attrs).get(ASSETS.get(tag, ""))
        if given:
            self.assets.append(given)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "math"

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.formulas[-1] += data


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {file.relative_to(site).as_posix(): Page(file) for file in site.rglob("*.html")}


def test_every_public_name_has_its_page(site):
    for name in es.__all__:
        text = (site / "generated" / "api" / f"{name}.html").read_text(encoding="utf-8")
        assert f'id="eventstudy.{name}"' in text


def test_every_member_of_every_folder_has_its_page(site):
    for folder, name in MEMBERS:
        text = (site / "generated" / folder / f"{name}.html").read_text(encoding="utf-8")
        words = html.unescape(re.sub(r"<[^>]+>", "", text)).replace("’", "'")
        summary = re.split(r"[:`]", _registry.summaries(folder)[name])[0]
        assert summary.strip() in words, f"{folder}/{name}"
        assert f"{name}.html" in (site / "generated" / folder / "index.html").read_text(encoding="utf-8")


def test_every_figure_is_drawn_on_its_page(site, pages):
    for name in _registry.names("plots", plugins=False):
        shown = [asset for asset in pages[f"generated/plots/{name}.html"].assets if asset.endswith(f"/{name}.png")]
        assert shown
        assert (site / "generated" / "plots" / shown[0]).stat().st_size > 10_000


@each_notebook
def test_every_notebook_is_a_page_with_its_figures(script, site, pages):
    index = (site / "generated" / "notebooks" / "index.html").read_text(encoding="utf-8")
    [title, *_] = re.findall(r"^# # (.*)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert f'{script.stem}.html"><span class="std std-doc">{html.escape(title)}</span>' in index
    page = pages[f"generated/notebooks/{script.stem}.html"]
    assert [asset for asset in page.assets if "_images/" in asset]
    assert "Traceback" not in (site / "generated" / "notebooks" / f"{script.stem}.html").read_text(encoding="utf-8")


@each_example
def test_every_example_of_the_gallery_has_its_figure_or_table(script, pages, site):
    page = pages[f"generated/gallery/{script.stem}.html"]
    if script.stem.startswith("plot_"):
        assert [asset for asset in page.assets if f"sphx_glr_{script.stem}_001" in asset]
    else:
        text = (site / "generated" / "gallery" / f"{script.stem}.html").read_text(encoding="utf-8")
        assert "sphx-glr-script-out" in text or "output_html" in text


def test_models_and_tests_show_what_they_return(site):
    for folder, name in MEMBERS:
        if folder in ("models", "inference"):
            text = (site / "generated" / folder / f"{name}.html").read_text(encoding="utf-8")
            assert 'id="output"' in text, f"{folder}/{name}"


def test_models_and_tests_show_their_formulas(pages):
    for folder, name in MEMBERS:
        if folder in ("models", "inference"):
            assert pages[f"generated/{folder}/{name}.html"].formulas, f"{folder}/{name}"


def test_formulas_are_set_whole(pages):
    formulas = [(name, formula) for name, page in pages.items() for formula in page.formulas]
    assert len(formulas) > 50
    assert [(name, formula) for name, formula in formulas if not formula.strip() or "\\" in formula] == []


def test_nothing_is_loaded_from_elsewhere(site, pages):
    assets = {asset for page in pages.values() for asset in page.assets}
    assert [asset for asset in assets if re.match(r"(?:[a-z]+:)?//", asset)] == []
    for file in site.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//", text), file.name
