"""Checks of models and tests against their contracts: of declarations when a study is made, of results when it runs.

A user-written model or test that breaks its contract would otherwise fail somewhere inside a run; the checks name the
part of it that is wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import get_args

import numpy as np

from eventstudy.core.sums import Gathered, Rows
from eventstudy.errors import InputError, shown
from eventstudy.types import (
    PEERS,
    Abnormal,
    Block,
    Column,
    Failing,
    Model,
    SharedState,
    State,
    Status,
    Survives,
    Test,
    Verdict,
)

SHARED_STATES = get_args(SharedState)
FAILINGS = get_args(Failing)
RESULT_COLUMNS = frozenset(
    ("ticker", "announced", "session", "placement", "status", "reason", "n_estimation", "n_contaminated", "sigma", "r2")
)
FIRST = 64  # events of a block whose values are checked
STATUSES = tuple(int(status) for status in Status)
KINDS = {"numbers": "fiu", "whole numbers": "iu", "truth values": "b", "texts": "O"}  # dtype kinds of NumPy


def check_model(model: object, name: str) -> None:
    """Raise InputError if an object is not a return model, or if its columns or coefficients are not valid."""
    of = f"the model {name or type(model).__name__!r}"
    if isinstance(model, type) or not callable(getattr(model, "fit", None)):
        what = f"the model {name!r}" if name else "model"
        raise InputError(f"{what} is {shown(model)}; give a name, or an object with a fit, columns and coefficients")
    _check_call(of, "fit", model.fit, "block")  # type: ignore[attr-defined]
    columns = getattr(model, "columns", None)
    if not isinstance(columns, tuple) or not all(_is_column(column) for column in columns):
        raise _breach(of, "columns", repr(columns), 'a tuple of Column, as in (Column("benchmark"),)')
    if PEERS in columns[:-1]:
        raise _breach(of, "columns", repr(columns), "PEERS in the last place")
    coefficients = getattr(model, "coefficients", None)
    texts = isinstance(coefficients, tuple) and all(isinstance(text, str) and text for text in coefficients)
    if not texts or len(set(coefficients)) < len(coefficients):  # type: ignore[arg-type]
        raise _breach(of, "coefficients", repr(coefficients), 'a tuple of different texts, as in ("beta",)')
    taken = [text for text in coefficients if text in RESULT_COLUMNS]  # type: ignore[union-attr]
    if taken:
        raise _breach(of, "coefficients", repr(taken[0]), "names that are no other columns of Result.events")


def check_test(test: object, name: str) -> None:
    """Raise InputError if an object is not a test, or if one of its declarations is not valid."""
    of = f"the test {name!r}"
    if not isinstance(test, Test):
        raise InputError(f"{of} is {shown(test)}; a test is a Test(chunk, finalize), or the name of one")
    _check_call(of, "chunk", test.chunk, "scores", "abnormal", "prior")
    _check_call(of, "finalize", test.finalize, "state", "sample")
    for field, valid in (
        ("needs", SHARED_STATES), ("shares", SHARED_STATES), ("robust_to", FAILINGS), ("fails_under", FAILINGS)
    ):  # fmt: skip
        names = getattr(test, field)
        if not isinstance(names, tuple) or not all(name in valid for name in names):
            raise _breach(of, field, repr(names), f"a tuple with any of {', '.join(map(repr, valid))}")
    contradictory = set(test.robust_to) & set(test.fails_under)
    if contradictory:
        raise _breach(of, "robust_to and fails_under", repr(sorted(contradictory)), "a failing in one of them at most")
    kinds = get_args(Survives)
    if not isinstance(test.value_under, tuple) or not all(kind in kinds for kind in test.value_under):
        raise _breach(of, "value_under", repr(test.value_under), f"a tuple with any of {', '.join(map(repr, kinds))}")
    if test.survives not in get_args(Survives):
        raise _breach(of, "survives", repr(test.survives), f"one of {', '.join(map(repr, get_args(Survives)))}")
    if isinstance(test.draws, bool) or not isinstance(test.draws, int) or test.draws < 0:
        raise _breach(of, "draws", repr(test.draws), "a whole number, 0 or more")
    if test.make is not None and not callable(test.make):
        raise _breach(of, "make", repr(test.make), "a function from options to a Test, or None")


def check_abnormal(model: Model, block: Block, abnormal: object) -> None:
    """Raise InputError if the result of a model's ``fit`` is not an ``Abnormal`` of the events of the block."""
    of = f"the model {type(model).__name__}"
    if not isinstance(abnormal, Abnormal):
        raise _breach(of, "fit", repr(abnormal), "an Abnormal, as core.ols.least_squares gives")
    n, length = block.r.shape
    by_day, by_event = (n, length), (n,)
    _check_array(of, "ar", abnormal.ar, by_day, "numbers")
    _check_array(of, "ok", abnormal.ok, by_day, "truth values")
    _check_array(of, "h", abnormal.h, (*by_day, None), "numbers")
    _check_array(of, "coef", abnormal.coef, (n, len(model.coefficients)), "numbers", "one column for each coefficient")
    for field in ("sigma", "dof", "r2"):
        _check_array(of, field, getattr(abnormal, field), by_event, "numbers")
    _check_array(of, "status", abnormal.status, by_event, "whole numbers", "one Status for each event")
    if abnormal.v is not None:
        _check_array(of, "v", abnormal.v, by_day, "numbers")
    if abnormal.placebos is not None:
        _check_array(of, "placebos", abnormal.placebos, (n, None, length - block.n_est), "numbers")
    if not isinstance(abnormal.block, Block) or not np.array_equal(abnormal.block.id, block.id):
        raise _breach(of, "fit", "an Abnormal with another block", "the block passed to it, with all events")
    unknown = abnormal.status[~np.isin(abnormal.status, STATUSES)]
    if len(unknown):
        raise _breach(of, "status", str(unknown[0]), f"a Status, {min(STATUSES)} to {max(STATUSES)}")
    _check_values(of, block, abnormal)


