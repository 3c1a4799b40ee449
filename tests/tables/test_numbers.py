"""The numbers of each table are those of the frames, or of NumPy and statsmodels."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eventstudy.display import formats
from eventstudy.errors import InputError
from tests.tables.material import TESTS, WINDOWS, study, table_of


def shown(value: float, digits: int = 2) -> str:
    """Give a number as a table shows it, by Python's own rounding."""
    return f"{value:.{digits}f}".replace("-", "−")


def test_attrition_goes_from_all_events_to_those_used() -> None:
    events, frame = study().events, table_of("attrition").frame
    counts = events["status"].value_counts()
    assert frame["n"].iloc[0] == len(events)
    assert frame["left"].iloc[0] == len(events)
    dropped = frame.iloc[1 : len(counts)]
    assert sorted(dropped["n"]) == sorted(counts.drop("ok"))
    assert dropped["left"].tolist() == (len(events) - dropped["n"].cumsum()).tolist()
    used = frame.iloc[len(counts)]
    assert (used["step"], used["n"], used["left"]) == ("events used", counts["ok"], counts["ok"])
    assert dropped["left"].iloc[-1] == counts["ok"]
    unsigned = (events.loc[events["status"] == "ok", "expected_sign"].astype(float) == 0).sum()
    assert dict(zip(frame["step"], frame["n"], strict=True))["without a sign"] == unsigned > 0


def signed_cars(window: tuple[int, int]) -> pd.DataFrame:
    """Give the used events with a sign, and their CARs times the sign."""
    result = study()
    events = result.events[result.events["status"] == "ok"]
    sign = events["expected_sign"].astype(float)
    car = {
        event_id: float(result.ar.loc[event_id, window[0] : window[1]].sum(skipna=False)) for event_id in events.index
    }
    frame = events.assign(car=pd.Series(car) * sign)
    return frame[(sign != 0) & frame["car"].notna()]


@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_the_sample_is_described_as_numpy_describes_it(window: tuple[int, int]) -> None:
    frame = study().table("sample", window=window).frame
    cars = signed_cars(window)
    parts = {
        ("all", "all"): cars,
        ("year", "2021"): cars[cars["session"].dt.year == 2021],
        ("sector", "EV"): cars[cars["sector"] == "EV"],
        ("exchange", "XHKG"): cars[cars["ticker"].str.endswith(".HK")],
    }
    rows = {(row["by"], row["value"]): row for row in frame.to_dict("records")}
    for key, part in parts.items():
        values = part["car"].to_numpy()
        row = rows[key]
        assert row["n"] == len(values) > 10
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert row["median"] == pytest.approx(np.median(values), rel=1e-12)
        assert row["positive"] == pytest.approx((values > 0).mean(), rel=1e-12)
        quantiles = [row[name] for name in ("q05", "q25", "q75", "q95")]
        np.testing.assert_allclose(quantiles, np.quantile(values, [0.05, 0.25, 0.75, 0.95]), rtol=1e-12)
    for by in ("year", "exchange"):
        assert frame.loc[frame["by"] == by, "n"].sum() == len(cars)
    tests = formats.primary(study().tests)
    of_groups = tests[(tests["group"] != "all") & (tests["start"] == window[0]) & (tests["end"] == window[1])]
    sectors = frame[frame["by"] == "sector"].set_index("value")
    assert sectors["n"].to_dict() == of_groups.set_index("group")["n"].to_dict()  # one event is listed in two
    assert sectors["n"].sum() == len(cars) + 1
    by_actor = study().table("sample", by=["actor"]).frame
    assert set(by_actor["by"]) == {"all", "actor"}


def test_aars_are_those_of_daily_and_their_tests_those_of_windows_of_one_day() -> None:
    result, frame = study(), table_of("aar").frame.set_index("day")
    pd.testing.assert_series_equal(frame["aar"], result.daily["aar"], check_names=False)
    pd.testing.assert_series_equal(frame["caar"], result.daily["caar"], check_names=False)
    assert frame["n"].tolist() == result.daily["n"].tolist()
    for day in (-3, 0, 4):
        values = signed_cars((day, day))["car"].to_numpy()
        assert frame.loc[day, "median"] == pytest.approx(np.median(values), rel=1e-12)
        assert frame.loc[day, "positive"] == pytest.approx((values > 0).mean(), rel=1e-12)
    on_day_0 = result.tests[
        (result.tests["group"] == "all") & (result.tests["start"] == 0) & (result.tests["end"] == 0)
    ]
    for row in on_day_0.to_dict("records"):
        assert frame.loc[0, f"{row['test']}_statistic"] == pytest.approx(row["statistic"], rel=1e-12)
        assert frame.loc[0, f"{row['test']}_p"] == pytest.approx(row["p"], rel=1e-9)


