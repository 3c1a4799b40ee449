"""Every argument of every public function: a value of a wrong type or size is an error of the library, and at once."""

from __future__ import annotations

import copy
import decimal
import fractions
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import demo, studyfile, transform
from eventstudy.members import settings_of
from eventstudy.types import Abnormal, Block


class Unshowable:
    """An object that raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


# Values that no argument may have, then values that only some arguments may not have.
ALWAYS: dict[str, object] = {
    "bytes": b"x", "complex": 1j, "object": object(), "class": int, "unshowable": Unshowable(), "lambda": lambda: 1,
    "nested": [[[1, 2], [3]], {"a": object()}], "array": np.arange(3.0), "matrix": np.ones((2, 2)), "nat": pd.NaT,
    "na": pd.NA, "ellipsis": ..., "not implemented": NotImplemented, "dates": pd.bdate_range("2020-01-01", periods=3),
    "series": pd.Series([1, 2]), "frame": pd.DataFrame({"a": [1]}), "error": ValueError("x"), "unhashable": {"a": [{}]},
    "generator": iter(()), "long list": [object()] * 100_000, "decimal": decimal.Decimal("0.1"),
}  # fmt: skip
TEXTS: dict[str, object] = {
    "empty text": "", "NUL": "a\0b", "surrogate": "\ud800", "long text": "x" * 1_000_000, "no such name": "none such",
}  # fmt: skip
NUMBERS: dict[str, object] = {
    "zero": 0, "one": 1, "minus": -1, "true": True, "false": False, "half": 0.5, "nan": np.nan, "inf": np.inf,
    "huge": 10**400, "huger": 10**5000, "2**63": 2**63, "fraction": fractions.Fraction(1, 3), "float64": np.float64(2),
    "int64": np.int64(3), "bool_": np.bool_(True),
}  # fmt: skip
LISTS: dict[str, object] = {
    "none": None, "list": [], "tuple": (), "dict": {}, "set": set(), "pair": (0, 0), "pairs": [(0, 0), (1, 1)],
    "floats": (0.0, 1.0), "backwards": (3, 1), "truths": (True, False), "far": (-(10**9), -11), "long": (-10, 20_000),
    "texts": ["a", "b"], "mapping": {"a": 1}, "list of None": [None], "three": (1, 2, 3), "ragged": [(0, 0), (1,)],
    "huge pair": (0, 10**400), "nan pair": (0, np.nan), "text pair": ("a", "b"), "repeated": [(0, 0), (0, 0)],
}  # fmt: skip
VALUES = {**ALWAYS, **TEXTS, **NUMBERS, **LISTS}
FEW = {
    name: VALUES[name] for name in ("unshowable", "frame", "na", "surrogate", "huge", "nan", "true", "none", "texts")
}

SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-60, -6), "event": (-3, 3), "windows": ((0, 0),), "min_estimation": 30,
    "tests": ["cross_section"],
}  # fmt: skip
DAYS = pd.bdate_range("2020-01-01", periods=160)


OTHERS = {name: value for name, value in VALUES.items() if name not in FEW}


@pytest.fixture(
    params=[FEW, pytest.param(OTHERS, marks=[pytest.mark.thorough, pytest.mark.full])], ids=["some", "others"]
)
def values(request: pytest.FixtureRequest) -> dict[str, object]:
    """What an argument is given: some values of other types, and all."""
    found: dict[str, object] = request.param
    return found


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(100 * np.exp(draw.normal(0, 0.01, (160, 5)).cumsum(axis=0)), DAYS, list("ABCDM"))
    return es.Prices.from_frame(frame)


@pytest.fixture(scope="module")
def events() -> es.Events:
    rows = [(ticker, str(DAYS[90 + 3 * k].date()), k, "xy"[k % 2]) for k, ticker in enumerate("ABCDABCD")]
    return es.Events.from_frame(pd.DataFrame(rows, columns=["ticker", "announced", "size", "sector"]))


@pytest.fixture(scope="module")
def result(events: es.Events, prices: es.Prices) -> es.Result:
    return es.Study(**SHORT).run(events, prices)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def only_own_errors(call: Callable[[], object]) -> str:
    """Call, and return the message of the library's error, or nothing if the value is one that is accepted."""
    message = ""
    try:
        call()
    except es.EventStudyError as error:
        message = str(error)
    assert len(message) < 3_000
    return message


