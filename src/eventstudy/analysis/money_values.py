"""What the firm of each event was worth before its window: the value, its date and currency, and which listing counts.

Nothing later than the close before the window is read. An event without a value has a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of, shown
from eventstudy.prepare.currency import CODE, MINOR, OLDEST_RATE, latest_rate
from eventstudy.prepare.placing import firm_names, firm_of_tickers
from eventstudy.prepare.returns import is_level
from eventstudy.prepare.stamps import is_missing
from eventstudy.types import BarsView, Dates, Floats, Ints, PricesView

OLDEST = 31  # days before the close before the window that a value may date from: the end of a month serves the next
NONE = ("nan", "None", "<NA>", "")


class Values(NamedTuple):
    """The value of the firm of each event before its window, each (n,).

    ``value`` is NaN without one, with the ``reason``; ``valued_on`` the date that it is of; ``currency`` its currency,
    empty if not known.
    """

    value: Floats
    valued_on: Dates
    currency: np.ndarray
    reason: np.ndarray

    def lose(self, at: int, reason: str) -> None:
        """Take the value of an event away."""
        self.value[at], self.reason[at] = np.nan, reason


def values_before(frame: pd.DataFrame, prices: PricesView, before: Dates, value: str, shares: str | None) -> Values:
    """Return the value of each event's firm at a date.

    Parameters
    ----------
    frame : DataFrame
        Rows of ``Events.frame``, (n,).
    prices : PricesView
    before : datetime64 array (n,)
        The session, or bar, before the window.
    value : str
        A column of the events, or a field of the prices.
    shares : str or None
        A column or field with the number of shares, which is multiplied by the unadjusted close; ``value`` is not used.
    """
    n = len(frame)
    found = Values(np.full(n, np.nan), before.copy(), np.full(n, "", dtype=object), np.full(n, "", dtype=object))
    name = value if shares is None else shares
    column = _column(frame, prices, name, "value" if shares is None else "shares")
    stated = _stated_currency(frame, f"{value}_currency") if column is not None and shares is None else None
    for at, (ticker, day) in enumerate(zip(frame["ticker"], before, strict=True)):
        bars = prices.bars[ticker]
        currency, unit = MINOR.get(str(bars.currency), (bars.currency or "", 1.0))
        amount, on = (float(column[at]), day) if column is not None else _last(bars, name, day, shares is None)
        reason = "" if np.isfinite(amount) else f"no {name}" + _as_of(ticker, day, shares is None) * (column is None)
        if amount <= 0:
            reason = f"{name} is {amount:g}, and must be above 0"
        if shares is not None:
            close, on = _last(bars, "close", day, True)
            reason = reason if np.isfinite(close) else "no close" + _as_of(ticker, day, True)
            if is_level(bars):
                close, reason = np.nan, f"no close of {ticker}: its prices are returns"
            amount *= close * unit
        found.value[at], found.valued_on[at] = amount, on
        found.currency[at] = currency if stated is None else stated[at] or currency
        if reason:
            found.lose(at, reason)
    return found


def _as_of(ticker: str, day: np.datetime64, recent: bool) -> str:
    return f" of {ticker} on {_day(day)} or " + (f"in the {OLDEST} days before" if recent else "before")


def _column(frame: pd.DataFrame, prices: PricesView, name: str, argument: str) -> Floats | None:
    """Return the numbers of a column of the events (n,), or None if the name is a field of the prices."""
    if not isinstance(name, str):
        raise InputError(f"{argument} is {shown(name)}; give the name of a column of the events or of a field")
    if name in frame.columns:
        return _numbers(argument, name, frame[name])
    tickers = [ticker for ticker in dict.fromkeys(frame["ticker"]) if ticker in prices.bars]
    fields = {field for ticker in tickers for field in prices.bars[ticker].fields}
    if name not in fields and len(tickers):
        error = one_of(argument, name, [*frame.columns, *sorted(fields)])
        raise InputError(
            f"{error}; the value of a firm is a column of the events, a series of the prices under that name"
            " (es.transform.attach), or shares='shares', a number of shares, times the unadjusted close"
        )
    return None


def _numbers(argument: str, name: str, column: pd.Series) -> Floats:
    """Return a column as numbers (n,), NaN where a cell is empty; raise InputError for a cell that is neither."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() & ~column.map(is_missing) & (column != "") | (column.dtype.kind in "mMb")
    if wrong.any():
        raise InputError(
            f"{argument} names the column {name!r} of the events, which has {shown(column[wrong].iloc[0])}; give"
            " numbers, such as 13.3e9, or leave the cell empty"
        )
    return np.asarray(numbers, dtype=np.float64)


