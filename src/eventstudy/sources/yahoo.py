"""Prices from Yahoo Finance through yfinance: one ticker at a time, retried, checked, never repaired."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import stamina
import yfinance as yf
from curl_cffi.requests import Response, Session
from yfinance.exceptions import YFException, YFTickerMissingError

from eventstudy.bars import Bars, Prices
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, SourceError, SourceUnavailable, TickerNotFound
from eventstudy.markets import mic_of, sessions
from eventstudy.sources._sessions import noticed
from eventstudy.sources._shared import CURRENCIES, Span, cut, gather, named, provenance, span
from eventstudy.types import Dates

CHART = "/v8/finance/chart/"
FIELDS = {
    "open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume",
}  # fmt: skip
FIRST = date(1900, 1, 1)  # with an end and no start, yfinance would take the last month
_ONE_AT_A_TIME = threading.Lock()
_FRESH = itertools.count(1)
logging.getLogger("stamina").addHandler(logging.NullHandler())  # else each retry prints a bare name to the terminal


class Yahoo:
    """Fetch daily bars from Yahoo Finance with yfinance; every answer is checked before it is used.

    yfinance keeps one session a process; from the first read on it is one of ours, which checks what we ask for.
    """

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        attempts: int = 4,
        wait: float = 1.0,
        timeout: float = 10.0,
        currency: Mapping[str, str] | None = None,
    ) -> Prices:
        """Fetch the prices of the tickers from start to end.

        Sessions missing or unexpected on the exchange's calendar, rows without a close, a stale end and jumps beyond
        five times are left as they are, listed in ``provenance["noticed"]`` and named in one warning. Rows after
        ``end``, or of a session that is not over, are left out and listed too.

        Parameters
        ----------
        tickers : sequence of str
        start, end : ISO text, datetime.date or None
            Both included; end None is the last session that is over.
        attempts : int
            Requests a ticker before it is given up.
        wait : float
            Seconds before the second attempt; doubled each time, with as much again at random.
        timeout : float
            Seconds for each request.
        currency : mapping from ticker to str, or None
            The currency expected where it is not that of the exchange (``{"J36.SI": "USD"}``).

        Raises
        ------
        InputError
            When an argument is not valid.
        TickerNotFound
            When Yahoo does not know the ticker, or has nothing in the range.
        SourceUnavailable
            When no usable answer came after all attempts; the message has the last failure.
        BadPrices
            When an answer came that cannot be trusted: prices zero, negative, infinite or text, two rows for a
            session, rows out of order, another symbol or currency, an unknown time zone.

        Examples
        --------
        >>> SOURCE.read(["BABA"], "2021-09-13", "2021-09-10")
        Traceback (most recent call last):
        eventstudy.errors.InputError: start 2021-09-13 is after end 2021-09-10; swap them
        """
        names, wanted = named(tickers, "yahoo"), span(start, end)
        retry = _Retry(attempts, wait, timeout)
        found: dict[str, list[str]] = {}

        def read_one(ticker: str) -> Bars:
            expected = ((currency or {})[ticker],) if ticker in (currency or {}) else CURRENCIES.get(mic_of(ticker), ())
            bars, found[ticker] = _fetch(ticker, wanted, expected, retry)
            return bars

        bars, problems = gather(names, read_one)
        known = {ticker: lines for ticker, lines in found.items() if lines}
        if known:
            first = next(iter(known))
            warnings.warn(
                f"look at the prices of {', '.join(known)} before using them; {first}: {'; '.join(known[first])}"
                ' (all of it stands in Prices.provenance["noticed"]; nothing was repaired)',
                EventStudyWarning,
                stacklevel=3,
            )
        library = {"yfinance": yf.__version__}
        return Prices(bars, problems, provenance("yahoo", wanted, bars, library=library, noticed=known))


SOURCE = Yahoo()


@dataclass(frozen=True)
class _Retry:
    attempts: int
    wait: float
    timeout: float

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.wait < 0 or self.timeout <= 0:
            raise InputError(
                f"attempts is {self.attempts!r}, wait {self.wait!r}, timeout {self.timeout!r}; valid are attempts from"
                " 1 on, seconds to wait from 0 on, and a timeout above 0 seconds"
            )


class _Transient(SourceUnavailable):
    """A failure that another attempt may cure."""


class _Checked(Session[Response]):
    """The session that yfinance is given: it refuses broken answers before yfinance sorts, drops and caches them."""

    asked: str | None = None
    status: int
    answer: Mapping[str, Any]

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
        response = super().request(method, url, *args, **kwargs)
        if self.asked and CHART in url:
            self.status, self.answer = response.status_code, _opened(response, self.asked)
        return response


@lru_cache(maxsize=1)
def _session() -> _Checked:
    return _Checked(impersonate="chrome")  # one a process, as in yfinance: it holds the cookies


def _opened(response: Response, ticker: str) -> Mapping[str, Any]:
    code = response.status_code
    if code == 429 or code >= 500:
        raise _Transient(f"HTTP {code}{' (too many requests)' if code == 429 else ''}")
    try:
        answer: dict[str, Any] = json.loads(response.content)
        results = answer["chart"]["result"] or ()
    except (ValueError, KeyError, TypeError):
        raise _Transient(f"HTTP {code} and no chart in JSON, but {response.text[:40]!r}") from None
    if code == 404:
        reason = (answer["chart"].get("error") or {}).get("description", "HTTP 404")
        raise TickerNotFound(
            f"unknown ticker: Yahoo says of {ticker}: {reason}; look its symbol up on finance.yahoo.com"
        )
    for result in results:
        _check_answer(result, ticker)
    return answer


def _check_answer(result: Mapping[str, Any], ticker: str) -> None:
    """Refuse what yfinance would sort, drop, convert or fail on."""
    try:
        meta, stamps, quote = result["meta"], result.get("timestamp"), result["indicators"]["quote"][0]
        if meta["symbol"] != ticker:
            raise BadPrices(f"Yahoo answered with {meta['symbol']!r} when asked for {ticker!r}; ask for its own symbol")
        dates = _dates(result)
        columns = {**quote, **result["indicators"].get("adjclose", [{}])[0]}
        for name, values in columns.items():
            if len(values) != len(dates):
                raise BadPrices(f"{ticker}: Yahoo sent {len(values)} values of {name} on {len(dates)} dates")
            for day, value in zip(dates, values, strict=True):
                if isinstance(value, bool) or not isinstance(value, int | float | None):
                    raise BadPrices(f"{ticker}: Yahoo sent the {name} {value!r} on {day}; a price is a number")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadPrices(f"{ticker}: Yahoo's answer is not of the known form ({error!r})") from None
    at = np.flatnonzero(np.diff(stamps or ()) <= 0)
    if len(at):
        raise BadPrices(f"{ticker}: Yahoo sent {dates[at[0] + 1]} after {dates[at[0]]}; rows are repeated or unsorted")


def _dates(result: Mapping[str, Any]) -> Dates:
    """Give the session of each row, in the exchange's own zone."""
    zone = result["meta"]["exchangeTimezoneName"]
    try:
        local = pd.to_datetime(result.get("timestamp") or [], unit="s", utc=True).tz_convert(ZoneInfo(zone))
    except (KeyError, ValueError):
        raise BadPrices(f"{result['meta']['symbol']}: Yahoo sent the time zone {zone!r}, which is not known") from None
    # Where clocks changed, a bar can be stamped an hour or two before its day (Brazil); yfinance mends it so too.
    early = (local.minute == 0) & (local.hour >= 22)
    return (local.tz_localize(None) + pd.to_timedelta(2 * early, unit="h")).to_numpy().astype("datetime64[D]")