CHOICES = sorted(es.Study.__dataclass_fields__)


@pytest.mark.parametrize("choice", CHOICES)
def test_choices_of_a_study(values: dict[str, object], choice: str, events: es.Events, prices: es.Prices) -> None:
    """What is accepted when the study is made, runs or is refused by the library's errors."""
    for name, value in values.items():
        message = only_own_errors(lambda value=value: es.Study(**{**SHORT, choice: value}))  # type: ignore[misc]
        if message:
            words = ("inference", "test") if choice == "tests" else (choice.rstrip("s"), "event")
            assert any(word in message for word in words), (name, message)
            continue
        assert name not in ALWAYS or choice in ("tests", "peers"), name
        study = es.Study(**{**SHORT, choice: value})
        assert repr(study).startswith("Study(")
        assert study._repr_html_()
        only_own_errors(study.to_toml)
        only_own_errors(lambda study=study: study.check(events, prices))  # type: ignore[misc]
        only_own_errors(lambda study=study: study.run(events, prices))  # type: ignore[misc]


@pytest.mark.parametrize(
    "argument", ["events", "prices", "factors", "other_news", "progress", "executor", "checkpoint"]
)
@pytest.mark.parametrize("method", ["run", "check"])
def test_data_of_a_study(
    values: dict[str, object],
    argument: str,
    method: str,
    events: es.Events,
    prices: es.Prices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if method == "check" and argument in ("progress", "executor", "checkpoint"):
        pytest.skip("check has no such argument")
    study = es.Study(**SHORT)
    for name, value in values.items():
        arguments = {"events": events, "prices": prices, argument: value}
        message = only_own_errors(lambda arguments=arguments: getattr(study, method)(**arguments))  # type: ignore[misc]
        if argument in ("events", "prices"):
            assert argument in message, name
    with pytest.raises(es.InputError, match="swapped"):
        getattr(study, method)(prices, events)
    with pytest.raises(es.InputError, match=r"es\.Events\.from_frame"):
        getattr(study, method)(events.frame, prices)
    with pytest.raises(es.InputError, match=r"es\.Prices\.from_frame"):
        getattr(study, method)(events, events.frame)


NEW = pd.DataFrame({"event_id": ["new"], "ticker": ["A"], "announced": [str(DAYS[120].date())]})
METHODS: dict[str, dict[str, object]] = {
    "extend": {
        "events": es.Events.from_frame(NEW),
        "prices": None,
        "factors": None,
        "other_news": None,
        "progress": False,
    },
    "path": {"event_id": "E0001", "start": -1},
    "calibrate": {"draws": 20, "shocks": (0.0,), "level": 0.05, "seed": 0},
    "adjust": {"method": "holm", "draws": 99},
    "band": {"level": 0.9, "draws": 99},
    "compare": {"column": "sector", "window": (0, 0), "cov": "cr2", "draws": 99},
    "regress": {"formula": "car ~ size", "window": (0, 0), "weights": None, "cov": "HC1", "draws": 99},
    "across": {"models": ["market"], "windows": [(0, 0)]},
    "diagnose": {"constituents": None},
    "money": {"value": "size", "window": (0, 0), "currency": None, "shares": None, "group": None},
    "single": {"event_id": "E0001", "window": (0, 0), "scale": 0.05},
    "sequential": {"window": (0, 0), "level": 0.95, "plan": 30},
    "multiverse": {
        "models": ["market"],
        "windows": [(0, 0)],
        "estimations": None,
        "benchmarks": None,
        "samples": {"all": None},
        "tests": ["cross_section"],
    },
    "report": {"path": "report.txt"},
    "save": {"path": "saved"},
}
ARGUMENTS = [(method, argument) for method, arguments in METHODS.items() for argument in arguments]


@pytest.mark.thorough
@pytest.mark.parametrize(("method", "argument"), ARGUMENTS)
def test_methods_of_a_result(
    values: dict[str, object],
    method: str,
    argument: str,
    result: es.Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    getattr(result, method)(**METHODS[method])
    for name, value in values.items():
        if argument == "draws" and isinstance(value, int) and 20 <= value <= 10**6:
            continue
        call = getattr(result, method)
        arguments = {**METHODS[method], argument: value}
        message = only_own_errors(lambda call=call, arguments=arguments: call(**arguments))  # type: ignore[misc]
        valid = (argument, name) == ("shocks", "array") or (method, name) == ("save", "no such name")
        assert message or valid or name not in {**ALWAYS, **TEXTS}, name


FIGURES: dict[str, tuple[str, ...]] = {
    "caar": ("band", "level", "title", "figsize", "ax"), "ar": ("event_id", "level", "ax"),
    "path": ("event_id", "start", "level", "ax"), "events": ("events", "title", "figsize"),
    "timeline": ("title", "figsize", "ax"), "aar": ("level", "title", "figsize", "ax"),
    "heatmap": ("window", "figsize", "ax"), "forest": ("window", "page", "level", "figsize", "ax"),
    "distribution": ("window", "figsize", "ax"), "diagnostics": ("title", "figsize"),
    "groups": ("groups", "level", "title", "figsize"),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "option"),
    [
        pytest.param(kind, option, marks=[] if kind in ("caar", "forest") else [pytest.mark.slow])
        for kind, names in FIGURES.items()
        for option in names
    ],
)
def test_options_of_figures(values: dict[str, object], kind: str, option: str, result: es.Result) -> None:
    from matplotlib import pyplot

    for value in values.values():
        only_own_errors(lambda value=value: result.plot(kind, **{option: value}))  # type: ignore[misc]
        pyplot.close("all")
    with pytest.raises(es.InputError, match=f"an option of the figure '{kind}' is 'foo'; valid are"):
        result.plot(kind, foo=1)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "option"), [("curve", "window"), ("curve", "test"), ("events", "window"), ("events", "most")]
)
def test_options_of_figures_of_models(values: dict[str, object], kind: str, option: str, result: es.Result) -> None:
    from matplotlib import pyplot

    made = result.across(["market", "mean"])
    for value in values.values():
        only_own_errors(lambda value=value: made.plot(kind, **{option: value}))  # type: ignore[misc]
        pyplot.close("all")


