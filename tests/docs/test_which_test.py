"""What the page "Which test when" says and recommends is what the measurement shows."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from eventstudy import _registry
from eventstudy.study import DEFAULT_TESTS

DOCS = Path(__file__).parents[2] / "docs"
_spec = importlib.util.spec_from_file_location("size_table", DOCS / "_ext" / "size_table.py")
size_table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(size_table)
MEASURED = size_table.read()
CELLS = MEASURED["cells"]
DAY, WINDOW = (0, 0), (-5, 5)
PAGE = (DOCS / "which_test.md").read_text(encoding="utf-8")
TESTS = _registry.names("inference", plugins=False)
ADDITIVE = "kolari_pynnonen(variance='additive')"  # as a study on one date names it
BOOTSTRAP = "skewness_adjusted(bootstrap=True)"


def cell(scenario, test, window=WINDOW):
    return CELLS[scenario, test, window]


def made(rate, lower, upper, n=1000, power=None):
    return {"scenario": "a", "rate": rate, "lower": lower, "upper": upper, "n": n, "power": power}


@pytest.mark.thorough
def test_the_table_in_the_page_is_that_of_the_measurement():
    [shown] = size_table.MAIN.findall(PAGE)
    assert shown == size_table.main_table(MEASURED) + "\n", "run python docs/_ext/size_table.py"
    for test in [*(test for kind in DEFAULT_TESTS.values() for test in kind), ADDITIVE]:
        assert f"`{test}`" in shown
    numbers = re.findall(r"\d+\.\d", shown)
    assert len(numbers) > 300


OFFERED = {
    (name, window): size_table.primary(MEASURED, name, window)
    for name, record in MEASURED["scenarios"].items()
    if record["section"] in size_table.OF_SAMPLES
    for window in size_table.windows(CELLS, name)
}


def test_every_primary_test_keeps_its_size_where_it_is_offered():
    assert len(OFFERED) > 130
    offered = {at: found for at, found in OFFERED.items() if not found.not_offered}
    assert len(offered) > 0.9 * len(OFFERED)
    wrong = [(*at, found.test, found.cell["rate"]) for at, found in offered.items() if size_table.outside(found.cell)]
    assert wrong == []


@pytest.mark.thorough
def test_what_is_not_offered_is_said_with_its_reason():
    not_offered = {at: found for at, found in OFFERED.items() if found.not_offered}
    one_date = {at for at, found in not_offered.items() if found.test}
    assert {name for name, _ in one_date} == {"one_date_common", "one_date_own", "one_date_industries_own"}
    assert all("does not hold here" in not_offered[at].not_offered for at in not_offered.keys() - one_date)
    for (name, window), found in not_offered.items():
        shown = size_table.shown_primary(found)
        assert shown.startswith("not offered: ")
        assert shown in size_table.primaries(MEASURED), (name, window)
    label = "60 events on one date, four times the variance of the common part"
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| {label} |")]
    assert "not offered: one date cannot tell a common shock from an effect" in line


def test_the_primary_test_changes_with_what_is_seen_of_a_sample():
    seen = {
        ("independent_8", DAY): "bmp",
        ("independent_8_exponential", DAY): "generalized_sign",
        ("independent_8_exponential", WINDOW): "bmp",
        ("days_5_common", WINDOW): "two_way",
        ("dates_5_common", WINDOW): "clustered",
        ("two_exchanges", DAY): "ibragimov_muller",
        ("two_exchanges_linked", DAY): "clustered",
        ("one_date", DAY): "kolari_pynnonen",
    }
    assert {at: OFFERED[at].test for at in seen} == seen


def test_the_page_shows_every_part_that_is_generated():
    parts = re.findall(r"generated/sizes_(\w+)\.txt", PAGE)
    assert sorted(parts) == sorted(["advice", "primary", "settings", "slopes", *size_table.sections(MEASURED)])
    shown = "".join(size_table.section(MEASURED, names) for names in size_table.sections(MEASURED).values())
    for name in MEASURED["scenarios"]:
        assert f"- `{name}`: " in shown


def test_regressions_and_comparisons_hold_where_methods_for_independent_firms_do_not():
    rows = {(row["sample"], row["method"]): row for row in MEASURED["slopes"]["rows"]}
    ours = {at: row for at, row in rows.items() if "HC1" not in at[1] and at[1].startswith(("regress", "compare"))}
    assert len(ours) >= 5
    shown = size_table.slopes(MEASURED)
    for (sample, method), row in rows.items():
        assert f"| {sample} | `{method}` | {size_table.rate(row)} |" in shown
        if (sample, method) in ours:
            assert row["lower"] <= 0.065, (sample, method)
        else:
            assert row["lower"] > 0.08, (sample, method)
    few = {row["rate"] for (sample, method), row in ours.items() if sample.startswith("3 dates")}
    assert max(few) < 0.035


def test_scenarios_of_the_advice_are_measured():
    assert {name for names in size_table.ADVICE.values() for name in names} <= set(MEASURED["scenarios"])
    assert set(size_table.SHOWN) <= set(MEASURED["scenarios"])


def test_every_test_is_measured_or_said_not_to_be():
    singles = {scenario for scenario, record in MEASURED["scenarios"].items() if record["section"] == "one"}
    measured = {test for scenario, test, _ in CELLS if scenario not in singles}  # a new test may not be measured yet
    assert (
        {*(test for kind in DEFAULT_TESTS.values() for test in kind), ADDITIVE}
        <= measured
        <= {*TESTS, ADDITIVE, BOOTSTRAP}
    )
    always = {test for test in measured & set(TESTS) if len(_registry.load("inference", test).value_under) == 3}
    always -= {"placebo"}
    assert len(always) > 10
    for name in ("independent", "one_date", "days_5", "hong_kong_50"):
        assert always <= {test for scenario, test, _ in CELLS if scenario == name}
    without = {**MEASURED, "cells": {key: c for key, c in CELLS.items() if key[1] != "bmp"}}
    text = size_table.section(without, ["independent"])
    assert re.search(r"`bmp`.*: not measured yet\.$", text)
    assert not re.search(r"`bmp`.*not measured", size_table.section(MEASURED, ["independent"]))


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (made(0.05, 0.04, 0.06), "5.0\u00a0✓ (4.0–6.0)"),
        (made(0.067, 0.05, 0.08), "6.7 (5.0–8.0)"),  # neither right nor wrong: the interval reaches into the band
        (made(0.03, 0.02, 0.04), "3.0 (2.0–4.0)"),
        (made(0.09, 0.07, 0.11), "**9.0** (7.0–11.0)"),
        (made(0.01, 0.0, 0.02), "*1.0* (0.0–2.0)"),
        (made(None, None, None, 0), "–"),
        (None, "–"),
    ],
)
def test_a_rate_is_called_right_or_wrong_with_its_interval(rate, text):
    assert size_table.rate(rate) == text


def test_power_stands_below_the_rate():
    shown = size_table.rate_and_power(made(0.05, 0.04, 0.06, power=[0.104, 0.5, 1.0]))
    assert shown == "5.0\u00a0✓ (4.0–6.0)<br>10 · 50 · 100"


def test_a_test_is_recommended_only_if_no_interval_and_no_mean_is_outside_the_band_and_it_has_values():
    n = {"a": {"replications": 1000}}
    right, high, wrong = made(0.05, 0.04, 0.06), made(0.067, 0.055, 0.08), made(0.09, 0.07, 0.11)
    assert size_table.keeps_size([right, high], n)
    assert not size_table.keeps_size([high, high], n)
    assert not size_table.keeps_size([right, right, right, wrong], n)
    assert not size_table.keeps_size([right, made(0.05, 0.01, 0.15, 60)], n)
    assert not size_table.keeps_size([right, None], n)


def test_recommended_tests_keep_their_size_and_have_a_value():
    shown = size_table.advice(MEASURED)
    rows = [line for line in shown.splitlines()[2:] if "| none |" not in line]
    assert len(rows) >= 6
    for sample, scenarios in size_table.ADVICE.items():
        [line] = [line for line in shown.splitlines() if line.startswith(f"| {sample} |")]
        for test in re.findall(r"\[`(\w+)`\]", line):
            of_test = [c for (scenario, name, _), c in CELLS.items() if name == test and scenario in scenarios]
            assert len(of_test) >= len(scenarios)
            for found in of_test:
                assert found["lower"] <= 0.065, (sample, test, found)
                assert found["upper"] >= 0.035, (sample, test, found)


def test_replications_are_enough_to_tell():
    for scenario, record in MEASURED["scenarios"].items():
        if record["noise"] == "normal" and record["section"] in ("apart", "dates", "one date"):
            assert record["replications"] >= 1000, scenario


def test_tests_that_the_page_says_are_fooled_by_variance_are_and_the_others_are_not():
    [named] = re.findall(r"variance from the estimation window alone \((.*?)\)", PAGE, re.DOTALL)
    fooled = set(re.findall(r"`(\w+)`", named))
    for test in {test for _, test, _ in CELLS} & set(TESTS) - {"placebo"}:
        found = cell("one_date_all" if test == "mvrm" else "independent_own", test)
        assert (found["lower"] > 0.065) == (test in fooled), test
    for window in (DAY, WINDOW):
        assert cell("one_date_all", "corrado", window)["lower"] > 0.065


def test_words_on_shared_days_agree_with_the_measurement():
    for test in ("cross_section", "bmp", "wilcoxon"):
        for window in (DAY, WINDOW):
            assert 0.3 < cell("one_date", test, window)["rate"] < 0.55
    for test in ("corrado", "corrado_zivney", "grank_t", "sign_gsar"):
        for scenario in ("days_5", "days_20"):
            assert cell(scenario, test)["lower"] > 0.065
    for window in (DAY, WINDOW):
        for test in ("kolari_pynnonen", "calendar_time", "adjusted_patell", "brown_warner"):
            assert cell("dates_5_common", test, window)["lower"] > 0.065
        for test in ("kolari_pynnonen", "grank_t"):
            assert cell("one_date_own", test, window)["upper"] < 0.035
        for (scenario, test, at), found in CELLS.items():
            if (scenario, at) == ("one_date_common", window) and found["n"]:
                assert found["lower"] > 0.065, test


def test_clustered_holds_where_a_shock_is_common_and_the_others_do_not():
    for window in (DAY, WINDOW):
        for scenario in ("dates_3_common", "dates_5_common", "dates_uneven_common"):
            assert size_table.holds(cell(scenario, "clustered", window))
            assert cell(scenario, "kolari_pynnonen", window)["lower"] > 0.1


def test_words_on_few_events_and_long_windows_agree_with_the_measurement():
    for window in (DAY, WINDOW):
        assert cell("independent_8", "skewness_adjusted", window)["lower"] > 0.065
        assert cell("independent_8", "sign", window)["upper"] < 0.05
        for test in ("cross_section", "bmp", "wilcoxon", "sign"):
            for n in (3, 5, 8):
                assert cell(f"independent_{n}", test, window)["lower"] < 0.055
    assert cell("one_event", "p")["rate"] == pytest.approx(0.05, abs=0.003)
    assert cell("one_event", "p_sq")["lower"] > 0.065
    for test in ("patell", "adjusted_patell", "brown_warner"):
        for scenario in ("long_apart", "long_one_date"):
            assert cell(scenario, test, (0, 249))["lower"] > 0.2, "without the shared error of the parameters"
