"""The daily prices to which a quoted move is held, and the session that could first react to the news."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, NotEnoughData, one_of, shown
from eventstudy.prepare.calendar import calendar_name, observed_calendar, place
from eventstudy.prepare.events import Events
from eventstudy.prepare.spacing import frequency, median_days


def bars_of(name: str, ticker: object, prices: Prices) -> Bars:
    """Return the rows with a close of a ticker; raise InputError without daily prices."""
    if not isinstance(ticker, str) or ticker not in prices.bars:
        raise one_of(name, ticker, prices.bars)
    bars = prices.bars[ticker]
    if bars.intraday:
        raise InputError(f"{name} is {shown(ticker)}, of intraday bars; a move is held to daily prices")
    known = np.isfinite(bars.fields["close"])
    fields = {field: values[known] for field, values in bars.fields.items()}
    dates = bars.dates[known]
    if frequency(dates) not in ("daily", None):
        raise InputError(
            f"{name} is {shown(ticker)}, whose closes are mostly {median_days(dates):g} days apart; a move is held to"
            " daily prices"
        )
    return Bars(bars.ticker, dates, fields, bars.mic, bars.currency)


def placed(bars: Bars, when: object) -> tuple[int, pd.Timestamp, str]:
    """Return the row of the session that can first react, its date, and the rule that assigned it."""
    announced = pd.Series([when], dtype=object)  # pandas cannot encode every text
    events = Events.from_frame(pd.DataFrame({"ticker": [bars.ticker], "announced": announced})).frame
    calendar = observed_calendar(calendar_name(bars.mic), [bars])
    placement = place(events, calendar, "next")
    position, rule = int(placement.position[0]), str(placement.rule[0])
    day = calendar.dates[position] if position >= 0 else np.datetime64("NaT")
    index = int(np.searchsorted(bars.dates, day)) if position >= 0 else len(bars.dates)
    if not 0 < index < len(bars.dates):
        raise NotEnoughData(
            f"{bars.ticker} has prices from {bars.first} to {bars.last}, and none before and on the session of"
            f" {shown(when)}; read more prices"
        )
    if bars.dates[index] != day:
        rule += f"; no price on {day}, the next one"
    return index, pd.Timestamp(bars.dates[index]), rule
