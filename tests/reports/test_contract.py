"""What every report must keep, over the folder and over every kind of result."""

from __future__ import annotations

import copy
import dataclasses
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from eventstudy import _registry
from tests.reports.browser import program
from tests.reports.fake import NOTE, VARIANTS, fake

SUFFIXES = {"text": ".txt", "csv": ".csv", "html": ".html", "latex": ".tex"}
pytestmark = [pytest.mark.contract("name"), pytest.mark.parametrize("name", _registry.names("reports", plugins=False))]


def content_of(file: Path) -> str:
    """Give the text of a file: of the parts of an Office file, and in Parquet and PDF among numbers."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            return "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
    return file.read_text(encoding="utf-8", errors="ignore" if file.suffix in (".parquet", ".pdf") else "strict")


@pytest.fixture(autouse=True)
def _browser(name: str) -> None:
    """Skip the report that a browser prints where there is none, unless CI=true."""
    if name == "pdf":
        program("chromium")


@pytest.mark.thorough
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_writes_says_what_the_prices_are_and_leaves_the_result_alone(name, variant, tmp_path):
    result = VARIANTS[variant]()
    before = {f.name: copy.deepcopy(getattr(result, f.name)) for f in dataclasses.fields(result)}
    path = tmp_path / ("report" + SUFFIXES.get(name, f".{name}"))
    assert _registry.load("reports", name).render(result, path) is None
    assert path.exists()
    for written in tmp_path.iterdir():
        content = content_of(written)
        assert content.strip()
        assert (NOTE in content) == (variant != "real_prices"), written.name
    for field, frame in before.items():
        if isinstance(frame, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(result, field), frame)
        else:
            assert getattr(result, field) == frame


@pytest.mark.thorough
def test_the_same_result_gives_the_same_bytes_in_a_folder_that_is_made(name, tmp_path):
    made = []
    for folder in ("one", "two"):
        path = tmp_path / folder / "deep" / ("report" + SUFFIXES.get(name, f".{name}"))
        _registry.load("reports", name).render(fake(), path)
        made.append({file.name: file.read_bytes() for file in path.parent.iterdir()})
    assert made[0] == made[1]
