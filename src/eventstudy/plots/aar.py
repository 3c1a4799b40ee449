"""Average abnormal return (or another studied outcome) by relative day, with an interval for each day."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from eventstudy.core.nulls import margin
from eventstudy.display import formats
from eventstudy.plots import _bands, _style
from eventstudy.plots._alt import listed
from eventstudy.result import Result


def aar(
    result: Result,
    *,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the mean abnormal return of all used events by day.

    .. math:: AAR_t = \frac{1}{N_t} \sum_i AR_{it}

    Parameters
    ----------
    result : Result
    level : float
        Level of confidence of the intervals, 0.95 by default.
    title : str, optional
        In place of the name of the measure.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Bars over relative days, in per cent where returns are studied. The strokes are the intervals of ``effects`` for
        windows of one day, which allow for events that share days; a result without its study has none.

    Examples
    --------
    >>> from eventstudy import demo
    >>> len(demo.run().result.plot("aar").patches)
    21
    """
    measure, level = result.measure, _bands.check_level(level)
    name = _style.named(title, f"Average {measure.daily}" + ("" if measure.sign is None else ", signed"))
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        values = result.daily["aar"]
        if not values.notna().any():
            return _style.blank(ax, name, f"no event has an {measure.daily}", result)
        colours = [_style.RED if day == 0 else _style.BLUE for day in values.index]
        ax.bar(values.index, values, width=0.72, color=colours, linewidth=0, zorder=2)
        half = _half_widths(result, level)
        if half.notna().any():
            ax.errorbar(
                values.index, values, yerr=half, fmt="none", ecolor=_style.INK, elinewidth=1.0, capsize=2.0, zorder=3
            )
        _style.day_axis(ax)
        signed = "" if measure.sign is None else "signed "
        _style.value_axis(ax.yaxis, measure, f"mean {signed}{measure.daily}")
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        n = result.daily["n"]
        low, high = int(n.min()), int(n.max())
        text = (
            formats.plural(high, "event")
            if low == high
            else f"{low} to {high} events a {formats.day_or_bar(result.events['session'])}"
        )
        text += f"; strokes: {_bands.percent(level)} intervals" if half.notna().any() else "; no interval"
        _style.headings(ax, name, text, result)
    return ax


def _half_widths(result: Result, level: float) -> pd.Series[float]:
    """Return half the widths of the intervals by day; NaN without a standard error."""
    days = result.daily.index
    if result.rerun is None or not len(days):
        return pd.Series(float("nan"), days)
    effects = result.rerun.outcome(windows=[(int(day), int(day)) for day in days], tests={}).shared["effects"]
    return pd.Series(margin(effects["se"][0], effects["df"][0], level), days)


def alt(result: Result) -> str:
    """Describe day 0 and the largest days."""
    values, measure = result.daily["aar"].dropna(), result.measure
    signed = "" if measure.sign is None else "signed "
    text = f"Bar chart of the average {signed}{measure.daily} by {formats.day_unit(result.events['session'])}"
    if values.empty:
        return f"{text}, empty: no event has an {measure.daily}"
    largest = values.abs().sort_values(ascending=False, kind="stable").index[:3]
    days = dict.fromkeys(day for day in (0, *largest) if day in values.index)
    step = formats.day_or_bar(result.events["session"])
    return f"{text}: " + listed(f"{measure.text(values[day])} on {step} {formats.count(day)}" for day in days)


PLOT = aar
