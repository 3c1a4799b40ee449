"""The page as a whole: its order, what it may load, what stands where, and the same bytes on any day."""

from __future__ import annotations

import base64
import re

import pytest

from eventstudy import InputError
from tests.reports.fake import EVENTS, FORMULA, NOTE, SCRIPT, fake, many, unusable
from tests.reports.reading import Page
from tests.reports.studies import study

SECTIONS = ["answer", "tests", "models", "checks", "data", "events", "methods", "provenance"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return fake().report(tmp_path_factory.mktemp("report") / "x.html")


@pytest.fixture(scope="module")
def page(report):
    return Page(report.read_text(encoding="utf-8"))


def write(result, folder, **options):
    return Page(result.report(folder / "x.html", **options).read_text(encoding="utf-8"))


@pytest.mark.thorough
def test_nothing_runs_and_nothing_is_fetched(page):
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {name for name, _ in page.tags}
    for name, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on") or a == "style"]
        for source in ("src", "srcset"):
            assert (attributes.get(source) or "data:image/png;base64,").startswith("data:image/png;base64,")
        assert name == "a" or "href" not in attributes
    assert all((link["href"] or "").startswith("#") for link in page.named("a"))
    assert "url(" not in "".join(page.texts)
    assert "@import" not in "".join(page.texts)


def test_the_page_forbids_scripts_and_remote_content_before_anything_else(page):
    (policy,) = [m["content"] for m in page.named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules
    before = page.tags[: next(k for k, (_, a) in enumerate(page.tags) if "http-equiv" in a)]
    assert [name for name, _ in before] == ["html", "head", "meta", "meta"]


def test_the_sections_stand_in_the_order_of_a_reader_and_the_contents_lead_to_them(page):
    assert [h["id"] for h in page.named("h2")] == SECTIONS
    assert [a["href"] for a in page.named("a")] == ["#main", *(f"#{name}" for name in SECTIONS)]
    assert [s["aria-labelledby"] for s in page.named("section")] == SECTIONS
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_title_and_question_are_those_given(tmp_path):
    page = write(fake(), tmp_path, title="Did <b>rules</b> move shares?", question="What did\nthe reports do?")
    assert page.texts.count("Did <b>rules</b> move shares?") == 1  # the heading
    assert f"Did <b>rules</b> move shares? ({NOTE})" in page.texts  # the title of the window
    assert "What did the reports do?" in page.texts


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_without_a_title_the_page_says_what_was_studied(page, tmp_path):
    assert "CARs of 9 events at 6 securities, November 2020 to September 2021" in page.texts
    assert "CAR of 9988.HK, 4 November 2020" in write(fake(EVENTS[:1]), tmp_path).texts


@pytest.mark.parametrize("options", [{"title": 3}, {"question": b"x"}, {"interactive": "yes"}, {"titel": "x"}])
def test_invalid_options_are_refused_before_anything_is_written(options, tmp_path):
    with pytest.raises(InputError, match=next(iter(options))):
        fake().report(tmp_path / "x.html", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".txt", "a .txt report has no options; leave out 'title'"),
        (".csv", "a .csv report has no options; leave out 'title'"),
        (".tex", "an option of a .tex report is 'title'; valid are 'analyses'"),
    ],
)
def test_other_reports_refuse_the_options_of_the_page(suffix, message, tmp_path):
    with pytest.raises(InputError, match=message):
        fake().report(tmp_path / f"x{suffix}", title="A title")


def test_titles_and_reasons_are_text(page):
    assert f"Ant IPO {SCRIPT}" in page.texts
    assert f"0000.HK is unknown {SCRIPT}" in page.texts
    assert FORMULA in page.texts
    assert "反垄断指南征求意见稿" in page.texts
    assert "$2.8bn, $ unpaired; 4 %" in page.texts


def test_images_are_whole_pngs_with_words_for_those_who_cannot_see_them(page):
    images = page.named("img")
    assert len(images) == 3
    assert all((image["alt"] or "").endswith(f"{NOTE}.") and len(image["alt"] or "") > 60 for image in images)
    for image in images:
        data = base64.b64decode((image["src"] or "").split(",", 1)[1], validate=True)
        assert data.startswith(b"\x89PNG")
        assert data.endswith(b"IEND\xaeB`\x82")
        assert b"tEXt" not in data  # neither a time nor a version


