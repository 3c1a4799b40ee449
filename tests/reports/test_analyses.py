"""Analyses in a report: a section or a table of each, and nothing written if one is no analysis."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any, ClassVar

import docx
import matplotlib.pyplot as plt
import openpyxl
import pytest
from matplotlib.axes import Axes

import eventstudy as es
from eventstudy import InputError, Result
from eventstudy.display import names
from eventstudy.plots import _style
from eventstudy.reports import _html_page
from eventstudy.types import Analysis
from tests.reports.fake import fake
from tests.reports.reading import Page
from tests.reports.studies import study

ANSWER = "The <b>mean</b> is 1 % & holds."


class Record:
    """An analysis whose table is that of the attrition."""

    kind: ClassVar[str] = "caar"

    def __init__(self, result: Result) -> None:
        self.result = result

    def answer(self) -> str:
        return ANSWER

    def plot(self, **options: Any) -> Axes:
        axes: Axes = self.result.plot("caar", **options)
        return axes


@pytest.fixture
def of_a_record(monkeypatch: pytest.MonkeyPatch) -> Result:
    """Return a result whose table of the record is one of its own."""
    result = fake()
    plain = Result.table

    def table(self: Result, kind: str, *, of: object = None, **options: Any) -> Any:
        return plain(self, kind, **options)

    monkeypatch.setattr(Result, "table", table)
    return result


def test_the_record_is_an_analysis_and_a_result_is_none() -> None:
    assert isinstance(Record(fake()), Analysis)
    assert not isinstance(fake(), Analysis)


@pytest.mark.usefixtures("of_one_picture")
def test_each_analysis_has_a_section_in_the_given_order(of_a_record: Result, tmp_path: Path) -> None:
    records = [Record(of_a_record), Record(of_a_record)]
    path = of_a_record.report(tmp_path / "x.html", analyses=records)
    page = Page(path.read_text(encoding="utf-8"))
    order = [h["id"] for h in page.named("h2")]
    at = order.index("models")
    assert order[at : at + 4] == ["models", "analysis-1", "analysis-2", "checks"]
    assert {"#analysis-1", "#analysis-2"} <= {a["href"] for a in page.named("a")}
    text = path.read_text(encoding="utf-8")
    assert text.count('<p class="finding">The &lt;b&gt;mean&lt;/b&gt; is 1\N{NO-BREAK SPACE}% &amp; holds.</p>') == 2
    assert sum((image["alt"] or "").startswith("Caar: The ") for image in page.named("img")) == 2
    plain = Page(of_a_record.report(tmp_path / "plain.html").read_text(encoding="utf-8"))
    assert len(page.named("table")) == len(plain.named("table")) + 2


@pytest.mark.usefixtures("of_one_picture")
def test_an_analysis_says_its_name_and_its_answer_once_and_folds_a_long_table(tmp_path: Path) -> None:
    result = study("return")
    tickers = ["0700.HK", "9988.HK", "3690.HK", "1211.HK", "9868.HK", "1024.HK", "9618.HK", "9999.HK"]
    prices = es.fetch_prices([*tickers, "^HSI"], "2020-06-01", "2022-06-30", source="simulated")
    moves = es.explain_moves(prices, es.catalogue("china-tech"), n=10, benchmark="^HSI")
    path = fake().report(tmp_path / "x.html", analyses=[result.sequential(), moves])
    text = path.read_text(encoding="utf-8")
    assert '<h2 id="analysis-1">The mean as events arrived</h2>' in text
    assert '<h2 id="analysis-2">Largest abnormal days</h2>' in text
    answer = moves.answer().partition(";")[0]
    assert len(re.findall(f">{re.escape(answer)}", text)) == 1
    assert f"(simulated prices): {len(moves.frame)} rows</summary>" in text
    assert all(names.of_analysis(kind) != kind.replace("_", " ").capitalize() for kind in names.ANALYSES)


def test_names_in_rows_are_whole_at_the_resolution_of_the_page() -> None:
    def plot(**options: Any) -> Axes:
        with _style.drawing((8.4, 2.2)) as ax:
            ax.set_yticks([0.5], ["LIU_HE_PLATFORM_SUPPORT:3690.HK"], fontsize=7.5)
        return ax

    image = plt.imread(io.BytesIO(base64.b64decode(_html_page._drawn(plot, "", None).png)))
    assert (image[:, :3, :3] == 1.0).all()


def test_reports_of_tables_have_one_more(of_a_record: Result, tmp_path: Path) -> None:
    for options, n in (({}, 0), ({"analyses": [Record(of_a_record)]}, 1)):
        path = {s: of_a_record.report(tmp_path / f"{n}.{s}", **options) for s in ("md", "tex", "xlsx", "docx")}
        assert path["md"].read_text(encoding="utf-8").count("**Tests of the mean") == 1 + n
        assert path["tex"].read_text(encoding="utf-8").count(r"\caption{Tests of the mean") == 1 + n
        assert len([name for name in openpyxl.load_workbook(path["xlsx"]).sheetnames if "caar" in name]) == 1 + n
        texts = [paragraph.text for paragraph in docx.Document(str(path["docx"])).paragraphs]
        assert sum("Tests of the mean" in text for text in texts) == 1 + n


@pytest.mark.parametrize("suffix", ["html", "md", "tex", "xlsx", "docx"])
@pytest.mark.parametrize("analyses", ["dates", [None], [Record], 3])
def test_what_is_no_analysis_is_refused_before_anything_is_written(
    suffix: str, analyses: object, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="analyses"):
        fake().report(tmp_path / f"x.{suffix}", analyses=analyses)
    assert not list(tmp_path.iterdir())
