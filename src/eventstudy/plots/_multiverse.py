"""The specification curve of a multiverse: hundreds of effects by size, above the choices of each."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D

from eventstudy.analysis.multiverse_choices import printed
from eventstudy.display import formats
from eventstudy.display.formats import HasProvenance
from eventstudy.display.measure import Measure
from eventstudy.display.shares import in_percent
from eventstudy.plots import _bands, _style, _text

LEVEL = 0.05
ROW_HEIGHT = 0.19  # inches, of a row of the lower panel
ABOVE, BETWEEN, BELOW = 0.75, 0.12, 0.45  # inches of the figure, around its two panels
CURVE = 2.7  # inches
LONGEST = 34  # characters of the name of a choice
MARKED = 80  # specifications up to which each effect is a point of its own
TITLE = "All specifications"


class Multiverse(HasProvenance, Protocol):
    """The part of :class:`eventstudy.analysis.multiverse.Multiverse` that the figure uses."""

    @property
    def frame(self) -> pd.DataFrame:
        """The specifications."""

    @property
    def own(self) -> pd.Series[Any]:
        """The study's own result."""

    @property
    def measure(self) -> Measure:
        """What the study measures."""

    def by_choice(self) -> pd.DataFrame:
        """Return the medians by choice."""

    def summary(self) -> pd.Series[float]:
        """Return what the specifications agree on."""


