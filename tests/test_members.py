"""Models and tests by name and label: variants side by side, settings that say their options, plug-ins that fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import eventstudy as es
from eventstudy import _registry, studyfile, types
from eventstudy.errors import InputError
from eventstudy.members import label_of, labelled_models, labelled_tests, plugins_of, settings_of
from eventstudy.types import Column, Test
from tests.make import material

SHORT: dict[str, Any] = {"benchmark": "M", "estimation": (-65, -6), "event": (-5, 5), "min_estimation": 40}
BMP: Test = _registry.load("inference", "bmp")


def own_chunk(scores: Any, abnormal: Any, prior: Any) -> dict[str, Any]:
    return {}


# Names that editors complete.


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("models", types.ModelName),
        ("inference", types.TestName),
        ("sources", types.SourceName),
        ("plots", types.PlotKind),
    ],
)
def test_editors_complete_the_names_of_all_members(folder, names):
    members = _registry.names(folder, plugins=False)
    assert get_args(names) == members, f"types/names.py needs {', '.join(map(repr, members))}"


def test_what_takes_a_name_takes_that_of_a_plug_in_too():
    hints = get_type_hints(types.Choices), get_type_hints(es.model), get_type_hints(es.test)
    for hint in (hints[0]["model"], hints[1]["name"]):
        assert {types.ModelName, str} <= set(get_args(hint))
    for hint in (hints[0]["tests"], hints[2]["name"]):
        assert {types.TestName, str} <= set(get_args(hint))


# Labels and settings.


@pytest.mark.parametrize("name", _registry.names("inference", plugins=False))
def test_a_test_knows_its_name_and_all_of_its_options(name):
    made = es.test(name)
    assert made.name == label_of(made) == name
    assert es.test(name, **made.options).options == made.options == {
        option: value for option, value in settings_of(made).items() if option != "name"
    }  # fmt: skip
    assert settings_of(_registry.load("inference", name))["name"] == name


def test_options_stand_in_label_and_settings():
    made = es.test("wild_bootstrap", cluster="date", draws=999)
    assert label_of(made) == "wild_bootstrap(draws=999, cluster='date')"
    assert settings_of(made) == {"name": "wild_bootstrap", "draws": 999, "cluster": "date", "seed": None}
    assert label_of(es.test("calendar_time", method="factors")) == "calendar_time(method='factors')"
    assert label_of(es.model("dimson", leads=0)) == "dimson(leads=0)"


def test_a_test_that_was_changed_is_no_longer_the_members():
    own = Test(own_chunk, BMP.finalize)
    for changed in (replace(es.test("bmp"), chunk=own_chunk), replace(BMP, chunk=own_chunk), own):
        assert list(labelled_tests(["patell", changed])) == ["patell", "user_2"]
        assert settings_of(changed) == {"name": "user", "finalize": "eventstudy.inference.bmp.finalize"}


def test_variants_of_one_test_stand_side_by_side():
    made = material(np.random.default_rng(3), kind="overlap")
    chosen = [es.test("wild_bootstrap", draws=99), es.test("wild_bootstrap", draws=99, cluster="date"), "bmp"]
    result = es.Study(tests=chosen, windows=((0, 0),), **SHORT).run(made.events, made.prices)
    names = ["wild_bootstrap(draws=99)", "wild_bootstrap(draws=99, cluster='date')", "bmp"]
    assert result.tests["test"].tolist() == names
    assert result.provenance["tests"] == names
    settings = result.provenance["settings"]["tests"]
    assert settings[names[1]] == {"name": "wild_bootstrap", "draws": 99, "cluster": "date", "seed": None}
    assert settings["bmp"] == {"name": "bmp"}
    assert "plugins" not in result.provenance["settings"]


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        (["bmp", "bmp"], "two tests have the label 'bmp'; give a mapping from labels to tests"),
        ([es.test("placebo", draws=99), es.test("placebo", draws=99)], r"have the label 'placebo\(draws=99\)'"),
        ({"": "bmp"}, "the label '' of a test is not a text"),
        ({1: BMP}, "the label 1 of a test is not a text"),
        ([3], "the test 'user_1' is 3"),
        (3, "tests is 3; give names or tests"),
        ({"own": replace(BMP, shares=("momentz",))}, "the test 'own' gives .*'momentz'.* as shares"),
        ([replace(BMP, survives="all")], "the test 'user_1' gives 'all' as survives"),
        (["bmpp"], "the test is 'bmpp'; valid are"),
    ],
)
def test_tests_that_are_none_are_refused_when_the_study_is_made(tests, says):
    with pytest.raises(InputError, match=says):
        es.Study(tests=tests, **SHORT)


def test_a_model_that_is_none_is_refused_when_the_study_is_made():
    class Wrong:
        columns = ("benchmark",)
        coefficients = ("beta",)

        def fit(self, block: Any) -> Any:
            return None

    with pytest.raises(InputError, match=r"the model 'Wrong' gives .* as columns; .* a tuple of Column"):
        es.Study(model=Wrong(), **SHORT)
    with pytest.raises(InputError, match="two models have the label 'market'"):
        labelled_models(["market", es.model("market")])


def test_a_mapping_takes_names_and_objects():
    chosen = labelled_tests({"one": "bmp", "other": BMP})
    assert list(chosen) == ["one", "other"]
    assert list(labelled_tests(es.test("sign"))) == ["sign"]
    assert list(es.Study(tests="all", **SHORT).tests_for("overlap")) == list(
        _registry.names("inference", plugins=False)
    )


# Plug-ins, by entry points that are put in; tests/docs/test_contributing.py installs a distribution.


class Distribution:
    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.version, self._folder = name, "1.2", folder

    def locate_file(self, path: str) -> Path:
        return self._folder / path


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a function that puts in a plug-in: its folder, name, source, and distribution."""
    monkeypatch.syspath_prepend(str(tmp_path))
    found: dict[str, list[EntryPoint]] = {}
    before = set(sys.modules)
    monkeypatch.setattr(_registry, "entry_points", lambda group: found.get(group, []))
    _registry._plugins.cache_clear()

    def put(folder: str, name: str, source: str, of: str = "theirs", value: str = "") -> None:
        module = f"{of}_{folder}_{name}"
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        point = EntryPoint(name, value or module, f"eventstudy.{folder}")
        vars(point).update(dist=Distribution(tmp_path, of))
        found.setdefault(f"eventstudy.{folder}", []).append(point)

    yield put
    _registry._plugins.cache_clear()
    for module in set(sys.modules) - before:
        if module.startswith(("theirs_", "others_")):
            del sys.modules[module]


