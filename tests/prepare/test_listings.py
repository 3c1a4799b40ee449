"""One firm on two exchanges, from prices to result: which events are linked, and what the tests make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.core.draws import draw_samples
from eventstudy.run.rerun import StudyRun
from eventstudy.run.sample import StudyData
from eventstudy.types import Placed

WINDOWS: dict[str, Any] = {"model": "mean", "windows": ((0, 0), (-1, 1)), "event": (-2, 2), "min_estimation": 100}
ANNOUNCED = ["2021-03-10", "2021-06-09", "2021-09-14", "2021-11-17", "2022-02-16", "2022-05-18"]


@pytest.fixture(scope="module")
def real(shared: Path) -> es.Prices:
    tickers = ["9988.HK", "BABA", "9618.HK", "JD", "0700.HK"]
    return es.fetch_prices(tickers, "2019-01-01", "2022-12-30", source="folder", path=shared / "data" / "prices")


def after_the_close(ticker: str = "9988.HK;BABA", **columns: Any) -> es.Events:
    """News after Hong Kong's close and before New York's: home reacts a session later."""
    frame = {"ticker": [ticker] * len(ANNOUNCED), "announced": [f"{day} 20:00+08:00" for day in ANNOUNCED], **columns}
    return es.Events.from_frame(pd.DataFrame(frame))


def prepared(given: es.Events, prices: es.Prices, **choices: Any) -> Any:
    return StudyRun(es.Study(**{**WINDOWS, **choices}), StudyData(given, prices)).sample(full_history=True)


def test_two_listings_of_one_announcement_fall_on_two_sessions_and_are_linked(real: es.Prices) -> None:
    given = after_the_close()
    made = es.Study(**WINDOWS, tests="default").run(given, real)
    assert (made.events["status"] == "ok").all()
    sessions = made.events["session"].to_numpy().reshape(-1, 2)
    assert (sessions[:, 0] > sessions[:, 1]).all(), "New York is the first to move"
    its = prepared(given, real)
    assert len(its.sample.links) == len(ANNOUNCED)
    dates = its.sample.cluster_dates
    for first, second in its.sample.links:
        assert 1 <= abs(dates[first, 252] - dates[second, 252]) <= 3
    assert made.tests["test"].unique().tolist() == ["clustered", "two_way", "wild_bootstrap", "kolari_pynnonen"]
    primary = made.tests.loc[made.tests["test"] == "clustered", "note"]
    assert primary.str.startswith("primary: it allows for events that share days or news").all()
    chains = made.tests.loc[made.tests["test"] == "wild_bootstrap", "note"]
    assert chains.str.startswith(f"{len(ANNOUNCED)} clusters").all(), "each announcement is one chain"
    assert made.provenance["clustering"]["n_linked"] == len(ANNOUNCED)


@pytest.mark.thorough
def test_one_day_windows_share_no_day_and_are_linked_all_the_same(real: es.Prices) -> None:
    choices = {**WINDOWS, "event": (0, 0), "windows": ((0, 0),), "estimation": (-250, -11), "tests": "default"}
    made = es.Study(**choices).run(after_the_close(), real)
    assert f"{len(ANNOUNCED)} pairs of dates report the same news on two exchanges" in made.tests["note"].iloc[0]
    assert made.tests["test"].tolist() == ["clustered", "two_way", "wild_bootstrap", "kolari_pynnonen"]
    # The mean correlation behind the test, by hand: residuals of both listings at the distance of their sessions.
    its = prepared(after_the_close(), real, event=(0, 0), windows=((0, 0),), estimation=(-250, -11))
    placed = its.placed
    total: list[float] = []
    union = np.unique(np.concatenate([p.sessions for p in its.panels]))
    for k in range(len(ANNOUNCED)):
        series = []
        for e in (2 * k, 2 * k + 1):
            panel, day = its.panels[placed.panel[e]], placed.day[e]
            at = slice(day - 250, day - 10)
            r = np.where(panel.ok[placed.asset[e], at], panel.r[placed.asset[e], at], np.nan)
            own = np.searchsorted(union, panel.sessions)
            series.append(pd.Series((r - np.nanmean(r)) / np.nanstd(r), own[at] - own[day]))
        both = pd.concat(series, axis=1, join="inner").dropna()
        total.append(2 * (both[0] * both[1]).mean())
    n = 2 * len(ANNOUNCED)
    kept = made.tests[made.tests["test"] == "kolari_pynnonen"].iloc[0]
    bmp = es.Study(**{**choices, "tests": ["bmp"]}).run(after_the_close(), real).tests.iloc[0]
    mean = sum(total) / (n * (n - 1))
    assert 0.2 < sum(total) / n < 1.0
    wanted = bmp["statistic"] * np.sqrt((1 - mean) / (1 + (n - 1) * mean))
    np.testing.assert_allclose(kept["statistic"], wanted, rtol=1e-9)


def test_a_column_names_the_firm_where_rows_are_apart(real: es.Prices) -> None:
    one, two = ({"ticker": t, "announced": [f"{d} 20:00+08:00" for d in ANNOUNCED]} for t in ("9988.HK", "BABA"))
    frame = pd.concat([pd.DataFrame(one), pd.DataFrame(two)], ignore_index=True)
    frame["event_id"] = [f"E{i}" for i in range(len(frame))]
    assert len(prepared(es.Events.from_frame(frame), real).sample.links) == 0
    named = es.Events.from_frame(frame.assign(firm="alibaba"))
    assert len(prepared(named, real).sample.links) == len(ANNOUNCED)
    blank = es.Events.from_frame(frame.assign(firm=""))
    assert len(prepared(blank, real).sample.links) == 0


def test_two_news_of_one_listing_are_two_news_however_near(real: es.Prices) -> None:
    frame = pd.DataFrame({"ticker": "BABA", "announced": ["2021-06-09", "2021-06-11", "2021-09-14"], "firm": "alibaba"})
    its = prepared(es.Events.from_frame(frame), real)
    assert its.placed.link is None
    assert len(its.sample.links) == 0


def test_drawn_dates_move_both_listings_together(real: es.Prices) -> None:
    its = prepared(after_the_close(), real)
    union = np.unique(np.concatenate([p.sessions for p in its.panels]))

    def dates(placed: Placed) -> np.ndarray:
        each = zip(placed.panel, placed.day, strict=True)
        return np.array([np.searchsorted(union, its.panels[p].sessions[d]) for p, d in each])

    own = dates(its.placed).reshape(-1, 2)
    for one in draw_samples(its.panels, its.placed, its.sample, 10, 1):
        date = dates(one.placed).reshape(10, -1, 2)
        moved = np.abs((date[..., 0] - date[..., 1]) - (own[:, 0] - own[:, 1]))
        assert (moved <= 2).all(), "a holiday of one exchange moves it by the days that it is closed"
        assert (moved == 0).mean() > 0.8
        assert len(np.unique(date[:, 0, 0])) > 3
