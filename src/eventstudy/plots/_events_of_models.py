"""Single events by model: the range of the CARs of each, those that depend most on the model first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.plots import _style

TITLE = "Single events by model"
LEVEL = 0.05
INCH = 0.185  # an event
MARKS = "osD^vP<>X"  # one less than the colours, so that no two of 90 models look alike
COLOURS = (
    _style.BLUE, "#b3372f", "#2f7d4f", "#8a5a00", "#6b3fa0", "#00706b", "#a0306f", "#4d5a00", "#7a3e1d", "#5b6570",
)  # fmt: skip


def draw(found: Any, *, window: tuple[int, int] | None = None, most: int | None = 40, ax: Axes | None = None) -> Axes:
    """Draw each event's CARs on a line, a mark a model, filled where the model finds it significant at 5 %.

    Parameters
    ----------
    found : Specifications
    window : (int, int), optional
        The first by default.
    most : int or None
        Events shown, those with the widest range; None shows all, and is tall.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Percent; a line is red where the models differ on whether the event is significant.

    Raises
    ------
    InputError
        When ``most`` is no whole number from 1.
    """
    if most is not None and not (isinstance(most, int) and most >= 1):
        raise InputError(f"most is {most!r}; give a whole number from 1, or None for all events")
    every = found.dependence(window)
    rows = every.iloc[:most]
    labels = list(found.models.index)
    columns = 4
    legend = 0.2 * -(-(len(labels)) // columns)
    with _style.drawing(8.4, 1.35 + legend + INCH * max(len(rows), 3), ax) as ax:
        if not len(rows):
            return _style.blank(ax, TITLE, "no event could be estimated", found)
        at = np.arange(len(rows))
        differ = rows["significance_depends"].to_numpy()
        for some, colour in ((~differ, _style.GREY), (differ, _style.RED)):
            ax.hlines(at[some], rows["low"][some], rows["high"][some], color=colour, linewidth=1.3, alpha=0.6, zorder=2)
        _marks(ax, found.table(window).loc[rows.index].drop(columns="event", level=0), found.measure.column)
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.grid(visible=True, axis="both")
        ax.set_yticks(at, [_named(name, row) for name, row in rows.iterrows()], fontsize=7.5)
        ax.tick_params(axis="y", length=0)
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        start, end = found.windows[0] if window is None else window
        _style.value_axis(ax.xaxis, found.measure, f"{found.measure.short} {formats.window(start, end)}")
        its = ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, borderaxespad=4.2, borderpad=0, fontsize=8,
            handletextpad=0.2, columnspacing=1.4,
        )  # fmt: skip
        _style.verbatim(its.get_texts())
        shown = formats.plural(len(every), "event")
        text = shown if len(rows) == len(every) else f"the {len(rows)} widest of {shown}"
        text += "; filled: p < 5 %; red: models differ on that"
        _style.headings(ax, TITLE, text, found)
    return ax


def _marks(ax: Axes, table: pd.DataFrame, value: str) -> None:
    """Draw the CARs of each model; the legend has its form and colour, filled."""
    for k, label in enumerate(table.columns.get_level_values(0).unique()):
        its = table[label]
        used = (its["status"] == "ok").to_numpy() & its[value].notna().to_numpy()
        hit = used & (its["p"] < LEVEL).to_numpy()
        look: dict[str, Any] = {"marker": MARKS[k % len(MARKS)], "s": 21, "linewidth": 0.9, "zorder": 3}
        colour = COLOURS[k % len(COLOURS)]
        name = _style.drawable(label, 24) + ("" if used.any() else " (none)")
        for which, face, layer in ((used & ~hit, "white", 3), (hit, colour, 4)):
            where = np.flatnonzero(which)
            look["zorder"] = layer
            ax.scatter(its[value].to_numpy()[where], where, facecolor=face, edgecolor=colour, **look)
        ax.scatter([], [], facecolor=colour, edgecolor=colour, label=name, **look)


def _named(name: Any, row: pd.Series[Any]) -> str:
    """Name an event, with its ticker where the name does not hold it, and its date."""
    ticker = str(row["ticker"])
    said = str(name) if ticker in str(name) else f"{name} {ticker}"
    return f"{_style.drawable(said, 34)}  {formats.date(row['session'])}"
