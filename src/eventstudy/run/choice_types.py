"""The types of a study's choices: an error names the choice, its value and what is valid."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Literal, get_args, get_origin, get_type_hints

from eventstudy import arguments
from eventstudy.errors import InputError, shown
from eventstudy.types import Choices, Test, Window

# The longest windows, in sessions or bars: the arrays of a study grow with them, those of some with their square.
LONGEST = {"estimation": 20_000, "event": 5_000, "windows": 5_000, "confounding": 5_000}
FARTHEST = 100_000
MOST_WINDOWS = 1_000
CLOSED_CHOICES = {name: get_args(hint) for name, hint in get_type_hints(Choices).items() if get_origin(hint) is Literal}


def checked(choices: Choices) -> dict[str, object]:
    """Return the choices but the model, as plain values of the study's own; raise InputError if one is not valid.

    Examples
    --------
    >>> checked(Choices(seed=1.5))
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: seed is 1.5; give a whole number, 0 or more
    """
    values: dict[str, object] = {name: check(name, getattr(choices, name)) for name, check in CHECKS.items()}
    for name, valid in CLOSED_CHOICES.items():
        arguments.choice(name, getattr(choices, name), valid)
        values[name] = str(getattr(choices, name))
    return values


def window(name: str, value: object) -> Window:
    """Return a window of the study as two whole numbers."""
    return arguments.window(name, value, LONGEST[name], FARTHEST)


def _windows(name: str, value: object) -> tuple[Window, ...]:
    if not hasattr(value, "__iter__") or not hasattr(value, "__len__") or isinstance(value, str | bytes | Mapping):
        raise InputError(f"{name} is {shown(value)}; give pairs of relative days, as ((0, 0), (-1, 1))")
    try:
        n_windows = len(value)
    except TypeError:  # an array without dimensions
        n_windows = 0
    if not 1 <= n_windows <= MOST_WINDOWS:
        some = "is empty; give at least one" if not n_windows else f"has {n_windows:,}; give at most {MOST_WINDOWS:,}"
        raise InputError(f"{name} {some}, such as ((0, 0),)")
    pairs = tuple(window(name, pair) for pair in value)
    repeated = [pair for at, pair in enumerate(pairs) if pair in pairs[:at]]
    if repeated:
        raise InputError(f"{name} has {repeated[0]} twice, which would count as two tests; give each window once")
    return pairs


def _pair_of_days(name: str, value: object) -> Window | None:
    return None if value is None else window(name, value)


def _pair_of_columns(name: str, value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(part, str) for part in value):
        raise InputError(f"{name} is {shown(value)}; give the names of two events columns, such as ('first', 'last')")
    return value[0], value[1]


def _coverage(name: str, value: object) -> float:
    if not arguments.is_number(value) or not 0 < value <= 1:
        raise InputError(f"{name} is {shown(value)}; give a share above 0 and up to 1")
    return float(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= arguments.LONGEST_NAME


def _text_or_none(what: str) -> Callable[[str, object], str | None]:
    return lambda name, value: None if value is None else arguments.text(name, value, f"{what}, or None")


def _benchmark(name: str, value: object) -> str | dict[str, str] | None:
    pairs = dict(value) if isinstance(value, Mapping) else {}
    if pairs and all(_is_text(part) for pair in pairs.items() for part in pair):
        return pairs
    what = "a ticker, a mapping from tickers or MICs to tickers, an events column, or None"
    return None if value is None else arguments.text(name, value, what)


def _peers(name: str, value: object) -> object:
    """Accept any mapping: what it holds is checked with the events, which may name the ticker at fault."""
    if isinstance(value, Mapping):
        return {key: copy.copy(names) for key, names in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str) and all(map(_is_text, value)):
        return copy.copy(value)
    what = "tickers in a list, a mapping from ticker to such a list, the name of an events column, or None"
    return None if value is None else arguments.text(name, value, what)


def _tests(name: str, value: object) -> object:
    """Accept a name, a test, or a collection of some: an iterator would be empty when the study runs."""
    if isinstance(value, str | Test) and value:
        return value
    is_list = isinstance(value, Sequence | Set | Mapping) and not isinstance(value, str | bytes | bytearray)
    if not is_list or not len(value):  # type: ignore[arg-type]
        what = "names or tests in a list, a mapping from labels to tests, 'all' or 'default'"
        raise InputError(f"{name} is {shown(value)}; give {what}")
    return dict(value) if isinstance(value, Mapping) else copy.copy(value)


COLUMN = "the name of an events column"
CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "benchmark": _benchmark,
    "estimation": window,
    "event": window,
    "windows": _windows,
    "tests": _tests,
    "min_estimation": lambda name, value: arguments.whole(name, value, 1, LONGEST["estimation"]),
    "seed": arguments.whole,
    "min_coverage": _coverage,
    "group": _text_or_none(COLUMN),
    "weight": _text_or_none(COLUMN),
    "sign": _text_or_none(COLUMN),
    "peers": _peers,
    "outcome": lambda name, value: arguments.text(
        name, value, "'return', 'volatility', 'volume' or the name of a field of the prices"
    ),
    "currency": _text_or_none("a currency, as 'USD'"),
    "confounding": _pair_of_days,
    "estimation_columns": _pair_of_columns,
    "event_columns": _pair_of_columns,
}
