"""The exchange of a ticker, and the trading sessions of that exchange.

A ticker's Yahoo suffix (or, for an index, its name) maps to a market identifier code (MIC); a MIC maps to the sessions
of exchange_calendars, corrected by a short table of closures that the package lacks.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eventstudy.errors import AlignmentError, InputError, shown

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,19}", re.ASCII)

SUFFIXES = {
    "AS": "XAMS", "AX": "XASX", "BO": "XBOM", "BR": "XBRU", "CO": "XCSE", "DE": "XETR", "HE": "XHEL",
    "HK": "XHKG", "IR": "XDUB", "JK": "XIDX", "JO": "XJSE", "KL": "XKLS", "KQ": "XKRX", "KS": "XKRX",
    "L": "XLON", "LS": "XLIS", "MC": "XMAD", "MI": "XMIL", "MX": "XMEX", "NS": "XBOM", "NZ": "XNZE",
    "OL": "XOSL", "PA": "XPAR", "PR": "XPRA", "SA": "BVMF", "SI": "XSES", "SS": "XSHG", "ST": "XSTO",
    "SW": "XSWX", "SZ": "XSHG", "T": "XTKS", "TO": "XTSE", "TW": "XTAI", "TWO": "XTAI",
    "V": "XTSE", "VI": "XWBO", "WA": "XWAR",
}  # fmt: skip
INDICES = {
    "^AORD": "XASX", "^AXJO": "XASX", "^BSESN": "XBOM", "^BVSP": "BVMF", "^DJI": "XNYS", "^FCHI": "XPAR",
    "^FTSE": "XLON", "^GDAXI": "XETR", "^GSPC": "XNYS", "^GSPTSE": "XTSE", "^HSCE": "XHKG", "^HSI": "XHKG",
    "^HSTECH": "XHKG", "^IXIC": "XNYS", "^KS11": "XKRX", "^N225": "XTKS", "^NDX": "XNYS", "^NSEI": "XBOM",
    "^NYA": "XNYS", "^RUT": "XNYS", "^SSMI": "XSWX", "^STI": "XSES", "^TWII": "XTAI", "^VIX": "XNYS",
}  # fmt: skip
# Markets that share another market's calendar. FX is this library's own name for a market open on every weekday.
SAME_SESSIONS = {
    "OTCM": "XNYS", "PINX": "XNYS", "ARCX": "XNYS", "XNAS": "XNYS", "XASE": "XNYS", "BATS": "XNYS",
    "XSHE": "XSHG", "XNSE": "XBOM", "FX": "24/5",
}  # fmt: skip
# Closures that exchange_calendars 4.13 does not know (typhoon Saola; black rainstorm).
CLOSED = {"XHKG": ("2023-09-01", "2023-09-08")}
FIRST = "1980-01-01"


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

    Raises
    ------
    InputError
        If the suffix or the index is unknown, or a ticker of digits has no suffix.

    Examples
    --------
    >>> mic_of("0700.HK"), mic_of("BABA"), mic_of("^HSI"), mic_of("HKD=X")
    ('XHKG', 'XNYS', 'XHKG', 'FX')
    """
    check_ticker(ticker)
    if ticker.startswith("^"):
        if ticker in INDICES:
            return INDICES[ticker]
        raise InputError(
            f"the exchange of index {shown(ticker)} is not known; known indices are {', '.join(INDICES)};"
            " name its exchange (a MIC) in manifest.csv or in Prices.from_frame(exchange=...)"
        )
    if ticker.endswith("=X"):
        return "FX"
    stem, dot, suffix = ticker.rpartition(".")
    if not dot:
        if ticker.isdigit():
            raise InputError(
                f"ticker {shown(ticker)} has digits and no suffix; name its exchange, as in 0700.HK or 600519.SS,"
                " or give the MIC in manifest.csv or in Prices.from_frame(exchange=...)"
            )
        return "XNYS"
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if stem and len(suffix) == 1:
        return "XNYS"  # a share class, as in BRK.B
    raise InputError(
        f"ticker {shown(ticker)} has the unknown suffix .{suffix}; known suffixes are"
        f" {', '.join('.' + s for s in SUFFIXES)};"
        " name its exchange (a MIC) in manifest.csv or in Prices.from_frame(exchange=...)"
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


@lru_cache(maxsize=64)
def calendar(mic: str) -> ExchangeCalendar:
    """Return the calendar of a MIC, from 1980 (or its first known session, if later) to its last known session."""
    import exchange_calendars as xcals

    name = SAME_SESSIONS.get(mic, mic)
    if name not in xcals.get_calendar_names():
        raise InputError(
            f"exchange {shown(mic)} is not a market identifier code that exchange_calendars knows;"
            " examples are XHKG, XNYS, XNAS, XLON, XTKS"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings of pandas inside exchange_calendars
        first = xcals.get_calendar(name).bound_min()  # by default the package returns only the last 20 years
        start = max(pd.Timestamp(FIRST), first) if first is not None else pd.Timestamp(FIRST)
        return xcals.get_calendar(name, start=start)


@lru_cache(maxsize=64)
def sessions(mic: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the sessions of a MIC and their closes.

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
    schedule = calendar(mic)
    dates = schedule.sessions.to_numpy().astype("datetime64[D]")
    closes = pd.DatetimeIndex(schedule.closes).tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
    closures = np.array(CLOSED.get(SAME_SESSIONS.get(mic, mic), ()), dtype="datetime64[D]")
    is_open = ~np.isin(dates, closures)
    dates, closes = dates[is_open], closes[is_open]
    dates.setflags(write=False)
    closes.setflags(write=False)
    return dates, closes


@lru_cache(maxsize=64)
def opens(mic: str) -> np.ndarray:
    """Return the opening instants of the sessions of :func:`sessions`: datetime64[s] (sessions,), UTC."""
    schedule = calendar(mic)
    is_open = np.isin(schedule.sessions.to_numpy().astype("datetime64[D]"), sessions(mic)[0])
    utc = pd.DatetimeIndex(schedule.opens).tz_convert("UTC").tz_localize(None)
    instants = utc.to_numpy().astype("datetime64[s]")[is_open]
    instants.setflags(write=False)
    return instants


@lru_cache(maxsize=64)
def pauses(mic: str) -> np.ndarray:
    """Return the instants at which regular trading stops, for lunch or for the day: datetime64[s] (T,), UTC, sorted."""
    schedule = calendar(mic)
    breaks = pd.DatetimeIndex(schedule.break_starts.dropna())
    stops = pd.DatetimeIndex(schedule.closes).union(breaks).tz_convert("UTC").tz_localize(None)
    instants = np.unique(stops.to_numpy().astype("datetime64[s]"))
    instants.setflags(write=False)
    return instants


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
    return str(calendar(mic).tz)


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
