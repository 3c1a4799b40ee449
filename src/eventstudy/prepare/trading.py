"""On which days a security traded, as its rows show, and whether securities without an exchange share their days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars
from eventstudy.types import Bools, Dates, Ints

SHARE = 0.9  # of the common dates: a security with fewer prices is traded thinly, and its gaps are no holidays
MANY = 5  # securities of which some trade on any day on which the exchange is open
HOLIDAYS = 3  # dates in each direction by which the dates of two markets differ


class Rows(NamedTuple):
    """Whether a security has a price on each of some dates (E,), and whether it traded."""

    priced: Bools
    traded: Bools


def rows_on(bars: Sequence[Bars], dates: Dates) -> list[Rows]:
    """Return on which of the dates each security has a price, and on which it traded (:attr:`Bars.traded`)."""
    out = []
    known: Dates | None = None
    for security in bars:
        if security.dates is not known:  # the securities of a wide frame share their dates
            known = security.dates
            at = np.searchsorted(known, dates)
            listed = at < len(known)
            listed[listed] = known[at[listed]] == dates[listed]
            at = at[listed]
        priced, traded = listed.copy(), listed.copy()
        priced[listed] = np.isfinite(security.fields["close"][at])
        traded[listed] = security.traded[at]
        out.append(Rows(priced, traded))
    return out


def idle_dates(bars: Sequence[Bars], dates: Dates, known: Dates | None = None, weekends: bool = False) -> Dates:
    """Return the dates on which nothing traded: rows of a closed exchange that were filled forward.

    On such a date no row differs from the one before, and some security has no row although it has some before and
    after, or there are ``MANY`` securities, or it is a day of the weekend (if ``weekends``). If most dates would be
    idle, none is: then the prices hardly move. ``known`` are the dates of :func:`eventstudy.bars.traded_dates`.
    """
    left = dates if known is None else dates[~np.isin(dates, known)]
    for security in bars:  # the first few securities trade on nearly all dates
        if not len(left):
            return left
        left = left[~(rows_on([security], left)[0].traded | (left == security.first))]
    if 2 * len(left) > len(dates):
        return left[:0]
    n_priced = np.sum([rows.priced for rows in rows_on(bars, left)], axis=0)
    n_trading = count_trading(bars, left)
    idle = (n_trading >= 2) & ((n_priced < n_trading) | (n_trading >= MANY))
    if weekends:
        idle |= ~np.is_busday(left)
    return np.asarray(left[idle])


def count_trading(bars: Sequence[Bars], dates: Dates) -> Ints:
    """Count the tickers whose first price is not after, and whose last price is not before, each of the dates."""
    edges = np.array([(b.first, b.last) for b in bars if not np.isnat(b.first)], dtype="datetime64[D]").reshape(-1, 2)
    n_started = np.searchsorted(np.sort(edges[:, 0]), dates, side="right")
    return np.asarray(n_started - np.searchsorted(np.sort(edges[:, 1]), dates, side="left"))


def merged_markets(bars: Sequence[Bars], union: Dates) -> str:
    """Return a warning if securities without an exchange have dates that differ as holidays of two markets do.

    Each has prices on ``HOLIDAYS`` or more of the dates on which the other has none, though both trade on most dates.
    """
    first: tuple[str, Dates] | None = None
    for security in bars:
        priced = np.isfinite(security.fields["close"])
        dates = security.dates if priced.all() else security.dates[priced]
        if first is not None and dates is first[1]:  # the securities of a wide frame share their dates
            continue
        if len(dates) < 2 or len(dates) < SHARE * _count_within(union, dates[0], dates[-1]):
            continue
        if first is None:
            first = security.ticker, dates
            continue
        other, known = first
        begin, end = max(dates[0], known[0]), min(dates[-1], known[-1])
        mine, theirs = (part[(part >= begin) & (part <= end)] for part in (dates, known))
        if np.array_equal(mine, theirs):
            continue
        n_common = len(np.intersect1d(mine, theirs, assume_unique=True))
        if min(len(mine), len(theirs)) - n_common >= HOLIDAYS:
            return (
                f"no exchange is named, and the dates of {other} and {security.ticker} differ: each has prices on"
                f" {HOLIDAYS} or more dates on which the other has none; their holidays and closing times were merged."
                f" Name the exchanges, as in Prices.from_frame(frame, exchange={{{other!r}: 'XHKG', ...}})"
            )
    return ""


def _count_within(union: Dates, first: np.datetime64, last: np.datetime64) -> int:
    return int(np.searchsorted(union, last, side="right") - np.searchsorted(union, first))


def left_out(rows: Mapping[str, Dates]) -> str:
    """Name the tickers with their dates that are left out."""
    parts = [f"{ticker} on {format_dates(dates)}" for ticker, dates in [*rows.items()][:5]]
    return "; ".join(parts) + (f"; and {len(rows) - 5} more tickers" if len(rows) > 5 else "")


def format_dates(dates: Dates) -> str:
    """Format the first five dates, with the number of the others."""
    shown = ", ".join(str(d) for d in dates[:5])
    return shown if len(dates) <= 5 else f"{shown} and {len(dates) - 5} more dates"
