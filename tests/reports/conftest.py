"""The programs that look at a report from outside: required where CI=true, elsewhere only if they are there."""

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
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed; CI needs it")
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="session")
def pdflatex() -> Callable[[Path], str]:
    """Compile a document; give what pdflatex printed, or fail with it."""
    path = program("pdflatex")

    def compiled(document: Path) -> str:
        command = [path, "-interaction=nonstopmode", "-halt-on-error", document.name]
        done = subprocess.run(command, cwd=document.parent, capture_output=True, check=False, timeout=120)
        printed = done.stdout.decode(errors="replace")
        assert done.returncode == 0, printed[-3000:]
        return printed

    return compiled


@pytest.fixture(scope="session")
def dom(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Open a page in Chromium and give its document as it stands after loading."""
    path = program("chromium")

    def dumped(page: Path) -> str:
        profile = tmp_path_factory.mktemp("profile")
        command = [path, *CHROMIUM, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
        return done.stdout.decode()

    return dumped
