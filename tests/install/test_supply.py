"""What is published: the same bytes wherever it is built, with a bill of its parts, and an audit that was answered."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.install import audit, sbom
from tests.install.locks import LOCKS, PROJECT, ROOT, lock, own_needs

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "__pycache__", "dist", "demo", "_build", "generated", ".*_cache", ".hypothesis", "*.egg-info"
)

# --- wheel and sdist ------------------------------------------------------------------------------------------------


def built(folder: Path, umask: int, time: int, mode: int) -> Path:
    """Build wheel and sdist in a copy of the project, whose files have another time and mode; no network is used."""
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(mode)
            os.utime(file, (time, time))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "HOME": str(folder), "LC_ALL": "C"}
    command = [sys.executable, "-m", "hatchling", "build"]
    made = subprocess.run(
        command, cwd=folder, env=environment, umask=umask, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return folder / "dist"


def contents(dist: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in dist.iterdir()}


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither umask nor modes")
@pytest.mark.thorough
def test_wheel_and_sdist_are_the_same_bytes_wherever_and_whenever_they_are_built(tmp_path: Path) -> None:
    first, second, third = tmp_path / "a", tmp_path / "other" / "place", tmp_path / "from_sdist"
    for folder in (first, second):
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    one = contents(built(first, 0o022, 1_000_000_000, 0o644))
    assert {Path(name).suffix for name in one} == {".whl", ".gz"}
    assert contents(built(second, 0o077, 1_700_000_001, 0o600)) == one
    [sdist] = [file for file in (first / "dist").iterdir() if file.suffix == ".gz"]
    with tarfile.open(sdist) as archive:
        archive.extractall(third, filter="data")
        assert {member.mtime for member in archive.getmembers()} == {1_700_000_000}
        names = {member.name.split("/", 1)[1] for member in archive.getmembers()}
    assert {"pyproject.toml", "SECURITY.md", "src/eventstudy/__init__.py", "LICENSE"} <= names
    assert not [name for name in names if re.search(r"__pycache__|\.venv|\.git/|\.pem$|\.env$", name)]
    [home] = third.iterdir()
    again = contents(built(home, 0o002, 1_650_000_000, 0o664))
    [wheel] = [name for name in one if name.endswith(".whl")]
    assert again[wheel] == one[wheel]
    with zipfile.ZipFile(first / "dist" / wheel) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {
            "eventstudy", f"eventstudy_quant-{PROJECT['project']['version']}.dist-info"
        }  # fmt: skip


def test_what_is_published_is_dated_by_its_commit_and_built_of_what_is_locked() -> None:
    recipe = MAKEFILE.split("\ndist:")[1].split("\n\n")[0]
    assert "SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct)" in recipe
    assert "-m hatchling build" in recipe
    assert {"hatchling", "editables"} <= {pin.name for pin in lock("requirements.txt")}


# --- the bill of materials ------------------------------------------------------------------------------------------


def test_the_bill_has_every_pin_of_the_runtime_lock_and_nothing_else() -> None:
    made = json.loads(sbom.bill())
    pins = lock("requirements.txt")
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert sorted((part["name"], part["version"]) for part in made["components"]) == sorted(
        (pin.name, pin.version) for pin in pins
    )
    for part in made["components"]:
        assert part["purl"] == part["bom-ref"] == f"pkg:pypi/{part['name']}@{part['version']}"
    files = [p["value"] for part in made["components"] for p in part["properties"] if p["name"] == "lock:file"]
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert sorted(files) == sorted(re.findall(r"sha256:[0-9a-f]{64}", text))
    assert made["metadata"]["component"]["version"] == PROJECT["project"]["version"]


def test_the_bill_says_who_needs_whom() -> None:
    made = json.loads(sbom.bill())
    refs = [entry["ref"] for entry in made["dependencies"]]
    own = made["metadata"]["component"]["bom-ref"]
    assert sorted(refs) == sorted({own, *(part["bom-ref"] for part in made["components"])})
    by_ref = {entry["ref"]: entry["dependsOn"] for entry in made["dependencies"]}
    direct = {re.match(r"[\w.-]+", entry)[0] for entry in own_needs().requires if "extra ==" not in entry}
    assert {ref.split("/")[1].split("@")[0] for ref in by_ref[own]} == set(map(canonicalize_name, direct))
    [pandas] = [ref for ref in refs if ref.startswith("pkg:pypi/pandas@")]
    assert any(ref.startswith("pkg:pypi/python-dateutil@") for ref in by_ref[pandas])
    backend = {canonicalize_name(re.split(r"[><=]", entry)[0]) for entry in PROJECT["dependency-groups"]["build"]}
    reached, todo = set[str](), [own, *(ref for ref in refs if ref.split("/")[1].split("@")[0] in backend)]
    while todo:
        reached.add(ref := todo.pop())
        todo += [name for name in by_ref[ref] if name not in reached]
    assert set(refs) == reached


def test_the_bill_is_the_same_bytes_and_names_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sbom.bill()
    assert sbom.bill() == text
    assert "://" not in text
    assert not re.search(r"\d{4}-\d\d-\d\dT", text)
    serial = json.loads(text)["serialNumber"].removeprefix("urn:uuid:")
    assert uuid.UUID(serial).version == 5
    monkeypatch.setattr(sbom, "lock", lambda name: lock(name)[1:])
    assert json.loads(sbom.bill())["serialNumber"] != f"urn:uuid:{serial}"


# --- the audit ------------------------------------------------------------------------------------------------------


class Service:
    """Answers in place of the auditing program: with advisories on some pins, or on none, or with no answer at all."""

    def __init__(self, known: dict[str, str] | None, silent_on: str = "") -> None:
        self.known, self.silent_on = known, silent_on
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        assert audit.PROGRAM in command
        pins = Path(command[command.index("--requirement") + 1]).read_text(encoding="utf-8").split()
        self.asked.append(pins)
        if self.known is None:
            return subprocess.CompletedProcess(command, 1, "", "Traceback ...\nConnectionError: no such host\n")
        rows: list[dict[str, object]] = []
        for name, version in (pin.split("==") for pin in pins):
            found = [{"id": self.known[name]}] if name in self.known else []
            skipped = name == self.silent_on
            rows.append(
                {"name": name, "skip_reason": "?"} if skipped else {"name": name, "version": version, "vulns": found}
            )
        Path(command[command.index("--output") + 1]).write_text(json.dumps({"dependencies": rows}), encoding="utf-8")
        return subprocess.CompletedProcess(command, int(bool(self.known)), "", "")


def test_an_audit_asks_for_every_pin_of_both_locks(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service({})
    assert audit.main(run=service) == 0
    pins = {str(pin) for name in LOCKS for pin in lock(name)}
    asked = [pin for turn in service.asked for pin in turn]
    assert sorted(asked) == sorted(pins)
    for turn in service.asked:
        assert len({pin.split("==")[0] for pin in turn}) == len(turn)
    assert f"{len(pins)} pins" in capsys.readouterr().out


def test_an_audit_that_finds_something_fails_and_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(run=Service({"jinja2": "ADVISORY-1"})) == 1
    assert re.search(r"^jinja2==\S+: ADVISORY-1$", capsys.readouterr().err, re.MULTILINE)


@pytest.mark.parametrize("service", [Service(None), Service({}, silent_on="numpy")], ids=["no answer", "none on one"])
def test_an_audit_without_an_answer_fails_and_says_so(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(run=service) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("not audited: the advisory service gave no answer")
    assert "audited, 0" not in shown.out


def test_make_runs_what_is_tested_here() -> None:
    for target, module in {"audit": "audit", "sbom": "sbom"}.items():
        recipe = MAKEFILE.split(f"\n{target}:")[1].split("\n\n")[0]
        assert f"-m tests.install.{module}" in recipe
        assert "|| true" not in recipe
