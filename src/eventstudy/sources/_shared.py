"""Helpers of the price sources: argument checks, the loop over tickers, currencies and provenance."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars
from eventstudy.errors import InputError, TickerNotFound, shown
from eventstudy.markets import check_ticker, wall
from eventstudy.tabular.fields import notes_of

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# Quotation currencies of each exchange in Yahoo's spelling. GBp is pence, ZAc is cents; London's indices are in pounds.
CURRENCIES = {
    "BVMF": ("BRL",), "XAMS": ("EUR",), "XASX": ("AUD",), "XBOM": ("INR",), "XBRU": ("EUR",), "XCSE": ("DKK",),
    "XDUB": ("EUR",), "XETR": ("EUR",), "XHEL": ("EUR",), "XHKG": ("HKD",), "XIDX": ("IDR",), "XJSE": ("ZAc", "ZAR"),
    "XKLS": ("MYR",), "XKRX": ("KRW",), "XLIS": ("EUR",), "XLON": ("GBp", "GBP"), "XMAD": ("EUR",), "XMEX": ("MXN",),
    "XMIL": ("EUR",), "XNYS": ("USD",), "XNZE": ("NZD",), "XOSL": ("NOK",), "XPAR": ("EUR",), "XPRA": ("CZK",),
    "XSES": ("SGD",), "XSHG": ("CNY",), "XSTO": ("SEK",), "XSWX": ("CHF",), "XTAI": ("TWD",), "XTKS": ("JPY",),
    "XTSE": ("CAD",), "XWAR": ("PLN",), "XWBO": ("EUR",),
}  # fmt: skip


class Span(NamedTuple):
    """A range of dates, both ends included; None means no limit at that end."""

    start: date | None
    end: date | None

    def __str__(self) -> str:
        return f"from {self.start or 'the first'} to {self.end or 'the last'}"


def check_span(start: object, end: object) -> Span:
    """Return a range of dates from ISO text, dates or None; raise InputError if start is after end."""
    span = Span(as_date("start", start), as_date("end", end))
    if span.start and span.end and span.start > span.end:
        raise InputError(f"start {span.start} is after end {span.end}; swap them")
    return span


def as_date(what: str, value: object) -> date | None:
    """Return ISO text or a date as a date, None as None; a datetime must be midnight without a time zone."""
    try:
        if isinstance(value, datetime):
            if value == datetime(value.year, value.month, value.day):
                return value.date()
        elif value is None or isinstance(value, date):
            return value
        elif isinstance(value, str) and ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except (ValueError, TypeError):  # a day that does not exist, or NaT
        pass
    raise InputError(f"{what} is {shown(value)}; a date is ISO text, as in 2021-09-13, a datetime.date, or None")


def check_tickers(tickers: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the tickers, checked and without repeats, in their order; None (all tickers of the source) stays None."""
    if tickers is None:
        return None
    if isinstance(tickers, str):
        raise InputError(f"tickers is the text {shown(tickers)}; give a list, as in [{shown(tickers)}]")
    try:
        listed = list(tickers)
    except TypeError:
        raise InputError(
            f"tickers is {shown(tickers)}; give a list, as in ['BABA', '0700.HK', '^HSI'], or None for all"
        ) from None
    names = tuple(dict.fromkeys(map(check_ticker, listed)))
    if not names:
        raise InputError("tickers is empty; name at least one, as in ['BABA', '0700.HK', '^HSI']")
    return names


def require_tickers(tickers: Sequence[str] | None, source: str) -> tuple[str, ...]:
    """Return the checked tickers for a source that cannot list its tickers; raise InputError for None."""
    names = check_tickers(tickers)
    if names is None:
        raise InputError(f"tickers is None, and the source {source!r} cannot list its tickers; name the tickers")
    return names


def select_dates(bars: Bars, span: Span) -> Bars:
    """Return the rows within a range; intraday bars are selected by the local date at their exchange."""
    keep = np.ones(bars.dates.shape, dtype=bool)
    dates = wall(bars.mic, bars.dates).astype("datetime64[D]") if bars.intraday else bars.dates
    if span.start:
        keep &= dates >= np.datetime64(span.start)
    if span.end:
        keep &= dates <= np.datetime64(span.end)
    if not keep.any():
        raise TickerNotFound(f"no price of {bars.ticker} {span}")
    return replace(bars, dates=bars.dates[keep], fields={name: values[keep] for name, values in bars.fields.items()})


def fingerprint(bars: Bars) -> str:
    """Return the SHA-256 of a ticker's dates (ISO) and fields (sorted by name, little-endian IEEE doubles)."""
    digest = hashlib.sha256("\n".join(bars.dates.astype(str)).encode())
    for name in sorted(bars.fields):
        values = bars.fields[name]
        digest.update(f"\n{name}\n".encode())
        digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())  # the same bits for any NaN
    return digest.hexdigest()


def provenance(source: str, span: Span, bars: Mapping[str, Bars], **details: object) -> dict[str, object]:
    """Return the provenance of prices: source, range, details and a fingerprint per ticker; no path, no time."""
    return {
        **notes_of({ticker: series.notes for ticker, series in bars.items()}),
        "source": source,
        "start": span.start and span.start.isoformat(),
        "end": span.end and span.end.isoformat(),
        **details,
        "sha256": {ticker: fingerprint(series) for ticker, series in bars.items()},
    }


def without_paths(problems: Mapping[str, str], place: str | Path) -> dict[str, str]:
    """Return the reasons of tickers without the path of their folder, so that results do not depend on where it lies.

    Examples
    --------
    >>> without_paths({"A": "/data/prices/A.csv, row 3: no date", "B": "no file for B in /data/prices"}, "/data/prices")
    {'A': 'A.csv, row 3: no date', 'B': 'no file for B in the folder'}
    """
    inside = f"{place}{os.sep}"
    return {name: text.replace(inside, "").replace(str(place), "the folder") for name, text in problems.items()}


def origin_of(record: Mapping[str, object]) -> str:
    """Return the source that prices first came from, by their provenance, also after they were stored."""
    return str(record.get("origin") or record.get("source") or "")


def note_of(record: Mapping[str, object]) -> str:
    """Return the note of prices (``simulated prices``) by their provenance; empty text if they have none."""
    return str(record.get("note") or "")


def origins(sources: Iterable[str | None], notes: Iterable[str | None]) -> dict[str, str]:
    """Return the provenance of stored prices: the sources they first came from, and their notes."""
    named = {"origin": sources, "note": notes}
    texts = {key: ", ".join(sorted({value for value in values if value})) for key, values in named.items()}
    return {key: text for key, text in texts.items() if text}
