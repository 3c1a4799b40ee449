"""Tables as LaTeX: escapes, alignment, widths, and documents that TeX sets without an overfull box."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pypdf
import pytest

from eventstudy.errors import InputError
from eventstudy.tables import _latex
from eventstudy.tables._cells import COUNT, NUMBER, PERCENT, Cell, Format, P, text
from eventstudy.tables._latex import ESCAPES, FOREIGN, breakable, ems, escape
from eventstudy.tables._table import Column, Table, first_rows
from tests.reports.browser import program
from tests.reports.fake import EVENTS, VARIANTS, fake, many
from tests.tables.material import ENGINES, KINDS, PACKAGES, table_of

Compile = Callable[[str, str], str]


def cells_of(row: str) -> list[str]:
    return re.split(r"(?<!\\)&", row)


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return a function that sets a body with an engine, and returns the log; it runs twice for long tables."""

    def run(engine: str, body: str) -> str:
        source = ENGINES[engine] + PACKAGES + "\\begin{document}\n" + body + "\\end{document}\n"
        (tmp_path / "x.tex").write_text(source, encoding="utf-8")
        command = [program(engine), "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
        for draft in (["-draftmode"], []):
            done = subprocess.run(
                [*command[:-1], *draft, command[-1]], cwd=tmp_path, capture_output=True, check=False, timeout=300
            )
            assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
        return (tmp_path / "x.log").read_text(encoding="utf-8", errors="replace")

    return run


def overfull(log: str) -> list[float]:
    """Give by how many points boxes are too wide."""
    return [float(size) for size in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_row_has_as_many_cells_as_the_table_has_columns(variant: str, tmp_path: Path) -> None:
    VARIANTS[variant]().report(tmp_path / "x.tex")
    source = (tmp_path / "x.tex").read_text(encoding="utf-8")
    pattern = r"\\begin\{(tabular\*?|longtable)\}(?:\{\d+pt\})?\{(@.*?)@\{\}\}\n(.*?)\\end\{\1\}"
    tables = re.findall(pattern, source, re.S)
    assert len(tables) >= 5
    for _, columns, body in tables:
        plain = re.sub(r"S\[[^]]*\]", "S", columns)
        n = len(re.sub(r"[@>]\{(?:[^{}]|\{[^{}]*\})*\}|(?<=p)\{[^{}]*\}", "", plain))
        rows = [line for line in body.splitlines() if line.endswith((r" \\", r" \\*"))]
        assert len(rows) >= 2
        for row in rows:
            assert "multicolumn" in row or len(cells_of(row)) == n, row


def test_braces_and_environments_close(tmp_path: Path) -> None:
    fake().report(tmp_path / "x.tex")
    source = re.sub(r"\\[{}]", "", (tmp_path / "x.tex").read_text(encoding="utf-8"))
    assert source.count("{") == source.count("}")
    assert sorted(re.findall(r"\\end\{(\w+\*?)", source)) == sorted(re.findall(r"\\begin\{(\w+\*?)", source))


def test_the_result_gives_the_table_of_tests() -> None:
    result = fake()
    assert result.to_latex() == result.table("caar").to_latex()
    assert "Kolari-" in result.to_latex()
    assert r"& -4.09$^{***}$ &" in result.to_latex()
    assert r"\label{tab:caar}" in result.to_latex()


@pytest.mark.parametrize("special", list(r"\{}$%&#_~^<>|'"))
def test_no_special_letter_is_left_bare(special: str) -> None:
    escaped = escape(f"a{special}b")
    assert escaped != f"a{special}b"
    assert re.fullmatch(r"a(\\[{}$%&#_]|\\text\w+\{\}|\$[<>]\$)b", escaped)


def test_a_cell_cannot_be_an_option_of_the_row_before() -> None:
    assert escape("[1] note") == "{[}1] note"
    assert escape("*") == "{*}"


def test_letters_beyond_latin_are_wrapped_and_the_fragment_says_how() -> None:
    assert escape("Zürich 阿里 São") == r"Zürich \eventstudyforeign{阿里} São"
    table = fake().table("caar")
    assert FOREIGN in table.to_latex()
    assert "eventstudyforeign" not in replace(table, notes=()).to_latex()


def test_long_words_may_break_and_short_ones_may_not() -> None:
    assert breakable("x" * 45).count("allowbreak") == 2
    assert breakable("heteroskedasticity of 9988.HK") == "heteroskedasticity of 9988.HK"
    assert re.sub(r"\\allowbreak\{\}", "", breakable("A_B:C/D" * 5)) == escape("A_B:C/D" * 5)


def wide(n: int, rows: int = 3) -> Table:
    """Return a table of n columns beside its key."""
    columns = (Column("Key", right=False), *(Column(f"Head {k}") for k in range(n)))
    cells = tuple((text(f"row {i}"), *(Cell(0.1234, PERCENT, "***") for _ in range(n))) for i in range(rows))
    return Table(pd.DataFrame(), "A title", columns, cells, ("A note.",), label="wide")


def test_a_table_is_turned_and_then_parted_when_it_is_wide() -> None:
    upright, turned, parted = (wide(n).to_latex() for n in (4, 10, 24))
    assert r"\begin{table}" in upright
    assert _latex.TURNED not in upright
    assert r"\begin{sidewaystable}" in turned
    assert _latex.TURNED in turned
    assert "% \\usepackage{booktabs,array,siunitx,threeparttable,rotating}" in turned
    n = parted.count(r"\begin{table}")
    assert n >= 2
    assert parted.count("row 1 &") == n
    assert parted.count(r"19.34") == 0
    assert parted.count(r"12.34$^{***}$") == 24 * 3
    assert parted.count("is therefore parted by columns") == 1
    assert r"\label{tab:wide-2}" in parted
    assert r"\begin{longtable}" in wide(4, 60).to_latex()
    assert r"\begin{landscape}" in wide(12, 60).to_latex()
    assert r"\begin{table}" in wide(10).to_latex(width=600)


@pytest.mark.parametrize("width", [0, -1, float("nan"), "345pt", None, True])
def test_a_width_that_is_none_is_an_error(width: object) -> None:
    with pytest.raises(InputError, match="give points, 100 or more"):
        wide(2).to_latex(width)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["pdflatex", pytest.param("lualatex", marks=pytest.mark.slow)])
def test_every_kind_is_set_within_the_page(engine: str, compiled: Compile, tmp_path: Path) -> None:
    tables = [first_rows(table_of(kind), 60, "elsewhere") for kind in KINDS]  # enough for tables of several pages
    log = compiled(engine, "\n".join(table.to_latex() for table in tables))
    assert [size for size in overfull(log) if size > 1] == []
    assert "undefined" not in log
    said = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "x.pdf").pages)
    assert said.count("Table ") >= len(KINDS)
    assert "Kolari-" in said


