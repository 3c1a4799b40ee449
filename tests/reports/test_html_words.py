"""The words of the page: the answer is that of the primary test, and says what it does not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.reports import _html_sections, _html_words
from tests.reports.fake import EVENTS, fake, nan_statistics, nothing_given, unusable
from tests.reports.studies import study


def with_first(result, **values):
    """Replace values of the first row of the tests."""
    tests = result.tests.copy()
    for name, value in values.items():
        tests.loc[0, name] = value
    return replace(result, tests=tests)


def with_cars(result, *values):
    """Replace the CARs of the first window of the used events by some values in turn."""
    cars, used = result.cars.copy(), result.events.index[result.events["status"] == "ok"]
    rows = cars.index[cars["event_id"].isin(used) & (cars["start"] == 0) & (cars["end"] == 0)]
    cars.loc[rows, "car"] = np.resize(values, len(rows))
    return replace(result, cars=cars)


@pytest.fixture
def found():
    """Return a result whose first row is -2 % [-3 %, -1 %], p 0.004, while another test has a smaller p."""
    result = with_first(fake(), n=9, effect=-0.02, lower=-0.03, upper=-0.01, p=0.004, valid=True)
    assert result.tests["p"].min() < 0.004
    return with_cars(result, -0.03, -0.02, 0.01)


def test_a_significant_answer_has_effect_interval_test_and_what_it_does_not_show(found):
    assert _html_words.answer(found) == (
        "On the session of the event, the mean cumulative abnormal return (CAR) of 9 events is −2.00 % (95 % interval"
        " −3.00 % to −1.00 %); the primary test (Kolari-Pynnönen) rejects a mean of zero, p 0.004.",
        "It is a mean against the market model: it does not show that every event had this effect (67 % of the single"
        " effects have its sign), nor that the announcements, and no other news of the same days, caused it.",
    )


@pytest.mark.parametrize(("effect", "share"), [(-0.02, "33 %"), (0.02, "22 %")])
def test_an_effect_of_zero_has_no_sign(found, effect, share):
    cars = (-0.03, 0.0, 0.01, -0.02, 0.0, 0.0, 0.0, 0.01, -0.03)  # three below zero, two above
    _, second = _html_words.answer(with_cars(with_first(found, effect=effect), *cars))
    assert f"({share} of the single effects have its sign)" in second


def test_an_answer_without_significance_is_no_evidence_of_no_effect(found):
    result = with_first(found, lower=-0.05, upper=0.01, p=0.3)
    assert result.tests["p"].min() < 0.05  # of another test, and not told
    first, second = _html_words.answer(result)
    assert first.endswith("the primary test (Kolari-Pynnönen) cannot tell it from zero, p 0.300.")
    assert second == (
        "This does not show that there was no effect: mean effects from −5.00 % to +1.00 % fit these data too."
    )


@pytest.mark.parametrize(
    ("values", "side"),
    [({"lower": -0.05, "upper": 0.01, "p": 0.04}, "contains"), ({"p": 0.06}, "does not contain")],
)
def test_the_answer_says_where_interval_and_test_do_not_agree(found, values, side):
    assert f"the interval {side} zero: it rests on the plain mean" in _html_words.answer(with_first(found, **values))[1]
    assert "the interval" not in _html_words.answer(found)[1]


def test_an_answer_of_a_test_that_does_not_hold_is_none(found):
    first, second = _html_words.answer(with_first(found, valid=False, note="does not hold here: it assumes much"))
    assert first.endswith("none of the study's tests holds for this sample, so that whether the mean differs from zero"
                          " is not known.")  # fmt: skip
    assert "rejects" not in first
    assert "0.004" not in first + second
    assert "Kolari-Pynnönen: does not hold here: it assumes much" in second


@pytest.mark.parametrize(("effect", "where"), [(0.02, "in the direction"), (-0.02, "against the direction")])
def test_a_signed_mean_says_whether_its_direction_was_expected(found, effect, where):
    events = found.events.assign(expected=1)
    result = replace(with_first(found, effect=effect), measure=replace(found.measure, sign="expected"), events=events)
    assert f", {where} that was expected; the primary test" in _html_words.answer(result)[0]
    assert "expected" not in " ".join(_html_words.answer(found))


def test_without_a_test_an_event_or_a_result_the_answer_says_so():
    assert "no test of it could be computed (only 1 event has a CAR" in _html_words.answer(nan_statistics())[0]
    for result in (unusable(), nothing_given()):
        assert "could be used: the study has no answer" in _html_words.answer(result)[0]
        assert _html_words.readings(result) == []


def test_one_event_has_its_own_p_and_speaks_for_itself_only():
    result = fake(EVENTS[:1])
    car = result.cars.iloc[0]
    first, second = _html_words.answer(result)
    assert f"of 9988.HK on 2020-11-04 is {result.measure.text(car['car'])}" in first
    assert f"(p {car['p_sq']:.3f})" in first
    assert ("it is not unusual" in first) == (car["p_sq"] >= 0.05)
    assert "says nothing of other events" in second
    assert "95 %" not in first  # the mean of one event has no interval here
    reading = _html_words.readings(result)[0]
    assert reading.endswith(f"Of the event itself, p {car['p_sq']:.3f}; a mean of one event has no test.")
    assert _html_words.effects(result)[0][2] == f"p {car['p_sq']:.3f} (of the event itself)"


@pytest.mark.parametrize(("effect", "where"), [(0.05, "in the direction"), (-0.05, "against the direction")])
def test_one_signed_event_is_said_to_be_signed(effect, where):
    result = with_first(fake(EVENTS[:1]), effect=effect)
    signed = replace(result, measure=replace(result.measure, sign="expected"))
    first = _html_words.answer(signed)[0]
    assert first.startswith("On the session of the event, the signed cumulative abnormal return (CAR) of 9988.HK")
    assert f", {where} that was expected; among the days before" in first
    assert "signed" not in _html_words.answer(result)[0]


@pytest.mark.parametrize(("p", "lower", "otherwise"), [(0.02, -0.01, True), (0.2, -0.01, False), (0.2, 0.01, True)])
def test_one_event_says_where_its_p_and_its_interval_differ(p, lower, otherwise):
    result = with_first(fake(EVENTS[:1]), effect=0.05, lower=lower, upper=0.11)
    first = _html_words.answer(replace(result, cars=result.cars.assign(p_sq=p)))[0]
    assert f"is +5.00 % (95 % interval {100 * lower:+.2f} % to +11.00 %); among".replace("-", "−") in first
    assert ("says otherwise" in first) == otherwise


@pytest.mark.thorough
def test_each_window_is_read_with_its_p_and_the_p_of_all_windows_together(found):
    tests = found.tests.copy()
    primary = tests["test"] == "kolari_pynnonen"
    tests.loc[primary, "p"] = [0.02, 0.03, 0.2]
    tests.loc[primary, "valid"] = True
    tests.loc[tests["test"] == "grank_t", "p"] = [0.01, 0.2, np.nan]
    texts = _html_words.readings(replace(found, tests=tests))
    # Holm: 3 x 0.02; the largest so far and 2 x 0.03; 0.2
    assert [t.split("zero at 5 % (")[1].split(")")[0] for t in texts] == [
        f"p {p:.3f}; {adjusted:.3f} when all windows are tested together"
        for p, adjusted in ((0.02, 0.06), (0.03, 0.06), (0.2, 0.2))
    ]
    assert ["does not reject" in text for text in texts] == [False, False, True]
    assert [text.partition(" Of the other")[2] for text in texts] == [
        " tests that hold (GRANK-T), 1 of 1 rejects.", " tests that hold (GRANK-T), 0 of 1 reject.", "",
    ]  # fmt: skip


@pytest.mark.thorough
def test_a_test_that_does_not_hold_is_named_and_not_counted(found):
    tests = found.tests.assign(valid=found.tests["valid"] & (found.tests["test"] != "grank_t"))
    text = _html_words.readings(replace(found, tests=tests))[0]
    assert text.endswith("Not counted, because their assumptions do not hold here: GRANK-T.")
    assert "Of the other tests" not in text


def test_the_methods_name_what_was_used_and_nothing_else():
    text = " ".join(_html_sections.methods(fake()))
    assert "Market model; the normal return is linear in the benchmark's return of the same day" in text
    assert "are those of sessions −260 to −11, with at least 120 valid sessions." in text
    assert "The benchmark is XHKG: ^HSI, XNYS: ^GSPC." in text
    assert "Kolari-Pynnönen: " in text
    assert "GRANK-T: " in text
    assert not [name for name in ("BMP", "Patell", "expected sign", "logarithmic", "compounded") if name in text]


def test_results_without_a_study_say_how_to_get_what_is_missing():
    assert 'result.table("models"' in _html_sections.robustness(fake())
    assert "result.diagnose()" in _html_sections.diagnosis(fake())


@pytest.mark.thorough
def test_other_models_have_the_numbers_of_across_and_the_checks_those_of_diagnose():
    result = study("return")
    frame = _html_sections.robustness(result).frame
    models = result.across(["market", "market_adjusted", "mean"])
    assert len(frame) == 3 * len(models.windows)
    for row in frame.to_dict("records"):
        effects = models.effects.set_index(["model", "start", "end"]).loc[(row["model"], row["start"], row["end"])]
        for name in ("effect", "lower", "upper"):
            assert row[name] == pytest.approx(effects[name])
    checks = _html_sections.diagnosis(result)
    frame = result.diagnose().set_index("check")
    assert {check.name for check in checks.violated} == set(frame.index[frame["breaks"] != ""])
    assert {name for name, _ in checks.others} == set(frame.index[frame["breaks"] == ""])


def test_checks_have_the_printed_names_of_tests():
    said = "tests that reject too often: bmp, grank_t, sign"
    assert _html_sections._printed(said) == "tests that reject too often: BMP, GRANK-T, Sign"
    assert _html_sections._printed("p_sq, corrado, two_way") == "p SQ, Corrado rank, Two-way clustered"
    for text in ("the sign of bmp", "at placebo dates", "signs; two_way"):
        assert _html_sections._printed(text) == text


def test_an_interval_without_zero_beside_a_test_that_does_not_reject_fits_no_data_too():
    """The mean of volatilities cannot be below -1, and its interval of t is that of a test that the study left."""
    prices = es.fetch_prices(
        ["BABA", "^GSPC", "MSFT", "JD"], "2019-06-01", "2022-06-30", source="simulated", seed=3,
        reactions={("BABA", "2021-07-06"): -0.2},
    )  # fmt: skip
    days = ["2021-07-06", "2021-03-03", "2021-05-05", "2020-12-08", "2021-10-08"]
    rows = pd.DataFrame({"ticker": ["BABA", "MSFT", "JD", "JD", "MSFT"], "announced": days})
    study = es.Study(benchmark="^GSPC", outcome="volatility", windows=((1, 1), (0, 0)))
    result = study.run(es.Events.from_frame(rows), prices)
    row = result.tests.iloc[0]
    assert row["upper"] < 0 < 0.05 < row["p"]
    words = " ".join(_html_words.answer(result))
    assert "fit these data" not in words
    assert "the interval does not contain zero: it rests on the plain mean" in words
