"""Give sphinx-gallery the figures of its examples: the library's figures are not pyplot's, which it looks for."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


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
