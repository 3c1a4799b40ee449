"""Prices as a source gives them: bars by ticker, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from eventstudy.errors import BadPrices, InputError
from eventstudy.types import Dates, Floats

PRICE_FIELDS = ("close", "open", "high", "low")
POSITIVE = (*PRICE_FIELDS, "adjusted")


@dataclass(frozen=True)
class Bars:
    """The prices of one ticker on the dates on which its source has them.

    Parameters
    ----------
    ticker : str
    dates : datetime64[D] array (T,)
        Strictly increasing.
    fields : mapping from name to float array (T,)
        ``close`` always; any of ``open``, ``high``, ``low``, ``adjusted`` (close adjusted for splits and
        dividends; where absent, the close is taken as it is) and ``volume``; and any series of one's own, of any
        sign, under another name. NaN where missing.
    mic : str or None
        The exchange; None takes the observed dates as the calendar.
    currency : str or None

    Raises
    ------
    BadPrices
        When dates repeat or decrease, a price is zero, negative or infinite, or another field is infinite; the
        message names the ticker, the date and the value.
    """

    ticker: str
    dates: Dates
    fields: Mapping[str, Floats]
    mic: str | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        _check_dates(self.ticker, self.dates)
        if "close" not in self.fields:
            raise BadPrices(f"{self.ticker} has no close; its fields are {', '.join(self.fields) or 'none'}")
        for name, values in self.fields.items():
            if values.shape != self.dates.shape:
                raise BadPrices(f"{self.ticker} has {values.size} values of {name} on {self.dates.size} dates")
            _check_values(self.ticker, name, self.dates, values)


def _check_dates(ticker: str, dates: Dates) -> None:
    steps = np.diff(dates)
    zero = np.timedelta64(0, "D")
    if (steps == zero).any():
        twice = dates[1:][steps == zero][0]
        raise BadPrices(f"{ticker} has two rows for {twice}; keep one row a date")
    if (steps < zero).any():
        at = int(np.flatnonzero(steps < zero)[0])
        raise BadPrices(f"{ticker} is not sorted: {dates[at + 1]} stands after {dates[at]}; sort its rows by date")


def _check_values(ticker: str, name: str, dates: Dates, values: Floats) -> None:
    price = name in POSITIVE
    bad = np.isinf(values) | (price & (values <= 0))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        valid = (
            "a price is finite and above zero; leave the cell empty where there was no trade"
            if price
            else "a value is finite; leave the cell empty where there is none"
        )
        raise BadPrices(
            f"{ticker} has the {name} {values[at]:g} on {dates[at]} ({int(bad.sum())} such in all); {valid}"
        )


@dataclass(frozen=True, repr=False)
class Prices:
    """Prices by ticker, with what could not be had and where they come from.

    Parameters
    ----------
    bars : mapping from ticker to Bars
    problems : mapping from ticker to reason
        Tickers that were asked for and could not be had.
    provenance : mapping
        Source, range, time of retrieval and fingerprint, whatever the source knows.
    """

    bars: Mapping[str, Bars]
    problems: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_frame(cls, wide_close: Any, exchange: str | Mapping[str, str] | None = None) -> Self:
        """Take adjusted closes from a data frame of dates by tickers.

        Parameters
        ----------
        wide_close : pandas.DataFrame
            Index: dates (datetime, or ISO text), increasing; columns: tickers; values: prices, NaN where missing.
        exchange : str, mapping from ticker to str, or None
            The market identifier code (MIC) of all tickers, or of each; None takes the observed dates as the
            calendar of all.

        Raises
        ------
        InputError
            When an index entry is not a date, a column name is not text, or a column stands twice.
        BadPrices
            When dates repeat or decrease, or a price is zero, negative or infinite.

        Examples
        --------
        >>> import pandas as pd
        >>> wide = pd.DataFrame({"A": [10.0, 11.0]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
        >>> list(Prices.from_frame(wide).bars)
        ['A']
        """
        if wide_close.columns.has_duplicates:
            twice = list(wide_close.columns[wide_close.columns.duplicated()])
            raise InputError(f"columns {twice} stand twice in the prices; each ticker has one column")
        dates = as_dates(wide_close.index)
        values = np.asfortranarray(wide_close.to_numpy(dtype=np.float64, na_value=np.nan))
        mics = {} if exchange is None or isinstance(exchange, str) else exchange
        bars = {}
        for column, ticker in enumerate(wide_close.columns):
            if not isinstance(ticker, str):
                raise InputError(f"column {ticker!r} of the prices is {type(ticker).__name__}; a ticker is text")
            mic = exchange if isinstance(exchange, str) else mics.get(ticker)
            if mic is None and exchange is not None:
                raise InputError(f"exchange names no market for {ticker!r}; give every ticker one, or pass None")
            bars[ticker] = Bars(ticker, dates, {"close": values[:, column]}, mic)
        return cls(bars, provenance={"source": "frame"})

    def __repr__(self) -> str:
        named = ", ".join([*self.bars][:5]) + (", ..." if len(self.bars) > 5 else "")
        ends = [b.dates[[0, -1]] for b in self.bars.values() if len(b.dates)]
        span = f"; {min(e[0] for e in ends)} to {max(e[1] for e in ends)}" if ends else ""
        lost = f"; {len(self.problems)} could not be had" if self.problems else ""
        return f"Prices({len(self.bars)} tickers: {named}{span}{lost})"

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that have prices."""
        return tuple(self.bars)

    def frame(self, ticker: str) -> Any:
        """Give one ticker's bars as a pandas.DataFrame indexed by date."""
        import pandas as pd

        bars = self.bars[ticker]
        return pd.DataFrame(dict(bars.fields), index=pd.DatetimeIndex(bars.dates, name="date"))


def as_dates(index: Any, what: str = "prices") -> Dates:
    """Read the index of a data frame as dates; ``what`` names the frame in an error."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        raise InputError(f"the dates of the {what} carry the zone {index.tz}; use tz_localize(None)")
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(index, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the {what} are not indexed by dates ({error}); use datetimes or ISO text, 2021-09-13"
        ) from None
    if stamps.hasnans:
        raise InputError(f"the index of the {what} has missing dates; each row needs its date")
    if (stamps != stamps.normalize()).any():
        raise InputError(
            f"the dates of the {what} carry times of day; one row a session is expected: index.normalize()"
        )
    dates: Dates = stamps.to_numpy().astype("datetime64[D]")
    return dates
