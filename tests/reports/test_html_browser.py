"""The page in a real browser: it fits every width, screen readers can use it, and no script but its own runs."""

from __future__ import annotations

import html
import json
import re

import pytest

from tests.reports.browser import each_look, open_page, run_axe
from tests.reports.fake import EVENTS, NOTE, fake, unusable

pytestmark = pytest.mark.thorough

WIDTHS = (390, 768, 1280, 1600)

# Opens the report in frames, and writes what became of it in each into its own document.
LOOKER = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
%s
<pre></pre><script>
const look = (frame) => {
  const page = frame.contentDocument;
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const width = page.documentElement.clientWidth;
  const inside = (e) => e.closest(".scroll, nav, pre, svg, .skip, thead");
  const beyond = (e) => !inside(e) && e.getBoundingClientRect().right > width + 1;
  const out = [...page.querySelectorAll("body *")].filter(beyond);
  const small = [...page.images].filter((i) => !(i.complete && i.naturalWidth >= 600)).length;
  const wide = [...page.querySelectorAll(".scroll")].filter((e) => e.clientWidth > width || e.tabIndex !== 0).length;
  return { width, body: page.documentElement.scrollWidth,
    out: out.map((e) => e.outerHTML.slice(0, 90)), images: page.images.length, small, wide };
};
addEventListener("load", () => {
  document.querySelector("pre").textContent = JSON.stringify([...document.querySelectorAll("iframe")].map(look));
});
</script>"""
FRAME = '<iframe src="x.html" width="%d" height="4000" style="border:0"></iframe>'


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return a folder with the report as x.html."""
    folder = tmp_path_factory.mktemp("pages")
    fake().report(folder / "x.html", question="What did the reports do?")
    return folder


@each_look(390)
def test_axe_finds_no_violation(pages, width, dark):
    found = run_axe(pages / "x.html", width, *(["--blink-settings=preferredColorScheme=0"] if dark else []))
    assert found["violations"] == []
    assert found["passes"] > 20
    assert (found["dark"], found["width"]) == (dark, width)


@pytest.mark.full
@pytest.mark.parametrize("made", [lambda: fake(EVENTS[:1]), unusable], ids=["one", "none"])
def test_axe_finds_no_violation_with_few_events(made, tmp_path):
    assert run_axe(made().report(tmp_path / "x.html"))["violations"] == []


def test_axe_would_find_one(tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(
        "<!DOCTYPE html><html><head><title>A page</title></head><body><main><h1>A page</h1></main></body></html>"
    )
    assert [name for name, _ in run_axe(broken)["violations"]] == ["html-has-lang"]


def test_nothing_is_off_the_screen_of_any_width(pages):
    looker = pages / "looker.html"
    looker.write_text(LOOKER % "\n".join(FRAME % width for width in WIDTHS), encoding="utf-8")
    document, _ = open_page(looker)
    seen = re.search(r"<pre>(.*?)</pre>", document, re.S)
    assert seen is not None
    found = json.loads(html.unescape(seen[1]))
    assert [(each["width"], each["body"]) for each in found] == [(width, width) for width in WIDTHS]
    for each in found:
        assert each["out"] == []
        assert (each["images"], each["small"], each["wide"]) == (3, 0, 0)


def test_chromium_shows_it_without_a_complaint(pages):
    document, console = open_page(pages / "x.html")
    assert "<script" not in document
    assert console == []
    for event in EVENTS:
        assert event[0] in document.replace("<wbr>", "")


def test_a_script_that_got_in_would_not_run(pages):
    page = pages / "x.html"
    source = page.read_text(encoding="utf-8")
    control = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
    for name, content in {"guarded": source, "open": control}.items():
        script = "<script>document.title = 'it ran'</script></body>"
        page.with_name(f"{name}.html").write_text(content.replace("</body>", script), encoding="utf-8")
    assert "<title>it ran</title>" in open_page(page.with_name("open.html"))[0]
    document, console = open_page(page.with_name("guarded.html"))
    assert f"({NOTE})</title>" in document
    assert len(console) == 1
    assert "Content Security Policy" in console[0]
