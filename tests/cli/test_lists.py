"""``models`` and ``tests`` list every member, with what it declares."""

from __future__ import annotations

import json

import pytest

import eventstudy as es
from eventstudy import _registry, cli
from eventstudy.cli._members import needs, origin
from eventstudy.display import formats


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
@pytest.mark.parametrize(("command", "folder"), [("models", "models"), ("tests", "inference")])
def test_every_member_stands_in_the_table_by_its_whole_name(
    command: str, folder: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli.main([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(formats.columns_of, lines)) == columns
    assert set(_registry.names(folder)) <= {line.split()[0] for line in lines if line.strip()}


@pytest.mark.thorough
def test_models_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["models"]}
    assert {name: entry["summary"] for name, entry in listed.items()} == es.models()
    assert listed["dimson"]["options"] == {"leads": 1, "lags": 1}
    assert listed["dimson"]["coefficients"] == ["alpha", "beta_lag1", "beta", "beta_lead1"]
    assert listed["dimson"]["needs"] == "benchmark"
    assert listed["dimson"]["references"][0].startswith("Dimson, E. (1979).")


@pytest.mark.thorough
def test_tests_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tests", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["tests"]}
    assert {name: entry["summary"] for name, entry in listed.items()} == es.tests()
    for name, entry in listed.items():
        test = es.test(name)
        assert (entry["survives"], entry["fails_under"]) == (test.survives, list(test.fails_under))
        assert entry["options"] == dict(test.options)
    assert listed["kolari_pynnonen"]["printed"] == "Kolari-Pynnönen"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("mean", "nothing"),
        ("market", "benchmark"),
        ("capm", "benchmark, factors: RF"),
        ("ff3", "factors: Mkt-RF, SMB, HML, RF"),
        ("pca", "peers"),
        ("trade_to_trade", "benchmark"),
    ],
)
def test_what_a_model_needs(name: str, wanted: str) -> None:
    assert needs(es.model(name)) == wanted


@pytest.mark.parametrize("folder", ["models", "inference"])
def test_every_member_comes_from_a_publication(folder: str) -> None:
    for name in _registry.names(folder, plugins=False):
        assert origin(folder, name)[-4:].isdigit(), name
