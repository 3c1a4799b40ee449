"""The example of a paper makes all that its text includes, compiles, and finds what was planted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports.browser import program

PAPER = Path(__file__).parents[1] / "examples" / "paper"
pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    for name in ("paper.py", "paper.tex", "study.toml", "Makefile"):
        shutil.copy(PAPER / name, folder)
    done = subprocess.run([sys.executable, "paper.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


def test_everything_that_the_text_includes_is_made(made: Path) -> None:
    text = (made / "paper.tex").read_text(encoding="utf-8")
    names = re.findall(r"\\(?:input|includegraphics\[[^]]*\])\{out/(\w+)", text)
    assert len(names) == 11
    assert {file.stem for file in (made / "out").iterdir()} == set(names)


def test_platforms_reacted_by_what_was_planted_and_the_others_by_nothing(made: Path) -> None:
    rows = (made / "out" / "groups.tex").read_text(encoding="utf-8")

    def first(group: str) -> float:
        [line] = re.findall(rf"^{group} & (.*)$", rows, re.MULTILINE)
        number = re.sub(r"\\[a-z]+\{[^}]*\}|[$]", "", line.split("&")[1]).replace("{", "")
        return float(re.findall(r"-?\d+\.\d+", number)[0])

    assert first("platform") == pytest.approx(2, abs=0.3)
    assert abs(first("EV")) < 0.5


@pytest.mark.full
def test_the_paper_compiles_without_a_bad_box(made: Path) -> None:
    for draft in (["-draftmode"], []):
        done = subprocess.run(
            [program("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", *draft, "paper.tex"],
            cwd=made, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
    log = (made / "paper.log").read_text(encoding="latin-1")
    assert re.findall(r"^LaTeX Warning: (?!Label).*", log, re.MULTILINE) == []
    assert re.findall(r"Overfull .hbox \(([1-9]\d*|0)\.\d+pt", log) == []