@pytest.mark.thorough
def test_numbers_are_aligned_at_the_decimal_point(compiled: Compile, tmp_path: Path) -> None:
    """A number begins as many digits, each 0.512 em wide in this font, to the left of its point."""
    cells = (
        Cell(1.5, NUMBER, "***"), Cell(123.25, Format("number", 4)), Cell(7, COUNT), Cell(0.25, NUMBER, brackets=True),
        Cell(1e-9, P, brackets=True), Cell(-12.5, Format("number", 1), "†"), Cell(None, NUMBER), text("CR2"),
    )  # fmt: skip
    columns = (Column("Key", right=False), Column("A head that is wide"))
    rows = tuple((text(f"row {letter}"), cell) for letter, cell in zip("abcdefgh", cells, strict=True))
    compiled("pdflatex", Table(pd.DataFrame(), "A title", columns, rows).to_latex())
    command = [program("pdftotext"), "-bbox", "x.pdf", "-"]
    page = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.findall(r'xMin="([\d.]+)".*>(\(?)(\d+)((?:\.\d+)?\)?)<', page)
    starts = {
        whole + rest: float(x) + 9 * (0.398 * len(bracket) + 0.512 * len(whole)) for x, bracket, whole, rest in found
    }
    points = [starts[number] for number in ("1.50", "123.2500", "7", "0.25)", "0.001)", "12.5")]
    assert max(points) - min(points) < 0.02


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["pdflatex", pytest.param("lualatex", marks=pytest.mark.slow)])
def test_hostile_text_is_set_within_the_page(engine: str, compiled: Compile) -> None:
    rows = [
        (f"$\\&%#_{{}}~^<x>-- 阿里巴巴{'集团' * 9} {'y' * 50} {i}", "^HSI", *event[2:])
        for i, event in enumerate(EVENTS)
    ]
    tables = [result.table(kind) for result in (fake(rows), many()) for kind in ("attrition", "aar", "caar", "events")]
    log = compiled(engine, _latex.render(tables))
    assert [size for size in overfull(log) if size > 1] == []
    warned = log.count("eventstudy: letters beyond Latin are shown as [?]")
    assert warned == (engine == "pdflatex")
    assert "Missing character" not in log


@pytest.mark.thorough
def test_every_letter_that_is_not_foreign_is_set_and_is_no_wider_than_estimated(compiled: Compile) -> None:
    """Each letter up to U+24FF, and each that has an escape, in text of the default encoding."""
    letters = [c for c in map(chr, range(0x20, 0x2500)) if unicodedata.category(c)[0] not in "CZ"]
    pairs = [escape(c) for c in [*letters, *ESCAPES, "--", "?`", "!`", "''", "``"]]
    measured = [c for c in letters if not _latex._is_foreign(c)]
    boxes = "\n".join(rf"\setbox0=\hbox{{{escape(c)}}}\typeout{{width {ord(c)} \the\wd0}}" for c in measured)
    log = compiled("pdflatex", FOREIGN + "\n".join(pairs) + boxes)
    widths = {chr(int(code)): float(size) for code, size in re.findall(r"width (\d+) ([\d.]+)pt", log)}
    assert len(widths) == len(measured)
    assert {c: size for c, size in widths.items() if size > 10 * ems(c)} == {}
    for words in ("Kolari-Pynnönen", "SAMR_ANTITRUST_DRAFT:9988.HK", "Mean abnormal return", "−12.34", "Corrado rank"):
        assert sum(widths.get(c, 3.33) for c in words) <= 10 * ems(words), words
