"""Give sphinx-gallery the figures of its examples, which are not pyplot's, their order, and pictures of tables."""

from __future__ import annotations

import gc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from eventstudy import demo

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# What a reader looks for first; an example that is not named comes after these.
FIRST = (
    "plot_caar", "plot_aar", "plot_forest", "plot_groups", "plot_heatmap", "plot_distribution", "plot_path",
    "plot_events", "plot_timeline", "plot_diagnostics", "plot_models", "plot_power", "plot_trades", "table_caar",
    "table_regressions", "table_sample", "table_summary",
)  # fmt: skip


def scraper(block: tuple[str, str, int], block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure of the name ``axes`` if a block of an example has set it (an image scraper of sphinx-gallery)."""
    axes = block_vars["example_globals"].pop("axes", None)
    if axes is None:
        return ""
    first = axes if hasattr(axes, "get_figure") else axes.flat[0]
    figure: Figure = first.get_figure(root=True)
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=150)
    return str(figure_rst([path], gallery_conf["src_dir"]))


class Order:
    """The order of the examples (a sorter of sphinx-gallery)."""

    def __init__(self, folder: str) -> None:
        """Take the folder of the examples."""

    def __call__(self, name: str) -> tuple[int, str]:
        """Return the place of an example by the name of its file."""
        stem = Path(name).stem
        return (FIRST.index(stem) if stem in FIRST else len(FIRST), stem)


def draw_tables(app: Sphinx) -> None:
    """Draw the first lines of every table and of the summary, for their thumbnails."""
    result = demo.run().result
    formulas = ["car ~ C(named)", "car ~ C(sector)", "car ~ C(named) + C(sector)"]
    texts = {
        "caar": result.table("caar"),
        "regressions": result.table("regressions", formulas=formulas),
        "sample": result.table("sample"),
        "summary": result.summary(),
    }
    folder = Path(app.srcdir) / "generated" / "thumbnails"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        lines = [line[:62] for line in str(text).splitlines()[:22]]
        figure = Figure(figsize=(4, 2.8), facecolor="white")
        figure.text(0.03, 0.96, "\n".join(lines), va="top", family="monospace", fontsize=7, color="#222222")
        figure.savefig(folder / f"{name}.png", dpi=100)
    gc.freeze()  # sphinx-gallery looks after every example for what can go


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw after ``members`` has deleted the folder, and before sphinx-gallery reads it.

    Every example begins with the demo, which is run once for all of them.
    """
    demo.run = cache(demo.run)
    app.connect("builder-inited", draw_tables, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
