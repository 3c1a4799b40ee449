"""The exchange of each ticker of a data frame."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from eventstudy import markets
from eventstudy.errors import EventStudyWarning, InputError, shown
from eventstudy.tabular.frames import Series
from eventstudy.types import Dates


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
    if exchanges and _dates_differ(series, marked):
        bare = [ticker for ticker, mic in marked.items() if mic is None]
        warnings.warn(
            f"{bare[0]} has no suffix that names its exchange, and other dates than the tickers of"
            f" {exchanges.pop()}: holidays and closing times of two markets are merged into one calendar; name the"
            " exchange of each ticker in from_frame(exchange={...})",
            EventStudyWarning,
            stacklevel=4,
        )
    return dict.fromkeys(named)


def _dates_differ(series: Sequence[Series], marked: Mapping[str, str | None]) -> bool:
    """Return whether tickers with and without a suffix have prices on different dates within their common range."""
    parts: dict[bool, list[Dates]] = {True: [], False: []}
    for one in series:
        values = np.isfinite(next(iter(one.fields.values())))
        parts[marked[one.ticker] is None].append(one.dates[values])
    if not parts[True] or not parts[False]:
        return False
    bare, known = (np.unique(np.concatenate(dates)) for dates in parts.values())
    if not len(bare) or not len(known):
        return False
    first, last = max(bare[0], known[0]), min(bare[-1], known[-1])
    bare, known = (dates[(dates >= first) & (dates <= last)] for dates in (bare, known))
    return len(np.setxor1d(bare, known)) > 0.01 * max(len(bare), 1)
