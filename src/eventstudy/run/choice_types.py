"""The types of a study's choices: an error names the choice, its value and what is valid."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Real

import numpy as np

from eventstudy.errors import InputError
from eventstudy.types import Choices, Test


def check_types(choices: Choices) -> None:
    """Raise InputError for the first choice that is of another type than it may have; models and tests aside.

    Examples
    --------
    >>> check_types(Choices(seed=1.5))
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: seed is 1.5; give a whole number, 0 or more
    """
    for name, (valid, what) in VALID.items():
        value = getattr(choices, name)
        if not valid(value):
            raise InputError(f"{name} is {value!r}; give {what}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_whole_from_zero(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 0)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str) and all(map(_is_text, value))


def _is_benchmark(value: object) -> bool:
    pairs = value.items() if isinstance(value, Mapping) else ()
    return _is_text_or_none(value) or (bool(pairs) and all(_is_text(part) for pair in pairs for part in pair))


def _are_peers(value: object) -> bool:
    """Accept any mapping: what it holds is checked with the events, which may name the ticker at fault."""
    return isinstance(value, Mapping) or _is_text_or_none(value) or _are_texts(value)


def _is_sequence(value: object) -> bool:
    return hasattr(value, "__iter__") and hasattr(value, "__len__") and not isinstance(value, str | Mapping)


def _are_tests(value: object) -> bool:
    """Accept a name, a test, or a collection of some: an iterator would be empty when the study runs."""
    if isinstance(value, str | Test):
        return bool(value)
    return isinstance(value, Collection) and not isinstance(value, bytes) and len(value) > 0


COLUMN = "the name of an events column, or None"
VALID: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "benchmark": (_is_benchmark, "a ticker, a mapping from tickers or MICs to tickers, an events column, or None"),
    "tests": (_are_tests, "names or tests in a list, a mapping from labels to tests, 'all' or 'default'"),
    "windows": (_is_sequence, "pairs of relative days, as ((0, 0), (-1, 1))"),
    "min_estimation": (_is_whole, "a whole number of days"),
    "min_coverage": (_is_number, "a share above 0 and up to 1"),
    "seed": (_is_whole_from_zero, "a whole number, 0 or more"),
    "group": (_is_text_or_none, COLUMN),
    "weight": (_is_text_or_none, COLUMN),
    "peers": (
        _are_peers,
        "tickers in a list, a mapping from ticker to such a list, the name of an events column, or None",
    ),
    "outcome": (_is_text, "'return', 'volatility', 'volume' or the name of a field of the prices"),
    "currency": (_is_text_or_none, "a currency, as 'USD', or None"),
}
