"""Events whose time allows several sessions: the value on each of them, the widest range first."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.analysis.dates import LEVEL, Dates
from eventstudy.display import formats
from eventstudy.plots import _style, _text

TITLE = "Possible sessions of the announcements"
ROW_HEIGHT = 0.2  # inches per event


def draw(
    dates: Dates,
    *,
    most: int | None = 40,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the value of each event on each session that its time allows.

    Parameters
    ----------
    dates : Dates
    most : int or None
        The number of events shown, those with the widest range; None shows all of them, in a tall figure.
    title : str, optional
        In place of "Possible sessions of the announcements".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        A square is the session on which the study has the event; filled marks have p < 5 %; a line is red where the
        sessions differ on that.

    Raises
    ------
    InputError
        If ``most`` is not a whole number of at least 1.
    """
    most = None if most is None else arguments.whole("most", most, 1)
    spread = (dates.events["high"] - dates.events["low"]).sort_values(ascending=False, kind="stable")
    rows = dates.events.loc[spread.index[:most]]
    name = _style.named(title, TITLE)
    with _style.drawing((8.4, 1.6 + ROW_HEIGHT * max(len(rows), 3)), figsize, ax) as ax:
        if not len(rows):
            return _style.blank(ax, name, "every event allows one session only", dates)
        y = np.arange(len(rows))
        differ = rows["significance_depends"].to_numpy(dtype=bool)
        for part, colour in ((~differ, _style.GREY), (differ, _style.RED)):
            ax.hlines(y[part], rows["low"][part], rows["high"][part], color=colour, linewidth=1.3, alpha=0.6, zorder=2)
        _marks(ax, dates, dict(zip(rows.index, y, strict=True)))
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.set_yticks(y, [_text.drawable(str(event), 40) for event in rows.index], fontsize=7.5)
        ax.tick_params(axis="y", length=0)
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        _style.value_axis(ax.xaxis, dates.measure, f"{dates.measure.short} {formats.window(*dates.window)}")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, borderaxespad=4.2, borderpad=0, fontsize=8)
        count = formats.plural(len(dates.events), "event") + " with several possible sessions"
        text = count if len(rows) == len(dates.events) else f"the {len(rows)} widest of {count}"
        _style.headings(ax, name, f"{text}; filled: p < 5 %; red: sessions differ on that", dates)
    return ax


def _marks(ax: Axes, dates: Dates, at: dict[str, int]) -> None:
    """Draw the values on all possible sessions: a square where the study has the event, else a circle."""
    frame = dates.frame[dates.frame["event_id"].isin(at)]
    y = frame["event_id"].map(at).to_numpy()
    value, placed = frame[dates.measure.column].to_numpy(), frame["placed"].to_numpy(dtype=bool)
    significant = (frame["p"] < LEVEL).to_numpy()
    for part, marker, label in ((~placed, "o", "another possible session"), (placed, "s", "as placed")):
        for chosen, face in ((part & ~significant, "white"), (part & significant, _style.BLUE)):
            ax.scatter(value[chosen], y[chosen], marker=marker, s=24, facecolor=face, edgecolor=_style.BLUE, zorder=3)
        ax.scatter([], [], marker=marker, s=24, facecolor=_style.BLUE, edgecolor=_style.BLUE, label=label)
