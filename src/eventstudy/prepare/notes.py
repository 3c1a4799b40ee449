"""Remarks on the data of a study, for its notes, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from eventstudy import markets
from eventstudy.bars import Indexed, Prices, priced_dates
from eventstudy.prepare.calendar import GUESS, NO_CLOSES, REACH, THAT_DATE
from eventstudy.prepare.panels import Market
from eventstudy.prepare.placing import distinct_pairs
from eventstudy.prepare.spacing import spacing
from eventstudy.prepare.trading import merged_markets
from eventstudy.types import Column, Dates, Floats

MOST, LEAST_ROWS = 0.8, 6  # the share of rows that show by which day they are dated, of this many or more
SPANS = (
    "a return over a gap is compared with that of the benchmark and factors over the same gap, with the mean and"
    " variance of one session: over long gaps t is too large; the model trade_to_trade scales both"
)


def collect_notes(
    market: Market, data_notes: Sequence[str], warnings: Sequence[str], placement: np.ndarray
) -> tuple[str, ...]:
    """Collect the remarks on currencies, factors, calendars, prices and guessed sessions, and the warnings."""
    price = market.rules.price
    extremes = (f"day 0 is at the {price}: those of security and benchmark need not be simultaneous",)
    one_session = (SPANS,) if market.rules.spanning else ()
    calendar_notes = (note for calendar in market.calendars.values() for note in calendar.notes)
    told = (*(extremes if price in ("high", "low") else ()), *_guesses(placement))
    return (*data_notes, *calendar_notes, *one_session, *warnings, *told)


def _guesses(placement: np.ndarray) -> tuple[str, ...]:
    """Return notes on the used events whose session is a guess."""
    texts = {
        GUESS: "a date without a time of day or phase, placed on that date's session: a guess, because news after the"
        " close belongs to the next session; give a time, or a column phase",
        REACH: "bounds that reach several sessions, placed on the session of their time, or else on the first: a guess;"
        " give a time or phase that is sure, or narrower bounds",
    }
    rules = Counter(placement.tolist())
    counts = {rule: sum(n for text, n in rules.items() if rule in text) for rule in texts}
    return tuple(
        f"{n} used {'event has' if n == 1 else 'events have'} {texts[rule]}" for rule, n in counts.items() if n
    )


def merged_warning(prices: Prices) -> tuple[str, ...]:
    """Return a warning if daily prices without an exchange are of several markets; a store is not read for this."""
    if isinstance(prices.bars, Indexed):
        return ()
    bars = [b for b in prices.bars.values() if b.mic is None and not b.intraday and not b.ticker.endswith("=X")]
    text = merged_markets(bars, priced_dates(prices.bars, [b.ticker for b in bars]))
    return (text,) if text else ()


def first_day_warning(market: Market) -> tuple[str, ...]:
    """Return a warning if prices of weeks or months are dated by what looks like the first day of each."""
    calendars = [calendar.dates for calendar in market.calendars.values() if not calendar.intraday]
    edges = [edge for bars in market.prices.bars.values() for edge in (bars.first, bars.last) if not np.isnat(edge)]
    if not edges:
        return ()
    first, last = min(edges), max(edges)
    rows = [_begins(dates[(dates >= first) & (dates <= last)]) for dates in calendars]
    return tuple(
        f"the prices are one row a {row}, most of them dated {day}: a study takes a row for the time up to its date,"
        f" and if these begin on it, news is measured a {row} late; date each row by its last day"
        for row, day in dict.fromkeys(filter(None, rows))
    )


def _begins(dates: Dates) -> tuple[str, str] | None:
    """Return what a row is, and the day that most have, if it is the first of a week, month or longer; else None."""
    row = spacing(dates).row
    if len(dates) < LEAST_ROWS or row in ("day", "row"):
        return None
    if row == "week":
        return (row, "on Mondays") if np.is_busday(dates, weekmask="Mon").mean() > MOST else None
    first = dates.astype("datetime64[M]").astype("datetime64[D]") == dates
    return (row, "on the first of a month") if first.mean() > MOST else None


def by_date_warning(placement: np.ndarray) -> tuple[str, ...]:
    """Return a warning if used events with a time of day are placed by their date, as no closing times are known."""
    n = int((placement == f"{NO_CLOSES}: {THAT_DATE}").sum())
    if not n:
        return ()
    return (
        f"{n} used {'event has' if n == 1 else 'events have'} a time of day, but the prices name no exchange, and no"
        " closing times are known: placed on the session of the date, although news after the close belongs to the next"
        ' one; name the exchange, as in es.Prices.from_frame(frame, exchange="XNYS")',
    )


def other_zone(ticker: np.ndarray, benchmark: np.ndarray, prices: Prices) -> Floats:
    """Return 1 for events whose benchmark closes in another time zone, else 0; NaN if unknown, (n,)."""
    pairs, code = distinct_pairs(ticker, benchmark)
    return np.array([_zones_differ(str(name), index, prices) for name, index in pairs], dtype=np.float64)[code]


def _zones_differ(ticker: str, benchmark: str | None, prices: Prices) -> float:
    """Return 1 if a security and its benchmark are in different time zones, else 0; NaN if unknown."""
    if benchmark is None or any(prices.bars[name].mic is None for name in (ticker, benchmark)):
        return np.nan
    zones = {markets.zone_of(str(prices.bars[name].mic)) for name in (ticker, benchmark)}
    return float(len(zones) > 1)


def cross_zone_warning(
    ticker: np.ndarray, benchmark: np.ndarray, other_zone: Floats, columns: Sequence[Column]
) -> tuple[str, ...]:
    """Return a warning if a benchmark closes in another time zone and the model has no lead of it."""
    if any(column.shift > 0 for column in columns) or not (other_zone == 1.0).any():
        return ()
    crossing = other_zone == 1.0
    pairs = sorted((str(name), str(index)) for name, index in distinct_pairs(ticker[crossing], benchmark[crossing])[0])
    named = ", ".join(f"{name} on {index}" for name, index in pairs[:5]) + (" ..." if len(pairs) > 5 else "")
    return (
        f"the benchmark closes in another time zone than the security ({named}); part of the market's move falls on the"
        ' next day: es.model("dimson", leads=1, lags=1) takes it in',
    )
