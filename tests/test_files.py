"""Files are replaced whole or not at all, by their owner alone, and errors name the place and what to do."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventstudy import cli, files
from eventstudy.errors import InputError, OutputError
from tests.reports.fake import fake

# A report of one file, and one of several; the others take longer.
SUFFIXES = [
    ".txt",
    ".csv",
    pytest.param(".parquet", marks=pytest.mark.thorough),
    *(pytest.param(n, marks=[pytest.mark.thorough, pytest.mark.full]) for n in (".html", ".tex")),
]
RESULT = fake()


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Let no file grow beyond 300 bytes, once called; this stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_earlier_report(suffix, tmp_path, full_disk):
    path = tmp_path / f"r{suffix}"
    RESULT.report(path)
    before = content(tmp_path)
    full_disk()
    with pytest.raises(OutputError, match=rf"report cannot be written to .*r{suffix}: .*File too large; free space"):
        fake(seed=8).report(path)
    assert content(tmp_path) == before


@pytest.mark.thorough
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_report_replaces_one_of_its_kind_and_nothing_else(suffix, tmp_path):
    path = tmp_path / f"r{suffix}"
    RESULT.report(path)
    names = set(content(tmp_path))
    other = fake(seed=8, note="")
    other.report(path)
    other.report(tmp_path / "new" / f"r{suffix}")
    for name, data in content(tmp_path / "new").items():
        assert (tmp_path / name).read_bytes() == data
    assert set(content(tmp_path / "new")) == names
    for name in sorted(names):
        mine = tmp_path / "mine" / name
        mine.parent.mkdir(exist_ok=True)
        for text in ("event_id,ticker,announced\nA,BABA,2021-09-13\n", "Chapter 1\n", "{}"):
            mine.write_text(text)
            with pytest.raises(InputError, match=rf"{name} exists and was not written by an earlier report"):
                RESULT.report(mine.with_name(f"r{suffix}"))
            assert content(mine.parent) == {name: text.encode()}
        mine.write_bytes(b"")  # an empty file holds nothing to lose
        assert RESULT.report(mine.with_name(f"r{suffix}")).stat().st_size > 100
        for file in mine.parent.iterdir():
            file.unlink()


@pytest.mark.parametrize("path", [None, 3, b"r.csv", "", ["r.csv"]])
def test_what_is_no_path_is_said_to_be_none(path):
    with pytest.raises(InputError, match=r"the path of the report is .*; give a path"):
        RESULT.report(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_path_that_cannot_be_is_named(suffix, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / f"folder{suffix}").mkdir()
    for place in (f"/proc/r{suffix}", tmp_path / "file" / f"r{suffix}", tmp_path / f"{'x' * 300}{suffix}"):
        with pytest.raises(OutputError, match=f"the report cannot be written to .*{suffix}: .*name another place"):
            RESULT.report(place)
    with pytest.raises(InputError, match="is not a file; name another path"):
        RESULT.report(tmp_path / f"folder{suffix}")
    with pytest.raises(InputError, match="a path without a NUL"):
        RESULT.report(f"a\0{suffix}")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", f"folder{suffix}"]


@pytest.mark.thorough
def test_a_link_is_replaced_and_its_file_stays(tmp_path):
    RESULT.report(tmp_path / "real.txt")
    before = (tmp_path / "real.txt").read_bytes()
    (tmp_path / "link.txt").symlink_to("real.txt")
    fake(note="").report(tmp_path / "link.txt")
    assert not (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == before != (tmp_path / "link.txt").read_bytes()


def test_an_error_while_rendering_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "r.csv"
    RESULT.report(path)
    before = content(tmp_path)
    with pytest.raises(ZeroDivisionError), files.replacing(path) as aside:  # noqa: PT012
        aside.write_text("half")
        _ = 1 / 0
    assert content(tmp_path) == before
    moves = []
    replace = os.replace

    def fail_at_the_third(source, target):
        moves.append(target)
        if len(moves) == 3:
            raise PermissionError(1, "Operation not permitted")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_at_the_third)
    with pytest.raises(OutputError, match="Operation not permitted"):
        fake(seed=8).report(path)
    assert content(tmp_path) == before


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = {
        f".eventstudy-{files.HOST}-{gone.pid}-0.part": False,
        f".eventstudy-{files.HOST}-{os.getpid()}-0.part": False,  # of an earlier process of this number
        f".eventstudy-{files.HOST}-{os.getppid()}-0.part": True,
        f".eventstudy-ffffffff-{gone.pid}-0.part": True,  # of another machine
        ".eventstudy-ffffffff-1-0.part": False,  # and more than a week old
        ".eventstudy-x.part": True,
    }
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("x")
    os.utime(tmp_path / ".eventstudy-ffffffff-1-0.part", (0, 0))
    with files.part(tmp_path) as mine:
        RESULT.report(tmp_path / "r.txt")
        assert mine.is_dir()
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_a_report_that_a_kill_took_away_comes_back(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    RESULT.report(tmp_path / "x.csv")
    before = content(tmp_path)
    left = tmp_path / f".eventstudy-{files.HOST}-{gone.pid}-0.part" / "before"
    left.mkdir(parents=True)
    for name in ("x.csv", "x_tests.csv"):  # taken away; then a new file was put in place, and the writer was killed
        os.replace(tmp_path / name, left / name)
    (tmp_path / "x_tests.csv").write_text("new")
    RESULT.report(tmp_path / "y.txt")
    (tmp_path / "y.txt").unlink()
    assert content(tmp_path) == before


@pytest.mark.thorough
def test_the_demo_does_not_replace_files_of_others(tmp_path, capsys):
    (tmp_path / "report.txt").write_text("my own report")
    assert cli.main(["demo", "--out", str(tmp_path)]) == 2
    assert "was not written by an earlier report" in capsys.readouterr().err
    assert content(tmp_path) == {"report.txt": b"my own report"}
