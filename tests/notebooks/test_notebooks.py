"""Every notebook runs from its first cell to its last, offline, in a kernel of its own: as the site's pages do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jupytext
import matplotlib.pyplot as plt
import pytest

from tests.site import NOTEBOOKS, each_notebook

pytestmark = pytest.mark.site


def run(notebook: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook under pytest's nbmake, apart from this suite's own configuration, and keep what it shows."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "-p", "no:cacheprovider", "-q"]
    command += ["--nbmake", "--nbmake-kernel=python3", "--nbmake-timeout=300", "--overwrite", notebook.name]
    home = {"HOME": str(folder), "IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    return subprocess.run(command, cwd=folder, env=os.environ | home, capture_output=True, text=True, check=False)


def converted(source: Path, folder: Path) -> Path:
    target = folder / f"{source.stem}.ipynb"
    command = [sys.executable, "-m", "jupytext", "--quiet", "--to", "ipynb", "--output", str(target), str(source)]
    subprocess.run(command, check=True)
    return target


def test_there_are_notebooks():
    assert [file.name[:2] for file in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06", "07", "08", "09"]


@pytest.fixture(scope="module")
def executed(built: Path) -> dict[str, Any]:
    """Return the cells of code of each notebook by the text of the first, as the build of the site has run them."""
    found = [json.loads(file.read_text(encoding="utf-8"))["cells"] for file in (built / "cache").rglob("*.ipynb")]
    by_notebook = [[cell for cell in cells if cell["cell_type"] == "code"] for cells in found]
    return {"".join(cells[0]["source"]): cells for cells in by_notebook}


@each_notebook
def test_notebook_runs(script, executed):
    written = [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]
    cells = executed[written[0]]
    assert ["".join(cell["source"]) for cell in cells] == written
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for output in cell["outputs"] for kind in output.get("data", {})]
    assert kinds.count("image/png") >= 1
    shown = [output["text"] for cell in cells for output in cell["outputs"] if output.get("name") == "stderr"]
    assert shown == []


@pytest.mark.parametrize(
    "source", [*NOTEBOOKS[1:3], pytest.param(NOTEBOOKS[7], marks=pytest.mark.full)], ids=lambda file: file.stem
)
def test_notebook_runs_on_real_prices(source, tmp_path, monkeypatch, shared):
    """In this process: that cells run in a kernel of their own is known from the pages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENTSTUDY_PRICES", str(shared / "data" / "prices"))
    names: dict[str, Any] = {}
    for cell in jupytext.read(source).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, source.name, "exec"), names)
    shown = names["result"]._repr_html_()
    plt.close("all")
    assert "simulated" not in shown.lower()


@pytest.mark.full
def test_a_notebook_that_fails_is_found(tmp_path):
    source = tmp_path / "fails.py"
    source.write_text("# %%\nassert 1 == 2\n", encoding="utf-8")
    made = run(converted(source, tmp_path), tmp_path)
    assert made.returncode == 1
    assert "1 failed" in made.stdout