MODEL = '"""A model of theirs."""\nfrom eventstudy.models.market import Market\nMODEL = Market()\n'
TEST = '"""A test of theirs."""\nfrom eventstudy.inference.bmp import chunk, finalize\n'
TEST += "from eventstudy.types import Test\nTEST = Test(chunk, finalize)\n"


def test_a_plug_in_is_a_member_like_another(plug_in):
    plug_in("models", "fresh", MODEL)
    plug_in("inference", "fresh_test", TEST)
    assert "fresh" in _registry.names("models")
    assert "fresh" not in _registry.names("models", plugins=False)
    assert es.models()["fresh"] == "A model of theirs."
    assert list(es.tests()) == sorted(es.tests())
    assert "theirs_models_fresh" not in sys.modules, "a list imports nothing"
    assert es.model("fresh").coefficients == ("alpha", "beta")
    assert str(_registry.origin("models", "fresh")) == "theirs 1.2"
    study = es.Study(model="fresh", tests=["bmp", "fresh_test"], **SHORT)
    assert plugins_of([study.return_model, *study.tests_for("overlap").values()]) == {
        "inference.fresh_test": "theirs 1.2"
    }
    assert "fresh_test" not in es.Study(tests="all", **SHORT).tests_for("overlap")


def test_an_entry_point_may_name_the_object(plug_in):
    plug_in("models", "fresh", MODEL.replace("MODEL", "thing"), value="theirs_models_fresh:thing")
    assert es.model("fresh").columns == (Column("benchmark"),)


def test_a_plug_in_that_fails_is_named_and_breaks_no_other(plug_in):
    plug_in("models", "broken", '"""Broken."""\nimport nothing_of_this_name\n')
    plug_in("models", "fresh", MODEL)
    plug_in("models", "unreadable", "def (\n")
    assert es.models()["broken"] == "Broken."
    assert es.models()["unreadable"].startswith("cannot be read: ")
    assert es.model("fresh") == es.model("market")
    for ask in (lambda: es.model("broken"), lambda: es.Study(model="broken")):
        with pytest.raises(
            InputError, match=r"plug-in 'broken' in models, of theirs 1\.2, .*nothing_of_this_name.*uninst"
        ):
            ask()
    assert settings_of(es.model("market"))["name"] == "market"


