"""The HTTP session of the source ``yahoo``: its time limit, and the checks of responses before yfinance reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from curl_cffi.requests import Response, Session

from eventstudy.errors import BadPrices, SourceUnavailable, TickerNotFound
from eventstudy.types import Dates

CHART = "/v8/finance/chart/"
Json = Mapping[str, Any]


class Transient(SourceUnavailable):
    """A failure after which another attempt may succeed; ``answered`` says whether the server sent anything."""

    def __init__(self, text: str, answered: bool = True) -> None:
        super().__init__(text)
        self.answered = answered


class CheckedSession(Session[Response]):
    """The HTTP session of yfinance: it checks responses before yfinance sorts, drops and caches their rows.

    While ``ticker`` is set, responses are checked, a chart is taken from no other address, and all requests end before
    ``deadline``; ``status`` and ``chart`` have the code and content of the last response, and ``answered`` says whether
    there was any.
    """

    ticker: str | None = None
    deadline: float
    answered: bool
    status: int
    chart: Json

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.ticker:
            left = self.deadline - time.monotonic()
            if left < 0.001:  # curl takes less as no limit
                raise Transient("no answer in time", self.answered)
            # Prices come without cookies too: what asks for these leaves most of the time to the chart.
            kwargs["timeout"] = left if CHART in url else max(left / 3, 0.001)
            if CHART in url:
                kwargs["allow_redirects"] = False  # prices are those of the server that was asked
        response = super().request(method, url, *args, **kwargs)
        self.answered = True
        if self.ticker and CHART in url:
            self.status, self.chart = response.status_code, _check_response(response, self.ticker)
        return response


@lru_cache(maxsize=1)
def session() -> CheckedSession:
    return CheckedSession(impersonate="chrome")  # one per process, as in yfinance, because it holds the cookies


def _check_response(response: Response, ticker: str) -> Json:
    """Return the content of a response; raise for an error, an unknown ticker or a chart that is not valid."""
    code = response.status_code
    if code == 429 or code >= 500:
        raise Transient(f"HTTP {code}{' (too many requests)' if code == 429 else ''}")
    try:
        content: Json = json.loads(response.content)
        results = content["chart"]["result"] or ()
    except (ValueError, KeyError, TypeError):
        raise Transient(f"HTTP {code} and no chart in JSON, but {response.text[:40]!r}") from None
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
        dates = session_dates(result)
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


def session_dates(result: Json) -> Dates:
    """Return the session of each row, as a date in the exchange's time zone."""
    zone = result["meta"]["exchangeTimezoneName"]
    try:
        local = pd.to_datetime(result.get("timestamp") or [], unit="s", utc=True).tz_convert(ZoneInfo(zone))
    except (KeyError, ValueError):
        raise BadPrices(f"{result['meta']['symbol']}: Yahoo sent the time zone {zone!r}, which is not known") from None
    # After a change of clocks a bar's time stamp can be an hour or two before its day (Brazil); yfinance does the same.
    early = (local.minute == 0) & (local.hour >= 22)
    return (local.tz_localize(None) + pd.to_timedelta(2 * early, unit="h")).to_numpy().astype("datetime64[D]")
