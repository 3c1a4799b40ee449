"""Rows of weeks and months dated by their first day measure news one row late: the study warns of them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

LATE = "news is measured a {} late"


def run(dates: pd.DatetimeIndex, exchange: str | None = None) -> list[str]:
    """Run a study on prices of these dates, and return what it warns of."""
    rng = np.random.default_rng(1)
    levels = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal((len(dates), 2)), axis=0)
    prices = es.Prices.from_frame(pd.DataFrame(levels, dates, ["AAA", "IDX"]), exchange)
    day = dates[60] + pd.Timedelta(days=1 if len(dates) < 300 else 0)
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["AAA"], "announced": [str(day.date())]}))
    study = es.Study(benchmark="IDX", estimation=(-40, -2), min_estimation=20, event=(-1, 3), windows=((0, 0),))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = study.run(events, prices)
    found = [str(each.message) for each in caught]
    assert all(text in result.provenance["notes"] for text in found if "late" in text)
    return found


@pytest.mark.parametrize(
    ("freq", "row"), [("W-MON", "week"), ("MS", "month"), ("QS", "quarter")],
)  # fmt: skip
def test_rows_dated_by_their_first_day_are_told(freq: str, row: str):
    texts = [text for text in run(pd.date_range("2000-01-01", periods=120, freq=freq)) if "late" in text]
    assert len(texts) == 1
    assert LATE.format(row) in texts[0]


@pytest.mark.parametrize("freq", ["W-FRI", "W-SUN", "ME", "BME", "QE", "B", "D"])
def test_rows_dated_by_their_last_day_and_days_are_not(freq: str):
    assert not any("late" in text for text in run(pd.date_range("2000-01-01", periods=400, freq=freq)))


def test_mondays_of_an_exchange_are_told_though_some_are_holidays():
    assert any(
        LATE.format("week") in text for text in run(pd.date_range("2015-01-05", periods=200, freq="W-MON"), "XNYS")
    )
