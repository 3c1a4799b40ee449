"""A study that grows: the mean with its confidence sequence, and the p-value that holds at every look."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from eventstudy.analysis.sequential import Sequential
from eventstudy.display import formats
from eventstudy.plots import _style


def draw(
    sequential: Sequential,
    *,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean standardised effect after each cluster of events, with its confidence sequence.

    Parameters
    ----------
    sequential : Sequential
    title : str, optional
        In place of "A study that grows".
    figsize : (float, float), optional
        Width and height of a new figure in inches.
    ax : Axes, optional
        Axes to draw on; a new figure by default.
    """
    frame = sequential.frame
    x = np.arange(1, len(frame) + 1)
    effect = frame["effect"].to_numpy()
    ends = np.abs(frame[["lower", "upper"]].to_numpy())
    ends = ends[np.isfinite(ends).all(axis=1)][-20:]
    reach = 1.15 * max(1.0, float(np.abs(effect).max()), float(ends.max(initial=0.0)))
    with _style.drawing((7.2, 4.0), figsize, ax) as ax:
        lower, upper = (np.clip(frame[name].to_numpy(), -reach, reach) for name in ("lower", "upper"))
        ax.axhline(0, color=_style.GREY, linewidth=0.8)
        ax.fill_between(x, lower, upper, color=_style.BLUE, alpha=0.15, linewidth=0, step="mid")
        ax.plot(x, effect, color=_style.INK, linewidth=1.6, marker="o", markersize=2.5)
        rejected = frame["p_always"].to_numpy() <= 1.0 - sequential.level
        ax.scatter(x[rejected], effect[rejected], color=_style.RED, s=18, zorder=3)
        ax.set_ylim(-reach, reach)
        ax.set_xlabel("Clusters of events, in the order of their dates")
        label = ax.set_ylabel(f"Mean standardised {sequential.measure.short}")
        _style.verbatim([label])
        last = frame.iloc[-1]
        subtitle = (
            f"window {formats.window(*sequential.window)}; shaded: {100 * sequential.level:g} % confidence sequence;"
            f" red: p ≤ {1 - sequential.level:.2f}; at the last look p {formats.p_value(last['p_always'])}"
        )
        _style.headings(ax, _style.named(title, "A study that grows"), subtitle, sequential)
    return ax
