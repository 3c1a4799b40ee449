"""Print the time of the import and the length of the code: ``python benchmarks/measure.py``."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "eventstudy"
IMPORT = "import time; t = time.perf_counter(); import eventstudy; print(time.perf_counter() - t)"


def import_seconds() -> float:
    command = [sys.executable, "-c", IMPORT]
    runs = (subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(5))
    return statistics.median(float(run.stdout) for run in runs)


def lengths() -> Iterator[tuple[str, str, int]]:
    """Yield ("file" or "function", name, number of lines) for the package."""
    for path in sorted(SOURCE.rglob("*.py")):
        name, text = str(path.relative_to(SOURCE)), path.read_text(encoding="utf-8")
        yield "file", name, len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield "function", f"{name}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def rows() -> Iterator[tuple[str, str]]:
    yield "import eventstudy, median of 5", f"{import_seconds():.3f} s"
    for kind in ("file", "function"):
        sizes = [(lines, name) for what, name, lines in lengths() if what == kind]
        longest, name = max(sizes)
        middle = statistics.median(lines for lines, _ in sizes)
        yield f"lines of a {kind} ({len(sizes)}), median and maximum", f"{middle:.0f}, {longest} ({name})"


def main() -> None:
    for what, value in rows():
        print(f"{what:<50}{value}")


if __name__ == "__main__":
    main()
