"""Delisting returns appended to the prices of securities that stopped trading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import key, observed
from eventstudy.prepare.returns import adjusted
from eventstudy.transform._shared import (
    changed,
    numbers,
)
from eventstudy.types import Dates


def delisted(prices: Prices, returns: Mapping[str, float]) -> Prices:
    """Append delisting returns, so that an event window that reaches past a delisting has them.

    One price, close and adjusted, follows on the exchange's first session after the ticker's last price; for prices
    without an exchange, on the next date on which any such ticker has one. Prices that end without the delisting
    return bias what is found of failing firms upwards: Shumway (1997, Journal of Finance 52:327) finds -30 % on
    average for delistings for performance reasons whose return is missing, and Shumway & Warther (1999, Journal of
    Finance 54:2361) -55 % on Nasdaq.

    Parameters
    ----------
    prices : Prices
    returns : mapping from ticker to float
        Delisting returns, simple, decimal, above -1. A total loss is refused, for a price of zero has no log return
        and a tiny one in its place would make up a number: give a small rest, as -0.99, and say so.

    Raises
    ------
    InputError
        When a ticker is not known or has no price, a return is not valid, or no later session is known.

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
    given = numbers(prices, "returns", returns)
    for ticker, value in given.items():
        if value <= -1:
            raise InputError(
                f"the delisting return of {ticker} is {value:g}; it is above -1, for a price is above zero: for a total"
                " loss give what was left, as -0.99"
            )
    bars, notes = dict(prices.bars), {}
    calendars: dict[str | None, Dates] = {}
    for ticker, value in given.items():
        its = bars[ticker]
        home = key(its.mic)
        if home not in calendars:
            calendars[home] = observed(home, [b for b in prices.bars.values() if key(b.mic) == home]).dates
        bars[ticker], day = _ended(its, value, calendars[home])
        notes[ticker] = [f"its last price, of {day}, is made of the delisting return {value:+.1%}"]
    return changed(prices, bars, f"delisting returns appended to {', '.join(given)}", notes)


def _ended(bars: Bars, value: float, calendar: Dates) -> tuple[Bars, np.datetime64]:
    priced = np.flatnonzero(np.isfinite(bars.fields["close"]) & np.isfinite(adjusted(bars)))
    if not len(priced):
        raise InputError(f"{bars.ticker} has no price; a delisting return follows a last price")
    last = priced[-1]
    later = calendar[calendar > bars.dates[last]]
    if not len(later):
        raise InputError(
            f"no session is known after {bars.dates[last]}, the last price of {bars.ticker}; name its exchange,"
            " or give prices of others that go on"
        )
    fields = {
        name: np.append(values[: last + 1], values[last] * (1.0 + value) if name in ("close", "adjusted") else np.nan)
        for name, values in bars.fields.items()
    }
    return replace(bars, dates=np.append(bars.dates[: last + 1], later[0]), fields=fields), later[0]