def test_every_table_says_simulated_and_so_does_the_head(page, report):
    captions = re.findall(r"<caption[^>]*>(.*?)</caption>", report.read_text(encoding="utf-8"))
    assert len(captions) == 9
    assert [caption for caption in captions if not caption.endswith(f"({NOTE})")] == []
    source = report.read_text(encoding="utf-8")
    assert f'<p class="warn">{NOTE}</p>' in source.split("<main")[0]
    assert source.count(f"({NOTE})</title>") == 1


def test_numbers_are_sensible_and_a_missing_one_has_its_reason(page):
    assert "−4.09 %" in page.texts
    assert "<0.001" in page.texts
    assert "– [1]" in page.texts
    assert "[1] only 5 of 6 sessions in the window have a return" in page.texts
    assert "[3] only 1 event has a CAR; a cross-section needs 2" in page.texts
    assert not [t for t in page.texts if t.strip().lower() in ("nan", "nat", "none", "inf")]
    assert not [t for t in page.texts if re.fullmatch(r"-?\d+\.\d{4,}", t.strip())]


def test_what_was_dropped_stands_with_its_reason(report):
    source = report.read_text(encoding="utf-8")
    row = next(r for r in source.split("<tr")[1:] if "the same as TUTORS-TAL" in r)
    cells = [re.sub(r"<[^>]*>", "", c).strip() for c in re.findall(r"<span>(.*?)</span>", row)]
    assert cells == [
        "-Tutoring TUTORS-EDU",
        "EDU",
        "2021-07-23",
        "same ticker and session as an earlier event",
        "the same as TUTORS-TAL &amp; 1 more_%",
    ]


def test_ids_break_only_where_their_words_end(report):
    source = report.read_text(encoding="utf-8")
    assert "SAMR_<wbr>FINES_<wbr>ALIBABA_<wbr>18_<wbr>BILLION-<wbr>BABA" in source
    assert "overflow-wrap: anywhere" not in source.split("</style>")[0].split("footer")[0]


def test_settings_and_provenance_are_complete(report):
    shown = re.sub("<wbr>", "", report.read_text(encoding="utf-8"))
    for name in ("model", "benchmark.XHKG", "estimation", "min_estimation", "prices.sha256", "versions.python"):
        assert f"<span>{name}</span>" in shown, name
    assert "(−260, −11)" in shown
    assert f"prices {'3f' * 6}" in shown


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_titles_stand_beside_the_right_events_when_many_are_dropped(tmp_path):
    source = many().report(tmp_path / "x.html").read_text(encoding="utf-8")
    pairs = re.findall(r"<b>Measure (\d+)</b> <small>EVENT_<wbr>(\d+)</small>", source)
    assert len(pairs) == 61
    assert all(int(event) == int(title) for title, event in pairs)


@pytest.mark.full
def test_250_events_are_a_page_of_less_than_3_megabytes(tmp_path):
    path = many(280).report(tmp_path / "x.html")
    assert path.read_text(encoding="utf-8").count('<svg class="path"') >= 250
    assert path.stat().st_size < 3e6


@pytest.mark.thorough
def test_without_a_usable_event_there_is_only_the_timeline(tmp_path):
    page = write(unusable(), tmp_path)
    assert len(page.named("img")) == 1
    assert "nothing could be tested" in page.texts
    assert any("None of the 12 events could be used" in said for said in page.texts)


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_a_page_is_replaced_and_another_file_is_not(tmp_path):
    path = fake().report(tmp_path / "x.html")
    assert fake().report(path) == path
    (tmp_path / "y.html").write_text("<!DOCTYPE html><title>My page</title>", encoding="utf-8")
    with pytest.raises(InputError, match="not written by an earlier report"):
        fake().report(tmp_path / "y.html")


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_a_study_run_again_shows_other_models_and_its_checks(tmp_path):
    result = study("return")
    page = write(result, tmp_path)
    models = result.across(["market", "market_adjusted", "mean"])
    for window in models.windows:
        for effect in models.summary(window)["effect"]:
            assert f"{100 * effect:.2f}".replace("-", "−") in page.texts
    violated = result.diagnose().query("breaks != ''")["check"]
    assert [f"{check.capitalize()}." for check in violated] == [
        t for t in page.texts if t[:-1].lower() in set(violated)
    ]
