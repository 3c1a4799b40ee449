"""A study written as a study file, and read again, is the same study."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import studyfile, types
from eventstudy.errors import InputError, OutputError
from eventstudy.run.settings import settings as settings_of_study

EVENTS = "ticker,announced\nBABA,2021-06-09\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = {"model": ["market", "capm"], "tests": ["bmp", "sign", "default", "all"]}
MODELS = [
    es.model("market"), es.model("dimson", leads=0, lags=3), es.model("factors", names=("a b", '"c"\n')),
    es.model("factors", names=("SMB",), risk_free="RF"), es.model("elastic_net", l1_ratio=(0.1, 1e-05)),
    es.model("synthetic_control", intercept=True), es.model("robust", method="theil_sen"), es.model("garch", p=2),
    es.model("clock"), es.model("ewma"),
]  # fmt: skip
TESTS = [
    es.test("sign_gsar"), es.test("placebo", draws=499), es.test("wild_bootstrap", cluster="date"), es.test("bmp"),
    es.test("skewness_adjusted", bootstrap=True, seed=5), es.test("two_way", standardised=True),
]  # fmt: skip
LISTED = st.lists(
    st.sampled_from(["corrado", *TESTS]), min_size=1, max_size=3, unique_by=lambda t: getattr(t, "name", t)
)
LABELLED = st.dictionaries(TEXT.filter(str.strip), st.sampled_from(TESTS), min_size=1, max_size=3)
WINDOW = st.tuples(st.integers(-3, 0), st.integers(0, 3))
PAIR = st.tuples(TEXT, TEXT)
CLOSED = {
    "returns": types.Returns, "on_closed": types.OnClosed, "gaps": types.Gaps, "contaminated": types.Contaminated,
    "suspended": types.Suspended, "contradictory": types.Contradictory,
}  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from([*NAMES["model"], *MODELS]),
    "benchmark": TEXT | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
    "estimation": st.tuples(st.integers(-400, -200), st.integers(-20, -8)),
    "event": st.tuples(st.integers(-7, -3), st.integers(3, 30)),
    "windows": st.lists(WINDOW, min_size=1, max_size=4, unique=True).map(tuple),
    "tests": st.sampled_from(NAMES["tests"]) | LISTED | LABELLED,
    "min_estimation": st.integers(1, 150),
    "seed": st.integers(0, 2**62),
    "min_coverage": st.floats(0, 1, exclude_min=True),
    **dict.fromkeys(("group", "weight", "sign"), TEXT),
    "peers": TEXT | st.lists(TEXT, min_size=1) | st.dictionaries(TEXT, st.lists(TEXT), min_size=1, max_size=2),
    "outcome": st.sampled_from(["return", "volume", "a field"]),
    "currency": TEXT,
    "confounding": WINDOW,
    "estimation_columns": PAIR,
    "event_columns": PAIR,
    "calendars": st.just({"XBOM": {"2021-11-04": "19:15", "2021-11-05": None}, "XKRX": {"2026-06-03": None}}),
    **{name: st.sampled_from(get_args(hint)) for name, hint in CLOSED.items()},
}  # fmt: skip
APART = {"price": "open", "accumulate": "compound"}  # not with every other choice


def read(folder: Path, text: str) -> es.Study:
    (folder / "events.csv").write_text(EVENTS)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return studyfile.read(folder / "study.toml").study


def assert_same(found: es.Study, expected: es.Study) -> None:
    """Compare all choices; two tests with options are equal if name and options are."""
    assert settings_of_study(found) == settings_of_study(expected)
    for field in fields(es.Study):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        assert a == b or field.name == "tests", field.name


def test_every_choice_is_tried():
    assert {*VALUES, *APART} == {field.name for field in fields(types.Choices)}


def is_read_as_the_same_study(tmp_path: Path, choices: dict[str, Any]) -> None:
    try:
        study = es.Study(**choices)
    except InputError:  # two choices that exclude each other
        return
    assert_same(read(tmp_path, study.to_toml()), study)


ANY = given(st.fixed_dictionaries({}, optional=VALUES))
SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.thorough
@ANY
@SOME
def test_what_is_written_is_read_as_the_same_study(tmp_path: Path, choices: dict[str, Any]) -> None:
    is_read_as_the_same_study(tmp_path, choices)


@pytest.mark.full
@ANY
@settings(SOME, max_examples=100)
def test_more_that_is_written_is_read_as_the_same_study(tmp_path: Path, choices: dict[str, Any]) -> None:
    is_read_as_the_same_study(tmp_path, choices)


@pytest.mark.parametrize("name", APART)
def test_the_other_choices_too(name: str, tmp_path: Path) -> None:
    study = es.Study(**{name: APART[name]})
    assert_same(read(tmp_path, study.to_toml()), study)


@pytest.mark.parametrize("name", [*es.models()])
def test_every_model_can_be_written(name: str, tmp_path: Path) -> None:
    for choice in (name, es.model(name)):
        study = es.Study(model=choice)
        assert read(tmp_path, study.to_toml()) == study


@pytest.mark.parametrize("name", [*es.tests()])
def test_every_test_can_be_written(name: str, tmp_path: Path) -> None:
    for choice in ([name], [es.test(name)], es.test(name), {"mine": es.test(name)}):
        study = es.Study(tests=choice)
        assert_same(read(tmp_path, study.to_toml()), study)


def test_a_set_of_peers_is_written_in_order(tmp_path: Path) -> None:
    study = es.Study(peers={"NIO", "BABA", "XPEV"})
    assert read(tmp_path, study.to_toml()).peers == ["BABA", "NIO", "XPEV"]


def test_a_study_of_defaults_says_nothing():
    tables = tomllib.loads(es.Study().to_toml())
    assert tables == {"study": {"events": "events.csv"}, "prices": {"source": "yahoo"}}


def test_the_file_is_written_with_events_and_prices(tmp_path: Path) -> None:
    (tmp_path / "my events.csv").write_text(EVENTS)
    prices = {"source": "folder", "path": Path("prices"), "start": date(2020, 1, 2), "also": ["HKD=X"]}
    study = es.Study(benchmark="^HSI")
    text = study.to_toml(tmp_path / "x.toml", events="my events.csv", prices=prices)
    assert (tmp_path / "x.toml").read_bytes() == text.encode()
    found = studyfile.read(tmp_path / "x.toml")
    assert found.study == study
    assert list(found.events.frame["ticker"]) == ["BABA"]
    assert (found.source, found.also) == ("folder", ("HKD=X",))
    assert found.options == {"path": tmp_path / "prices", "start": "2020-01-02"}


class Own:
    """A model of the user's own."""

    columns = ()
    coefficients = ("alpha",)

    def fit(self, block: types.Block) -> types.Abnormal:
        raise NotImplementedError