def draw(
    multiverse: Multiverse,
    *,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> np.ndarray | Axes:
    """Draw the effects of all specifications by size, with intervals, and a stroke for each choice of each below.

    Parameters
    ----------
    multiverse : Multiverse
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of "All specifications".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes on which the curve alone is drawn.

    Returns
    -------
    array of Axes (2,), or Axes
        Effects by specification, and below them the choices that more than one value has, with the median effect of
        each value at the right. Specifications without an effect are left out. Of many specifications, the ends of
        the widest 1 % of the intervals may lie outside the axes.
    """
    table = multiverse.frame.dropna(subset="effect").sort_values("effect", kind="stable").reset_index(drop=True)
    level, name = _bands.check_level(level), _style.named(title, TITLE)
    table = table.assign(**_bands.edges(table, level, "effect"))
    subtitle = f"{_subtitle(multiverse)}; strokes: {_bands.percent(level)} intervals"
    if ax is not None or table.empty:
        with _style.drawing(_style.SIZE, figsize, ax) as ax:
            if table.empty:
                return _style.blank(ax, name, "no specification has an effect", multiverse)
            _curve(ax, table, multiverse)
            _style.headings(ax, name, subtitle, multiverse)
        return ax
    rows = _rows(multiverse)
    longest = max((formats.columns_of(text) for text in rows["text"]), default=0)
    side = 0.75 + 0.062 * max(longest, 8)
    below = ROW_HEIGHT * (len(rows) + 1.2 * rows["choice"].nunique())
    width, height = _style.size(figsize, (side + 5.9, ABOVE + CURVE + BETWEEN + below + BELOW))
    side = min(side, 0.4 * width)
    rows["text"] = [formats.cut(text, max(8, int((side - 0.15) / 0.062))) for text in rows["text"]]
    below = min(below, 0.6 * height)
    curve = max(height - (ABOVE + BETWEEN + below + BELOW), 0.5)
    with _style.context():
        figure = _style.PngFigure(figsize=(width, height))
        figure.set_layout_engine("none")
        grid = GridSpec(
            2, 1, figure, left=side / width, right=1 - 0.75 / width, top=1 - ABOVE / height, bottom=BELOW / height,
            height_ratios=[curve, max(below, 0.01)], hspace=2 * BETWEEN / (curve + below),
        )  # fmt: skip
        upper = figure.add_subplot(grid[0])
        lower = figure.add_subplot(grid[1], sharex=upper)
        _curve(upper, table, multiverse)
        _choices(lower, table, rows, multiverse.measure)
        _style.headings(upper, name, subtitle, multiverse)
        _key(lower, table)
        if figure.rewrap is not None:
            figure.rewrap(width - side - 0.75, side)
        figure.draw_without_rendering()  # matplotlib makes ticks when it first draws: here, with the style set
    return np.array([upper, lower])


def _subtitle(multiverse: Multiverse) -> str:
    found = multiverse.summary()
    shares = [
        f"{in_percent(found[key])} {what}"
        for key, what in (
            ("agree", "of the study's sign"),
            ("significant", "p < 5 %"),
            ("adjusted", "p < 5 % adjusted"),
        )
        if not np.isnan(found[key])
    ]
    lost = int(found["n"] - found["n_run"])
    without = f" ({lost} without an effect)" if lost else ""
    return f"{formats.plural(int(found['n']), 'specification')}{without}: {', '.join(shares)}"


def _curve(ax: Axes, table: pd.DataFrame, multiverse: Multiverse) -> None:
    """Draw the intervals, the effects, the study's own effect and its specification."""
    x, effect = np.arange(len(table)), table["effect"].to_numpy()
    tested = (table["valid"] & table["p"].notna()).to_numpy()
    colour = np.where(tested & (table["p"] < LEVEL).to_numpy(), _style.RED, np.where(tested, _style.BLUE, _style.GREY))
    wide = min(3.0, 0.9 * 72.0 * _style.width(ax) / max(len(table), 1))
    ax.axhline(0, color=_style.INK, linewidth=0.8, zorder=1)
    ax.axhline(multiverse.own["effect"], color=_style.INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    ax.vlines(x, table["lower"], table["upper"], color=colour.tolist(), linewidth=wide, alpha=0.28, zorder=2)
    ax.scatter(x, effect, s=14 if len(table) <= MARKED else 5, c=colour.tolist(), linewidth=0, zorder=3)
    own = np.flatnonzero(table["own"].to_numpy())
    ax.scatter(own, effect[own], s=46, marker="D", color="white", edgecolor=_style.INK, linewidth=1.3, zorder=4)
    ax.set_xlim(-0.7, len(table) - 0.3)
    limits = (
        np.nanquantile(table[["lower", "upper"]].to_numpy(), [0.01, 0.99]) if len(table) > MARKED else (np.nan,) * 2
    )
    if np.isfinite(limits).all():  # a few very wide intervals would flatten all others
        low, high = min(limits[0], effect.min(), 0.0), max(limits[1], effect.max(), 0.0)
        ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    _style.value_axis(ax.yaxis, multiverse.measure, f"mean {multiverse.measure.averaged}")


def _rows(multiverse: Multiverse) -> pd.DataFrame:
    """Return the rows of the lower panel, of the choices that vary: choice, value, text, median and y."""
    rows = multiverse.by_choice()
    names = (printed(choice, value) for choice, value in zip(rows["choice"], rows["value"], strict=True))
    block = (rows["choice"] != rows["choice"].shift()).cumsum()
    return rows.assign(text=[_text.drawable(name, LONGEST) for name in names], y=np.arange(len(rows)) + 1.2 * block)


def _choices(ax: Axes, table: pd.DataFrame, rows: pd.DataFrame, measure: Measure) -> None:
    """Draw a stroke where a specification has a value, block by block from the top, and the medians at the right."""
    windows = [f"({start}, {end})" for start, end in zip(table["start"], table["end"], strict=True)]
    table = table.assign(window=windows)
    wide = float(np.clip(0.85 * 72.0 * _style.width(ax) / max(len(table), 1), 0.35, 4.0))
    own = np.flatnonzero(table["own"].to_numpy())
    for row in rows.to_dict("records"):
        at = np.flatnonzero((table[row["choice"]] == row["value"]).to_numpy())
        ax.vlines(at, row["y"] - 0.33, row["y"] + 0.33, color=_style.INK, linewidth=wide, alpha=0.75, zorder=2)
        mine = np.intersect1d(at, own)
        ax.scatter(mine, np.full(len(mine), row["y"]), s=20, marker="D", color="white", edgecolor=_style.INK, zorder=3)
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center", "fontsize": 8,
        "color": _style.GREY,
    }  # fmt: skip
    texts = [ax.annotate("median", (1, rows["y"].min() - 1.0), xytext=(6, 0), **place)] if len(rows) else []
    for choice, block in rows.groupby("choice", sort=False):
        head = (0, float(block["y"].iloc[0]) - 1.0)
        texts.append(ax.annotate(str(choice).capitalize(), head, xytext=(-6, 0), ha="right", **place, **_text.BOLD))
    for y, median in zip(rows["y"], rows["median"], strict=True):
        texts.append(ax.annotate(measure.text(median), (1, y), xytext=(6, 0), **place))
    _style.verbatim(texts)
    ax.set_yticks(rows["y"].tolist(), rows["text"].tolist(), fontsize=8)
    _style.verbatim(ax.get_yticklabels())
    ax.set_ylim(float(rows["y"].max()) + 0.6 if len(rows) else 1.0, 0.0)
    ax.grid(visible=False)
    ax.tick_params(length=0, labelbottom=False)
    ax.spines[:].set_visible(False)


def _key(ax: Axes, table: pd.DataFrame) -> None:
    """Explain the colours and marks that occur below the figure."""
    tested = table["valid"] & table["p"].notna()
    kinds = [
        ("p < 5 %", _style.RED, "o", bool((tested & (table["p"] < LEVEL)).any())),
        ("p ≥ 5 %", _style.BLUE, "o", bool((tested & (table["p"] >= LEVEL)).any())),
        ("no test holds", _style.GREY, "o", not tested.all()),
    ]
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4, label=label)
        for label, colour, marker, occurs in kinds
        if occurs
    ]
    handles.append(
        Line2D([], [], color=_style.INK, linestyle=(0, (4, 3)), linewidth=0.9, label="the study's own effect")
    )
    if table["own"].any():
        own = Line2D([], [], color="white", markeredgecolor=_style.INK, marker="D", linestyle="", markersize=5)
        own.set_label("the study itself")
        handles.append(own)
    columns = min(len(handles), max(2, int(_style.width(ax) / 1.0)))
    legend = ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=columns, borderaxespad=0.6, borderpad=0,
        fontsize=8, handletextpad=0.5, columnspacing=1.4,
    )  # fmt: skip
    _style.verbatim(legend.get_texts())
