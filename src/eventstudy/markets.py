"""The exchange of a ticker, and the trading sessions of that exchange.

A ticker's Yahoo suffix (or, for an index, its name) maps to a market identifier code (MIC); a MIC maps to the sessions
of exchange_calendars, corrected by the facts of ``data/exchanges/sessions.csv`` and by what the user states.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd

from eventstudy._calendars import Changes as Changes
from eventstudy._calendars import Schedule, calendar, schedule
from eventstudy.errors import AlignmentError, InputError, shown

TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,19}", re.ASCII)

SUFFIXES = {
    "AS": "XAMS", "AX": "XASX", "BO": "XBOM", "BR": "XBRU", "CO": "XCSE", "DE": "XETR", "HE": "XHEL",
    "HK": "XHKG", "IR": "XDUB", "JK": "XIDX", "JO": "XJSE", "KL": "XKLS", "KQ": "XKRX", "KS": "XKRX",
    "L": "XLON", "LS": "XLIS", "MC": "XMAD", "MI": "XMIL", "MX": "XMEX", "NS": "XBOM", "NZ": "XNZE",
    "OL": "XOSL", "PA": "XPAR", "PR": "XPRA", "SA": "BVMF", "SI": "XSES", "SR": "XSAU", "SS": "XSHG", "ST": "XSTO",
    "SW": "XSWX", "SZ": "XSHG", "T": "XTKS", "TA": "XTAE", "TO": "XTSE", "TW": "XTAI", "TWO": "XTAI",
    "V": "XTSE", "VI": "XWBO", "WA": "XWAR",
}  # fmt: skip
INDICES = {
    "^AORD": "XASX", "^AXJO": "XASX", "^BSESN": "XBOM", "^BVSP": "BVMF", "^DJI": "XNYS", "^FCHI": "XPAR",
    "^FTSE": "XLON", "^GDAXI": "XETR", "^GSPC": "XNYS", "^GSPTSE": "XTSE", "^HSCE": "XHKG", "^HSI": "XHKG",
    "^HSTECH": "XHKG", "^IXIC": "XNYS", "^KS11": "XKRX", "^N225": "XTKS", "^NDX": "XNYS", "^NSEI": "XBOM",
    "^NYA": "XNYS", "^RUT": "XNYS", "^SSMI": "XSWX", "^STI": "XSES", "^TWII": "XTAI", "^VIX": "XNYS",
}  # fmt: skip
# Markets that share another market's calendar. FX and CRYPTO are this library's own names for a market that is open on
# every weekday, and for one that is open on every day.
SAME_SESSIONS = {
    "OTCM": "XNYS", "PINX": "XNYS", "ARCX": "XNYS", "XNAS": "XNYS", "XASE": "XNYS", "BATS": "XNYS",
    "OOTC": "XNYS", "XTSX": "XTSE", "XSHE": "XSHG", "XNSE": "XBOM", "FX": "24/5", "CRYPTO": "24/7",
}  # fmt: skip
# Names of exchanges that exchange_calendars takes for a MIC.
NAMES = {
    "ASX": "XASX", "BMF": "BVMF", "BSE": "XBOM", "BVB": "XBSE", "CBOT": "CMES", "CFE": "XCBF", "CME": "CMES",
    "COMEX": "CMES", "FWB": "XFRA", "HKEX": "XHKG", "ICE": "IEPA", "ICEUS": "IEPA", "JKT": "XIDX", "JPX": "XTKS",
    "LSE": "XLON", "LUXSE": "XLUX", "NASDAQ": "XNAS", "NYFE": "IEPA", "NYMEX": "CMES", "NYSE": "XNYS", "OSE": "XOSL",
    "SIX": "XSWX", "SSE": "XSHG", "TASE": "XTAE", "TSX": "XTSE",
}  # fmt: skip
ALWAYS_KNOWN = ("24/5", "24/7")  # calendars to which prices add no session
PAIR = re.compile(r"[A-Z0-9]{1,12}-(USD|EUR|GBP|JPY|CAD|AUD|CNY|INR|KRW|USDT|USDC|BTC|ETH)")
MAINLAND = re.compile(r"(SH|SZ)\d{6}")
HONG_KONG = re.compile(r"HK0?(\d{4})")
NO_NEW_YORK_TICKER = re.compile(r"\d.*|[A-Z]{2}\d{4,6}|[A-Z]{2}[A-Z0-9]{9}\d|.*=.*")
NAME_IT = "name its exchange (a MIC) in manifest.csv or in Prices.from_frame(exchange=...)"


def check_ticker(ticker: object) -> str:
    r"""Return the ticker unchanged if it is safe to use in a path or a request.

    Raises
    ------
    InputError
        If it is not text of the form ``\^?[A-Z0-9][A-Z0-9.\-=]{0,19}``.

    Examples
    --------
    >>> check_ticker("0700.HK")
    '0700.HK'
    """
    if isinstance(ticker, str) and TICKER.fullmatch(ticker) and ".." not in ticker:
        return ticker
    raise InputError(
        f"ticker {shown(ticker)} is not valid; a ticker is 1 to 20 of the characters A-Z 0-9 . - = with an optional"
        " ^ in front, as in BABA, 0700.HK, ^HSI; write it as text, in capitals"
    )


def mic_of(ticker: str) -> str:
    """Return the MIC of a ticker, looked up by its suffix, or of an index, looked up by its name.

    A ticker without a suffix is one of New York, unless it has the form of another vendor's codes.

    Raises
    ------
    InputError
        If the suffix, the index or the form is unknown, or a ticker without a suffix begins with a digit.

    Examples
    --------
    >>> mic_of("0700.HK"), mic_of("BABA"), mic_of("^HSI"), mic_of("HKD=X"), mic_of("BTC-USD")
    ('XHKG', 'XNYS', 'XHKG', 'FX', 'CRYPTO')
    """
    check_ticker(ticker)
    if ticker.startswith("^"):
        if ticker in INDICES:
            return INDICES[ticker]
        raise InputError(
            f"the exchange of index {shown(ticker)} is not known; known indices are {', '.join(INDICES)}; {NAME_IT}"
        )
    stem, dot, suffix = ticker.rpartition(".")
    if not dot:
        return _mic_without_suffix(ticker)
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if stem[:1].isalpha() and len(suffix) == 1:
        return "XNYS"  # a share class, as in BRK.B
    meant = f"; did you mean {stem}.SS?" if suffix == "SH" else ""
    raise InputError(
        f"ticker {shown(ticker)} has the unknown suffix .{suffix}{meant}; known suffixes are"
        f" {', '.join('.' + s for s in SUFFIXES)}; {NAME_IT}"
    )


def marked_exchange(ticker: str) -> str | None:
    """Return the MIC that a suffix, or the name of a known index, states; None for any other ticker.

    Examples
    --------
    >>> marked_exchange("0700.HK"), marked_exchange("BABA")
    ('XHKG', None)
    """
    if ticker.endswith("=X"):
        return "FX"
    return INDICES.get(ticker) or SUFFIXES.get(ticker.rpartition(".")[2] if "." in ticker else "")


def _mic_without_suffix(ticker: str) -> str:
    if ticker.endswith("=X"):
        return "FX"
    if PAIR.fullmatch(ticker):
        return "CRYPTO"
    if MAINLAND.fullmatch(ticker):
        return "XSHG"
    hong_kong = HONG_KONG.fullmatch(ticker)
    if hong_kong:
        raise InputError(f"ticker {ticker!r} has no suffix; did you mean {hong_kong[1]}.HK?")
    if ticker.endswith("=F"):
        raise InputError(f"the exchange of the future {ticker!r} is not known; {NAME_IT}, such as CMES for CME Globex")
    if ticker.isdigit():
        raise InputError(
            f"ticker {ticker!r} has digits and no suffix; add that of its exchange, as in 0700.HK or 600519.SS, or"
            f" {NAME_IT}"
        )
    if NO_NEW_YORK_TICKER.fullmatch(ticker):
        raise InputError(
            f"ticker {ticker!r} has no suffix, and not the form of a ticker of New York; add the suffix of its"
            f" exchange, as in 0700.HK or 600519.SS, or {NAME_IT}"
        )
    return "XNYS"


@lru_cache(maxsize=128)
def sessions(mic: str, stated: Changes = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return the sessions of a MIC and their closes; ``stated`` are changes by the user, which take precedence.

    Returns
    -------
    dates : datetime64[D] array (sessions,)
    closes : datetime64[ns] array (sessions,)
        In UTC.

    Examples
    --------
    >>> dates, closes = sessions("XHKG")
    >>> import numpy as np
    >>> str(closes[dates == np.datetime64("2021-09-13")][0])
    '2021-09-13T08:00:00.000000000'
    """
    known = _schedule(mic, stated)
    return _read_only(known.dates), _read_only(known.closes.astype("datetime64[ns]"))