@pytest.mark.parametrize("option", ["window", "ax", "no_such"])
def test_options_of_the_figure_of_power(values: dict[str, object], option: str, result: es.Result) -> None:
    from matplotlib import pyplot

    made = result.calibrate(draws=20)
    for value in values.values():
        only_own_errors(lambda value=value: made.plot(**{option: value}))  # type: ignore[misc]
        pyplot.close("all")


def test_kinds_of_figures(values: dict[str, object], result: es.Result) -> None:
    for value in values.values():
        assert only_own_errors(lambda value=value: result.plot(value))  # type: ignore[misc]


SPECIFICATIONS: dict[str, dict[str, object]] = {
    "table": {"window": (0, 0)}, "summary": {"window": (0, 0), "test": "cross_section"},
    "dependence": {"window": (0, 0)}, "join": {"other": None}, "plot": {"kind": "curve"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "argument"), [(method, argument) for method, given in SPECIFICATIONS.items() for argument in given]
)
def test_methods_of_specifications(values: dict[str, object], method: str, argument: str, result: es.Result) -> None:
    made = result.across(["market", "mean"])
    for value in values.values():
        arguments = {**SPECIFICATIONS[method], argument: value}
        only_own_errors(lambda arguments=arguments: getattr(made, method)(**arguments))  # type: ignore[misc]
    with pytest.raises(es.InputError, match="an option of the figure 'curve' is 'foo'"):
        made.plot("curve", foo=1)


OPTIONS = [
    (make, name, option)
    for make, names in ((es.model, es.models()), (es.test, es.tests()))
    for name in names
    for option in settings_of(make(name))
]


@pytest.mark.parametrize(("make", "name", "option"), OPTIONS)
def test_options_of_members(values: dict[str, object], make: Callable[..., Any], name: str, option: str) -> None:
    for label, value in values.items():
        if option == "name":
            assert only_own_errors(lambda value=value: make(value))  # type: ignore[misc]
            assert only_own_errors(lambda value=value: make(name, no_such=value))  # type: ignore[misc]
            continue
        message = only_own_errors(lambda value=value: make(name, **{option: value}))  # type: ignore[misc]
        assert message or label not in ALWAYS, label
        if isinstance(value, bool) and not message:
            assert isinstance(settings_of(make(name))[option], bool)


