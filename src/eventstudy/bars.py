"""Prices as a source gives them: bars by ticker, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from eventstudy.errors import BadPrices, InputError
from eventstudy.types import PRICE_FIELDS, Dates, Floats

POSITIVE = (*PRICE_FIELDS, "adjusted")
LONGEST = np.timedelta64(12 * 3600, "s")  # of a bar within the day
HALVES = 40  # differences from which on both halves of a file must tell the same length of a bar


@dataclass(frozen=True)
class Bars:
    """The prices of one ticker on the dates on which its source has them.

    Parameters
    ----------
    ticker : str
    dates : datetime64[D] or datetime64[s] array (T,)
        Strictly increasing: sessions, or the starts of bars within the day in UTC.
    fields : mapping from name to float array (T,)
        ``close`` always; any of ``open``, ``high``, ``low``, ``adjusted`` (close adjusted for splits and
        dividends; where absent, the close is taken as it is) and ``volume``; and any series of one's own, of any
        sign, under another name. NaN where missing.
    mic : str or None
        The exchange; None takes the observed dates as the calendar.
    currency : str or None
    step : timedelta64 or None
        Of bars within the day, the length of a full one (:func:`step_of`); None for sessions.

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
    step: np.timedelta64 | None = None

    def __post_init__(self) -> None:
        _check_dates(self.ticker, self.dates)
        if self.intraday != (self.step is not None and self.step > np.timedelta64(0, "s")):
            raise BadPrices(
                f"{self.ticker} has dates of {self.dates.dtype} and the step {self.step}; sessions are datetime64[D]"
                " and have none, bars within the day are datetime64[s] and have one above zero: step_of(ticker, dates)"
            )
        if "close" not in self.fields:
            raise BadPrices(f"{self.ticker} has no close; its fields are {', '.join(self.fields) or 'none'}")
        for name, values in self.fields.items():
            if values.shape != self.dates.shape:
                raise BadPrices(f"{self.ticker} has {values.size} values of {name} on {self.dates.size} dates")
            _check_values(self.ticker, name, self.dates, values)

    @property
    def intraday(self) -> bool:
        """Whether these are bars within the day, and not sessions."""
        return np.datetime_data(self.dates.dtype)[0] == "s"

    @cached_property
    def first(self) -> np.datetime64:
        """The first date with a close; NaT where there is none."""
        return self._edge(slice(None))

    @cached_property
    def last(self) -> np.datetime64:
        """The last date with a close; NaT where there is none."""
        return self._edge(slice(None, None, -1))

    def _edge(self, order: slice) -> np.datetime64:
        known = np.isfinite(self.fields["close"])[order]
        if not known.any():
            return self.dates.dtype.type("NaT", "s" if self.intraday else "D")
        edge: np.datetime64 = self.dates[order][known.argmax()]
        return edge


def priced_dates(bars: Mapping[str, Bars], tickers: Sequence[str]) -> Dates:
    """Give the dates on which one or more of some tickers have a close; a store answers from its index."""
    known: Dates | None = bars.priced_dates(tickers) if isinstance(bars, Indexed) else None
    if known is not None:
        return known
    seen = [bars[name].dates[np.isfinite(bars[name].fields["close"])] for name in tickers]
    seen = [dates for dates in seen if len(dates)]
    kind = next((bars[name].dates.dtype for name in tickers), np.dtype("datetime64[D]"))
    return np.unique(np.concatenate(seen)) if seen else np.array([], dtype=kind)


@runtime_checkable
class Indexed(Protocol):
    """A mapping of bars that are read when they are asked for, and what it can say of them without that."""

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """As the function of this name; None where it is not known."""
        ...

    def take(self, tickers: Sequence[str]) -> Mapping[str, Bars]:
        """Give some tickers alone."""
        ...

    def content(self) -> list[Any]:
        """Give plain values that differ where any of the bars do."""
        ...


