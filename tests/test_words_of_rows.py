"""What a study of bars or months says of its sample is of bars or months, not of days."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es

DAYS = re.compile(r"\bdays?\b")


def daily() -> es.Prices:
    rng = np.random.default_rng(5)
    dates = pd.bdate_range("2005-01-03", "2020-12-31")
    levels = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal((len(dates), 3)), axis=0)
    return es.Prices.from_frame(pd.DataFrame(levels, dates, ["AAA", "BBB", "IDX"]))


def half_hours() -> es.Prices:
    rng = np.random.default_rng(5)
    clock = pd.date_range("01:30", "07:30", freq="30min").time
    sessions = es.markets.sessions_between("XHKG", "2021-01-04", "2021-03-31")
    starts = pd.DatetimeIndex(
        [pd.Timestamp.combine(pd.Timestamp(day).date(), at) for day in sessions for at in clock if not 4 <= at.hour < 5]
    ).tz_localize("UTC")
    levels = 100.0 * np.cumprod(1.0 + 0.001 * rng.standard_normal((len(starts), 3)), axis=0)
    return es.Prices.from_frame(pd.DataFrame(levels, starts, ["AAA", "BBB", "IDX"]), "XHKG")


def study(kind: str) -> es.Result:
    """Two events of each of two securities."""
    prices = es.transform.monthly(daily()) if kind == "month" else half_hours()
    at = ["2015-03-10", "2017-08-08"] if kind == "month" else ["2021-02-18T05:40Z", "2021-03-10T06:10Z"]
    frame = pd.DataFrame({"ticker": ["AAA", "AAA", "BBB", "BBB"], "announced": at * 2})
    choices = es.Study(
        benchmark="IDX", estimation=(-60, -5), min_estimation=40, event=(-2, 2), windows=((0, 1),), tests=("bmp",),
    )  # fmt: skip
    return choices.run(es.Events.from_frame(frame), prices)


@pytest.mark.parametrize("kind", ["bar", "month"])
def test_the_diagnosis_speaks_of_the_rows_of_the_study(kind: str):
    result = study(kind)
    assert (result.events["status"] == "ok").all()
    texts = result.diagnose()[["value", "breaks", "survives", "remedy"]].to_numpy().ravel().tolist()
    assert not [text for text in texts if DAYS.search(text)]
    assert any(f"2 {kind}s in the longest window, 56 in the estimation window" in text for text in texts)
    panels = result.plot("diagnostics")
    words = " ".join(f"{ax.get_title(loc='left')} {ax.get_xlabel()}" for ax in panels)
    plt.close("all")
    assert not DAYS.search(words)
    assert f"Correlation of a {kind} with the next" in words
