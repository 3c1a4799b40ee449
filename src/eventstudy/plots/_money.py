"""What events cost: the abnormal value of each event or group as a bar with its interval, and the sum."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.plots import _bands, _style, _text

TITLE = "What the events cost"
ROW_HEIGHT = 0.19  # inches
UNITS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
OTHERS = "all others"


class Money(HasProvenance, Protocol):
    """The part of :class:`eventstudy.analysis.money.Money` that the figure uses."""

    @property
    def frame(self) -> pd.DataFrame:
        """The events."""

    @property
    def by_group(self) -> pd.DataFrame:
        """The groups."""

    @property
    def total(self) -> pd.Series[float]:
        """The sum."""

    @property
    def currency(self) -> str:
        """That of all amounts."""

    @property
    def window(self) -> tuple[int, int]:
        """The window."""


def draw(
    money: Money,
    *,
    by: str = "event",
    most: int = 25,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the abnormal values, the largest loss first, with their intervals, and the sum below.

    Parameters
    ----------
    money : Money
    by : {"event", "group"}
    most : int
        The number of events drawn, those with the largest amounts; the others are one bar.
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of "What the events cost".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Amounts in the currency, in thousands, millions and so on as the label says.

    Raises
    ------
    InputError
        If an option is not valid.
    """
    arguments.choice("by", by, ("event", "group"))
    most = _style.fitting(figsize, 1.5, ROW_HEIGHT, arguments.whole("most", most, 1), ax)
    level, name = _bands.check_level(level), _style.named(title, TITLE)
    rows = _events(money, most, level) if by == "event" else _groups(money, level)
    with _style.drawing((7.2, 1.4 + ROW_HEIGHT * max(len(rows), 4)), figsize, ax) as ax:
        narrow = _style.width(ax) < 4.5
        rows.index = [_text.drawable(label, 22) if narrow else label for label in rows.index]
        if len(rows) < 2:
            return _style.blank(ax, name, f"no {by} has an abnormal value", money)
        size, unit = next(
            ((size, unit) for size, unit in UNITS if rows[["low", "high"]].abs().to_numpy().max() >= size), (1.0, "")
        )
        _bars(ax, rows, size, narrow)
        amount = " ".join(filter(None, (unit, money.currency)))
        label = f"Abnormal value ({amount})" if amount and not narrow else amount or "Abnormal value"
        _style.verbatim([ax.set_xlabel(_text.drawable(label, 60))])
        _style.signed_axis(ax.xaxis, percent=False)
        total = money.total
        subtitle = f"window {formats.window(*money.window)}; {formats.plural(int(total['n']), 'event')}"
        subtitle += f", {int(total['n_without'])} used ones without a value" if total["n_without"] else ""
        strokes = f"strokes: {_bands.percent(level)} intervals, that of the sum with its dependence"
        _style.headings(ax, name, f"{subtitle}; {strokes}", money)
    return ax


def _events(money: Money, most: int, level: float) -> pd.DataFrame:
    """Return the rows of events, the largest loss first, and of the sum."""
    events = money.frame[money.frame["status"] == "ok"]
    chosen = events["abnormal_value"].abs().sort_values(ascending=False, kind="stable").index[:most]
    shown = events.loc[chosen].sort_values("abnormal_value", kind="stable")
    labels = [_label(name, row["ticker"], row["session"]) for name, row in shown.iterrows()]
    ends = _bands.edges(shown.assign(se=shown["se"] * shown["value"]), level, "abnormal_value")
    rows = _rows(labels, shown["abnormal_value"], ends["lower"], ends["upper"])
    rest = events.drop(chosen)
    if len(rest):
        other = _rows([f"{OTHERS} ({len(rest)})"], rest[["abnormal_value"]].sum(), [np.nan], [np.nan])
        rows = pd.concat([rows, other])
    return _with_total(rows, money, level) if len(rows) else rows


def _groups(money: Money, level: float) -> pd.DataFrame:
    """Return the rows of groups, the largest loss first, and of the sum."""
    groups = money.by_group.sort_values("total", kind="stable")
    labels = [f"{_text.drawable(name, 28)} ({n})" for name, n in zip(groups["group"], groups["n"], strict=True)]
    ends = _bands.edges(groups, level, "total")
    rows = _rows(labels, groups["total"], ends["lower"], ends["upper"])
    return _with_total(rows, money, level) if len(rows) else rows


def _rows(labels: list[str], value: object, lower: object, upper: object) -> pd.DataFrame:
    numbers = {"value": value, "lower": lower, "upper": upper}
    frame = pd.DataFrame({name: np.asarray(part, dtype=np.float64) for name, part in numbers.items()}, labels)
    both = frame[["value", "lower", "upper"]]
    return frame.assign(low=both.min(axis=1), high=both.max(axis=1))


def _with_total(rows: pd.DataFrame, money: Money, level: float) -> pd.DataFrame:
    total = money.total.to_frame().T
    ends = _bands.edges(total, level, "total")
    return pd.concat([rows, _rows(["Sum"], total["total"], ends["lower"], ends["upper"])])


def _label(name: object, ticker: object, session: object) -> str:
    """Return the name of an event, its ticker unless that is part of the name, and its date."""
    label = str(name) if str(ticker) in str(name) else f"{name} {ticker}"
    return f"{_text.drawable(label, 34)}  {formats.date(session)[:10]}"


def _bars(ax: Axes, rows: pd.DataFrame, size: float, narrow: bool) -> None:
    y = np.arange(len(rows))
    value = rows["value"].to_numpy() / size
    colour = np.where(value < 0, _style.RED, _style.BLUE)
    colour[-1] = _style.INK
    ax.barh(y, value, height=0.62, color=colour.tolist(), alpha=0.55, zorder=2)
    known = rows["lower"].notna().to_numpy()
    low, high = (rows.loc[known, name].to_numpy() / size for name in ("lower", "upper"))
    ax.hlines(y[known], low, high, color=colour[known].tolist(), linewidth=1.3, zorder=3)
    ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
    ax.axhline(len(rows) - 1.5, color=_style.GREY, linewidth=0.6)
    ax.set_yticks(y, rows.index.tolist(), fontsize=6.5 if narrow else 7.5)
    ax.get_yticklabels()[-1].set(color=_style.INK, **_text.BOLD)
    _style.verbatim(ax.get_yticklabels())
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
