"""Abnormal returns (or another studied outcome) of one event by relative day, against its standard deviation."""

from __future__ import annotations

from collections.abc import Hashable
from statistics import NormalDist

import numpy as np
from matplotlib.axes import Axes

from eventstudy.display import formats
from eventstudy.plots import _bands, _style, _text
from eventstudy.plots._alt import listed
from eventstudy.result import Result


def ar(
    result: Result,
    *,
    event_id: Hashable = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one event's abnormal returns as bars.

    Parameters
    ----------
    result : Result
    event_id : optional
        The event; the first usable one by default.
    level : float
        The probability between the dashed lines, 0.95 by default.
    title : str, optional
        In place of the ticker and the session.
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    Axes
        Over relative days, in per cent where returns are studied. The dashed lines are at the quantiles of the normal
        times sigma, of the estimation window: +-1.96 sigma at 0.95.

    Raises
    ------
    InputError
        When the event is unknown or was not used; the message says which.
    """
    chosen = formats.usable_ids(result, None if event_id is None else [event_id])
    quantile = NormalDist().inv_cdf(0.5 + _bands.check_level(level) / 2.0)
    with _style.drawing(_style.SIZE, figsize, ax) as ax:
        if not chosen:
            return _style.blank(
                ax, _style.named(title, "The abnormal returns of an event"), "no event could be used", result
            )
        event = result.events.loc[chosen[0]]
        values = result.ar.loc[chosen[0]]
        days = values.index.to_numpy()
        ax.bar(days, values, width=0.72, color=np.where(days == 0, _style.RED, _style.BLUE), linewidth=0, zorder=2)
        missing = days[values.isna()]
        ax.scatter(missing, np.zeros(missing.size), marker="x", color=_style.GREY, s=22, linewidth=1.2, zorder=3)
        _style.day_axis(ax)
        has_sigma = not formats.is_missing(event["sigma"])
        for bound in (-quantile, quantile) if has_sigma else ():
            ax.axhline(bound * event["sigma"], color=_style.INK, linewidth=0.9, linestyle=(0, (5, 3)), zorder=3)
        _style.value_axis(ax.yaxis, result.measure, result.measure.daily)
        ax.set_xlabel(_style.day_label(result))
        ax.margins(x=0.02)
        name = _style.named(title, f"{event['ticker']}, {formats.date(event['session'])}")
        text = _text.drawable(chosen[0], 60)
        text += f"; dashed: ±{quantile:.2f} standard deviations" if has_sigma else ""
        text += f"; ×: no {_text.drawable(result.measure.series)}" if missing.size else ""
        _style.headings(ax, name, text, result)
    return ax


def alt(result: Result) -> str:
    """Describe the first usable event: its day 0 and its largest day."""
    chosen = formats.usable_ids(result)
    if not chosen:
        return "Empty chart of the abnormal returns of an event: no event could be used"
    event, values, measure = result.events.loc[chosen[0]], result.ar.loc[chosen[0]].dropna(), result.measure
    step = formats.day_or_bar(result.events["session"])
    text = f"Bar chart of the {measure.daily} of {event['ticker']}, {formats.date(event['session'])}, by {step}"
    if values.empty:
        return text
    largest = values.abs().idxmax()
    days = [day for day in (0, largest) if day in values.index]
    return f"{text}: " + listed(
        f"{measure.text(values[day])} on {step} {formats.count(day)}" for day in dict.fromkeys(days)
    )


PLOT = ar