def test_without_the_study_aars_have_no_tests_and_say_so() -> None:
    table = replace(study(), rerun=None).table("aar")
    assert list(table.frame) == ["day", "n", "aar", "caar"]
    assert table.notes[0].startswith("Tests by day need the study")


def test_without_the_study_parts_and_differences_are_left_out_and_a_note_says_so() -> None:
    result = replace(study(), rerun=None)
    for kind, what in (("sample", "Parts by groups and by exchange"), ("groups", "Differences of groups")):
        note = f"{what} need the study with its data: they are left out of a result that was read from a file."
        assert note in result.table(kind).notes
        assert note not in table_of(kind).notes
    assert set(result.table("sample").frame["by"]) == {"all", "year"}


@pytest.mark.parametrize("brackets", ["se", "t", "p"])
def test_caars_stand_with_every_test_and_what_is_in_brackets(brackets: str) -> None:
    result, table = study(), study().table("caar", brackets=brackets)
    tests = result.tests[result.tests["group"] == "all"]
    assert len(table.rows) == 2 * len(WINDOWS)
    for at, (start, end) in enumerate(WINDOWS):
        own = tests[(tests["start"] == start) & (tests["end"] == end)].set_index("test")
        first = own.iloc[0]
        above, below = ([cell.text for cell in row] for row in table.rows[2 * at : 2 * at + 2])
        assert above[:2] == [formats.window(start, end), str(first["n"])]
        assert above[2] == shown(100 * first["effect"]) + formats.stars(first["p"])
        inside = {
            "se": shown(100 * first["se"]), "t": shown(first["effect"] / first["se"]), "p": formats.p_value(first["p"]),
        }[brackets]  # fmt: skip
        assert below[2] == f"({inside})"
        for k, name in enumerate(TESTS, start=4):
            row = own.loc[name]
            mark = formats.stars(row["p"]) if row["valid"] else "†"
            assert above[k] == shown(row["statistic"]) + mark
            assert below[k] == f"({formats.p_value(row['p'])})"
        for column in ("n", "effect", "se", "median", "positive"):
            assert table.frame.loc[at, column] == first[column]


@pytest.mark.thorough
def test_stars_are_those_of_their_levels_and_can_be_left_out() -> None:
    assert [formats.stars(p) for p in (0.0, 0.0099, 0.01, 0.0499, 0.05, 0.0999, 0.1, 1.0)] == [
        "***", "***", "**", "**", "*", "*", "", "",
    ]  # fmt: skip
    assert [level for level, _ in formats.STAR_LEVELS] == [0.01, 0.05, 0.10]
    for kind in ("aar", "caar", "groups", "events"):
        plain = study().table(kind, stars=False)
        assert [cell for row in plain.rows for cell in row if "*" in cell.mark] == []
        assert not any("Stars: " in note for note in plain.notes)
        assert any(note.startswith("Stars: *** p < 0.01, ** p < 0.05, * p < 0.10") for note in table_of(kind).notes)


def test_notes_name_the_primary_test_and_what_does_not_hold() -> None:
    notes = table_of("caar").notes
    assert "Stars of the mean: the primary test, which is the first that holds: Kolari-Pynnönen." in notes
    assert "† does not hold for this sample, and has no stars." in notes
    [patell] = (note for note in notes if note.startswith("Patell: "))
    assert patell.endswith("(−1, 1), (0, 5), (−5, 5): does not hold here: it assumes that no two windows share a day.")
    assert any(note.startswith("Dependence: ") and "share days" in note for note in notes)


