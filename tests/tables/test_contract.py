"""What every kind of table and every writer must keep, over the folder and over every kind of result."""

from __future__ import annotations

import inspect
import math
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy import _registry
from eventstudy.display import formats
from eventstudy.errors import EventStudyError, InputError
from eventstudy.tables import _excel, _fit, _word
from eventstudy.tables._cells import COUNT, NUMBER, PERCENT, Cell, Format, P, text
from eventstudy.tables._table import MOST_SHOWN, Column, Table, first_rows
from tests.reports.fake import NOTE, VARIANTS
from tests.tables.material import KINDS, options, study, table_of

pytestmark = pytest.mark.contract("kind")


class Grid(HTMLParser):
    """The cells of a table element by row, and the tags with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if any(tag in ("td", "th") for tag in self.open):
            self.rows[-1][-1] += data


def grid_of(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_columns_and_the_title_says_simulated(kind: str) -> None:
    table = table_of(kind)
    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert NOTE in table.title
    assert table.label == kind
    assert len(table.frame)
    assert study().table(kind, title="My own", **options(kind)).title == f"My own ({NOTE})"


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_at_most_100_columns_wide(kind: str) -> None:
    shown = repr(table_of(kind))
    assert max(map(formats.columns_of, shown.splitlines())) <= 100
    assert "−" not in shown


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_a_table_whose_cells_are_those_of_the_grid(kind: str) -> None:
    table = table_of(kind)
    page = Grid(table.to_html(style=False))
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {
        "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "p", "span",
    }  # fmt: skip
    assert [attributes for tag, attributes in page.tags if tag == "th" and "scope" not in attributes] == []
    assert [attributes for _, attributes in page.tags if "id" in attributes] == []
    heads = 1 + any(column.span for column in table.columns)
    foot = bool(table.notes)
    assert page.rows[heads : len(page.rows) - foot] == grid_of(table)
    assert page.rows[heads - 1] == [column.head for column in table.columns]
    assert table.to_html().startswith("<style>")


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_cells_are_those_of_the_grid(kind: str) -> None:
    lines = [line for line in table_of(kind).to_markdown().splitlines() if line.startswith("| ")]
    rows = [re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |")) for line in lines]
    plain = [[re.sub(r"\\(.)", r"\1", cell).strip() for cell in row] for row in rows]
    assert plain[2:] == grid_of(table_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_excel_has_the_numbers_with_all_their_digits(kind: str, tmp_path: Path) -> None:
    table = table_of(kind)
    path = table.to_excel(tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(path)[kind]
    first = 4 + any(column.span for column in table.columns)
    for at, row in enumerate(table.rows):
        for k, cell in enumerate(row, start=1):
            found = sheet.cell(first + at, k).value
            missing = formats.is_missing(cell.value)
            if cell.format.is_number and not missing:
                scale = 100 if cell.format.kind == "percent" else 1  # as the head says: (%)
                assert found == pytest.approx(scale * float(cell.value), rel=1e-15, abs=0)
                assert "%" not in sheet.cell(first + at, k).number_format
            elif cell.format.kind == "date" and not missing:
                assert pd.Timestamp(found) == cell.value
            else:
                assert (found or "") == cell.text
    assert sheet.freeze_panes == f"{chr(65 + table.n_keys)}{first}"
    assert path.read_bytes() == table.to_excel(tmp_path / "y.xlsx").read_bytes()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_word_has_every_cell_and_note(kind: str, tmp_path: Path) -> None:
    table = first_rows(table_of(kind), 40, "elsewhere")
    path = table.to_word(tmp_path / "x.docx")
    document = docx.Document(str(path))
    parts = document.tables
    n_heads = 1 + any(column.span for column in table.columns)
    rows = [[cell.text.replace(_word.FIGURE_SPACE, "") for cell in row.cells] for row in parts[0].rows]
    if len(parts) == 1:
        assert rows[n_heads:] == grid_of(table)
    assert [row[: table.n_keys] for row in rows[n_heads:]] == [row[: table.n_keys] for row in grid_of(table)]
    said = [paragraph.text for paragraph in document.paragraphs]
    assert [note for note in table.notes if note not in said] == []
    assert path.read_bytes() == table.to_word(tmp_path / "y.docx").read_bytes()
    for section in document.sections:
        assert section.page_width - section.left_margin - section.right_margin > 0
    for grid in parts:
        widths = [column.width.pt for column in grid.columns]
        assert sum(widths) <= _word.TURNED + 1


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        (kind, variant)
        if kind == "caar" or variant == "unusable"
        else pytest.param(kind, variant, marks=pytest.mark.full)
        for kind in ("attrition", "sample", "aar", "caar", "events")
        for variant in VARIANTS
    ],
)
def test_any_result_can_be_written(kind: str, variant: str, tmp_path: Path) -> None:
    table = VARIANTS[variant]().table(kind)
    assert max(map(formats.columns_of, repr(table).splitlines())) <= 100
    assert Grid(table.to_html()).open == []
    assert "\\toprule" in table.to_latex()
    assert table.to_markdown().startswith("**")
    assert zipfile.is_zipfile(table.to_excel(tmp_path / "x.xlsx"))
    assert zipfile.is_zipfile(table.to_word(tmp_path / "x.docx"))


def numbers_of(table: Table) -> Iterator[tuple[Cell, str]]:
    yield from ((cell, cell.text) for row in table.rows for cell in row if cell.format.is_number)


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_a_number_reads_back_at_its_precision(kind: str) -> None:
    for cell, shown in numbers_of(table_of(kind)):
        if formats.is_missing(cell.value):
            assert shown in ("", formats.MISSING)
            continue
        value = float(cell.value)
        plain = shown.strip("()*†").replace("−", "-")
        if plain == "<0.001":
            assert cell.format.kind == "p"
            assert 0 <= value < 0.001
            continue
        scale = 100 if cell.format.kind == "percent" else 1
        digits = len(plain.partition(".")[2])
        assert abs(float(plain) - scale * value) <= 0.5 * 10**-digits + 1e-9
        assert bool(re.fullmatch(r"\(.*\)", shown.rstrip("*†"))) == cell.brackets


def test_a_screen_shows_the_first_rows_and_a_file_all() -> None:
    table = table_of("events")
    hidden = len(table.rows) - MOST_SHOWN
    assert hidden > 0
    assert f"{hidden} further rows not shown; every to_ method writes them." in " ".join(repr(table).split())
    assert table._repr_html_().count('<th scope="row"') == MOST_SHOWN
    assert table.to_html().count('<th scope="row"') == len(table.rows)


def test_unknown_kinds_and_options_are_errors_that_name_the_valid_ones() -> None:
    with pytest.raises(InputError, match="did you mean 'caar'"):
        study().table("car")
    with pytest.raises(InputError, match="an option of the table 'caar' is 'star'; valid are 'stars', 'brackets'"):
        study().table("caar", star=False)
    with pytest.raises(InputError, match="brackets is 'sd'; valid are 'se', 't', 'p'"):
        study().table("caar", brackets="sd")
    with pytest.raises(InputError, match="title is ''"):
        study().table("caar", title="")


NO_RECORDS: tuple[Any, ...] = (
    5,
    "x",
    b"x",
    (),
    {},
    [1],
    float("nan"),
    True,
    object(),
    pd.DataFrame(),
    np.array([1, 2]),
)


@pytest.mark.parametrize("kind", KINDS)
def test_options_of_a_wrong_kind_are_errors_of_the_library(kind: str) -> None:
    options_of = inspect.signature(_registry.load("tables", kind)).parameters
    for name, wrong in (("of", NO_RECORDS), ("stars", (5, "x", None, pd.DataFrame(), np.array([1, 2])))):
        for value in wrong if name in options_of else ():
            with pytest.raises(EventStudyError):
                study().table(kind, **options(kind) | {name: value})


@pytest.mark.parametrize("kind", ["models", "moves", "regressions"])
def test_a_table_of_something_else_says_that_it_needs_it(kind: str) -> None:
    with pytest.raises(InputError, match="of="):
        study().table(kind)


def test_a_plugin_can_need_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def needy(result: Any, *, of: object) -> None: ...

    monkeypatch.setattr(_registry, "load", lambda folder, kind: needy)
    with pytest.raises(InputError, match="the table 'needy' needs the option 'of'; give it, as in of="):
        study().table("needy")


def test_parts_have_every_column_once_and_the_keys_each_time() -> None:
    table = table_of("events")
    found = _fit.layout(table, lambda word: float(len(word)), 2, 40)
    parts = _fit.parts(table, found, 70, 2)
    assert len(parts) > 1
    keys = table.columns[:3]
    assert [part.columns[:3] for part in parts] == [keys] * len(parts)
    assert sum((part.columns[3:] for part in parts), ()) == table.columns[3:]
    assert [part.notes for part in parts[:-1]] == [()] * (len(parts) - 1)
    assert parts[-1].notes == (_fit.PARTED, *table.notes)
    assert all(len({column.span for column in part.columns[3:]}) == 1 for part in parts)


def hostile(words: list[str]) -> Table:
    words = [formats.plain(word) for word in words]
    rows = tuple((text(word), Cell(0.5, PERCENT, "***"), text(word)) for word in words)
    columns = (Column(words[0], right=False, span=words[0]), Column("x", span=words[0]), Column("y", right=False))
    return Table(pd.DataFrame(), words[0], columns, rows, (words[-1],), label="hostile")


SIGNS = st.text(st.one_of(st.sampled_from("\\{}$%&#_~^<>|\"'`*[]()!+-=@:./ "), st.characters()), max_size=30)


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(words=st.lists(SIGNS, min_size=1, max_size=3))
def test_no_text_breaks_a_table(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    no_text_breaks(words, tmp_path_factory)


@pytest.mark.full
@settings(max_examples=60, deadline=None)
@given(words=st.lists(SIGNS, min_size=1, max_size=3))
def test_no_text_of_many_breaks_a_table(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    no_text_breaks(words, tmp_path_factory)


def no_text_breaks(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    table = hostile(words)
    shown = [formats.plain(word) for word in words]
    folder = tmp_path_factory.mktemp("hostile")
    source = table.to_html(style=False)
    page = Grid(source)
    assert page.open == []
    assert [row[0] for row in page.rows[2:-1]] == shown
    lines = [line for line in table.to_markdown().splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + len(words)
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {5}
    latex = re.sub(r"\\[{}$%&#_\\]", "", table.to_latex().split("\\toprule")[1])
    assert latex.count("{") == latex.count("}")
    body = latex.split("\\midrule")[1].split("\\bottomrule")[0]
    assert {row.count("&") for row in body.splitlines() if row.endswith("\\ ") or "&" in row} == {2}
    sheet = openpyxl.load_workbook(table.to_excel(folder / "x.xlsx"))["hostile"]
    for at, word in enumerate(shown, start=5):
        cell = sheet.cell(at, 1)
        assert cell.hyperlink is None
        assert cell.data_type != "f"
        assert (cell.value or "") == word
    document = docx.Document(str(table.to_word(folder / "x.docx")))
    assert len(document.tables[0].rows) == 2 + len(words)


@pytest.mark.parametrize(
    ("cell", "shown", "number_format"),
    [(Cell(-0.06126, PERCENT, "***"), "−6.13***", '0.00"***"'), (Cell(1234.0, COUNT), "1234", "0"),
     (Cell(8.26, COUNT), "8.3", "0.0"), (Cell(-1.234, NUMBER, "†"), "−1.23†", '0.00"†"'),
     (Cell(0.0123, P, brackets=True), "(0.012)", '"("0.000")"'), (Cell(2e-9, P), "<0.001", '"<0.001"'),
     (Cell(0.4, Format("number", 0)), "0", "0")],
)  # fmt: skip
def test_cells_are_shown_alike_in_text_and_in_excel(cell: Cell, shown: str, number_format: str) -> None:
    assert cell.text == shown
    assert _excel.number_format(cell) == number_format


@pytest.mark.parametrize("value", [math.nan, None, math.inf, pd.NaT, pd.NA, np.float64("nan")])
def test_what_is_no_number_is_text_in_excel(value: object, tmp_path: Path) -> None:
    table = Table(pd.DataFrame(), "x", (Column("n"),), ((Cell(value, NUMBER),),), label="x")
    sheet = openpyxl.load_workbook(table.to_excel(tmp_path / "x.xlsx"))["x"]
    assert sheet["A4"].value == ("∞" if value is math.inf else "–")
