"""Prices as a source returns them: bars by ticker, validated on construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from eventstudy import arguments
from eventstudy.errors import BadPrices, InputError
from eventstudy.plausibility import Finding, check_dates, check_values, screen, traded_rows
from eventstudy.tabular.exchanges import exchanges_of
from eventstudy.tabular.frames import Kind, series_of
from eventstudy.tabular.returns import levels
from eventstudy.types import Bools, Dates, Floats

if TYPE_CHECKING:
    import pandas as pd
    from narwhals.typing import IntoFrame

LONGEST = np.timedelta64(12 * 3600, "s")  # an intraday bar; anything longer is taken for daily prices
HALVES = 40  # with at least this many differences, both halves of a series must imply the same bar length


@dataclass(frozen=True, eq=False)
class Bars:
    """The prices of one ticker on the dates for which its source has them.

    Parameters
    ----------
    ticker : str
    dates : datetime64[D] or datetime64[s] array (T,)
        Strictly increasing: sessions, or the starts of intraday bars in UTC.
    fields : mapping from name to float array (T,)
        ``close`` is required; ``open``, ``high``, ``low``, ``adjusted`` (close adjusted for splits and dividends; the
        unadjusted close is used where it is absent), ``volume``, ``split`` (new shares for an old one; 0, 1 or NaN
        where none) and ``return`` (simple total return since the row before, used instead of prices) are optional,
        and so are series of the user's, of any sign, under other names. NaN where missing. Arrays that could be
        written to are copied.
    mic : str or None
        Market identifier code of the exchange; None takes the observed dates as the calendar.
    currency : str or None
    step : timedelta64 or None
        The length of a full intraday bar (:func:`step_of`); None for daily prices.

    Raises
    ------
    BadPrices
        If dates repeat or decrease, a price is zero, negative or infinite, or another field is infinite; the
        message names the ticker, the date and the value.
    """

    ticker: str
    dates: Dates
    fields: Mapping[str, Floats]
    mic: str | None = None
    currency: str | None = None
    step: np.timedelta64 | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dates", _own(self.dates))
        object.__setattr__(self, "fields", {name: _own(values) for name, values in self.fields.items()})
        check_dates(self.ticker, self.dates)
        if self.intraday != (self.step is not None and self.step > np.timedelta64(0, "s")):
            raise BadPrices(
                f"{self.ticker} has dates of {self.dates.dtype} and the step {self.step}; daily dates are"
                " datetime64[D] with the step None, intraday dates are datetime64[s] with a step above zero:"
                " step_of(ticker, dates)"
            )
        if "close" not in self.fields:
            raise BadPrices(
                f"{self.ticker} has no close; its fields are {', '.join(self.fields) or 'none'}; add closing prices"
            )
        for name, values in self.fields.items():
            if values.shape != self.dates.shape:
                raise BadPrices(
                    f"{self.ticker} has {values.size} values of {name} on {self.dates.size} dates; give one per date"
                )
            check_values(self.ticker, name, self.dates, values)

    @cached_property
    def traded(self) -> Bools:
        """On which rows something traded, (T,): the close differs from the price before it, or there is a volume.

        A row that repeats all of the row before, as one that was filled forward does, is no trade.
        """
        return traded_rows(self.fields)

    @property
    def intraday(self) -> bool:
        """Whether the bars are intraday rather than daily."""
        return np.datetime_data(self.dates.dtype)[0] == "s"

    @cached_property
    def first(self) -> np.datetime64:
        """The first date with a close; NaT if there is none."""
        return self._edge(slice(None))

    @cached_property
    def last(self) -> np.datetime64:
        """The last date with a close; NaT if there is none."""
        return self._edge(slice(None, None, -1))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is implausible in the bars, in the order of the dates (as ``plausibility.screen`` finds it)."""
        return screen(self.dates, self.fields)

    def _edge(self, order: slice) -> np.datetime64:
        """Return the first date with a close in the given order."""
        known = np.isfinite(self.fields["close"])[order]
        if not known.any():
            return self.dates.dtype.type("NaT", "s" if self.intraday else "D")
        edge: np.datetime64 = self.dates[order][known.argmax()]
        return edge


def _own(values: np.ndarray) -> np.ndarray:
    """Return an array that cannot be written to: itself, or a copy."""
    if not isinstance(values, np.ndarray) or not values.flags.writeable:
        return values
    copy = values.copy()
    copy.setflags(write=False)
    return copy


def priced_dates(bars: Mapping[str, Bars], tickers: Sequence[str]) -> Dates:
    """Return the sorted dates on which at least one of the tickers has a close; a store answers from its index."""
    known: Dates | None = bars.priced_dates(tickers) if isinstance(bars, Indexed) else None
    if known is not None:
        return known
    dates_by_ticker = [bars[name].dates[np.isfinite(bars[name].fields["close"])] for name in tickers]
    dates_by_ticker = [dates for dates in dates_by_ticker if len(dates)]
    dtype = next((bars[name].dates.dtype for name in tickers), np.dtype("datetime64[D]"))
    return np.unique(np.concatenate(dates_by_ticker)) if dates_by_ticker else np.array([], dtype=dtype)


