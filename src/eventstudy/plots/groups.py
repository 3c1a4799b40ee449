"""Small multiples: the cumulative average abnormal return (or another outcome) of each group, on shared axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.errors import InputError, shown
from eventstudy.plots import _bands, _panels, _style, _text
from eventstudy.plots._alt import listed
from eventstudy.result import Result

MAX_PANELS, COLUMNS = 12, 3


def groups(
    result: Result,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> np.ndarray:
    """Draw the mean path of each group with its band in a panel of its own, at most 12, and that of all events in grey.

    Parameters
    ----------
    result : Result
        Of a study with ``group``.
    groups : sequence of str, optional
        The groups, in the order of their panels; the first ones by default.
    level : float
        Level of confidence of the bands, 0.95 by default.
    title : str, optional
        In place of the name of the measure; the number of groups follows.
    figsize : (float, float), optional
        Width and height of a new figure in inches; a small one has fewer panels.

    Returns
    -------
    array of Axes (panels,)
        Over relative days, in per cent where returns are studied, with shared axes; the title has the number of groups
        shown, as in "12 of 15 groups". A band that is wide beside the lines is cut, and the caption says so.

    Raises
    ------
    InputError
        If the study has no groups, or an option is not valid.

    Examples
    --------
    >>> import eventstudy as es
    >>> from eventstudy import demo
    >>> data = demo.run().result.rerun.data
    >>> study = es.Study(benchmark=demo.BENCHMARK, sign="expected_sign", group="sector", windows=((0, 0),))
    >>> panels = study.run(data.events, data.prices).plot("groups", groups=["EV", "platform"])
    >>> [ax.get_title(loc="left") for ax in panels]
    ['EV', 'platform']
    """
    measure, level = result.measure, _bands.check_level(level)
    frames = {str(name): rows.set_index("day") for name, rows in result.by_group.groupby("group", sort=False)}
    name = _style.named(title, measure.average)
    if not frames and result.daily["caar"].notna().any():
        raise InputError("the study has no groups; name a column of its events, as in Study(group='sector')")
    chosen = _chosen(groups, list(frames))
    if not any(frames[group]["caar"].notna().any() for group in chosen):
        with _style.drawing((7.2, 2.4), figsize) as ax:
            return np.array([_style.blank(ax, name, f"no event has an {measure.daily}", result)])
    with _style.context():
        rows, columns, inches = _panels.shape(len(chosen), MAX_PANELS, figsize, COLUMNS)
        chosen = chosen[: rows * columns]
        figure = _style.PngFigure(figsize=(inches[0], inches[1] + (0.185 if figsize is None else 0.0)))
        n = len(frames)
        counted = formats.plural(n, "group") if len(chosen) == n else f"{len(chosen)} of {n} groups"
        lines = _style.heading(figure, f"{name}: {counted}", result)
        caption = _caption(figure, lines, level)
        panels = _panels.drawn(figure, (rows, columns), len(chosen), lines + caption)
        for ax, group in zip(panels, chosen, strict=True):
            _panel(ax, group, frames[group], level)
            ax.plot(result.daily.index, result.daily["caar"], color=_style.GREY, linewidth=0.9, linestyle=(0, (3, 2)))
        _bands.cut(panels[0], np.concatenate([*(frames[group]["caar"] for group in chosen), result.daily["caar"]]))
        _panels.labels(panels, columns, result, f"Mean {measure.averaged}")
    return panels


def _chosen(groups: object, valid: Sequence[str]) -> list[str]:
    """Return the groups to draw."""
    if groups is None:
        return list(valid)
    if isinstance(groups, str) or not isinstance(groups, Sequence) or not groups:
        raise InputError(f"groups is {shown(groups)}; give a list of groups, as in {list(valid[:2])}")
    for group in groups:
        arguments.choice("a group", group, valid)
    return list(dict.fromkeys(groups))


def _caption(figure: Figure, lines: int, level: float) -> int:
    """Explain band and grey line below the title, and return the number of lines."""
    width, height = figure.get_size_inches()
    text = f"shaded: {_bands.percent(level)} band, cut where it is wide; dashed: all events"
    wrapped = _text.wrapped(text, 72.0 * (width - 0.16), 8.0)
    below = 1 - (0.1 + 0.185 * lines) / height
    note = figure.text(0.08 / width, below, "\n".join(wrapped), va="top", color=_style.GREY, fontsize=8)
    _style.verbatim([note])
    return len(wrapped)


def _panel(ax: Axes, group: str, path: pd.DataFrame, level: float) -> None:
    band = _bands.edges(path, level)
    if band["lower"].notna().any():
        ax.fill_between(path.index, band["lower"], band["upper"], color=_style.BLUE, alpha=0.16, linewidth=0)
    _panels.panel(ax, path["caar"], group, formats.plural(int(path["n"].max()), "event"))


def alt(result: Result) -> str:
    """Describe the last value of each group that is drawn."""
    measure = result.measure
    names = list(dict.fromkeys(result.by_group["group"]))
    ends = result.by_group.dropna(subset=["caar"]).drop_duplicates("group", keep="last")
    values = [f"{row['group']} {measure.text(row['caar'])}" for row in ends.to_dict("records")][:MAX_PANELS]
    what = f"{measure.average[:1].lower()}{measure.average[1:]}"
    shown_of = (
        formats.plural(len(names), "group") if len(names) <= MAX_PANELS else f"{MAX_PANELS} of {len(names)} groups"
    )
    unit = formats.day_or_bar(result.events["session"])
    return f"Small line charts of the {what} of {shown_of}, on shared axes: on the last {unit} {listed(values)}"


PLOT = groups
