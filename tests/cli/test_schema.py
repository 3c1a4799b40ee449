"""The JSON schema of study files takes those that the library reads, and finds what is wrong with others."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import eventstudy as es
from eventstudy import _registry, cli, studyfile
from eventstudy.cli._fields import choices
from eventstudy.cli._schema import schema
from tests.docs.pages import ROOT, fences

PAGE = (ROOT / "docs" / "study_file.md").read_text(encoding="utf-8")
FILES = {
    **{f"line {f.line}": f.body for f in fences(PAGE) if f.language == "toml" and f.runs},
    **{str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in ROOT.glob("examples/**/study.toml")},
}
STUDY = "[study]\ncatalogue = 'china-tech'\n{}\n[prices]\nsource = 'simulated'\n"
PRICES = "[study]\ncatalogue = 'china-tech'\n[prices]\n{}\n"
VALIDATOR = jsonschema.Draft7Validator(schema())


def errors(text: str) -> list[str]:
    def as_json(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: as_json(item) for name, item in value.items()}
        if isinstance(value, list):
            return [as_json(item) for item in value]
        return value.isoformat() if isinstance(value, date) else value

    return [error.message for error in VALIDATOR.iter_errors(as_json(tomllib.loads(text)))]


def test_the_command_prints_a_valid_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.Draft7Validator.check_schema(printed)
    assert printed == schema()


def test_its_keys_are_those_of_the_study_file() -> None:
    keys = {field.name for field in msgspec.structs.fields(studyfile._StudyTable)}
    study = schema()["properties"]["study"]["properties"]
    assert set(study) == keys
    assert all(study[name]["description"] for name in study)
    defaults = es.Study()
    for name in choices():
        made = study[name].get("default")
        want = getattr(defaults, name)
        assert made == json.loads(json.dumps(want)), name


@pytest.mark.parametrize("name", FILES)
def test_every_study_file_of_pages_and_examples_is_valid(name: str) -> None:
    assert errors(FILES[name]) == []


@pytest.mark.parametrize(
    "line",
    [
        "modle = 'market'",
        "model = 'markt'",
        "model = 7",
        "model = { name = 'dimson', lead = 1 }",
        "model = { name = 'dimson', leads = 'one' }",
        "model = { leads = 1 }",
        "model = { name = 'robust', method = 'hubber' }",
        "tests = 'bpm'",
        "tests = ['bmp', 'corado']",
        "tests = [{ name = 'placebo', drws = 99 }]",
        "tests = { rank = 'corado' }",
        "returns = 'Simple'",
        "contaminated = 'hide'",
        "estimation = [-250]",
        "windows = [[0, 1, 2]]",
        "windows = [['a', 'b']]",
        "seed = 1.5",
        "min_coverage = 'all'",
        "peers = 7",
        "event_columns = [1, 2]",
        "benchmark = 7",
        "calendars = { XBOM = '2021-11-04' }",
        "events = 'events.csv'",
    ],
)
def test_what_is_wrong_with_a_study_is_found_by_the_schema_as_by_the_library(tmp_path: Path, line: str) -> None:
    text = STUDY.format(line)
    assert errors(text)
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(es.InputError):
        studyfile.read(tmp_path / "study.toml")


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "source = 'yahooo'",
        "source = 7",
        "source = 'frame'",
        "source = 'simulated'\nsead = 1",
        "source = 'simulated'\nseed = 'one'",
        "source = 'folder'",
        "source = 'folder'\npath = 7",
        "source = 'folder'\npath = 'x'\nseed = 1",
        "source = 'simulated'\nalso = 'HKD=X'",
        "source = 'sql'\nuri = 'env:X'\ntickers = ['A']",
    ],
)
def test_what_is_wrong_with_the_prices_is_found_by_the_schema_as_by_the_library(tmp_path: Path, lines: str) -> None:
    text = PRICES.format(lines)
    assert errors(text)
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(es.InputError):
        studyfile.read(tmp_path / "study.toml").prices()


@pytest.mark.parametrize("folder", ["models", "inference"])
def test_every_member_and_its_default_options_are_valid(folder: str) -> None:
    key, make = ("model", es.model) if folder == "models" else ("tests", es.test)
    for name in _registry.names(folder):
        entry = {**es.members.settings_of(make(name))}
        entry = {option: value for option, value in entry.items() if value is not None}
        document = {"study": {"catalogue": "china-tech", key: entry if key == "model" else [entry]},
                    "prices": {"source": "simulated"}}  # fmt: skip
        assert [e.message for e in VALIDATOR.iter_errors(json.loads(json.dumps(document)))] == [], name


def test_every_source_that_a_file_can_name_is_in_it() -> None:
    named = set(schema()["properties"]["prices"]["properties"]["source"]["enum"])
    assert named == set(_registry.names("sources")) - {"frame"}
