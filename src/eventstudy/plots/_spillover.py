"""Spillovers: which peers moved with which treated securities, and the mean paths of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.plots import _style, _text

if TYPE_CHECKING:
    from eventstudy.analysis.spillover import Spillover
    from eventstudy.display.measure import Measure

ROW = 0.25  # inches of a node
THINNEST, WIDEST = 0.8, 6.0  # points of an edge
LEFT, RIGHT = 0.0, 1.0


def network(
    spillover: Spillover,
    *,
    window: tuple[int, int] | None = None,
    by: str | None = None,
    most: int = 20,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw an edge from each treated node to each of its peers, as wide as the mean effect, coloured by its sign.

    Parameters
    ----------
    spillover : Spillover
    window : (int, int), optional
        The first by default.
    by : str, optional
        The column of the events whose values are the treated nodes; ``sector`` if there is one, else ``ticker``.
    most : int
        Peers that are shown: those with the largest mean effects.
    title : str, optional
        In place of "Where announcements spilled over".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Treated nodes at the left, peers at the right.
    """
    most, events = arguments.whole("most", most, 1), spillover.events
    by = by or ("sector" if "sector" in events.columns else "ticker")
    arguments.choice("by", by, events.columns)
    edges, start_end = _edges(spillover, by, window)
    size = edges.groupby("ticker")["total"].sum() / edges.groupby("ticker")["n"].sum()
    chosen = size.loc[size.abs().sort_values(ascending=False).index[:most]].sort_values(ascending=False)
    edges = edges[edges["ticker"].isin(chosen.index)]
    treated = edges.groupby("label")["n"].sum().sort_values(ascending=False)
    height = 1.5 + ROW * max(len(chosen), len(treated), 4)
    measure, name = spillover.measure, _style.named(title, "Where announcements spilled over")
    with _style.drawing((7.2, height), figsize, ax) as ax:
        if edges.empty:
            return _style.blank(ax, name, "no peer has an effect", spillover)
        at = {side: _heights(nodes.index) for side, nodes in (("label", treated), ("ticker", chosen))}
        widest = float(edges["mean"].abs().max())
        for row in edges.to_dict("records"):
            _edge(ax, at["label"][row["label"]], at["ticker"][row["ticker"]], float(row["mean"]), widest)
        _names(ax, at["label"], {label: str(label) for label in treated.index}, LEFT, "right")
        n = edges.groupby("ticker")["n"].sum()
        times = dict(zip(n.index, n.tolist(), strict=True))
        texts = {
            t: f"{t}  {measure.text(m)}  ({formats.plural(times[t], 'time')})"
            for t, m in zip(chosen.index, chosen.tolist(), strict=True)
        }
        _names(ax, at["ticker"], texts, RIGHT, "left")
        ax.set(xlim=(-0.42, 1.62), ylim=(-0.04, 1.04), xticks=[], yticks=[])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        _legend(ax, measure, widest)
        shown = "" if len(chosen) == len(size) else f" the {len(chosen)} largest of {len(size)};"
        text = f"treated by {by} at the left, peers at the right;{shown} mean {measure.averaged} of the peers,"
        _style.headings(ax, name, f"{text} {formats.window(*start_end)}", spillover)
    return ax


