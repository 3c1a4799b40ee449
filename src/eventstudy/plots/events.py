"""Small multiples: the cumulative abnormal return (or another studied outcome) of each event, on shared axes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eventstudy.display import formats
from eventstudy.plots import _style, _text
from eventstudy.result import Result

MAX_PANELS = 24
LEFT, RIGHT, TOP, BOTTOM, COLUMN_GAP, ROW_GAP = 0.72, 0.12, 0.72, 0.5, 0.16, 0.54  # inches


def events(
    result: Result,
    *,
    events: Sequence[Hashable] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw one small panel per event, at most 24.

    Parameters
    ----------
    result : Result
    events : sequence of event ids, optional
        The events, in the order of their panels; the first usable ones by default.
    title : str, optional
        In place of the name of the measure; the number of events follows.
    figsize : (float, float), optional
        Width and height of a new figure in inches.

    Returns
    -------
    array of Axes (panels,)
        Over relative days, in per cent where returns are studied, with shared axes; the title has the number of events
        shown, as in "24 of 61 events".

    Raises
    ------
    InputError
        When an event is unknown or was not used; the message says which.
    """
    usable, measure = len(formats.usable_events(result)), result.measure
    name = _style.named(title, f"{measure.name[:1].upper()}{measure.name[1:]}")
    chosen = formats.usable_ids(result, events)[:MAX_PANELS]
    if not chosen:
        with _style.drawing((7.2, 2.4), figsize) as ax:
            return np.array([_style.blank(ax, name, "no event could be used", result)])
    with _style.context():
        inches = None if figsize is None else _style.size(figsize, _style.SIZE)
        columns = min(4 if inches is None else max(1, int(inches[0] / 1.6)), 4, len(chosen))
        if inches is not None:  # no more rows than can be read
            chosen = chosen[: columns * max(1, int((inches[1] - TOP - BOTTOM) / (ROW_GAP + 0.4)))]
        rows = -(-len(chosen) // columns)
        figure = _style.PngFigure(figsize=inches or _own_size(rows, columns))
        figure.set_layout_engine("none")
        heading = f"{name}: {len(chosen)} of {formats.plural(usable, 'event')}"
        _grid(figure, rows, columns, _style.heading(figure, heading, result))
        grid = np.asarray(figure.axes)
        for ax in grid[len(chosen) :]:
            ax.remove()
        panels = grid[: len(chosen)]
        paths = result.paths()
        for ax, event_id in zip(panels, chosen, strict=True):
            _panel(ax, event_id, str(result.events.loc[event_id, "ticker"]), paths.loc[event_id])
            _style.signed_axis(ax.yaxis, measure.percent)
        for ax in panels[-columns:]:
            ax.tick_params(labelbottom=True)  # also where the last row has no panel below
        _labels(figure, result)
        figure.draw_without_rendering()  # matplotlib makes ticks when it first draws: here, with the style set
    return panels


def _own_size(rows: int, columns: int) -> _style.Size:
    """Return the size of a figure whose panels are 1.1 inches high."""
    across = LEFT + columns * max(1.9, 4.9 / columns) + (columns - 1) * COLUMN_GAP + RIGHT
    return across, TOP + rows * 1.1 + (rows - 1) * ROW_GAP + BOTTOM


def _grid(figure: Figure, rows: int, columns: int, lines: int) -> None:
    """Place axes in a grid below a title of some lines, in inches: a layout engine takes seconds for 24 panels."""
    width, height = figure.get_size_inches()
    top = min(TOP + 0.185 * (lines - 1), height - BOTTOM - 0.3)
    panel_width = max((width - LEFT - RIGHT - (columns - 1) * COLUMN_GAP) / columns, 0.3)
    panel_height = max((height - top - BOTTOM - (rows - 1) * ROW_GAP) / rows, 0.15)
    edges = {"left": LEFT / width, "right": 1 - RIGHT / width, "bottom": BOTTOM / height, "top": 1 - top / height}
    gaps = {"wspace": COLUMN_GAP / panel_width, "hspace": ROW_GAP / panel_height}
    figure.subplots(rows, columns, sharex=True, sharey=True, gridspec_kw={**edges, **gaps})


def _panel(ax: Axes, event_id: object, ticker: str, path: pd.Series[float]) -> None:
    ax.plot(path.index, path, color=_style.BLUE, linewidth=1.5)
    _style.day_axis(ax)
    ax.locator_params(axis="x", nbins=5)
    ax.locator_params(axis="y", nbins=5)
    ax.tick_params(labelsize=7.5)
    title = ax.set_title(_text.drawable(event_id, 24), fontsize=8, pad=14)
    subtitle = ax.annotate(
        _text.drawable(ticker, 26), (0, 1), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points",
        fontsize=7.5, color=_style.GREY,
    )  # fmt: skip
    _style.verbatim([title, subtitle])


def _labels(figure: Figure, result: Result) -> None:
    """Write the labels that all panels share."""
    width, height = figure.get_size_inches()
    below = figure.supxlabel(_style.day_label(result), y=0.08 / height, va="bottom", fontsize=9)
    unit = f"{result.measure.short} (%)" if result.measure.percent else result.measure.short
    side = figure.supylabel(_text.drawable(unit), x=0.08 / width, ha="left", fontsize=9)
    _style.verbatim([below, side])


def alt(result: Result) -> str:
    """Describe how many events are drawn."""
    usable = len(formats.usable_events(result))
    shown = formats.plural(usable, "event") if usable <= MAX_PANELS else f"{MAX_PANELS} of {usable} events"
    return f"Small line charts of the {result.measure.name} of {shown}, on shared axes"


PLOT = events
