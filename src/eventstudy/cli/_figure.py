"""Figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import one_of
from eventstudy.files import clean, replacing, writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure whole; the suffix sets the format."""
    valid = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in valid:
        raise one_of("the suffix of the figure", path.suffix, [f".{name}" for name in valid])
    with writing("the figure", path):
        clean(path.parent)
        with replacing(path) as aside:
            figure.savefig(aside, dpi=150)
