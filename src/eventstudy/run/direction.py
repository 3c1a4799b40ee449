"""The expected sign of each event, from a column of the events, and what a study says about it."""

from __future__ import annotations

import re
from numbers import Real

import numpy as np
import pandas as pd

from eventstudy.display.formats import plural
from eventstudy.errors import InputError, one_of, shown
from eventstudy.types import Bools, Choices, EventTable, Floats, Placed, Status, StudySample

SIGN_COLUMN = re.compile(r"(.*[\W_])?sign", re.IGNORECASE)  # expected_sign, sign
VALID = (-1.0, 0.0, 1.0)


def signs(frame: pd.DataFrame, name: str) -> Floats:
    """Return an events column as signs: 1, -1, or 0 where it is 0 or empty, (N,).

    Raises
    ------
    InputError
        If there is no such column, it has another value, or no event has a sign.

    Examples
    --------
    >>> signs(pd.DataFrame({"expected_sign": [1, -1.0, None, 0, "-1"]}), "expected_sign").tolist()
    [1.0, -1.0, 0.0, 0.0, -1.0]
    """
    if name not in frame.columns:
        raise one_of("sign", name, frame.columns)
    values = [_sign(cell) for cell in frame[name].tolist()]
    bad = next((row for row, value in enumerate(values) if value is None), None)
    if bad is not None:
        raise InputError(
            f"sign {name!r} of event {frame.index[bad]!r} is {shown(frame[name].iloc[bad])}; an expected sign is 1 or"
            " -1, and 0 or empty where there is none"
        )
    numbers = np.array(values, dtype=np.float64)
    if not numbers.any():
        raise InputError(f"the sign column {name!r} has neither 1 nor -1; fill it, or run the study without a sign")
    return numbers


def _sign(cell: object) -> float | None:
    """Return the sign in a cell, 0 if it is empty, and None if it has no valid value."""
    if isinstance(cell, str):
        try:
            value = float(cell) if cell.strip() else 0.0
        except ValueError:
            return None
        return value if value in VALID else None
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, Real):
        value = 0.0 if np.isnan(float(cell)) else float(cell)
        return value if value in VALID else None
    return 0.0 if cell is None or cell is pd.NA or cell is pd.NaT else None


def counted(placed: Placed) -> Bools:
    """Return which placed events are in averages and tests, (n,): all, or those with a sign if the study has signs."""
    return np.ones(len(placed.day), dtype=bool) if placed.sign is None else placed.sign != 0.0


def direction_notes(choices: Choices, sample: StudySample, frame: pd.DataFrame, used: Bools) -> list[str]:
    """Return the notes on the expected signs of the used events (n,).

    In a study with signs, how many events have none, and which announcements of one price move have opposite ones; in
    one without, that averages of returns pool both signs, if a column states them.
    """
    table = sample.event_table
    if choices.sign is None:
        note = _pooled(frame.iloc[table.rows[used]], choices.group) if choices.outcome == "return" else ""
        return [note] if note else []
    notes = [_opposite_duplicates(table, frame, signs(frame, choices.sign))]
    n = int((used & ~counted(sample.placed)).sum())
    if n:
        of_all = plural(int(used.sum()), "used event")
        notes.append(f"{n} of {of_all} have no sign in {shown(choices.sign)}, and are in no average or test")
    return [note for note in notes if note]


def _opposite_duplicates(table: EventTable, frame: pd.DataFrame, sign: Floats) -> str:
    opposite = np.flatnonzero((table.status == Status.DUPLICATE) & (sign * sign[table.duplicate_of] < 0))
    if not len(opposite):
        return ""
    first = opposite[0]
    counted_row = table.duplicate_of[first]
    return (
        f"{plural(len(opposite), 'event')} repeat the price move of an event of the opposite expected sign, and that of"
        f" the event that is counted is taken, as {frame.index[counted_row]} ({sign[counted_row]:+.0f}) before"
        f" {frame.index[first]}; the column priority says which one is counted"
    )


def sign_columns(frame: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return the columns that state expected signs, each with its numbers of events of sign 1 and of sign -1.

    Examples
    --------
    >>> sign_columns(pd.DataFrame({"expected_sign": [1, -1, 0, 1], "design": [1, 2, 3, 4]}))
    {'expected_sign': (2, 1)}
    """
    named = (name for name in frame.columns if SIGN_COLUMN.fullmatch(str(name)))
    values = {name: [_sign(cell) for cell in frame[name].tolist()] for name in named}
    return {str(name): (found.count(1.0), found.count(-1.0)) for name, found in values.items() if None not in found}


def _pooled(used: pd.DataFrame, group: str | None) -> str:
    for name, (up, down) in sign_columns(used).items():
        if up and down and name != group:
            return (
                f"the events hold both expected signs ({up} up, {down} down, in {shown(name)}), whose effects cancel in"
                f" averages: sign={shown(name)} measures all in the expected direction, group={shown(name)} each alone"
            )
    return ""
