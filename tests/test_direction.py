"""Events of expected signs: averages and tests are those of returns that are mirrored where the sign is -1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import _registry
from eventstudy.core.draws import ShockedModel
from eventstudy.core.parts import join, split, tasks_of, work
from eventstudy.core.run import run
from eventstudy.core.windows import blocks, select
from eventstudy.errors import EventStudyWarning, InputError
from eventstudy.models.market import MODEL
from eventstudy.types import Panel, Placed, Test
from tests import make

NAMES = _registry.names("inference", plugins=False)
OPTIONS: list[tuple[str, dict[str, Any]]] = [(name, {"draws": 99} if name == "placebo" else {}) for name in NAMES]
OPTIONS += [("calendar_time", {"method": method}) for method in ("factors", "abnormal")]
STUDY: dict[str, Any] = {
    "benchmark": "M", "estimation": (-125, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 60,
    "tests": ("cross_section", "bmp"),
}  # fmt: skip
SIGNS: list[object] = [1, -1, -1.0, 0, None, "1", "-1", " ", np.nan, pd.NA]
VALUES = np.array([1, -1, -1, 0, 0, 1, -1, 0, 0, 0], dtype=float)


def mirrored(case: make.Case, sign: np.ndarray) -> make.Case:
    """Negate returns and regressors around events of sign -1, and leave out those of sign 0."""
    panels: list[Panel] = []
    asset = case.placed.asset.copy()
    for at, panel in enumerate(case.panels):
        n = len(panel.assets)
        x = np.broadcast_to(panel.x, (n, *panel.x.shape)) if panel.x.ndim == 2 else panel.x
        assets = (*panel.assets, *(f"-{name}" for name in panel.assets))
        r, x = (np.concatenate([values, -values]) for values in (panel.r, x))
        panels.append(replace(panel, r=r, x=x, ok=np.concatenate([panel.ok, panel.ok]), assets=assets))
        asset[(case.placed.panel == at) & (sign < 0)] += n
    return make.Case(panels, select(case.placed._replace(asset=asset), np.flatnonzero(sign)), case.sample)


@pytest.mark.contract("name")
@pytest.mark.thorough
@pytest.mark.parametrize("kind", make.KINDS)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_every_test_is_that_of_the_mirrored_sample(name: str, options: dict[str, Any], kind: make.Kind) -> None:
    rng = np.random.default_rng(11)
    test: Test = es.test(name, **options)
    case = make.case(rng, n=36, kind=kind, missing=0.0 if name == "mvrm" else 0.03)
    none = 0.0 if test.draws else 0.2  # an event without a sign is moved too, and with it those that it overlaps
    sign = rng.choice([-1.0, 0.0, 1.0], len(case.placed.day), p=[0.6 - none, none, 0.4])
    expected_case = mirrored(case, sign)
    found = run(case.panels, case.placed._replace(sign=sign), MODEL, {"t": test}, case.sample)
    expected = run(expected_case.panels, expected_case.placed, MODEL, {"t": test}, expected_case.sample)
    n = found.shared["moments"]["n"]
    assert 0 < n.max() <= np.count_nonzero(sign)
    np.testing.assert_array_equal(n, expected.shared["moments"]["n"])
    make.same(found.verdicts["t"], expected.verdicts["t"], rtol=1e-9)
    if kind in test.value_under and name != "mvrm":
        assert np.isfinite(found.verdicts["t"].statistic).any()
    for name_of_mean in ("aar", "caar", "se", "lower"):
        values = found.shared["daily"][name_of_mean]
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values, expected.shared["daily"][name_of_mean], rtol=1e-9, atol=1e-12)
    plain = run(case.panels, case.placed, MODEL, {}, case.sample)
    for field, single in plain.singles.items():
        np.testing.assert_array_equal(found.singles[field], single, err_msg=field)


def test_signed_states_add_over_parts() -> None:
    rng = np.random.default_rng(3)
    case = make.case(rng, n=40)
    sign = rng.choice([-1.0, 0.0, 1.0], len(case.placed.day))
    placed = case.placed._replace(sign=sign)
    whole = run(case.panels, placed, MODEL, {}, case.sample)
    parts = split(placed, (), size=4)
    assert len(parts) > 3
    tasks = tasks_of(case.panels, placed, MODEL, case.sample, parts, shares=("moments",))
    sums = join(map(work, tasks), len(placed.day)).shared["moments"]
    for name, values in sums.items():
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values, whole.shared["moments"][name], rtol=1e-12, atol=1e-15)


def test_without_an_event_of_a_sign_the_single_events_remain() -> None:
    case = make.case(np.random.default_rng(4), n=20)
    placed = case.placed._replace(sign=np.zeros(len(case.placed.day)))
    outcome = run(case.panels, placed, MODEL, {"cross_section": es.test("cross_section")}, case.sample)
    assert np.isnan(outcome.verdicts["cross_section"].p).all()
    assert len(outcome.singles["ar"]) == (outcome.status == 0).sum() > 0


def data(signs: list[object], kind: make.Kind = "overlap", name: str = "up") -> make.Material:
    """Events of twenty tickers with a column of signs, and their prices."""
    made = make.material(np.random.default_rng(8), kind=kind)
    frame = made.events.frame
    frame[name] = pd.Series((signs * 20)[:20], index=frame.index, dtype=object)
    frame["kind"] = ["x", "y"] * 10
    return made


def run_study(made: make.Material, **choices: Any) -> es.Result:
    return es.Study(**{**STUDY, **choices}).run(made.events, made.prices)


@pytest.fixture(scope="module")
def signed() -> es.Result:
    return run_study(data(SIGNS), sign="up", group="kind")


def signs_of(result: es.Result) -> pd.Series:
    values = pd.Series(np.tile(VALUES, 2), index=result.events.index)
    return values[values != 0]


def test_averages_and_tests_are_those_of_signed_abnormal_returns(signed: es.Result) -> None:
    sign = signs_of(signed)
    ar = signed.ar.loc[sign.index].mul(sign, axis=0)
    assert len(sign) == 10
    np.testing.assert_allclose(signed.daily["aar"], ar.mean(), rtol=1e-12)
    np.testing.assert_allclose(signed.daily["caar"], ar.cumsum(axis=1).mean(), rtol=1e-12)
    for (start, end), rows in signed.tests[signed.tests["group"] == "all"].groupby(["start", "end"]):
        car = ar.loc[:, start:end].sum(axis=1)
        expected = stats.ttest_1samp(car, 0.0)
        row = rows[rows["test"] == "cross_section"].iloc[0]
        assert np.isfinite(row["p"])
        assert row["n"] == 10
        np.testing.assert_allclose([row["effect"], row["statistic"], row["p"]], [car.mean(), *expected], rtol=1e-10)
    np.testing.assert_allclose(signed.effects["effect"], [ar[0].mean(), ar.loc[:, -1:1].sum(axis=1).mean()], rtol=1e-12)


def test_frames_of_events_have_no_signs(signed: es.Result) -> None:
    plain = run_study(data(SIGNS))
    pd.testing.assert_frame_equal(signed.ar, plain.ar)
    pd.testing.assert_frame_equal(signed.cars, plain.cars)
    pd.testing.assert_frame_equal(signed.paths(), plain.paths())


def test_events_without_a_sign_are_counted(signed: es.Result) -> None:
    row = signed.attrition[signed.attrition["reason"] == "ok, but without a sign"]
    assert row["n"].tolist() == [10]
    assert "10 of 20 used events have no sign in 'up', and are in no average or test" in signed.provenance["notes"]
    assert signed.provenance["clustering"]["n_events"] == 10
    assert signed.provenance["settings"]["sign"] == "up"


def test_a_group_is_a_study_of_its_events(signed: es.Result) -> None:
    for group in ("x", "y"):
        made = data(SIGNS)
        frame = made.events.frame
        alone = run_study(made._replace(events=es.Events(frame[frame["kind"] == group])), sign="up")
        daily = signed.by_group[signed.by_group["group"] == group].set_index("day").drop(columns="group")
        assert np.isfinite(daily.to_numpy()).all()
        pd.testing.assert_frame_equal(daily, alone.daily, rtol=1e-9)
    assert list(signed.by_group.columns) == ["group", "day", "n", "aar", "caar", "se", "lower", "upper"]


def test_compare_and_regress_take_signed_cars(signed: es.Result) -> None:
    sign = signs_of(signed)
    car = signed.ar[0].loc[sign.index] * sign
    kind = signed.events.loc[sign.index, "kind"]
    row = signed.compare("kind").iloc[0]
    difference = car[kind == "x"].mean() - car[kind == "y"].mean()
    np.testing.assert_allclose(row["difference"], difference, rtol=1e-10)
    fit = signed.regress("car ~ 1", cov="nonrobust")
    np.testing.assert_allclose([fit.params.iloc[0], fit.nobs], [car.mean(), 10], rtol=1e-12)


def test_compounded_returns_are_signed_after_they_are_compounded() -> None:
    result = run_study(data(SIGNS), sign="up", accumulate="compound", tests=("cross_section",))
    sign = signs_of(result)
    for row in result.tests.to_dict("records"):
        cars = result.cars[(result.cars["start"] == row["start"]) & (result.cars["end"] == row["end"])]
        values = cars.set_index("event_id")["bhar"].loc[sign.index] * sign
        np.testing.assert_allclose(row["effect"], values.mean(), rtol=1e-12)
        np.testing.assert_allclose(row["p"], stats.ttest_1samp(values, 0.0).pvalue, rtol=1e-9)


@pytest.mark.thorough
def test_it_is_called_signed(signed: es.Result, tmp_path: Any) -> None:
    assert "mean signed CAR" in repr(signed)
    text = signed.report(tmp_path / "r.txt").read_text()
    assert "Mean signed CAR (0, 0), all" in text
    assert "signed cumulative abnormal return (CAR)" in text
    assert "multiply each event by its sign in up" in text
    assert signed.plot("caar", group="all").get_title(loc="left") == "Cumulative average abnormal return, signed"


@pytest.mark.parametrize("value", [2, -0.5, "up", "+", "−1", True, np.inf, [1], pd.Timestamp("2020-01-01")])
def test_another_value_is_named_with_its_event(value: object) -> None:
    with pytest.raises(InputError, match=r"sign 'up' of event 'E3' is .*; an expected sign is 1 or -1, and 0 or empty"):
        run_study(data([1, -1, 1, value]), sign="up")


def test_a_column_that_is_not_there_or_states_no_sign_is_refused() -> None:
    with pytest.raises(InputError, match=r"sign is 'upp'; valid are .*; did you mean 'up'\?"):
        run_study(data([1]), sign="upp")
    with pytest.raises(InputError, match="the sign column 'up' has neither 1 nor -1"):
        run_study(data([0, None]), sign="up")
    with pytest.raises(InputError, match="sign is 1; give the name of an events column"):
        es.Study(**{**STUDY, "sign": 1})


@pytest.mark.parametrize("name", ["expected_sign", "Sign", "expected sign"])
def test_a_pooled_sample_of_both_signs_is_warned_of(name: str) -> None:
    made = data([1, -1, 0, None], name=name)
    with pytest.warns(EventStudyWarning, match=f"hold both expected signs .5 up, 5 down, in '{name}'") as warned:
        result = run_study(made)
    assert len([w for w in warned if "both expected signs" in str(w.message)]) == 1
    assert any("hold both expected signs" in note for note in result.provenance["notes"])


@pytest.mark.parametrize(
    ("name", "values", "choices"),
    [
        ("expected_sign", [1, 0, None], {}),  # one sign
        ("expected_sign", [1, -1], {"sign": "expected_sign"}),
        ("expected_sign", [1, -1], {"group": "expected_sign"}),  # each sign has its own averages
        ("expected_sign", [1, -1], {"outcome": "volatility"}),  # which rises either way
        ("expected_sign", ["1", "-1", "buy"], {}),  # no signs
        ("design", [1, -1], {}),
    ],
)
def test_other_samples_are_not_warned_of(name: str, values: list[object], choices: dict[str, Any]) -> None:
    result = run_study(data(values, name=name), **choices)  # a warning would be an error
    assert not any("both expected signs" in note for note in result.provenance["notes"])


def test_announcements_of_one_price_move_with_opposite_signs_are_noted() -> None:
    made = data([1, -1])
    frame = made.events.frame
    again = frame.iloc[[0, 2]].rename(index=lambda name: f"{name}-again").assign(up=[-1, 1])
    result = run_study(made._replace(events=es.Events(pd.concat([frame, again]))), sign="up")
    (note,) = [note for note in result.provenance["notes"] if "opposite" in note]
    assert note.startswith("1 event repeat the price move")
    assert "as E0 (+1) before E0-again" in note
    assert result.tests["n"].max() == 20


def test_a_shock_goes_in_the_expected_direction() -> None:
    case = make.case(np.random.default_rng(2), n=20, missing=0.0)
    sign = np.resize([1.0, -1.0, 0.0], len(case.placed.day))
    spec, placed = case.sample.spec, case.placed._replace(sign=sign)
    zero = -spec.event[0]
    for block in blocks(case.panels, placed, spec, 1, 1):
        change = ShockedModel(MODEL, 0.05, zero).fit(block).ar - MODEL.fit(block).ar
        np.testing.assert_allclose(change[:, spec.n_est + zero], 0.05 * sign[block.id], atol=1e-15)
        assert not np.delete(change, spec.n_est + zero, axis=1).any()


@pytest.mark.thorough
def test_drawn_dates_keep_the_signs() -> None:
    made = data([1, -1], kind="independent")
    power = run_study(made, sign="up", tests=("cross_section",)).calibrate(draws=40, shocks=(0.0, 0.1)).frame
    of_shock = power[power["start"] == 0].set_index("shock")["rejection"]
    assert of_shock[0.1] == 1.0  # the shock of 5 sigma averages 0 unsigned
    assert of_shock[0.0] < 0.3


def test_an_unsigned_block_is_not_changed() -> None:
    case = make.case(np.random.default_rng(2), n=20)
    block = next(iter(blocks(case.panels, case.placed, case.sample.spec, 1, 1)))
    abnormal = MODEL.fit(block)
    assert abnormal.signed() is abnormal
    assert isinstance(case.placed, Placed)


def test_a_study_file_names_the_column(tmp_path: Any) -> None:
    (tmp_path / "study.toml").write_text(
        '[study]\ncatalogue = "china-tech"\nbenchmark = { XHKG = "^HSI", XNYS = "^GSPC" }\nsign = "expected_sign"\n'
        '[prices]\nsource = "simulated"\n'
    )
    from eventstudy.studyfile import read

    assert read(tmp_path / "study.toml").study.sign == "expected_sign"
