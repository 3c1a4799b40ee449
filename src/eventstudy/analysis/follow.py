"""One announcement through the time zones: every session of every listing in the order in which they closed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.spillover_peers import phase_elsewhere, restated
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.returns import close_to_close
from eventstudy.types import Calendar, Rerun, ResultFrames, required

COLUMNS = ("step", "ticker", "exchange", "session", "day", "close", "return", "ar", "car")


def follow(rerun: Rerun | None, announcement: str, tickers: Sequence[str]) -> pd.DataFrame:
    """Follow an announcement on its tickers and on others; see ``Result.follow``."""
    rerun = required(rerun)
    frame, bars = rerun.events, rerun.prices.bars
    names_of_news = frame["cluster"].astype(str).tolist()
    arguments.choice("announcement", announcement, dict.fromkeys(names_of_news))
    own = frame[[name == announcement for name in names_of_news]]
    tickers = arguments.texts("tickers", tickers, "tickers of the prices, as ['BABA']")
    for ticker in tickers:
        arguments.choice("a ticker", ticker, bars)
    names = [name for name in dict.fromkeys([*own["ticker"], *tickers]) if name in bars]
    rows = [own[own["ticker"] == name].iloc[0] if name in set(own["ticker"]) else own.iloc[0] for name in names]
    for name, event in zip(names, rows, strict=True):
        if event["ticker"] != name and phase_elsewhere(event, bars[event["ticker"]].mic, bars[name].mic):
            raise InputError(
                f"{announcement} has a phase of the exchange of {event['ticker']}, and no time, so that the session of"
                f" {name} is not known; give the time of the announcement"
            )
    events = restated(rerun, [str(event.name) for event in rows], names, [f"{announcement}:{name}" for name in names])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # the study has issued its own
        plain: dict[str, object] = {"contaminated": "keep", "confounding": None, "group": None, "sign": None}
        placed = rerun.result(events=events, choices={**plain, "tests": "cross_section"})
    _warn(placed)
    parts = [_sessions(rerun, placed, str(name)) for name in placed.events.index[placed.events["status"] == "ok"]]
    if not parts:
        raise NotEnoughData(f"no ticker of {announcement} could be followed: {'; '.join(placed.events['reason'])}")
    path = pd.concat(parts).sort_values(["close", "ticker"], kind="stable", ignore_index=True)
    order = np.unique(path["close"], return_inverse=True)[1]
    path["step"] = order - order[(path["day"] == 0).to_numpy()].min() + 1
    return path[[*COLUMNS]]


def _warn(placed: ResultFrames) -> None:
    """Warn of the tickers that cannot be followed."""
    lost = placed.events[placed.events["status"] != "ok"]
    if len(lost):
        named = "; ".join(f"{row['ticker']} ({row['status']})" for row in lost.to_dict("records"))
        warnings.warn(f"not followed: {named}", EventStudyWarning, stacklevel=4)


def _sessions(rerun: Rerun, placed: ResultFrames, event_id: str) -> pd.DataFrame:
    """Return the sessions of a ticker in the event window, with their closes and returns."""
    ticker = str(placed.events.loc[event_id, "ticker"])
    bars = rerun.prices.bars[ticker]
    calendar = rerun.sample().calendars[calendar_name(bars.mic)]
    dates, closes = calendar.dates, _closes(calendar, ticker)
    ar = placed.ar.loc[event_id]
    session = np.datetime64(pd.Timestamp(str(placed.events.loc[event_id, "session"])), "D")
    at = int(np.searchsorted(dates, session)) + ar.index.to_numpy()
    inside = (at >= 1) & (at < len(dates))
    at, ar = at[inside], ar[inside]
    day = ar.index.to_numpy()
    return pd.DataFrame(
        {
            "ticker": ticker, "exchange": bars.mic, "session": pd.DatetimeIndex(dates[at]).as_unit("s"), "day": day,
            "close": pd.DatetimeIndex(closes[at]).tz_localize("UTC"),
            "return": close_to_close(bars, rerun.choices.contradictory, calendar)[at], "ar": ar.to_numpy(),
            "car": np.where(day >= 0, ar.where(day >= 0, 0.0).cumsum().to_numpy(), np.nan),
        }
    )  # fmt: skip


def _closes(calendar: Calendar, ticker: str) -> np.ndarray:
    if calendar.closes is None or calendar.intraday:
        why = "has intraday bars" if calendar.intraday else "trades on an exchange whose closing times are not known"
        raise InputError(f"{ticker} {why}; follow takes daily prices of exchanges with a MIC, as 'XHKG'")
    return calendar.closes
