"""Rows of the frames of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def in_window(frame: pd.DataFrame, window: tuple[int, int]) -> pd.DataFrame:
    """Return the rows of a window, by the columns ``start`` and ``end``.

    Examples
    --------
    >>> import pandas as pd
    >>> in_window(pd.DataFrame({"start": [0, -1], "end": [0, 1], "car": [0.1, 0.2]}), (-1, 1))["car"].tolist()
    [0.2]
    """
    return frame[(frame["start"] == window[0]) & (frame["end"] == window[1])]