@lru_cache(maxsize=128)
def opens(mic: str, stated: Changes = ()) -> np.ndarray:
    """Return the opening instants of the sessions of :func:`sessions`: datetime64[s] (sessions,), UTC."""
    return _read_only(_schedule(mic, stated).opens)


@lru_cache(maxsize=128)
def pauses(mic: str, stated: Changes = ()) -> np.ndarray:
    """Return the instants at which regular trading stops, for lunch or for the day: datetime64[s] (T,), UTC, sorted."""
    breaks = pd.DatetimeIndex(calendar(calendar_of(mic)).break_starts.dropna()).tz_convert("UTC").tz_localize(None)
    closes = _schedule(mic, stated).closes
    return _read_only(np.union1d(closes, breaks.to_numpy().astype("datetime64[s]")))


def calendar_of(mic: str) -> str:
    """Return the MIC under which exchanges with the same sessions share one calendar.

    Examples
    --------
    >>> calendar_of("XNAS"), calendar_of("NYSE"), calendar_of("XHKG")
    ('XNYS', 'XNYS', 'XHKG')
    """
    mic = NAMES.get(mic, mic)
    return SAME_SESSIONS.get(mic, mic)


def _schedule(mic: str, stated: Changes) -> Schedule:
    return schedule(calendar_of(mic)).changed(stated, zone_of(mic))


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.view()
    values.setflags(write=False)
    return values


