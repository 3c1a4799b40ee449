"""Prices from Yahoo Finance through yfinance: one ticker at a time, with retries and checks, never repaired."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import stamina
import yfinance as yf
from yfinance.exceptions import YFException, YFTickerMissingError

from eventstudy.bars import Bars, Prices, read_tickers
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, SourceError, SourceUnavailable, TickerNotFound
from eventstudy.markets import mic_of, sessions
from eventstudy.sources._sessions import find_anomalies
from eventstudy.sources._shared import (
    CURRENCIES,
    Span,
    check_span,
    provenance,
    require_tickers,
    select_dates,
)  # fmt: skip
from eventstudy.sources._yahoo_session import Json, Transient, session_dates
from eventstudy.sources._yahoo_session import session as yahoo_session

FIELDS = {
    "open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume",
}  # fmt: skip
GIVE_UP = 4  # tickers in a row without a usable answer, after which the others are not asked for
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

        After a ticker for which nothing was answered, the next gets one attempt. After four tickers in a row without a
        usable answer the others are not asked for, and are listed with this reason.

        Parameters
        ----------
        tickers : sequence of str
        start, end : ISO text, datetime.date or None
            Both included; end None is the last session that is over.
        attempts : int
            Attempts per ticker before it is reported as unavailable. An answer that is not usable prices (an unknown
            ticker, no rows, rows that are not valid) is asked for a second time, and then believed.
        wait : float
            Seconds before the second attempt; doubled each time, plus a random time of up to ``wait`` seconds.
        timeout : float
            Seconds for each attempt, all its requests together. A ticker takes no longer than its attempts and waits.
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
        retry, server, expected = _Retry(attempts, wait, timeout), _Server(), _check_currency(currency)
        notes: dict[str, list[str]] = {}

        def read_one(ticker: str) -> Bars:
            currencies = (expected[ticker],) if ticker in expected else CURRENCIES.get(mic_of(ticker), ())
            with server.asked(ticker):
                bars, notes[ticker] = _fetch(ticker, span, currencies, retry, server)
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
        details = {"library": {"yfinance": yf.__version__}, "noticed": noticed}
        retrieved = datetime.now(UTC).isoformat(timespec="seconds")
        return Prices(bars, problems, provenance("yahoo", span, bars, retrieved=retrieved, **details))


SOURCE = Yahoo()


@dataclass(frozen=True)
class _Retry:
    attempts: int
    wait: float
    timeout: float

    def __post_init__(self) -> None:
        whole = isinstance(self.attempts, int) and not isinstance(self.attempts, bool)
        seconds = [
            isinstance(s, int | float) and not isinstance(s, bool) and s < np.inf for s in (self.wait, self.timeout)
        ]
        if not (whole and all(seconds) and self.attempts >= 1 and self.wait >= 0 and self.timeout > 0):
            raise InputError(
                f"attempts is {self.attempts!r}, wait {self.wait!r}, timeout {self.timeout!r}; valid are attempts from"
                " 1 on, seconds to wait from 0 on, and a timeout above 0 seconds"
            )


def _check_currency(currency: object) -> Mapping[str, str]:
    if currency is None:
        return {}
    if isinstance(currency, Mapping) and all(isinstance(text, str) for pair in currency.items() for text in pair):
        return currency
    raise InputError(f"currency is {str(currency)[:80]!r}; give the currency of tickers, as in {{'J36.SI': 'USD'}}")


@dataclass
class _Server:
    """What the tickers so far tell of the server: how many in a row had no usable answer, and whether it is silent."""

    in_vain: int = 0
    silent: bool = False

    @contextmanager
    def asked(self, ticker: str) -> Iterator[None]:
        """Take notice of how the request for a ticker ends; raise without a request if the server is given up."""
        if self.in_vain >= GIVE_UP:
            raise SourceUnavailable(
                f"{ticker} was not asked for, because Yahoo gave no usable answer for the {self.in_vain} tickers before"
                " it; check the connection, and ask again later"
            )
        try:
            yield
        except SourceUnavailable as error:
            self.in_vain += 1
            self.silent = isinstance(error.__cause__, Transient) and not error.__cause__.answered
            raise
        except SourceError:
            self.in_vain, self.silent = 0, False
            raise
        self.in_vain, self.silent = 0, False

    def retry_for_one_ticker(self) -> Callable[[Exception], bool]:
        """Return whether to ask again after an error: an answer is believed the second time."""
        doubted = False

        def again(error: Exception) -> bool:
            nonlocal doubted
            if isinstance(error, Transient):
                return error.answered or not self.silent
            first, doubted = not doubted, True
            return isinstance(error, SourceError) and first

        return again


def _fetch(
    ticker: str, span: Span, currencies: Sequence[str], retry: _Retry, server: _Server
) -> tuple[Bars, list[str]]:
    mic = mic_of(ticker)
    first, until = span.start or FIRST, _last_session(mic, span.end, datetime.now(UTC))
    if first > until:
        raise TickerNotFound(f"no price of {ticker} {span}: the last session of {mic} that is over is {until}")
    number = 0
    try:
        for attempt in stamina.retry_context(
            server.retry_for_one_ticker(),
            attempts=retry.attempts,
            timeout=None,
            wait_initial=retry.wait,
            wait_max=60,
            wait_jitter=retry.wait,
        ):
            with attempt:
                number = attempt.num
                frame, result = _request(ticker, first, until, retry.timeout)
                _check_result_currency(ticker, result, currencies, mic)
                answer = _bars(ticker, frame, result, mic, Span(first, until))
    except Transient as last:
        raise SourceUnavailable(
            f"Yahoo gave no usable answer for {ticker} in {number} attempts; the last failure: {last}."
            " Check the connection, wait some minutes, raise attempts or wait, or read prices from a folder"
        ) from last
    return answer


def _check_result_currency(ticker: str, result: Json, currencies: Sequence[str], mic: str) -> None:
    currency = result["meta"].get("currency")
    if currencies and currency not in currencies:
        raise BadPrices(
            f"{ticker} is in {currency!r}, and {' or '.join(currencies)} is expected on {mic}; if that is right, pass"
            f" currency={{{ticker!r}: {currency!r}}}"
        )


def _last_session(mic: str, end: date | None, now: datetime) -> date:
    """Return the end of the range, or the last session that is over, whichever is earlier."""
    dates, closes = sessions(mic)
    last: date = dates[closes <= np.datetime64(now.replace(tzinfo=None))][-1].item()
    return min(end, last) if end else last


def _request(ticker: str, first: date, until: date, timeout: float) -> tuple[pd.DataFrame, Json]:
    """Make one attempt; return yfinance's frame and Yahoo's result."""
    session = yahoo_session()
    with _YFINANCE_LOCK, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")  # pandas warns on each call
        setting, yf.config.debug.hide_exceptions = yf.config.debug.hide_exceptions, False
        session.ticker, session.status, session.chart = ticker, 0, {}
        session.answered, session.deadline = False, time.monotonic() + timeout
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
            # The error of curl is no cause: it can quote a proxy with its password.
            raise Transient(f"{type(error).__name__}: {error}", session.answered) from None
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadPrices(f"{ticker}: yfinance cannot read Yahoo's answer ({error!r})") from error
        finally:
            session.ticker, yf.config.debug.hide_exceptions = None, setting
    return frame, result


def _bars(ticker: str, frame: pd.DataFrame, result: Json, mic: str, span: Span) -> tuple[Bars, list[str]]:
    """Return the bars of a range, and what was left out or looks wrong."""
    sent, until = session_dates(result), np.datetime64(span.end)
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
