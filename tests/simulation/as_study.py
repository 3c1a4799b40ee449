"""A sample of the measured grid as a user would have it: events and prices, run through ``Study.run``."""

from __future__ import annotations

import warnings
from typing import Any

import exchange_calendars as xcals
import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.types import Panel
from tests.simulation.sizes import Draw

EXCHANGES = ("XHKG", "XNYS")
FIRST, LAST = "1991-01-01", "2021-12-31"
DAYS = 20_000  # business days of samples on one exchange, of which 50 windows of 250 days take most


def result_of(draw: Draw, seed: int = 0, replications: int = 10, **choices: Any) -> es.Result:
    """Run the default tests on one of the samples that are drawn, each event as a security of its own."""
    case = draw(np.random.default_rng(seed), replications)
    spec, placed = case.sample.spec, case.placed
    sessions = _sessions(len(case.panels))
    series: dict[str, pd.Series] = {}
    exchange: dict[str, str] = {}
    rows = []
    for event in np.flatnonzero(placed.group == 0):
        panel = case.panels[placed.panel[event]]
        asset, columns = placed.asset[event], placed.day[event] + spec.offsets
        date = sessions[case.sample.cluster_dates[placed.cluster[event]]]
        ticker, benchmark = f"E{event}", f"B{event}"
        series[ticker] = pd.Series(np.where(panel.ok[asset], panel.r[asset], np.nan)[columns], date)
        series[benchmark] = pd.Series(_regressor(panel, int(asset))[columns], date)
        if len(case.panels) > 1:
            exchange |= dict.fromkeys((ticker, benchmark), EXCHANGES[placed.panel[event]])
        row = {"ticker": ticker, "announced": str(date[-spec.estimation[0]].date()), "index": benchmark}
        row |= {} if placed.link is None else {"cluster": str(placed.link[event])}
        rows.append(row | ({} if placed.sign is None else {"sign": int(placed.sign[event])}))
    frame = pd.DataFrame(series)
    prices = es.Prices.from_returns(frame.reindex(_index(len(case.panels), frame.index)), exchange or None)
    study = es.Study(
        benchmark="index",
        estimation=spec.estimation,
        event=spec.event,
        windows=tuple((int(start), int(end)) for start, end in spec.windows),
        min_estimation=100,
        min_coverage=spec.min_coverage,
        sign=None if placed.sign is None else "sign",
        **choices,
    )
    return study.run(es.Events.from_frame(pd.DataFrame(rows)), prices)


def _regressor(panel: Panel, asset: int) -> np.ndarray:
    return panel.x[asset, :, 0] if panel.x.ndim == 3 else panel.x[:, 0]


def _sessions(n_panels: int) -> pd.DatetimeIndex:
    """Return the dates that stand for the numbers of a sample: those on which all exchanges are open."""
    if n_panels == 1:
        return pd.bdate_range(end=LAST, periods=DAYS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on what the calendars call
        both = [set(xcals.get_calendar(name, start=FIRST, end=LAST).sessions) for name in EXCHANGES]
    return pd.DatetimeIndex(sorted(set.intersection(*both)))


def _index(n_panels: int, dates: pd.Index) -> pd.Index:
    """Return the dates of the prices; a session on which only one exchange is open has none."""
    return dates if n_panels > 1 else dates.sort_values()