def traded_dates(bars: Mapping[str, Bars], tickers: Sequence[str]) -> Dates | None:
    """Return the dates on which one of the tickers traded or has its first price, from an index; None without one."""
    return bars.traded_dates(tickers) if isinstance(bars, Indexed) else None


@runtime_checkable
class Indexed(Protocol):
    """A mapping of lazily read bars, with the queries that it answers without reading them."""

    def priced_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Return the same as :func:`priced_dates`; None if the index does not hold it."""
        ...

    def traded_dates(self, tickers: Sequence[str]) -> Dates | None:
        """Return the same as :func:`traded_dates`; None if the index does not hold it."""
        ...

    def take(self, tickers: Sequence[str]) -> Mapping[str, Bars]:
        """Return the mapping restricted to these tickers."""
        ...

    def content(self) -> list[object]:
        """Return plain values that differ whenever any of the bars differ, for a fingerprint."""
        ...


def step_of(ticker: str, dates: Dates) -> np.timedelta64 | None:
    """Infer the length of a full bar from the starts of bars: the most frequent difference; None for daily dates.

    Raises
    ------
    BadPrices
        If there are fewer than two bars, or the two halves of the series differ in their most frequent difference.
    InputError
        If the length exceeds 12 hours: daily prices with times of day.

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
        raise BadPrices(f"{ticker} has {len(dates)} bars; two or more are needed to infer the length of a bar")
    halves = np.array_split(steps, 2) if len(steps) >= HALVES else [steps]
    lengths = [_most_frequent(half) for half in (steps, *halves)]
    if len(set(lengths)) > 1:
        raise BadPrices(
            f"{ticker} has mixed steps: its bars are mostly {minutes(lengths[1])} apart in the first half, to"
            f" {dates[len(dates) // 2]} UTC, and {minutes(lengths[2])} in the second; pass bars of one length"
        )
    if lengths[0] > LONGEST:
        raise InputError(
            f"{ticker} has one row a day with a time of day, such as {dates[0]} UTC: daily prices whose dates were"
            " converted to another time zone; tz_convert them to that of the exchange, and keep the dates only"
        )
    return lengths[0]


def _most_frequent(steps: np.ndarray) -> np.timedelta64:
    values, counts = np.unique(steps, return_counts=True)
    step: np.timedelta64 = values[counts.argmax()]
    return step


def minutes(step: np.timedelta64) -> str:
    """Format the length of a bar in minutes."""
    return f"{step / np.timedelta64(60, 's'):g} minutes"


