"""Every report says what was studied, in its own units, for every outcome and either way to accumulate."""

from __future__ import annotations

import csv
import re

import numpy as np
import pypdf
import pytest

from eventstudy.display import formats
from eventstudy.display.measure import measure_of
from eventstudy.reports.text import text
from tests.reports.reading import DOCUMENT, Page
from tests.reports.studies import FULL, STUDIES, study

pytestmark = pytest.mark.thorough

RETURNS = ("return", "compound", "peers")
PLAIN = ("volume", "volatility", "spread")
each_study = pytest.mark.parametrize("name", STUDIES)


def capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def block(report: str, title: str) -> list[str]:
    lines = report.splitlines()
    start = lines.index(title)
    return lines[start : lines.index("", start) if "" in lines[start:] else None]


@each_study
def test_text_says_the_quantity_and_stays_in_100_columns(name):
    result = study(name)
    assert (result.events["status"] == "ok").all()
    report = text(result)
    assert max(map(formats.columns_of, report.splitlines())) <= 100
    assert f"Tests of the mean {FULL[name]}" in report
    assert f"{capital(FULL[name])} of each event" in report
    assert (re.search(r"^Measure +\S", report, re.M) is not None) == (name not in ("return", "peers"))
    short = result.measure.short
    assert f"Mean {short}" in report
    assert ("CAR" in report) == (short == "CAR")
    assert "−" not in repr(result)
    assert f"mean {short} " in repr(result)


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_no_return_has_no_per_cent(name):
    result = study(name)
    report = text(result)
    price_moves = "The session itself: plain returns from the previous close"
    if name == "volatility":
        report = report.replace("\n".join(block(report, price_moves)), "")
    assert price_moves not in report
    shares = {line for line in report.splitlines() if "5 %" in line or "(%)" in line or "% of the pairs" in line}
    assert [line for line in report.splitlines() if "%" in line and line not in shares] == []
    assert [line for line in shares if f"{result.measure.short} (%)" in line] == []
    effect = result.tests["effect"].iloc[0]
    assert result.measure.text(effect).replace("−", "-") in report
    assert "%" not in repr(result)


def test_numbers_show_three_digits_of_a_typical_value():
    for name in PLAIN:
        result = study(name)
        typical = float(result.cars["car"].abs().median())
        shown = result.measure.text(typical).lstrip("+")
        assert len(shown.replace(".", "").lstrip("0")) == 3, name
        assert float(shown) == pytest.approx(typical, rel=0.006)


def test_compounding_studies_show_bhar_and_no_p_of_the_sums():
    result = study("compound")
    lines = block(text(result), "Buy-and-hold abnormal return (BHAR) of each event")
    assert lines[2].split() == ["(0,", "20)", "(0,", "249)"]
    assert lines[3].split() == ["Event", "Ticker", "Session", "BHAR", "(%)", "BHAR", "(%)"]
    first = result.cars[(result.cars["event_id"] == "E0001")]
    assert not np.allclose(first["car"], first["bhar"], rtol=0.01)
    shown = [f"{100 * v:.2f}" for v in first["bhar"]]
    assert re.split(r" {2,}", lines[4])[-2:] == shown
    assert " ".join(lines[-1].split()) == (
        "Without p: those of Result.cars are of the sum of abnormal returns, and not of the BHAR."
    )


def test_p_among_placebos_stands_beside_the_others():
    result = study("peers")
    assert result.cars["p_placebo"].notna().all()
    lines = block(text(result), "Cumulative abnormal return (CAR) of each event")
    assert lines[3].count("p pl.") == lines[2].count(")") > 0
    first = result.cars.iloc[0]
    cells = lines[4].split()
    assert cells[3].rstrip("*") == f"{100 * first['car']:.2f}"
    assert cells[4:6] == [formats.p_value(first["p_sq"]), formats.p_value(first["p_placebo"])]
    assert any(line.startswith("p pl.: the CAR among those of its peers") for line in lines)


