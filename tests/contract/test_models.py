"""What every return model keeps, for being a file in ``models/``."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import eventstudy as es
from eventstudy import _registry
from eventstudy.members import label_of
from eventstudy.run import settings
from eventstudy.types import PEERS, Abnormal, Block, Column, Model, Status
from tests import make

pytestmark = pytest.mark.contract("name", "model", "ols")

NAMES = _registry.names("models", plugins=False)
MODELS: dict[str, Model] = {name: _registry.load("models", name) for name in NAMES}
WITH_INTERCEPT = [  # where there are sessions, the intercept is that of one of them
    name for name in NAMES if "alpha" in MODELS[name].coefficients and Column("sessions") not in MODELS[name].columns
]
CALENDAR = ("sessions", "clock")  # columns that are no returns
REGRESSED = ("sessions", "clock", "peers")  # not these: a constant one is no fault, or there is no column of x
WITH_SLOPE = [
    name
    for name in NAMES
    if len(MODELS[name].coefficients) > 1 and not any(c.name in REGRESSED for c in MODELS[name].columns)
]
ON_BENCHMARK = [name for name in NAMES if Column("benchmark") in MODELS[name].columns]
LINEAR = [name for name in ("market", "dimson", "factors") if name in NAMES]
ROWS = ("ar", "ok", "sigma", "dof", "h", "coef", "r2", "status", "v", "placebos")
VARIANTS = {  # whose options take another way to the estimate
    label_of(model): model
    for model in (
        es.model("clock", benchmark=True), es.model("robust", method="theil_sen"), es.model("garch", p=2, q=2),
        es.model("synthetic_control", intercept=True), es.model("dimson", leads=2, lags=0),
        es.model("fowler_rorke", order=2), es.model("pca", n_components=1),
    )
}  # fmt: skip
ALL = {**MODELS, **VARIANTS}
ON_BENCHMARK_ALONE = {
    name: model for name, model in ALL.items()
    if "alpha" in model.coefficients and {c.name for c in model.columns} - {"clock"} == {"benchmark"}
}  # fmt: skip
OLS = [name for name in NAMES if getattr(MODELS[name], "estimator", "other") == "ols"]


@pytest.fixture(params=OLS)
def ols(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


@cache
def block(model: Model, n: int = 8) -> Block:
    """Draw the block of a model, once for all tests, which cannot write to it."""
    made: Block = make.read_only(make.block(np.random.default_rng(1), model.columns, n))
    return made


def fit(model: Model, block: Block) -> Abnormal:
    """Fit, once for all tests: what a test holds another fit to."""
    return make.CachedModel(model).fit(block)


def same(found: Abnormal, wanted: Abnormal, tolerance: float = 1e-12, rows: Any = slice(None)) -> None:
    for name in ROWS:
        left, right = getattr(found, name), getattr(wanted, name)
        assert (left is None) == (right is None), name
        if left is not None:
            np.testing.assert_allclose(left, right[rows], tolerance, tolerance, err_msg=name)


def rows_of(block: Block, rows: Any) -> Block:
    cut = {f.name: getattr(block, f.name) for f in fields(block)}
    return replace(block, **{k: v[rows] for k, v in cut.items() if isinstance(v, np.ndarray)})


def test_the_models_of_the_design_are_here() -> None:
    assert {"market", "mean", "market_adjusted", "dimson", "factors"} <= set(NAMES)
    assert LINEAR == ["market", "dimson", "factors"]


def test_fit_gives_arrays_of_the_right_shape(model: Model) -> None:
    given = block(model)
    made = fit(model, given)
    n, length = given.r.shape
    parameters = len(model.coefficients)
    assert isinstance(made, Abnormal)
    assert made.ar.shape == made.ok.shape == (n, length)
    assert made.coef.shape == (n, parameters)
    assert made.h.shape[:2] == (n, length)
    assert made.n_est == given.n_est
    for name in ("sigma", "dof", "r2", "status"):
        assert getattr(made, name).shape == (n,), name
    np.testing.assert_array_equal(made.ok[:, made.n_est :], given.ok[:, made.n_est :])
    assert not (made.ok & ~given.ok).any()
    assert (made.ok[:, : made.n_est].sum(axis=1) > given.n_est // 4).all()
    assert ((made.dof > 0) & (made.dof <= given.ok[:, : given.n_est].sum(axis=1))).all()
    for name in ("id", "cluster", "group", "weight"):
        np.testing.assert_array_equal(getattr(made.block, name), getattr(given, name))
    assert (made.status == Status.OK).all()
    assert np.isfinite(made.sigma).all()
    assert (made.sigma > 0).all()
    assert np.isfinite(made.coef).all()


def test_degrees_of_freedom_are_valid_days_less_parameters(ols: Model) -> None:
    given = block(ols)
    made = fit(ols, given)
    valid = given.ok[:, : given.n_est].sum(axis=1)
    np.testing.assert_array_equal(made.dof, valid - len(ols.coefficients))
    np.testing.assert_array_equal(made.ok, given.ok)


def test_sigma_is_the_root_of_squared_residuals_over_degrees_of_freedom(ols: Model) -> None:
    made = fit(ols, block(ols))
    squares = (made.ar[:, : made.n_est] ** 2).sum(axis=1)
    np.testing.assert_allclose(made.sigma, np.sqrt(squares / made.dof), rtol=1e-12)


def is_least_squares(given: Block, made: Abnormal, n_parameters: int) -> bool:
    """Say whether a fit is least squares on all valid days: its residuals are at right angles to its regressors."""
    n_est = given.n_est
    e, h = made.ar[:, :n_est], made.h[:, :n_est]
    across = np.abs(np.einsum("nl,nlp->np", e, h)).max(axis=1, initial=0.0) / np.linalg.norm(e, axis=1)
    leverage = (h**2).sum(axis=(1, 2))
    return bool(
        np.array_equal(made.ok, given.ok)
        and (across < 1e-9).all()
        and np.allclose(leverage, n_parameters, rtol=1e-9)
        and np.allclose((e**2).sum(axis=1), made.sigma**2 * (given.n_valid - n_parameters), rtol=1e-9)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_that_it_is_least_squares_if_and_only_if_it_is(name: str) -> None:
    model = MODELS[name]
    given = block(model)
    assert is_least_squares(given, fit(model, given), len(model.coefficients)) == (name in OLS)


@pytest.mark.parametrize("poison", [1e9, np.nan, np.inf, -np.inf])
def test_what_stands_in_masked_cells_changes_nothing(model: Model, poison: float) -> None:
    given = block(model)
    r, x = given.r.copy(), given.x.copy()
    r[~given.ok], x[~given.ok] = poison, poison
    peers = None if given.peers is None else np.where(given.ok[:, :, None], given.peers, poison)
    with np.errstate(all="raise", under="ignore"):
        same(model.fit(replace(given, r=r, x=x, peers=peers)), fit(model, given), 0.0)


def test_order_and_size_of_the_block_change_nothing(model: Model) -> None:
    given = block(model)
    whole = fit(model, given)
    order = np.random.default_rng(2).permutation(8)
    same(model.fit(rows_of(given, order)), whole, rows=order)
    for size in (1, 3):
        for start in range(0, 8, size):
            some = slice(start, start + size)
            same(model.fit(rows_of(given, some)), whole, rows=some)


def test_inputs_are_not_modified(model: Model) -> None:
    given = block(model)
    before = {f.name: np.copy(getattr(given, f.name)) for f in fields(given) if getattr(given, f.name) is not None}
    model.fit(make.read_only(given))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(given, name), value, err_msg=name)


def test_abnormal_returns_are_zero_where_not_ok(model: Model) -> None:
    made = fit(model, block(model))
    assert (~made.ok).any()
    assert (made.ar[~made.ok] == 0).all()
    assert (made.h[~made.ok] == 0).all()
    assert np.isfinite(made.ar).all()


def test_leverages_of_the_estimation_window_sum_to_the_number_of_parameters(ols: Model) -> None:
    made = fit(ols, block(ols))
    leverage = (made.h[:, : made.n_est] ** 2).sum(axis=2)
    np.testing.assert_allclose(leverage.sum(axis=1), len(ols.coefficients), rtol=1e-12)
    assert (leverage <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", WITH_INTERCEPT)
def test_a_constant_added_to_returns_moves_only_alpha(name: str) -> None:
    model = MODELS[name]
    given = block(model)
    moved = model.fit(replace(given, r=np.where(given.ok, given.r + 0.25, 0.0)))
    made = fit(model, given)
    alpha = model.coefficients.index("alpha")
    near: float = getattr(model, "tolerance", 0.0)
    np.testing.assert_allclose(moved.ar, made.ar, atol=1e-13 + near)
    np.testing.assert_allclose(moved.sigma, made.sigma, rtol=1e-11 + near)
    np.testing.assert_allclose(moved.coef[:, alpha], made.coef[:, alpha] + 0.25, atol=1e-12 + near)
    rest = np.arange(len(model.coefficients)) != alpha
    np.testing.assert_allclose(moved.coef[:, rest], made.coef[:, rest], atol=1e-11 + 10 * near)


def forecast_products(made: Abnormal) -> np.ndarray:
    """Return h h' of the event window (N, n_evt, n_evt): the basis in which a model states h is its own choice."""
    suffix = made.h[:, made.n_est :]
    return np.asarray(suffix @ suffix.transpose(0, 2, 1))


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 100.0, 1e12])
@pytest.mark.parametrize("model", ALL.values(), ids=ALL)
def test_the_unit_of_returns_is_that_of_abnormal_returns_and_changes_nothing_else(model: Model, unit: float) -> None:
    given = block(model)
    are_returns = [c.name not in CALENDAR for c in model.columns if c != PEERS]
    x = np.where(are_returns, unit * given.x, given.x)
    peers = None if given.peers is None else unit * given.peers
    with np.errstate(all="raise", under="ignore"):
        found = model.fit(replace(given, r=unit * given.r, x=x, peers=peers))
    made, near = fit(model, given), getattr(model, "tolerance", 0.0)
    np.testing.assert_array_equal(found.status, made.status)
    np.testing.assert_array_equal(found.ok, made.ok)
    np.testing.assert_allclose(found.dof, made.dof, 1e-12)
    np.testing.assert_allclose(found.ar / unit, made.ar, 1e-11, 1e-13 + near)
    np.testing.assert_allclose(found.sigma / unit, made.sigma, 1e-11 + near)
    np.testing.assert_allclose(found.r2, made.r2, atol=1e-11 + near)
    np.testing.assert_allclose(forecast_products(found), forecast_products(made), 1e-9, 1e-11 + near)
    for name in ("v", "placebos"):
        left, right = getattr(found, name), getattr(made, name)
        assert (left is None) == (right is None)
        if right is not None:
            np.testing.assert_allclose(left, right, 1e-9 + 10 * near)
    if "alpha" in model.coefficients:
        alpha = model.coefficients.index("alpha")
        np.testing.assert_allclose(found.coef[:, alpha] / unit, made.coef[:, alpha], 1e-9, 1e-13 + near)


