"""One ticker's bars from the columns of any table: the checks that all doors share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.bars import Bars, step_of
from eventstudy.errors import BadPrices, InputError
from eventstudy.markets import mic_of
from eventstudy.tabular.columns import Layout
from eventstudy.tabular.returns import levels
from eventstudy.types import PRICE_FIELDS, Dates, Floats


def make_bars(
    where: str, ticker: str, dates: Dates, columns: Mapping[str, Floats], mic: str | None, currency: str | None,
    layout: Layout,
) -> Bars:  # fmt: skip
    """Return checked bars: empty columns left out, closes from returns where a table has no others.

    Rows from the newest to the oldest, as some vendors write them, are turned round.

    Raises
    ------
    BadPrices
        If there is no close, a price is not above zero, or dates repeat or are in no order.
    InputError
        If the exchange of the ticker is not known.
    """
    fields = {name: _price(name, values, layout) for name, values in columns.items()}
    fields = {name: values for name, values in fields.items() if not np.isnan(values).all()}
    if "close" not in fields and "adjusted" in fields:
        fields["close"] = fields["adjusted"]
    if len(dates) > 1 and (np.diff(dates) < np.timedelta64(0, "s")).all():
        dates, fields = dates[::-1].copy(), {name: values[::-1].copy() for name, values in fields.items()}
    if "close" not in fields and "return" not in fields:
        raise BadPrices(f"{where} has no row of {ticker} with a close")
    if mic is None and layout.mic is None:
        try:
            mic = mic_of(ticker)
        except InputError as error:
            raise InputError(f"{error}; or in a column mic of {where}") from None
    try:
        if "return" in fields:
            fields |= levels(ticker, dates, fields)
        return Bars(ticker, dates, fields, mic or layout.mic, currency, step_of(ticker, dates))
    except BadPrices as error:
        raise BadPrices(f"{where}: {error}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _price(name: str, values: Floats, layout: Layout) -> Floats:
    if not layout.absolute or name not in PRICE_FIELDS:
        return values
    return np.where(values == 0.0, np.nan, np.abs(values))
