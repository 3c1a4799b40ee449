"""The same study on the same prices gives the same bytes: on another day, in another folder, under other settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventstudy import _registry
from tests.reproduce import bytes_of_a_study, studies

pytestmark = pytest.mark.slow  # half a minute alone

# A library that is loaded before all others, and shifts the clock of a process by CLOCK_SHIFT seconds.
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char *text = getenv("CLOCK_SHIFT"); return text ? atol(text) : 0; }
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, now);
    if (!code && id == CLOCK_REALTIME) now->tv_sec += shift();
    return code;
}
time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
"""


@pytest.fixture(scope="module")
def clock(tmp_path_factory) -> Path:
    """The library, compiled."""
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("a C compiler on Linux shifts the clock")
    folder: Path = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(CLOCK, encoding="utf-8")
    library = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "clock.c", "-ldl"], check=True)
    return library


def written(study: Path, out: Path, clock: Path, days: int, **environment: str) -> dict[str, bytes]:
    """Return what is written on a day from now."""
    shift = {"LD_PRELOAD": str(clock), "CLOCK_SHIFT": str(days * 86_400)}
    environ = {**os.environ, **shift, **environment}
    environ.pop("SOURCE_DATE_EPOCH", None)
    command = [sys.executable, bytes_of_a_study.__file__, str(study), str(out)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=study.parent)
    assert done.returncode == 0, done.stderr
    asked = datetime.now(UTC).date() + timedelta(days)
    assert abs(datetime.fromisoformat(done.stdout.strip()).date() - asked) <= timedelta(1)
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def test_a_month_and_a_folder_apart_every_report_and_figure_has_the_same_bytes(clock, tmp_path):
    one = studies.write(tmp_path / "one")
    two = tmp_path / "elsewhere" / "deep"
    shutil.copytree(one.parent, two)
    first = written(one, tmp_path / "out 1", clock, 0, PYTHONHASHSEED="1", TZ="UTC")
    second = written(two / "study.toml", tmp_path / "out 2", clock, 31, PYTHONHASHSEED="2", TZ="Asia/Hong_Kong")
    assert {Path(name).stem for name in first} >= {f"report_{name}" for name in _registry.names("reports")}
    assert {"caar.svg", "study.result", "study.zip"} <= set(first)
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    for name, content in first.items():
        assert str(tmp_path).encode() not in content, name
