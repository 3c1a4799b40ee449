"""``Result.dates``: possible sessions by hand; each placement against a study whose events have exact times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection

import eventstudy as es
from eventstudy.errors import InputError
from eventstudy.types import Analysis

TICKERS = ("0700.HK", "9988.HK", "3690.HK", "BABA")
CHOICES: dict[str, Any] = {
    "benchmark": {"XHKG": "^HSI", "XNYS": "^GSPC"},
    "event": (-2, 3), "windows": ((0, 0), (0, 1)), "tests": ("bmp", "clustered"),
}  # fmt: skip
ROWS = [  # event, ticker, announced, phase, not_before, not_after, possible sessions by hand
    ("TIME", "0700.HK", "2021-07-13T10:00+08:00", None, None, None, ["2021-07-13"]),
    ("PHASE", "9988.HK", "2021-07-14", "after_close", None, None, ["2021-07-15"]),
    ("DATE", "0700.HK", "2021-08-10", None, None, None, ["2021-08-10", "2021-08-11"]),
    ("FRIDAY", "3690.HK", "2021-08-20", None, None, None, ["2021-08-20", "2021-08-23"]),
    ("SATURDAY", "9988.HK", "2021-08-28", None, None, None, ["2021-08-30"]),
    ("NARROW", "0700.HK", "2021-09-07", None, "2021-09-07T17:00+08:00", "2021-09-08T08:00+08:00", ["2021-09-08"]),
    ("TO_THE_CLOSE", "3690.HK", "2021-09-14T11:00+08:00", None, "2021-09-14T10:00+08:00", "2021-09-14T16:00+08:00",
     ["2021-09-14"]),
    ("WIDE", "BABA", "2021-10-05", None, "2021-10-04T12:00-04:00", "2021-10-07T18:00-04:00",
     ["2021-10-04", "2021-10-05", "2021-10-06", "2021-10-07", "2021-10-08"]),
    ("TIMED", "9988.HK", "2021-11-12T18:00+08:00", None, "2021-11-12T15:00+08:00", "2021-11-12T19:00+08:00",
     ["2021-11-12", "2021-11-15"]),
]  # fmt: skip
POSSIBLE = {row[0]: row[-1] for row in ROWS}
UNSURE = [name for name, sessions in POSSIBLE.items() if len(sessions) > 1]


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    return es.fetch_prices([*TICKERS, "^HSI", "^GSPC"], "2020-06-01", "2022-06-30", source="simulated", seed=4)


def events() -> es.Events:
    names = ["event_id", "ticker", "announced", "phase", "not_before", "not_after"]
    return es.Events.from_frame(pd.DataFrame([row[:-1] for row in ROWS], columns=names))


@pytest.fixture(scope="module")
def result(prices: es.Prices) -> es.Result:
    return es.Study(**CHOICES).run(events(), prices)


def placed_on(sessions: dict[str, str], prices: es.Prices, **choices: Any) -> es.Result:
    """Run the study with every event announced at noon of a session of its exchange."""
    zone = {"BABA": "T12:00-04:00"}
    rows = [(name, t, sessions.get(name, p[0]) + zone.get(t, "T12:00+08:00")) for name, t, *_, p in ROWS]
    frame = pd.DataFrame(rows, columns=["event_id", "ticker", "announced"])
    return es.Study(**{**CHOICES, **choices}).run(es.Events.from_frame(frame), prices)


def test_the_possible_sessions_are_those_found_by_hand(result: es.Result) -> None:
    record = result.dates()
    assert isinstance(record, Analysis)
    by_event = record.frame.groupby("event_id", sort=False)["session"].agg(list)
    assert {name: [f"{day:%Y-%m-%d}" for day in days] for name, days in by_event.items()} == {
        name: POSSIBLE[name] for name in UNSURE
    }
    assert record.frame.groupby("event_id")["placed"].sum().eq(1).all()
    friday = record.frame[record.frame["event_id"] == "FRIDAY"].iloc[0]
    assert friday["until"] == pd.Timestamp("2021-08-20T16:00+08:00")


def test_each_placement_is_that_of_a_study_with_exact_times(result: es.Result, prices: es.Prices) -> None:
    record = result.dates(window=(0, 1))
    for k in range(5):
        sessions = {name: days[min(k, len(days) - 1)] for name, days in POSSIBLE.items()}
        expected = placed_on(sessions, prices)
        cars = expected.cars[expected.cars["end"] == 1].set_index("event_id")
        for name in UNSURE:
            if k < len(POSSIBLE[name]):
                row = record.frame[record.frame["event_id"] == name].iloc[k]
                assert row["car"] == pytest.approx(cars.loc[name, "car"], abs=1e-14)
                assert row["p"] == pytest.approx(cars.loc[name, "p_sq"], abs=1e-14)
    first = {name: days[0] for name, days in POSSIBLE.items()}
    for placement, at in (("earliest", first), ("latest", {name: days[-1] for name, days in POSSIBLE.items()})):
        tests = placed_on(at, prices).tests
        expected_row = tests[tests["end"] == 1].iloc[0]
        (placed,) = record.sample[record.sample["placement"] == placement].to_dict("records")
        for name in ("effect", "se", "p"):
            assert placed[name] == pytest.approx(expected_row[name], rel=1e-12)


def test_extremes_bound_the_mean_and_the_widest_window_begins_first(result: es.Result, prices: es.Prices) -> None:
    record = result.dates()
    by_event = record.frame.groupby("event_id")["car"]
    sure = result.cars[(result.cars["end"] == 0) & ~result.cars["event_id"].isin(UNSURE)]["car"].sum()
    sample = dict(zip(record.sample["placement"], record.sample["effect"], strict=True))
    assert sample["lowest"] == pytest.approx((sure + by_event.min().sum()) / len(ROWS), abs=1e-14)
    assert sample["highest"] == pytest.approx((sure + by_event.max().sum()) / len(ROWS), abs=1e-14)
    assert sample["lowest"] <= min(sample[name] for name in ("as placed", "earliest", "latest"))
    first = placed_on({}, prices, event=(-5, 5), windows=((0, 4), (0, 1), (-5, -1))).cars.set_index(["event_id", "end"])
    for name, end in (("WIDE", 4), ("DATE", 1), ("TIMED", 1)):
        assert record.events.loc[name, "wide"] == pytest.approx(first.loc[(name, end), "car"], abs=1e-14)
        assert record.events.loc[name, "before"] == pytest.approx(first.loc[(name, -1), "car"], abs=1e-14)


def test_the_close_at_which_significance_changes(result: es.Result) -> None:
    record = result.dates()
    for name, rows in record.frame.groupby("event_id"):
        significant = (rows["p"] < 0.05).to_numpy()
        changes = np.flatnonzero(significant[:-1] != significant[1:])
        expected = rows["until"].iloc[changes[0]] if len(changes) else pd.NaT
        flips = record.events.loc[name, "flips_at"]
        assert flips is expected or flips == expected
        assert record.events.loc[name, "significance_depends"] == (len(changes) > 0)


def test_signs_turn_the_extremes_and_nothing_else(prices: es.Prices) -> None:
    frame = events().frame.assign(expected_sign=[-1, 1, -1, -1, 1, 1, -1, -1, 1])
    signed = es.Study(**CHOICES, sign="expected_sign").run(es.Events.from_frame(frame), prices).dates()
    by_event = signed.frame.merge(frame["expected_sign"], left_on="event_id", right_index=True)
    value = by_event["car"] * by_event["expected_sign"]
    sure = signed.sample.set_index("placement")["effect"]
    lowest, highest = (value.groupby(by_event["event_id"]).agg(f).sum() for f in ("min", "max"))
    assert sure["highest"] - sure["lowest"] == pytest.approx((highest - lowest) / len(ROWS), abs=1e-14)


def test_a_study_without_unsure_events_says_so(prices: es.Prices) -> None:
    record = placed_on({}, prices).dates()
    assert record.frame.empty
    assert record.events.empty
    assert record.answer() == "Of 9 events none allows more than one session; nothing depends on a date."
    assert record.sample["placement"].tolist() == ["as placed"]
    assert record.plot().get_title(loc="left") == "Possible sessions of the announcements"


def test_the_figure_has_a_mark_for_each_possible_session_and_a_line_over_their_range(result: es.Result) -> None:
    record = result.dates()
    axes = record.plot()
    names = [label.get_text() for label in axes.get_yticklabels()]
    width = record.frame.groupby("event_id")["car"].agg(np.ptp)
    assert set(names) == set(UNSURE)
    assert width[names].is_monotonic_decreasing
    collections = axes.collections
    lines = [line for part in collections if isinstance(part, LineCollection) for line in part.get_segments()]
    assert {int(line[0, 1]): (line[:, 0].min(), line[:, 0].max()) for line in lines} == {
        k: (rows["car"].min(), rows["car"].max())
        for k, rows in ((names.index(str(name)), rows) for name, rows in record.frame.groupby("event_id"))
    }
    drawn = set()
    for part in collections:
        if isinstance(part, PathCollection) and len(part.get_offsets()):
            square, filled = len(part.get_paths()[0].vertices) == 5, tuple(part.get_facecolor()[0][:3]) != (1, 1, 1)
            drawn |= {(names[int(y)], float(x), square, filled) for x, y in np.asarray(part.get_offsets()).tolist()}
    wanted = zip(*(record.frame[name] for name in ("event_id", "car", "placed", "p")), strict=True)
    assert drawn == {(name, car, placed, p < 0.05) for name, car, placed, p in wanted}
    few = record.plot(most=2)
    assert [label.get_text() for label in few.get_yticklabels()] == names[:2]
    with pytest.raises(InputError, match="most"):
        record.plot(most=0)


def test_what_is_not_valid_is_refused(result: es.Result) -> None:
    with pytest.raises(InputError, match="window"):
        result.dates(window=(0, 9))
    with pytest.raises(InputError, match="ends before day 0"):
        result.dates(before=(-1, 0))
    with pytest.raises(InputError, match="estimation window"):
        result.dates(before=(-40, -1))
