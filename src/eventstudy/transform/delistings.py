"""Append delisting returns to the prices of securities that stopped trading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import calendar_name, observed_calendar
from eventstudy.prepare.returns import adjusted_close
from eventstudy.transform._shared import (
    check_numbers,
    with_record,
)
from eventstudy.types import Dates


def delisted(prices: Prices, returns: Mapping[str, float]) -> Prices:
    """Append delisting returns, so that event windows that extend past a delisting include them.

    One price, close and adjusted, is added on the exchange's first session after the ticker's last price; for prices
    without an exchange, on the next date on which any such ticker has a price. Omitting the delisting return biases
    the estimated performance of failing firms upwards: Shumway (1997, Journal of Finance 52:327) finds -30 % on
    average for performance-related delistings whose return is missing, and Shumway & Warther (1999, Journal of
    Finance 54:2361) -55 % on Nasdaq.

    Parameters
    ----------
    prices : Prices
    returns : mapping from ticker to float
        Delisting returns, simple, decimal, above -1. A total loss is refused: a price of zero has no log return, and
        a tiny price in its place would be arbitrary. Pass a recovery of your choice, as in -0.99, and report it.

    Raises
    ------
    InputError
        If a ticker is not known or has no price, a return is not valid, or no later session is known.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"A": [10.0, 11.0]}, index=["2021-01-07", "2021-01-08"])
    >>> delisted(Prices.from_frame(wide, "XNYS"), {"A": -0.3}).frame("A").round(2)
                close
    date
    2021-01-07   10.0
    2021-01-08   11.0
    2021-01-11    7.7
    """
    checked = check_numbers(prices, "returns", returns)
    for ticker, rate in checked.items():
        if rate <= -1:
            raise InputError(
                f"the delisting return of {ticker} is {rate:g}; it must be above -1, because a price is above zero:"
                " for a total loss give a return close to it, as -0.99"
            )
    bars, notes = dict(prices.bars), {}
    calendars: dict[str | None, Dates] = {}
    for ticker, rate in checked.items():
        security = bars[ticker]
        name = calendar_name(security.mic)
        if name not in calendars:
            calendars[name] = observed_calendar(
                name, [b for b in prices.bars.values() if calendar_name(b.mic) == name]
            ).dates
        bars[ticker], day = _append_delisting(security, rate, calendars[name])
        notes[ticker] = [f"its last price, on {day}, is computed from the delisting return {rate:+.1%}"]
    return with_record(prices, bars, f"delisting returns appended to {', '.join(checked)}", notes)


def _append_delisting(bars: Bars, value: float, calendar: Dates) -> tuple[Bars, np.datetime64]:
    """Return the bars with one more price on the session after the last, and the date of that session."""
    priced = np.flatnonzero(np.isfinite(bars.fields["close"]) & np.isfinite(adjusted_close(bars)))
    if not len(priced):
        raise InputError(f"{bars.ticker} has no price; a delisting return needs a last price to follow")
    last = priced[-1]
    later = calendar[calendar > bars.dates[last]]
    if not len(later):
        raise InputError(
            f"no session is known after {bars.dates[last]}, the last price of {bars.ticker}; name its exchange,"
            " or add prices of other tickers with later dates"
        )
    added = {name: bars.fields[name][last] * (1.0 + value) for name in ("close", "adjusted") if name in bars.fields}
    added["return"] = value
    fields = {name: np.append(values[: last + 1], added.get(name, np.nan)) for name, values in bars.fields.items()}
    return replace(bars, dates=np.append(bars.dates[: last + 1], later[0]), fields=fields), later[0]
