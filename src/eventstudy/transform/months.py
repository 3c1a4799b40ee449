"""Daily prices made monthly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices
from eventstudy.prepare.returns import adjusted
from eventstudy.transform._shared import (
    DAY,
    changed,
    check_daily,
    months_noticed,
)
from eventstudy.types import Dates

OF_MONTH = {"close": "last", "adjusted": "last", "open": "first", "high": "max", "low": "min", "volume": "sum"}


def monthly(prices: Prices) -> Prices:
    """Give the last price of each calendar month, for studies in months.

    A month is dated at its last calendar day, so that all markets agree; the observed dates are the calendar, and an
    event by its date alone, with ``on_closed="next"``, belongs to the month it lies in. Windows count months.

    Open is the month's first, high and low its extremes, each in terms of the month's last close: a day's price times
    its adjustment (adjusted close / close) over the last day's. Volume is the sum, and a series of your own the mean.
    A month without a price is absent. Noticed are months that are missing between others, and months whose last price
    is more than 3 sessions before their end (weekdays, where the exchange is not known): the last month of unfinished
    data is such a stub. In a first month that begins late, only the open, the extremes and the volume are of a part.

    Parameters
    ----------
    prices : Prices
        Daily.

    Returns
    -------
    Prices
        The same tickers and currencies, without exchanges.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"A": [10.0, 11.0, 12.0]}, index=["2021-01-28", "2021-01-29", "2021-02-26"])
    >>> monthly(Prices.from_frame(wide)).frame("A")
                close
    date
    2021-01-31   11.0
    2021-02-28   12.0
    """
    check_daily(prices, "monthly")
    bars, notes = {}, {}
    for ticker, its in prices.bars.items():
        bars[ticker], notes[ticker] = _months(its)
    return changed(prices, bars, "monthly: the last price of each month, dated at the month's last day", notes)


def _months(bars: Bars) -> tuple[Bars, list[str]]:
    close, level = bars.fields["close"], adjusted(bars)
    priced = np.isfinite(close) & np.isfinite(level)
    dates, factor = bars.dates[priced], (level / close)[priced]
    month = dates.astype("datetime64[M]")
    months, group = np.unique(month, return_inverse=True)
    last = np.searchsorted(month, months, side="right") - 1
    fields = {}
    for name, values in bars.fields.items():
        scaled = values[priced] * (factor / factor[last][group] if name in ("open", "high", "low") else 1.0)
        grouped = pd.Series(scaled).groupby(group)
        made = grouped.sum(min_count=1) if name == "volume" else grouped.agg(OF_MONTH.get(name, "mean"))
        fields[name] = np.asarray(made, dtype=np.float64)
    ends: Dates = np.asarray((months + 1).astype("datetime64[D]") - DAY, dtype="datetime64[D]")
    notes = months_noticed(bars, dates, ends, dates[last]) if len(dates) else []
    return replace(bars, dates=ends, fields=fields, mic=None), notes
