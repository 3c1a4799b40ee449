"""Events in calendar time by ticker, with their event windows, to show where these overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import tzinfo
from typing import Any

import matplotlib.dates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.plots import _style, _text
from eventstudy.plots._alt import listed
from eventstudy.result import Result
from eventstudy.types import Calendar, Dates, StudySample

dates: Any = matplotlib.dates  # the module has no type hints
TITLE = "Events and their windows"
MAX_TICKERS = 60
MARKS = "oXsDv^P<>*"  # the first is for ok; each status has a mark and a colour
COLOURS = (
    _style.BLUE, _style.RED, "#8a5a00", "#6b3fa0", "#00706b", "#a0306f", "#4d5a00", _style.GREY, "#7a3e1d", "#000000",
)  # fmt: skip


def timeline(
    result: Result,
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw all events in calendar time, one row per ticker.

    A bar is the event window of a usable event, counted in weekdays, or in the ticker's intraday bars; overlapping
    windows are darker. A mark is the event's session (its announcement if it has no session), with a colour for each
    status; events that were not used are drawn a little lower, so that a duplicate does not cover the event that it
    duplicates.

    Parameters
    ----------
    result : Result
    title : str, optional
        In place of "Events and their windows".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default, whose height grows with the number of tickers (at most 60, those with
        most events).

    Returns
    -------
    Axes
    """
    events = pd.DataFrame({"ticker": result.events["ticker"], "status": result.events["status"]})
    zone = getattr(result.events["session"].dtype, "tz", None)
    days = [_day(s, a, zone) for s, a in zip(result.events["session"], result.events["announced"], strict=True)]
    events["day"] = np.array(days, dtype="datetime64[s]")
    n_undated = int(events["day"].isna().sum())
    events = events.dropna(subset=["day"])
    most = _style.fitting(figsize, 1.35, 0.15, MAX_TICKERS, ax)
    rows = list(events["ticker"].value_counts().index[:most])
    rows = [t for t in events.sort_values("day", kind="stable")["ticker"].unique() if t in set(rows)]
    name = _style.named(title, TITLE)
    with _style.drawing((8.4, 1.35 + (0.27 if len(rows) <= 20 else 0.2) * max(len(rows), 2)), figsize, ax) as ax:
        if not rows:
            return _style.blank(ax, name, "no event has a date", result)
        shown = events[events["ticker"].isin(rows)]
        heights = {ticker: row for row, ticker in enumerate(rows)}
        windows = list(_windows(result, shown, zone))
        _bars(ax, windows, heights)
        _marks(ax, shown, heights, 0.5 if zone is None else 0.0)
        _date_axis(ax)
        ax.set_yticks(range(len(rows)), [_text.drawable(t, 22) for t in rows], fontsize=9 if len(rows) <= 20 else 8)
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        text = f"{formats.plural(len(shown), 'event')}, {formats.plural(len(rows), 'ticker')}"
        n_hidden = events["ticker"].nunique() - len(rows)
        text += f"; {formats.plural(n_hidden, 'further ticker')} not shown" if n_hidden else ""
        text += f"; {n_undated} without a date" if n_undated else ""
        _style.headings(ax, name, text + ("; bars: event windows" if windows else ""), result)
    return ax


def _day(session: object, announced: object, zone: tzinfo | None) -> np.datetime64:
    """Return the date of the session, else of the announcement; with a zone, the local date and time of the bar."""
    for stamp in (session, announced):
        with suppress(ValueError):  # missing, or text that is not a date
            day = np.datetime64(formats.date(stamp)[:10], "D")
            time = None if zone is None else pd.Timestamp(stamp)  # type: ignore[arg-type]
            return day if time is None or time.tz is None else time.tz_convert(zone).tz_localize(None).to_datetime64()
    return np.datetime64("NaT", "D")


def _windows(result: Result, shown: pd.DataFrame, zone: tzinfo | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield, for each ticker, the starts and the ends of the event windows of its usable events."""
    relative = result.ar.columns
    if not len(relative):
        return
    low, high = int(min(relative)), int(max(relative))
    for ticker, part in shown[shown["status"] == "ok"].groupby("ticker"):
        days = part["day"].to_numpy().astype("datetime64[s]")
        if zone is None:
            days = days.astype("datetime64[D]")
            first, last = (np.busday_offset(days, offset, roll="forward") for offset in (low, high))
            yield str(ticker), first, last + np.timedelta64(1, "D")
        elif result.rerun is not None:
            calendar = _calendar_of(result.rerun.sample(), str(ticker))
            starts, ends = _clock(calendar.dates, zone), _clock(calendar.closes, zone)
            at = np.searchsorted(starts, days)
            begin, end = (np.clip(at + offset, 0, len(starts) - 1) for offset in (low, high))
            yield str(ticker), starts[begin], ends[end]


def _calendar_of(sample: StudySample, ticker: str) -> Calendar:
    """Return the bars that a usable event's ticker is on."""
    panel = next(panel for panel in sample.panels if ticker in panel.assets)
    return next(calendar for calendar in sample.calendars.values() if str(calendar.name) == panel.calendar)


def _clock(times: Dates | None, zone: Any) -> np.ndarray:
    """Return what the clock of a zone shows at times in UTC; bars have an end each."""
    assert times is not None, "the calendar of bars within the day has no ends"
    return pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).tz_localize(None).to_numpy("datetime64[s]")


def _bars(ax: Axes, windows: Sequence[tuple[str, np.ndarray, np.ndarray]], rows: dict[str, int]) -> None:
    """Draw the event windows of the usable events."""
    for ticker, first, last in windows:
        start, end = dates.date2num(first), dates.date2num(last)
        spans = list(zip(start, end - start, strict=True))
        ax.broken_barh(spans, (rows[ticker] - 0.28, 0.56), facecolor=_style.BLUE, alpha=0.22, linewidth=0)


def _marks(ax: Axes, shown: pd.DataFrame, rows: dict[str, int], shift: float) -> None:
    """Draw a mark for each event, shifted by a part of a day, and the legend of the statuses."""
    others = sorted(set(shown["status"]) - {"ok"})
    styles = {"ok": 0} | {status: 1 + k % (len(MARKS) - 1) for k, status in enumerate(others)}
    for status, k in styles.items():
        part = shown[shown["status"] == status]
        if len(part):
            x = dates.date2num(part["day"].to_numpy()) + shift
            ax.scatter(
                x, part["ticker"].map(rows) + (0.24 if k else 0), s=30, marker=MARKS[k], color=COLOURS[k],
                edgecolor="white", linewidth=0.6, zorder=3, label=f"{_text.drawable(status)} ({len(part)})",
            )  # fmt: skip
    _style.legend_below(ax, 4, gap=2.4)


def _date_axis(ax: Axes) -> None:
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    ax.grid(visible=True, axis="x")
    ax.use_sticky_edges = False
    ax.margins(x=0.02)


def alt(result: Result) -> str:
    """Describe the number of events by status, and their first and last session."""
    events = result.events
    if not len(events):
        return "Empty time line: the study has no events"
    sessions = events["session"].dropna()
    counts = events["status"].value_counts()
    text = (
        f"Time line of {formats.plural(len(events), 'event')} of {formats.plural(events['ticker'].nunique(), 'ticker')}"
    )
    if len(sessions):
        text += f", {formats.date(sessions.min())[:10]} to {formats.date(sessions.max())[:10]}"
    return f"{text}: " + listed(f"{n} {status}" for status, n in counts.items())


PLOT = timeline
