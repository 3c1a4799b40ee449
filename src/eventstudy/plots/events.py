"""Small multiples: the cumulative abnormal return (or another studied outcome) of each event, on shared axes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eventstudy.display import formats
from eventstudy.plots import _style
from eventstudy.result import Result

MAX_PANELS = 24


def events(result: Result, *, events: Sequence[Hashable] | None = None) -> np.ndarray:
    """Draw one small panel per event, at most 24.

    Parameters
    ----------
    result : Result
    events : sequence of event ids, optional
        The events, in the order of their panels; the first usable ones by default.

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
    title = f"{measure.name[:1].upper()}{measure.name[1:]}"
    chosen = formats.usable_ids(result, events)[:MAX_PANELS]
    if not chosen:
        with _style.drawing(7.2, 2.4) as ax:
            return np.array([_style.blank(ax, title, "no event could be used", result)])
    with _style.context():
        columns = min(4, len(chosen))
        rows = -(-len(chosen) // columns)
        figure = _grid(rows, columns, measure.digits)
        grid = np.asarray(figure.axes)
        for ax in grid[len(chosen) :]:
            ax.remove()
        panels = grid[: len(chosen)]
        paths = result.paths()
        for ax, event_id in zip(panels, chosen, strict=True):
            _panel(ax, event_id, str(result.events.loc[event_id, "ticker"]), paths.loc[event_id])
            _style.value_axis(ax.yaxis, measure)
        for ax in panels[-columns:]:
            ax.tick_params(labelbottom=True)  # also where the last row has no panel below
        _titles(figure, panels[0], f"{title}: {len(chosen)} of {formats.plural(usable, 'event')}", result)
        figure.draw_without_rendering()  # matplotlib makes ticks when it first draws: here, with the style set
    return panels


def _grid(rows: int, columns: int, digits: int) -> Figure:
    """Return a figure with a grid of axes, placed in inches: a layout engine takes seconds for 24 panels."""
    panel_width, panel_height, column_gap, row_gap = max(1.9, 4.9 / columns), 1.1, 0.16, 0.54
    left, right, top, bottom = 0.34 + 0.06 * max(4, digits), 0.12, 0.72, 0.5
    width = left + columns * panel_width + (columns - 1) * column_gap + right
    height = top + rows * panel_height + (rows - 1) * row_gap + bottom
    figure = _style.PngFigure(figsize=(width, height))
    figure.set_layout_engine("none")
    edges = {"left": left / width, "right": 1 - right / width, "bottom": bottom / height, "top": 1 - top / height}
    gaps = {"wspace": column_gap / panel_width, "hspace": row_gap / panel_height}
    figure.subplots(rows, columns, sharex=True, sharey=True, gridspec_kw={**edges, **gaps})
    return figure


def _panel(ax: Axes, event_id: object, ticker: str, path: pd.Series[float]) -> None:
    ax.plot(path.index, path, color=_style.BLUE, linewidth=1.5)
    _style.day_axis(ax)
    ax.locator_params(axis="x", nbins=5)
    ax.locator_params(axis="y", nbins=5)
    ax.tick_params(labelsize=7.5)
    title = ax.set_title(_style.drawable(event_id, 24), fontsize=8, pad=14)
    subtitle = ax.annotate(
        _style.drawable(ticker, 26), (0, 1), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points",
        fontsize=7.5, color=_style.GREY,
    )  # fmt: skip
    _style.verbatim([title, subtitle])


def _titles(figure: Figure, ax: Axes, title: str, result: Result) -> None:
    width, height = figure.get_size_inches()
    heading = figure.suptitle(
        _style.drawable(title, bold=True),
        x=0.08 / width,
        y=1 - 0.08 / height,
        va="top",
        ha="left",
        fontsize=11,
        **_style.BOLD,
    )
    note = ax.annotate(
        _style.prices_note(result), (1 - 0.08 / width, 0.5), xycoords=("figure fraction", heading), ha="right",
        va="center", color=_style.WARN, annotation_clip=False, **_style.BOLD,
    )  # fmt: skip
    label = figure.supxlabel(_style.day_label(result), y=0.08 / height, va="bottom", fontsize=9)
    _style.verbatim([heading, note, label])


def alt(result: Result) -> str:
    """Describe how many events are drawn."""
    usable = len(formats.usable_events(result))
    shown = formats.plural(usable, "event") if usable <= MAX_PANELS else f"{MAX_PANELS} of {usable} events"
    return f"Small line charts of the {result.measure.name} of {shown}, on shared axes"


PLOT = events
