"""The same panel through every door gives the same results to the last bit; what is beside it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import eventstudy as es

NAMES = ("^GSPC", "AAPL", "MSFT", "IBM")


def panel() -> pd.DataFrame:
    """Return closes of four tickers on the sessions of New York, with a gap."""
    from eventstudy.markets import sessions_between

    rng = np.random.default_rng(7)
    index = pd.DatetimeIndex(sessions_between("XNYS", "2020-01-02", "2021-12-31"), name="Date").as_unit("s")
    market = rng.normal(0, 0.01, len(index))
    returns = {name: market + (name != "^GSPC") * rng.normal(0, 0.01, len(index)) for name in NAMES}
    closes = pd.DataFrame({name: 100 * np.cumprod(1 + r) for name, r in returns.items()}, index=index)
    closes.loc["2021-03-03":"2021-03-04", "IBM"] = np.nan
    return closes.round(4)  # a workbook keeps 15 digits


PANEL = panel()
LONG = PANEL.reset_index().melt("Date", var_name="ticker", value_name="close").dropna()
LONG = LONG.rename(columns={"Date": "date"}).sample(frac=1, random_state=2)


def folder(path: Path, order: int = 1) -> es.Prices:
    path.mkdir()
    for name in NAMES[::order]:
        PANEL[[name]].dropna().rename(columns={name: "Close"}).to_csv(path / f"{name}.csv")
    return es.read_prices(path)


def workbooks(path: Path) -> es.Prices:
    path.mkdir()
    for name in NAMES:
        PANEL[[name]].rename(columns={name: "Close"}).to_excel(path / f"{name}.xlsx")
    return es.read_prices(path)


def long_csv(path: Path) -> es.Prices:
    LONG.to_csv(path.with_suffix(".csv"), index=False)
    return es.read_prices(path.with_suffix(".csv"))


def long_parquet(path: Path) -> es.Prices:
    LONG.to_parquet(path.with_suffix(".parquet"), index=False)
    return es.read_prices(path.with_suffix(".parquet"))


def dataset(path: Path) -> es.Prices:
    LONG.to_parquet(path.with_suffix(".parquet"), index=False)
    return es.fetch_prices(None, None, None, source="parquet", path=path.with_suffix(".parquet"))


def database(path: Path) -> es.Prices:
    with duckdb.connect(str(path.with_suffix(".duckdb"))) as connection:
        connection.execute("CREATE TABLE prices AS SELECT * FROM LONG")
    return es.fetch_prices(None, None, None, source="duckdb", path=path.with_suffix(".duckdb"), table="prices")


def store(path: Path) -> es.Prices:
    es.write_prices(es.Prices.from_frame(PANEL, "XNYS"), path)
    return es.read_prices(path)


DOORS: dict[str, Callable[[Path], es.Prices]] = {
    "folder": folder,
    "folder, written in another order": lambda path: folder(path, -1),
    "folder of workbooks": workbooks,
    "long CSV": long_csv,
    "long Parquet": long_parquet,
    "data set": dataset,
    "DuckDB": database,
    "store": store,
    "wide": lambda _: es.Prices.from_frame(PANEL, "XNYS"),
    "wide, columns in another order": lambda _: es.Prices.from_frame(PANEL[list(NAMES[::-1])], "XNYS"),
    "long frame": lambda _: es.Prices.from_frame(LONG, "XNYS"),
    "polars": lambda _: es.Prices.from_frame(pl.from_pandas(PANEL.reset_index()), "XNYS"),
    "source frame": lambda _: es.fetch_prices(None, None, None, source="frame", frame=PANEL, exchange="XNYS"),
}
EVENTS = pd.DataFrame(
    {
        "event_id": ["a", "b", "c"],
        "ticker": ["AAPL", "MSFT", "IBM"],
        "announced": ["2021-03-03T15:00-05:00", "2021-06-01T20:00-04:00", "2021-03-08"],
    }
)
STUDY = es.Study(benchmark="^GSPC", event=(-5, 5), min_coverage=0.5)


def results(prices: es.Prices) -> es.Result:
    return STUDY.run(es.Events.from_frame(EVENTS), prices)


@pytest.fixture(scope="module")
def wanted() -> es.Result:
    """Return the result from the wide frame, which other tests hold to oracles."""
    return results(DOORS["wide"](Path()))


@pytest.mark.parametrize("door", DOORS)
def test_the_same_panel_gives_the_same_result_through_every_door(door: str, tmp_path: Path, wanted: es.Result) -> None:
    found = results(DOORS[door](tmp_path / "prices"))
    assert np.isfinite(found.cars["car"]).any()
    for frame in ("events", "ar", "cars", "daily", "tests"):
        pd.testing.assert_frame_equal(getattr(found, frame), getattr(wanted, frame), check_exact=True)


def _crypto() -> pd.Series:
    days = pd.date_range(PANEL.index[0], PANEL.index[-1])
    return pd.Series(100 * np.cumprod(1 + np.random.default_rng(1).normal(0, 0.03, len(days))), days)


BESIDE: dict[str, pd.Series] = {
    "ETH-USD": _crypto(),
    "BTC-USD": _crypto(),
    "HKD=X": _crypto() * 0 + 7.8,
    "9988.HK": _crypto()[lambda s: s.index.day_of_week < 5],
    "PADDED": PANEL["AAPL"].asfreq("B").ffill(),  # a vendor that repeats the last price on holidays
}


@pytest.mark.thorough
@pytest.mark.parametrize("ticker", BESIDE)
def test_a_ticker_that_is_not_studied_changes_nothing(ticker: str, tmp_path: Path, wanted: es.Result) -> None:
    folder(tmp_path / "prices")
    BESIDE[ticker].rename("Close").rename_axis("Date").to_csv(tmp_path / "prices" / f"{ticker}.csv")
    found = results(es.read_prices(tmp_path / "prices"))
    for frame in ("events", "ar", "cars", "daily", "tests"):
        pd.testing.assert_frame_equal(getattr(found, frame), getattr(wanted, frame), check_exact=True)


def test_writing_to_the_input_after_the_call_changes_nothing(wanted: es.Result) -> None:
    closes, events = PANEL.copy(), EVENTS.copy()
    prices, read = es.Prices.from_frame(closes, "XNYS"), es.Events.from_frame(events)
    closes.iloc[:, :] = 1.0
    events.loc[:, "announced"] = "1999-01-04"
    found = STUDY.run(read, prices)
    pd.testing.assert_frame_equal(found.cars, wanted.cars, check_exact=True)