def _check_values(of: str, block: Block, abnormal: Abnormal) -> None:
    """Raise InputError for days that are not valid in the block, and for events of status OK without numbers.

    The first events of the block stand for all: a check of every value takes twice as long as a fit.
    """
    if (abnormal.ok[:FIRST] & ~block.ok[:FIRST]).any():
        raise _breach(of, "ok", "a day that is not ok in the block", "False on days that are not ok in the block")
    good = np.flatnonzero(abnormal.status[:FIRST] == Status.OK)
    ok = abnormal.ok[good]
    for field in ("sigma", "dof"):
        values = getattr(abnormal, field)[good]
        bad = values[~(np.isfinite(values) & (values > 0))]
        if len(bad):
            raise _breach(of, field, f"{bad[0]} for an event of status OK", "a finite number above 0")
    if abnormal.v is not None and not (np.isfinite(v := abnormal.v[good][ok]) & (v > 0)).all():
        raise _breach(of, "v", "a value that is not above 0 on a valid day of status OK", "finite numbers above 0")
    if not np.isfinite(abnormal.ar[good][ok]).all() or not np.isfinite(abnormal.h[good][ok]).all():
        raise _breach(
            of, "ar or h", "a value that is not finite on a valid day of an event of status OK", "finite numbers"
        )
    if abnormal.ar[good][~ok].any():
        raise _breach(of, "ar", "a value on a day that is not ok", "0 there, so that sums need no mask")


def check_state(name: str, state: object, total: State) -> None:
    """Raise InputError if a state cannot be added; of leaves that the total has, only the shapes are checked."""
    of = f"the test {name!r}"
    if not isinstance(state, Mapping):
        raise _breach(of, "chunk", repr(state), "a dict of leaves that can be added")
    for leaf, value in state.items():
        if leaf in total:
            if isinstance(value, np.ndarray) and value.shape != np.shape(total[leaf]):
                raise _breach(
                    of, f"the leaf {leaf!r}", f"shape {value.shape} after {np.shape(total[leaf])}",
                    "one shape for any number of events; a leaf with a row for each event is Gathered",
                )  # fmt: skip
        elif not isinstance(leaf, str):
            raise _breach(of, "chunk", f"the leaf {leaf!r}", "texts as the names of leaves")
        else:
            _check_leaf(of, leaf, value)


