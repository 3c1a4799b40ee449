"""An install from a lock takes what it took before, when the index has come to hold something newer."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.install.locks import LOCKS, ROOT, lock

ENVIRONMENT = dict(os.environ)  # as it is before the tests' door to the network is closed
NEWER = "9999"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def wheel(folder: Path, name: str, version: str, *requires: str) -> str:
    """Write a wheel that holds nothing, and give its hash as a lock does."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = "".join(f"Requires-Dist: {entry}\n" for entry in requires)
    file = folder / f"{stem}-py3-none-any.whl"
    with ZipFile(file, "w") as archive:
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
        archive.writestr(f"{stem}.dist-info/METADATA", head + metadata)
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def install(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "install", "--target", str(folder / "target"), "--no-index"]
    command += ["--find-links", str(folder), *options, "--requirement", str(folder / "lock.txt")]
    bare = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("PIP_")}
    return subprocess.run(command, env=bare, capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_the_makefile_installs_without_choosing(tmp_path):
    """The case that broke the first lock under pip's resolver: an extra is required, and there is a newer version."""
    lines = [
        f"cover==1 {wheel(tmp_path, 'cover', '1')}",
        f"runner==1 {wheel(tmp_path, 'runner', '1', 'cover[toml]>=1')}",
    ]
    (tmp_path / "lock.txt").write_text("\n".join(lines), encoding="utf-8")
    [options] = re.findall(r"^LOCKED := \S+ -m pip install (.*) -r$", MAKEFILE, re.MULTILINE)
    wheel(tmp_path, "cover", NEWER)
    made = install(tmp_path, *shlex.split(options))
    assert made.returncode == 0, made.stderr
    assert {d.name: d.version for d in distributions(path=[str(tmp_path / "target")])} == {"cover": "1", "runner": "1"}


@pytest.mark.slow
def test_a_fresh_clone_installs_when_everything_has_a_newer_version(tmp_path):
    """`make demo`, and what `make test` installs, beside a newer and useless version of every pin."""
    newer = tmp_path / "newer"
    newer.mkdir()
    pins = {pin.name for name in LOCKS for pin in lock(name)}
    for name in pins:
        wheel(newer, name, NEWER)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    links = f"{ENVIRONMENT.get('PIP_FIND_LINKS', '')} {newer.as_uri()}".strip()
    for target in ("demo", ".venv/ready"):
        made = subprocess.run(
            ["make", target], cwd=clone, env=ENVIRONMENT | {"PIP_FIND_LINKS": links}, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
    assert (clone / "demo" / "report.html").is_file()
    [packages] = (clone / ".venv").rglob("site-packages")
    installed = {d.name: d.version for d in distributions(path=[str(packages)])}
    assert len(installed) > 100
    assert NEWER not in installed.values()