@pytest.mark.usefixtures("of_one_picture")
@pytest.mark.parametrize(
    "name",
    [
        name if name in ("volume", "compound", "peers") else pytest.param(name, marks=pytest.mark.full)
        for name in STUDIES
    ],
)
def test_html_says_the_quantity(name, tmp_path):
    result = study(name)
    page = Page(result.report(tmp_path / "x.html").read_text(encoding="utf-8"))
    assert f"Tests of the mean {FULL[name]}" in page.texts
    assert f"{capital(FULL[name])} of each event" in page.texts
    assert f"Mean {result.measure.short} {formats.window(*result.cars[['start', 'end']].iloc[0])}" in page.texts
    assert result.measure.text(result.tests["effect"].iloc[0]) in page.texts
    assert ("p SQ" in page.texts) == (name != "compound")
    assert ("p pl." in page.texts) == (name == "peers")
    assert any("plain returns" in said for said in page.texts) == (name not in ("volume", "spread"))
    if name in ("volume", "spread"):
        assert [said for said in page.texts if re.search(r"[+−]\d+\.\d+\s%", said)] == []


@each_study
def test_latex_says_the_quantity(name):
    table = study(name).to_latex()
    assert rf"\caption{{Tests of the mean {FULL[name]}}}" in table
    head = study(name).table("caar").columns[2].head
    assert head.endswith("(%)") == (name in RETURNS)
    assert all(word.replace("%", r"\%") in table for word in head.split())


@pytest.mark.full
def test_pdflatex_sets_all_of_them(pdflatex, tmp_path):
    for name in STUDIES:
        study(name).report(tmp_path / f"{name}.tex")
    (tmp_path / "all.tex").write_text(DOCUMENT % "\n".join(rf"\input{{{n}}}" for n in STUDIES), encoding="utf-8")
    pdflatex(tmp_path / "all.tex")
    said = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "all.pdf").pages)
    words = re.sub(r"-?\s+", "", said)
    for name in STUDIES:
        assert FULL[name].replace(" ", "").replace("-", "") in words.replace("-", ""), name


@each_study
def test_csv_has_the_columns(name, tmp_path):
    study(name).report(tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cars = study(name).cars
    assert ("bhar" in rows[0]) == (name == "compound")
    assert ("p_placebo" in rows[0]) == (name == "peers")
    for column in cars.columns[3:]:
        found = [float(row[column]) if row[column] else np.nan for row in rows]
        np.testing.assert_array_equal(found, cars[column].to_numpy(dtype=float))


def test_the_name_of_a_field_is_one_short_line():
    measure = measure_of("a\nfield with a very long name indeed", size=1.0)
    assert measure.short == "CA a field with a very lon…"
    assert measure_of() == measure_of("return", "sum", 3.0)


def test_paths_end_where_the_windows_that_begin_with_them_end():
    for name in ("compound", "volume"):
        result = study(name)
        whole = result.paths()
        assert list(whole.columns) == list(result.ar.columns)
        if name == "compound":
            for _, its in result.cars.iterrows():
                assert whole.loc[its["event_id"], its["end"]] == pytest.approx(its["bhar"], abs=1e-12)
            daily = result.daily["caar"]
            np.testing.assert_allclose(whole.mean(), daily, rtol=0, atol=1e-12)
        else:
            np.testing.assert_allclose(whole.mean(), result.daily["caar"], rtol=0, atol=1e-12)


def test_comparisons_speak_of_the_quantity():
    result = study("compound")
    with pytest.raises(Exception, match="the events with a BHAR have 1 value of 'status'"):
        result.compare("status")
    events = result.events.assign(size=np.arange(6.0))
    by_name = [type(result)(events, *_rest(result)).regress(f"{y} ~ size").params for y in ("car", "bhar")]
    np.testing.assert_array_equal(*by_name)
    first = result.cars.groupby("event_id")["bhar"].first()
    assert by_name[0]["size"] == pytest.approx(np.polyfit(np.arange(6.0), first, 1)[0], rel=1e-9)


def _rest(result):
    names = ("ar", "cars", "daily", "tests", "reactions", "attrition", "provenance")
    return [getattr(result, name) for name in names]


def test_calibrations_and_diagnoses_speak_of_it():
    result = study("volume")
    found = result.calibrate(20, (0.0, 0.3))
    assert re.search(r"bmp +\+0\.3 ", repr(found))
    axes = found.plot()
    assert axes.get_xlabel() == "Shock to the volume of day 0"
    assert "%" not in "".join(label.get_text() for label in axes.get_xticklabels())
    said = result.diagnose().set_index("check")
    assert said.loc["thin trading", "value"] == "the study is not of returns"
    assert not said["value"].str.contains("CAR|return has|no return").any()