def _check_leaf(of: str, leaf: str, value: object) -> None:
    if isinstance(value, Rows):
        index, values = np.asarray(value.index), np.asarray(value.values)
        valid = index.ndim == 1 and len(index) == len(values) and index.dtype.kind in "iu"
        if not valid or len(np.unique(index)) < len(index) or (index < 0).any() or (index >= value.size).any():
            raise _breach(
                of, f"the leaf {leaf!r}", f"Rows {index}", f"one value for each of some rows below {value.size}"
            )
        value = values
    if isinstance(value, Gathered):
        if not isinstance(value.parts, tuple) or not all(
            isinstance(part, np.ndarray) and part.ndim for part in value.parts
        ):
            raise _breach(
                of, f"the leaf {leaf!r}", repr(value), "Gathered of a tuple of arrays with a row for each event"
            )
    elif not isinstance(value, np.ndarray | np.number) or value.dtype.kind not in "iuf":
        raise _breach(of, f"the leaf {leaf!r}", repr(value), "an array of numbers, Rows or Gathered")


def check_verdict(name: str, verdict: object, n_groups: int, n_windows: int) -> None:
    """Raise InputError if the result of a test's ``finalize`` is not a ``Verdict`` for each group and window."""
    of = f"the test {name!r}"
    if not isinstance(verdict, Verdict):
        raise _breach(of, "finalize", repr(verdict), "a Verdict, as core.nulls.verdict gives")
    for field in ("statistic", "df", "p"):
        _check_array(of, field, getattr(verdict, field), (n_groups, n_windows), "numbers", "groups by windows")
    _check_array(of, "n", verdict.n, (n_groups, n_windows), "whole numbers", "groups by windows")
    _check_array(of, "note", verdict.note, (n_groups, n_windows), "texts", "groups by windows")
    not_texts = [note for note in verdict.note.ravel() if not isinstance(note, str)]
    if not_texts:
        raise _breach(of, "note", repr(not_texts[0]), "a text for each group and window")
    outside = (verdict.p < 0) | (verdict.p > 1)
    if outside.any():
        raise _breach(of, "p", str(verdict.p[outside][0]), "a probability, or NaN with a note that says why")


def _is_column(column: object) -> bool:
    """Return whether an object is a Column with values of the right types."""
    return (
        isinstance(column, Column)
        and isinstance(column.name, str)
        and bool(column.name)
        and isinstance(column.shift, int)
        and isinstance(column.summed, bool)
    )


def _check_call(of: str, name: str, function: object, *arguments: str) -> None:
    """Raise InputError if a function cannot be called with the arguments; one without a signature is accepted."""
    wanted = f"a function of ({', '.join(arguments)})"
    if not callable(function):
        raise _breach(of, name, repr(function), wanted)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise _breach(of, name, f"a function of {signature}", wanted) from None


def _check_array(of: str, name: str, array: object, shape: tuple[int | None, ...], kind: str, axes: str = "") -> None:
    """Raise InputError if an object is not an array of the kind and shape; None stands for any length."""
    wanted = f"an array of {kind} of shape {str(shape).replace('None', 'any')}" + (f", {axes}" if axes else "")
    if not isinstance(array, np.ndarray):
        raise _breach(of, name, repr(array), wanted)
    fits = array.ndim == len(shape) and all(w is None or w == have for w, have in zip(shape, array.shape, strict=True))
    if not fits or array.dtype.kind not in KINDS[kind]:
        raise _breach(of, name, f"an array of {array.dtype} of shape {array.shape}", wanted)


def _breach(of: str, part: str, value: str, wanted: str) -> InputError:
    """Return the error of a member whose part is not as its contract requires, with the value in one line."""
    return InputError(f"{of} gives {' '.join(value.split())[:200]} as {part}; its contract requires {wanted}")
