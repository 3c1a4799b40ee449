"""Hostile names in events, wherever they are printed: no script, no link, no formula, no field, no command."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

import eventstudy as es
from tests.reports.fake import EVENTS, fake
from tests.reports.reading import Page

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>", "=HYPERLINK(\"http://evil.example\")", "{{ 7 * 7 }}", "\\input{/etc/passwd}",
    "@SUM(1+1)*cmd|' /C calc'!A0", "http://evil.example/x", "]]><!--", "javascript:alert(1)",
]  # fmt: skip


def hostile() -> es.Result:
    """A result in which every text that an events file can bring is hostile."""
    result = fake()
    names = {old[0]: f"{text} {k}" for k, (old, text) in enumerate(zip(EVENTS, HOSTILE, strict=True))}
    events = result.events.rename(index=names)
    events["title"] = events["sector"] = events["reason"] = HOSTILE
    cars = result.cars.assign(event_id=result.cars["event_id"].map(names))
    paths = result.ar.rename(index=names)
    return replace(result, events=events, cars=cars, ar=paths)


def assert_harmless(text: str) -> None:
    for tag, attributes in Page(text).tags:
        assert tag not in ("script", "iframe", "object", "embed", "form", "base"), tag
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), attributes


@pytest.fixture(scope="module")
def result() -> es.Result:
    return hostile()


@pytest.mark.thorough
def test_a_page_has_no_element_of_an_event(result: es.Result, tmp_path: Path) -> None:
    text = result.report(tmp_path / "x.html", title=HOSTILE[1], question=HOSTILE[3]).read_text(encoding="utf-8")
    assert_harmless(text)
    assert text.count("alert(1)") > 5  # they are there, as text
    assert "{{ 7 * 7 }}" in "".join(Page(text).texts)


def test_a_notebook_shows_no_element_of_an_event(result: es.Result) -> None:
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": "BABA", "announced": "2021-09-13", "event_id": HOSTILE, "sector": HOSTILE})
    )
    shown = [
        result._repr_html_(),
        events._repr_html_(),
        *(result.table(kind)._repr_html_() for kind in ("events", "caar")),
    ]
    for text in shown:
        assert_harmless(text)
    assert "alert(1)" in "".join(shown)


def test_a_workbook_has_no_formula_and_no_link_of_an_event(result: es.Result, tmp_path: Path) -> None:
    place = result.report(tmp_path / "x.xlsx")
    cells = [cell for sheet in openpyxl.load_workbook(place).worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "inlineStr"}
    assert not [cell for cell in cells if cell.hyperlink]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    assert_nothing_is_fetched(place)


def test_a_document_has_no_field_and_no_link_of_an_event(result: es.Result, tmp_path: Path) -> None:
    place = result.report(tmp_path / "x.docx")
    with zipfile.ZipFile(place) as archive:
        body = archive.read("word/document.xml").decode()
    assert "evil.example" in body
    assert not re.search(r"<w:(fldSimple|instrText|hyperlink|object)\b", body)
    assert_nothing_is_fetched(place)


def assert_nothing_is_fetched(place: Path) -> None:
    """Check that a document of Office has no macro, and no relation to anything outside itself."""
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        relations = [archive.read(name) for name in names if name.endswith(".rels")]
    assert relations
    assert not [name for name in names if re.search(r"vba|macro|embed|externalLink", name, re.IGNORECASE)]
    for relation in relations:
        assert not [each for each in ElementTree.fromstring(relation) if each.get("TargetMode") == "External"]


def test_latex_runs_no_command_of_an_event(result: es.Result, tmp_path: Path) -> None:
    text = result.report(tmp_path / "x.tex").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^%.*\n", "", text)
    assert r"\textbackslash{}" in text
    assert "passwd" in text
    assert not re.search(r"\\(input|include|write|openout|immediate|catcode|csname|href|url)\b", text)


def test_a_terminal_is_sent_no_command_of_an_event(tmp_path: Path) -> None:
    controls = "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202edcba\r\nb"
    events = fake().events.rename(index={EVENTS[6][0]: controls})
    events["title"] = events["reason"] = events["sector"] = controls
    text = replace(fake(), events=events).report(tmp_path / "x.txt").read_text(encoding="utf-8")
    assert "owned" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
