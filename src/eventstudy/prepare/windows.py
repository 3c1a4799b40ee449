"""Estimation and event windows that differ by event, read from columns of the events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of
from eventstudy.types import Choices, Ints, Spec


def own_windows(frame: pd.DataFrame, choices: Choices) -> Ints | None:
    """Return the first and last day of each event's estimation and event window, (N, 4); None if no columns are named.

    A blank cell stands for the study's day.

    Raises
    ------
    InputError
        If a cell is not a whole number, the first day is after the last, or a day is outside the study's window.
    """
    if choices.estimation_columns is None and choices.event_columns is None:
        return None
    spec, windows = choices.spec, np.empty((len(frame), 4), dtype=np.int64)
    for at, (name, study_window, columns) in enumerate(
        (("estimation", spec.estimation, choices.estimation_columns), ("event", spec.event, choices.event_columns))
    ):
        for end in (0, 1):
            day = study_window[end]
            windows[:, 2 * at + end] = day if columns is None else _read_days(frame, columns[end], day)
        first, last = windows[:, 2 * at], windows[:, 2 * at + 1]
        bad = (first > last) | (first < study_window[0]) | (last > study_window[1])
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"the {name} window of event {frame.index[row]!r} is ({first[row]}, {last[row]}); it must lie inside"
                f" the study's, {study_window}: widen {name}=, or correct the columns {columns}"
            )
    return windows


def note_shorter_windows(windows: Ints | None, spec: Spec) -> tuple[str, ...]:
    """Return notes on the events whose own event windows (N, 4) hold a part of a window only."""
    notes = []
    if windows is not None:
        for start, end in spec.windows:
            first, last = np.maximum(windows[:, 2], start), np.minimum(windows[:, 3], end)
            n = int(((first <= last) & (last - first < end - start)).sum())
            if n:
                notes.append(
                    f"the event windows of {n} of {len(windows)} events hold a part of ({start}, {end}) only: their"
                    " CARs have fewer days (n_days) than those with which they are averaged"
                )
    return tuple(notes)


def _read_days(frame: pd.DataFrame, column: str, blank: int) -> Ints:
    """Read a column of relative days, (N,); a blank cell gives the day ``blank``."""
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
