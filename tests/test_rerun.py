"""The seam behind everything that runs a study again: each rule in one place, the executor honoured, nothing lost."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import studyfile
from eventstudy.core import sums
from eventstudy.core.run import run
from eventstudy.core.sums import Rows
from eventstudy.run import checkpoint, tables
from eventstudy.run.rerun import StudyRun
from eventstudy.run.sample import StudyData
from eventstudy.types import Abnormal, Choices, Sample, Scores, Spec, State, Test, Verdict
from tests.make import material

SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-100, -11), "event": (-5, 5), "min_estimation": 60, "windows": ((0, 0), (-1, 1)),
}  # fmt: skip


class Counting(ThreadPoolExecutor):
    """Two threads, and how many parts they were given."""

    n_submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        self.n_submitted += 1
        return super().submit(*args, **kwargs)


def study_run(**choices: Any) -> StudyRun:
    events, prices, _ = material(np.random.default_rng(3))
    return StudyRun(es.Study(**{**SHORT, **choices}), StudyData(events, prices))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "choices", "method"),
    [
        ("paths", {"accumulate": "compound"}, lambda result: result.paths()),
        ("path", {}, lambda result: result.path("E3")),
        ("diagnose", {}, lambda result: result.diagnose()),
        ("calibrate", {"tests": ("bmp",)}, lambda result: result.calibrate(20).frame),
        ("band", {}, lambda result: result.band(0.9, 99)),
        ("romano_wolf", {"tests": ("bmp",)}, lambda result: result.adjust("romano_wolf", 99)),
        ("across", {}, lambda result: result.across(["mean", "market"]).effects),
        ("gls", {}, lambda result: result.regress("car ~ r2", weights="gls", cov="HC1").bse.to_frame()),
        ("placebo", {}, lambda result: result.regress("car ~ r2", cov="placebo", draws=99).bse.to_frame()),
    ],
)
def test_whatever_runs_again_goes_through_the_executor_and_finds_the_same(
    name: str, choices: dict[str, Any], method: Callable[[es.Result], pd.DataFrame]
) -> None:
    alone = study_run(**choices)
    with Counting(2) as executor:
        result = replace(alone, workers=replace(alone.workers, executor=executor)).run()
        before = executor.n_submitted
        frame = method(result)
        assert executor.n_submitted > before, name
    pd.testing.assert_frame_equal(frame, method(alone.run()), rtol=1e-12, atol=1e-15)


def test_the_path_of_one_event_fits_that_event_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Watched(type(es.model("market"))):  # type: ignore[misc]
        def fit(self, block: Any) -> Abnormal:
            sizes.append(len(block.r))
            fitted: Abnormal = super().fit(block)
            return fitted

    result = study_run(model=Watched()).run()
    assert sizes == [20]
    frame = result.path("E7", start=-1)
    assert sizes == [20, 1]
    np.testing.assert_allclose(frame["car"], result.ar.loc["E7"].loc[-1:].cumsum(), rtol=1e-12)
    whole = result.cars[(result.cars["event_id"] == "E7") & (result.cars["end"] == 1)].iloc[0]
    assert frame.loc[1, "se"] == pytest.approx(whole["se"], rel=1e-12)


def test_the_clustering_of_a_diagnosis_is_that_of_the_tests() -> None:
    """Evening news reaches Hong Kong a session after New York: no window shares a day, and the dates are linked."""
    days = pd.bdate_range("2020-01-01", "2021-12-31")
    rng = np.random.default_rng(0)
    bars: dict[str, Any] = {}
    for ticker, mic in (("9988.HK", "XHKG"), ("BABA", "XNYS")):
        sessions = es.markets.sessions_between(mic, str(days[0])[:10], str(days[-1])[:10])
        close = pd.DataFrame({ticker: 100 * np.cumprod(1 + 0.02 * rng.standard_normal(len(sessions)))}, sessions)
        bars |= es.Prices.from_frame(close, exchange=mic).bars
    evenings = ["2021-03-10", "2021-06-09", "2021-09-15", "2021-11-17"]
    frame = pd.DataFrame({"ticker": "9988.HK;BABA", "announced": [f"{day} 20:00+08:00" for day in evenings]})
    events = es.Events.from_frame(frame.assign(firm="alibaba"))
    study = es.Study(model="mean", event=(0, 0), windows=((0, 0),), min_estimation=100)
    result = study.run(events, es.Prices(bars))
    linked = "4 pairs of dates report the same news on two exchanges"
    assert linked in result.tests["note"].iloc[0]
    row = result.diagnose().set_index("check").loc["clustering"]
    assert linked in row["value"]
    assert row["breaks"] != ""


def _finalize(state: State, sample: Sample) -> Verdict:
    n = np.full((sample.n_groups, len(sample.spec.windows)), 1.0)
    return Verdict(0.25 * n, n, 0.5 * n, n.astype(np.int64), np.full(n.shape, "", dtype=object))


def _count(scores: Scores, abnormal: Abnormal, prior: Any) -> State:
    return {"n": sums.by_group(abnormal, scores.ok)}


@pytest.mark.thorough
def test_a_test_of_any_name_survives_across() -> None:
    tests = {"standard error": Test(_count, _finalize), "bmp": es.test("bmp")}
    found = study_run(tests=tests).run().across(["market", "mean"])
    rows = found.tests[found.tests["test"] == "standard error"]
    assert (rows["statistic"] == 0.25).all()
    assert len(rows) == 4
    assert set(found.results["mean"].tests["test"]) == set(tests)
    assert found.results["mean"].provenance["tests"] == list(tests)


def test_extra_states_are_added_over_all_blocks_beside_the_tests() -> None:
    def squares(scores: Scores, abnormal: Abnormal, spec: Spec) -> State:
        return {"car2": (scores.car**2).sum(axis=0)}

    outcome = study_run().outcome(tests={}, extra={"squares": squares})
    assert outcome.verdicts == {}
    np.testing.assert_allclose(outcome.extra["squares"]["car2"], (outcome.singles["car"] ** 2).sum(axis=0), rtol=1e-12)


def test_a_single_event_is_the_one_that_a_duplicate_repeats_and_one_that_is_lost_is_named() -> None:
    events, prices, _ = material(np.random.default_rng(3))
    frame = events.frame.drop(columns=["stamp", "date", "cluster"]).reset_index()
    twice = pd.concat([frame, frame.iloc[[4]].assign(event_id="again"), frame.iloc[[5]].assign(ticker="X")])
    twice["event_id"] = [*frame["event_id"], "again", "lost"]
    found = StudyRun(es.Study(**SHORT), StudyData(es.Events.from_frame(twice), prices))
    one, other = found.outcome(events=["again"], tests={}), found.outcome(events=["E4"], tests={})
    np.testing.assert_array_equal(one.singles["car"], other.singles["car"])
    with pytest.raises(es.InputError, match="'lost' cannot be used in this study"):
        found.outcome(events=["lost"])


@pytest.mark.parametrize(
    ("choices", "short"), [({"accumulate": "compound"}, "BHAR"), ({"outcome": "volatility"}, "CAV")]
)
def test_the_measure_is_a_field_of_the_result_and_no_matter_of_its_record(choices: Any, short: str) -> None:
    result = study_run(**choices).run()
    assert replace(result, provenance={}).measure == result.measure
    assert result.measure.short == short


def test_adding_leaves_the_states_that_are_added_as_they_are() -> None:
    first, second = {"x": np.ones(3)}, {"x": Rows(np.array([1]), np.array([5.0]), 3)}
    total: dict[str, Any] = {}
    for state in (first, second, {"x": np.ones(3)}):
        sums.add(total, state)
    np.testing.assert_array_equal(total["x"], [2.0, 7.0, 2.0])
    np.testing.assert_array_equal(first["x"], np.ones(3))


def test_making_frames_leaves_the_outcome_as_it_is() -> None:
    found = study_run()
    sample = found.sample()
    outcome = run(sample.panels, sample.placed, found.model, {}, sample.sample)
    before = {name: values.copy() for name, values in outcome.singles.items()}
    twice = [
        tables.assemble(sample.event_table, outcome, sample.sample.spec, ("alpha", "beta"), found.data.events.frame)
        for _ in range(2)
    ]
    assert set(outcome.singles) == set(before)
    for name, values in before.items():
        np.testing.assert_array_equal(outcome.singles[name], values)
    for name, frame in twice[0].items():
        pd.testing.assert_frame_equal(frame, twice[1][name])


def test_single_events_come_in_their_order_whatever_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    events, prices, _ = material(np.random.default_rng(3))
    shuffled = es.Events(events.frame.sample(frac=1.0, random_state=1))
    whole = StudyRun(es.Study(**SHORT), StudyData(shuffled, prices)).outcome(tests={})
    from eventstudy.core import run as module

    monkeypatch.setattr(module, "split", lambda placed, panels: [np.array([k]) for k in np.argsort(placed.asset)])
    parted = StudyRun(es.Study(**SHORT), StudyData(shuffled, prices)).outcome(tests={})
    assert (np.diff(parted.singles["id"]) > 0).all()
    np.testing.assert_allclose(parted.singles["car"], whole.singles["car"], rtol=1e-12)


def test_choices_stand_once() -> None:
    names = [choice.name for choice in fields(Choices)]
    assert [choice.name for choice in fields(es.Study)] == names
    assert set(studyfile.CHOICES) == set(names)
    assert "Parameters" in (es.Study.__doc__ or "")
    for name in names:
        assert name in (es.Study.__doc__ or ""), name


@pytest.mark.thorough
def test_every_closed_choice_is_refused_in_a_study_file_as_in_a_study(tmp_path: Any) -> None:
    from eventstudy.run.choice_types import CLOSED_CHOICES

    assert set(CLOSED_CHOICES) == {
        "returns", "price", "on_closed", "gaps", "accumulate", "contaminated", "suspended", "contradictory",
    }  # fmt: skip
    assert all(set(valid) for valid in CLOSED_CHOICES.values())
    hints = get_type_hints(Choices)
    for name in CLOSED_CHOICES:
        file = tmp_path / "study.toml"
        file.write_text(f'[study]\ncatalogue = "china-tech"\n{name} = "nonsense"\n[prices]\nsource = "simulated"\n')
        with pytest.raises(es.InputError, match=f"{name} is 'nonsense'; valid are") as from_file:
            studyfile.read(file)
        with pytest.raises(es.InputError) as from_study:
            es.Study(**{name: "nonsense"})
        assert str(from_file.value) == str(from_study.value)
        assert hints[name].__args__ == CLOSED_CHOICES[name]


@pytest.mark.thorough
def test_a_checkpoint_is_of_the_code_that_made_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def part() -> tuple[int, int]:
        events, prices, _ = material(np.random.default_rng(3))
        record = es.Study(**SHORT).run(events, prices, checkpoint=tmp_path).provenance
        return record["n_resumed"], record["n_parts"]

    assert part() == (0, 1)
    assert part() == (1, 1)
    monkeypatch.setattr(checkpoint, "code_digest", lambda: "other code")
    assert part() == (0, 1)


def test_the_digest_of_the_code_is_of_every_file_and_of_numpy(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "ols.py").write_text("sigma = 1")
    monkeypatch.setattr("eventstudy.run.checkpoint.resources.files", lambda package: tmp_path)
    digests = []
    for text in ("sigma = 1", "sigma = 2"):
        (tmp_path / "core" / "ols.py").write_text(text)
        digests.append(checkpoint.code_digest.__wrapped__())
    monkeypatch.setattr(np, "__version__", "0.0.0")
    digests.append(checkpoint.code_digest.__wrapped__())
    assert len(set(digests)) == 3


@pytest.mark.thorough
def test_a_copy_leaves_the_executor_behind_and_can_run_again() -> None:
    with ThreadPoolExecutor(1) as executor:
        alone = study_run()
        result = replace(alone, workers=replace(alone.workers, executor=executor)).run()
    copies = [copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))]
    for copied in copies:
        assert copied.rerun.workers.executor is None
        pd.testing.assert_frame_equal(copied.path("E3"), study_run().run().path("E3"))
    assert result.rerun is not None
    assert result.rerun.workers.executor is executor  # type: ignore[attr-defined]


@pytest.mark.thorough
def test_the_seed_of_the_study_reaches_what_is_drawn() -> None:
    p = [study_run(seed=seed, tests=("bmp",)).run().calibrate(20).provenance["seed"] for seed in (0, 7)]
    assert p == [0, 7]
    drawn = [study_run(seed=seed).null(99)["all"]["z"] for seed in (0, 0, 7)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_a_result_of_other_choices_or_events_is_that_of_a_study_with_them() -> None:
    run = study_run(tests=("bmp",))
    events, prices, _ = material(np.random.default_rng(3))
    other = es.Events.from_frame(events.frame.iloc[::2])
    for again, study, studied in (
        (run.result(choices={"estimation": (-90, -21)}), {"estimation": (-90, -21)}, events),
        (run.result(model="mean", choices={"returns": "log"}), {"model": "mean", "returns": "log"}, events),
        (run.result(events=other.frame, windows=((0, 2),)), {"windows": ((0, 2),)}, other),
    ):
        expected = es.Study(**{**SHORT, "tests": ("bmp",), **study}).run(studied, prices)
        pd.testing.assert_frame_equal(again.cars, expected.cars)
        pd.testing.assert_frame_equal(again.tests, expected.tests)
        assert again.rerun is not None
        pd.testing.assert_frame_equal(again.rerun.events, studied.frame)
        assert again.rerun.prices is run.data.prices
