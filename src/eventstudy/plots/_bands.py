"""Bands of confidence around paths, of any level, from the 95 % bands of the frames."""

from __future__ import annotations

import pandas as pd

from eventstudy import arguments
from eventstudy.core.nulls import margin_at


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