@pytest.mark.parametrize("spread", [1e-8, 1e-4, 1e-6, 1e-10, 1e-13])
@pytest.mark.parametrize("model", ON_BENCHMARK_ALONE.values(), ids=ON_BENCHMARK_ALONE)
def test_of_a_benchmark_that_hardly_varies_the_digits_that_are_left_are_used(model: Model, spread: float) -> None:
    # beside an intercept only deviations from a constant matter, of which 1 leaves so many digits
    given = block(model)
    made, near = fit(model, given), getattr(model, "tolerance", 0.0)
    are_returns = [c.name not in CALENDAR for c in model.columns]
    x = np.where(given.ok[..., None] & are_returns, 1.0 + spread * given.x / 0.01, given.x)
    with np.errstate(all="raise", under="ignore"):
        found = model.fit(replace(given, x=x))
    if spread < 1e-12:
        assert (found.status == Status.SINGULAR).all()
        assert np.isnan(found.sigma).all()
        assert np.isnan(found.coef).all()
        return
    lost = 100 * np.finfo(float).eps / spread
    assert (found.status == Status.OK).all()
    np.testing.assert_allclose(found.ar, made.ar, atol=lost * np.abs(made.ar).max() + near)
    np.testing.assert_allclose(found.sigma, made.sigma, lost + near)
    own, its = forecast_products(found), forecast_products(made)
    np.testing.assert_allclose(own, its, atol=lost * its.max() + near)


