"""Cumulative average abnormal return (or another studied outcome) over relative days, with its 95 % band."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.plots import _style
from eventstudy.plots._alt import listed
from eventstudy.result import Result

MAX_MARKERS = 61  # days; the markers of more would overlap
WIDEST = 1.0  # room for the bands of groups above and below their lines, in ranges of these
MOVED = 0.5  # standard errors by which overlap has to move the path on some day to be mentioned
BANDS = {"pointwise": "95 % band", "simultaneous": "95 % band for all days together"}
COLOURS = (_style.BLUE, _style.RED, "#2f7d4f", "#8a5a1f", "#6a3d8a", "#3d8a86", _style.GREY)


class _Path(NamedTuple):
    """A line: its name, n and caar by day, and the edges of its band."""

    name: str
    daily: pd.DataFrame
    edges: pd.DataFrame


def caar(
    result: Result, *, band: str = "pointwise", group: str | None = None, joint: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw the CAAR, the mean BHAR, or the mean of another cumulated outcome over relative days.

    Parameters
    ----------
    result : Result
    band : {"pointwise", "simultaneous"}
        The band of ``result.daily``, which covers each day by itself with 95 %, or that of ``result.band()``, which
        covers all days together and draws 999 samples.
    group : str, optional
        A group of the study, or "all" for all events. By default a study with groups has one line for each of the
        first seven.
    joint : bool
        Whether to draw ``result.joint()``, the path of all events with their overlap taken out.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied. Where overlap moves the path of all events by more
        than half a standard error on some day, the caption says by how much. No window opens;
        ``.figure.savefig(path)`` writes the figure.

    Raises
    ------
    InputError
        If an option is not valid, or excludes another.
    """
    measure = result.measure
    paths = _paths(result, band, group, joint)
    with _style.drawing(7.2, 3.9, ax) as ax:
        if not any(path.daily["caar"].notna().any() for path in paths):
            return _style.blank(ax, measure.average, f"no event has an {measure.daily}", result)
        for path, colour in zip(paths, COLOURS, strict=False):
            _draw(ax, path, colour)
        if len(paths) > 1 or group is not None:
            _style.verbatim(ax.legend(loc="upper left", fontsize=8).get_texts())
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, "" if measure.percent else measure.name)
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        has_band = any(path.edges["lower"].notna().any() for path in paths)
        counted = _counted(result, paths) + (", overlap taken out" if joint else "")
        notes = [counted, f"shaded: {BANDS[band]}" if has_band else "no band can be computed"]
        if len(paths) == 1 and not joint and group in (None, "all"):
            notes.append(_moved(result))
        if len(paths) > 1 and _cut(ax, paths):
            notes.append("wide bands are cut")
        _style.headings(ax, measure.average, "; ".join(filter(None, notes)), result)
    return ax


def _paths(result: Result, band: str, group: str | None, joint: bool) -> list[_Path]:
    """Return the lines of the options."""
    arguments.choice("band", band, BANDS)
    arguments.flag("joint", joint)
    names = list(dict.fromkeys(result.by_group["group"]))
    if group is not None:
        arguments.choice("group", group, ("all", *names))
    if group not in (None, "all") and (joint or band != "pointwise"):
        raise InputError(f"group is {group!r}, and the joint path and the simultaneous band are those of all events")
    if joint and band != "pointwise":
        raise InputError("the joint path has no simultaneous band; use band='pointwise'")
    if joint:
        return [_Path("all", path := result.joint(), path)]
    if band != "pointwise":
        return [_Path("all", result.daily, result.band())]
    if group == "all" or not names:
        return [_all(result)]
    frames = {name: rows.set_index("day") for name, rows in result.by_group.groupby("group", sort=False)}
    return [_Path(name, frames[name], frames[name]) for name in (names if group is None else [group])]


def _all(result: Result) -> _Path:
    return _Path("all", result.daily, result.daily)


def _draw(ax: Axes, path: _Path, colour: str) -> None:
    days = path.daily.index
    marker = "o" if len(days) <= MAX_MARKERS else None
    name = _style.drawable(path.name, 24)
    ax.plot(days, path.daily["caar"], color=colour, marker=marker, markersize=3.2, label=name)
    if path.edges["lower"].notna().any():
        ax.fill_between(days, path.edges["lower"], path.edges["upper"], color=colour, alpha=0.15, linewidth=0)


def _cut(ax: Axes, paths: list[_Path]) -> bool:
    """Let the lines of groups, and not the widest band, set the value axis; return whether a band is cut."""
    lines = np.concatenate([path.daily["caar"].to_numpy() for path in paths])
    low, high = np.nanmin(lines), np.nanmax(lines)
    room = WIDEST * max(high - low, np.finfo(float).eps)
    bottom, top = ax.get_ylim()
    ax.set_ylim(max(bottom, low - room), min(top, high + room))
    return bool(bottom < low - room or top > high + room)


def _counted(result: Result, paths: list[_Path]) -> str:
    """Return the number of events of a line, or of the groups that are drawn."""
    if len(paths) > 1:
        shown = min(len(paths), len(COLOURS))
        return f"{shown} of {len(paths)} groups" if shown < len(paths) else formats.plural(shown, "group")
    n = paths[0].daily["n"]
    low, high = int(n.min()), int(n.max())
    day = "day" if formats.day_unit(result.events["session"]) == "session" else "bar"
    return formats.plural(high, "event") if low == high else f"{low} to {high} events a {day}"


def _moved(result: Result) -> str:
    """Say by how much overlap moves the path of all events, if it is more than half a standard error on some day."""
    if result.rerun is None or result.rerun.choices.compound:
        return ""
    try:
        joint = result.joint()["caar"]
    except NotEnoughData:
        return "the events overlap too much to tell their days apart"
    difference = result.daily["aar"].cumsum() - joint
    if not (difference.abs() > MOVED * result.daily["se"]).any():
        return ""
    size = max(difference.dropna().tolist(), key=abs)
    return f"overlap moves it by up to {result.measure.text(size)} (joint=True)"


def alt(result: Result) -> str:
    """Describe the path of all events, or the last value of each group."""
    measure, unit = result.measure, formats.day_unit(result.events["session"])
    what = f"{measure.average[:1].lower()}{measure.average[1:]}"
    known = result.daily["caar"].dropna()
    if known.empty:
        return f"Empty chart of the {what}: no event has an {measure.daily}"
    first, last = (formats.count(day) for day in (known.index[0], known.index[-1]))
    text = f"Line chart of the {what}, by {unit} from {first} to {last}: "
    if len(result.by_group):
        ends = result.by_group.dropna(subset=["caar"]).drop_duplicates("group", keep="last")
        rows = zip(ends["group"], ends["caar"], strict=True)
        return text + f"on the last {unit} " + listed(f"{name} {measure.text(value)}" for name, value in rows)
    days = [day for day in (-1, 0) if day in known.index and day != known.index[-1]]
    values = [f"{measure.text(known[day])} on day {formats.count(day)}" for day in days]
    row = result.daily.loc[known.index[-1]]
    end = f"{measure.with_interval(row['caar'], row['lower'], row['upper'])} on day {last}"
    return text + listed([*values, end]) + f" (95 % interval in brackets); {_counted(result, [_all(result)])}"


PLOT = caar
