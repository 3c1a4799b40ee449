"""Nothing that is half-written is read as whole: writers are killed, and pairs of them write at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def found(what: str, seed: int, n: int) -> dict[str, dict[str, int]]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.killing", what, str(seed), str(n)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    counts: dict[str, dict[str, int]] = json.loads(done.stdout)
    return counts


@pytest.mark.thorough
@pytest.mark.parametrize("n", [24, pytest.param(36, marks=pytest.mark.full), pytest.param(504, marks=pytest.mark.slow)])
def test_after_a_kill_there_is_one_version_whole_or_none(n):
    by_kind = found("kills", n, n)
    sys.stdout.write(f"{by_kind}\n")
    assert len(by_kind) == 6
    for kind, counts in by_kind.items():
        assert counts.get("whole", 0) + counts.get("refused", 0) == n // 6, kind
        assert counts.get("refused", 0) <= (n // 20 if kind in ("csv", "parquet") else 0), kind
        assert counts["left by the next"] == 0, kind
    assert sum(counts["left by the killed"] for counts in by_kind.values()) > n // 4  # most were killed at work


@pytest.mark.thorough
@pytest.mark.parametrize("n", [5, pytest.param(10, marks=pytest.mark.full), pytest.param(100, marks=pytest.mark.slow)])
def test_two_writers_leave_the_version_of_one(n):
    by_kind = found("races", n, n)
    sys.stdout.write(f"{by_kind}\n")
    assert len(by_kind) == 5
    for kind, counts in by_kind.items():
        assert counts.get("whole", 0) == n // 5, kind
        assert counts["left by the next"] == 0, kind
