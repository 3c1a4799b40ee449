"""A long table for the tests of the price databases: tickers on 2000 dates, in random order."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

DAYS = 2000
MANY = pytest.mark.parametrize("tickers", [20, pytest.param(500, marks=pytest.mark.full)])
FIELDS = ("open", "high", "low", "close", "adjusted", "volume")


@cache
def long_table(tickers: int) -> tuple[pa.Table, dict[str, np.ndarray]]:
    """Return the shuffled table, and the arrays (tickers, days) from which it was built."""
    rng = np.random.default_rng(5)
    names = np.array([f"T{number:03d}" for number in range(tickers)])
    dates = np.datetime64("2015-01-01") + np.arange(DAYS)
    arrays = {name: np.exp(rng.standard_normal((tickers, DAYS))) for name in FIELDS}
    order = rng.permutation(tickers * DAYS)
    table = pa.table(
        {
            "ticker": np.repeat(names, DAYS)[order],
            "date": pa.array(np.tile(dates, tickers)[order]),
            **{name: values.ravel()[order] for name, values in arrays.items()},
            "currency": np.repeat(np.where(np.arange(tickers) % 2, "USD", "HKD"), DAYS)[order],
            "mic": np.repeat(np.where(np.arange(tickers) % 2, "XNYS", "XHKG"), DAYS)[order],
        }
    )
    made = {"names": names, "dates": dates, **arrays}
    for values in made.values():
        values.setflags(write=False)
    return table, made


def holds(prices, arrays):
    """Assert that all values read equal the values written, bit for bit."""
    assert sorted(prices.tickers) == arrays["names"].tolist()
    assert not prices.problems
    for row, ticker in enumerate(arrays["names"]):
        bars = prices.bars[ticker]
        assert bars.dates.dtype == np.dtype("datetime64[D]")
        assert (bars.dates == arrays["dates"]).all()
        assert (bars.currency, bars.mic) == (("USD", "XNYS") if row % 2 else ("HKD", "XHKG"))
        assert set(bars.fields) == set(FIELDS)
        for name in FIELDS:
            assert bars.fields[name].dtype == np.float64
            assert (bars.fields[name] == arrays[name][row]).all()


def as_table(prices):
    """Write prices as a long table, the last row first."""
    parts = []
    for ticker, bars in prices.bars.items():
        size = len(bars.dates)
        labels = {"ticker": [ticker] * size, "currency": [bars.currency] * size, "mic": [bars.mic] * size}
        parts.append(pa.table({"date": pa.array(bars.dates), **labels, **bars.fields}))
    table = pa.concat_tables(parts)
    return table.take(np.arange(len(table))[::-1])
