"""A multiverse: each specification is a study run by itself, its joint statistic that of its row, errors are rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import eventstudy as es
from eventstudy import demo
from eventstudy.analysis import multiverse as module
from eventstudy.analysis.multiplicity import romano_wolf
from eventstudy.analysis.multiverse import Multiverse
from eventstudy.core.sign_changes import joint_null
from eventstudy.types import Abnormal, Analysis, Block, Column
from tests.make import BENCHMARK, material
from tests.plots.drawing import drawn_texts

SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-125, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 60,
}  # fmt: skip
N = 24
GRID: dict[str, Any] = {
    "models": ["market", "mean", "ff3"], "windows": [(0, 0), (-2, 1)], "estimations": [(-125, -6), (-100, -20)],
    "benchmarks": ["M", "S0"], "tests": ["bmp", "clustered", "wild_bootstrap"],
    "samples": {
        "all": None, "low": "number < 14", "high": lambda frame: frame["number"] > 9,
        "late": [k >= 14 for k in range(N)], "nobody": np.zeros(N, dtype=bool),
    },
}  # fmt: skip
COLUMNS = ["n", "effect", "se", "lower", "upper", "p", "valid"]


@pytest.fixture(scope="module")
def data() -> tuple[es.Events, es.Prices]:
    """Twenty-four events, of which some overlap and two repeat a move, with numbers and signs."""
    its = material(np.random.default_rng(5), BENCHMARK, N - 2, "independent", 520)
    frame = its.events.frame[["ticker", "announced"]].reset_index()
    frame.loc[1::4, "announced"] = frame["announced"].shift()[1::4]  # two events on the date of one
    again = frame.iloc[[3, 12]].assign(event_id=["again 3", "again 12"])
    frame = pd.concat([frame, again], ignore_index=True)
    frame = frame.assign(number=range(N), sign=np.where(np.arange(N) % 5 == 0, -1, 1))
    frame.loc[7, "sign"] = 0
    return es.Events.from_frame(frame), its.prices


@pytest.fixture(scope="module")
def result(data: tuple[es.Events, es.Prices]) -> es.Result:
    return es.Study(**SHORT, sign="sign").run(*data)


@pytest.fixture(scope="module")
def found(result: es.Result) -> Multiverse:
    return result.multiverse(**GRID)


def one_by_one(data: tuple[es.Events, es.Prices], row: Any) -> Any:
    """Run the study of one row by itself, on the events of its sample."""
    events, prices = data
    number = events.frame["number"].to_numpy()
    inside = {"all": number >= 0, "low": number < 14, "high": number > 9, "late": number >= 14}[row["sample"]]
    pair = tuple(int(day) for day in row["estimation"].strip("()").split(","))
    windows = tuple(GRID["windows"])  # those of one study: the draws of a bootstrap differ by the place of a window
    choices = {**SHORT, "model": row["model"], "estimation": pair, "benchmark": row["benchmark"], "windows": windows}
    part = es.Events.from_frame(events.frame[inside].drop(columns=["stamp", "date"]).reset_index())
    tests = es.Study(**choices, sign="sign", tests=(row["test"],)).run(part, prices).tests
    return in_window(tests, row)


def in_window(tests: pd.DataFrame, row: Any) -> Any:
    return tests[(tests["start"] == row["start"]) & (tests["end"] == row["end"])].iloc[0]


def test_there_is_a_row_for_every_combination(found: Multiverse) -> None:
    assert len(found.frame) == 3 * 2 * 2 * 5 * 2 * 3
    names = ["model", "estimation", "benchmark", "sample", "start", "end", "test"]
    assert not found.frame.duplicated(names).any()
    assert set(found.frame["estimation"]) == {"(-125, -6)", "(-100, -20)"}


def test_specifications_equal_studies_run_one_by_one(data: tuple[es.Events, es.Prices], found: Multiverse) -> None:
    ran = found.frame[found.frame["error"] == ""]
    assert len(ran) == 2 * 2 * 2 * 4 * 2 * 3
    chosen = ran.groupby(["model", "sample"]).sample(2, random_state=1)
    expected = pd.DataFrame([one_by_one(data, row) for row in chosen.to_dict("records")])
    np.testing.assert_array_equal(chosen["n"], expected["n"])
    np.testing.assert_array_equal(chosen["valid"], expected["valid"])
    assert chosen["p"].notna().all()
    for name in ("effect", "se", "lower", "upper", "p"):  # the same sums, in blocks of another order
        np.testing.assert_allclose(chosen[name].astype(float), expected[name].astype(float), rtol=1e-9, err_msg=name)


def test_errors_are_rows_with_their_reason(found: Multiverse) -> None:
    failed = found.frame[found.frame["error"] != ""]
    of_model, of_sample = failed[failed["model"] == "ff3"], failed[failed["model"] != "ff3"]
    assert len(of_model) == 2 * 2 * 5 * 2 * 3
    assert of_model["error"].str.contains("the regressor is 'Mkt-RF'").all()
    assert set(of_sample["sample"]) == {"nobody"}
    assert set(of_sample["error"]) == {"no event of the sample could be used"}
    assert failed[["effect", "se", "p", "p_adjusted"]].isna().all(axis=None)
    assert (failed["n"] == 0).all()
    assert not failed["valid"].any()


def test_the_statistic_of_a_row_is_its_effect_over_its_error(found: Multiverse, monkeypatch: Any) -> None:
    seen: list[Any] = []

    def recorded(*given: Any) -> Any:
        seen.append(joint_null(*given))
        return seen[-1]

    monkeypatch.setattr(module, "joint_null", recorded)
    again = module.multiverse(found.rerun, found.rerun.result(), tests=["clustered"], models=["market", "mean"])
    joint = seen[0]
    rows = again.frame
    assert len(rows) == len(joint.z) == 4
    np.testing.assert_allclose(joint.mean, rows["effect"], rtol=1e-12)
    effects = pd.concat([found.rerun.result(model=name).effects for name in ("market", "mean")])
    p = 2 * stats.t.sf(np.abs(effects["effect"] / effects["se"]), effects["df"])
    np.testing.assert_allclose(2 * stats.norm.sf(np.abs(joint.z)), p, rtol=1e-9)
    np.testing.assert_array_equal(rows["p_adjusted"], romano_wolf(joint.z, joint.drawn_z))
    median = np.abs(np.median(joint.drawn_mean, axis=1)) >= abs(np.median(joint.mean)) * (1 - 1e-12)
    assert again.p_median == pytest.approx((1 + median.sum()) / (1 + len(median)))


def test_the_study_itself_is_marked_once(result: es.Result, found: Multiverse) -> None:
    own = found.frame[found.frame["own"]]
    first = result.tests.iloc[0]
    assert len(own) == (1 if first["test"] in GRID["tests"] else 0)
    alone = result.multiverse()
    assert alone.frame["own"].tolist() == [True, False]
    for name in ("test", *COLUMNS):
        assert alone.frame.iloc[0][name] == alone.own[name] == first[name]
    assert not result.multiverse(["mean"]).frame["own"].any()


def test_without_tests_each_specification_has_its_primary_test(result: es.Result) -> None:
    frame = result.multiverse(["market", "mean"], samples={"all": None, "three": "number < 3"}).frame
    of_all = frame[(frame["model"] == "market") & (frame["sample"] == "all")]
    primary = result.tests.drop_duplicates(["start", "end"])
    assert of_all["test"].tolist() == primary["test"].tolist()
    three = frame[frame["sample"] == "three"]
    assert three["p_adjusted"].isna().all()
    assert three["note"].str.contains("p not adjusted: too few clusters").all()


FRAME = pd.DataFrame(
    {
        "model": ["a", "a", "b", "b", "c"], "estimation": "(-9, -2)", "benchmark": "M", "sample": "all events",
        "start": 0, "end": [0, 1, 0, 1, 0], "test": ["t", "t", "t", "t", ""], "n": [5, 5, 5, 5, 0],
        "effect": [0.02, 0.01, -0.01, 0.04, np.nan], "lower": [0.01, -0.01, -0.02, 0.01, np.nan],
        "upper": [0.03, 0.03, 0.0, 0.07, np.nan], "p": [0.01, 0.3, 0.04, 0.02, np.nan],
        "valid": [True, True, True, False, False], "p_adjusted": [0.03, 0.4, 0.2, np.nan, np.nan],
        "own": [True, False, False, False, False], "error": ["", "", "", "", "no prices"],
    }
)  # fmt: skip


def by_hand(result: es.Result, frame: pd.DataFrame) -> Multiverse:
    own = pd.Series({"start": 0, "end": 0, "test": "t", "n": 5, "effect": 0.02, "p": 0.01, "valid": True})
    return Multiverse(frame, own, 0.03, (), result.measure, result.provenance, result.rerun)


def test_shares_and_medians_by_hand(result: es.Result) -> None:
    made = by_hand(result, FRAME)
    assert made.summary().round(6).to_dict() == {
        "n": 5, "n_run": 4, "n_valid": 3, "median": 0.015, "low": -0.01, "high": 0.04, "agree": 0.75,
        "significant": round(2 / 3, 6), "opposite": round(1 / 3, 6), "adjusted": round(1 / 3, 6), "own": 0.02,
        "p_median": 0.03,
    }  # fmt: skip
    table = made.by_choice().set_index("value")
    assert table.index.tolist() == ["a", "b", "c", "(0, 0)", "(0, 1)"]  # the other choices do not vary
    assert table.loc["b", ["n_run", "n_valid", "median", "agree", "opposite"]].tolist() == [2, 1, 0.015, 0.5, 1.0]
    assert table.loc["c", ["median", "agree", "significant"]].isna().all()
    answer = made.answer()
    assert "Of 5 specifications, of which 4 could be estimated, 75 % have the sign" in answer
    assert "67 % of those whose test holds are significant at 5 %, 33 % with the other sign" in answer
    assert answer.endswith(
        "It depends most on the window: the median is +0.50 % under (0, 0) and +2.50 % under (0, 1)."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": []}, "models is empty"),
        ({"models": ["no such"]}, "no such"),
        ({"windows": [(0, 9)]}, r"windows is \[\(0, 9\)\]; give pairs of whole numbers inside event"),
        ({"estimations": (-125, -6)}, "estimations is .*; give a list of windows"),
        ({"benchmarks": {"XHKG": "^HSI"}}, "benchmarks is .*; give a list of what Study"),
        ({"samples": ["number < 3"]}, "samples is .*; give a dict"),
        ({"samples": {}}, "samples is .*; give a dict"),
        ({"samples": {"x": "nothing < 3"}}, "sample 'x' cannot be computed: UndefinedVariableError"),
        ({"samples": {"x": "@pd.read_csv('x')"}}, "a query reads columns of the events"),
        ({"samples": {"x": "number + 1"}}, "it must be True or False for each of the 24 events"),
        ({"samples": {"x": [True, False]}}, "it must be True or False for each of the 24 events"),
        ({"samples": {"x": pd.Series([True] * N)}}, "another index than the events"),
        ({"samples": {"x": [None] * N}}, "neither True nor False"),
        ({"tests": ["no such"]}, "no such"),
        ({"models": ["ff3"]}, "the regressor is 'Mkt-RF'"),
    ],
)
def test_what_is_not_valid_is_said(result: es.Result, given: dict[str, Any], message: str) -> None:
    with pytest.raises(es.InputError, match=message):
        result.multiverse(**given)


@dataclass(frozen=True)
class Broken:
    """A user's model with a mistake."""

    columns: tuple[Column, ...] = ()
    coefficients: tuple[str, ...] = ("alpha",)

    def fit(self, block: Block) -> Abnormal:
        raise ZeroDivisionError("division by zero")