@dataclass(frozen=True, repr=False, eq=False)
class Prices:
    """Prices by ticker, with the tickers that failed and the provenance of the rest.

    Parameters
    ----------
    bars : mapping from ticker to Bars
    problems : mapping from ticker to reason
        Requested tickers without prices.
    provenance : mapping
        Source, range, time of retrieval and fingerprint, as far as the source knows them.
    """

    bars: Mapping[str, Bars]
    problems: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.bars) is dict:
            object.__setattr__(self, "bars", dict(self.bars))

    @classmethod
    def from_frame(cls, frame: IntoFrame, exchange: str | Mapping[str, str] | None = None) -> Self:
        """Read prices from a data frame.

        Parameters
        ----------
        frame : data frame of pandas, polars or pyarrow
            Wide: one column of adjusted closes per ticker, and the dates in the index (pandas) or in a column ``date``.
            Long: one row per ticker and date, with the columns ticker, date, close and any of open, high, low,
            adj close, volume, stock splits, currency and mic. Two levels of columns (pandas): fields and tickers, as
            ``yf.download`` returns them. Dates are datetimes, ISO text or numbers as 20210913, increasing; NaN is a
            missing price. Time stamps with a zone are dates if all are midnight there, and the starts of intraday bars
            otherwise.
        exchange : str, mapping from ticker to str, or None
            The market identifier code (MIC) of all tickers, or of each ticker. None takes the observed dates as the
            calendar of all tickers; but if their suffixes name two exchanges or more, each has its own, as in a folder.

        Raises
        ------
        InputError
            If ``frame`` is not a data frame, or a date, a value or the name of a column is not valid.
        BadPrices
            If dates repeat or decrease, or a price is zero, negative or infinite.

        Examples
        --------
        >>> import pandas as pd
        >>> wide = pd.DataFrame({"A": [10.0, 11.0]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
        >>> list(Prices.from_frame(wide).bars)
        ['A']
        """
        return cls(_bars_of_frame(frame, "close", exchange, "prices"), provenance={"source": "frame"})

    @classmethod
    def from_returns(cls, frame: IntoFrame, exchange: str | Mapping[str, str] | None = None) -> Self:
        """Read simple returns, as decimals, from a data frame.

        Parameters
        ----------
        frame : data frame of pandas, polars or pyarrow
            As in :meth:`from_frame`: wide, with one column of returns per ticker, or long, with a column ``return``.
            A return is that since the row before; NaN is a missing return.
        exchange : str, mapping from ticker to str, or None
            As in :meth:`from_frame`.

        Returns
        -------
        Prices
            The field ``return`` has the returns, from which a study computes; ``close`` is their level, 100 before the
            first.

        Raises
        ------
        InputError
            If ``frame`` is not a data frame, a date or a value is not valid, or the returns look like per cent.
        BadPrices
            If a return is -1 or below, or dates repeat or decrease.

        Examples
        --------
        >>> import pandas as pd
        >>> returns = pd.DataFrame({"A": [0.10, -0.05]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
        >>> Prices.from_returns(returns).bars["A"].fields["close"]
        array([110. , 104.5])
        """
        return cls(_bars_of_frame(frame, "return", exchange, "returns"), provenance={"source": "returns"})

    def __repr__(self) -> str:
        first = ", ".join([*self.bars][:5]) + (", ..." if len(self.bars) > 5 else "")
        ends = [(b.first, b.last) for b in self.bars.values() if not np.isnat(b.first)]
        span = f"; {min(e[0] for e in ends)} to {max(e[1] for e in ends)}" if ends else ""
        failed = f"; {len(self.problems)} without prices" if self.problems else ""
        return f"Prices({len(self.bars)} tickers: {first}{span}{failed})"

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that have prices."""
        return tuple(self.bars)

    def screen(self) -> pd.DataFrame:
        """Return what is impossible or implausible in the prices; nothing is changed.

        Returns
        -------
        DataFrame
            ticker, date, check, size, what; one row for each finding. ``check`` and the meaning of ``size``:

            - contradiction: close or open outside low and high, or low above high; the share by which it is outside
            - spike: a move that is undone within a few rows, such as a decimal slip; the simple return
            - jump: a move that few shares make, and that is not undone; the simple return
            - split: the field ``split`` has a split that is not applied, or applied twice; the simple return
            - currency: a lasting move by a factor of about 100; the simple return
            - stale: the last close repeats to the end; the number of repeats
            - repeated: a close repeats for long, or a whole row with its volume repeats; the number of repeats
            - sentinel: a price such as 9999 that differs largely from its neighbours; the price

            ``date`` is the first row in doubt.

        Examples
        --------
        >>> import pandas as pd
        >>> days = pd.to_datetime(["2021-01-04", "2021-01-05", "2021-01-06", "2021-01-07"])
        >>> prices = Prices.from_frame(pd.DataFrame({"A": [10.0, 10.1, 1.01, 10.2]}, index=days))
        >>> prices.screen()[["ticker", "date", "check"]].values.tolist()
        [['A', Timestamp('2021-01-06 00:00:00'), 'spike']]
        """
        import pandas as pd

        findings = [(ticker, finding) for ticker, bars in self.bars.items() for finding in bars.findings]
        intraday = any(np.datetime_data(finding.date.dtype)[0] == "s" for _, finding in findings)
        index = pd.DatetimeIndex([finding.date for _, finding in findings]).as_unit("s")
        return pd.DataFrame(
            {
                "ticker": pd.Series([ticker for ticker, _ in findings], dtype=object),
                "date": index.tz_localize("UTC") if intraday else index,
                "check": pd.Series([finding.check for _, finding in findings], dtype=object),
                "size": np.array([finding.size for _, finding in findings], dtype=np.float64),
                "what": pd.Series([finding.what for _, finding in findings], dtype=object),
            }
        )

    def frame(self, ticker: str) -> pd.DataFrame:
        """Return one ticker's bars as a pandas.DataFrame indexed by date, or by the start of each bar in UTC."""
        import pandas as pd

        arguments.choice("ticker", ticker, self.bars)
        bars = self.bars[ticker]
        index = pd.DatetimeIndex(bars.dates, name="date")
        return pd.DataFrame(dict(bars.fields), index=index.tz_localize("UTC") if bars.intraday else index)


def _bars_of_frame(frame: object, kind: Kind, exchange: str | Mapping[str, str] | None, what: str) -> dict[str, Bars]:
    """Return checked bars by ticker from a data frame of any form."""
    series = list(series_of(frame, kind, what))
    mics = exchanges_of(series, exchange)
    bars = {}
    for one in series:
        fields = {name: values for name, values in one.fields.items() if name == kind or not np.isnan(values).all()}
        if "return" in fields:
            fields = {**fields, **levels(one.ticker, one.dates, fields)}
        elif "close" not in fields and "adjusted" in fields:
            fields["close"] = fields["adjusted"]
        step = step_of(one.ticker, one.dates)
        bars[one.ticker] = Bars(one.ticker, one.dates, fields, mics[one.ticker], one.currency, step)
    return bars
