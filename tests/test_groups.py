"""Groups of events: a group's numbers are those of a study of its events alone, whatever stands in the column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.run.groups import group_codes

DAYS = pd.bdate_range("2019-01-01", "2022-12-30")
TESTS = ["cross_section", "bmp", "corrado", "grank_t", "kolari_pynnonen", "calendar_time", "generalized_sign"]
STUDY = {"benchmark": "IDX", "tests": TESTS, "event": (-5, 5), "windows": [(0, 0), (-1, 1)]}


def prices() -> es.Prices:
    draw = np.random.default_rng(5)
    market = draw.normal(0, 0.01, len(DAYS))
    frame = {"IDX": 100 * np.exp(np.cumsum(market))}
    for k in range(4):
        frame[f"T{k}"] = 50 * np.exp(np.cumsum(0.8 * market + draw.normal(0, 0.02, len(DAYS))))
    return es.Prices.from_frame(pd.DataFrame(frame, index=DAYS))


def events(values: list[object], n: int = 24) -> pd.DataFrame:
    """Events of four tickers on six dates, with the values of a column ``g`` in turn."""
    return pd.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(n)],
            "ticker": [f"T{i % 4}" for i in range(n)],
            "announced": [str(DAYS[300 + 7 * (i // 4)].date()) for i in range(n)],
            "g": pd.Series([values[i % len(values)] for i in range(n)], dtype=object),
        }
    )


def of_group(result: es.Result, group: str) -> pd.DataFrame:
    tests = result.tests[result.tests["group"] == group]
    return tests.drop(columns=["group", "note"]).reset_index(drop=True)


def alone(frame: pd.DataFrame) -> pd.DataFrame:
    return of_group(es.Study(**STUDY).run(es.Events.from_frame(frame.drop(columns="g")), prices()), "all")


@pytest.mark.thorough
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", "  ", pd.NaT])
def test_an_event_without_a_group_is_in_no_group_and_is_counted(missing: object) -> None:
    frame = events([missing, "a", "b", "a", "b"])
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(frame), prices())
    assert list(dict.fromkeys(result.tests["group"])) == ["all", "a", "b"]
    for group in ("a", "b"):
        expected = alone(frame[frame["g"].eq(group).fillna(False).astype(bool)])
        assert np.isfinite(expected["p"]).all()
        pd.testing.assert_frame_equal(of_group(result, group), expected, rtol=1e-9)
    n = int(sum(value not in ("a", "b") for value in frame["g"].map(str)))
    assert n == 5
    row = result.attrition[result.attrition["reason"] == "ok, but without a 'g'"]
    assert row["n"].tolist() == [n]


def test_a_group_of_which_no_event_could_be_used_is_named() -> None:
    frame = events(["a", "b"])
    frame.loc[frame["g"] == "b", "ticker"] = "NONE"
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(frame), prices())
    assert set(result.tests["group"]) == {"all", "a"}
    assert any("no event of the groups 'b' of 'g' could be used" in note for note in result.provenance["notes"])


def test_without_any_usable_group_only_the_sample_is_tested() -> None:
    frame = events(["a", None])
    frame.loc[frame["g"] == "a", "ticker"] = "NONE"
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(frame), prices())
    assert set(result.tests["group"]) == {"all"}


@pytest.mark.thorough
def test_a_listing_in_two_groups_counts_in_each() -> None:
    frame = events(["a", "b"])
    again = frame[frame["g"] == "a"].head(8).assign(g="c")
    again["event_id"] = again["event_id"] + "c"
    twice = pd.concat([frame, again], ignore_index=True)
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(twice), prices())
    assert (result.events["status"] == "duplicate").sum() == 8
    for group in ("a", "b", "c"):
        expected = alone(twice[twice["g"] == group])
        assert np.isfinite(expected["p"][expected["test"] != "grank_t"]).all()  # which needs 8 events
        pd.testing.assert_frame_equal(of_group(result, group), expected, rtol=1e-9)
    assert of_group(result, "all")["n"].max() == 24
    note = "8 events are listed in several groups of 'g' and count in each: e0 in 'a', 'c'"
    assert note in result.provenance["notes"]


@pytest.mark.thorough
def test_a_listing_twice_in_one_group_counts_once() -> None:
    frame = events(["a", "b"])
    again = frame[frame["g"] == "a"].head(6)
    twice = pd.concat([frame, again.assign(event_id=again["event_id"] + "x")], ignore_index=True)
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(twice), prices())
    pd.testing.assert_frame_equal(of_group(result, "a"), alone(frame[frame["g"] == "a"]), rtol=1e-9)


def test_groups_keep_masked_days_and_peers_of_their_events() -> None:
    """A duplicate in another group takes its masked estimation days along."""
    frame = events(["a", "b"])
    again = frame[frame["g"] == "a"].assign(g="c")
    twice = pd.concat([frame, again.assign(event_id=again["event_id"] + "c")], ignore_index=True)
    study = es.Study(**STUDY, group="g", contaminated="mask", min_estimation=60)
    result = study.run(es.Events.from_frame(twice), prices())
    assert (result.events["n_contaminated"] > 0).any()
    pd.testing.assert_frame_equal(of_group(result, "a"), of_group(result, "c"))


@pytest.mark.parametrize("pair", [(1, "1"), (True, "True"), (1.5, "1.5")])
def test_values_of_two_types_with_one_text_are_refused(pair: tuple[object, object]) -> None:
    frame = es.Events.from_frame(events([*pair, "x"]))
    with pytest.raises(es.InputError, match="mixed types and with the same text"):
        es.Study(**STUDY, group="g").run(frame, prices())


@pytest.mark.parametrize(
    ("values", "codes", "labels"),
    [
        ([1, 1.0, np.int64(1)], [0, 0, 0], ["1"]),
        ([True, 1, "x"], [0, 1, 2], ["True", "1", "x"]),
        ([np.nan, 2, None, 3], [-1, 0, -1, 1], ["2", "3"]),
        ([1.0, np.nan, 2.0], [0, -1, 1], ["1", "2"]),
        ([1.5, np.nan, 2.0], [0, -1, 1], ["1.5", "2.0"]),
        ([1e300, 1.0], [0, 1], ["1e+300", "1.0"]),
        (["a", " a ", "b", "\ud800"], [0, 0, 1, 2], ["a", "b", "\ud800"]),
    ],
)
def test_equal_numbers_are_one_group_and_a_truth_value_is_no_number(
    values: list[object], codes: list[int], labels: list[str]
) -> None:
    found, names, notes = group_codes(pd.Series(values, dtype=object, name="g"))
    assert (found.tolist(), names, notes) == (codes, labels, ())


@pytest.mark.parametrize("dtype", ["float64", "Int64", "object"])
def test_whole_numbers_beside_a_gap_are_printed_whole(dtype: Any) -> None:
    frame = events([1, None, 2])
    frame["g"] = pd.Series(frame["g"].tolist(), frame.index, dtype=dtype)
    made = es.Events.from_frame(frame)
    result = es.Study(**STUDY, group="g").run(made, prices())
    assert list(dict.fromkeys(result.tests["group"])) == ["all", "1", "2"]
    with pytest.warns(es.EventStudyWarning, match="8 without 'g'"):
        pair = result.compare("g")
    assert [str(value) for value in pair[["first", "second"]].iloc[0]] == ["1", "2"]


@pytest.mark.thorough
def test_blanks_are_no_difference_between_groups_and_case_is_one_that_is_said() -> None:
    frame = events(["tech", "tech ", "Tech", "b c", "bc"], 40)
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(frame), prices())
    assert list(dict.fromkeys(result.tests["group"])) == ["all", "tech", "Tech", "b c", "bc"]
    expected = alone(frame[frame["g"].str.strip() == "tech"])
    assert np.isfinite(expected["p"]).all()
    pd.testing.assert_frame_equal(of_group(result, "tech"), expected, rtol=1e-9)
    said = "the groups 'tech' and 'Tech' of 'g' differ only by case or blanks"
    for words in (said, "the groups 'b c' and 'bc' of 'g'"):
        assert any(words in note for note in result.provenance["notes"])
    with pytest.warns(es.EventStudyWarning, match=said):
        table = result.compare("g")
    assert set(table["first"]) | set(table["second"]) == {"tech", "Tech", "b c", "bc"}
    assert table.loc[(table["first"] == "Tech") & (table["second"] == "tech"), "n2"].tolist() == [16]


@pytest.mark.parametrize("text", ["nan", "NaN", "<NA>", "NaT"])
def test_the_text_of_a_missing_value_is_no_group_and_is_said(text: str) -> None:
    result = es.Study(**STUDY, group="g").run(es.Events.from_frame(events([text, "a", "b"])), prices())
    assert list(dict.fromkeys(result.tests["group"])) == ["all", "a", "b"]
    assert any(f"8 events have the text '{text}' in 'g'" in note for note in result.provenance["notes"])
    assert result.attrition.loc[result.attrition["reason"] == "ok, but without a 'g'", "n"].tolist() == [8]
    with pytest.warns(es.EventStudyWarning) as seen:
        assert result.compare("g")[["n1", "n2"]].to_numpy().tolist() == [[8, 8]]
    assert any("8 without 'g'" in str(one.message) for one in seen)


@pytest.mark.parametrize("text", ["None", "NA", "n/a", "null"])
def test_a_text_that_may_be_a_name_or_a_missing_value_is_a_group_and_is_said(text: str) -> None:
    codes, labels, notes = group_codes(pd.Series([text, "a", text], name="g"))
    assert (codes.tolist(), labels) == ([0, 1, 0], [text, "a"])
    assert notes == (f"'{text}' is a group of 'g'; leave the cells empty if it stands for a missing value",)


def test_a_categorical_column_with_a_missing_value_is_grouped() -> None:
    codes, labels, _ = group_codes(pd.Series(pd.Categorical(["b", None, "a"], categories=["a", "b", "c"]), name="g"))
    assert (codes.tolist(), labels) == ([0, -1, 1], ["b", "a"])


@pytest.mark.parametrize(("values", "match"), [([None], "has no value"), ([[1]], "lists"), (["all", "a"], "'all'")])
def test_columns_that_are_no_groups_are_refused(values: list[object], match: str) -> None:
    with pytest.raises(es.InputError, match=match):
        group_codes(pd.Series(values * 2, dtype=object, name="g"))


@pytest.mark.thorough
def test_romano_wolf_takes_the_groups_of_the_study() -> None:
    frame = events(["a", None, "b"])
    study = es.Study(**{**STUDY, "tests": ["cross_section"]}, group="g")
    adjusted = study.run(es.Events.from_frame(frame), prices()).adjust("romano_wolf", draws=99)
    p = adjusted.set_index(["group", "start"])["p_adjusted"]
    assert np.isfinite(p).all()
    assert set(adjusted["group"]) == {"all", "a", "b"}


def test_a_group_of_one_cluster_says_so() -> None:
    """Dates 7 sessions apart: windows of 11 days overlap in one chain, those of one day do not."""
    frame = events(["many"])
    frame.loc[20:, "g"] = "one date"
    frame.loc[3, "g"] = "one event"
    study = es.Study(**{**STUDY, "windows": [(0, 0), (-5, 5)]}, group="g")
    result = study.run(es.Events.from_frame(frame), prices())
    notes = result.tests.groupby(["group", "start"])["note"].agg(set)
    first = {key: {note.split(";")[0] for note in texts} for key, texts in notes.items()}
    assert (
        first["one date", 0]
        == first["one date", -5]
        == {"1 cluster: its 4 events share one date, and a common shock cannot be told from an effect"}
    )
    assert first["one event", 0] == {"1 cluster: the group has one event"}
    assert first["many", -5] == {"1 cluster: the windows of its 19 events on 5 dates overlap in one chain"}
    assert not any("cluster:" in note for key in (("many", 0), ("all", 0), ("all", -5)) for note in notes[key])


def test_without_groups_there_are_no_averages_by_group() -> None:
    result = es.Study(**STUDY).run(es.Events.from_frame(events(["a"])), prices())
    assert result.by_group.empty
    assert list(result.by_group.columns) == ["group", "day", "n", "aar", "caar", "se", "lower", "upper"]
