"""Series of your own put beside prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.bars import POSITIVE, Bars, Prices, as_dates
from eventstudy.errors import InputError
from eventstudy.transform._shared import (
    asked,
    changed,
    listed,
)
from eventstudy.types import Dates, Floats


def attach(prices: Prices, name: str, frame: pd.DataFrame) -> Prices:
    """Attach a series of your own to the bars: bid-ask spreads, order imbalance, a volume that the source lacks.

    Parameters
    ----------
    prices : Prices
    name : str
        Of the field: an identifier that is no price, and that none of the tickers has yet.
    frame : pandas.DataFrame
        Index: dates, in any order, each once; columns: tickers of ``prices``; values: finite, of any sign, NaN where
        missing. Values on dates on which the ticker has no bar are left out and counted in what is noticed.

    Raises
    ------
    InputError
        When the name is taken or no identifier, a ticker is not known, or the frame has other than dates and numbers.

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
        raise InputError(f"name is {name!r}; a field's name is an identifier, as in 'spread', and none of {POSITIVE}")
    if not hasattr(frame, "columns"):
        raise InputError(f"frame is {type(frame).__name__}; a pandas.DataFrame of dates by tickers is needed")
    tickers = asked(prices, "columns of the frame", frame.columns)
    taken = [t for t in tickers if name in prices.bars[t].fields]
    if taken:
        raise InputError(f"name is {name!r}, and {', '.join(taken[:5])} have such a field; choose another")
    dates = as_dates(frame.index, "frame")
    if len(np.unique(dates)) < len(dates):
        raise InputError(f"the frame of {name} has two rows for one date; keep one row a date")
    other = [t for t in tickers if prices.bars[t].dates.dtype != dates.dtype]
    if other:
        kind = "the starts of bars, with their time zone" if prices.bars[other[0]].intraday else "dates"
        raise InputError(f"the frame of {name} is not indexed as the prices of {other[0]}; index it by {kind}")
    bars, notes = dict(prices.bars), {}
    for ticker in tickers:
        bars[ticker], notes[ticker] = _with_field(bars[ticker], name, dates, _column(frame, ticker, name))
    done = f"attached {name} to {len(tickers)} tickers"
    return changed(prices, bars, done, notes)


def _column(frame: pd.DataFrame, ticker: str, name: str) -> Floats:
    try:
        values: Floats = frame[ticker].to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} of {ticker} is not numeric: {error}; give numbers, NaN where missing") from None
    if np.isinf(values).any():
        day = frame.index[np.isinf(values)][0]
        raise InputError(f"{name} of {ticker} is infinite on {day}; a value is finite, or NaN where missing")
    return values


def _with_field(bars: Bars, name: str, dates: Dates, values: Floats) -> tuple[Bars, list[str]]:
    series = pd.Series(values, index=pd.DatetimeIndex(dates))
    laid = np.asarray(series.reindex(pd.DatetimeIndex(bars.dates)), dtype=np.float64)
    outside = np.sort(dates[np.isfinite(values) & ~np.isin(dates, bars.dates)])
    notes = [f"{name} left out on {listed(outside)}, where there is no bar"] if len(outside) else []
    return replace(bars, fields={**bars.fields, name: laid}), notes
