"""Factor returns by name, read from a data frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.errors import InputError
from eventstudy.types import Dates, Floats

Factors = Mapping[str, tuple[Dates, Floats]]


def read_factors(frame: pd.DataFrame | None) -> dict[str, tuple[Dates, Floats]]:
    """Read factor returns (decimal, dates by names) from a frame into a mapping from name to dates and values.

    An index with a time zone and times of day holds the starts of intraday bars.

    Raises
    ------
    InputError
        If dates repeat or are not dates, or a column is not numeric.
    """
    if frame is None:
        return {}
    try:
        index = pd.DatetimeIndex(pd.to_datetime(frame.index, format="ISO8601"))
        bars = index.tz is not None and bool((index != index.normalize()).any())
        naive = index.tz_convert("UTC").tz_localize(None) if bars else index.tz_localize(None)
        dates = naive.to_numpy().astype("datetime64[s]" if bars else "datetime64[D]")
        values = {str(name): frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in frame.columns}
    except (ValueError, TypeError) as error:
        raise InputError(f"factors are not decimal returns indexed by date: {error}") from None
    if len(np.unique(dates)) < len(dates):
        raise InputError("factors have two rows for one date; keep one row per date")
    order = np.argsort(dates)
    return {name: (dates[order], column[order]) for name, column in values.items()}


def factor_on_dates(factor: tuple[Dates, Floats], dates: Dates) -> Floats:
    """Return a factor's values on the dates, NaN where it has none."""
    factor_dates, values = factor
    out = np.full(len(dates), np.nan)
    at = np.searchsorted(factor_dates, dates)
    inside = at < len(factor_dates)
    inside[inside] &= factor_dates[at[inside]] == dates[inside]
    out[inside] = values[at[inside]]
    return out


def reasons_outside_history(
    name: str, factor: tuple[Dates, Floats], session: Dates, first: Dates, last: Dates
) -> np.ndarray:
    """Return, for each event outside a factor's history, the reason as text; empty text for the others.

    An event is outside if its session is, or if all its windows reach beyond the history. A missing value within the
    history makes a missing day; it does not exclude the event.

    Parameters
    ----------
    name : str
    factor : dates and values
    session : datetime64 array (N,)
    first, last : datetime64 arrays (N, V)
        The first and last session of each event's windows.
    """
    reason = np.full(len(session), "", dtype=object)
    dates, values = factor
    known = dates[np.isfinite(values)]
    if not len(known):
        reason[:] = f"factor {name} has no value at all"
        return reason
    begin, end = known[[0, -1]]
    outside = ~((first >= begin) & (last <= end)).any(axis=1) & ~np.isnat(session)
    late = (last > end).any(axis=1)
    reason[outside & ~late] = f"factor {name} begins on {begin}, after the first day of its windows"
    reason[outside & late] = f"factor {name} ends on {end}, before the last day of its windows"
    reason[session > end] = f"factor {name} ends on {end}, before its session"
    reason[session < begin] = f"factor {name} begins on {begin}, after its session"
    return reason
