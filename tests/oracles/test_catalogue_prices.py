"""The whole catalogue on real prices: every session, return and abnormal return again, by hand, from the CSV files."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from tests.oracles.data import agree, read

pytestmark = pytest.mark.thorough

TOL = 1e-12
DAYS = np.arange(-10, 11)
SPAN = np.arange(-260, -10)
INDICES = {"XHKG": "^HSI", "XNYS": "^GSPC"}
ZONES = {"XHKG": "Asia/Hong_Kong", "XNYS": "America/New_York"}
NEW_YORK = ("XNYS", "XNAS", "ARCX", "OTCM")
CLOSE = time(16)  # both exchanges; on half days earlier, which no stamp of the catalogue falls on


class Hand(NamedTuple):
    """Adjusted closes by exchange, on the dates on which any of its tickers has one."""

    closes: dict[str, pd.DataFrame]

    def exchange(self, ticker: str) -> str | None:
        """Give the exchange of a ticker, None where there are no prices of it."""
        return next((name for name, table in self.closes.items() if ticker in table), None)


@pytest.fixture(scope="module")
def hand(shared) -> Hand:
    folder = shared / "data" / "prices"
    manifest = read(folder, "manifest.csv")
    closes: dict[str, dict[str, pd.Series]] = {name: {} for name in INDICES}
    for ticker, file, mic in manifest[["ticker", "file", "mic"]].itertuples(index=False):
        table = read(folder, file, index_col="Date", parse_dates=True)
        if mic in (*NEW_YORK, "XHKG"):
            own = "XHKG" if mic == "XHKG" else "XNYS"
            closes[own][ticker] = table["Adj Close" if "Adj Close" in table else "Close"].dropna()
    return Hand({name: pd.DataFrame(columns).sort_index() for name, columns in closes.items()})


@pytest.fixture(scope="module")
def result(shared) -> es.Result:
    prices = es.read_prices(Path(shared) / "data" / "prices")
    return es.Study(benchmark=INDICES, sign="expected_sign", tests="cross_section").run(
        es.catalogue("china-tech"), prices
    )


def session(dates: pd.DatetimeIndex, zone: str, announced: str) -> pd.Timestamp:
    """Give the first date that closes after a stamp, or that is not before a date alone."""
    if len(announced) == 10:
        return dates[dates >= announced][0]
    local = pd.Timestamp(announced).tz_convert(zone).tz_localize(None)
    day = local.normalize() if local.time() < CLOSE else local.normalize() + pd.Timedelta(days=1)
    return dates[dates >= day][0]


def test_every_event_is_placed_and_kept_or_lost_as_by_hand(hand, result):
    seen = set()
    for event in result.events.itertuples():
        own = hand.exchange(event.ticker)
        if own is None:
            assert event.status == "unknown_ticker"
        elif event.announced[:10] > f"{hand.closes[own].index[-1]:%Y-%m-%d}":
            assert event.status == "no_price"
        else:
            table = hand.closes[own]
            at = session(table.index, ZONES[own], event.announced)
            assert event.session == at, event.Index
            prices = table[event.ticker].dropna()
            returns = table[[event.ticker, INDICES[own]]].pct_change(fill_method=None).dropna()
            row = table.index.get_loc(at) + SPAN
            valid = int(returns.index.isin(table.index[row[row >= 0]]).sum())
            others = result.events[(result.events["ticker"] == event.ticker) & (result.events["session"] == at)]
            if others["priority"].idxmin() != event.Index:  # the first of the lowest
                assert event.status == "duplicate"
            elif at < prices.index[0]:
                assert event.status == "no_price"
            else:
                assert event.n_estimation == valid, event.Index
                assert event.status == ("ok" if valid >= 120 else "too_few_estimation"), event.Index
        seen.add(event.status)
    assert seen == {"ok", "unknown_ticker", "too_few_estimation", "no_price", "duplicate"}


def test_every_abnormal_return(hand, result):
    used = result.events[result.events["status"] == "ok"]
    assert len(used) > 100
    for event in used.itertuples():
        own = str(hand.exchange(event.ticker))
        table = hand.closes[own]
        returns = table / table.shift(1) - 1
        y, m = returns[event.ticker], returns[INDICES[own]]
        at = table.index.get_loc(event.session)
        before = pd.DataFrame({"y": y, "m": m}).iloc[at + SPAN[at + SPAN >= 0]].dropna()
        beta = ((before["m"] - before["m"].mean()) * before["y"]).sum() / (
            (before["m"] - before["m"].mean()) ** 2
        ).sum()
        alpha = before["y"].mean() - beta * before["m"].mean()
        e = before["y"] - alpha - beta * before["m"]
        agree([event.alpha, event.beta], [alpha, beta], TOL, scale=1.0)
        agree([event.sigma], [np.sqrt((e**2).sum() / (len(e) - 2))], TOL)
        agree(result.ar.loc[event.Index], (y - alpha - beta * m).iloc[at + DAYS], TOL)


def test_a_duplicate_shows_what_it_repeats(result):
    again = result.events[result.events["status"] == "duplicate"]
    assert len(again)
    for event in again.itertuples():
        same = result.events[(result.events["ticker"] == event.ticker) & (result.events["session"] == event.session)]
        agree(result.ar.loc[event.Index], result.ar.loc[same["priority"].idxmin()], 0.0)


def test_benchmark_of_the_other_market(shared, hand):
    """Its last level known at the session's close: Hong Kong's of the same date, New York's of the date before."""
    study = es.Study(
        model=es.model("dimson", leads=1, lags=1),
        benchmark={"XHKG": "^GSPC", "XNYS": "^HSI"},
        sign="expected_sign",
        tests="cross_section",
    )
    found = study.run(es.catalogue("china-tech"), es.read_prices(Path(shared) / "data" / "prices"))
    used = found.events[found.events["status"] == "ok"]
    assert set(used["ticker"].str.endswith(".HK")) == {True, False}
    level = {
        "XNYS": hand.closes["XHKG"]["^HSI"].dropna().reindex(hand.closes["XNYS"].index, method="ffill"),
        "XHKG": hand.closes["XNYS"]["^GSPC"]
        .dropna()
        .shift(freq="D")
        .reindex(hand.closes["XHKG"].index, method="ffill"),
    }
    for event in used.itertuples():
        own = str(hand.exchange(event.ticker))
        price = hand.closes[own][event.ticker]
        m = level[own] / level[own].shift(1) - 1
        table = pd.DataFrame(
            {"y": price / price.shift(1) - 1, "one": 1.0, "lag": m.shift(1), "m": m, "lead": m.shift(-1)}
        )
        at = table.index.get_loc(event.session)
        before = table.iloc[at + SPAN[at + SPAN >= 0]].dropna().to_numpy()
        b = np.linalg.lstsq(before[:, 1:], before[:, 0], rcond=None)[0]
        name = str(event.Index)
        ours = found.events.loc[name, ["alpha", "beta_lag1", "beta", "beta_lead1"]].to_numpy(dtype=np.float64)
        agree(ours, b, TOL, scale=1.0)
        during = table.iloc[at + DAYS].to_numpy()
        agree(found.ar.loc[name].to_numpy(), during[:, 0] - during[:, 1:] @ b, TOL)