def test_a_summary_that_is_not_beside_the_metadata_is_imported(plug_in, tmp_path, monkeypatch):
    plug_in("models", "fresh", MODEL)
    plug_in("models", "broken", "1 / 0\n")
    monkeypatch.setattr(Distribution, "locate_file", lambda self, path: tmp_path / "elsewhere" / path)
    assert es.models()["fresh"] == "A model of theirs."
    assert es.models()["broken"] == "cannot be imported: ZeroDivisionError: division by zero."


@pytest.mark.parametrize(
    ("folder", "source", "says"),
    [
        ("models", "MODEL = 3\n", "is 3; MODEL of its module must be an object with fit"),
        ("models", '"""Nothing."""\n', "is None; MODEL"),
        (
            "inference",
            "from eventstudy.types import Test\nTEST = Test\n",
            "TEST of its module must be an object with fin",
        ),
        ("sources", "SOURCE = 3\n", "SOURCE of its module must be an object with read"),
        ("reports", "REPORT = 3\n", "REPORT of its module must be an object with render"),
        ("plots", "PLOT = 3\n", "PLOT of its module must be an object that can be called"),
    ],
)
def test_a_plug_in_that_is_no_member_is_refused(plug_in, folder, source, says):
    plug_in(folder, "fresh", source)
    with pytest.raises(InputError, match=f"the plug-in 'fresh' in {folder}, of theirs 1.2, .*{says}"):
        _registry.load(folder, "fresh")


def test_a_name_that_two_have_is_refused_and_nothing_is_shadowed(plug_in):
    plug_in("models", "market", MODEL)
    plug_in("models", "fresh", MODEL)
    plug_in("models", "fresh", MODEL, of="others")
    for ask in (lambda: es.model("market"), lambda: es.Study(), lambda: _registry.origin("models", "market")):
        with pytest.raises(
            InputError, match=r"'market' in models is a member of eventstudy itself and of theirs 1\.2; unin"
        ):
            ask()
    with pytest.raises(InputError, match=r"'fresh' in models is a member of theirs 1\.2 and of others 1\.2"):
        es.model("fresh")
    assert es.models()["market"].startswith("Market model")
    assert es.model("mean").coefficients
    assert settings_of(es.model("mean"))["name"] == "mean"
    assert label_of(_registry.load("models", "market", plugins=False)) == "market"


def test_the_origin_of_a_member_is_known():
    assert _registry.origin("plots", "caar").distribution == "eventstudy-quant"
    with pytest.raises(InputError, match="the figure is 'caarr'"):
        _registry.origin("plots", "caarr")


def test_a_study_file_has_the_same_variants(tmp_path):
    (tmp_path / "events.csv").write_text("ticker,announced\nA,2020-10-01\n", encoding="utf-8")
    variants = '"wild_bootstrap", { name = "wild_bootstrap", cluster = "date" }'
    text = f'[study]\nevents = "events.csv"\ntests = [{variants}]\n'
    (tmp_path / "study.toml").write_text(text + '[prices]\nsource = "folder"\n', encoding="utf-8")
    study = studyfile.read(tmp_path / "study.toml").study
    assert list(study.tests_for("overlap")) == ["wild_bootstrap", "wild_bootstrap(cluster='date')"]


def test_a_library_test_that_was_changed_is_the_users_own():
    changed = replace(es.test("placebo"), draws=99)
    assert label_of(changed) == "user"
    assert settings_of(changed)["name"] == "user"
    assert label_of(es.test("placebo", draws=99)) == "placebo(draws=99)"


@pytest.mark.parametrize("tests", [iter(["bmp"]), (name for name in ["bmp"]), b"bmp", [], {}])
def test_an_iterator_or_an_empty_collection_is_no_choice_of_tests(tests):
    with pytest.raises(es.InputError, match=r"tests is .*; give names or tests in a list"):
        es.Study(tests=tests)


@pytest.mark.parametrize("name", ["status", "session", "sigma"])
def test_a_coefficient_has_the_name_of_no_other_column_of_a_result(name):
    with pytest.raises(es.InputError, match=f"{name!r} as coefficients"):
        es.Study(model=replace_coefficients(name))


def replace_coefficients(name: str) -> object:
    class Named(type(es.model("market"))):  # type: ignore[misc]
        coefficients = ("alpha", name)

    return Named()
