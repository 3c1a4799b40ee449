"""The programs that open reports, required if CI=true, and the results that not every report is made of each time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases import params_of
from tests.reports.browser import program

CONTRACT = Path(__file__).with_name("test_contract.py")
EVERY_TIME = {("html", "unusable"), ("docx", "unusable"), ("latex", "nan_statistics")}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most results to the slow tests of the report that a browser prints, and to the full ones of the others.

    Each report has the full result, and each result a report as text.
    """
    for item in items:
        params = params_of(item)
        if item.path == CONTRACT and params["name"] == "pdf":
            item.add_marker("full")  # ``test_pdf.py`` reads one that is printed
        if item.path == CONTRACT and params.get("variant", "full") != "full":
            if params["name"] == "pdf":
                item.add_marker("slow")
            elif params["name"] != "text" and (params["name"], params["variant"]) not in EVERY_TIME:
                item.add_marker("full")


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
