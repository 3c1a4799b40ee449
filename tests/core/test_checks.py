"""What a model or test of the user's may get wrong is refused, and the message names it; what is right passes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest

from eventstudy import _registry
from eventstudy.core import parts
from eventstudy.core import run as running
from eventstudy.core.checks import check_abnormal, check_model, check_state, check_test, check_verdict
from eventstudy.core.sums import Gathered, Rows, add
from eventstudy.errors import InputError
from eventstudy.types import PEERS, Column, SharedState, Status, Test, Verdict
from tests import make

MARKET = _registry.load("models", "market")
BMP: Test = _registry.load("inference", "bmp")


@dataclass
class Own:
    """A model whose every part can be something else."""

    columns: Any = (Column("benchmark"),)
    coefficients: Any = ("alpha", "beta")
    change: Callable[[Any], Any] = lambda made: made

    def fit(self, block: Any) -> Any:
        return self.change(MARKET.fit(block))


def case() -> make.Case:
    return make.case(np.random.default_rng(1), n=20, kind="same_day")


def carry(model: Any = MARKET, test: Any = BMP) -> Any:
    given = case()
    return running.run(given.panels, given.placed, model, {"own": test}, given.sample)


def changed(**fields: Any) -> Callable[[Any], Any]:
    """Give a change of an Abnormal that its own check of shapes does not see."""

    def change(made: Any) -> Any:
        for name, value in fields.items():
            object.__setattr__(made, name, value(made) if callable(value) else value)
        return made

    return change


def few(one: Any) -> Any:
    return {}


# What is declared.


def test_what_is_shared_has_one_list_of_names():
    assert set(parts.SHARED) == set(get_args(SharedState))


@pytest.mark.parametrize("name", _registry.names("models", plugins=False))
def test_the_models_of_the_library_are_as_they_should(name):
    check_model(_registry.load("models", name), name)


@pytest.mark.parametrize("name", _registry.names("inference", plugins=False))
def test_the_tests_of_the_library_are_as_they_should(name):
    check_test(_registry.load("inference", name), name)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (3, "is 3; give a name, or an object with a fit"),
        (Own, "object with a fit"),
        (type("Bare", (), {"fit": lambda self: None})(), r"as fit; its contract requires a function of \(block\)"),
        (Own(columns=("benchmark",)), r"'benchmark',.* as columns; .* a tuple of Column"),
        (Own(columns=[Column("benchmark")]), "a tuple of Column"),
        (Own(columns=Column("benchmark")), "a tuple of Column"),
        (Own(columns=(Column(""),)), "a tuple of Column"),
        (Own(columns=(Column("benchmark", 1.5),)), "a tuple of Column"),
        (Own(columns=None), "None as columns"),
        (Own(columns=(PEERS, Column("benchmark"))), "PEERS in the last place"),
        (Own(coefficients="beta"), "'beta' as coefficients; .* a tuple of different texts"),
        (Own(coefficients=("beta", "beta")), "a tuple of different texts"),
        (Own(coefficients=("beta", 1)), "a tuple of different texts"),
        (Own(coefficients=("beta", "sigma")), "'sigma' as coefficients; .* no other columns of Result.events"),
    ],
)
def test_a_model_that_declares_something_else_is_refused(model, says):
    with pytest.raises(InputError, match=rf"the model 'own' .*{says}"):
        check_model(model, "own")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        (3, r"is 3; a test is a Test\(chunk, finalize\)"),
        (Test(None, BMP.finalize), r"None as chunk; .* a function of \(scores, abnormal, prior\)"),
        (Test(few, BMP.finalize), r"a function of \(one.* as chunk"),
        (Test(BMP.chunk, few), r"as finalize; .* a function of \(state, sample\)"),
        (replace(BMP, shares=("momentz",)), r"'momentz',\) as shares; .* any of 'moments', 'day_moments'"),
        (replace(BMP, shares="moments"), "'moments' as shares; .* a tuple"),
        (replace(BMP, needs=("residuals",)), "as needs"),
        (replace(BMP, value_under=("always",)), "'always',.* as value_under; .* any of 'independent'"),
        (replace(BMP, value_under="overlap"), "'overlap' as value_under; .* a tuple"),
        (replace(BMP, value_under=("all",)), r"\('all',\) as value_under; .* a tuple with any of 'independent', 'same"),
        (replace(BMP, value_under=["overlap"]), r"\['overlap'\] as value_under"),
        (replace(BMP, survives="all"), "'all' as survives; .* one of 'independent', 'same_day', 'overlap'"),
        (replace(BMP, robust_to=("everything",)), "as robust_to; .* 'event_variance'"),
        (
            replace(BMP, fails_under=("autocorrelation",)),
            r"\['autocorrelation'\] as robust_to and fails_under; .* at most",
        ),
        (replace(BMP, draws=-1), "-1 as draws"),
        (replace(BMP, draws=99.0), "99.0 as draws"),
        (replace(BMP, draws=True), "True as draws"),
        (replace(BMP, make=3), "3 as make"),
    ],
)
def test_a_test_that_declares_something_else_is_refused(test, says):
    with pytest.raises(InputError, match=f"the test 'own' .*{says}"):
        check_test(test, "own")


def test_a_function_that_does_not_tell_its_arguments_is_taken():
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(min)
    check_test(Test(min, min), "own")


# What is given.


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Own(change=lambda made: None), "None as fit; .* an Abnormal"),
        (Own(change=lambda made: made.ar), "as fit; .* an Abnormal"),
        (Own(coefficients=("alpha", "beta", "gamma")), r"as coef; .* \(20, 3\), one column for each coefficient"),
        (Own(change=changed(coef=lambda made: made.coef[:, 0])), r"of shape \(20,\) as coef"),
        (Own(change=changed(ar=lambda made: made.ar.tolist())), "as ar; .* an array of numbers"),
        (Own(change=changed(ar=lambda made: made.ar[:, 1:])), r"of shape \(20, 70\) as ar; .* \(20, 71\)"),
        (Own(change=changed(ar=lambda made: made.ar.astype(object))), "an array of object"),
        (Own(change=changed(ok=lambda made: made.ok.astype(float))), "float64 .* as ok; .* truth values"),
        (Own(change=changed(h=lambda made: made.h[..., 0])), r"as h; .* of shape \(20, 71, any\)"),
        (Own(change=changed(sigma=1.0)), "1.0 as sigma"),
        (Own(change=changed(sigma=lambda made: made.sigma * np.nan)), "nan for an event of status OK as sigma"),
        (Own(change=changed(dof=lambda made: 0.0 * made.dof)), "0.0 for an event of status OK as dof"),
        (Own(change=changed(r2=lambda made: made.r2[:3])), r"of shape \(3,\) as r2"),
        (Own(change=changed(status=lambda made: made.status + 99)), "99 as status; .* a Status, 0 to"),
        (Own(change=changed(status=lambda made: made.status.astype(str))), "as status; .* whole numbers"),
        (Own(change=changed(v=lambda made: made.sigma)), "as v"),
        (Own(change=changed(v=lambda made: 0.0 * made.ar)), "not above 0 on a valid day of status OK as v"),
        (Own(change=changed(v=lambda made: np.nan * made.ar)), "as v; .* finite numbers above 0"),
        (Own(change=changed(placebos=lambda made: made.ar)), "as placebos"),
        (
            Own(change=changed(ar=lambda made: np.where(made.ok, made.ar, 1.0))),
            "a value on a day that is not ok as ar; .* 0 there",
        ),
        (Own(change=changed(ar=lambda made: np.where(made.ok, np.inf, 0.0))), "finite numbers"),
        (Own(change=changed(ok=lambda made: np.ones_like(made.ok))), "as ok; .* False on days that are not ok"),
        (Own(change=lambda made: made.take(np.arange(20) > 3)), r"of shape \(16, 71\) as ar"),
        (Own(change=changed(block=None)), "as fit; .* the block passed to it, with all events"),
    ],
)
def test_a_fit_that_gives_something_else_is_refused_in_the_run(model, says):
    with pytest.raises(InputError, match=rf"the model Own gives .*{says}"):
        carry(model)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "None as chunk; .* a dict of leaves"),
        ([1.0], "a dict of leaves"),
        ({1: np.zeros(3)}, "texts as the names"),
        ({"z": [1.0, 2.0]}, r"\[1.0, 2.0\] as the leaf 'z'; .* an array of numbers, Rows or Gathered"),
        ({"z": "text"}, "an array of numbers, Rows or Gathered"),
        ({"z": {"a": 1.0}}, "an array of numbers, Rows or Gathered"),
        ({"z": np.array([True])}, "an array of numbers, Rows or Gathered"),
        ({"z": np.array(["a"])}, "an array of numbers, Rows or Gathered"),
        ({"z": Gathered(np.zeros((3, 2)))}, "Gathered of a tuple"),
        ({"z": Gathered((1.0,))}, r"Gathered\(parts=\(1.0,\).* as the leaf 'z'; .* Gathered of a tuple"),
        ({"z": Rows(np.array([0, 0]), np.zeros((2, 3)), 2)}, "some rows below 2"),
        ({"z": Rows(np.array([2]), np.zeros((1, 3)), 2)}, "some rows below 2"),
        ({"z": Rows(np.array([0]), np.zeros((2, 3)), 2)}, "some rows below 2"),
        ({"z": Rows(np.array([0]), np.array([["a"]]), 2)}, "an array of numbers, Rows or Gathered"),
    ],
)
def test_a_state_that_does_not_add_is_refused_in_the_run(state, says):
    with pytest.raises(InputError, match=rf"the test 'own' gives .*{says}"):
        carry(test=replace(BMP, chunk=lambda scores, abnormal, prior: state))


def test_a_leaf_with_a_row_an_event_is_refused_when_its_length_changes():
    total: dict[str, Any] = {}
    for state in ({"z": np.zeros((5, 3)), "n": np.float64(5)}, {"z": np.zeros((5, 3)), "n": np.float64(2)}):
        check_state("own", state, total)
        add(total, state)
    with pytest.raises(InputError, match=r"the test 'own' gives shape \(2, 3\) after \(5, 3\) as .* 'z'.*Gathered"):
        check_state("own", {"z": np.zeros((2, 3))}, total)


def verdict(**parts: Any) -> Verdict:
    shape = (1, 3)
    plain = Verdict(np.zeros(shape), np.zeros(shape), np.ones(shape), np.ones(shape, int), np.full(shape, "", object))
    return plain._replace(**parts)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "None as finalize; .* a Verdict"),
        (tuple(verdict()), "a Verdict"),
        (verdict(statistic=np.zeros(3)), r"of shape \(3,\) as statistic; .* \(1, 3\), groups by windows"),
        (verdict(p=np.ones((3, 1))), "as p"),
        (verdict(p=0.5), "0.5 as p"),
        (verdict(p=np.full((1, 3), 1.5)), "1.5 as p; .* a probability"),
        (verdict(df=np.array([["a", "b", "c"]])), "as df"),
        (verdict(n=np.ones((1, 3))), "float64 .* as n; .* whole numbers"),
        (verdict(note=np.full((1, 3), "")), "as note; .* texts"),
        (verdict(note=np.full((1, 3), None)), "None as note"),
    ],
)
def test_a_verdict_of_another_shape_is_refused_in_the_run(given, says):
    with pytest.raises(InputError, match=rf"the test 'own' gives .*{says}"):
        carry(test=replace(BMP, finalize=lambda state, sample: given))


def test_what_is_right_passes():
    check_verdict("own", verdict(p=np.array([[0.0, 1.0, np.nan]])), 1, 3)
    given = case()
    block = make.block(np.random.default_rng(1), MARKET.columns)
    fitted = MARKET.fit(block)
    check_abnormal(MARKET, block, fitted)
    lost = replace(fitted, status=np.full_like(fitted.status, Status.SINGULAR), sigma=fitted.sigma * np.nan)
    check_abnormal(MARKET, block, lost)
    whole = carry(replace(Own(), change=lambda made: made), replace(BMP, make=lambda: BMP)).verdicts["own"]
    make.same(whole, running.run(given.panels, given.placed, MARKET, {"own": BMP}, given.sample).verdicts["own"])
