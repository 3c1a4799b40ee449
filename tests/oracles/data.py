"""Helpers of the tests against published numbers: comparisons of arrays, and events and results in their format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

import eventstudy as es

Floats = NDArray[np.float64]
Window = tuple[int, int]


def agree(ours: ArrayLike, theirs: ArrayLike, tol: float, scale: float | None = None) -> None:
    """Assert that two arrays have one shape, the same missing values, no infinite ones, and agree.

    ``tol`` is relative to ``scale``, which is the largest absolute value of ``theirs`` by default.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    assert a.shape == b.shape, f"shapes differ: {a.shape} and {b.shape}"
    assert a.size, "there is nothing to compare"
    assert not np.isinf(a).any(), "ours has infinite values"
    assert not np.isinf(b).any(), "theirs has infinite values"
    missing = np.isnan(b)
    assert (np.isnan(a) == missing).all(), (
        f"missing values differ at {np.argwhere(np.isnan(a) != missing)[:5].tolist()}"
    )
    assert not missing.all(), "all values are missing"
    size = np.nanmax(np.abs(b)) if scale is None else scale
    error = np.where(missing, 0.0, np.abs(a - b))
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    assert error[worst] <= tol * size, (
        f"at {[int(i) for i in worst]}: {a[worst]!r} and {b[worst]!r}, {error[worst]:.3g} apart"
    )


def agree_as_printed(ours: ArrayLike, theirs: ArrayLike, digits: int) -> None:
    """Assert that ours, rounded to the number of decimals that theirs are printed with, equals theirs."""
    agree(ours, theirs, 0.5 * 10.0**-digits * (1.0 + 1e-9), scale=1.0)


def events(tickers: Iterable[str], dates: Iterable[str]) -> es.Events:
    """Build one event per ticker and ISO date, in this order."""
    return es.Events.from_frame(pd.DataFrame({"ticker": list(tickers), "announced": list(dates)}))


def levels(returns: pd.DataFrame, first: str) -> pd.DataFrame:
    """Cumulate simple returns by date to levels that start from 1 on an earlier date ``first``."""
    start = pd.DataFrame(1.0, index=pd.DatetimeIndex([first]), columns=returns.columns)
    return pd.concat([start, (1.0 + returns).cumprod()])


def days_and_sums(first: int, last: int) -> list[Window]:
    """Return the windows of one day each, then the windows that begin on the first day."""
    return [(d, d) for d in range(first, last + 1)] + [(first, d) for d in range(first + 1, last + 1)]


def column(result: es.Result, test: str, windows: Sequence[Window], name: str = "statistic") -> Floats:
    """Return a column of the table of tests for one test, window by window."""
    table = result.tests[result.tests["test"] == test].set_index(["start", "end"])[name]
    return np.array([table[window] for window in windows], dtype=np.float64)


def per_event(result: es.Result, name: str, windows: Sequence[Window]) -> Floats:
    """Return a column of the table of CARs as an array, events by windows."""
    table = result.cars.set_index(["start", "end"])[name]
    return np.stack([table.loc[[window]].to_numpy(dtype=np.float64) for window in windows], axis=1)


def by_day(result: es.Result, test: str, days: Iterable[int], name: str = "statistic") -> Floats:
    """Return a column of the table of tests for the windows of one day."""
    return column(result, test, [(d, d) for d in days], name)


def cumulated(result: es.Result, test: str, days: Sequence[int], name: str = "statistic") -> Floats:
    """Return a column of the table of tests for the windows from the first of ``days`` to each."""
    return column(result, test, [(days[0], d) for d in days], name)


def read(folder: Path, name: str, **options: object) -> pd.DataFrame:
    """Read one CSV file of an oracle."""
    frame: pd.DataFrame = pd.read_csv(folder / name, **options)  # type: ignore[call-overload]
    return frame
