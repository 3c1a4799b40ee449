"""The notebooks and examples that the build of the site runs for the fast tests: they stand for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.shared import ROOT

# The second and third notebook are run on real prices by tests of their own.
RUN_NOTEBOOKS = ("04_intraday", "09_single_firm")
RUN_EXAMPLES = ("plot_caar", "plot_events", "plot_single", "plot_trades", "table_caar", "table_sample", "table_summary")
NOTEBOOKS, EXAMPLES = sorted((ROOT / "notebooks").glob("*.py")), sorted((ROOT / "docs" / "gallery").glob("*_*.py"))


def left_out_of_a_quick_site() -> str:
    """Return lines for the end of Sphinx's settings."""
    return f"""
nb_execution_excludepatterns = {[f"{file.stem}.ipynb" for file in NOTEBOOKS if file.stem not in RUN_NOTEBOOKS]}
sphinx_gallery_conf["filename_pattern"] = "/({"|".join(RUN_EXAMPLES)})[.]py"
"""


def _marked(files: list[Path], run: tuple[str, ...]) -> list[Any]:
    return [pytest.param(file, marks=[] if file.stem in run else [pytest.mark.full]) for file in files]


each_notebook = pytest.mark.parametrize("script", _marked(NOTEBOOKS, RUN_NOTEBOOKS), ids=lambda file: file.stem)
each_example = pytest.mark.parametrize("script", _marked(EXAMPLES, RUN_EXAMPLES), ids=lambda file: file.stem)
