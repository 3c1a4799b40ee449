"""Work that is done once for all processes of a run of tests, such as the build of the site."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from eventstudy.files import locked


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder that ``make`` fills, in the first process that asks for it; the others wait."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with locked(folder):
        if not (folder / "done").exists():
            shutil.rmtree(folder / "made", ignore_errors=True)
            (folder / "made").mkdir()
            make(folder / "made")
            (folder / "done").touch()
    return folder / "made"
