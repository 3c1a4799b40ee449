"""The programs that open reports: required if CI=true, otherwise tests without them are skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.browser import program


@pytest.fixture(scope="session")
def pdflatex() -> Callable[[Path], str]:
    """Return a function that compiles a document and returns the output of pdflatex, or fails with it."""
    path = program("pdflatex")

    def compile_document(document: Path) -> str:
        command = [path, "-interaction=nonstopmode", "-halt-on-error", document.name]
        done = subprocess.run(command, cwd=document.parent, capture_output=True, check=False, timeout=120)
        printed = done.stdout.decode(errors="replace")
        assert done.returncode == 0, printed[-3000:]
        return printed

    return compile_document
