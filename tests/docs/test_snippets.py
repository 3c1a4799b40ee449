"""The blocks of code in the pages and the README run offline, and print what the pages say they print."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from eventstudy import studyfile
from eventstudy.cli import main
from eventstudy.cli._main import commands
from eventstudy.reproduce import replicate as replicating
from tests.docs.pages import PAGES, ROOT, Fence, fences

# Pages whose code takes a second or more, but for those that a reader begins with.
LONG = ("tables_and_figures.md", "referee.md", "backtest.md", "growing.md", "explain_moves.md", "spillovers.md")


def with_code(page: Path) -> bool:
    return any(fence.language == "python" and fence.runs for fence in fences(page.read_text(encoding="utf-8")))


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def test_fences_find_code_output_and_marks():
    page = "a\n```python\nprint(1)\n```\n\n```text\n1\n```\nb\n```python no-run\n1 / 0\n```\n"
    first, _, last, file = fences(page + "```toml file=a.toml\n[b]\n```\n")
    assert (first.language, first.runs, first.shown, first.line) == ("python", True, "1\n", 2)
    assert (last.runs, last.shown) == (False, None)
    assert (file.language, file.runs, file.file) == ("toml", False, "a.toml")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.full] if page.name in LONG else []) for page in PAGES if with_code(page)],
    ids=lambda page: page.name,
)
def test_code_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for fence in fences(page.read_text(encoding="utf-8")):
        if fence.language != "python" or not fence.runs:
            continue
        exec(compile("\n" * fence.line + fence.body, str(page), "exec"), names)
        printed = capsys.readouterr().out
        if fence.shown is not None:
            assert lines(printed) == lines(fence.shown), f"{page.name}, line {fence.line}"


def test_getting_started_and_index_are_among_them():
    assert {"getting_started.md", "index.md"} <= {page.name for page in PAGES if with_code(page)}


def study_files() -> list[Fence]:
    page = ROOT / "docs" / "study_file.md"
    return [fence for fence in fences(page.read_text(encoding="utf-8")) if fence.language == "toml" and fence.runs]


@pytest.mark.parametrize("fence", study_files(), ids=lambda fence: f"line {fence.line}")
def test_study_files_of_the_page_are_valid(fence, tmp_path):
    (tmp_path / "events.csv").write_text("ticker,announced,index\n0700.HK,2021-09-13,^HSI\n", encoding="utf-8")
    (tmp_path / "factors.csv").write_text("date,Mkt-RF,SMB,RF\n2021-09-13,0.01,0.0,0.0\n", encoding="utf-8")
    file = tmp_path / "study.toml"
    file.write_text(fence.body, encoding="utf-8")
    read = studyfile.read(file)
    assert read.source == tomllib.loads(fence.body)["prices"]["source"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "used", "written"),
    [
        pytest.param("study_file.md", {"check", "fetch", "run"}, "study.html", marks=pytest.mark.full),
        ("command_line.md", {"init", "check", "run", "verify"}, "figures/caar.png"),
    ],
)
def test_commands_of_a_page_run(name, used, written, tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    [file, *_] = study_files()
    monkeypatch.chdir(tmp_path)
    # All figures are written by the tests of the command line.
    monkeypatch.setattr("eventstudy.cli.run.figure_paths", lambda folder, suffix: {"caar": folder / f"caar.{suffix}"})
    Path("study.toml").write_text(file.body, encoding="utf-8")
    consoles = "".join(fence.body for fence in fences(page) if fence.language == "console")
    shown = re.findall(r"^\$ eventstudy ((?!demo).*)$", consoles, re.MULTILINE)  # the demo has its own tests
    assert {command.split()[0] for command in shown} == used
    for command in shown:
        assert main(command.split()) == 0, f"eventstudy {command}: {capsys.readouterr().err}"
    assert Path(written).is_file()


@pytest.mark.thorough
def test_the_commands_on_reproducing_run_on_what_its_code_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(replicating, "figures", lambda: iter(["caar"]))  # all are packed by the tests of ``replicate``
    page = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for fence in fences(page):
        if fence.language == "python":
            exec(fence.body, names)
    shown = re.findall(r"^\$ eventstudy (.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in shown] == ["run", "verify", "replicate"]
    for command in shown:
        assert main(command.split()) == 0, f"eventstudy {command}: {capsys.readouterr().err}"
    assert Path("study.zip").is_file()


EXAMPLES = [
    example
    for command in commands().values()
    for example in re.findall(r"^    eventstudy (.*)$", str(command.__doc__), re.MULTILINE)
]


# Those that write reports and figures are run by other tests too: the commands of a page, and the demo.
WRITING = ("run ", "demo ")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "example",
    [pytest.param(text, marks=pytest.mark.slow) if text.startswith(WRITING) else text for text in EXAMPLES],
)
def test_the_example_in_the_help_of_a_command_runs(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert main(example.split()) == 0, capsys.readouterr().err


def test_every_command_that_can_begin_has_an_example():
    first = {example.split()[0] for example in EXAMPLES}
    assert first >= {"init", "check", "run", "calibrate", "fetch", "models", "tests", "schema", "demo"}


def test_the_page_of_the_command_line_has_the_help_of_every_command(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    text = importlib.import_module("commands").sections()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == list(commands())
    assert max(map(len, text.splitlines())) <= 100
    for name in commands():
        assert f"usage: eventstudy {name} " in text
