"""The power curves of a calibration: rejection rate by shock, one line per test."""

from __future__ import annotations

from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.plots import _style

COLOURS = ("#1f5a8a", "#b3372f", "#2f7d4f", "#8a5a1f", "#6a3d8a", "#3d8a86", "#5b6570")


class Calibration(HasProvenance, Protocol):
    """The part of :class:`eventstudy.analysis.calibration.Calibration` that the figure uses."""

    @property
    def frame(self) -> pd.DataFrame:
        """The rejection rates."""

    @property
    def level(self) -> float:
        """The nominal level."""

    @property
    def measure(self) -> Measure:
        """What the study measures."""


def draw(calibration: Calibration, *, window: tuple[int, int] | None = None, ax: Axes | None = None) -> Axes:
    """Draw the rejection rates of a window, the first by default, with their 95 % intervals.

    Parameters
    ----------
    calibration : Calibration
    window : (int, int), optional
    ax : Axes, optional
        Axes to draw on; a new figure by default.
    """
    frame, level = calibration.frame, calibration.level
    windows = list(dict.fromkeys(zip(frame["start"].tolist(), frame["end"].tolist(), strict=True)))
    start, end = arguments.one_window(window, windows)
    rows = frame[(frame["start"] == start) & (frame["end"] == end)]
    with _style.drawing(7.2, 4.2, ax) as ax:
        for k, (name, group) in enumerate(rows.groupby("test", sort=False)):
            rates = group.sort_values("shock")
            colour = COLOURS[k % len(COLOURS)]
            style = ("-", "--", ":")[k // len(COLOURS) % 3]
            ax.plot(
                rates["shock"], rates["rejection"], style, marker="o", markersize=3.2, color=colour, label=str(name)
            )
            ax.fill_between(rates["shock"], rates["lower"], rates["upper"], color=colour, alpha=0.12, linewidth=0)
        ax.axhline(level, color=_style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        _style.shock_axis(ax.xaxis, calibration.measure)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_ylim(0, 1.02 if rows["upper"].max() > 0.5 else None)
        ax.set_xlabel(f"Shock to the {calibration.measure.series} of day 0")
        ax.set_ylabel("Share of drawn samples rejected")
        ax.legend()
        draws = formats.plural(int(rows["n_draws"].max()), "draw")
        subtitle = f"window {formats.window(start, end)}; {draws} a point; shaded: 95 % intervals; dashed: {level:.0%}"
        _style.headings(ax, "Power on the securities' own histories", subtitle, calibration)
    return ax
