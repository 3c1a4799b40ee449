"""What a multiverse varies, by label: models, windows, estimation windows, benchmarks, samples and tests."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.analysis.across import labelled, windows_inside
from eventstudy.display import formats
from eventstudy.errors import InputError, shown
from eventstudy.members import labelled_tests
from eventstudy.types import Bools, Model, Rerun, Test, Window

Benchmark = str | Mapping[str, str] | None
Mask = Sequence[bool] | Bools | pd.Series
Members = None | str | Mask | Callable[[pd.DataFrame], Mask]
Models = Sequence[str | Model] | Mapping[str, str | Model]
Tests = Sequence[str | Test] | Mapping[str, str | Test]
EVERYBODY = "all events"
# What a query may ask of a column: pandas evaluates a query as code, and other methods write files or run functions.
COMPUTED = (
    "abs", "between", "contains", "day", "dayofweek", "dt", "endswith", "fullmatch", "hour", "isin", "isna", "len",
    "lower", "match", "month", "notna", "quarter", "startswith", "str", "strip", "upper", "year",
)  # fmt: skip
PARTS = (
    ast.Name, ast.Constant, ast.List, ast.Tuple, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call,
    ast.Attribute, ast.keyword, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip
NO_COLUMNS = (
    "a query reads columns of the events: it holds their names, values, comparisons, arithmetic, and of the methods of"
    f" a column {', '.join(COMPUTED)}; for anything else give a mask or a function"
)


@dataclass(frozen=True)
class Varied:
    """What is varied, each by the label that the frames show.

    ``samples`` has the mask (N,) of the events of the input in each sample, None for all of them. ``tests`` is None if
    each specification takes its own primary test.
    """

    models: Mapping[str, Model]
    windows: Sequence[Window]
    estimations: Mapping[str, Window]
    benchmarks: Mapping[str, Benchmark]
    samples: Mapping[str, Bools | None]
    tests: Mapping[str, Test] | None


def varied(
    rerun: Rerun,
    models: Models | None,
    windows: Sequence[Window] | None,
    estimations: Sequence[Window] | None,
    benchmarks: Sequence[Benchmark] | None,
    samples: Mapping[str, Members] | None,
    tests: Tests | None,
) -> Varied:
    """Return what is varied; None keeps what the study has.

    Raises
    ------
    InputError
        If a choice is no sequence of valid values, or a sample cannot be found in the events.
    """
    own = rerun.choices
    return Varied(
        labelled([rerun.return_model] if models is None else models),
        windows_inside(windows, own),
        _estimations([own.estimation] if estimations is None else estimations),
        _benchmarks([own.benchmark] if benchmarks is None else benchmarks),
        {EVERYBODY: None} if samples is None else _samples(samples, rerun.events),
        None if tests is None else labelled_tests(tests),
    )


def window_label(window: Window) -> str:
    """Return a window as the frames show it.

    Examples
    --------
    >>> window_label((-260, -11))
    '(-260, -11)'
    """
    return f"({window[0]}, {window[1]})"


def printed(choice: str, value: object) -> str:
    """Return the value of a choice as tables and figures print it.

    Examples
    --------
    >>> printed("window", "(-1, 1)"), printed("model", "a-b")
    ('(−1, 1)', 'a-b')
    """
    text = formats.plain(value)
    return text.replace("-", "−") if choice in ("window", "estimation") else text


def benchmark_label(benchmark: Benchmark) -> str:
    """Return a benchmark as the frames show it.

    Examples
    --------
    >>> benchmark_label({"XHKG": "^HSI"}), benchmark_label("^GSPC"), benchmark_label(None)
    ('XHKG: ^HSI', '^GSPC', 'none')
    """
    return "none" if benchmark is None else formats.setting(benchmark)


def _estimations(values: object) -> dict[str, Window]:
    """Return estimation windows by label; whether one suits the study is seen when it is run."""
    pairs = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []
    if not pairs or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise InputError(f"estimations is {shown(values)}; give a list of windows, as in [(-260, -11), (-130, -11)]")
    return {window_label(pair): (pair[0], pair[1]) for pair in pairs}


def _benchmarks(values: object) -> dict[str, Benchmark]:
    given = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []
    if not given or not all(value is None or isinstance(value, str | Mapping) for value in given):
        raise InputError(
            f"benchmarks is {shown(values)}; give a list of what Study(benchmark=...) takes, as in"
            " ['^GSPC', {'XHKG': '^HSI', 'XNYS': '^GSPC'}]"
        )
    return {benchmark_label(value): value for value in given}


def _samples(samples: object, events: pd.DataFrame) -> dict[str, Bools | None]:
    """Return the mask of each sample over the events of the input, None for all events."""
    if not isinstance(samples, Mapping) or not samples or not all(isinstance(label, str) for label in samples):
        raise InputError(
            f"samples is {shown(samples)}; give a dict from label to a query of the events' columns, a mask, a function"
            " of the events, or None for all of them, as in {'all': None, 'fines': \"kind == 'fine'\"}"
        )
    return {label: _mask(label, members, events) for label, members in samples.items()}


def _mask(label: str, members: Members, events: pd.DataFrame) -> Bools | None:
    if members is None:
        return None
    found: object = members
    if isinstance(members, str):
        if not _only_reads(members, [name for name in events.columns if isinstance(name, str)]):
            raise InputError(f"sample {label!r} is the query {shown(members)}; {NO_COLUMNS}")
        found = _computed(label, lambda: events.eval(members, local_dict={}, global_dict={}))
    elif callable(members):
        found = _computed(label, lambda: members(events.copy()))
    if isinstance(found, pd.Series) and not found.index.equals(events.index):
        raise InputError(f"sample {label!r} has another index than the events; give one value for each, in their order")
    mask = np.asarray(found)
    if mask.shape != (len(events),) or mask.dtype not in (np.dtype(bool), np.dtype(object)):
        raise InputError(
            f"sample {label!r} is {shown(found)}; it must be True or False for each of the {len(events)} events"
        )
    if not all(isinstance(value, bool | np.bool_) for value in mask.tolist()):
        raise InputError(f"sample {label!r} is neither True nor False for some events; fill what is missing")
    return mask.astype(bool)


def _only_reads(query: str, columns: Sequence[str]) -> bool:
    """Return whether a query computes with columns and values alone, whatever else pandas would evaluate."""
    for name in columns:
        if name and not set("`'\"\n#") & set(name):
            query = query.replace(f"`{name}`", "column")
    try:
        parts = list(ast.walk(ast.parse(query.strip(), mode="eval").body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a backtick of no column too
        return False
    attributes = [part for part in parts if isinstance(part, ast.Attribute)]
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    return (
        all(isinstance(part, PARTS) for part in parts)
        and all(part.attr in COMPUTED for part in attributes)
        and all(isinstance(function, ast.Attribute) for function in called)
    )


def _computed(label: str, compute: Callable[[], object]) -> object:
    """Return what a query or function gives; its errors become ours."""
    try:
        return compute()
    except Exception as error:  # what pandas raises for a query, or the user's function
        raise InputError(f"sample {label!r} cannot be computed: {type(error).__name__}: {error}") from error
