"""The progress bar in a notebook: a widget where ipywidgets are installed, else a text, and never a warning."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.site

STUDY = """
import warnings
import numpy as np, pandas as pd, eventstudy as es
draw = np.random.default_rng(1)
days = pd.bdate_range("2020-01-01", periods=160)
prices = es.Prices.from_frame(pd.DataFrame(100 + draw.normal(0, 1, (160, 2)).cumsum(0), days, ["A", "M"]))
events = es.Events.from_frame(pd.DataFrame({"ticker": "A", "announced": [str(days[100].date()) + "T10:00+00:00"]}))
study = es.Study(benchmark="M", estimation=(-60, -6), event=(-3, 3), windows=((0, 0),), min_estimation=30)
"""
RUN = "warnings.simplefilter('always'); result = study.run(events, prices, progress=True)"


def outputs(cells: list[str], folder: Path) -> list[list[nbformat.NotebookNode]]:
    """Return the outputs of each cell of a notebook."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[list[nbformat.NotebookNode]]:
    """Return what a notebook shows of a study: while it runs, and its objects."""
    return outputs([STUDY, RUN, "display(study, events, prices, result)"], tmp_path_factory.mktemp("notebook"))


@pytest.mark.parametrize("installed", [True, False])
def test_the_bar_is_a_widget_or_a_text_and_warns_in_neither(
    installed: bool, shown: list[list[nbformat.NotebookNode]], tmp_path: Path
) -> None:
    without = "import sys; sys.modules['ipywidgets'] = None"
    found = shown[1] if installed else outputs([without, STUDY, RUN], tmp_path)[-1]
    texts = "".join(output.text for output in found if output.output_type == "stream")
    kinds = {kind for output in found for kind in output.get("data", {})}
    assert ("application/vnd.jupyter.widget-view+json" in kinds) == installed
    assert ("100%" in texts) != installed
    assert "IProgress" not in texts
    assert "Warning" not in texts.replace("EventStudyWarning", "")


def test_objects_show_themselves_as_html(shown: list[list[nbformat.NotebookNode]]) -> None:
    pages = [output.data["text/html"] for output in shown[2] if output.output_type == "display_data"]
    titles = ("Study", "Events", "Prices", "Event study: mean cumulative abnormal return (CAR)")
    assert len(pages) == len(titles)
    assert all(f">{title}</div>" in page for title, page in zip(titles, pages, strict=True))
