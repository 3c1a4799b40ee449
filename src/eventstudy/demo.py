"""The demo: the catalogue of real policy events on simulated prices with known abnormal returns.

The moves that the press reported for Hong Kong on 2021-09-13 are planted as that day's returns; every other event moves
its firms by a fixed amount in the expected direction. The estimates can thus be compared with the planted values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.catalogue import catalogue
from eventstudy.prepare.events import Events
from eventstudy.prices import fetch_prices
from eventstudy.result import Result
from eventstudy.study import Study

DAY = "2021-09-13"
# Moves in early Hong Kong trade on 2021-09-13, as reported that day.
PRESS = {"^HSI": -0.023, "9988.HK": -0.06, "0700.HK": -0.03, "1211.HK": -0.035, "9868.HK": -0.035}
REACTION = 0.03  # abnormal return of every other event, times its expected sign
BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}


class Demo(NamedTuple):
    """The demo's result, and its planted beside its estimated abnormal returns."""

    result: Result
    planted: pd.DataFrame


def run(seed: int = 0) -> Demo:
    """Plant abnormal returns in simulated prices, run the study, and compare its estimates with them.

    Returns
    -------
    Demo
        ``planted`` has one row per used event: ticker, session, planted and recovered abnormal return of day 0, its
        standard error, and whether the 95 % interval covers the planted value.
    """
    events = catalogue("china-tech")
    study = Study(benchmark=BENCHMARK, sign="expected_sign", seed=seed)
    tickers = [*dict.fromkeys(events.frame["ticker"]), *BENCHMARK.values()]
    span = ("2019-06-01", "2026-06-30")
    plain = fetch_prices(tickers, *span, source="simulated", seed=seed)
    reactions, totals = _plan(study.check(events, plain), events)
    prices = fetch_prices(tickers, *span, source="simulated", seed=seed, reactions=reactions, totals=totals)
    result = study.run(events, prices)
    return Demo(result, _compare(result, prices, reactions, totals))


Plan = dict[tuple[str, str], float]


def _plan(table: pd.DataFrame, events: Events) -> tuple[Plan, Plan]:
    """Assign an abnormal return to each used event's ticker and session; the press day has total returns instead."""
    totals = {(ticker, DAY): move for ticker, move in PRESS.items()}
    reactions: Plan = {}
    for event_id, row in table[table["status"] == "ok"].iterrows():
        key = (str(row["ticker"]), f"{row['session']:%Y-%m-%d}")
        if key not in totals:
            reactions[key] = REACTION * float(events.frame.loc[event_id, "expected_sign"])  # type: ignore[arg-type, index]
    return reactions, totals


def _compare(result: Result, prices: Prices, reactions: Plan, totals: Plan) -> pd.DataFrame:
    """Return planted and estimated abnormal returns, one row per used event."""
    cars = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")
    used = result.events[result.events["status"] == "ok"]
    rows = []
    for event_id, event in used.iterrows():
        ticker, session = str(event["ticker"]), f"{event['session']:%Y-%m-%d}"
        planted = reactions.get((ticker, session))
        if planted is None:
            planted = _abnormal(ticker, session, prices, totals)
        car, se, df = (float(cars.loc[event_id, name]) for name in ("car", "se", "df"))  # type: ignore[arg-type, index]
        rows.append((event_id, ticker, session, totals.get((ticker, session), np.nan), planted, car, se, df))
    names = ["event_id", "ticker", "session", "total", "planted", "recovered", "se", "df"]
    frame = pd.DataFrame(rows, columns=names).set_index("event_id")
    from scipy.special import stdtrit

    frame["within"] = (frame["recovered"] - frame["planted"]).abs() <= stdtrit(frame.pop("df"), 0.975) * frame["se"]
    return frame


def _abnormal(ticker: str, session: str, prices: Prices, totals: Plan) -> float:
    """Return the abnormal part of a planted total return, given the security's true alpha and beta."""
    parameters: dict[str, float] = prices.provenance["truth"][ticker]
    market = totals[("^HSI", session)]
    return float(totals[(ticker, session)] - parameters["alpha"] - parameters["beta"] * market)
