"""Events on calendar time by ticker, with their windows, so that overlaps are seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import matplotlib.dates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.plots import _style
from eventstudy.result import Result
from eventstudy.types import Calendar, Dates, StudySample

dates: Any = matplotlib.dates  # it has no type hints
TITLE = "Events and their windows"
MOST = 60
MARKS = "oXsDv^P<>*"  # the first is for ok; status is told by form as well as by colour
COLOURS = (
    _style.BLUE, _style.RED, "#8a5a00", "#6b3fa0", "#00706b", "#a0306f", "#4d5a00", _style.GREY, "#7a3e1d", "#000000",
)  # fmt: skip


def timeline(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw every event where it falls in time, one row a ticker.

    A bar is the event window of a usable event, counted in weekdays, or in the ticker's own bars within the day; where
    windows overlap it is darker. A mark is the event's session (its announcement, where it has no session), coloured by
    what became of the event; those that were not used stand a little lower, so that a duplicate does not hide what it
    repeats.

    Parameters
    ----------
    result : Result
    ax : Axes, optional
        Axes to draw on; a new figure by default, as tall as it has tickers (at most 60, those with most events).

    Returns
    -------
    Axes
    """
    dated = pd.DataFrame({"ticker": result.events["ticker"], "status": result.events["status"]})
    zone = getattr(result.events["session"].dtype, "tz", None)
    days = [_day(s, a, zone) for s, a in zip(result.events["session"], result.events["announced"], strict=True)]
    dated["day"] = np.array(days, dtype="datetime64[s]")
    undated = int(dated["day"].isna().sum())
    dated = dated.dropna(subset=["day"])
    rows = list(dated["ticker"].value_counts().index[:MOST])
    rows = [t for t in dated.sort_values("day", kind="stable")["ticker"].unique() if t in set(rows)]
    with _style.drawing(8.4, 1.35 + 0.27 * max(len(rows), 2), ax) as ax:
        if not rows:
            return _style.blank(ax, TITLE, "no event has a date", result)
        shown = dated[dated["ticker"].isin(rows)]
        places = {ticker: row for row, ticker in enumerate(rows)}
        windows = list(_windows(result, shown, zone))
        _bars(ax, windows, places)
        _marks(ax, shown, places, 0.5 if zone is None else 0.0)
        _calendar(ax)
        ax.set_yticks(range(len(rows)), [_style.drawable(t, 22) for t in rows])
        _style.verbatim(ax.get_yticklabels())
        ax.set_ylim(len(rows) - 0.4, -0.6)
        text = f"{formats.plural(len(shown), 'event')}, {formats.plural(len(rows), 'ticker')}"
        more = dated["ticker"].nunique() - len(rows)
        text += f"; {formats.plural(more, 'further ticker')} not shown" if more else ""
        text += f"; {undated} without a date" if undated else ""
        _style.headings(ax, TITLE, text + ("; bars: event windows" if windows else ""), result)
    return ax


def _day(session: object, announced: object, zone: Any) -> np.datetime64:
    """Give the date, or, of a bar within the day, what the clock shows in its zone."""
    for stamp in (session, announced):
        with suppress(ValueError):  # nothing there, or text that is no date
            day = np.datetime64(formats.date(stamp)[:10], "D")
            when = None if zone is None else pd.Timestamp(stamp)  # type: ignore[arg-type]
            return day if when is None or when.tz is None else when.tz_convert(zone).tz_localize(None).to_datetime64()
    return np.datetime64("NaT", "D")


def _windows(result: Result, shown: pd.DataFrame, zone: Any) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Give by ticker the beginnings and ends of the event windows of its usable events."""
    relative = result.ar.columns
    if not len(relative):
        return
    low, high = int(min(relative)), int(max(relative))
    for ticker, part in shown[shown["status"] == "ok"].groupby("ticker"):
        days = part["day"].to_numpy().astype("datetime64[s]")
        if zone is None:
            days = days.astype("datetime64[D]")
            first, last = (np.busday_offset(days, reach, roll="forward") for reach in (low, high))
            yield str(ticker), first, last + 1
        elif result.rerun is not None:
            calendar = _calendar_of(result.rerun.sample(), str(ticker))
            starts, ends = _clock(calendar.dates, zone), _clock(calendar.closes, zone)
            at = np.searchsorted(starts, days)
            begin, end = (np.clip(at + reach, 0, len(starts) - 1) for reach in (low, high))
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
        begin, end = dates.date2num(first), dates.date2num(last)
        spans = list(zip(begin, end - begin, strict=True))
        ax.broken_barh(spans, (rows[ticker] - 0.28, 0.56), facecolor=_style.BLUE, alpha=0.22, linewidth=0)


def _marks(ax: Axes, shown: pd.DataFrame, rows: dict[str, int], noon: float) -> None:
    """Draw a mark an event, in the middle of its day or on its bar, and the legend of what became of them."""
    lost = sorted(set(shown["status"]) - {"ok"})
    looks = {"ok": 0} | {status: 1 + k % (len(MARKS) - 1) for k, status in enumerate(lost)}
    for status, look in looks.items():
        part = shown[shown["status"] == status]
        if len(part):
            when = dates.date2num(part["day"].to_numpy()) + noon
            ax.scatter(
                when, part["ticker"].map(rows) + (0.24 if look else 0), s=30, marker=MARKS[look], color=COLOURS[look],
                edgecolor="white", linewidth=0.6, zorder=3, label=f"{_style.drawable(status)} ({len(part)})",
            )  # fmt: skip
    legend = ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=4, borderaxespad=2.4, borderpad=0, fontsize=8)
    _style.verbatim(legend.get_texts())


def _calendar(ax: Axes) -> None:
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    ax.grid(visible=True, axis="x")
    ax.use_sticky_edges = False
    ax.margins(x=0.02)


PLOT = timeline
