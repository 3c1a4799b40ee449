"""Single events by model: the range of each event's CARs, widest first."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.plots import _style, _text
from eventstudy.plots._curve_of_models import Specifications, Window

TITLE = "Single events by model"
LEVEL = 0.05
ROW_HEIGHT = 0.185  # inches per event
MARKS = "osD^vP<>X"  # 9 marks and 10 colours: 90 models have different pairs of them
COLOURS = (
    _style.BLUE, "#b3372f", "#2f7d4f", "#8a5a00", "#6b3fa0", "#00706b", "#a0306f", "#4d5a00", "#7a3e1d", "#5b6570",
)  # fmt: skip


def draw(
    specifications: Specifications,
    *,
    window: Window | None = None,
    most: int | None = 40,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the CARs of each event on one line, with one mark per model, filled where its first p is below 5 %.

    Parameters
    ----------
    specifications : Specifications
    window : (int, int), optional
        The first by default.
    most : int or None
        The number of events shown, those with the widest range; None shows all of them, in a tall figure.
    title : str, optional
        In place of "Single events by model".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Percent; a line is red where the models differ on whether the event is significant.

    Raises
    ------
    InputError
        When ``most`` is not a whole number of at least 1.
    """
    most = None if most is None else arguments.whole("most", most, 1)
    events = specifications.dependence(window)
    rows = events.iloc[:most]
    measure, labels = specifications.measure, list(specifications.models.index)
    n_columns = 4
    legend_height = 0.2 * -(-(len(labels)) // n_columns)
    height, name = 1.35 + legend_height + ROW_HEIGHT * max(len(rows), 3), _style.named(title, TITLE)
    with _style.drawing((8.4, height), figsize, ax) as ax:
        if not len(rows):
            return _style.blank(ax, name, "no event could be estimated", specifications)
        y = np.arange(len(rows))
        differ = rows["significance_depends"].to_numpy()
        for part, colour in ((~differ, _style.GREY), (differ, _style.RED)):
            ax.hlines(y[part], rows["low"][part], rows["high"][part], color=colour, linewidth=1.3, alpha=0.6, zorder=2)
        _marks(ax, specifications.table(window).loc[rows.index].drop(columns="event", level=0), measure.column)
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.grid(visible=True, axis="both")
        names = map(_event_label, rows.index, rows["ticker"], rows["session"])
        ax.set_yticks(y, list(names), fontsize=7.5)
        ax.tick_params(axis="y", length=0)
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        start, end = specifications.windows[0] if window is None else window
        _style.value_axis(ax.xaxis, measure, f"{measure.short} {formats.window(start, end)}")
        legend = ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, 0), ncols=n_columns, borderaxespad=4.2, borderpad=0, fontsize=8,
            handletextpad=0.2, columnspacing=1.4,
        )  # fmt: skip
        _style.verbatim(legend.get_texts())
        count = formats.plural(len(events), "event")
        text = count if len(rows) == len(events) else f"the {len(rows)} widest of {count}"
        text += "; filled: p < 5 %; red: models differ on that"
        _style.headings(ax, name, text, specifications)
    return ax


def _marks(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw the CARs of each model; its entry in the legend is a filled mark."""
    for k, label in enumerate(table.columns.get_level_values(0).unique()):
        frame = table[label]
        values = frame[column].to_numpy()
        used = (frame["status"] == "ok").to_numpy() & frame[column].notna().to_numpy()
        significant = used & (frame["p"] < LEVEL).to_numpy()
        marker, colour = MARKS[k % len(MARKS)], COLOURS[k % len(COLOURS)]
        name = _text.drawable(label, 24) + ("" if used.any() else " (none)")
        for part, face, layer in ((used & ~significant, "white", 3), (significant, colour, 4)):
            y = np.flatnonzero(part)
            ax.scatter(values[y], y, marker=marker, s=21, linewidth=0.9, facecolor=face, edgecolor=colour, zorder=layer)
        ax.scatter([], [], marker=marker, s=21, linewidth=0.9, facecolor=colour, edgecolor=colour, label=name, zorder=4)


def _event_label(name: object, ticker: object, session: object) -> str:
    """Return the name of an event, its ticker unless that is part of the name, and its date."""
    label = str(name) if str(ticker) in str(name) else f"{name} {ticker}"
    return f"{_text.drawable(label, 34)}  {formats.date(session)}"
