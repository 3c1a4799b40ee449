"""Forest plot: the CAR (or another studied outcome) of each event over a window, with its interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.core.nulls import margin
from eventstudy.display import formats
from eventstudy.display.rows import in_window
from eventstudy.errors import InputError, shown
from eventstudy.plots import _bands, _events, _style, _text
from eventstudy.plots._alt import listed
from eventstudy.result import Result

MOST = 60  # events of a page
ROW_HEIGHT = 0.165  # inches


class _Row(NamedTuple):
    """A line: the name, the value with its interval, and what it is: a group's heading, an event or the mean."""

    name: str
    value: float
    lower: float
    upper: float
    kind: str
    date: str = ""


def forest(
    result: Result,
    *,
    window: tuple[int, int] | None = None,
    page: int = 1,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the CARs of single events, the lowest first, and their mean below.

    Parameters
    ----------
    result : Result
    window : (int, int), optional
        A window of the study; the first by default.
    page : int
        Which 60 events (fewer where ``figsize`` or ``ax`` has less room): 1 has the lowest CARs, the last page the
        highest. A study with groups is sorted by group.
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of the name of the measure.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default, whose height grows with the number of events.

    Returns
    -------
    Axes
        The intervals of events are those of their forecast error, t(M - k); marks are filled where 0 lies outside. The
        diamond is the mean of all events with the interval of ``effects``. The CARs are what happened: in a study with
        signs they are not multiplied by them, and its mean, which is of signed CARs, is not drawn; the caption says so.
        Events without a CAR are counted.

    Raises
    ------
    InputError
        If the window is not one of the study, or there is no such page.

    Examples
    --------
    >>> from eventstudy import demo
    >>> ax = demo.run().result.plot("forest", window=(-1, 1), page=2)
    >>> ax.texts[0].get_text().partition(";")[0]
    'events 61 to 120 of 393, window (−1, 1)'
    """
    level = _bands.check_level(level)
    measure = result.measure
    name = _style.named(title, f"{measure.name[:1].upper()}{measure.name[1:]} by event")
    cars, pair = _cars(result, window)
    parts = _events.in_groups(result, cars[measure.column])
    n = sum(len(part) for _, part in parts)
    most = _style.fitting(figsize, 1.5, 0.12, MOST, ax)
    rows = _page(_lines(result, cars, parts, level), page, most)
    rows += _mean(result, pair, level) if n else []
    with _style.drawing((7.2, 1.2 + ROW_HEIGHT * max(len(rows), 4)), figsize, ax) as ax:
        if not n:
            return _style.blank(ax, name, f"no event has a {measure.short}", result)
        _draw(ax, rows)
        _style.value_axis(ax.xaxis, measure, f"{measure.short} {formats.window(*pair)}")
        first = most * (page - 1)
        count = sum(row.kind == "event" for row in rows)
        text = formats.plural(n, "event") if count == n else f"events {first + 1} to {first + count} of {n}"
        text += f", window {formats.window(*pair)}"
        if any(np.isfinite(row.lower) for row in rows):
            text += f"; strokes: {_bands.percent(level)} intervals, filled: 0 is outside"
        n_without = int(cars[measure.column].isna().sum())
        text += f"; {n_without} without a {measure.short}" if n_without else ""
        text += "; not signed, unlike the study's mean, which is not drawn" if measure.sign is not None else ""
        text += f"; page={page + 1} has the next" if first + count < n else ""
        _style.headings(ax, name, text, result)
    return ax


def _cars(result: Result, window: tuple[int, int] | None) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return the rows of ``cars`` of the used events over a window, by event, and the window."""
    cars = result.cars
    windows = list(dict.fromkeys(zip(cars["start"].tolist(), cars["end"].tolist(), strict=True)))
    if not windows:
        return cars.set_index("event_id"), (0, 0)
    pair = arguments.one_window(window, windows)
    rows = in_window(cars, pair).set_index("event_id")
    return rows.loc[rows.index.intersection(formats.usable_events(result).index, sort=False)], pair


def _lines(
    result: Result, cars: pd.DataFrame, parts: list[tuple[str, pd.Series[float]]], level: float
) -> list[tuple[str, _Row]]:
    """Return the rows of all events in order, each with its group."""
    half = pd.Series(margin(cars["se"].to_numpy(), cars["df"].to_numpy(), level), cars.index)
    if not result.measure.has_p:
        half[:] = np.nan  # the standard error is that of the sum, and the effect is compounded
    lines = []
    for group, part in parts:
        sessions = result.events["session"].reindex(part.index)
        for event_id, value, width, session in zip(part.index, part, half[part.index], sessions, strict=True):
            name, date = _events.label(result, event_id), formats.date(session)[:10]
            lines.append((group, _Row(name, value, value - width, value + width, "event", date)))
    return lines


def _page(lines: list[tuple[str, _Row]], page: object, most: int) -> list[_Row]:
    """Return the rows of a page of ``most`` events, with a heading above each group."""
    pages = max(-(-len(lines) // most), 1)
    if not arguments.is_whole(page) or not 1 <= page <= pages:
        raise InputError(f"page is {shown(page)}; {formats.plural(len(lines), 'event')} fill pages 1 to {pages}")
    rows: list[_Row] = []
    above = ""
    for group, row in lines[most * (page - 1) : most * page]:
        if group != above:
            rows.append(_Row(_text.drawable(group, 30), np.nan, np.nan, np.nan, "group"))
            above = group
        rows.append(row)
    return rows


def _mean(result: Result, window: tuple[int, int], level: float) -> list[_Row]:
    """Return the mean of all events, unless it is of signed values."""
    effects = result.effects
    if result.measure.sign is not None or effects.empty:
        return []
    row = in_window(effects, window)
    value = float(row["effect"].iloc[0])
    half = float(margin(row["se"].to_numpy(), row["df"].to_numpy(), level)[0])
    name = f"Mean of {formats.plural(int(row['n'].iloc[0]), 'event')}"
    return [_Row(name, value, value - half, value + half, "mean")]


def _draw(ax: Axes, rows: list[_Row]) -> None:
    y = np.arange(len(rows))
    ax.axvline(0, color=_style.GREY, linewidth=0.8, zorder=1)
    for kind, marker, area in (("event", "o", 16), ("mean", "D", 34)):
        at = np.array([k for k, row in enumerate(rows) if row.kind == kind], dtype=np.int64)
        value, lower, upper = np.array([rows[k][1:4] for k in at], dtype=np.float64).reshape(-1, 3).T
        colour = np.where(value < 0, _style.RED, _style.BLUE) if kind == "event" else np.full(len(at), _style.INK)
        excludes = (lower > 0) | (upper < 0) | (kind == "mean")
        ax.hlines(at, lower, upper, color=colour.tolist(), linewidth=1.3, zorder=2)
        ax.scatter(
            value, at, marker=marker, s=area, zorder=3, facecolor=np.where(excludes, colour, "white").tolist(),
            edgecolor=colour.tolist(), linewidth=1.0,
        )  # fmt: skip
    if rows[-1].kind == "mean":
        ax.axhline(len(rows) - 1.5, color=_style.GREY, linewidth=0.6)
    narrow = _style.width(ax) < 4.5
    names = [_text.drawable(row.name, 26) if narrow else f"{row.name}  {row.date}".rstrip() for row in rows]
    ax.set_yticks(y, names, fontsize=6.5 if narrow else 7.5)
    for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
        if row.kind != "event":
            tick.set(color=_style.INK, **_text.BOLD)
    _style.verbatim(ax.get_yticklabels())
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")


def alt(result: Result) -> str:
    """Describe how many events are below zero and how many intervals exclude it, and the mean."""
    measure, (cars, pair) = result.measure, _cars(result, None)
    values = cars[measure.column].dropna()
    kind = measure.full if measure.sign is None else f"{measure.full}, not signed,"
    text = f"Forest plot of the {kind} of {formats.plural(len(values), 'event')} over {formats.window(*pair)}"
    if values.empty:
        return f"{text}: no event has one"
    parts = [f"{int((values < 0).sum())} below zero"]
    if measure.has_p and cars["p"].notna().any():
        parts.append(f"{int((cars['p'] < 0.05).sum())} with a 95 % interval that excludes zero")
    first, last = values.idxmin(), values.idxmax()
    parts.append(f"from {measure.text(values.min())} ({first}) to {measure.text(values.max())} ({last})")
    return f"{text}: {listed(parts)}"


PLOT = forest
