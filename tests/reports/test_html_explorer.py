"""The explorer of the interactive page: its numbers are those of the frames, and it runs offline under its policy."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sys

import numpy as np
import pytest

from eventstudy import InputError
from tests.reports.browser import each_look, open_page, run_axe
from tests.reports.fake import EVENTS, fake, many, unusable

pytestmark = pytest.mark.thorough

# Uses the explorer beside it in a frame as a reader does, and writes what it shows after each step.
READER = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe src="x.html" width="1280" height="2000" style="border:0"></iframe><pre></pre><script>
addEventListener("load", () => {
  const view = document.querySelector("iframe").contentWindow, page = view.document;
  const at = (id) => page.getElementById(id);
  const set = (id, value, kind) => { at(id).value = value; at(id).dispatchEvent(new view.Event(kind)); };
  const buttons = () => [...page.querySelectorAll("#list button")];
  const seen = { start: at("count").textContent, lines: page.querySelectorAll("#all .scatterlayer .trace").length };
  set("search", "samr", "input");
  seen.found = buttons().map((b) => b.dataset.id);
  set("search", "", "input");
  set("value", "9988.HK", "change");
  seen.group = buttons().map((b) => b.dataset.id);
  set("value", "", "change");
  set("sort", "0", "change");
  seen.sorted = buttons().map((b) => b.dataset.id);
  buttons()[0].click();
  seen.pressed = page.querySelectorAll('#list [aria-pressed="true"]').length;
  seen.title = at("one-title").textContent;
  seen.facts = at("one-facts").textContent;
  seen.one = page.querySelectorAll("#one .point").length;
  document.querySelector("pre").textContent = JSON.stringify(seen);
});
</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return fake().report(tmp_path_factory.mktemp("explorer") / "x.html", interactive=True)


def elements(source):
    """Return the content of the script elements: the data, the library, and the script of the explorer."""
    return re.findall(r"<script[^>]*>(.*?)</script>", source, re.S)


def data_of(path):
    return json.loads(elements(path.read_text(encoding="utf-8"))[0])


def test_the_data_are_those_of_the_frames(page):
    result, data = fake(), data_of(page)
    used = result.events[result.events["status"] == "ok"]
    assert [event["id"] for event in data["events"]] == list(used.index)
    assert data["days"] == list(result.ar.columns)
    assert data["windows"] == ["(0, 0)", "(−1, 1)", "(0, 5)"]
    for event in data["events"]:
        ar = result.ar.loc[event["id"]].to_numpy()
        np.testing.assert_allclose(np.array(event["ar"], dtype=float), ar, atol=5e-7)
        np.testing.assert_allclose(np.array(event["path"], dtype=float), np.nancumsum(ar) + 0 * ar, atol=5e-7)
        cars = result.cars[result.cars["event_id"] == event["id"]]
        np.testing.assert_allclose(np.array(event["effects"], dtype=float), cars["car"], atol=5e-7)
        p = [*cars["p_sq"].iloc[:2], cars["p_conformal"].iloc[2]]  # of windows up to three days, and of longer ones
        np.testing.assert_allclose(np.array(event["p"], dtype=float), p, atol=5e-7)
        assert event["ticker"] == event["groups"][0] == used.loc[event["id"], "ticker"]


def test_only_the_scripts_of_the_page_are_allowed_and_nothing_is_fetched(page):
    source = page.read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', source)
    allowed = html.unescape(policy).split("script-src ")[1].split(";")[0].split()
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in elements(source)[1:]]
    assert allowed == [f"'sha256-{value}'" for value in hashes]
    assert "default-src 'none'" in html.unescape(policy)
    assert not re.search(r"<(script|img|link|iframe)[^>]* (src|href)=\"(?!data:)", source)


def test_titles_cannot_end_the_data(page):
    data = elements(page.read_text(encoding="utf-8"))[0]
    assert not set("<>&") & set(data)
    assert {event["title"] for event in json.loads(data)["events"]} >= {EVENTS[0][6], EVENTS[1][6]}


def test_a_reader_can_search_filter_sort_and_choose_without_a_complaint_of_the_browser(page):
    reader = page.with_name("reader.html")
    reader.write_text(READER, encoding="utf-8")
    document, console = open_page(reader)
    assert console == []
    written = re.search(r"<pre>(.*?)</pre>", document, re.S)
    assert written is not None
    seen = json.loads(html.unescape(written[1]))
    result = fake()
    used = result.events[result.events["status"] == "ok"]
    first = result.cars[(result.cars["end"] == 0) & result.cars["event_id"].isin(used.index)].set_index("event_id")
    mean = f"{100 * first['car'].mean():+.2f}".replace("-", "−")
    assert seen["start"] == f"9 of 9 events; mean CAR (0, 0): {mean} %"
    assert seen["lines"] == 10
    assert seen["found"] == [event for event in used.sort_values("session", kind="stable").index if "SAMR" in event]
    assert seen["group"] == list(used[used["ticker"] == "9988.HK"].sort_values("session").index)
    assert seen["sorted"] == list(first["car"].sort_values().index)
    assert seen["pressed"] == 1
    lowest = seen["sorted"][0]
    assert seen["title"] == " ".join(used.loc[lowest, "title"].replace("\x1b", " ").split())
    assert f"CAR (0, 0): {100 * first['car'][lowest]:+.2f} %".replace("-", "−") in seen["facts"]
    assert seen["one"] == 2 * result.ar.loc[lowest].notna().sum()


def test_a_changed_script_does_not_run(page):
    changed = page.with_name("changed.html")
    source = page.read_text(encoding="utf-8")
    changed.write_text(source.replace('"use strict";', '"use strict"; ', 1), encoding="utf-8")
    document, console = open_page(changed)
    assert '<ol id="list"></ol>' in document
    assert any("Content Security Policy" in line for line in console)


@pytest.mark.full
@each_look(1280)
def test_axe_finds_no_violation(page, width, dark):
    found = run_axe(page, width, *(["--blink-settings=preferredColorScheme=0"] if dark else []))
    assert found["violations"] == []


@pytest.mark.full
def test_a_page_without_events_opens_without_a_complaint(tmp_path):
    path = unusable().report(tmp_path / "x.html", interactive=True)
    assert data_of(path)["events"] == []
    assert open_page(path)[1] == []


@pytest.mark.usefixtures("of_one_picture")
def test_events_of_many_values_are_grouped_by_their_ticker(tmp_path):
    assert data_of(many().report(tmp_path / "x.html", interactive=True))["columns"] == ["ticker"]


@pytest.mark.usefixtures("of_one_picture")
def test_without_the_library_the_page_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(InputError, match=r'needs plotly: pip install "\.\[interactive\]"'):
        fake().report(tmp_path / "x.html", interactive=True)
    assert list(tmp_path.iterdir()) == []