@pytest.mark.thorough
def test_functions_of_names_and_files(
    values: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in values.values():
        for function in (es.catalogue, es.read_french, studyfile.read):
            assert only_own_errors(lambda function=function, value=value: function(value))  # type: ignore[misc]
    for value in {**ALWAYS, **TEXTS, "half": 0.5, "minus": -1, "true": True, "none": None}.values():
        assert only_own_errors(lambda value=value: demo.run(seed=value))  # type: ignore[misc]


def test_arguments_of_a_headline(values: dict[str, object], prices: es.Prices) -> None:
    arguments = {
        "ticker": "A", "when": str(DAYS[40])[:10], "move": -0.06, "prices": prices, "kind": "money", "digits": 0,
        "benchmark": "M", "value": 1e9,
    }  # fmt: skip
    for name, value in values.items():
        for argument in arguments:
            given = {**arguments, argument: value}
            message = only_own_errors(lambda given=given: es.headline(**given))  # type: ignore[misc]
            assert message or argument in ("move", "when", "digits", "value", "benchmark"), (argument, name)


TRANSFORMS: dict[str, dict[str, object]] = {
    "delisted": {"returns": {"A": -0.3}},
    "portfolio": {"tickers": ["A", "B"], "name": "P", "weights": {"A": 1.0, "B": 2.0}, "rebalance": "daily"},
    "without": {"index": "M", "weights": {"A": 0.1}, "name": "P"},
    "attach": {"name": "extra", "frame": pd.DataFrame({"A": 1.0}, DAYS)},
    "monthly": {},
    "overnight": {},
    "hours": {"first": "09:30", "last": "16:00"},
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_arguments_of_transformations(values: dict[str, object], name: str, prices: es.Prices) -> None:
    function, arguments = getattr(transform, name), TRANSFORMS[name]
    for value in values.values():
        assert only_own_errors(lambda value=value: function(value, **arguments))  # type: ignore[misc]
        for argument in arguments:
            given = {**arguments, argument: value}
            only_own_errors(lambda given=given: function(prices, **given))  # type: ignore[misc]


SIZES = pd.DataFrame({"ticker": ["A", "B"], "size": [1.0, 2.0]})
MATCHINGS: dict[str, dict[str, object]] = {
    "control_firms": {
        "characteristics": SIZES, "on": ["size"], "window": (0, 1), "n": 1, "within": {"size": (0.1, 9)},
        "name": "control",
    },
    "reference_portfolios": {
        "characteristics": SIZES, "groups": {"size": 1}, "window": (0, 1), "weights": "size", "rebalance": "never",
        "name": "reference",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MATCHINGS)
def test_arguments_of_matchings(values: dict[str, object], name: str, prices: es.Prices) -> None:
    function, arguments = getattr(transform, name), {**MATCHINGS[name]}
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": [str(DAYS[40])[:10]]}))
    assert function(events, prices, **arguments).events.frame.iloc[0, -3] != ""
    for value in values.values():
        assert only_own_errors(lambda value=value: function(value, prices, **arguments))  # type: ignore[misc]
        assert only_own_errors(lambda value=value: function(events, value, **arguments))  # type: ignore[misc]
        for argument in arguments:
            given = {**arguments, argument: value}
            only_own_errors(lambda given=given: function(events, prices, **given))  # type: ignore[misc]


# What an object of the library is beside its arguments.


def test_a_study_keeps_its_choices_when_the_callers_objects_change() -> None:
    windows, tests, benchmark, peers = [[0, 0]], ["bmp"], {"A": "M"}, {"A": ["B"]}
    study = es.Study(**{**SHORT, "windows": windows, "tests": tests, "benchmark": benchmark, "peers": peers})
    windows[0][0], windows[1:], tests[0], benchmark["A"], peers["A"][0] = -9, [[1, 1]], "sign", "X", "X"
    assert study.windows == ((0, 0),)
    assert (list(study.tests), study.benchmark, study.peers) == (["bmp"], {"A": "M"}, {"A": ["B"]})


def test_numbers_of_numpy_are_plain_numbers() -> None:
    study = es.Study(
        **{**SHORT, "seed": np.int32(3), "min_estimation": np.int64(40), "min_coverage": np.float32(0.5),
           "event": np.array([-3, 3]), "windows": np.array([[0, 0], [-1, 1]])}
    )  # fmt: skip
    assert [type(value) for value in (study.seed, study.min_estimation, study.min_coverage)] == [int, int, float]
    assert (study.event, study.windows) == ((-3, 3), ((0, 0), (-1, 1)))
    assert {type(day) for window in study.windows for day in window} == {int}


def test_results_are_equal_to_themselves_alone(result: es.Result) -> None:
    copied = copy.copy(result)
    assert result == result
    assert result != copied
    assert len({result, copied}) == 2
    assert result.across(["market"]) != result.across(["market"])


def test_a_copy_leaves_the_executor_behind(events: es.Events, prices: es.Prices) -> None:
    with ThreadPoolExecutor(1) as pool:
        result = es.Study(**SHORT).run(events, prices, executor=pool)
        assert result.rerun.workers.executor is pool
        for copied in (copy.copy(result), copy.copy(result.rerun), copy.copy(result.rerun.workers)):
            workers = getattr(getattr(copied, "rerun", copied), "workers", copied)
            assert workers.executor is None
    pd.testing.assert_frame_equal(copy.copy(result).band(draws=99), copy.deepcopy(result).band(draws=99))


def test_columns_with_the_names_of_results_are_refused(events: es.Events, prices: es.Prices) -> None:
    own = es.Events.from_frame(events.frame[["ticker", "announced"]].assign(beta=1.0, n_contaminated=2.0))
    with pytest.raises(es.InputError, match=r"column 'beta', which the results of this study have too; rename it"):
        es.Study(**SHORT).run(own, prices)
    with pytest.raises(es.InputError, match="'beta'"):
        es.Study(**SHORT, group="beta").check(own, prices)
    with pytest.raises(es.InputError, match="'n_contaminated'"):
        es.Study(**SHORT, model="mean", contaminated="flag").run(own, prices)
    kept = es.Study(**SHORT, model="mean").run(own, prices).events
    assert (set(kept["beta"]), set(kept["n_contaminated"])) == ({1.0}, {2.0})


class Scribbling:
    """A model whose fit changes its block."""

    columns = es.model("market").columns
    coefficients = ("alpha", "beta")

    def fit(self, block: Block) -> Abnormal:
        block.r[:, 0] = 0.0
        return es.model("market").fit(block)


def test_a_model_that_writes_into_its_block_is_refused(events: es.Events, prices: es.Prices) -> None:
    with pytest.raises(es.InputError, match="'Scribbling' writes into its block"):
        es.Study(**{**SHORT, "model": Scribbling()}).run(events, prices)


class Varying(Scribbling):
    """A model with a wrong variance."""

    def __init__(self, v: float) -> None:
        self.v = v

    def fit(self, block: Block) -> Abnormal:
        from dataclasses import replace

        fitted = es.model("market").fit(block)
        return replace(fitted, v=np.full(fitted.ar.shape, self.v))


@pytest.mark.parametrize("v", [0.0, -1.0, np.nan, np.inf])
def test_variances_of_days_are_checked(v: float, events: es.Events, prices: es.Prices) -> None:
    with pytest.raises(es.InputError, match="as v; its contract requires finite numbers above 0"):
        es.Study(**{**SHORT, "model": Varying(v)}).run(events, prices)


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda: es.model("markt"), "market"),
        (lambda: es.test("bmpp"), "bmp"),
        (lambda: es.model("dimson", lead=1), "leads"),
        (lambda: es.Study(returns="Log"), "log"),
        (lambda: es.catalogue("china_tech"), "china-tech"),
    ],
)
def test_the_nearest_name_is_proposed(call: Callable[[], object], nearest: str) -> None:
    with pytest.raises(es.InputError, match=rf"did you mean '{nearest}'\?"):
        call()


