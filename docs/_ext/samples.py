"""What every test and model returns on one simulated sample, for their pages of the reference."""

from __future__ import annotations

import textwrap
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy import _registry, demo

TICKERS = ("9988.HK", "0700.HK", "1211.HK")
OTHERS = ("0005.HK", "0011.HK", "0016.HK", "1299.HK", "2318.HK", "0388.HK")  # peers, which the events do not concern
SPAN = ("2019-06-01", "2022-06-30")
DAY = "2021-09-13"


def tests() -> dict[str, str]:
    """Return the row of each test in ``Result.tests`` for day 0, as text, by the name of the test.

    The sample is a year of the catalogue on simulated prices that react by 0.3 % in the expected direction. A test that
    has no value where windows overlap in part is shown on the events of one date in Hong Kong. A test that draws dates
    draws fewer than its default.
    """
    catalogue = es.catalogue("china-tech").frame
    events = es.Events.from_frame(catalogue[catalogue["date"].dt.year == 2021].reset_index())
    tickers = [*dict.fromkeys(events.frame["ticker"]), *demo.BENCHMARK.values()]
    study = es.Study(benchmark=demo.BENCHMARK, sign="expected_sign", windows=((0, 0),))
    span = ("2019-06-01", "2022-02-28")
    placed = study.check(events, es.fetch_prices(tickers, *span, source="simulated"))
    used = placed[placed["status"] == "ok"]
    signs = events.frame["expected_sign"]
    moved = {
        (ticker, f"{session:%Y-%m-%d}"): 0.003 * signs[event]
        for event, ticker, session in zip(used.index, used["ticker"], used["session"], strict=True)
    }
    prices = es.fetch_prices(tickers, *span, source="simulated", reactions=moved)
    on_date = (used["session"] == pd.Timestamp(DAY)) & used["ticker"].str.endswith(".HK")
    one_date = es.Events.from_frame(events.frame.loc[used.index[on_date]].reset_index())
    members = [es.test(name) for name in _registry.names("inference", plugins=False)]
    members = [es.test(test.name, draws=99) if test.draws else test for test in members]
    overlap = [test for test in members if "overlap" in test.value_under]
    others = [test for test in members if test not in overlap]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EventStudyWarning)  # of tests that do not hold: their rows say so
        results = [replace(study, tests=kind).run(who, prices) for kind, who in ((overlap, events), (others, one_date))]
    return {str(row["test"]): _row(row) for result in results for _, row in result.tests.iterrows()}


def _row(row: pd.Series[Any]) -> str:
    """Return one row of ``Result.tests``, a line for each column."""
    lines = []
    for name in (
        "start",
        "end",
        "test",
        "n",
        "effect",
        "se",
        "lower",
        "upper",
        "statistic",
        "df",
        "p",
        "valid",
        "note",
    ):
        value = row[name]
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        lines.append(textwrap.fill(text, 80, initial_indent=f"{name:<11}", subsequent_indent=" " * 11))
    return "\n".join(lines)


def models() -> dict[str, str]:
    """Return the estimates of each model for three events of one announcement, as text, by the name of the model."""
    events = es.Events.from_frame(pd.DataFrame({"event_id": ["A", "B", "C"], "ticker": TICKERS, "announced": DAY}))
    prices = es.fetch_prices([*TICKERS, *OTHERS, "^HSI"], *SPAN, source="simulated", seed=1)
    days = pd.bdate_range(*SPAN)
    names = ["Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom"]
    drawn = np.random.default_rng(1).normal(0.0, 0.005, (len(days), len(names)))
    factors = pd.DataFrame(drawn, index=days, columns=names).assign(RF=0.0001)
    study = es.Study(benchmark="^HSI", peers=OTHERS)
    pages = {}
    for name in _registry.names("models", plugins=False):
        model = _registry.load("models", name)
        needed = {column.name for column in model.columns}
        if name == "clock":
            result = _intraday()
        else:
            given = factors if needed & {*factors.columns} else None
            result = replace(study, model=name).run(events, prices, factors=given)
        columns = ["ticker", *model.coefficients, "sigma", "r2", "n_estimation", "status"]
        pages[name] = result.events[columns].to_string(float_format="{:.5f}".format)
    return pages


def _intraday() -> es.Result:
    """Return a study of hours: three shares of which each hour of the day has a variance of its own."""
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2021-06-01", "2021-12-31")
    hours = [day + pd.Timedelta(hours=hour, minutes=30) for day in days for hour in (10, 11, 12, 13, 14, 15)]
    scale = np.tile([0.01, 0.004, 0.003, 0.003, 0.004, 0.006], len(days))
    index = pd.DatetimeIndex(hours).tz_localize("America/New_York")
    close = pd.DataFrame(
        100 * np.exp(np.cumsum(scale[:, None] * rng.standard_normal((len(index), 3)), axis=0)),
        index=index,
        columns=["BABA", "JD", "PDD"],
    )
    events = es.Events.from_frame(
        pd.DataFrame({"event_id": ["A", "B", "C"], "ticker": close.columns, "announced": "2021-11-10T11:15-05:00"})
    )
    return es.Study(model="clock", estimation=(-300, -13), event=(-6, 6), windows=((0, 0),)).run(
        events, es.Prices.from_frame(close)
    )