@pytest.mark.parametrize("name", LINEAR)
def test_a_multiple_of_the_benchmark_added_to_returns_moves_only_its_beta(name: str) -> None:
    model = MODELS[name]
    given = block(model)
    own = model.columns.index(Column("benchmark"))
    moved = model.fit(replace(given, r=given.r + 0.7 * given.x[..., own]))
    made = fit(model, given)
    np.testing.assert_allclose(moved.ar, made.ar, atol=1e-14)
    change = np.zeros(len(model.coefficients))
    change[1 + own] = 0.7
    np.testing.assert_allclose(moved.coef - made.coef, np.tile(change, (len(made.coef), 1)), atol=1e-12)
    np.testing.assert_allclose(moved.sigma, made.sigma, rtol=1e-12)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_models_agree_with_least_squares_of_numpy_event_by_event(name: str) -> None:
    model = MODELS[name]
    given = block(model)
    made = fit(model, given)
    for i in range(len(given.r)):
        est = np.flatnonzero(given.ok[i, : given.n_est])
        design = np.column_stack([np.ones(given.r.shape[1]), given.x[i]])
        b, *_ = np.linalg.lstsq(design[est], given.r[i, est], rcond=None)
        np.testing.assert_allclose(made.coef[i], b, rtol=1e-10, atol=1e-12)
        wanted = np.where(given.ok[i], given.r[i] - design @ b, 0.0)
        np.testing.assert_allclose(made.ar[i], wanted, atol=1e-13)
        own = np.where(given.ok[i, given.n_est :, None], design[given.n_est :], 0.0)
        w = np.linspace(-1.0, 2.0, own.shape[0])
        factor = w @ own @ np.linalg.inv(design[est].T @ design[est]) @ own.T @ w
        np.testing.assert_allclose(((w @ made.h[i, given.n_est :]) ** 2).sum(), factor, rtol=1e-9)
        centred = given.r[i, est] - given.r[i, est].mean()
        np.testing.assert_allclose(made.r2[i], 1 - (wanted[est] ** 2).sum() / (centred**2).sum(), rtol=1e-9)


