"""What the price sources share: checked arguments, the loop over tickers, currencies and provenance."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np

from eventstudy.bars import Bars
from eventstudy.errors import EventStudyWarning, InputError, SourceError, TickerNotFound
from eventstudy.markets import check_ticker, wall

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# How stores name the fields of bars, in small letters.
FIELDS = {
    "close": "close", "open": "open", "high": "high", "low": "low", "volume": "volume",
    "adj close": "adjusted", "adj_close": "adjusted", "adjclose": "adjusted", "adjusted": "adjusted",
}  # fmt: skip

# What an exchange quotes in, as Yahoo writes it (GBp is pence, ZAc is cents); indices of London are in pounds.
CURRENCIES = {
    "BVMF": ("BRL",), "XAMS": ("EUR",), "XASX": ("AUD",), "XBOM": ("INR",), "XBRU": ("EUR",), "XCSE": ("DKK",),
    "XDUB": ("EUR",), "XETR": ("EUR",), "XHEL": ("EUR",), "XHKG": ("HKD",), "XIDX": ("IDR",), "XJSE": ("ZAc", "ZAR"),
    "XKLS": ("MYR",), "XKRX": ("KRW",), "XLIS": ("EUR",), "XLON": ("GBp", "GBP"), "XMAD": ("EUR",), "XMEX": ("MXN",),
    "XMIL": ("EUR",), "XNYS": ("USD",), "XNZE": ("NZD",), "XOSL": ("NOK",), "XPAR": ("EUR",), "XPRA": ("CZK",),
    "XSES": ("SGD",), "XSHG": ("CNY",), "XSTO": ("SEK",), "XSWX": ("CHF",), "XTAI": ("TWD",), "XTKS": ("JPY",),
    "XTSE": ("CAD",), "XWAR": ("PLN",), "XWBO": ("EUR",),
}  # fmt: skip


class Span(NamedTuple):
    """A range of dates, both ends included; None leaves an end open."""

    start: date | None
    end: date | None

    def __str__(self) -> str:
        return f"from {self.start or 'the first'} to {self.end or 'the last'}"


def span(start: object, end: object) -> Span:
    """Check a range of ISO texts, dates or None."""
    found = Span(as_date("start", start), as_date("end", end))
    if found.start and found.end and found.start > found.end:
        raise InputError(f"start {found.start} is after end {found.end}; swap them")
    return found


def as_date(what: str, value: object) -> date | None:
    """Read an ISO text or a date; a datetime must stand at midnight, without a zone."""
    try:
        if isinstance(value, datetime):
            if value == datetime(value.year, value.month, value.day):
                return value.date()
        elif value is None or isinstance(value, date):
            return value
        elif isinstance(value, str) and ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except (ValueError, TypeError):  # no such day; NaT
        pass
    raise InputError(f"{what} is {value!r}; a date is ISO text, as in 2021-09-13, a datetime.date, or None")


def asked(tickers: Sequence[str] | None) -> tuple[str, ...] | None:
    """Check the tickers, each once, in the order given; None asks for all that the source has."""
    if tickers is None:
        return None
    if isinstance(tickers, str):
        raise InputError(f"tickers is the text {tickers!r}; give a list, as in [{tickers!r}]")
    found = tuple(dict.fromkeys(check_ticker(ticker) for ticker in tickers))
    if not found:
        raise InputError("tickers is empty; name at least one, as in ['BABA', '0700.HK', '^HSI']")
    return found


def named(tickers: Sequence[str] | None, source: str) -> tuple[str, ...]:
    """Check the tickers for a source that cannot list what it has."""
    found = asked(tickers)
    if found is None:
        raise InputError(f"tickers is None, and the source {source!r} cannot list what it has; name the tickers")
    return found


def cut(bars: Bars, wanted: Span) -> Bars:
    """Keep the rows of a range; bars within the day by the dates at their exchange."""
    keep = np.ones(bars.dates.shape, dtype=bool)
    dates = wall(bars.mic, bars.dates).astype("datetime64[D]") if bars.intraday else bars.dates
    if wanted.start:
        keep &= dates >= np.datetime64(wanted.start)
    if wanted.end:
        keep &= dates <= np.datetime64(wanted.end)
    if not keep.any():
        raise TickerNotFound(f"no price of {bars.ticker} {wanted}")
    return replace(bars, dates=bars.dates[keep], fields={name: values[keep] for name, values in bars.fields.items()})


def gather(names: Iterable[str], read_one: Callable[[str], Bars]) -> tuple[dict[str, Bars], dict[str, str]]:
    """Read ticker by ticker; what cannot be had is named in one warning, or raised when nothing is had."""
    bars: dict[str, Bars] = {}
    problems: dict[str, SourceError] = {}
    for name in names:
        try:
            bars[name] = read_one(name)
        except SourceError as error:
            problems[name] = error
    if problems and not bars:
        raise next(iter(problems.values()))
    if problems:
        first = next(iter(problems.values()))
        warnings.warn(
            f"{len(problems)} of {len(problems) + len(bars)} tickers could not be had: {', '.join(problems)}"
            f" (the first: {first}); Prices.problems has every reason",
            EventStudyWarning,
            stacklevel=4,
        )
    return bars, {name: str(error) for name, error in problems.items()}


def fingerprint(bars: Bars) -> str:
    """Give the SHA-256 of a ticker's dates (ISO) and fields (by name, IEEE doubles, little-endian)."""
    digest = hashlib.sha256("\n".join(bars.dates.astype(str)).encode())
    for name in sorted(bars.fields):
        values = bars.fields[name]
        digest.update(f"\n{name}\n".encode())
        digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())  # one NaN of the many
    return digest.hexdigest()


def provenance(source: str, wanted: Span, bars: Mapping[str, Bars], **more: Any) -> dict[str, Any]:
    """Say where prices come from, when they were had, and what they are."""
    return {
        "source": source,
        "start": wanted.start and wanted.start.isoformat(),
        "end": wanted.end and wanted.end.isoformat(),
        "retrieved": datetime.now(UTC).isoformat(timespec="seconds"),
        **more,
        "sha256": {ticker: fingerprint(one) for ticker, one in bars.items()},
    }
