"""The report as PDF: what a browser prints of the page."""

from __future__ import annotations

import re

import pypdf
import pytest

from eventstudy import InputError, OutputError
from tests.reports.browser import program
from tests.reports.fake import EVENTS, NOTE, fake

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    program("chromium")
    path = tmp_path_factory.mktemp("pdf") / "x.pdf"
    return fake().report(path, title="What the rules did", question="Did they move shares?")


def test_it_has_title_question_answer_and_the_note_on_the_prices(printed):
    reader = pypdf.PdfReader(printed)
    first = " ".join(reader.pages[0].extract_text().split())
    assert "What the rules did" in first
    assert "Did they move shares?" in first
    assert "the mean cumulative abnormal return (CAR) of 9 events is" in first
    assert NOTE in first.lower()
    assert reader.metadata is not None
    assert reader.metadata.title == f"What the rules did ({NOTE})"
    assert (reader.metadata.creator or "").strip() == "eventstudy"


def test_the_events_are_printed_and_the_settings_are_not(printed):
    pages = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(printed).pages]
    words = re.sub(r"\s", "", "".join(pages))
    for event_id, _, _, _, status, _, _ in EVENTS:
        assert status != "ok" or event_id in words
    assert "min_estimation" not in words
    assert len(pages) <= 8


@pytest.mark.full
def test_the_same_result_gives_the_same_bytes_and_replaces_its_own_file(printed, tmp_path):
    before = printed.read_bytes()
    again = fake().report(tmp_path / "deep" / "x.pdf", title="What the rules did", question="Did they move shares?")
    assert again.read_bytes() == before
    assert fake().report(again) == again
    assert again.read_bytes() != before
    (tmp_path / "y.pdf").write_bytes(b"%PDF-1.7\n% a paper")
    with pytest.raises(InputError, match="not written by an earlier report"):
        fake().report(tmp_path / "y.pdf")


@pytest.mark.parametrize(("named", "said"), [("", "none of them was found"), ("lynx-of-none", "'lynx-of-none', which")])
def test_without_a_browser_the_error_says_what_to_do(named, said, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("EVENTSTUDY_BROWSER", named)
    monkeypatch.setattr("eventstudy.reports.pdf.BROWSERS", ("chromium", "google-chrome"))
    with pytest.raises(
        InputError, match=f"Chromium, Chrome or Edge: .*{said}.*; install one, name it in EVENTSTUDY_BR"
    ):
        fake().report(tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["#!/bin/sh\necho no display >&2; exit 3\n", "not a program"])
@pytest.mark.usefixtures("of_one_picture")
def test_a_browser_that_does_not_print_is_an_error(script, tmp_path, monkeypatch):
    broken = tmp_path / "browser"
    broken.write_text(script)
    broken.chmod(0o755)
    monkeypatch.setenv("EVENTSTUDY_BROWSER", str(broken))
    with pytest.raises(OutputError, match=r"browser .*(no display|Exec format).*; write a \.html report and print it"):
        fake().report(tmp_path / "x.pdf")


def test_there_is_no_interactive_pdf(tmp_path):
    with pytest.raises(InputError, match="interactive"):
        fake().report(tmp_path / "x.pdf", interactive=True)