def _fetch(ticker: str, wanted: Span, currencies: Sequence[str], retry: _Retry) -> tuple[Bars, list[str]]:
    mic = mic_of(ticker)
    first, until = wanted.start or FIRST, _until(mic, wanted.end, datetime.now(UTC))
    if first > until:
        raise TickerNotFound(f"no price of {ticker} {wanted}: the last session of {mic} that is over is {until}")
    try:
        for attempt in stamina.retry_context(
            _Transient,
            attempts=retry.attempts,
            timeout=None,
            wait_initial=retry.wait,
            wait_max=60,
            wait_jitter=retry.wait,
        ):
            with attempt:
                frame, result = _ask(ticker, first, until, retry.timeout)
    except _Transient as last:
        raise SourceUnavailable(
            f"Yahoo gave no usable answer for {ticker} in {retry.attempts} attempts; the last failure: {last}."
            " Check the connection, wait some minutes, raise attempts or wait, or read prices from a folder"
        ) from last
    currency = result["meta"].get("currency")
    if currencies and currency not in currencies:
        raise BadPrices(
            f"{ticker} is in {currency!r}, and {' or '.join(currencies)} is expected on {mic}; if that is right, pass"
            f" currency={{{ticker!r}: {currency!r}}}"
        )
    return _bars(ticker, frame, result, mic, Span(first, until))


