"""One ticker's bars from the columns of a table in a file or database."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy import bars
from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, InputError
from eventstudy.tabular.columns import Layout
from eventstudy.tabular.exchanges import exchange_by_name
from eventstudy.types import Dates, Floats


def make_bars(
    where: str, ticker: str, dates: Dates, columns: Mapping[str, Floats], mic: str | None, currency: str | None,
    layout: Layout,
) -> Bars:  # fmt: skip
    """Return checked bars (:func:`eventstudy.bars.make_bars`) of the exchange that is stated, or that the ticker names.

    ``mic`` is empty where it is stated that the prices are of no exchange, and None where nothing is stated.

    Raises
    ------
    BadPrices
        If there is no close, a price is not above zero, or dates repeat or are in no order.
    InputError
        If the exchange of the ticker is not known.
    """
    try:
        mic = exchange_by_name(ticker, layout) if mic is None else mic or None
    except InputError as error:
        raise InputError(f"{error}; or in a column mic of {where}") from None
    made = bars.make_bars(where, ticker, dates, columns, mic, currency, layout)
    if np.isnan(made.fields["close"]).all():
        raise BadPrices(f"{where} has no row of {ticker} with a close")
    return made
