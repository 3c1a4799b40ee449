"""A packed study: what is in it, and that it gives the same zip again where it is unpacked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy import cli
from eventstudy.errors import InputError
from eventstudy.reproduce import replicate as replicating
from eventstudy.reproduce.crate import CRATE
from tests.once import once
from tests.reproduce import studies

ROOT = Path(__file__).parents[2]
ENVIRONMENT = dict(os.environ)  # as it is before the tests' door to the network is closed
pytestmark = [pytest.mark.thorough, pytest.mark.filterwarnings("ignore:1 of 6 tickers could not be read")]


def pack(folder: Path) -> None:
    command = ["replicate", str(studies.write(folder)), "--to", str(folder / "x.zip"), "--with-prices"]
    assert cli.main(command) == 0


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    """Return the zip of a study with one figure, beside its file."""

    def pack_one(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replicating, "figures", lambda: iter(["caar"]))
            pack(folder)

    return once(tmp_path_factory, "packed", pack_one) / "x.zip"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return the zip of a study with all figures, beside its file."""
    return once(tmp_path_factory, "packed_whole", pack) / "x.zip"


def command_of(folder: Path) -> str:
    """Return the command of the README of an unpacked study."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    (line,) = [line.strip() for line in text.splitlines() if "eventstudy replicate" in line]
    return line


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_has_all_that_the_study_needs_and_gave(packed):
    found = contents(packed)
    for name in ("study.toml", "events.csv", "prices/lock.json"):
        assert found[name] == (packed.parent / name).read_bytes()
    prices = {name for name in found if name.startswith("prices/")}
    folder = {f"prices/{file.name}" for file in (packed.parent / "prices").iterdir()}
    assert prices == folder - {"prices/manifest.csv"}  # it repeats the lock, which is packed
    for name in ("report.html", "report.txt", "tables.tex", "tables/study.csv", "figures/caar.pdf", "study.result"):
        assert found[f"results/{name}"]
    assert "eventstudy replicate study.toml --prices prices --to again.zip --with-prices" in found["README.md"].decode()
    assert found["references.bib"].decode().startswith("@article{")
    lines = found["environment/requirements.txt"].decode().splitlines()
    assert {line.partition("==")[0] for line in lines} >= {"numpy", "pandas", "scipy", "matplotlib", "pyarrow"}
    assert lines == sorted(lines)


def test_a_registered_study_is_packed_with_its_register(tmp_path, monkeypatch):
    monkeypatch.setattr(replicating, "figures", lambda: iter(["caar"]))
    study = studies.write(tmp_path).rename(tmp_path / "mine.toml")
    assert cli.main(["register", str(study), "--quiet"]) == 0
    study.write_text(study.read_text().replace("[study]", "[study]\nseed = 5"), encoding="utf-8")
    assert cli.main(["replicate", str(study), "--to", str(tmp_path / "x.zip"), "--quiet"]) == 0
    found = contents(tmp_path / "x.zip")
    assert found["study.register.json"] == (tmp_path / "mine.register.json").read_bytes()
    assert "the design as it was registered" in found["README.md"].decode()
    assert "choice seed: 0 -&gt; 5" in found["results/report.html"].decode()


def test_its_metadata_are_those_of_ro_crate(packed):
    """Requirements of RO-Crate 1.1: the descriptor, the root with its date and licence, an entity for each file."""
    found = contents(packed)
    assert next(iter(found)) == CRATE
    crate = json.loads(found[CRATE])
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    descriptor, root = entities[CRATE], entities["./"]
    assert (descriptor["@type"], descriptor["about"]) == ("CreativeWork", {"@id": "./"})
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    lock = json.loads(found["prices/lock.json"])
    assert root["datePublished"] == max(row["retrieved"] for row in lock["tickers"].values())[:10]
    assert all(root[name] for name in ("name", "description", "license"))
    files = {part["@id"] for part in root["hasPart"]}
    assert files == set(found) - {CRATE}
    for name in files:
        assert entities[name]["@type"] == "File"
        assert entities[name]["contentSize"] == str(len(found[name]))
        assert entities[name]["sha256"] == hashlib.sha256(found[name]).hexdigest()
    action = entities["#run"]
    assert {part["@id"] for part in [*action["object"], *action["result"]]} == files


def test_unpacked_elsewhere_the_command_of_its_readme_gives_the_same_bytes(packed, tmp_path, monkeypatch):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    monkeypatch.setattr(replicating, "figures", lambda: iter(["caar"]))
    monkeypatch.chdir(tmp_path)
    assert cli.main(command_of(tmp_path).split()[1:]) == 0
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


@pytest.mark.full
def test_it_has_every_figure_and_gives_the_same_bytes_in_another_process(whole, tmp_path):
    figures = {f"results/figures/{kind}.pdf" for kind in replicating.figures()}
    assert figures - contents(whole).keys() == {"results/figures/groups.pdf"}  # the study has no groups
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-m", "eventstudy.cli", *command_of(tmp_path).split()[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.zip").read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_in_an_empty_environment_it_gives_the_same_bytes(whole, tmp_path):
    """The libraries of the zip are installed, and this library from its source."""
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(tmp_path / "study")
    uv, python = Path(sys.executable).with_name("uv"), tmp_path / "empty" / "bin" / "python"
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, "empty"], cwd=tmp_path, env=ENVIRONMENT, check=True
    )
    for what in (["-r", "study/environment/requirements.txt"], ["--no-deps", str(ROOT)]):
        command = [uv, "pip", "install", "--quiet", "--python", python, *what]
        subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True)
    environ = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    command = [python, "-m", "eventstudy.cli", *command_of(tmp_path / "study").split()[1:]]
    subprocess.run(command, cwd=tmp_path / "study", env=environ, check=True)
    assert (tmp_path / "study" / "again.zip").read_bytes() == whole.read_bytes()


def test_without_prices_only_their_lock_is_packed(packed, tmp_path, monkeypatch):
    full = contents(packed)
    outputs = {name: content for name, content in full.items() if name.startswith("results/")}
    monkeypatch.setattr(replicating, "_outputs", lambda result: outputs)  # which were made with the prices
    found = contents(es.replicate(packed.parent / "study.toml", tmp_path / "x.zip"))
    assert [name for name in found if name.startswith("prices/")] == ["prices/lock.json"]
    assert {name for name in full if name not in found} == {n for n in full if n.endswith(".csv") and "prices/" in n}
    same = {name for name in found if found[name] == full[name]}
    assert set(found) - same == {CRATE, "README.md"}
    assert "may not be shared" in found["README.md"].decode()


def test_what_cannot_be_packed_is_refused(packed, tmp_path):
    study = packed.parent / "study.toml"
    with pytest.raises(InputError, match=r"ends with \.zip"):
        es.replicate(study, tmp_path / "x.tar")
    (tmp_path / "mine.zip").write_bytes(b"mine")
    with pytest.raises(InputError, match="was not written by"):
        es.replicate(study, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_bytes() == b"mine"
    shutil.copytree(packed.parent, tmp_path / "study" / "inside")
    (tmp_path / "study" / "events.csv").write_text((packed.parent / "events.csv").read_text())
    outside = tmp_path / "study" / "inside" / "study.toml"
    outside.write_text(outside.read_text().replace('"events.csv"', '"../events.csv"'))
    with pytest.raises(InputError, match=r"names '\.\./events\.csv', which is not in its folder"):
        es.replicate(outside, tmp_path / "x.zip")
    (tmp_path / "study" / "inside" / "prices" / "lock.json").unlink()
    with pytest.raises(InputError, match="in no locked folder"):
        es.replicate(outside, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_prices_that_were_changed_are_not_packed(packed, tmp_path):
    shutil.copytree(packed.parent, tmp_path / "study")
    file = next((tmp_path / "study" / "prices").glob("CCC.*.csv"))
    file.write_text(file.read_text().replace("2020-03-02,", "2020-03-02,1"))
    with pytest.raises(InputError, match=r"CCC \(2020-03-02 differs\)"):
        es.replicate(tmp_path / "study" / "study.toml", tmp_path / "x.zip")