def test_groups_have_the_effects_of_tests_and_the_differences_of_compare() -> None:
    result, frame = study(), table_of("groups").frame
    of_groups = frame[frame["test"] != "compare"].set_index(["group", "start", "end"])
    for row in formats.primary(result.tests).to_dict("records"):
        found = of_groups.loc[(row["group"], row["start"], row["end"])]
        assert (found["n"], found["effect"], found["p"]) == (row["n"], row["effect"], row["p"])
    pairs = frame[frame["test"] == "compare"]
    assert len(pairs) == 3 * len(WINDOWS)
    wanted = result.compare("sector", (-1, 1)).to_dict("records")
    in_window = pairs[(pairs["start"] == -1) & (pairs["end"] == 1)].to_dict("records")
    for mine, its in zip(in_window, wanted, strict=True):
        assert mine["group"] == f"{its['first']} − {its['second']}"
        assert (mine["effect"], mine["p"], mine["n"]) == (its["difference"], its["p"], its["n1"] + its["n2"])
        assert mine["effect"] / mine["se"] == pytest.approx(its["t"], rel=1e-12)


def test_a_study_without_groups_has_no_table_of_them() -> None:
    tests = study().tests
    with pytest.raises(InputError, match=r"the study has no groups; name a column .* Study\(group='sector'\)"):
        replace(study(), tests=tests[tests["group"] == "all"]).table("groups")


def test_regressions_are_those_of_statsmodels() -> None:
    import statsmodels.formula.api as smf

    cars = signed_cars((0, 0))
    frame = table_of("regressions").frame
    for head, formula in (("(1)", "car ~ C(sector)"), ("(2)", "car ~ beta")):
        fit = smf.ols(formula, cars).fit()
        own = frame[frame["column"] == head].set_index("term")
        assert sorted(own.index) == sorted(fit.params.index)
        np.testing.assert_allclose(own["coefficient"].reindex(fit.params.index), fit.params, rtol=1e-8)
        assert own["n"].unique().tolist() == [fit.nobs]
        assert own["r2"].iloc[0] == pytest.approx(fit.rsquared, rel=1e-8)
    mine = study().regress("car ~ beta")
    own = frame[frame["column"] == "(2)"].set_index("term")
    np.testing.assert_array_equal(own["se"], mine.bse)
    np.testing.assert_array_equal(own["p"], mine.pvalues)
    given = study().table("regressions", of={"size": mine})
    assert [column.head for column in given.columns] == ["", "size"]
    assert [row[0].text for row in given.rows] == ["beta", "", "Constant", "", "N", "R²", "Standard errors"]
    assert given.rows[0][1].text == shown(mine.params["beta"], 4) + formats.stars(mine.pvalues["beta"])
    assert given.rows[1][1].text == f"({shown(mine.bse['beta'], 4)})"


@pytest.mark.parametrize(
    ("options", "says"),
    [({}, "give either of="), ({"of": {}, "formulas": []}, "give either of="),
     ({"formulas": "car ~ beta"}, "give a list"),
     ({"of": [1]}, "give results of regress by name"), ({"formulas": ["car ~ nothing"]}, "nothing")],
)  # fmt: skip
def test_regressions_that_cannot_be_made_are_errors(options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        study().table("regressions", **options)


@pytest.mark.thorough
def test_models_have_the_effects_of_the_study_with_each_of_them() -> None:
    frame = table_of("models").frame
    assert frame["model"].unique().tolist() == ["market", "market_adjusted", "mean"]
    own = formats.primary(study().tests[study().tests["group"] == "all"])
    market = frame[frame["model"] == "market"]
    np.testing.assert_allclose(market["effect"], own["effect"], rtol=1e-12)
    np.testing.assert_allclose(market["se"], own["se"], rtol=1e-12)
    adjusted = study().across(["market_adjusted"]).results["market_adjusted"].effects
    np.testing.assert_allclose(frame[frame["model"] == "market_adjusted"]["effect"], adjusted["effect"], rtol=1e-12)
    with pytest.raises(InputError, match="give names as in"):
        study().table("models", of="market")


def test_events_have_the_cars_of_the_result_with_the_first_p() -> None:
    result, table = study(), table_of("events")
    cars = result.cars.set_index(["event_id", "start", "end"])
    used = result.events[result.events["status"] == "ok"]
    assert [row[0].text for row in table.rows] == list(used.index)
    for row in table.frame.to_dict("records"):
        its = cars.loc[(row["event_id"], row["start"], row["end"])]
        name = "p_sq" if row["end"] - row["start"] < 3 else "p_conformal"
        assert row["p_name"] == name
        np.testing.assert_array_equal([row["car"], row["p"]], [its["car"], its[name]])
    heads = [(column.span, column.head) for column in table.columns[3:5]]
    assert heads == [("(0, 0)", "CAR (%)"), ("(0, 0)", "p SQ")]