def test_an_object_of_the_user_has_no_name():
    with pytest.raises(InputError, match=r"the model .*Own.* a study file cannot name; name a member of models/"):
        es.Study(model=Own()).to_toml()
    own = types.Test(es.test("bmp").chunk, lambda state, sample: es.test("bmp").finalize(state, sample))
    with pytest.raises(InputError, match=r"the test .* a study file cannot name; name a member of inference/"):
        es.Study(tests=[own]).to_toml()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"events": 3}, "events is 3"),
        ({"events": "\ud800"}, "half a character"),
        ({"prices": "yahoo"}, "prices is 'yahoo'.*give the table of prices"),
        ({"prices": {"source": object()}}, "source is .*TOML cannot write"),
        ({"prices": {"source": "frame", "x": float("nan")}}, "x is nan"),
        ({"prices": {1: 2}}, "1 is no text"),
        ({"path": 5}, "path is 5"),
    ],
)
def test_an_argument_that_is_not_valid_is_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        es.Study().to_toml(**arguments)


def test_only_a_file_that_it_wrote_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    es.Study().to_toml(path)
    es.Study(seed=1).to_toml(path)
    assert "seed = 1" in path.read_text()
    path.write_text("[study]  # by hand\n")
    with pytest.raises(InputError, match=r"exists and was not written by an earlier .*; name another path"):
        es.Study().to_toml(path)
    assert path.read_text() == "[study]  # by hand\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(OutputError, match="the study file cannot be written"):
        es.Study().to_toml(tmp_path / "x" / "y.toml")
