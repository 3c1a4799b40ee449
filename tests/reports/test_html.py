from __future__ import annotations

import base64
import re

import pytest

from tests.reports.fake import EVENTS, FORMULA, NOTE, SCRIPT, fake, many, unusable
from tests.reports.reading import Page

# Beside the report: opens it in a frame, and writes what became of it into its own document.
LOOKER = """<!DOCTYPE html><meta charset="utf-8"><iframe src="x.html" width="1200" height="4000"></iframe>
<pre></pre><script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const images = [...page.images].map((i) => `image ${i.complete && i.naturalWidth} ${i.alt}`);
  const tables = [...page.querySelectorAll(".scroll")].map((d) => `table ${d.clientWidth <= page.body.clientWidth}`);
  document.querySelector("pre").textContent = [...images, ...tables, `body ${page.body.scrollWidth}`].join("\\n");
});
</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return fake().report(tmp_path_factory.mktemp("report") / "x.html")


@pytest.fixture(scope="module")
def page(report):
    return Page(report.read_text(encoding="utf-8"))


def test_nothing_runs_and_nothing_is_fetched(page):
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "a"} & {name for name, _ in page.tags}
    for _, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a in ("href", "srcset", "style")]
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
    assert "url(" not in "".join(page.texts)
    assert "@import" not in "".join(page.texts)


def test_the_page_forbids_scripts_and_remote_content_before_anything_else(page):
    (policy,) = [m["content"] for m in page.named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules
    assert [name for name, _ in page.tags].index("meta") == 2


def test_titles_and_reasons_are_text(page):
    assert f"Ant IPO {SCRIPT}" in page.texts
    assert f"0000.HK is unknown {SCRIPT}" in page.texts
    assert FORMULA in page.texts
    assert "反垄断指南征求意见稿" in page.texts
    assert "$2.8bn, $ unpaired; 4 %" in page.texts


def test_images_are_whole_pngs_with_words_for_those_who_cannot_see_them(page):
    images = page.named("img")
    assert [i["alt"] for i in images] == [
        f"{title} ({NOTE})" for title in ("Average reaction", "Timeline", "Reactions one by one")
    ]
    for image in images:
        data = base64.b64decode((image["src"] or "").split(",", 1)[1], validate=True)
        assert data.startswith(b"\x89PNG")
        assert data.endswith(b"IEND\xaeB`\x82")


def test_every_table_says_simulated_and_so_does_the_head(page, report):
    captions = re.findall(r"<caption>(.*?)</caption>", report.read_text(encoding="utf-8"))
    assert len(captions) == 7
    assert all(caption.endswith(f"({NOTE})") for caption in captions)
    assert f"Event study ({NOTE})" in page.texts


def test_numbers_are_sensible_and_a_missing_one_has_its_reason(page):
    assert "−4.09 %" in page.texts
    assert "<0.001" in page.texts
    assert "– [1]" in page.texts
    assert "[1] only 5 of 6 sessions in the window have a return" in page.texts
    assert "[3] only 1 event has a CAR; a cross-section needs 2" in page.texts
    assert not [t for t in page.texts if t.strip().lower() in ("nan", "nat", "none", "inf")]
    assert not [t for t in page.texts if re.fullmatch(r"-?\d+\.\d{4,}", t.strip())]


def test_what_was_dropped_stands_with_its_reason(page):
    at = page.texts.index("TUTORS-EDU")
    row = [t for t in page.texts[at : at + 12] if t.strip()][:6]
    assert row == ["TUTORS-EDU", "-Tutoring", "EDU", "2021-07-23", "duplicate", "the same as TUTORS-TAL & 1 more_%"]


def test_settings_and_provenance_are_complete(page):
    for name in (
        "model",
        "benchmark.XHKG",
        "estimation",
        "min_estimation",
        "prices.sha256",
        "versions.python",
    ):
        assert name in page.texts, name
    assert "(−260, −11)" in page.texts


@pytest.mark.thorough
def test_titles_stand_beside_the_right_events_when_many_are_dropped(tmp_path):
    source = many().report(tmp_path / "x.html").read_text(encoding="utf-8")
    pairs = re.findall(r"<td[^>]*>EVENT_(\d+)</td><td[^>]*>Measure (\d+)</td>", source)
    assert len(pairs) == 61
    assert all(int(event) == int(title) for event, title in pairs)


def test_without_a_usable_event_there_is_only_the_timeline(tmp_path):
    page = Page(unusable().report(tmp_path / "x.html").read_text(encoding="utf-8"))
    assert [i["alt"] for i in page.named("img")] == [f"Timeline ({NOTE})"]
    assert "nothing could be tested" in page.texts


@pytest.mark.thorough
def test_chromium_shows_it(report, dom):
    source = dom(report)
    assert f"<title>Event study ({NOTE})</title>" in source
    assert "<script" not in source
    for event in EVENTS:
        assert event[0] in source
    assert source.count("<img ") == 3


@pytest.mark.thorough
def test_in_chromium_the_images_load_and_no_table_breaks_the_page(report, dom):
    (report.parent / "looker.html").write_text(LOOKER, encoding="utf-8")
    seen = re.search(r"<pre>(.*?)</pre>", dom(report.parent / "looker.html"), re.S)
    assert seen is not None
    lines = seen[1].splitlines()
    widths = [int(line.split()[1]) for line in lines if line.startswith("image")]
    assert len(widths) == 3
    assert min(widths) > 1000
    assert [line for line in lines if line.startswith("table")] == ["table true"] * 7
    assert int(lines[-1].split()[1]) <= 1200


@pytest.mark.thorough
def test_in_chromium_a_script_that_got_in_would_not_run(report, dom):
    source = report.read_text(encoding="utf-8")
    script = "<script>document.title = 'it ran'</script></body>"
    control = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
    for name, content in {"guarded": source, "open": control}.items():
        (report.parent / f"{name}.html").write_text(content.replace("</body>", script), encoding="utf-8")
    assert "<title>it ran</title>" in dom(report.parent / "open.html")
    assert f"<title>Event study ({NOTE})</title>" in dom(report.parent / "guarded.html")
