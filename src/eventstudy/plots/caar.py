"""Cumulative average abnormal return, or what else was studied, over relative days, with its 95 % band."""

from __future__ import annotations

from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.errors import one_of
from eventstudy.plots import _style
from eventstudy.result import Result

MARKED = 61  # days; more would run into each other
BANDS = {"pointwise": "95 % band", "simultaneous": "95 % band for all days together"}


def caar(result: Result, *, band: str = "pointwise", ax: Axes | None = None) -> Axes:
    """Draw the CAAR, the mean BHAR, or the mean of what else accumulates, over relative days.

    Parameters
    ----------
    result : Result
    band : {"pointwise", "simultaneous"}
        The band of ``result.daily``, which holds day by day, or that of ``result.band()``, which holds for all days
        together and draws 999 samples.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied; nothing is shown, ``.figure.savefig(path)`` writes
        it.
    """
    if band not in BANDS:
        raise one_of("band", band, BANDS)
    daily, measure = result.daily, result.measure
    edges = result.band() if band == "simultaneous" else daily
    with _style.drawing(7.2, 3.9, ax) as ax:
        if daily["caar"].notna().sum() == 0:
            return _style.blank(ax, measure.average, f"no event has an {measure.daily}", result)
        ax.plot(
            daily.index, daily["caar"], color=_style.BLUE, marker="o" if len(daily) <= MARKED else None, markersize=3.2
        )
        banded = edges["lower"].notna().any()
        if banded:
            ax.fill_between(daily.index, edges["lower"], edges["upper"], color=_style.BLUE, alpha=0.15, linewidth=0)
        _style.day_axis(ax)
        _style.value_axis(ax.yaxis, measure, "" if measure.percent else measure.name)
        ax.set_xlabel(_style.from_the_event(result))
        ax.margins(x=0.02)
        low, high = int(daily["n"].min()), int(daily["n"].max())
        day = "day" if formats.day_unit(result.events["session"]) == "session" else "bar"
        n = formats.plural(high, "event") if low == high else f"{low} to {high} events a {day}"
        _style.headings(
            ax, measure.average, f"{n}; " + (f"shaded: {BANDS[band]}" if banded else "no band can be computed"), result
        )
    return ax


PLOT = caar
