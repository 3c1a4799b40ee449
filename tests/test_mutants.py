"""Each change of the code that no test noticed has an explanation, and is of code that is still there."""

from __future__ import annotations

import ast
import json
from collections import Counter

from tests.mutants import FILE, plain
from tests.shared import ROOT

FOUND = json.loads(FILE.read_text(encoding="utf-8"))


def lines_of(file: str, function: str) -> list[str]:
    """Give the text of each function of this name in a file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = text.splitlines()
    defined = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == function]
    return ["\n".join(lines[n.lineno - 1 : n.end_lineno]) for n in defined]


def test_a_survivor_is_a_change_of_lines_that_are_there_and_is_explained():
    for row in FOUND["survivors"]:
        assert any(row["was"] in text for text in lines_of(row["file"], row["function"])), row
        assert row["was"] != row["becomes"]
        assert len(row["why"].split()) > 3, row


def test_no_module_has_more_survivors_than_mutants_drawn():
    assert sum(FOUND["drawn"].values()) >= 400
    assert Counter(row["file"] for row in FOUND["survivors"]) <= Counter(FOUND["drawn"])
    assert all((ROOT / file).is_file() for file in FOUND["drawn"])


def test_the_name_of_a_mutant_holds_its_function():
    assert plain("eventstudy.core.ranks.x__mean_place__mutmut_3") == "_mean_place"
    assert plain("eventstudy.models.garch.xǁGarchǁfit__mutmut_orig") == "fit"
