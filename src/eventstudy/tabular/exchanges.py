"""The exchange of each ticker of a data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventstudy import markets
from eventstudy.errors import InputError, shown
from eventstudy.tabular.columns import Layout
from eventstudy.tabular.frames import Series, Table


def exchanges_of(table: Table, exchange: str | Mapping[str, str] | None) -> Callable[[Series], str | None]:
    """Return the function from a series to its MIC.

    A MIC is as stated, as in a column, by the vendor's layout, or by suffix where suffixes name several exchanges.
    """
    if exchange is not None and not isinstance(exchange, (str, Mapping)):
        raise InputError(
            f"exchange is {shown(exchange)}; name one MIC, as in 'XHKG', or one for each ticker, as in"
            " {'0700.HK': 'XHKG'}"
        )
    if isinstance(exchange, str):
        return lambda _: exchange
    if exchange is not None:
        missing = [one.ticker for one in table.series if one.ticker not in exchange]
        if missing:
            raise InputError(
                f"exchange names no market for {shown(missing[0])}; name one for every ticker, or pass None"
            )
        return lambda one: exchange[one.ticker]
    marked = {markets.marked_exchange(one.ticker) for one in table.series} - {None, "FX"}
    several = len({markets.calendar_of(str(mic)) for mic in marked}) > 1
    if several or table.layout.mic is not None or any(one.mic for one in table.series):
        return lambda one: one.mic or exchange_by_name(one.ticker, table.layout)
    return lambda _: None


def exchange_by_name(ticker: str, layout: Layout) -> str:
    """Return the MIC that a ticker names, or that of the layout.

    Raises
    ------
    InputError
        If the ticker names no exchange, and neither does the layout.
    """
    try:
        return markets.mic_of(ticker)
    except InputError:
        if layout.mic is None:
            raise
        return layout.mic