def test_columns_near_to_the_one_named_are_proposed(events: es.Events, prices: es.Prices, result: es.Result) -> None:
    with pytest.raises(es.InputError, match="did you mean 'sector'"):
        es.Study(**SHORT, group="secter").run(events, prices)
    with pytest.raises(es.InputError, match="did you mean 'sector'"):
        result.compare("secter")


def test_reports_of_plug_ins_are_among_the_suffixes(result: es.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    from eventstudy import _registry

    plain, known = _registry.names, _registry.names("reports")
    monkeypatch.setattr(
        _registry,
        "names",
        lambda folder, plugins=True: (*known, "odt") if folder == "reports" else plain(folder, plugins),
    )
    with pytest.raises(es.InputError, match=r"valid are .*'\.txt'.*'\.odt'"):
        result.report("x.jpg")


def test_frames_of_prices_of_wrong_types(values: dict[str, object]) -> None:
    frame = pd.DataFrame({"A": np.linspace(10, 11, 160), "B": np.linspace(20, 21, 160)}, DAYS)
    for value in values.values():
        assert only_own_errors(lambda value=value: es.Prices.from_frame(value))  # type: ignore[misc]
        only_own_errors(lambda value=value: es.Prices.from_frame(frame, value))  # type: ignore[misc]
        only_own_errors(lambda value=value: es.Prices.from_frame(frame).frame(value))  # type: ignore[misc]
    for column, match in (
        ("abc", r"'abc' \(str\) in column 'A', row 2020-01-01"), (True, r"True \(bool\)"), (1j, r"\(complex\)"),
        (DAYS, r"\(Timestamp\)"), ([[1]] * 160, r"\[1\] \(list\)"), (DAYS - DAYS[0], r"\(Timedelta\)"),
    ):  # fmt: skip
        with pytest.raises(es.InputError, match=match):
            es.Prices.from_frame(frame[["A"]].assign(A=column))
    masked = frame.astype(object)
    masked.iloc[7, 0], masked.iloc[8, 0] = pd.NA, None
    closes = es.Prices.from_frame(masked).bars["A"].fields["close"]
    assert np.flatnonzero(np.isnan(closes)).tolist() == [7, 8]
    np.testing.assert_array_equal(np.delete(closes, [7, 8]), np.delete(frame["A"].to_numpy(), [7, 8]))


DOORS: dict[str, Callable[[Any, es.Prices], object]] = {
    "read_events": lambda value, _: es.read_events(value),
    "read_result": lambda value, _: es.read_result(value),
    "Events.from_frame": lambda value, _: es.Events.from_frame(value),
    "read_prices": lambda value, _: es.read_prices(value),
    "prices of write_prices": lambda value, _: es.write_prices(value, "store"),
    "folder of write_prices": lambda value, prices: es.write_prices(prices, value),
    "partition of write_prices": lambda value, prices: es.write_prices(prices, "store", value),
    "tickers": lambda value, _: es.fetch_prices(value, None, None, source="simulated"),
    "start": lambda value, _: es.fetch_prices(["BABA"], value, "2021-01-30", source="simulated"),
    "end": lambda value, _: es.fetch_prices(["BABA"], "2021-01-01", value, source="simulated"),
    "source": lambda value, _: es.fetch_prices(["BABA"], None, None, source=value),
}
OPTIONS_OF_SOURCES = {
    "simulated": ("seed", "reactions", "totals"), "folder": ("path",), "store": ("path",),
    "parquet": ("path", "columns"), "duckdb": ("path", "table", "query", "columns", "external_access"),
    "sql": ("uri", "table", "columns"), "frame": ("frame", "exchange"),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_doors(
    values: dict[str, object], door: str, prices: es.Prices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in values.items():
        message = only_own_errors(lambda value=value: DOORS[door](value, prices))  # type: ignore[misc]
        assert message or name not in {**ALWAYS, **TEXTS} or (door, name) == ("folder of write_prices", "no such name")


@pytest.mark.parametrize(
    ("source", "option"), [(name, option) for name, of in OPTIONS_OF_SOURCES.items() for option in of]
)
def test_options_of_sources(
    values: dict[str, object], source: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bases: dict[str, dict[str, Any]] = {
        "simulated": {}, "frame": {"frame": pd.DataFrame({"A": [1.0]}, ["2020-01-01"])},
        "sql": {"uri": "postgresql://127.0.0.1:9/x"},
    }  # fmt: skip
    given = bases.get(source, {"path": "nowhere"})
    for name, value in values.items():
        arguments = {**given, option: value}
        message = only_own_errors(lambda arguments=arguments: es.fetch_prices(["A"], None, None, source, **arguments))  # type: ignore[misc]
        # a text is taken for the code of an exchange, which is looked up when a study runs
        assert message or name not in (ALWAYS if option == "exchange" else {**ALWAYS, **TEXTS}), name


@pytest.mark.thorough
@pytest.mark.parametrize("column", ["ticker", "announced", "timezone", "cluster", "event_id", "firm", "other"])
def test_cells_of_events(values: dict[str, object], column: str) -> None:
    for value in values.values():
        frame = pd.DataFrame({"ticker": ["A", "B"], "announced": ["2020-03-02", "2020-03-03 10:00"]})
        frame[column] = pd.Series([value, value], dtype=object)
        only_own_errors(lambda frame=frame: es.Events.from_frame(frame))  # type: ignore[misc]
