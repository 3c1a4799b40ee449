"""What figures of single events share: the used events in groups, and their names."""

from __future__ import annotations

from typing import Any

import pandas as pd

from eventstudy.display import formats
from eventstudy.plots import _text
from eventstudy.result import Result


def in_groups(result: Result, values: pd.Series[float]) -> list[tuple[str, pd.Series[float]]]:
    """Return the values of events by group of the study, each sorted from the lowest; one part without a name if none.

    Parameters
    ----------
    result : Result
    values : Series
        Index ``event_id``; missing values are left out.
    """
    known = values.dropna().sort_values(kind="stable")
    column = None if result.rerun is None else result.rerun.choices.group
    if column is None or known.empty:
        return [("", known)]
    labels = result.events.loc[known.index, column]
    names = list(dict.fromkeys(result.by_group["group"]))
    parts = [(str(name), known[(labels.astype(str) == str(name)).to_numpy()]) for name in names]
    rest = known.drop([event for _, part in parts for event in part.index])
    return [(name, part) for name, part in (*parts, ("no group", rest)) if len(part)]


def signed(result: Result, values: pd.Series[float]) -> pd.Series[float]:
    """Return the values of events times their sign in a study with signs, without the events that have none.

    Parameters
    ----------
    result : Result
    values : Series
        Index ``event_id``.
    """
    if result.measure.sign is None:
        return values
    signs = pd.to_numeric(result.events.loc[values.index, result.measure.sign], errors="coerce").astype(float)
    signed_values: pd.Series[float] = (values * signs).where(signs.abs() == 1.0).dropna()
    return signed_values


def label(result: Result, event_id: Any, width: int = 30) -> str:
    """Return the name of an event with its ticker, unless that is part of the name."""
    ticker = str(result.events["ticker"][event_id])
    name = str(event_id) if ticker in str(event_id) else f"{event_id} {ticker}"
    return _text.drawable(formats.plain(name), width)
