"""Small multiples: the cumulative abnormal return (or another studied outcome) of each event, on shared axes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from eventstudy.display import formats
from eventstudy.plots import _panels, _style
from eventstudy.result import Result

MAX_PANELS = 24


def events(
    result: Result,
    *,
    events: Sequence[Hashable] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw one small panel per event, at most 24.

    Parameters
    ----------
    result : Result
    events : sequence of event ids, optional
        The events, in the order of their panels; the first usable ones by default.
    title : str, optional
        In place of the name of the measure; the number of events follows.
    figsize : (float, float), optional
        Width and height of a new figure in inches.

    Returns
    -------
    array of Axes (panels,)
        Over relative days, in per cent where returns are studied, with shared axes; the title has the number of events
        shown, as in "24 of 61 events".

    Raises
    ------
    InputError
        When an event is unknown or was not used; the message says which.
    """
    usable, measure = len(formats.usable_events(result)), result.measure
    name = _style.named(title, f"{measure.name[:1].upper()}{measure.name[1:]}")
    chosen = formats.usable_ids(result, events)[:MAX_PANELS]
    if not chosen:
        with _style.drawing((7.2, 2.4), figsize) as ax:
            return np.array([_style.blank(ax, name, "no event could be used", result)])
    with _style.context():
        rows, columns, inches = _panels.shape(len(chosen), MAX_PANELS, figsize)
        chosen = chosen[: rows * columns]
        figure = _style.PngFigure(figsize=inches)
        heading = f"{name}: {len(chosen)} of {formats.plural(usable, 'event')}"
        lines = _style.heading(figure, heading, result)
        panels = _panels.drawn(figure, (rows, columns), len(chosen), lines)
        paths = result.paths()
        for ax, event_id in zip(panels, chosen, strict=True):
            _panels.panel(ax, paths.loc[event_id], event_id, result.events.loc[event_id, "ticker"])
        _panels.labels(panels, columns, result, measure.short)
    return panels


def alt(result: Result) -> str:
    """Describe how many events are drawn."""
    usable = len(formats.usable_events(result))
    shown = formats.plural(usable, "event") if usable <= MAX_PANELS else f"{MAX_PANELS} of {usable} events"
    return f"Small line charts of the {result.measure.name} of {shown}, on shared axes"


PLOT = events
