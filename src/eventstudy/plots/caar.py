"""Cumulative average abnormal return (or another studied outcome) over relative days, with its 95 % band."""

from __future__ import annotations

from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.plots import _style
from eventstudy.result import Result

MAX_MARKERS = 61  # days; the markers of more would overlap
BANDS = {"pointwise": "95 % band", "simultaneous": "95 % band for all days together"}


def caar(result: Result, *, band: str = "pointwise", ax: Axes | None = None) -> Axes:
    """Draw the CAAR, the mean BHAR, or the mean of another cumulated outcome over relative days.

    Parameters
    ----------
    result : Result
    band : {"pointwise", "simultaneous"}
        The band of ``result.daily``, which covers each day by itself with 95 %, or that of ``result.band()``, which
        covers all days together and draws 999 samples.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied. No window opens; ``.figure.savefig(path)`` writes the
        figure.
    """
    arguments.choice("band", band, BANDS)
    daily, measure = result.daily, result.measure
    edges = result.band() if band == "simultaneous" else daily
    with _style.drawing(7.2, 3.9, ax) as ax:
        if daily["caar"].notna().sum() == 0:
            return _style.blank(ax, measure.average, f"no event has an {measure.daily}", result)
        marker = "o" if len(daily) <= MAX_MARKERS else None
        ax.plot(daily.index, daily["caar"], color=_style.BLUE, marker=marker, markersize=3.2)
        has_band = edges["lower"].notna().any()
        if has_band:
            ax.fill_between(daily.index, edges["lower"], edges["upper"], color=_style.BLUE, alpha=0.15, linewidth=0)
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, "" if measure.percent else measure.name)
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        low, high = int(daily["n"].min()), int(daily["n"].max())
        day = "day" if formats.day_unit(result.events["session"]) == "session" else "bar"
        n = formats.plural(high, "event") if low == high else f"{low} to {high} events a {day}"
        note = f"shaded: {BANDS[band]}" if has_band else "no band can be computed"
        _style.headings(ax, measure.average, f"{n}; {note}", result)
    return ax


PLOT = caar
