"""What every report must keep, over the folder and over every kind of result."""

from __future__ import annotations

import copy
import dataclasses
import io
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from eventstudy import _registry
from eventstudy.errors import InputError
from eventstudy.result import Result
from tests.reports.browser import program
from tests.reports.fake import NOTE, VARIANTS, fake

SUFFIXES = {"text": ".txt", "csv": ".csv", "html": ".html", "latex": ".tex"}
pytestmark = [pytest.mark.contract("name"), pytest.mark.parametrize("name", _registry.names("reports", plugins=False))]


def content_of(name: str, data: bytes) -> str:
    """Give the text of a file: of the parts of an Office file, and in Parquet and PDF among numbers."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
    return data.decode("utf-8", errors="ignore" if name.endswith((".parquet", ".pdf")) else "strict")


def render(name: str, result: Result, folder: Path) -> dict[str, bytes]:
    """Write a report, and return its files by their names."""
    path = folder / ("report" + SUFFIXES.get(name, f".{name}"))
    assert _registry.load("reports", name).render(result, path) is None
    assert path.exists()
    return {file.name: file.read_bytes() for file in folder.iterdir()}


class Rendered(NamedTuple):
    """The files of a report, with its result and what that was before."""

    files: dict[str, bytes]
    result: Result
    before: dict[str, Any]


@cache
def rendered(name: str, variant: str) -> Rendered:
    """Write a report of a kind of result once for all tests."""
    result = VARIANTS[variant]()
    before = {f.name: copy.deepcopy(getattr(result, f.name)) for f in dataclasses.fields(result)}
    with tempfile.TemporaryDirectory() as folder:
        return Rendered(render(name, result, Path(folder)), result, before)


@pytest.fixture(autouse=True)
def _browser(name: str) -> None:
    """Skip the report that a browser prints where there is none, unless CI=true."""
    if name == "pdf":
        program("chromium")


@pytest.mark.thorough
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_writes_says_what_the_prices_are_and_leaves_the_result_alone(name, variant):
    files, result, before = rendered(name, variant)
    for file, data in files.items():
        content = content_of(file, data)
        assert content.strip()
        assert (NOTE in content) == (variant != "real_prices"), file
    for field, frame in before.items():
        if isinstance(frame, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(result, field), frame)
        else:
            assert getattr(result, field) == frame


@pytest.mark.thorough
def test_the_same_result_gives_the_same_bytes_in_a_folder_that_is_made(name, tmp_path):
    assert render(name, fake(), tmp_path / "one" / "deep") == rendered(name, "full").files


@pytest.mark.thorough
def test_it_knows_its_own_files_and_no_others(name, tmp_path):
    report, suffix = _registry.load("reports", name), SUFFIXES.get(name, f".{name}")
    if not hasattr(report, "wrote"):
        pytest.skip("it replaces any file")
    own = tmp_path / f"report{suffix}"
    own.write_bytes(rendered(name, "full").files[own.name])
    assert report.wrote(own)
    foreign = tmp_path / f"notes{suffix}"
    foreign.write_text("what somebody else wrote\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"notes\{suffix}"):
        fake().report(foreign)
    assert foreign.read_text(encoding="utf-8") == "what somebody else wrote\n"
    with zipfile.ZipFile(foreign, "w") as file:  # an Office file that says nothing of itself
        file.writestr("content.xml", "<document/>")
    assert not report.wrote(foreign)
