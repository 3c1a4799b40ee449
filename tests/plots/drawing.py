"""Functions that draw figures and read what they show, without matplotlib's union types."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from eventstudy.result import Result


def draw(result: Result, kind: str, **options: Any) -> Any:
    return result.plot(kind, **options)


def collections(ax: Any, kind: type) -> list[Any]:
    return [c for c in ax.collections if isinstance(c, kind)]


def drawn_texts(figure):
    """Give the texts that a renderer really draws, and their boxes in pixels."""
    seen = []
    original = Text.draw

    def draw(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            seen.append(self)
        return original(self, renderer, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", draw)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return [(text, text.get_window_extent(canvas.get_renderer())) for text in dict.fromkeys(seen)]
