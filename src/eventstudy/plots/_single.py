"""One event: its price with and without the event, or its standardised CAR among those of other days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.analysis.single import Single, first_p
from eventstudy.core.nulls import margin
from eventstudy.display import formats
from eventstudy.display.rows import in_window
from eventstudy.plots import _bands, _style

PANELS = ("price", "placebo")
BINS = 30


def draw(
    single: Single,
    *,
    panel: Literal["price", "placebo"] | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the price with and without the event, or the CAR among the CARs of other days.

    Parameters
    ----------
    single : Single
    panel : {"price", "placebo"}, optional
        The price by default, where there is a price line.
    level : float
        Level of confidence of the interval of the price without the event, 0.95 by default.
    title : str, optional
        In place of the name of the event.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.
    """
    arguments.choice("panel", panel, (None, *PANELS))
    level = _bands.check_level(level)
    name = _style.named(title, f"{formats.plain(single.ticker)} on {formats.date(single.session)}")
    chosen = panel or ("placebo" if single.prices.empty else "price")
    with _style.drawing((7.2, 4.0), figsize, ax) as ax:
        if chosen == "price" and single.prices.empty:
            return _style.blank(ax, name, "the study has no price line", single)
        if chosen == "price":
            _price(ax, single, name, level)
        else:
            _placebo(ax, single, name)
    return ax


def _price(ax: Axes, single: Single, name: str, level: float) -> None:
    """Draw both prices, the difference shaded, and the band of the price without the event."""
    prices = single.prices
    days = prices.index.to_numpy()
    actual, but_for = (prices[column].to_numpy() for column in ("price", "but_for"))
    ax.fill_between(days, actual, but_for, color=_style.RED, alpha=0.14, linewidth=0, label="difference per share")
    ends = _bands.edges(prices.assign(se=_se(single)), level, "difference")
    thin: dict[str, Any] = {"color": _style.BLUE, "linewidth": 0.7, "linestyle": (0, (1, 2))}
    ax.plot(days, actual - ends["upper"].to_numpy(), **thin)
    ax.plot(days, actual - ends["lower"].to_numpy(), label=f"its {_bands.percent(level)} interval", **thin)
    ax.plot(days, but_for, color=_style.BLUE, linewidth=1.4, linestyle=(0, (5, 2)), label="without the event")
    ax.plot(days, actual, color=_style.INK, linewidth=1.6, label="price")
    ax.axvspan(single.window[0] - 0.5, single.window[1] + 0.5, color=_style.GREY, alpha=0.10, linewidth=0)
    ax.axvline(0, color=_style.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    _style.day_ticks(ax)
    unit = f" ({formats.plain(single.currency)})" if single.currency else ""
    labels = [ax.set_xlabel("Sessions from the event"), ax.set_ylabel(f"Price per share{unit}")]
    _style.verbatim(labels)
    _style.legend_below(ax, 4)
    last = prices["difference"].get(single.window[1], np.nan)
    subtitle = f"window {formats.window(*single.window)} (grey); difference at its end {formats.signed(last)}{unit}"
    _style.headings(ax, name, subtitle, single)


def _se(single: Single) -> pd.Series[float]:
    """Return the standard errors of the differences per share: half their 95 % intervals over the quantile of t."""
    quantile = margin(np.ones(1), single.frame["df"].iloc[:1].to_numpy())[0]
    se: pd.Series[float] = (single.prices["upper"] - single.prices["difference"]) / quantile
    return se


def _placebo(ax: Axes, single: Single, name: str) -> None:
    """Draw the standardised CARs of other days, and that of the event."""
    row, (start, end) = single.row(), single.window
    own = in_window(single.placebo, (start, end))["scar"]
    ax.hist(own, bins=BINS, color=_style.BLUE, alpha=0.45, linewidth=0)
    if not formats.is_missing(row["t"]):
        ax.axvline(row["t"], color=_style.RED, linewidth=1.8)
    ax.axvline(0, color=_style.GREY, linewidth=0.8)
    ax.set_xlabel(f"{single.measure.short} in standard errors")
    ax.set_ylabel(f"Runs of {formats.day_or_bar(pd.Series([single.session]))}s before the event")
    p = row[first_p(single.frame, single.window)]
    subtitle = (
        f"window {formats.window(start, end)}; red: the event, {formats.signed(row['t'])} standard errors,"
        f" p {formats.p_value(p)}; Bayes factor {formats.number(row['bayes_factor'], 1)}"
    )
    _style.headings(ax, name, subtitle, single)
