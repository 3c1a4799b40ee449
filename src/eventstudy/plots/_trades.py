"""The equity of a backtest by date, before and after costs, with its drawdowns and its entries."""

from __future__ import annotations

from typing import Any, Protocol

import matplotlib.dates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.plots import _style

dates: Any = matplotlib.dates  # the module has no type hints
TITLE = "What trading the announcements earned"
GROSS_DASHES = (0, (5, 2))
RUG = 0.035  # of the height: the marks of the entries


class Placebos(Protocol):
    """The part of :class:`eventstudy.analysis.trades_placebo.Placebos` that the figure uses."""

    @property
    def band(self) -> pd.DataFrame:
        """The equities on drawn dates."""

    @property
    def p(self) -> float:
        """The rank of the Sharpe ratio."""


class Trades(HasProvenance, Protocol):
    """The part of :class:`eventstudy.analysis.trades.Trades` that the figure uses."""

    @property
    def frame(self) -> pd.DataFrame:
        """The ledger."""

    @property
    def equity(self) -> pd.Series[float]:
        """The capital by day."""

    @property
    def drawdown(self) -> pd.Series[float]:
        """The capital less the highest before it."""

    @property
    def gross(self) -> pd.Series[float]:
        """The profit before costs, by day."""

    @property
    def placebos(self) -> Placebos | None:
        """The rule on drawn dates."""


def draw(
    trades: Trades,
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the sum of the returns, in per cent of the constant capital.

    Parameters
    ----------
    trades : Trades
    title : str, optional
        In place of "What trading the announcements earned".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Net of costs and before them; shaded below the highest net value so far: drawdowns; marks at the bottom: the
        entries, long and short; grey: the middle 95 % of the rule on drawn dates, if they were drawn.
    """
    name = _style.named(title, TITLE)
    with _style.drawing((7.6, 4.3), figsize, ax) as ax:
        if not len(trades.equity):
            return _style.blank(ax, name, "nothing was traded", trades)
        day = trades.equity.index
        net = trades.equity.to_numpy() - 1.0
        _placebos(ax, trades.placebos)
        ax.axhline(0.0, color=_style.GREY, linewidth=0.8, zorder=1)
        ax.fill_between(
            day, net, net - trades.drawdown.to_numpy(), color=_style.RED, alpha=0.16, linewidth=0, label="drawdown"
        )
        ax.plot(day, trades.gross.cumsum(), color=_style.GREY, linewidth=1.1, linestyle=GROSS_DASHES, label="gross")
        ax.plot(day, net, color=_style.BLUE, linewidth=1.7, label="net of costs")
        _entries(ax, trades.frame)
        ax.set_xlim(day[0], day[-1])
        ax.margins(y=0.08)
        _style.signed_axis(ax.yaxis, percent=True)
        ax.set_ylabel("Sum of returns (% of the capital)")
        locator = dates.AutoDateLocator(minticks=3, maxticks=7)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        _style.legend_below(ax, 6, gap=3.2)
        _style.headings(ax, name, _subtitle(trades), trades)
    return ax


def _placebos(ax: Axes, placebos: Placebos | None) -> None:
    if placebos is None:
        return
    band = placebos.band - 1.0
    ax.fill_between(
        band.index, band["lower"], band["upper"], color=_style.RULE, alpha=0.65, linewidth=0, zorder=0,
        label="95 % of drawn dates",
    )  # fmt: skip


def _entries(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw a mark at the bottom for each entry."""
    entered = frame[frame["entry_date"].notna()]
    for sign, colour, name in ((1.0, _style.COLOURS[2], "long entry"), (-1.0, _style.COLOURS[1], "short entry")):
        days = entered.loc[entered["direction"] == sign, "entry_date"]
        if len(days):
            heights = np.full(len(days), RUG / 2 + (RUG if sign > 0 else 0.0))
            ax.plot(
                days, heights, transform=ax.get_xaxis_transform(), linestyle="none", marker="|", markersize=6,
                markeredgewidth=0.9, color=colour, label=name,
            )  # fmt: skip


def _subtitle(trades: Trades) -> str:
    n = int(trades.frame["entry_date"].notna().sum())
    text = f"{formats.plural(n, 'trade')} of {formats.plural(len(trades.frame), 'event')}; nothing is reinvested"
    placebos = trades.placebos
    if placebos is None or formats.is_missing(placebos.p):
        return text
    return f"{text}; p {formats.p_value(placebos.p)} against the same rule on drawn dates"
