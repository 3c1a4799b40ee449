"""One event's cumulative abnormal return (or another studied outcome) with its band, other news, and volume."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from eventstudy.display import formats
from eventstudy.plots import _bands, _style, _text
from eventstudy.result import Result

VOLUME = 0.18  # height of the largest volume, in heights of the axes
MAX_LABELS = 30  # bars
MAX_DATES = 8  # days in the label of the axis
DATE = "%a %d %b"
NIGHT_SECOND = 59  # a night that is a bar of its own is stamped one second before the day's first bar


def path(
    result: Result,
    *,
    event_id: Hashable = None,
    start: int | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cumulative path of one event over its event window.

    Parameters
    ----------
    result : Result
    event_id : optional
        The event; the first usable one by default.
    start : int, optional
        The relative day at which cumulation starts; the first day of the event window by default.
    level : float
        Level of confidence of the band, 0.95 by default.
    title : str, optional
        In place of the ticker and the session.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied. Triangles are days of other events of the ticker, and
        grey bars its volume, if the prices have it. Intraday bars are labelled by the local time at which
        they start, and nights are shaded.

    Raises
    ------
    InputError
        When the event is unknown or was not used, or ``start`` is not in the event window.
    """
    chosen = formats.usable_ids(result, None if event_id is None else [event_id])
    measure, level = result.measure, _bands.check_level(level)
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        if not chosen:
            return _style.blank(ax, _style.named(title, "The path of an event"), "no event could be used", result)
        event, frame = result.events.loc[chosen[0]], result.path(chosen[0], start)
        values = frame[measure.column]
        ax.plot(frame.index, values, color=_style.BLUE, marker="o", markersize=3.2, zorder=3)
        edges = _bands.edges(frame, level, measure.column)
        has_band = edges["lower"].notna().any()
        if has_band:
            ax.fill_between(frame.index, edges["lower"], edges["upper"], color=_style.BLUE, alpha=0.15, linewidth=0)
        missing = frame.index[frame["ar"].isna()]
        ax.scatter(missing, values[missing].fillna(0.0), marker="x", color=_style.GREY, s=22, linewidth=1.2, zorder=4)
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, measure.short)
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        text = _text.drawable(chosen[0], 40)
        text += f"; shaded: {_bands.percent(level)} band" if has_band else "; no band can be computed"
        text += f"; ×: no {_text.drawable(measure.series)}" if missing.size else ""
        text += _other_news(ax, result, chosen[0], frame["time"]) + _volume(ax, result, event["ticker"], frame["time"])
        if isinstance(frame["time"].dtype, pd.DatetimeTZDtype):
            _time_axis(ax, frame["time"])
            text += "; grey: nights"
        name = _style.named(title, f"{event['ticker']}, {_session_text(event['session'])}")
        _style.headings(ax, name, text, result)
    return ax


def _other_news(ax: Axes, result: Result, event_id: Any, times: pd.Series[pd.Timestamp]) -> str:
    """Mark the days of other events of the ticker below the path, and return a note on them."""
    events = result.events
    others = events[(events["ticker"] == events.loc[event_id, "ticker"]) & (events.index != event_id)]
    others = others[others["session"].isin(times.dropna())].drop_duplicates("session")
    others = others[others["session"] != events.loc[event_id, "session"]]
    days = times.index[times.isin(others["session"])]
    if not len(days):
        return ""
    ax.scatter(
        days, np.full(len(days), 0.03), marker="^", s=26, color=_style.RED, transform=ax.get_xaxis_transform(), zorder=5
    )
    return f"; ▲: {'other news' if len(days) == 1 else f'{len(days)} days with other news'} of the firm"


def _volume(ax: Axes, result: Result, ticker: str, times: pd.Series[pd.Timestamp]) -> str:
    """Draw the volume of each day at the foot of the axes, if the prices have it, and return a note on it."""
    volume = None if result.rerun is None else result.rerun.series(ticker, "volume")
    if volume is None:
        return ""
    is_local = isinstance(times.dtype, pd.DatetimeTZDtype)
    values = volume.reindex(pd.DatetimeIndex(times.dt.tz_convert("UTC").dt.tz_localize(None) if is_local else times))
    largest = float(values.max())
    if not largest > 0:
        return ""
    heights = VOLUME * values.to_numpy() / largest
    ax.bar(
        times.index, heights, width=0.72, color=_style.GREY, alpha=0.25, linewidth=0, zorder=0,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip
    return f"; grey bars: volume, at most {largest:,.0f}"


def _session_text(session: pd.Timestamp) -> str:
    """Return the date of a session; for a night that is a bar of its own, the start of the bar at which it ends."""
    if session.second == NIGHT_SECOND:
        return f"night to {formats.date(session + pd.Timedelta('1s'))}"
    return formats.date(session)


def _time_axis(ax: Axes, times: pd.Series[pd.Timestamp]) -> None:
    """Label bars by their local start and the axis by the dates, and shade the nights."""
    days, has_bar = times.index.to_numpy(), times.notna().to_numpy()
    date = times.dt.strftime("%Y-%m-%d").to_numpy()
    is_night = has_bar & (times.dt.second == NIGHT_SECOND).to_numpy()
    openings = np.flatnonzero(has_bar[1:] & has_bar[:-1] & (date[1:] != date[:-1])) + 1
    for k in openings:
        left, right = (days[k] - 0.5, days[k] + 0.5) if is_night[k] else (days[k] - 0.62, days[k] - 0.38)
        ax.axvspan(left, right, color=_style.GREY, alpha=0.22, linewidth=0, zorder=0)
    labels = times.dt.strftime("%H:%M").to_numpy(dtype=object)
    labels[is_night] = "night"
    step = -(-len(days) // MAX_LABELS)
    shown = np.flatnonzero(has_bar)[::step]
    ax.xaxis.set_major_locator(FixedLocator(days[shown].tolist()))
    ax.set_xticklabels([labels[k] for k in shown], rotation=90, fontsize=7.5)
    starts = np.concatenate([np.flatnonzero(has_bar)[:1], openings])
    dates = [f"{times.iloc[k]:{DATE}}" for k in starts]
    zone = times.dt.tz
    text = f"{dates[0]} to {dates[-1]}" if len(dates) > MAX_DATES else ", ".join(dates)
    ax.set_xlabel(f"Start of the bar, {zone}: {text}")


def alt(result: Result) -> str:
    """Describe the path of the first usable event."""
    chosen = formats.usable_ids(result)
    if not chosen:
        return "Empty chart of the path of an event: no event could be used"
    event, values, measure = result.events.loc[chosen[0]], result.ar.loc[chosen[0]].cumsum().dropna(), result.measure
    text = f"Line chart of the {measure.name} of {event['ticker']}, {_session_text(event['session'])}"
    if measure.column != "car" or values.empty:
        return text
    step = formats.day_or_bar(result.events["session"])
    return f"{text}: {measure.text(values.iloc[-1])} on {step} {formats.count(values.index[-1])}"


PLOT = path
