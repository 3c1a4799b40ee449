"""The files that CONTRIBUTING shows keep the project's style, pass the tests over their folders, and work as a plug-in.

What is written there for a new member is what a new member is held to, so that whoever follows it is done.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import types
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from eventstudy import _registry
from tests.docs.pages import ROOT, fences
from tests.once import once

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = {fence.file: fence.body for fence in fences(PAGE) if fence.file}
MODULES = {file: body for file, body in FILES.items() if file.endswith(".py")}
CONTRACTS = {
    "models": "tests/contract/test_models.py",
    "inference": "tests/contract/test_inference.py",
    "sources": "tests/sources/test_contract.py",
    "reports": "tests/reports/test_contract.py",
    "plots": "tests/plots/test_contract.py",
    "tables": "tests/tables/test_contract.py",
}
USE = """
import json, sys
import eventstudy as es
from eventstudy import _registry, catalogue

names = {folder: sorted(set(_registry.names(folder)) - set(_registry.names(folder, plugins=False)))
         for folder in _registry.CONTRACTS}
assert not [name for name in sys.modules if name.startswith("eventstudy_example")], "a list imports nothing"
about = es.models()["through_origin"], es.tests()["mikkelson_partch"]
prices = es.fetch_prices(None, None, None, source="wide_csv", path="prices.csv")
events = es.read_events("events.csv")
study = es.Study(model="through_origin", benchmark="M", tests=["mikkelson_partch", "bmp"], min_estimation=100)
result = study.run(events, prices)
result.report("python.rst")
result.table("extremes").to_markdown()
result.plot("histogram").figure.savefig("python.png")
print(json.dumps({
    "names": names, "about": about, "tests": result.tests["test"].unique().tolist(),
    "known": bool(result.tests["statistic"].notna().all()),
    "plugins": result.provenance["settings"]["plugins"], "prices": result.provenance["prices"]["plugin"],
}))
"""
STUDY = """
[study]
events = "events.csv"
model = "through_origin"
benchmark = "M"
tests = ["mikkelson_partch", "bmp"]
min_estimation = 100

[prices]
source = "wide_csv"
path = "prices.csv"
"""


def run(command: list[str], folder: Path, *paths: Path) -> str:
    """Run a Python command in a folder with modules from some paths first, and give what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(target: Path, files: dict[str, str]) -> list[str]:
    for name, body in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(body, encoding="utf-8")
    return [str(target / name) for name in files]


def test_there_is_one_of_each():
    assert sorted(Path(file).parent.name for file in MODULES) == sorted([*_registry.CONTRACTS, "analysis"])
    assert set(FILES) - set(MODULES) == {"pyproject.toml"}


@pytest.mark.thorough
def test_they_keep_the_style_of_the_project(tmp_path):
    files = write(tmp_path, MODULES)
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    settings += ["--config", "lint.isort.known-first-party = ['eventstudy']"]  # as in the library's own folders
    run(["-m", "ruff", "check", *settings, *files], tmp_path)
    run(["-m", "ruff", "format", "--check", *settings[:3], *files], tmp_path)


@pytest.mark.slow
def test_they_have_the_types_of_the_project(tmp_path):
    run(["-m", "mypy", "--strict", *write(tmp_path, MODULES)], ROOT)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Put all members into a copy of the library, and run the tests over their folders for them, and their examples."""
    members = {file: body for file, body in MODULES.items() if not file.startswith("analysis/")}
    named = " or ".join(f"{mark}{Path(file).stem}" for file in members for mark in ("[", "-", "."))  # among parameters
    plain = ["-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist"]

    def test(target: Path) -> None:
        source, left_out = ROOT / "src" / "eventstudy", shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target / "eventstudy", ignore=left_out)
        written = write(target / "eventstudy", members)
        said = run([*plain, *CONTRACTS.values(), *written, "-k", named], ROOT, target)
        (target / "said.txt").write_text(said, encoding="utf-8")

    return (once(tmp_path_factory, "contributing", test) / "said.txt").read_text(encoding="utf-8")


@pytest.mark.full
@pytest.mark.parametrize("folder", CONTRACTS)
def test_they_pass_the_tests_over_their_folder(folder, tested):
    [name] = [Path(file).stem for file in MODULES if file.startswith(f"{folder}/")]
    assert re.search(rf"{re.escape(CONTRACTS[folder])}::\S+[\[-]{name}\S* PASSED", tested)


@pytest.mark.thorough
def test_the_example_of_the_analysis_runs(tmp_path):
    [file] = write(tmp_path, {file: body for file, body in MODULES.items() if file.startswith("analysis/")})
    loader = SourceFileLoader("of_the_page", file)
    module = types.ModuleType(loader.name)
    loader.exec_module(module)
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the plug-in of the page, and install it: a wheel is an archive of what goes into the path."""
    project, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    members = {f"eventstudy_example/{Path(file).name}": body for file, body in MODULES.items()}
    write(project, {"pyproject.toml": FILES["pyproject.toml"], "eventstudy_example/__init__.py": "", **members})
    run(["-m", "hatchling", "build", "-t", "wheel"], project)
    [wheel] = (project / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    return target


@pytest.fixture
def material(tmp_path: Path) -> Path:
    """Give a folder with prices, events and a study file."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    dates = pd.bdate_range("2020-01-01", periods=400, name="date")
    closes = 100 * np.cumprod(1 + 0.02 * rng.standard_normal((400, 9)), axis=0)
    pd.DataFrame(closes, index=dates, columns=[*"ABCDEFGH", "M"]).to_csv(tmp_path / "prices.csv")
    rows = [f"{ticker},{dates[280 + 12 * k].date()}" for k, ticker in enumerate("ABCDEFGH")]
    (tmp_path / "events.csv").write_text("\n".join(["ticker,announced", *rows]), encoding="utf-8")
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


@pytest.mark.thorough
def test_the_plug_in_works_in_python(installed, material):
    found = json.loads(run(["-c", USE], material, installed, ROOT / "src"))
    assert found["names"] == {Path(file).parent.name: [Path(file).stem] for file in MODULES if "analysis" not in file}
    assert found["about"] == [MODULES[file].splitlines()[0].lstrip('r"') for file in list(MODULES)[:2]]
    assert found["tests"] == ["mikkelson_partch", "bmp"]
    assert found["known"]
    whose = "eventstudy-example 1.0"
    assert found["plugins"] == {"models.through_origin": whose, "inference.mikkelson_partch": whose}
    assert found["prices"] == whose
    assert "     - mikkelson partch\n" in (material / "python.rst").read_text(encoding="utf-8")
    assert (material / "python.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.thorough
def test_the_plug_in_works_in_a_study_file(installed, material):
    command = "import sys; from eventstudy.cli import main; sys.exit(main(sys.argv[1:]))"
    said = run(["-c", command, "run", "study.toml", "--report", "out.rst"], material, installed, ROOT / "src")
    assert "mikkelson_partch" in said
    assert "mikkelson partch" in (material / "out.rst").read_text(encoding="utf-8")
