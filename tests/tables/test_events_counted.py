"""Which events a number counts: the same in every table of a study, or a note says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.tables import _shared
from eventstudy.tables.regressions import printed

DAYS = pd.bdate_range("2019-01-01", "2022-12-30")
STUDY: dict[str, Any] = {
    "benchmark": "IDX",
    "event": (-5, 5),
    "windows": [(0, 0), (-1, 1)],
    "tests": ["bmp", "corrado"],
}


def prices() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    market = draw.normal(0, 0.01, len(DAYS))
    frame = {"IDX": 100 * np.exp(np.cumsum(market))}
    for k in range(4):
        frame[f"T{k}"] = 50 * np.exp(np.cumsum(0.8 * market + draw.normal(0, 0.02, len(DAYS))))
    return pd.DataFrame(frame, index=DAYS)


def events(n: int = 24) -> pd.DataFrame:
    """Events of four tickers on six dates, in the groups a and b."""
    return pd.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(n)],
            "ticker": [f"T{i % 4}" for i in range(n)],
            "announced": [str(DAYS[300 + 40 * (i // 4)].date()) for i in range(n)],
            "g": [["a", "b"][i % 2] for i in range(n)],
            "way": [[1, -1, -1][i % 3] for i in range(n)],
        }
    )


def run(frame: pd.DataFrame, of: pd.DataFrame | None = None, **choices: Any) -> es.Result:
    data = es.Prices.from_frame(prices() if of is None else of)
    return es.Study(**{**STUDY, **choices}).run(es.Events.from_frame(frame), data)


def in_two_groups() -> pd.DataFrame:
    """Give the events, the first eight of group a also in a group c, with another sign."""
    frame = events()
    again = frame[frame["g"] == "a"].head(8)
    again = again.assign(g="c", way=-again["way"], event_id=again["event_id"] + "c")
    return pd.concat([frame, again], ignore_index=True)


def test_tests_by_day_have_the_events_of_the_averages_by_day() -> None:
    suspended = prices()
    suspended.loc[DAYS[300], "T1"] = np.nan
    result = run(events(), suspended)
    assert result.events.loc["e1", "status"] == "suspended"
    frame = result.table("aar").frame.set_index("day")
    ar = result.ar.drop(index="e1", errors="ignore")
    assert len(ar) == 23
    np.testing.assert_allclose(frame["aar"], ar.mean(), rtol=1e-12)
    np.testing.assert_allclose(frame["median"], ar.median(), rtol=1e-12)
    np.testing.assert_allclose(frame["positive"], (ar > 0).mean(), rtol=1e-12)
    on_day_0 = result.tests[(result.tests["start"] == 0) & (result.tests["test"] == "bmp")].iloc[0]
    assert frame.loc[0, "bmp_statistic"] == pytest.approx(on_day_0["statistic"], rel=1e-12)


@pytest.mark.parametrize("sign", [None, "way"])
def test_the_sample_counts_an_event_in_the_groups_that_list_it_as_tests_do(sign: str | None) -> None:
    result = run(in_two_groups(), group="g", sign=sign)
    table = result.table("sample", window=(-1, 1))
    parts = table.frame[table.frame["by"] == "g"].set_index("value")
    tests = result.tests[(result.tests["start"] == -1) & (result.tests["test"] == "bmp")].set_index("group")
    assert parts["n"].to_dict() == {"a": 12, "b": 12, "c": 8}
    for group, row in parts.iterrows():
        of_group: Any = tests.loc[str(group)]
        assert (row["n"], row["positive"]) == (of_group["n"], of_group["positive"])
        np.testing.assert_allclose(row[["mean", "median"]].astype(float), of_group[["effect", "median"]].astype(float))
    assert table.frame["n"].iloc[0] == 24
    assert "8 events listed in several parts, counted in each." in table.notes
    assert not any("several parts" in note for note in run(events(), group="g").table("sample").notes)


def test_prices_without_an_exchange_are_no_part_of_the_sample() -> None:
    frame = run(events()).table("sample").frame
    assert frame["by"].unique().tolist() == ["all", "year"]


def test_differences_that_count_other_events_than_the_means_say_so() -> None:
    note = "A mean counts an event in each group that lists it; a difference counts it once"
    assert any(text.startswith(note) for text in run(in_two_groups(), group="g").table("groups").notes)
    assert not any(text.startswith(note) for text in run(events(), group="g").table("groups").notes)


@pytest.mark.parametrize("windows", [[(0, 0)], [(-2, 2), (0, 3)], [(0, 0), (-1, 1), (0, 5)]])
def test_models_over_other_windows_have_a_cell_for_each(windows: list[tuple[int, int]]) -> None:
    result = run(events())
    specifications = result.across(["market", "mean"], windows=windows)
    table = result.table("models", of=specifications)
    assert all(len(row) == len(table.columns) == 1 + 2 * len(windows) for row in table.rows)
    for at, label in enumerate(("market", "mean")):
        effects = specifications.results[label].effects
        assert [table.rows[2 * at][k].value for k in range(2, 1 + 2 * len(windows), 2)] == effects["effect"].tolist()


@pytest.mark.parametrize(
    ("term", "name"),
    [("C(k)[T.x:y]", "k: x:y"), ("size:C(k)[T.x:y]", "size × k: x:y"), ("Q('a:b'):size", "a:b × size"),
     ("C(a)[T.p]:C(b)[T.q]", "a: p × b: q")],
)  # fmt: skip
def test_a_colon_in_a_label_does_not_part_a_term(term: str, name: str) -> None:
    assert printed(term) == name


def test_regressions_of_another_series_are_not_of_returns() -> None:
    frame = prices()
    long = frame.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
    long["volume"] = 1000.0 * np.exp(np.random.default_rng(1).normal(0, 0.3, len(long)))
    choices = {**STUDY, "model": "mean", "outcome": "volume", "benchmark": None}
    result = es.Study(**choices).run(es.Events.from_frame(events()), es.Prices.from_frame(long))
    table = result.table("regressions", formulas=["car ~ way"])
    assert table.title == "Regressions of the CAV (0, 0) across events"
    assert not any("returns" in note for note in table.notes)
    assert (
        "Coefficients are of returns as decimals." in run(events()).table("regressions", formulas=["car ~ way"]).notes
    )


def test_a_primary_test_of_another_sign_than_the_mean_is_named() -> None:
    rows = [("bmp", 1.2, -0.01, "", (0, 0)), ("patell", 9.0, -0.01, "", (0, 0)), ("bmp", 1.2, 0.01, "", (-1, 1)),
            ("mvrm", 3.0, -0.01, "F(5, 234)", (0, 5)), ("bmp", np.nan, 0.01, "", (0, 9))]  # fmt: skip
    tests = pd.DataFrame(rows, columns=["test", "statistic", "effect", "note", "window"])
    assert _shared.other_sign(tests, [str(window) for window in tests["window"]]) == [
        "BMP has another sign than the mean in (0, 0): it weighs the events otherwise than the plain mean."
    ]
