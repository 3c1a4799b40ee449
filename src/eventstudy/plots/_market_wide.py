"""The estimates of a market-wide analysis: one term, date by date, with their intervals."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.analysis.market_wide import MarketWide
from eventstudy.display import formats
from eventstudy.plots import _bands, _style, _text

MOST = 40  # dates


def draw(
    analysis: MarketWide,
    *,
    term: str | None = None,
    window: tuple[int, int] | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the estimates of a term, date by date and of all dates.

    Parameters
    ----------
    analysis : MarketWide
    term : str, optional
        "mean", "constant" or an exposure; by default the first exposure, or else the mean.
    window : (int, int), optional
        The first by default.
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of "News of a whole market".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.
    """
    frame, level = analysis.frame, _bands.check_level(level)
    terms = list(dict.fromkeys(frame["term"]))
    term = terms[-1] if term is None else term
    arguments.choice("term", term, terms)
    pairs = list(dict.fromkeys(zip(frame["start"].tolist(), frame["end"].tolist(), strict=True)))
    start, end = arguments.one_window(window, pairs)
    rows = frame[(frame["term"] == term) & (frame["start"] == start) & (frame["end"] == end)].iloc[-MOST:]
    names = ["all dates" if formats.is_missing(date) else formats.date(date) for date in rows["date"]]
    with _style.drawing((7.2, 1.5 + 0.26 * len(rows)), figsize, ax) as ax:
        y = np.arange(len(rows))
        colours = [_style.RED if analysis.first_p(row) < 0.05 else _style.BLUE for row in rows.to_dict("records")]
        ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
        ends = _bands.edges(rows, level, "estimate")
        ax.hlines(y, ends["lower"], ends["upper"], color=colours, linewidth=1.8, alpha=0.6)
        ax.scatter(rows["estimate"], y, color=colours, s=26, zorder=3)
        ax.set_yticks(y, names, fontsize=8)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(visible=False, axis="y")
        what = f"{analysis.measure.short} of the mean" if term == "mean" else f"{analysis.measure.short} per {term}"
        _style.value_axis(ax.xaxis, analysis.measure, _text.drawable("constant" if term == "constant" else what))
        bars = f"bars: {_bands.percent(level)}, t of {analysis.days} {analysis.unit}s without events"
        subtitle = f"window {formats.window(start, end)}; {bars}"
        _style.headings(ax, _style.named(title, "News of a whole market"), subtitle, analysis)
    return ax
