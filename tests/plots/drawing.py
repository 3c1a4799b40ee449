"""Functions that draw figures and read what they show, without matplotlib's union types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from eventstudy.result import Result


def in_groups(result: Result, names: Sequence[str] = ("$one_", "two", "反垄断")) -> Result:
    """Return a result whose groups have the path of all events, the second twice as high."""
    days = result.daily.rename_axis("day").reset_index()
    values = ["caar", "lower", "upper"]
    parts = [days.assign(group=name, **{v: (1 + at % 2) * days[v] for v in values}) for at, name in enumerate(names)]
    return replace(result, by_group=pd.concat(parts, ignore_index=True)[["group", *days.columns]])


def draw(result: Result, kind: str, **options: Any) -> Any:
    """Draw a figure; that of groups of a result without any is drawn of three."""
    return (in_groups(result) if kind == "groups" and result.by_group.empty else result).plot(kind, **options)


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
