"""What ``tests.branches`` says of a report of coverage: the shares by folder, and what is left of those held to all."""

from __future__ import annotations

from typing import Any

from tests.branches import left, shares


def file(
    lines: tuple[int, int], branches: tuple[int, int], missing: list[int], jumps: list[list[int]]
) -> dict[str, Any]:
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    return {"summary": dict(zip(names, (*lines, *branches), strict=True)), "missing_lines": missing,
            "missing_branches": jumps}  # fmt: skip


FILES = {
    "src/eventstudy/core/ols.py": file((9, 10), (5, 6), [7], [[6, 7], [8, -2]]),
    "src/eventstudy/core/empty.py": file((0, 0), (0, 0), [], []),
    "src/eventstudy/plots/caar.py": file((3, 4), (0, 0), [2], []),
    "src/eventstudy/tables/_x/deep.py": file((4, 4), (0, 4), [], [[1, 2]]),
    "src/eventstudy/study.py": file((1, 1), (0, 0), [], []),
}


def test_lines_and_branches_are_counted_by_folder():
    assert shares(FILES) == {".": 100.0, "core": 87.5, "plots": 75.0, "tables": 50.0}


def test_what_is_left_of_the_arithmetic_is_named():
    assert left(FILES) == [f"src/eventstudy/core/ols.py:{at}" for at in ("7", "6 -> 7", "8 -> end")]
