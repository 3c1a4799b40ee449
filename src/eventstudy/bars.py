"""Prices as a source returns them: bars by ticker, validated on construction."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from eventstudy import arguments
from eventstudy.credentials import masked_record
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, SourceError
from eventstudy.plausibility import Finding, check_dates, check_values, screen, traded_rows
from eventstudy.tabular.columns import PLAIN, Layout
from eventstudy.tabular.exchanges import exchanges_of
from eventstudy.tabular.fields import distinct, fields_of, notes_of
from eventstudy.tabular.frames import Kind, series_of
from eventstudy.tabular.steps import step_of
from eventstudy.types import Bools, Dates, Floats

if TYPE_CHECKING:
    import pandas as pd
    from narwhals.typing import IntoFrame


@dataclass(frozen=True, eq=False, repr=False)
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
        The length of a full intraday bar (``step_of``); None for daily prices.
    notes : mapping from text to int
        Remarks on how the rows were read, with the number of rows that each concerns.

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
    notes: Mapping[str, int] = field(default_factory=dict)

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

    def __repr__(self) -> str:
        rows = f"{self.dates.size} rows, {self.first} to {self.last}; {', '.join(self.fields)}"
        return f"Bars({self.ticker}: {rows}; {', '.join(filter(None, (self.mic, self.currency))) or 'no exchange'})"

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
    return distinct([(b.dates, np.isfinite(b.fields["close"])) for b in map(bars.__getitem__, tickers)])


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


@dataclass(frozen=True, repr=False, eq=False)
class Prices:
    """Prices by ticker, with the tickers that failed and the provenance of the rest.

    Parameters
    ----------
    bars : mapping from ticker to Bars
    problems : mapping from ticker to reason
        Requested tickers without prices.
    provenance : mapping
        Source, range, time of retrieval and fingerprint, as far as the source knows them; without passwords.
    """

    bars: Mapping[str, Bars]
    problems: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.bars) is dict:
            object.__setattr__(self, "bars", dict(self.bars))
        # Reports repeat both, and a source of the user's own may put its password there.
        object.__setattr__(self, "problems", masked_record(self.problems))
        object.__setattr__(self, "provenance", masked_record(self.provenance))

    @classmethod
    def from_frame(cls, frame: IntoFrame, exchange: str | Mapping[str, str] | None = None) -> Self:
        """Read prices from a data frame.

        Parameters
        ----------
        frame : data frame of pandas, polars or pyarrow
            Wide: one column of adjusted closes per ticker, and the dates in the index (pandas) or in a column ``date``.
            Long: one row per ticker and date, with the columns ticker, date, close and any of open, high, low,
            adj close, volume, stock splits, return, currency and mic, under any header that files may have; CRSP's
            (PERMNO, PRC) is read with its signs and codes. Two levels of columns (pandas): fields and tickers, as
            ``yf.download`` returns them. Dates are datetimes, ISO text or numbers as 20210913, increasing; NaN is a
            missing price. Time stamps with a zone are dates if all are midnight there, and the starts of intraday bars
            otherwise.
        exchange : str, mapping from ticker to str, or None
            The market identifier code (MIC) of all tickers, or of each ticker. None takes the observed dates as the
            calendar of all tickers; but if their suffixes name two exchanges or more, each has its own, as in a folder,
            and CRSP's securities are of New York.

        Raises
        ------
        InputError
            If ``frame`` is not a data frame, or a date or the name of a column is not valid.
        BadPrices
            If no ticker has valid prices: dates repeat or decrease, or a price is zero, negative or infinite. If only
            some fail, ``problems`` has the reason of each and a warning names them.

        Examples
        --------
        >>> import pandas as pd
        >>> wide = pd.DataFrame({"A": [10.0, 11.0]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
        >>> list(Prices.from_frame(wide).bars)
        ['A']
        """
        bars, problems, notes = _of_frame(frame, "close", exchange, "prices")
        return cls(bars, problems, {"source": "frame", **notes})

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
            first. It is no price: values of firms, rates and prices per share are not made from it.

        Raises
        ------
        InputError
            If ``frame`` is not a data frame, a date is not valid, or no ticker has valid returns (they look like per
            cent, or are no numbers). If only some fail, ``problems`` has the reason of each and a warning names them.
        BadPrices
            Likewise, if a return is -1 or below, or dates repeat or decrease.

        Examples
        --------
        >>> import pandas as pd
        >>> returns = pd.DataFrame({"A": [0.10, -0.05]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
        >>> Prices.from_returns(returns).bars["A"].fields["close"]
        array([110. , 104.5])
        """
        bars, problems, notes = _of_frame(frame, "return", exchange, "returns")
        return cls(bars, problems, {"source": "returns", **notes})

    def __repr__(self) -> str:
        first = ", ".join([*self.bars][:5]) + (", ..." if len(self.bars) > 5 else "")
        ends = [(b.first, b.last) for b in self.bars.values() if not np.isnat(b.first)]
        span = f"; {min(e[0] for e in ends)} to {max(e[1] for e in ends)}" if ends else ""
        failed = f"; {len(self.problems)} without prices" if self.problems else ""
        return f"Prices({len(self.bars)} tickers: {first}{span}{failed})"

    def _repr_html_(self) -> str:
        from eventstudy.display.inputs import prices_card

        return prices_card(self.bars, self.problems, self.provenance).as_html()

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


def make_bars(
    where: str, ticker: str, dates: Dates, columns: Mapping[str, Floats], mic: str | None, currency: str | None,
    layout: Layout = PLAIN,
) -> Bars:  # fmt: skip
    """Return checked bars from the columns of any table (``fields_of``).

    Raises
    ------
    BadPrices
        If a price is not above zero, a return is -1 or below, or dates repeat or are in no order.
    InputError
        If the returns look like per cent, or the rows have times and are a day apart.
    """
    try:
        dates, fields, notes = fields_of(ticker, dates, columns, layout)
        return Bars(ticker, dates, fields, mic, currency, step_of(ticker, dates), notes)
    except (BadPrices, InputError) as error:
        raise type(error)(f"{where}: {error}") from None


def read_tickers(names: Iterable[str], read_one: Callable[[str], Bars]) -> tuple[dict[str, Bars], dict[str, str]]:
    """Read ticker by ticker; return the bars, and the reason for each ticker that failed.

    Failures are listed in one warning; if every ticker fails, the first error is raised, with the reasons of all.
    """
    bars: dict[str, Bars] = {}
    problems: dict[str, SourceError | InputError] = {}
    for name in names:
        try:
            bars[name] = read_one(name)
        except (SourceError, InputError) as error:
            problems[name] = error
    reasons = {name: str(error) for name, error in problems.items()}
    if problems:
        first = next(iter(problems.values()))
        if not bars:
            first.problems = reasons
            raise first
        some = ", ".join([*problems][:20]) + (f" and {len(problems) - 20} more" if len(problems) > 20 else "")
        warnings.warn(
            f"{len(problems)} of {len(problems) + len(bars)} tickers could not be read: {some} (the first: {first})",
            EventStudyWarning,
            stacklevel=4,
        )
    return bars, reasons


def _of_frame(
    frame: object, kind: Kind, exchange: str | Mapping[str, str] | None, what: str
) -> tuple[dict[str, Bars], dict[str, str], dict[str, Any]]:
    """Return the bars of a data frame of any form, the reason for each ticker that failed, and the provenance."""
    table = series_of(frame, kind, what)
    series = {one.ticker: one for one in table.series}
    mic_of = exchanges_of(table, exchange)

    def read_one(ticker: str) -> Bars:
        one = series[ticker]
        if one.error is not None:
            raise one.error
        return make_bars(f"the {what}", ticker, one.dates, one.fields, mic_of(one), one.currency, table.layout)

    bars, problems = read_tickers(series, read_one)
    return bars, problems, notes_of({ticker: its.notes for ticker, its in bars.items()})