def sessions_between(mic: str, start: object, end: object) -> np.ndarray:
    """Return the sessions of a MIC from start to end, both included, as datetime64[D].

    Raises
    ------
    AlignmentError
        If ``end`` is more than a week after the calendar's last known session; the message names that session.
    """
    dates, _ = sessions(mic)
    first, last = np.datetime64(str(start)[:10], "D"), np.datetime64(str(end)[:10], "D")
    if last > dates[-1] + np.timedelta64(7, "D"):
        raise AlignmentError(f"the calendar of {mic} ends on {dates[-1]}, before {last}; choose an earlier end")
    return dates[(dates >= first) & (dates <= last)]


def zone_of(mic: str) -> str:
    """Return the IANA time zone of a MIC.

    Examples
    --------
    >>> zone_of("XHKG")
    'Asia/Hong_Kong'
    """
    return str(calendar(calendar_of(mic)).tz)


def wall(mic: str | None, instants: np.ndarray) -> np.ndarray:
    """Convert UTC instants to local wall-clock time at an exchange; return them unchanged if ``mic`` is None.

    Examples
    --------
    >>> wall("XNYS", np.array(["2021-03-12T14:30", "2021-03-15T13:30"], dtype="datetime64[s]")).astype(str).tolist()
    ['2021-03-12T09:30:00', '2021-03-15T09:30:00']
    """
    if mic is None:
        return instants
    local = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(zone_of(mic))
    return np.asarray(local.tz_localize(None).to_numpy().astype("datetime64[s]"))