def step_of(ticker: str, dates: Dates) -> np.timedelta64 | None:
    """Infer the length of a full bar from the starts of bars: the most frequent difference; None for sessions.

    Raises
    ------
    BadPrices
        When there are fewer than two bars, or the most frequent differences of the two halves are not the same.
    InputError
        When that is more than 12 hours: daily prices with times of day.

    Examples
    --------
    >>> starts = np.array(["2021-01-04T09:00", "2021-01-04T09:30", "2021-01-04T10:30", "2021-01-04T11:30"], "M8[s]")
    >>> step_of("A", starts)
    np.timedelta64(3600,'s')
    """
    if np.datetime_data(dates.dtype)[0] != "s":
        return None
    steps = np.diff(dates)
    steps = steps[steps > np.timedelta64(0, "s")]
    if not len(steps):
        raise BadPrices(f"{ticker} has {len(dates)} bars; two or more are needed to tell how long a bar is")
    halves = np.array_split(steps, 2) if len(steps) >= HALVES else [steps]
    found = [_most_frequent(half) for half in (steps, *halves)]
    if len(set(found)) > 1:
        raise BadPrices(
            f"{ticker} has mixed steps: its bars are mostly {minutes(found[1])} apart in the first half, to"
            f" {dates[len(dates) // 2]} UTC, and {minutes(found[2])} in the second; give bars of one length"
        )
    if found[0] > LONGEST:
        raise InputError(
            f"{ticker} has one row a day at times of day, as {dates[0]} UTC: daily prices whose dates were moved to"
            " another time zone; tz_convert them to that of the exchange, and take the dates alone"
        )
    return found[0]


def _most_frequent(steps: np.ndarray) -> np.timedelta64:
    values, counts = np.unique(steps, return_counts=True)
    step: np.timedelta64 = values[counts.argmax()]
    return step


def minutes(step: np.timedelta64) -> str:
    """Write the length of a bar."""
    return f"{step / np.timedelta64(60, 's'):g} minutes"


def _check_dates(ticker: str, dates: Dates) -> None:
    steps = np.diff(dates)
    zero = np.timedelta64(0, "s")
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
            Index: dates (datetime, or ISO text), increasing; columns: tickers; values: prices, NaN where missing. An
            index with a time zone and times of day has the starts of bars within the day.
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
        step = step_of("the frame", dates)
        bars = {}
        for column, ticker in enumerate(wide_close.columns):
            if not isinstance(ticker, str):
                raise InputError(f"column {ticker!r} of the prices is {type(ticker).__name__}; a ticker is text")
            mic = exchange if isinstance(exchange, str) else mics.get(ticker)
            if mic is None and exchange is not None:
                raise InputError(f"exchange names no market for {ticker!r}; give every ticker one, or pass None")
            bars[ticker] = Bars(ticker, dates, {"close": values[:, column]}, mic, step=step)
        return cls(bars, provenance={"source": "frame"})

    def __repr__(self) -> str:
        named = ", ".join([*self.bars][:5]) + (", ..." if len(self.bars) > 5 else "")
        ends = [(b.first, b.last) for b in self.bars.values() if not np.isnat(b.first)]
        span = f"; {min(e[0] for e in ends)} to {max(e[1] for e in ends)}" if ends else ""
        lost = f"; {len(self.problems)} could not be had" if self.problems else ""
        return f"Prices({len(self.bars)} tickers: {named}{span}{lost})"

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that have prices."""
        return tuple(self.bars)

    def frame(self, ticker: str) -> Any:
        """Give one ticker's bars as a pandas.DataFrame indexed by date, or by the start of each bar in UTC."""
        import pandas as pd

        bars = self.bars[ticker]
        index = pd.DatetimeIndex(bars.dates, name="date")
        return pd.DataFrame(dict(bars.fields), index=index.tz_localize("UTC") if bars.intraday else index)


def as_dates(index: Any, what: str = "prices") -> Dates:
    """Read the index of a data frame as dates, or as starts of bars in UTC; ``what`` names the frame in an error."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        if (index == index.normalize()).all():
            raise InputError(f"the dates of the {what} carry the zone {index.tz}; use tz_localize(None)")
        starts: Dates = index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
        return starts
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
            f"the dates of the {what} carry times of day and no zone; for bars within the day use"
            " index.tz_localize('America/New_York'), or where they are from, for one row a session index.normalize()"
        )
    dates: Dates = stamps.to_numpy().astype("datetime64[D]")
    return dates