def _edges(spillover: Spillover, by: str, window: tuple[int, int] | None) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return the mean effect of each pair of a treated node and a peer: label, ticker, total, n, mean."""
    frame, column = spillover.frame, spillover.measure.column
    spans = list(dict.fromkeys(zip(frame["start"].tolist(), frame["end"].tolist(), strict=True)))
    chosen = arguments.one_window(window, spans)
    rows = frame[(frame["start"] == chosen[0]) & (frame["end"] == chosen[1]) & (frame["role"] == "peer")]
    rows = rows[(rows["status"] == "ok") & (rows["reason"] == "")]
    sign = spillover.measure.sign
    events = spillover.events.loc[rows["of"]]
    signs = 1.0 if sign is None else pd.to_numeric(events[sign], errors="coerce").to_numpy()
    label = events[by].astype(object).fillna("none").astype(str).to_numpy()
    rows = pd.DataFrame({"label": label, "ticker": rows["ticker"].to_numpy(), "value": signs * rows[column].to_numpy()})
    edges = rows.groupby(["label", "ticker"])["value"].agg(total="sum", n="size", mean="mean").reset_index()
    return edges, chosen


def _heights(nodes: pd.Index) -> dict[object, float]:
    """Return the height of each node, from 1 at the top to 0; nodes that are few stand around the middle."""
    n = len(nodes)
    return {node: 0.5 if n == 1 else 1.0 - k / (n - 1) for k, node in enumerate(nodes)}


def _edge(ax: Axes, start: float, end: float, mean: float, widest: float) -> None:
    t = np.linspace(0.0, 1.0, 40)
    bend = t * t * (3.0 - 2.0 * t)
    width = THINNEST + (WIDEST - THINNEST) * abs(mean) / widest if widest else THINNEST
    colour, dash = _look(mean)
    ax.plot(t, start + (end - start) * bend, color=colour, linewidth=width, alpha=0.6, linestyle=dash, zorder=2)


def _look(mean: float) -> tuple[str, Any]:
    """Return the colour and the line style of an effect: falls are dashed, so that they differ in grey too."""
    return (_style.BLUE, "-") if mean >= 0 else (_style.RED, (0, (4, 1.2)))


def _names(ax: Axes, heights: dict[object, float], texts: dict[object, str], x: float, side: str) -> None:
    ax.scatter([x] * len(heights), list(heights.values()), s=26, color=_style.INK, zorder=3)
    offset = -7 if side == "right" else 7
    drawn = [
        ax.annotate(
            _text.drawable(texts[node], 40), (x, y), xytext=(offset, 0), textcoords="offset points", ha=side,
            va="center", fontsize=8,
        )
        for node, y in heights.items()
    ]  # fmt: skip
    _style.verbatim(drawn)


def _legend(ax: Axes, measure: Measure, widest: float) -> None:
    handles = []
    for value in (widest, -widest):
        colour, dash = _look(value)
        line = Line2D([], [], color=colour, linewidth=WIDEST * 0.6, linestyle=dash, alpha=0.6)
        line.set_label(f"{'rise' if value >= 0 else 'fall'}; the widest is {measure.text(abs(value)).lstrip('+')}")
        handles.append(line)
    legend = ax.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=8, borderaxespad=0.6,
        handlelength=3.2,
    )  # fmt: skip
    _style.verbatim(legend.get_texts())


def paths(
    spillover: Spillover,
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean cumulative paths of treated and peers, and their difference.

    Parameters
    ----------
    spillover : Spillover
    title : str, optional
        In place of "Treated securities and their peers".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Per cent, or the unit of the measure, by day.
    """
    frame, measure = spillover.paths, spillover.measure
    name = _style.named(title, "Treated securities and their peers")
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        if frame.empty:
            return _style.blank(ax, name, "no announcement has both treated and peers", spillover)
        for k, column in enumerate(frame.columns):
            ax.plot(
                frame.index, frame[column], color=_style.COLOURS[k], linestyle=_style.DASHES[k],
                marker=_style.MARKERS[k], markersize=3.4, label=column, zorder=3,
            )  # fmt: skip
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, measure.average)
        ax.set_xlabel(_style.day_label(spillover.result))
        _style.legend_below(ax, 3)
        row = spillover.tests.iloc[2]
        value = measure.with_interval(row["effect"], row["lower"], row["upper"])
        count = formats.plural(int(row["n_announcements"]), "announcement")
        text = f"{count}; difference over {formats.window(row['start'], row['end'])}: {value}"
        _style.headings(ax, name, text + (f", p {formats.p_value(row['p'])}" if row["valid"] else ""), spillover)
    return ax