@pytest.mark.parametrize("level", [0.0, 0.003])
@pytest.mark.parametrize("name", WITH_SLOPE)
def test_a_constant_regressor_is_singular_and_touches_no_other_event(name: str, level: float) -> None:
    model = MODELS[name]
    given = block(model)
    x = given.x.copy()
    x[[3, 7]] = level
    with np.errstate(all="raise", under="ignore"):
        made = model.fit(replace(given, x=x))
    others = np.setdiff1d(np.arange(len(x)), [3, 7])
    assert made.status[[3, 7]].tolist() == [Status.SINGULAR, Status.SINGULAR]
    assert np.isnan(made.sigma[[3, 7]]).all()
    assert np.isnan(made.coef[[3, 7]]).all()
    whole = fit(model, given)
    same(made.take(np.isin(np.arange(len(x)), others)), whole, rows=others)


@pytest.mark.parametrize("level", [0.0, 0.001])
@pytest.mark.parametrize("name", WITH_INTERCEPT)
def test_returns_that_do_not_vary_are_no_variation(name: str, level: float) -> None:
    model = MODELS[name]
    given = block(model)
    r = given.r.copy()
    r[5] = level
    with np.errstate(all="raise", under="ignore"):
        made = model.fit(replace(given, r=r))
    assert made.status[5] == Status.NO_VARIATION
    assert np.isnan(made.sigma[5])
    others = np.arange(len(r)) != 5
    same(made.take(others), fit(model, given), rows=others)


@pytest.mark.parametrize("name", ON_BENCHMARK)
def test_a_security_that_is_its_own_benchmark_is_no_variation(name: str) -> None:
    model = MODELS[name]
    given = block(model)
    r = given.r.copy()
    r[5] = given.x[5, :, model.columns.index(Column("benchmark"))]
    made = model.fit(replace(given, r=r))
    assert made.status[5] == Status.NO_VARIATION
    assert (np.delete(made.status, 5) == Status.OK).all()


def test_no_estimation_day_is_too_few_and_touches_no_other_event(model: Model) -> None:
    given = block(model)
    ok = given.ok.copy()
    ok[4, : given.n_est] = False
    with np.errstate(all="raise", under="ignore"):
        made = model.fit(replace(given, ok=ok))
    assert made.status[4] == Status.TOO_FEW_ESTIMATION
    others = np.arange(len(ok)) != 4
    same(made.take(others), fit(model, given), rows=others)


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_has_an_equation_and_a_reference(name: str) -> None:
    doc = importlib.import_module(f"eventstudy.models.{name}").__doc__ or ""
    assert ".. math::" in doc
    assert re.search(r"\((1[89]|20)\d\d\b", doc), "a reference has its year in brackets"
    assert ">>>" in doc


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["independent", "same_day", "overlap"])
@pytest.mark.parametrize("name", NAMES)
def test_a_study_runs_from_prices_to_default_tests(name: str, kind: make.Kind) -> None:
    model = MODELS[name]
    given = make.material(np.random.default_rng(3), model.columns, n=15, kind=kind)
    study = es.Study(
        model=name, benchmark="M", estimation=(-85, -6), event=(-5, 5), windows=((0, 0), (-5, 5)), min_estimation=40
    )
    result = study.run(given.events, given.prices, factors=given.factors)
    assert (result.events["status"] == "ok").all()
    chosen = settings.tests_for(study, kind, result.provenance["clustering"]["n_clusters"], False)
    assert set(result.tests["test"]) == set(chosen)
    assert set(chosen) <= {*settings.DEFAULT_TESTS[kind], "kolari_pynnonen(variance='additive')"}
    lost = result.tests["statistic"].isna()
    long = result.tests["note"].str.contains("longer than a quarter of the estimation window")
    without = [chosen[test] for test in set(result.tests["test"][lost & ~long])]
    assert not any(make.has_value_for_all_kinds(test) for test in without)
    assert (result.tests["note"][lost] != "").all()
    assert result.tests["p"][~lost].between(0, 1).all()
    assert not lost.all()
    assert result.ar.shape == (15, 11)
    wanted = result.ar.sum(axis=1).to_numpy()
    whole = result.cars[(result.cars["start"] == -5) & (result.cars["end"] == 5)]
    np.testing.assert_allclose(whole["car"], wanted, atol=1e-15)
    assert np.isfinite(result.events[list(model.coefficients)].to_numpy(dtype=float)).all()
