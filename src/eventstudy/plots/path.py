"""One event's cumulative abnormal return, or what else was studied, with its 95 % band; bars by the clock."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from eventstudy.display import formats
from eventstudy.plots import _style
from eventstudy.result import Result

MOST = 30  # bars that are each labelled
MOST_DAYS = 8  # days that are each dated
DAY = "%a %d %b"
NIGHT = 59  # a night that is a bar of its own is dated a second before the day's first


def path(result: Result, *, event_id: Hashable = None, start: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw one event's path over its event window.

    Parameters
    ----------
    result : Result
    event_id : optional
        Which event; the first usable one by default.
    start : int, optional
        The relative day from which abnormal returns are accumulated; the first of the event window by default.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        In per cent where returns are studied, over relative days; bars within the day are labelled with the time at
        which they start at their exchange, and nights are shaded.

    Raises
    ------
    InputError
        When the event is unknown or was not used, or ``start`` is not in the event window.
    """
    chosen = formats.usable_ids(result, None if event_id is None else [event_id])
    measure = result.measure
    with _style.drawing(7.2, 3.9, ax) as ax:
        if not chosen:
            return _style.blank(ax, "The path of an event", "no event could be used", result)
        event, found = result.events.loc[chosen[0]], result.path(chosen[0], start)
        values = found[measure.column]
        ax.plot(found.index, values, color=_style.BLUE, marker="o", markersize=3.2, zorder=3)
        banded = found["lower"].notna().any()
        if banded:
            ax.fill_between(found.index, found["lower"], found["upper"], color=_style.BLUE, alpha=0.15, linewidth=0)
        lacking = found.index[found["ar"].isna()]
        ax.scatter(lacking, values[lacking].fillna(0.0), marker="x", color=_style.GREY, s=22, linewidth=1.2, zorder=4)
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, measure.name)
        ax.set_xlabel(_style.from_the_event(result))
        ax.margins(x=0.02)
        text = _style.drawable(chosen[0], 40) + ("; shaded: 95 % band" if banded else "; no band can be computed")
        text += f"; ×: no {_style.drawable(measure.series)}" if lacking.size else ""
        if isinstance(found["time"].dtype, pd.DatetimeTZDtype):
            _clock(ax, found["time"])
            text += "; grey: nights"
        _style.headings(ax, f"{event['ticker']}, {_when(event['session'])}", text, result)
    return ax


def _when(session: Any) -> str:
    """Write a session, and a night that is a bar of its own by the bar that it ends with."""
    night = getattr(session, "second", 0) == NIGHT
    return f"night to {formats.date(session + pd.Timedelta('1s'))}" if night else formats.date(session)


def _clock(ax: Axes, times: pd.Series[pd.Timestamp]) -> None:
    """Label bars with their local start, date the days, and shade the nights."""
    days, known = times.index.to_numpy(), times.notna().to_numpy()
    date = times.dt.strftime("%Y-%m-%d").to_numpy()
    nightly = known & (times.dt.second == NIGHT).to_numpy()
    first = np.flatnonzero(known[1:] & known[:-1] & (date[1:] != date[:-1])) + 1
    for at in first:
        left, right = (days[at] - 0.5, days[at] + 0.5) if nightly[at] else (days[at] - 0.62, days[at] - 0.38)
        ax.axvspan(left, right, color=_style.GREY, alpha=0.22, linewidth=0, zorder=0)
    labels = times.dt.strftime("%H:%M").to_numpy(dtype=object)
    labels[nightly] = "night"
    every = -(-len(days) // MOST)
    shown = np.flatnonzero(known)[::every]
    ax.xaxis.set_major_locator(FixedLocator(days[shown].tolist()))
    ax.set_xticklabels([labels[k] for k in shown], rotation=90, fontsize=7.5)
    starts = np.concatenate([np.flatnonzero(known)[:1], first])
    dated = [f"{times.iloc[k]:{DAY}}" for k in starts]
    zone = times.dt.tz
    said = f"{dated[0]} to {dated[-1]}" if len(dated) > MOST_DAYS else ", ".join(dated)
    ax.set_xlabel(f"Start of the bar, {zone}: {said}")


PLOT = path
