"""The study file that ``init`` writes: it runs, says what each choice means, and is true about the defaults."""

from __future__ import annotations

import builtins
import csv
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

import eventstudy as es
from eventstudy import _registry, cli, studyfile
from eventstudy.cli._fields import choices
from eventstudy.cli._members import needs
from eventstudy.cli._schema import schema, sources
from eventstudy.types import Choices


def written(folder: Path, *arguments: str) -> studyfile.StudyFile:
    assert cli.main(["init", str(folder), *arguments]) == 0
    return studyfile.read(folder / "study.toml")


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a terminal, and the list of answers that is read from it."""
    given: list[str] = []
    questions: Iterator[str] = iter(given)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda prompt="": next(questions))
    return given


@pytest.mark.thorough
def test_it_runs_as_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "study"
    assert cli.main(["init", str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"next: eventstudy run {folder / 'study.toml'}" in out
    assert cli.main(["run", str(folder / "study.toml")]) == 0
    out, err = capsys.readouterr()
    assert "10 of 10 used" in out
    assert "simulated prices" in out
    assert err == ""
    assert all(len(line) <= 100 for line in (folder / "study.toml").read_text().splitlines())
    assert [e.message for e in jsonschema.Draft7Validator(schema()).iter_errors(
        tomllib.loads((folder / "study.toml").read_text()))] == []  # fmt: skip


def test_flags_are_what_is_written(tmp_path: Path) -> None:
    flags = [
        "--ticker",
        "BABA",
        "JD",
        "--date",
        "2021-09-13",
        "2020-11-03",
        "--benchmark",
        "^IXIC",
        "--model",
        "dimson",
    ]
    made = written(tmp_path, *flags)
    assert made.study == es.Study(model="dimson", benchmark="^IXIC")
    rows = list(csv.DictReader((tmp_path / "events.csv").read_text().splitlines()))
    assert [(row["ticker"], row["announced"]) for row in rows] == [
        ("BABA", "2021-09-13"), ("JD", "2021-09-13"), ("BABA", "2020-11-03"), ("JD", "2020-11-03"),
    ]  # fmt: skip
    assert len({row["event_id"] for row in rows}) == 4


@pytest.mark.parametrize(
    ("tickers", "benchmark"),
    [(["BABA"], "^GSPC"), (["0700.HK"], "^HSI"), (["0700.HK", "BABA"], {"XHKG": "^HSI", "XNYS": "^GSPC"})],
)
def test_the_benchmark_is_the_index_of_each_exchange(tmp_path: Path, tickers: list[str], benchmark: object) -> None:
    assert written(tmp_path, "--ticker", *tickers).study.benchmark == benchmark


def test_every_choice_is_explained_and_its_commented_value_is_the_default(tmp_path: Path) -> None:
    written(tmp_path)
    text = (tmp_path / "study.toml").read_text()
    table, _, _ = text.partition("[prices]")
    lines = dict(re.findall(r"^(?:# )?(\w+) = (.*)$", table, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(Choices)}
    assert set(defaults) | {"events"} == set(lines)
    body = "\n".join(f"{name} = {lines[name]}" for name, value in defaults.items() if value is not None)
    (tmp_path / "study.toml").write_text(f"[study]\nevents = 'events.csv'\n{body}\n[prices]\nsource = 'simulated'\n")
    made = studyfile.read(tmp_path / "study.toml").study
    assert made == es.Study()
    for field in choices().values():
        words = " ".join(table.replace("\n# ", " ").split())
        assert field.text in words


@pytest.mark.thorough
@pytest.mark.parametrize("model", _registry.names("models"))
def test_every_model_gives_a_file_that_says_what_else_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    assert cli.main(["init", str(tmp_path), "--model", model]) == 0
    out = capsys.readouterr().out
    wanted = needs(es.model(model))
    assert ("factors.csv" in out) == ("factors" in wanted)
    assert ("also" in out) == ("peers" in wanted)
    if "factors" in wanted:
        (tmp_path / "factors.csv").write_text("date,Mkt-RF,SMB,HML,RMW,CMA,Mom,RF\n2021-09-13,0,0,0,0,0,0,0\n")
    read = studyfile.read(tmp_path / "study.toml")
    assert read.study.model == model
    assert (read.study.benchmark is not None) == ("benchmark" in wanted)


@pytest.mark.parametrize("source", sources())
def test_every_source_gives_a_valid_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str) -> None:
    assert cli.main(["init", str(tmp_path), "--source", source]) == 0
    document = tomllib.loads((tmp_path / "study.toml").read_text())
    assert document["prices"]["source"] == source
    assert list(jsonschema.Draft7Validator(schema()).iter_errors(document)) == []
    out = capsys.readouterr().out
    assert [f"reads {name} = " in out for name in document["prices"] if name != "source"] == [True] * (
        len(document["prices"]) - 1
    )


def test_a_study_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.toml").write_text("my own")
    assert cli.main(["init", str(tmp_path)]) == 2
    assert "overwrites nothing" in capsys.readouterr().err
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("study.toml", "my own")]


def test_beside_events_the_study_is_of_these(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "event_id,ticker,announced\nmine,0700.HK,2021-09-13\n"
    (tmp_path / "events.csv").write_text(text)
    assert written(tmp_path).study.benchmark == "^HSI", "the index of the exchange of its ticker"
    assert f"kept: {tmp_path / 'events.csv'}" in capsys.readouterr().out
    assert (tmp_path / "events.csv").read_text() == text
    assert cli.main(["run", str(tmp_path / "study.toml")]) == 0
    assert "1 of 1 used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("my own", [], "have no column ticker"),
        ("ticker,announced\nBABA,2021-09-13\n", ["--ticker", "JD"], "leave out --ticker"),
        ("ticker,announced\nBABA,2021-09-13\n", ["--date", "2021-01-04", "--ticker", "JD"], "--ticker and --date"),
    ],
)
def test_events_that_cannot_be_taken_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, arguments: list[str], words: str
) -> None:
    (tmp_path / "events.csv").write_text(text)
    assert cli.main(["init", str(tmp_path), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("events.csv", text)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ticker", "baba"], "ticker 'baba' is not valid"),
        (["--date", "13/09/2021"], "the date is '13/09/2021'; give one such as 2021-09-13"),
        (["--model", "markt"], "the model is 'markt'; .* did you mean 'market'"),
        (["--source", "yahooo"], "the source is 'yahooo'; .* did you mean 'yahoo'"),
        (["--ticker", "ABC.L", "EURUSD=X"], "no index of FX is known; give a benchmark"),
    ],
)
def test_wrong_flags_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.main(["init", str(tmp_path / "new"), *arguments]) == 2
    assert re.search(words, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_asked_until_an_answer_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: list[str]
) -> None:
    answers += ["BABA, JD", "2021-13-01", "2021-09-13", "", "market dimson", "dimson", ""]
    made = written(tmp_path)
    assert made.study == es.Study(model="dimson", benchmark="^GSPC")
    assert made.events.frame["ticker"].tolist() == ["BABA", "JD"]
    out = capsys.readouterr().out
    assert "the date is '2021-13-01'" in out
    assert "2 were given; give one" in out


def test_a_flag_is_not_asked_for(tmp_path: Path, answers: list[str]) -> None:
    answers += ["", "", ""]  # date, benchmark, source
    made = written(tmp_path, "--ticker", "BABA", "--model", "mean")
    assert made.study.model == "mean"


def test_the_end_of_the_input_is_an_interruption(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", end)
    assert cli.main(["init", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "eventstudy: interrupted\n"
    assert list(tmp_path.iterdir()) == []
