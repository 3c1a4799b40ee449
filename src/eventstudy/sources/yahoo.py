"""Prices from Yahoo Finance through yfinance: one ticker at a time, with retries and checks, never repaired."""

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
from eventstudy.sources._sessions import find_anomalies
from eventstudy.sources._shared import (
    CURRENCIES,
    Span,
    check_span,
    provenance,
    read_tickers,
    require_tickers,
    select_dates,
)  # fmt: skip
from eventstudy.types import Dates

CHART = "/v8/finance/chart/"
Json = Mapping[str, Any]
FIELDS = {
    "open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume",
}  # fmt: skip
FIRST = date(1900, 1, 1)  # with an end and no start, yfinance would fetch the last month only
_YFINANCE_LOCK = threading.Lock()  # yfinance's settings are global to the process
_REQUEST_NUMBER = itertools.count(1)
logging.getLogger("stamina").addHandler(logging.NullHandler())  # else each retry prints a bare name to the terminal


class Yahoo:
    """Fetch daily bars from Yahoo Finance with yfinance; every response is checked before it is used.

    yfinance has one HTTP session per process; the first read replaces it by a session that checks the responses to
    this source's requests.
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

        Sessions missing or unexpected on the exchange's calendar, rows without a close, a stale end and jumps by more
        than a factor of five are left unchanged, listed in ``provenance["noticed"]`` and named in one warning. Rows
        after ``end``, or of a session that is not over, are left out and listed too.

        Parameters
        ----------
        tickers : sequence of str
        start, end : ISO text, datetime.date or None
            Both included; end None is the last session that is over.
        attempts : int
            Requests per ticker before it is reported as unavailable.
        wait : float
            Seconds before the second attempt; doubled each time, plus a random time of up to ``wait`` seconds.
        timeout : float
            Seconds for each request.
        currency : mapping from ticker to str, or None
            The currency expected, for tickers not quoted in the currency of the exchange (``{"J36.SI": "USD"}``).

        Raises
        ------
        InputError
            When an argument is not valid.
        TickerNotFound
            When Yahoo does not know the ticker, or has nothing in the range.
        SourceUnavailable
            When no attempt gave a usable response; the message has the last failure.
        BadPrices
            When a response is not valid: prices zero, negative, infinite or text, two rows for a session, rows out of
            order, another symbol or currency, an unknown time zone.

        Examples
        --------
        >>> SOURCE.read(["BABA"], "2021-09-13", "2021-09-10")
        Traceback (most recent call last):
        eventstudy.errors.InputError: start 2021-09-13 is after end 2021-09-10; swap them
        """
        names, span = require_tickers(tickers, "yahoo"), check_span(start, end)
        retry = _Retry(attempts, wait, timeout)
        notes: dict[str, list[str]] = {}

        def read_one(ticker: str) -> Bars:
            expected = ((currency or {})[ticker],) if ticker in (currency or {}) else CURRENCIES.get(mic_of(ticker), ())
            bars, notes[ticker] = _fetch(ticker, span, expected, retry)
            return bars

        bars, problems = read_tickers(names, read_one)
        noticed = {ticker: lines for ticker, lines in notes.items() if lines}
        if noticed:
            first = next(iter(noticed))
            warnings.warn(
                f"look at the prices of {', '.join(noticed)} before using them; {first}: {'; '.join(noticed[first])}"
                ' (Prices.provenance["noticed"] has all notes; no price was changed)',
                EventStudyWarning,
                stacklevel=3,
            )
        library = {"yfinance": yf.__version__}
        return Prices(bars, problems, provenance("yahoo", span, bars, library=library, noticed=noticed))


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
    """A failure after which another attempt may succeed."""


class _CheckedSession(Session[Response]):
    """The HTTP session of yfinance: it checks responses before yfinance sorts, drops and caches their rows.

    Responses are checked while ``ticker`` is set; ``status`` and ``chart`` have the code and content of the last one.
    """

    ticker: str | None = None
    status: int
    chart: Json

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
        response = super().request(method, url, *args, **kwargs)
        if self.ticker and CHART in url:
            self.status, self.chart = response.status_code, _check_response(response, self.ticker)
        return response


@lru_cache(maxsize=1)
def _session() -> _CheckedSession:
    return _CheckedSession(impersonate="chrome")  # one per process, as in yfinance, because it holds the cookies


def _check_response(response: Response, ticker: str) -> Json:
    """Return the content of a response; raise for an error, an unknown ticker or a chart that is not valid."""
    code = response.status_code
    if code == 429 or code >= 500:
        raise _Transient(f"HTTP {code}{' (too many requests)' if code == 429 else ''}")
    try:
        content: Json = json.loads(response.content)
        results = content["chart"]["result"] or ()
    except (ValueError, KeyError, TypeError):
        raise _Transient(f"HTTP {code} and no chart in JSON, but {response.text[:40]!r}") from None
    if code == 404:
        reason = (content["chart"].get("error") or {}).get("description", "HTTP 404")
        raise TickerNotFound(
            f"unknown ticker: Yahoo says of {ticker}: {reason}; look its symbol up on finance.yahoo.com"
        )
    for result in results:
        _check_result(result, ticker)
    return content


