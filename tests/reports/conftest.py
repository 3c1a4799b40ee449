"""The programs that open reports, required if CI=true, and what the fast tests of reports leave out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports.browser import program

CONTRACT = Path(__file__).with_name("test_contract.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most results to the slow tests of the report that a browser prints: the HTML report has them all."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if item.path == CONTRACT and params.get("name") == "pdf" and params.get("variant", "full") != "full":
            item.add_marker("slow")


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
