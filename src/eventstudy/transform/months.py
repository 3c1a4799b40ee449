"""Aggregate daily prices to months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices
from eventstudy.prepare.returns import adjusted_close, is_level
from eventstudy.transform._shared import (
    DAY,
    check_daily,
    format_dates,
    month_notes,
    with_record,
)
from eventstudy.types import Dates

OF_MONTH = {
    "close": "last", "adjusted": "last", "open": "first", "high": "max", "low": "min", "volume": "sum", "split": "prod",
}  # fmt: skip


def monthly(prices: Prices) -> Prices:
    """Return the last price of each calendar month, for studies in months.

    A month is dated at its last calendar day, so that all markets agree; the observed dates are the calendar. With
    ``on_closed="next"``, an event known by its date alone belongs to the month that contains it. Windows count months.

    The open is the month's first, the high and low are its extremes, all on the scale of the month's last close: a
    day's price times the ratio of its adjustment (adjusted close / close) to the last day's. Volume is summed, series
    of the user are averaged. A month without a price is absent. Notes report missing months between others, and months
    whose last price is more than 3 sessions (weekdays, if the exchange is not known) before their end, such as an
    unfinished last month. In a first month that begins late, only the close covers the whole month; open, high, low
    and volume cover a part.

    Parameters
    ----------
    prices : Prices
        Daily prices.

    Returns
    -------
    Prices
        The same tickers and currencies, without exchanges.

    Raises
    ------
    InputError
        If any prices are intraday.

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
    converted, notes = {}, {}
    for ticker, bars in prices.bars.items():
        converted[ticker], notes[ticker] = _aggregate_months(bars)
    return with_record(prices, converted, "monthly: the last price of each month, dated at the month's last day", notes)


def _aggregate_months(bars: Bars) -> tuple[Bars, list[str]]:
    """Return the monthly bars of one ticker, and notes on them."""
    close, level = bars.fields["close"], adjusted_close(bars)
    priced = np.isfinite(close) & np.isfinite(level)
    dates, factor = bars.dates[priced], (level / close)[priced]
    month = dates.astype("datetime64[M]")
    months, group = np.unique(month, return_inverse=True)
    last = np.searchsorted(month, months, side="right") - 1
    unknown = np.isnan(bars.fields.get("return", close)) & ("return" in bars.fields)
    incomplete = np.isin(months, bars.dates[unknown].astype("datetime64[M]"))  # of which a daily return is not known
    fields = {}
    for name, values in bars.fields.items():
        if name == "return":
            continue
        scaled = values[priced] * (factor / factor[last][group] if name in ("open", "high", "low") else 1.0)
        if name == "split":
            scaled = np.where(scaled > 0, scaled, 1.0)
        grouped = pd.Series(scaled).groupby(group)
        aggregate = grouped.sum(min_count=1) if name == "volume" else grouped.agg(OF_MONTH.get(name, "mean"))
        fields[name] = np.where(incomplete, np.nan, np.asarray(aggregate, dtype=np.float64))
    if is_level(bars) and len(months):  # it stays one
        fields["return"] = np.concatenate([[np.nan], fields["close"][1:] / fields["close"][:-1] - 1.0])
    ends: Dates = np.asarray((months + np.timedelta64(1, "M")).astype("datetime64[D]") - DAY, dtype="datetime64[D]")
    notes = month_notes(bars, dates, ends, dates[last]) if len(dates) else []
    if incomplete.any():
        shown = format_dates(ends[incomplete])
        notes.append(f"a daily return is not known in the months that end on {shown}; they have no price")
    return replace(bars, dates=ends, fields=fields, mic=None), notes