def test_the_mistake_of_a_users_model_is_a_row(result: es.Result) -> None:
    frame = result.multiverse({"broken": Broken(), "mean": "mean"}, windows=[(0, 0)]).frame
    assert frame["error"].tolist() == ["ZeroDivisionError: division by zero", ""]
    with pytest.raises(ZeroDivisionError):
        result.multiverse([Broken()])


def test_an_estimation_window_that_the_study_cannot_have_is_a_row(result: es.Result) -> None:
    frame = result.multiverse(estimations=[(-125, -6), (-30, -6), (-125, -2)], windows=[(0, 0)]).frame
    assert frame["error"].str[:40].tolist() == [
        "", "min_estimation is 60; the estimation win", "estimation (-125, -2) does not end befor",
    ]  # fmt: skip


def test_warnings_of_the_runs_are_counted_and_not_issued(data: tuple[es.Events, es.Prices]) -> None:
    with pytest.warns(es.EventStudyWarning, match="both expected signs"):
        unsigned = es.Study(**SHORT).run(data[0], data[1])
    notes = unsigned.multiverse(["market", "mean"]).notes
    assert [note[:7] for note in notes] == ["2 runs:"]


def test_events_on_dates_of_their_own_are_compared_by_a_paired_t_test() -> None:
    its = material(np.random.default_rng(8), [*BENCHMARK, es.model("pca").columns[-1]], 20, "independent")
    study = es.Study(**{**SHORT, "windows": ((0, 0),), "peers": [f"P{k}" for k in range(5)]})
    result = study.run(its.events, its.prices)
    table = result.multiverse().counterfactuals()
    assert list(zip(table["first"], table["second"], strict=True)) == [
        ("market", "synthetic_control"), ("market", "pca"), ("synthetic_control", "pca"),
    ]  # fmt: skip
    cars = {name: result.rerun.result(model=name).cars.set_index("event_id")["car"] for name in ("market", "pca")}
    both = pd.concat(cars, axis=1).dropna()
    row = table.iloc[1]
    assert row["n"] == row["n_clusters"] == len(both) > 15
    expected = stats.ttest_rel(both["pca"], both["market"])
    assert row["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert row["difference"] == pytest.approx((both["pca"] - both["market"]).mean(), rel=1e-12)
    p = np.sort(table["p"].to_numpy())
    holm = np.maximum.accumulate(np.minimum(p * [3, 2, 1], 1.0))
    np.testing.assert_allclose(np.sort(table["p_holm"]), holm)
    parts = ["they part" if p < 0.05 else "cannot be told apart" for p in table["p_holm"]]
    assert [text.partition(":")[0] for text in table["verdict"]] == parts


def test_counterfactuals_that_cannot_be_run_say_why(result: es.Result) -> None:
    events, prices = result.rerun.data.events, result.rerun.data.prices
    alone = es.Study(**{**SHORT, "benchmark": None}, model="mean", sign="sign").run(events, prices)
    table = alone.multiverse(windows=[(0, 0)]).counterfactuals()
    assert table["n"].tolist()[:2] == [0, 0]
    assert table["p_holm"].isna().tolist() == [True, True, False]
    assert table["verdict"].str.startswith("market could not be run: ").tolist() == [True, True, False]
    few = es.Events.from_frame(events.frame.head(3).drop(columns=["stamp", "date"]).reset_index())
    table = es.Study(**SHORT, sign="sign").run(few, prices).multiverse(windows=[(0, 0)]).counterfactuals()
    assert table["verdict"].str.startswith("fewer than 3 clusters of events").all()


def _half(ax: Any) -> np.ndarray:
    """Return half the length of each stroke of the curve."""
    return np.array([np.ptp(stroke[:, 1]) / 2 for stroke in ax.collections[0].get_segments()])


def test_the_record_and_its_figure(found: Multiverse) -> None:
    assert isinstance(found, Analysis)
    assert max(map(len, repr(found).splitlines())) <= 100
    assert repr(found).isascii()
    assert "Multiverse of 360 specifications" in found._repr_html_()
    axes = found.plot(title="Mine")
    assert len(axes) == 2
    figure = axes[0].figure
    width, height = figure.get_size_inches() * figure.dpi
    texts = drawn_texts(figure)
    assert "Mine" in [text.get_text() for text, _ in texts]
    boxes = np.array([box.extents for _, box in texts])
    assert (boxes[:, :2] >= -1).all()  # nothing is cut off
    assert (boxes[:, 2:] <= (width + 1, height + 1)).all()
    for k, (text, a) in enumerate(texts):
        for other, b in texts[k + 1 :]:
            apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
            assert apart, (text.get_text(), other.get_text())
    points, effects = axes[0].collections[1].get_offsets(), np.sort(found.frame["effect"].dropna())
    np.testing.assert_allclose(points[:, 1], effects, rtol=1e-15)
    assert "strokes: 95 % intervals" in " ".join(axes[0].texts[0].get_text().split())
    table = found.frame.dropna(subset="effect").sort_values("effect", kind="stable")
    half = {level: _half(found.plot(level=level)[0]) for level in (0.95, 0.5)}
    np.testing.assert_allclose(half[0.95], (table["upper"] - table["lower"]) / 2, rtol=1e-9)
    degrees = [optimize.brentq(lambda d, q=q: stats.t.ppf(0.975, d) - q, 0.2, 1e9) for q in half[0.95] / table["se"]]
    np.testing.assert_allclose(half[0.5], stats.t.ppf(0.75, degrees) * table["se"], rtol=1e-6)
    rows = [label.get_text() for label in axes[1].get_yticklabels()]
    assert rows[:5] == ["market", "mean", "ff3", "(−125, −6)", "(−100, −20)"]
    assert "nobody" in rows
    with pytest.raises(es.InputError, match="an option of the figure of a multiverse is 'kind'"):
        found.plot(kind="curve")


def test_the_curve_alone_and_an_empty_one(result: es.Result, found: Multiverse) -> None:
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    assert found.plot(ax=ax) is ax
    assert ax.collections
    pyplot.close(figure)
    empty = by_hand(result, FRAME.assign(effect=np.nan, p=np.nan, p_adjusted=np.nan))
    drawn = drawn_texts(empty.plot().figure)
    assert "no specification has an effect" in [text.get_text() for text, _ in drawn]


def test_the_table_has_the_numbers_of_the_record(result: es.Result, found: Multiverse) -> None:
    table = result.table("multiverse", of=found)
    pd.testing.assert_frame_equal(
        table.frame.iloc[1:].reset_index(drop=True), found.by_choice(), check_dtype=False, check_exact=True
    )
    assert table.frame.iloc[0]["n"] == 360
    assert any("the regressor is 'Mkt-RF'" in note for note in table.notes)
    with pytest.raises(es.InputError, match=r"give what result\.multiverse"):
        result.table("multiverse", of=FRAME)


def test_a_study_without_events_says_so(data: tuple[es.Events, es.Prices]) -> None:
    unknown = pd.DataFrame({"event_id": ["a", "b"], "ticker": "ZZZZ", "announced": "2020-03-02"})
    found = es.Study(**SHORT).run(es.Events.from_frame(unknown), data[1]).multiverse(["market", "mean"])
    assert found.answer() == "None of 4 specifications could be estimated: no event could be used."
    assert found.summary()[["n", "n_run", "n_valid"]].tolist() == [4, 0, 0]
    assert found.summary().drop(["n", "n_run", "n_valid"]).isna().all()
    assert found.frame["own"].tolist() == [True, False, False, False]


@pytest.mark.slow
def test_the_catalogue_on_real_prices_equals_runs_one_by_one(shared: Path) -> None:
    events, prices = es.catalogue("china-tech"), es.read_prices(shared / "data" / "prices")
    result = es.Study(benchmark=demo.BENCHMARK, sign="expected_sign").run(events, prices)
    samples = {"all": None, "HK": "ticker.str.endswith('.HK')", "2021": lambda frame: frame["date"].dt.year == 2021}
    windows, estimations = ((0, 0), (-1, 1), (0, 5)), {"(-260, -11)": (-260, -11), "(-250, -31)": (-250, -31)}
    benchmarks = {"XHKG: ^HSI, XNYS: ^GSPC": demo.BENCHMARK, "XHKG: ^HSI, XNYS: KWEB": {"XHKG": "^HSI", "XNYS": "KWEB"}}
    found = result.multiverse(
        ["market", "market_adjusted", "mean", "robust"], windows, list(estimations.values()), list(benchmarks.values()),
        samples, ["clustered", "kolari_pynnonen", "wild_bootstrap", "bmp"],
    )  # fmt: skip
    assert len(found.frame) == 576
    assert (found.frame["error"] == "").all()
    for row in found.frame.sample(25, random_state=1).to_dict("records"):
        keep = {
            "all": np.ones(len(events.frame), dtype=bool), "HK": events.frame["ticker"].str.endswith(".HK"),
            "2021": events.frame["date"].dt.year == 2021,
        }[row["sample"]]  # fmt: skip
        part = es.Events.from_frame(events.frame[keep].drop(columns=["stamp", "date"]).reset_index())
        study = es.Study(
            model=row["model"], benchmark=benchmarks[row["benchmark"]], estimation=estimations[row["estimation"]],
            windows=windows, tests=(row["test"],), sign="expected_sign",
        )  # fmt: skip
        alone = in_window(study.run(part, prices).tests, row)
        assert row["n"] == alone["n"]
        actual, expected = ([part[name] for name in ("effect", "se", "p")] for part in (row, alone))
        np.testing.assert_allclose(actual, expected, rtol=1e-9)


def without_news(tickers: list[str], rng: np.random.Generator) -> es.Events:
    """Draw a catalogue of 14 dates, on each of which 2 to 8 shares have an event without news."""
    days = pd.bdate_range("2020-02-01", "2022-12-05").astype(str).to_numpy()
    rows = [
        (f"c{k}:{ticker}", f"c{k}", ticker, day)
        for k, day in enumerate(rng.choice(days, 14, replace=False))
        for ticker in rng.choice(tickers, rng.integers(2, 9), replace=False)
    ]
    return es.Events.from_frame(pd.DataFrame(rows, columns=["event_id", "cluster", "ticker", "announced"]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::eventstudy.errors.EventStudyWarning")
def test_dates_without_news_on_real_prices_are_significant_jointly_as_often_as_they_should(shared: Path) -> None:
    prices, rng = es.read_prices(shared / "data" / "prices"), np.random.default_rng(1)
    tickers = [ticker for ticker in prices.bars if ticker not in ("^HSI", "^GSPC", "HKD=X", "KWEB")]
    study = es.Study(benchmark={**demo.BENCHMARK, "XNAS": "^GSPC"})
    samples = {"all": None, "HK": "ticker.str.endswith('.HK')", "US": "~ticker.str.endswith('.HK')"}
    adjusted, plain, median, n = 0, 0, 0, 300
    for _ in range(n):
        found = study.run(without_news(tickers, rng), prices).multiverse(
            ["market", "market_adjusted", "mean"], samples=samples
        )
        frame = found.frame
        adjusted += bool(frame["p_adjusted"].min() <= 0.05)
        plain += bool((frame.loc[frame["valid"], "p"] < 0.05).any())
        median += found.p_median <= 0.05
    assert 0.01 < adjusted / n < 0.09  # three standard errors of 300 draws are 3.8 %; 600 gave 4.0 %
    assert 0.01 < median / n < 0.09  # 600 gave 3.8 %
    assert plain / n > 0.25  # 600 gave 40 %
