"""Windows of the single event: days that its own columns name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of
from eventstudy.types import Choices, Ints


def own_windows(frame: pd.DataFrame, choices: Choices) -> Ints | None:
    """Give the first and last day of each event's estimation and event window, (N, 4); None where all are the study's.

    A blank cell takes the study's day.

    Raises
    ------
    InputError
        When a cell is no whole number, the first day is after the last, or a day is outside the study's window.
    """
    if choices.estimation_columns is None and choices.event_columns is None:
        return None
    spec, found = choices.spec, np.empty((len(frame), 4), dtype=np.int64)
    for at, (name, whole, columns) in enumerate(
        (("estimation", spec.estimation, choices.estimation_columns), ("event", spec.event, choices.event_columns))
    ):
        for end in (0, 1):
            found[:, 2 * at + end] = whole[end] if columns is None else _days(frame, columns[end], whole[end])
        first, last = found[:, 2 * at], found[:, 2 * at + 1]
        bad = (first > last) | (first < whole[0]) | (last > whole[1])
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"the {name} window of event {frame.index[row]!r} is ({first[row]}, {last[row]}); it must lie inside"
                f" the study's, {whole}: widen {name}=, or correct the columns {columns}"
            )
    return found


def _days(frame: pd.DataFrame, column: str, blank: int) -> Ints:
    if column not in frame.columns:
        raise one_of("a column of the window", column, frame.columns)
    cells = frame[column]
    blank_cell = cells.isna() | (cells.astype(str).str.strip() == "")
    numbers = pd.to_numeric(cells.where(~blank_cell, None), errors="coerce").astype(np.float64)
    bad = ~blank_cell & ~(np.isfinite(numbers) & (numbers == np.round(numbers)))
    if bad.any():
        raise InputError(
            f"{column} of event {frame.index[bad][0]!r} is {cells[bad].tolist()[0]!r}; give a whole number"
        )
    return np.where(blank_cell, blank, np.nan_to_num(numbers)).astype(np.int64)
