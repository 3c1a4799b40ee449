from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pypdf
import pytest

from eventstudy.reports.latex import ESCAPES, FOREIGN, escape, table
from tests.reports.fake import EVENTS, VARIANTS, fake, many
from tests.reports.reading import DOCUMENT


def cells_of(row):
    return re.split(r"(?<!\\)&", row)


@pytest.mark.thorough
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_row_has_as_many_cells_as_the_table_has_columns(variant, tmp_path):
    VARIANTS[variant]().report(tmp_path / "x.tex")
    source = (tmp_path / "x.tex").read_text(encoding="utf-8")
    tables = re.findall(r"\\begin\{(tabular|longtable)\}\{@\{\}([lr]+)@\{\}\}(.*?)\\end\{\1\}", source, re.S)
    assert [kind for kind, _, _ in tables] == ["tabular", "longtable"]
    for _, columns, body in tables:
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert len(rows) >= 2
        for row in rows:
            assert "multicolumn" in row or len(cells_of(row)) == len(columns), row
    assert r"\toprule" in source
    assert r"\bottomrule" in source


def test_braces_and_environments_close(tmp_path):
    fake().report(tmp_path / "x.tex")
    source = re.sub(r"\\[{}]", "", (tmp_path / "x.tex").read_text(encoding="utf-8"))
    assert source.count("{") == source.count("}")
    assert re.findall(r"\\begin\{(\w+)", source) == ["table", "tabular", "minipage", "longtable"]
    assert sorted(re.findall(r"\\end\{(\w+)", source)) == sorted(re.findall(r"\\begin\{(\w+)", source))


def test_the_result_gives_the_table_of_tests():
    result = fake()
    assert result.to_latex() == table(result)
    assert r"kolari\_pynnonen" in table(result)
    assert r"$-$4.09 \%" in table(result)
    assert "longtable}{" not in table(result)


@pytest.mark.parametrize("special", list(r"\{}$%&#_~^<>|"))
def test_no_special_letter_is_left_bare(special):
    escaped = escape(f"a{special}b")
    assert escaped != f"a{special}b"
    assert re.fullmatch(r"a(\\[{}$%&#_]|\\text\w+\{\}|\$[<>]\$)b", escaped)


def test_a_cell_cannot_be_an_option_of_the_row_before():
    assert escape("[1] note") == "{[}1] note"
    assert escape("*") == "{*}"


def test_letters_beyond_latin_are_wrapped_and_the_fragment_says_how():
    assert escape("Zürich 阿里 São") == r"Zürich \eventstudyforeign{阿里} São"
    assert FOREIGN in table(fake())
    english = fake().tests.assign(note="")
    assert "eventstudyforeign" not in table(replace(fake(), tests=english))


@pytest.mark.thorough
def test_pdflatex_sets_both_tables(pdflatex, tmp_path):
    rows = [(f"$\\&%#_{{}}~^<x>-- 阿里 {i}", "^HSI", *event[2:]) for i, event in enumerate(EVENTS)]
    fake(rows).report(tmp_path / "hostile.tex")
    many().report(tmp_path / "long.tex")
    (tmp_path / "all.tex").write_text(DOCUMENT % "\\input{hostile}\n\\input{long}", encoding="utf-8")
    pdflatex(tmp_path / "all.tex")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "all.pdf").pages)
    assert text.count("kolari") == 6
    assert "EVENT 060" in text or "EVENT_060" in text
    assert "100 %" in text


@pytest.mark.thorough
def test_pdflatex_sets_every_letter_that_is_not_foreign(pdflatex, tmp_path):
    """Each letter up to U+24FF, and each that has an escape, in text of the default encoding."""
    letters = [c for c in map(chr, range(0x20, 0x2500)) if unicodedata.category(c)[0] not in "CZ"]
    pairs = [escape(c) for c in [*letters, *ESCAPES, "--", "?`", "!`", "''", "``"]]
    (tmp_path / "all.tex").write_text(DOCUMENT % (FOREIGN + "\n".join(pairs)), encoding="utf-8")
    pdflatex(tmp_path / "all.tex")
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")