def _check_result(result: Json, ticker: str) -> None:
    """Raise BadPrices for a result whose rows yfinance would sort, drop or convert, or on which it would fail."""
    try:
        meta, stamps, quote = result["meta"], result.get("timestamp"), result["indicators"]["quote"][0]
        if meta["symbol"] != ticker:
            raise BadPrices(f"Yahoo answered with {meta['symbol']!r} when asked for {ticker!r}; use Yahoo's symbol")
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
    bad = np.flatnonzero(np.diff(stamps or ()) <= 0)
    if len(bad):
        raise BadPrices(
            f"{ticker}: Yahoo sent {dates[bad[0] + 1]} after {dates[bad[0]]}; rows are repeated or unsorted"
        )


def _dates(result: Json) -> Dates:
    """Return the session of each row, as a date in the exchange's time zone."""
    zone = result["meta"]["exchangeTimezoneName"]
    try:
        local = pd.to_datetime(result.get("timestamp") or [], unit="s", utc=True).tz_convert(ZoneInfo(zone))
    except (KeyError, ValueError):
        raise BadPrices(f"{result['meta']['symbol']}: Yahoo sent the time zone {zone!r}, which is not known") from None
    # After a change of clocks a bar's time stamp can be an hour or two before its day (Brazil); yfinance does the same.
    early = (local.minute == 0) & (local.hour >= 22)
    return (local.tz_localize(None) + pd.to_timedelta(2 * early, unit="h")).to_numpy().astype("datetime64[D]")


def _fetch(ticker: str, span: Span, currencies: Sequence[str], retry: _Retry) -> tuple[Bars, list[str]]:
    mic = mic_of(ticker)
    first, until = span.start or FIRST, _last_session(mic, span.end, datetime.now(UTC))
    if first > until:
        raise TickerNotFound(f"no price of {ticker} {span}: the last session of {mic} that is over is {until}")
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
                frame, result = _request(ticker, first, until, retry.timeout)
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


def _last_session(mic: str, end: date | None, now: datetime) -> date:
    """Return the end of the range, or the last session that is over, whichever is earlier."""
    dates, closes = sessions(mic)
    last: date = dates[closes <= np.datetime64(now.replace(tzinfo=None))][-1].item()
    return min(end, last) if end else last


def _request(ticker: str, first: date, until: date, timeout: float) -> tuple[pd.DataFrame, Json]:
    """Make one attempt; return yfinance's frame and Yahoo's result."""
    session = _session()
    with _YFINANCE_LOCK, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")  # pandas warns on each call
        setting, yf.config.debug.hide_exceptions = yf.config.debug.hide_exceptions, False
        session.ticker, session.status, session.chart = ticker, 0, {}
        try:
            frame = yf.Ticker(ticker, session=session).history(
                start=first,
                end=until + timedelta(days=1),  # yfinance excludes the end
                auto_adjust=False,
                actions=True,
                keepna=True,
                timeout=timeout + next(_REQUEST_NUMBER) * 1e-6,  # the same arguments would be answered from its cache
            )
            result = session.chart["chart"]["result"][0]
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
            session.ticker, yf.config.debug.hide_exceptions = None, setting
    return frame, result


def _bars(ticker: str, frame: pd.DataFrame, result: Json, mic: str, span: Span) -> tuple[Bars, list[str]]:
    """Return the bars of a range, and what was left out or looks wrong."""
    sent, until = _dates(result), np.datetime64(span.end)
    after, sent = sent[sent > until], sent[sent <= until]
    repeated = sent[1:][np.diff(sent) == np.timedelta64(0, "D")]
    if len(repeated):
        raise BadPrices(
            f"{ticker}: Yahoo sent two rows for the session {repeated[0]}; try again some hours after its close"
        )
    values = {name: frame[column].to_numpy(np.float64, na_value=np.nan) for name, column in FIELDS.items()}
    values["volume"] = np.where(np.isnan(values["close"]), np.nan, values["volume"])  # yfinance turns null into 0
    fields = {name: numbers for name, numbers in values.items() if not np.isnan(numbers).all()}
    if "close" not in fields:
        raise BadPrices(f"{ticker}: Yahoo sent {len(frame)} rows {span}, and none has a close")
    dates = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy().astype("datetime64[D]")
    bars = select_dates(Bars(ticker, dates, fields, mic, result["meta"].get("currency")), span)
    notes = [f"left out, after {until} or not over: {', '.join(map(str, after))}"] if len(after) else []
    return bars, notes + find_anomalies(bars, mic, until)
