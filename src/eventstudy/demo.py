"""The embedded default: the catalogue of real policy events on simulated prices, with reactions that are known.

What the press of 2021-09-13 said of Hong Kong is planted as that day's returns; every other event moves its firms by
a plain amount in the expected direction. So the study can be held against what it should find.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
REACTION = 0.03  # of every other event, times its expected sign
BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}


class Demo(NamedTuple):
    """The demo's result, and what was planted beside what was recovered."""

    result: Result
    planted: pd.DataFrame


def run(seed: int = 0) -> Demo:
    """Plant, study and compare.

    Returns
    -------
    Demo
        ``planted`` has one row a used event: ticker, session, planted and recovered abnormal return of day 0, its
        standard error, and whether the 95 % interval holds what was planted.
    """
    events = catalogue("china-tech")
    study = Study(benchmark=BENCHMARK, seed=seed)
    tickers = [*dict.fromkeys(events.frame["ticker"]), *BENCHMARK.values()]
    span = ("2019-06-01", "2022-12-30")
    plain = fetch_prices(tickers, *span, source="simulated", seed=seed)
    reactions, totals = _plan(study.check(events, plain), events)
    prices = fetch_prices(tickers, *span, source="simulated", seed=seed, reactions=reactions, totals=totals)
    result = study.run(events, prices)
    return Demo(result, _compare(result, prices, reactions, totals))


Plan = dict[tuple[str, str], float]


def _plan(table: pd.DataFrame, events: Events) -> tuple[Plan, Plan]:
    """Give each used event's ticker and session an abnormal return; the press day has totals instead."""
    totals = {(ticker, DAY): move for ticker, move in PRESS.items()}
    reactions: Plan = {}
    for event_id, row in table[table["status"] == "ok"].iterrows():
        key = (str(row["ticker"]), f"{row['session']:%Y-%m-%d}")
        if key not in totals:
            reactions[key] = REACTION * float(events.frame.loc[event_id, "expected_sign"])  # type: ignore[arg-type, index]
    return reactions, totals


def _compare(result: Result, prices: Prices, reactions: Plan, totals: Plan) -> pd.DataFrame:
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
    """Give what a planted total return leaves after the security's true alpha and beta."""
    truth: dict[str, Any] = prices.provenance["truth"][ticker]
    market = totals[("^HSI", session)]
    return float(totals[(ticker, session)] - truth["alpha"] - truth["beta"] * market)
