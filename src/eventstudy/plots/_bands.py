"""Bands of confidence around paths, of any level, from the 95 % bands of the frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from eventstudy import arguments
from eventstudy.core.nulls import margin_at
from eventstudy.types import Floats

WIDEST = 1.0  # room for bands above and below the lines, in ranges of these


def edges(frame: pd.DataFrame, level: float, column: str = "caar") -> pd.DataFrame:
    """Return the columns ``lower`` and ``upper`` of a frame at a level; those of 95 % are the frame's own.

    Parameters
    ----------
    frame : DataFrame
        With the columns se, lower, upper, and the centre of the band.
    level : float
    column : str
        The centre of the band.
    """
    if level == 0.95:
        return frame[["lower", "upper"]]
    half = margin_at(level, (frame["upper"] - frame[column]).to_numpy(), frame["se"].to_numpy())
    return pd.DataFrame({"lower": frame[column] - half, "upper": frame[column] + half})


def check_level(level: object) -> float:
    """Return a level of confidence, a share between 0 and 1."""
    return arguments.share("level", level)


def percent(level: float) -> str:
    """Return a level as text.

    Examples
    --------
    >>> percent(0.95), percent(0.995)
    ('95 %', '99.5 %')
    """
    return f"{100 * level:.6g} %"


def cut(ax: Axes, lines: Floats) -> bool:
    """Let the lines, and not the widest interval, set the value axis; return whether an interval is cut."""
    low, high = np.nanmin(lines), np.nanmax(lines)
    room = WIDEST * max(high - low, np.finfo(float).eps)
    bottom, top = ax.get_ylim()
    ax.set_ylim(max(bottom, low - room), min(top, high + room))
    return bool(bottom < low - room or top > high + room)
