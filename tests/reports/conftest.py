"""The programs that open reports: required if CI=true, otherwise tests without them are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--allow-file-access-from-files", "--virtual-time-budget=5000",
]  # fmt: skip


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed; CI needs it")
        pytest.skip(f"{name} is not installed")
    return path


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


@pytest.fixture(scope="session")
def dom(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Return a function that opens a page in Chromium and returns its document after loading."""
    path = program("chromium")

    def dump(page: Path) -> str:
        profile = tmp_path_factory.mktemp("profile")
        command = [path, *CHROMIUM, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
        return done.stdout.decode()

    return dump
