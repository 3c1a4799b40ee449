"""Heat map of the abnormal returns (or another studied outcome): a row for each event, sorted, and a column a day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.rows import in_window
from eventstudy.plots import _events, _style, _text
from eventstudy.result import Result

MAX_NAMES = 60  # events whose names can be read beside their rows
CLIPPED = 0.98  # quantile of the absolute values at which the colours end: few large ones would pale the others
COLOURS = "RdBu"  # red below zero, blue above
MISSING = "#c9ced3"


def heatmap(
    result: Result,
    *,
    window: tuple[int, int] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the abnormal returns of all used events, sorted by their CAR, the lowest at the top.

    Parameters
    ----------
    result : Result
    window : (int, int), optional
        A window of the study by whose CAR the events are sorted; the whole event window by default. In a study with
        groups each group is sorted by itself.
    title : str, optional
        In place of the name of the measure.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default, whose height grows with the number of events.

    Returns
    -------
    Axes
        Events by relative day; colours are centred at 0 and end at the 98 % quantile of the absolute values. Grey cells
        have no value. The names of the events are shown up to 60 events.

    Raises
    ------
    InputError
        If the window is not one of the study.

    Examples
    --------
    >>> from eventstudy import demo
    >>> demo.run().result.plot("heatmap", window=(0, 0)).get_xlabel()
    'Sessions from the event'
    """
    measure = result.measure
    parts = _events.in_groups(result, _sums(result, window))
    rows = [event for _, part in parts for event in part.index]
    name = _style.named(title, f"{measure.daily[:1].upper()}{measure.daily[1:]} of each event")
    with _style.drawing((7.2, min(1.5 + 0.15 * max(len(rows), 6), 7.5)), figsize, ax) as ax:
        if not rows:
            return _style.blank(ax, name, "no event could be used", result)
        values = result.ar.loc[rows].to_numpy(dtype=np.float64)
        days = result.ar.columns.to_numpy()
        limit = _limit(values)
        ax.set_facecolor(MISSING)
        mesh = ax.imshow(
            np.ma.masked_invalid(values), cmap=COLOURS, norm=Normalize(-limit, limit), aspect="auto",
            interpolation="none", extent=(days[0] - 0.5, days[-1] + 0.5, len(rows) - 0.5, -0.5),
        )  # fmt: skip
        _rows(ax, result, rows, parts)
        ax.grid(visible=False)
        ax.axvline(0, color=_style.INK, linewidth=0.7, linestyle=(0, (2, 3)))
        _style.day_ticks(ax)
        ax.set_xlabel(_style.day_label(result))
        _colour_bar(ax, mesh, result, bool(np.nanmax(np.abs(values)) > limit) if np.isfinite(values).any() else False)
        first, last = (int(days[0]), int(days[-1])) if window is None else window
        text = f"{formats.plural(len(rows), 'event')}, sorted by {measure.short} {formats.window(first, last)}"
        text += ", by group" if len(parts) > 1 else ""
        text += "; grey: no value" if np.isnan(values).any() else ""
        _style.headings(ax, name, text, result)
    return ax


def _sums(result: Result, window: tuple[int, int] | None) -> pd.Series[float]:
    """Return the values by which used events are sorted; an event without one comes last."""
    used = formats.usable_events(result).index
    if window is None:
        return result.ar.loc[result.ar.index.intersection(used, sort=False)].sum(axis=1)
    windows = list(dict.fromkeys(zip(result.cars["start"].tolist(), result.cars["end"].tolist(), strict=True)))
    start, end = arguments.one_window(window, windows)
    rows = in_window(result.cars, (start, end)).set_index("event_id")
    values: pd.Series[float] = rows.loc[used, result.measure.column].fillna(np.inf)
    return values


def _limit(values: np.ndarray) -> float:
    known = np.abs(values[np.isfinite(values)])
    limit = float(np.quantile(known, CLIPPED)) if known.size else 0.0
    return limit if limit > 0 else 1.0


def _rows(ax: Axes, result: Result, rows: list[Any], parts: list[tuple[str, pd.Series[float]]]) -> None:
    """Name the events, if they are few enough, or the groups, and draw lines between groups."""
    ends = np.cumsum([len(part) for _, part in parts])
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color=_style.INK, linewidth=0.9)
    if len(rows) <= MAX_NAMES and _style.width(ax) > 4.5:
        ax.set_yticks(range(len(rows)), [_events.label(result, event) for event in rows], fontsize=7)
    elif len(parts) > 1:
        middles = [end - len(part) / 2 - 0.5 for end, (_, part) in zip(ends, parts, strict=True)]
        names = [f"{_text.drawable(name, 18)} ({len(part)})" for name, part in parts]
        ax.set_yticks(_apart(middles, len(rows)), names, fontsize=8)
    else:
        ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        ax.set_ylabel("Events, the lowest first")
    ax.tick_params(axis="y", length=0)
    _style.verbatim(ax.get_yticklabels())


def _apart(middles: list[float], n: int) -> list[float]:
    """Move the labels of small groups apart, by a thirtieth of the height at least."""
    places: list[float] = []
    for middle in middles:
        places.append(middle if not places else max(middle, places[-1] + n / 30.0))
    return places


def _colour_bar(ax: Axes, mesh: Any, result: Result, clipped: bool) -> None:
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    extend = "both" if clipped else "neither"
    bar = figure.colorbar(mesh, ax=ax, pad=0.02, fraction=0.05, aspect=28, extend=extend)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
    _style.value_axis(bar.ax.yaxis, result.measure, result.measure.daily)


def alt(result: Result) -> str:
    """Describe the number of events and the share of negative values on day 0."""
    used = result.ar.index.intersection(formats.usable_events(result).index)
    step = formats.day_or_bar(result.events["session"])
    text = f"Heat map of the {result.measure.daily} of {formats.plural(len(used), 'event')} by {step}"
    if not len(used) or 0 not in result.ar.columns:
        return text
    day = result.ar.loc[used, 0].dropna()
    if day.empty:
        return text
    low, high = result.measure.text(day.min()), result.measure.text(day.max())
    return f"{text}: on {step} 0 {int((day < 0).sum())} of {len(day)} are below zero, from {low} to {high}"


PLOT = heatmap