def _stated_currency(frame: pd.DataFrame, name: str) -> list[str] | None:
    """Return the currencies of a column of the events, if there is one; empty where it has none."""
    if name not in frame.columns:
        return None
    texts = [str(cell) for cell in frame[name]]
    for text in texts:
        if text not in NONE and not CODE.fullmatch(text):
            raise InputError(f"column {name!r} of the events has {shown(text)}; give codes as 'USD'")
    return ["" if text in NONE else text for text in texts]


def _last(bars: BarsView, name: str, day: np.datetime64, recent: bool) -> tuple[float, np.datetime64]:
    """Return the last value of a field on a date or before, and its date; NaN without one, or without a recent one."""
    values = bars.fields.get(name)
    if values is None:
        return np.nan, day
    known = np.flatnonzero(np.isfinite(values[: np.searchsorted(bars.dates, day, side="right")]))
    if not len(known):
        return np.nan, day
    on = bars.dates[known[-1]]
    if recent and day - on > np.timedelta64(OLDEST, "D"):
        return np.nan, day
    return float(values[known[-1]]), on


def _day(when: np.datetime64) -> str:
    return str(when.astype("datetime64[D]"))


def reporting_currency(found: Values, currency: str | None) -> str:
    """Return the currency of the report: that asked for, or the one that all values have.

    Raises
    ------
    InputError
        If the values are in several currencies and none is asked for, or the one asked for is no code.
    """
    known = list(dict.fromkeys(found.currency[np.isfinite(found.value)].tolist()))
    if currency is not None:
        if not isinstance(currency, str) or not CODE.fullmatch(currency):
            raise InputError(f"currency is {shown(currency)}; give a code of three capital letters, as in 'USD'")
        return currency
    if len(known) > 1:
        names = ", ".join(name or "one that is not known" for name in known)
        raise InputError(
            f"the values are in several currencies: {names}; give one for the sum, as in currency='USD', with its rates"
            " among the prices, as HKD=X is the price of a dollar in HKD"
        )
    return known[0] if known else ""


def rates(found: Values, prices: PricesView, currency: str) -> Floats:
    """Return the rate of each event's currency to that of the report on the date of its value, (n,).

    The rate of a bar is the last until it, within a week. An event without a rate loses its value, with the reason.

    Raises
    ------
    InputError
        If a currency is not known, or the prices have no series of its rate.
    """
    rate = np.ones(len(found.value))
    intraday = np.datetime_data(found.valued_on.dtype)[0] != "D"
    for name in dict.fromkeys(found.currency[np.isfinite(found.value)].tolist()):
        rows = np.flatnonzero((found.currency == name) & np.isfinite(found.value))
        if name == currency:
            continue
        if not name:
            raise InputError(
                f"currency is {shown(currency)}, and that of some values is not known; name it in the column currency"
                " of manifest.csv, or in a column of the events beside the value, as market_value_currency"
            )
        of_date = latest_rate(prices, name, currency, OLDEST_RATE if intraday else 0)
        rate[rows] = of_date(found.valued_on[rows])
        for at in rows[np.isnan(rate[rows])]:
            found.lose(at, f"no rate from {name} to {currency} on {_day(found.valued_on[at])}")
    return rate


def firms_of(frame: pd.DataFrame, events: pd.DataFrame) -> np.ndarray:
    """Return the firm of each row, from the column ``firm`` of all events; its ticker without one, (n,)."""
    return np.asarray(firm_names(frame, firm_of_tickers(events)), dtype=object)


def other_listings(frame: pd.DataFrame, firm: np.ndarray, news: np.ndarray, rows: Ints) -> Mapping[int, int]:
    """Return the events (of ``rows``) that are another listing of a firm in the same news, and the one that counts.

    ``news`` (n,) has the same code for events that report the same news. The listing of the lowest ``priority`` counts,
    without priorities the one that the events name first.
    """
    order = rows.tolist()
    if "priority" in frame:
        priority = pd.to_numeric(frame["priority"], errors="coerce").fillna(np.inf).to_numpy(dtype=np.float64)
        order.sort(key=lambda at: priority[at])
    counted: dict[tuple[object, object], int] = {}
    left_out = {}
    for at in order:
        first = counted.setdefault((firm[at], news[at]), at)
        if frame["ticker"].iloc[first] != frame["ticker"].iloc[at]:
            left_out[at] = first
    return left_out
