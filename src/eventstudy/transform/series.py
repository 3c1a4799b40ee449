"""Attach a user's series to prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, shown
from eventstudy.plausibility import POSITIVE
from eventstudy.tabular.frames import as_dates
from eventstudy.transform._shared import (
    check_tickers,
    format_dates,
    with_record,
)
from eventstudy.types import Dates, Floats


def attach(prices: Prices, name: str, frame: pd.DataFrame) -> Prices:
    """Add a series to the bars as a field, such as bid-ask spreads, order imbalance, or a volume that the source lacks.

    Parameters
    ----------
    prices : Prices
    name : str
        Name of the field: an identifier other than the names of prices, and not a field of any of the tickers yet.
    frame : pandas.DataFrame
        Index: dates, in any order, each once; columns: tickers of ``prices``; values: finite, of any sign, NaN where
        missing. Values on dates on which the ticker has no bar are dropped, and listed in a note.

    Raises
    ------
    InputError
        If the name is taken or not an identifier, a ticker is not known, or the frame is not of dates and numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2021-01-04", "2021-01-05"]
    >>> prices = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.0]}, index=days))
    >>> attach(prices, "spread", pd.DataFrame({"A": [0.02]}, index=days[1:])).frame("A")
                close  spread
    date
    2021-01-04   10.0     NaN
    2021-01-05   11.0    0.02
    """
    if not isinstance(name, str) or not name.isidentifier() or name in POSITIVE:
        raise InputError(
            f"name is {shown(name)}; a field's name is an identifier, as in 'spread', other than {', '.join(POSITIVE)}"
        )
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"frame is of type {type(frame).__name__}; give a pandas.DataFrame of dates by tickers")
    tickers = check_tickers(prices, "columns of the frame", frame.columns)
    taken = [t for t in tickers if name in prices.bars[t].fields]
    if taken:
        raise InputError(f"name is {shown(name)}, and {', '.join(taken[:5])} have such a field; choose another")
    dates = as_dates(frame.index, "frame")
    if len(np.unique(dates)) < len(dates):
        raise InputError(f"the frame of {name} has two rows for one date; keep one row per date")
    mismatched = [t for t in tickers if prices.bars[t].dates.dtype != dates.dtype]
    if mismatched:
        kind = "the starts of bars, with their time zone" if prices.bars[mismatched[0]].intraday else "dates"
        raise InputError(f"the frame of {name} is not indexed like the prices of {mismatched[0]}; index it by {kind}")
    bars, notes = dict(prices.bars), {}
    for ticker in tickers:
        bars[ticker], notes[ticker] = _with_field(bars[ticker], name, dates, _column(frame, ticker, name))
    return with_record(prices, bars, f"attached {name} to {len(tickers)} tickers", notes)


def _column(frame: pd.DataFrame, ticker: str, name: str) -> Floats:
    """Return the values of one ticker; raise unless they are numeric and not infinite."""
    try:
        values: Floats = frame[ticker].to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} of {ticker} is not numeric: {error}; give numbers, NaN where missing") from None
    if np.isinf(values).any():
        day = frame.index[np.isinf(values)][0]
        raise InputError(f"{name} of {ticker} is infinite on {day}; a value must be finite, or NaN if missing")
    return values


def _with_field(bars: Bars, name: str, dates: Dates, values: Floats) -> tuple[Bars, list[str]]:
    """Return the bars with the series as a field, and a note on values that have no bar."""
    series = pd.Series(values, index=pd.DatetimeIndex(dates))
    aligned = np.asarray(series.reindex(pd.DatetimeIndex(bars.dates)), dtype=np.float64)
    outside = np.sort(dates[np.isfinite(values) & ~np.isin(dates, bars.dates)])
    notes = [f"{name} left out on {format_dates(outside)}, which have no bar"] if len(outside) else []
    return replace(bars, fields={**bars.fields, name: aligned}), notes
