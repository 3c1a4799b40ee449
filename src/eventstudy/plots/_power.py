"""The power curves of a calibration: rejection rate by shock, one line per test."""

from __future__ import annotations

from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from eventstudy import arguments
from eventstudy.core.nulls import binomial_interval
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.plots import _bands, _style, _text


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


def draw(
    calibration: Calibration,
    *,
    window: tuple[int, int] | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rejection rates of a window, the first by default, with their intervals.

    Parameters
    ----------
    calibration : Calibration
    window : (int, int), optional
    level : float
        Level of confidence of the intervals, 0.95 by default; that of the tests is ``calibration.level``.
    title : str, optional
        In place of "Power on the securities' own histories".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.
    """
    frame, level = calibration.frame, _bands.check_level(level)
    windows = list(dict.fromkeys(zip(frame["start"].tolist(), frame["end"].tolist(), strict=True)))
    start, end = arguments.one_window(window, windows)
    rows = in_window(frame, (start, end))
    draws = rows["n_draws"].to_numpy(float)
    lower, upper = binomial_interval((rows["rejection"] * draws).round().to_numpy(), draws, level)
    rows = rows.assign(lower=lower, upper=upper)
    with _style.drawing((7.2, 4.2), figsize, ax) as ax:
        for k, (name, group) in enumerate(rows.groupby("test", sort=False)):
            rates = group.sort_values("shock")
            n = len(_style.COLOURS)
            colour, dashes, marker = _style.COLOURS[k % n], _style.DASHES[k % n], _style.MARKERS[(k + k // n) % n]
            ax.plot(
                rates["shock"], rates["rejection"], linestyle=dashes, marker=marker, markersize=3.6, color=colour,
                linewidth=1.4, label=_text.drawable(name, 24),
            )  # fmt: skip
            ax.fill_between(rates["shock"], rates["lower"], rates["upper"], color=colour, alpha=0.12, linewidth=0)
        ax.axhline(calibration.level, color=_style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        percent = calibration.measure.of_returns
        _style.signed_axis(ax.xaxis, percent)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
        ax.set_ylim(0, 1.02 if rows["upper"].max() > 0.5 else None)
        unit = " (%)" if percent else ""
        label = ax.set_xlabel(_text.drawable(f"Shock to the {calibration.measure.series} of day 0") + unit)
        ax.set_ylabel("Drawn samples rejected (%)")
        legend = ax.legend(fontsize=8, handlelength=2.8)
        _style.verbatim([label, *legend.get_texts()])
        a_point = f"{formats.plural(int(rows['n_draws'].max()), 'draw')} a point"
        shaded = f"shaded: {_bands.percent(level)} intervals; dashed: {calibration.level:.0%}"
        subtitle = f"window {formats.window(start, end)}; {a_point}; {shaded}"
        name = _style.named(title, "Power on the securities' own histories")
        _style.headings(ax, name, subtitle, calibration)
    return ax
