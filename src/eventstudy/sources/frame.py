"""Prices from a data frame of adjusted closes: one row per date, one column per ticker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from eventstudy.bars import Bars, Prices, read_tickers
from eventstudy.errors import InputError, TickerNotFound, did_you_mean
from eventstudy.sources._shared import check_span, check_tickers, provenance, select_dates

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Frame:
    """Take adjusted closes from a wide data frame; nothing is read from disk or network."""

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        frame: pd.DataFrame,
        exchange: str | Mapping[str, str] | None = None,
    ) -> Prices:
        """Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None takes every column.
        start, end : ISO text, datetime.date or None
            Both included.
        frame : pandas.DataFrame
            Index: dates, increasing; columns: tickers; values: adjusted closes, NaN where missing.
        exchange : str, mapping from ticker to str, or None
            The MIC of all tickers, or of each; None takes the observed dates as the calendar.

        Raises
        ------
        InputError
            When an argument is not valid, or the index is not dates or the columns are not tickers.
        BadPrices
            When dates repeat or decrease, or a price is zero, negative or infinite.
        TickerNotFound
            When the frame has none of the tickers.

        Examples
        --------
        >>> import pandas as pd
        >>> wide = pd.DataFrame({"A": [10.0, 11.0], "B": [5.0, 4.0]}, index=["2021-01-04", "2021-01-05"])
        >>> SOURCE.read(["B"], None, "2021-01-04", frame=wide).bars["B"].fields["close"]
        array([5.])
        """
        names, span = check_tickers(tickers), check_span(start, end)
        if not hasattr(frame, "columns"):
            raise InputError(f"frame is {type(frame).__name__}; a pandas.DataFrame of dates by tickers is needed")
        columns = Prices.from_frame(frame, exchange).bars
        if not columns:
            raise InputError("the frame has no column; each ticker is a column of adjusted closes")

        def read_one(ticker: str) -> Bars:
            if ticker not in columns:
                raise TickerNotFound(
                    f"unknown ticker: no column {ticker!r} in the frame{did_you_mean(ticker, columns)}"
                )
            bars = select_dates(columns[ticker], span)
            if np.isnan(bars.fields["close"]).all():
                raise TickerNotFound(f"no price of {ticker} {span}: the column is empty there")
            return bars

        bars, problems = read_tickers(names or columns, read_one)
        return Prices(bars, problems, provenance("frame", span, bars))


SOURCE = Frame()
