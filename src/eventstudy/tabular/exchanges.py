"""The exchange of each ticker of a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventstudy import markets
from eventstudy.errors import InputError, shown
from eventstudy.tabular.frames import Series


def exchanges_of(series: Sequence[Series], exchange: str | Mapping[str, str] | None) -> dict[str, str | None]:
    """Return the MIC of each ticker: as stated, as in a column, or by suffix where suffixes name several exchanges."""
    if exchange is not None and not isinstance(exchange, (str, Mapping)):
        raise InputError(
            f"exchange is {shown(exchange)}; name one MIC, as in 'XHKG', or one for each ticker, as in"
            " {'0700.HK': 'XHKG'}"
        )
    if isinstance(exchange, str):
        return {one.ticker: exchange for one in series}
    if exchange is not None:
        missing = [one.ticker for one in series if one.ticker not in exchange]
        if missing:
            raise InputError(
                f"exchange names no market for {shown(missing[0])}; name one for every ticker, or pass None"
            )
        return {one.ticker: exchange[one.ticker] for one in series}
    named = {one.ticker: one.mic for one in series}
    if any(named.values()):
        return {ticker: mic or markets.mic_of(ticker) for ticker, mic in named.items()}
    marked = {one.ticker: markets.marked_exchange(one.ticker) for one in series}
    exchanges = {markets.SAME_SESSIONS.get(mic, mic) for mic in marked.values() if mic not in (None, "FX")}
    if len(exchanges) > 1:
        return {ticker: mic or markets.mic_of(ticker) for ticker, mic in marked.items()}
    return dict.fromkeys(named)
