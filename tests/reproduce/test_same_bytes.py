"""The same study on the same prices gives the same bytes: on another day, in another folder, under other settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventstudy import _registry
from tests.reproduce import bytes_of_a_study, studies

pytestmark = pytest.mark.thorough


def written(study: Path, out: Path, day: str, **environment: str) -> dict[str, bytes]:
    environ = {**os.environ, **environment}
    environ.pop("SOURCE_DATE_EPOCH", None)
    command = [sys.executable, bytes_of_a_study.__file__, str(study), str(out), day]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=study.parent)
    assert done.returncode == 0, done.stderr
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def test_a_month_and_a_folder_apart_every_report_and_figure_has_the_same_bytes(tmp_path):
    one = studies.write(tmp_path / "one")
    two = tmp_path / "elsewhere" / "deep"
    shutil.copytree(one.parent, two)
    first = written(one, tmp_path / "out 1", "2026-01-05", PYTHONHASHSEED="1", TZ="UTC")
    second = written(two / "study.toml", tmp_path / "out 2", "2026-02-05", PYTHONHASHSEED="2", TZ="Asia/Hong_Kong")
    assert {Path(name).stem for name in first} >= {f"report_{name}" for name in _registry.names("reports")}
    assert {"caar.pdf", "caar.png", "caar.svg", "study.result", "study.zip"} <= set(first)
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    for name, content in first.items():
        assert str(tmp_path).encode() not in content, name
