"""Small multiples: a grid of small panels on shared axes, with the labels that all share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.plots import _style, _text
from eventstudy.result import Result

LEFT, RIGHT, TOP, BOTTOM, COLUMN_GAP, ROW_GAP = 0.72, 0.12, 0.72, 0.5, 0.16, 0.54  # inches
HIGH, LEAST = 1.1, 0.4  # inches: the height of a panel, and the least that can be read
NARROW = 1.6  # inches: the least width of a panel with its gap


def shape(n: int, most: int, figsize: object, columns: int = 4) -> tuple[int, int, _style.Size]:
    """Return the rows and columns of a grid of at most some panels, and the size of its figure in inches.

    A size of the caller limits the panels to those that can be read.
    """
    n = min(n, most)
    inches = None if figsize is None else _style.size(figsize, _style.SIZE)
    if inches is None:
        columns = min(columns, n)
        rows = -(-n // columns)
        across = LEFT + columns * max(1.9, 4.9 / columns) + (columns - 1) * COLUMN_GAP + RIGHT
        return rows, columns, (across, TOP + rows * HIGH + (rows - 1) * ROW_GAP + BOTTOM)
    columns = min(max(1, int(inches[0] / NARROW)), columns, n)
    fitting = max(1, int((inches[1] - TOP - BOTTOM) / (ROW_GAP + LEAST)))
    return min(-(-n // columns), fitting), columns, inches


def drawn(figure: _style.PngFigure, grid: tuple[int, int], n: int, lines: int) -> np.ndarray:
    """Return the axes of n panels in rows and columns below a title of some lines.

    They are placed in inches: a layout engine takes seconds for 24 panels.
    """
    (rows, columns), (width, height) = grid, figure.get_size_inches()
    figure.set_layout_engine("none")
    top = min(TOP + 0.185 * (lines - 1), height - BOTTOM - 0.3)
    panel_width = max((width - LEFT - RIGHT - (columns - 1) * COLUMN_GAP) / columns, 0.3)
    panel_height = max((height - top - BOTTOM - (rows - 1) * ROW_GAP) / rows, 0.15)
    edges = {"left": LEFT / width, "right": 1 - RIGHT / width, "bottom": BOTTOM / height, "top": 1 - top / height}
    gaps = {"wspace": COLUMN_GAP / panel_width, "hspace": ROW_GAP / panel_height}
    figure.subplots(rows, columns, sharex=True, sharey=True, gridspec_kw={**edges, **gaps})
    axes = np.asarray(figure.axes)
    for ax in axes[n:]:
        ax.remove()
    return axes[:n]


def panel(ax: Axes, path: pd.Series[float], title: object, subtitle: object, colour: str = _style.BLUE) -> None:
    """Draw a path over relative days, with its name above in one line, and what it is in a second."""
    ax.plot(path.index, path, color=colour, linewidth=1.5, zorder=3)
    _style.day_axis(ax)
    ax.locator_params(axis="x", nbins=5)
    ax.locator_params(axis="y", nbins=5)
    ax.tick_params(labelsize=7.5)
    head = ax.set_title(_text.drawable(title, 24), fontsize=8, pad=14)
    below = ax.annotate(
        _text.drawable(subtitle, 26), (0, 1), xytext=(0, 4), fontsize=7.5, color=_style.GREY, **_style.ABOVE
    )
    _style.verbatim([head, below])


def labels(axes: Sequence[Axes] | np.ndarray, columns: int, result: Result, value: str) -> None:
    """Write the labels that all panels share, of the days and of the values, and the ticks of the last in each column.

    The figure is then drawn, because matplotlib makes ticks when it first draws: here, with the style set.
    """
    figure = axes[0].get_figure(root=True)
    assert figure is not None, "axes of a grid belong to a figure"
    for ax in axes:
        _style.signed_axis(ax.yaxis, result.measure.percent)
    for ax in axes[-columns:]:
        ax.tick_params(labelbottom=True)  # also where the last row has no panel below
    width, height = figure.get_size_inches()
    below = figure.supxlabel(_style.day_label(result), y=0.08 / height, va="bottom", fontsize=9)
    unit = f"{value} (%)" if result.measure.percent else value
    middle = (axes[0].get_position().y1 + axes[-1].get_position().y0) / 2
    side = figure.supylabel(_text.drawable(unit), x=0.08 / width, y=middle, ha="left", fontsize=9)
    _style.verbatim([below, side])
    figure.draw_without_rendering()