def _until(mic: str, end: date | None, now: datetime) -> date:
    dates, closes = sessions(mic)
    over: date = dates[closes <= np.datetime64(now.replace(tzinfo=None))][-1].item()
    return min(end, over) if end else over


def _ask(ticker: str, first: date, until: date, timeout: float) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    """Make one attempt; what yfinance hides and keeps is set for the whole process, so one at a time."""
    session = _session()
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")  # of pandas, every call
        hidden, yf.config.debug.hide_exceptions = yf.config.debug.hide_exceptions, False
        session.asked, session.status, session.answer = ticker, 0, {}
        try:
            frame = yf.Ticker(ticker, session=session).history(
                start=first,
                end=until + timedelta(days=1),  # yfinance leaves its end out
                auto_adjust=False,
                actions=True,
                keepna=True,
                timeout=timeout + next(_FRESH) * 1e-6,  # yfinance answers from its cache when all is as before
            )
            result = session.answer["chart"]["result"][0]
        except SourceError:
            raise
        except YFTickerMissingError as error:
            if session.status in (401, 403):
                raise SourceUnavailable(f"Yahoo refused to answer for {ticker}: HTTP {session.status}") from error
            raise TickerNotFound(f"no price of {ticker} {Span(first, until)}: {error.rationale}") from error
        except (YFException, OSError) as error:
            raise _Transient(f"{type(error).__name__}: {error}") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadPrices(f"{ticker}: yfinance cannot read Yahoo's answer ({error!r})") from error
        finally:
            session.asked, yf.config.debug.hide_exceptions = None, hidden
    return frame, result


def _bars(ticker: str, frame: pd.DataFrame, result: Mapping[str, Any], mic: str, asked: Span) -> tuple[Bars, list[str]]:
    sent, until = _dates(result), np.datetime64(asked.end)
    after, sent = sent[sent > until], sent[sent <= until]
    twice = sent[1:][np.diff(sent) == np.timedelta64(0, "D")]
    if len(twice):
        raise BadPrices(f"{ticker}: Yahoo sent two rows for the session {twice[0]}; ask again when it is long over")
    values = {name: frame[column].to_numpy(np.float64, na_value=np.nan) for name, column in FIELDS.items()}
    values["volume"] = np.where(np.isnan(values["close"]), np.nan, values["volume"])  # yfinance makes a null a zero
    fields = {name: numbers for name, numbers in values.items() if not np.isnan(numbers).all()}
    if "close" not in fields:
        raise BadPrices(f"{ticker}: Yahoo sent {len(frame)} rows {asked}, and none has a close")
    dates = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy().astype("datetime64[D]")
    bars = cut(Bars(ticker, dates, fields, mic, result["meta"].get("currency")), asked)
    notes = [f"left out, after {until} or not over: {', '.join(map(str, after))}"] if len(after) else []
    return bars, notes + noticed(bars, mic, until)
