"""Cumulative average abnormal return (or another studied outcome) over relative days, with its 95 % band."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.plots import _bands, _style, _text
from eventstudy.plots._alt import listed
from eventstudy.result import Result

MAX_MARKERS = 61  # days; the markers of more would overlap
MOVED = 0.5  # standard errors by which overlap has to move the path on some day to be mentioned
BANDS = {
    "pointwise": "{} band",
    "simultaneous": "{} band for all days together",
    "both": "{0} band, and lighter that for all days together",
}


class _Options(NamedTuple):
    band: str
    group: str | None
    joint: bool
    level: float


class _Path(NamedTuple):
    """A line: its name, n and caar by day, and the edges of its bands, the widest first."""

    name: str
    daily: pd.DataFrame
    bands: tuple[pd.DataFrame, ...] = ()


def caar(
    result: Result,
    *,
    band: str = "pointwise",
    group: str | None = None,
    joint: bool = False,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the CAAR, the mean BHAR, or the mean of another cumulated outcome over relative days.

    Parameters
    ----------
    result : Result
    band : {"pointwise", "simultaneous", "both"}
        The band of ``result.daily``, which covers each day by itself; that of ``result.band()``, which covers all days
        together and draws 999 samples; or both, the second lighter.
    group : str, optional
        A group of the study, or "all" for all events. By default a study with groups has one line for each of the
        first seven, with the interval of the last day at the right.
    joint : bool
        Whether to draw ``result.joint()``, the path of all events with their overlap taken out.
    level : float
        Level of confidence of the band, 0.95 by default.
    title : str, optional
        In place of the name of the measure.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied. Where overlap moves the path of all events by more
        than half a standard error on some day, the caption says by how much. No window opens.

    Raises
    ------
    InputError
        If an option is not valid, or excludes another.

    Examples
    --------
    >>> from eventstudy import demo
    >>> ax = demo.run().result.plot("caar", level=0.9, title="Reaction to China's measures", figsize=(3.5, 2.8))
    >>> ax.get_ylabel()
    'Mean signed CAR (%)'
    """
    measure, level = result.measure, _bands.check_level(level)
    paths = _paths(result, _Options(band, group, joint, level))
    name = _style.named(title, measure.average)
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        if not any(path.daily["caar"].notna().any() for path in paths):
            return _style.blank(ax, name, f"no event has an {measure.daily}", result)
        for k, path in enumerate(paths[: len(_style.COLOURS)]):
            _draw(ax, path, k if len(paths) > 1 else None)
        if len(paths) > 1 or group not in (None, "all"):
            _style.legend_below(ax, 4)
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, f"mean {measure.averaged}")
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        has_band = any(part["lower"].notna().any() for path in paths for part in path.bands)
        notes = [_counted(result, paths) + (", overlap taken out" if joint else "")]
        between = f"shaded: {BANDS[band].format(_bands.percent(level))}"
        if len(paths) > 1:
            last = formats.day_or_bar(result.events["session"])
            between = f"at the right: {_bands.percent(level)} intervals of the last {last}"
        notes.append(between if has_band else "no band can be computed")
        if len(paths) == 1 and not joint and group in (None, "all"):
            notes.append(_moved(result))
        if len(paths) > 1 and _bands.cut(ax, np.concatenate([path.daily["caar"].to_numpy() for path in paths])):
            notes.append("wide intervals are cut")
        _style.headings(ax, name, "; ".join(filter(None, notes)), result)
    return ax


def _paths(result: Result, options: _Options) -> list[_Path]:
    """Return the lines of the options."""
    band, group, joint, level = options
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
        path = result.joint()
        return [_Path("all", path, (_bands.edges(path, level),))]
    if band != "pointwise":
        together = result.band(level)[["lower", "upper"]]
        both = (together, _bands.edges(result.daily, level))
        return [_Path("all", result.daily, both if band == "both" else both[:1])]
    if group == "all" or not names:
        return [_Path("all", result.daily, (_bands.edges(result.daily, level),))]
    frames = {name: rows.set_index("day") for name, rows in result.by_group.groupby("group", sort=False)}
    shown = names if group is None else [group]
    return [_Path(name, frames[name], (_bands.edges(frames[name], level),)) for name in shown]


def _draw(ax: Axes, path: _Path, position: int | None) -> None:
    """Draw a line and its bands; the position of a group among others sets colour, line style and marker."""
    days = path.daily.index
    colour = _style.BLUE if position is None else _style.COLOURS[position]
    dashes = _style.DASHES[position or 0]
    marker = _style.MARKERS[position or 0] if len(days) <= MAX_MARKERS else None
    name = _text.drawable(path.name, 24) + (f" ({int(path.daily['n'].max())})" if path.name != "all" else "")
    ax.plot(
        days, path.daily["caar"], color=colour, linestyle=dashes, marker=marker, markersize=3.2, markevery=1,
        linewidth=1.8 if position is None else 1.5, label=name, zorder=3,
    )  # fmt: skip
    if position is not None:
        _stroke(ax, path, position)
        return
    for part in path.bands:
        if part["lower"].notna().any():
            ax.fill_between(days, part["lower"], part["upper"], color=colour, alpha=0.16, linewidth=0)


def _stroke(ax: Axes, path: _Path, position: int) -> None:
    """Draw the interval of the last day beside the lines: the bands of several groups would hide each other."""
    days, known = path.daily.index, np.flatnonzero(path.daily["caar"].notna())
    if not len(known) or pd.isna(path.bands[0]["lower"].iloc[known[-1]]):
        return
    at = days[-1] + (days[-1] - days[0]) * 0.022 * (position + 1)
    value, colour = path.daily["caar"].iloc[known[-1]], _style.COLOURS[position]
    low, high = (path.bands[0][name].iloc[known[-1]] for name in ("lower", "upper"))
    ax.vlines(at, low, high, color=colour, linewidth=1.4, zorder=2)
    ax.plot([at], [value], color=colour, marker=_style.MARKERS[position], markersize=4.5, zorder=3)


def _counted(result: Result, paths: list[_Path]) -> str:
    """Return the number of events of a line, or of the groups that are drawn."""
    if len(paths) > 1:
        shown = min(len(paths), len(_style.COLOURS))
        return f"{shown} of {len(paths)} groups" if shown < len(paths) else formats.plural(shown, "group")
    n = paths[0].daily["n"]
    low, high = int(n.min()), int(n.max())
    return (
        formats.plural(high, "event")
        if low == high
        else f"{low} to {high} events a {formats.day_or_bar(result.events['session'])}"
    )


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
    step = formats.day_or_bar(result.events["session"])
    values = [f"{measure.text(known[day])} on {step} {formats.count(day)}" for day in days]
    row = result.daily.loc[known.index[-1]]
    end = f"{measure.with_interval(row['caar'], row['lower'], row['upper'])} on {step} {last}"
    counted = _counted(result, [_Path("all", result.daily)])
    return f"{text}{listed([*values, end])} (95 % interval in brackets); {counted}"


PLOT = caar
