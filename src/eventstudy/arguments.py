"""Checks of the arguments of public functions: an error names the argument, its value and what is valid.

A check returns the value as a plain Python value, so that numbers of NumPy are accepted where a number is meant. True
and False are not numbers.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TypeGuard, TypeVar

import numpy as np

from eventstudy.errors import InputError, NotEnoughData, one_of, shown

Kind = TypeVar("Kind")
LARGEST = 2**63 - 1
MOST_DRAWS = 1_000_000
LONGEST_NAME = 200
LONGEST_PATH = 4_096


def whole(name: str, value: object, least: int = 0, most: int = LARGEST) -> int:
    """Return a whole number from ``least`` to ``most``.

    Examples
    --------
    >>> whole("draws", np.int64(99))
    99
    >>> whole("draws", 99.0)
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: draws is 99.0; give a whole number, 0 or more
    """
    if is_whole(value) and least <= int(value) <= most:
        return int(value)
    limits = f"from {least:,} to {most:,}" if most < LARGEST else f"{least} or more" if least > -LARGEST else ""
    raise InputError(f"{name} is {shown(value)}; give a whole number{', ' * bool(limits)}{limits}")


def share(name: str, value: object) -> float:
    """Return a number between 0 and 1, both excluded.

    Examples
    --------
    >>> share("level", 5)
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: level is 5; give a share between 0 and 1, such as 0.95
    """
    if is_number(value) and 0 < value < 1:
        return float(value)
    raise InputError(f"{name} is {shown(value)}; give a share between 0 and 1, such as 0.95")


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite real number."""
    try:
        return value is not True and value is not False and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def text(name: str, value: object, what: str = "a text") -> str:
    """Return a text that is not empty, and no longer than a name may be.

    Examples
    --------
    >>> text("currency", b"USD", "a currency, as 'USD'")
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: currency is b'USD'; give a currency, as 'USD'
    """
    if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME:
        return str(value)
    if isinstance(value, str) and value:
        raise InputError(f"{name} has {len(value)} characters: {shown(value)}; give up to {LONGEST_NAME}")
    raise InputError(f"{name} is {shown(value)}; give {what}")


def texts(name: str, value: object, what: str) -> list[str]:
    """Return a text, or a sequence of texts, as a list.

    Examples
    --------
    >>> texts("exposure", "size", "a column of the events"), texts("tickers", (), "tickers, as ['BABA']")
    (['size'], [])
    >>> texts("tickers", 3, "tickers, as ['BABA']")
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: tickers is 3; give tickers, as ['BABA']
    """
    if isinstance(value, str):
        return [text(name, value, what)]
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise InputError(f"{name} is {shown(value)}; give {what}")
    return [text(f"an element of {name}", each, what) for each in value]


def flag(name: str, value: object) -> bool:
    """Return True or False.

    Examples
    --------
    >>> flag("progress", 1)
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: progress is 1; give True or False
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InputError(f"{name} is {shown(value)}; give True or False")


def choice(name: str, value: object, valid: Iterable[object]) -> None:
    """Raise InputError unless a value is one of the valid texts, or None where that is valid.

    Examples
    --------
    >>> choice("returns", ["log"], ("simple", "log"))
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: returns is ['log']; valid are 'simple', 'log'
    """
    known = tuple(valid)
    if not (value is None or isinstance(value, str)) or value not in known:
        raise one_of(name, value, known)


def window(name: str, value: object, longest: int, farthest: int) -> tuple[int, int]:
    """Return a window: two whole numbers, the first not after the second, of at most ``longest`` days.

    Examples
    --------
    >>> window("event", np.array([-1, 1]), 100, 1000)
    (-1, 1)
    """
    pair = list(value) if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim) else []
    if len(pair) != 2 or not all(map(is_whole, pair)):
        raise InputError(f"{name} has {shown(value)}; a window is two whole numbers, the first not after the second")
    first, last = map(int, pair)
    if first > last:
        raise InputError(f"{name} has {shown(value)}; a window is two whole numbers, the first not after the second")
    if last - first >= longest or max(-first, last) > farthest:
        raise InputError(
            f"{name} has {shown((first, last))}; a window has at most {longest:,} sessions or bars, and lies within"
            f" {farthest:,} of the event"
        )
    return first, last


def path(
    name: str, value: object, what: str = "a path without a NUL character, as a text or a Path"
) -> str | os.PathLike[str]:
    r"""Return a path, or raise InputError if a value is none, or no file can have it.

    Examples
    --------
    >>> path("path", "a" + chr(0))
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: path is 'a\x00'; give a path without a NUL character, as a text or a Path
    """
    plain = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(plain, str) or not plain or len(plain) > LONGEST_PATH or not _can_be_encoded(plain):
        raise InputError(f"{name} is {shown(value)}; give {what}")
    return value  # type: ignore[return-value]


def is_file(path: Path) -> bool:
    """Return whether a file exists; one whose name the system does not take does not."""
    try:
        return path.is_file()
    except OSError:
        return False


def _can_be_encoded(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def instance(name: str, value: object, kind: type[Kind], what: str) -> Kind:
    """Return a value that is of a type; ``what`` says how one of it is made.

    Examples
    --------
    >>> instance("events", {}, int, "es.Events.from_frame(df)")
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: events is {}, of type dict; give es.Events.from_frame(df)
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} is {shown(value)}, of type {type(value).__name__}; give {what}")


def one_window(value: object, windows: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return a window out of those of a study; None stands for the first.

    Examples
    --------
    >>> one_window(None, [(0, 0), (-1, 1)]), one_window([-1, 1], [(0, 0), (-1, 1)])
    ((0, 0), (-1, 1))
    """
    if not len(windows):
        raise NotEnoughData("no event was measured, so that there is no window; result.attrition has the reasons")
    if value is None:
        return int(windows[0][0]), int(windows[0][1])
    chosen = window("window", value, LARGEST, LARGEST)
    if chosen not in windows:
        raise one_of("window", chosen, windows)
    return chosen


def check_figure_options(of: str, options: Mapping[str, object], draw: Callable[..., object]) -> None:
    """Raise InputError for an option that a figure or table does not have, or needs, or an ``ax`` that is none.

    Examples
    --------
    >>> check_figure_options("the figure 'x'", {"axes": None}, lambda result, *, ax=None: ax)
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: an option of the figure 'x' is 'axes'; valid are 'ax'; did you mean 'ax'?
    """
    parameters = inspect.signature(draw).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        check_options(of, options, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY])
    needed = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    for name in needed:
        if name not in options:
            raise InputError(f"{of} needs the option {shown(name)}; give it, as in {name}=...")
    ax = options.get("ax")
    if ax is not None and not callable(getattr(ax, "fill_between", None)):
        raise InputError(f"ax of {of} is {shown(ax)}; give Axes of matplotlib, or leave it out for a new figure")


def check_options(of: str, options: Mapping[str, object], valid: Iterable[str]) -> None:
    """Raise InputError for the first option that does not exist, with those that do.

    Examples
    --------
    >>> check_options("the model", {"lead": 1}, ["leads", "lags"])
    Traceback (most recent call last):
    ...
    eventstudy.errors.InputError: an option of the model is 'lead'; valid are 'leads', 'lags'; did you mean 'leads'?
    """
    known = list(valid)
    unknown = [option for option in options if option not in known]
    if unknown and not known:
        raise InputError(f"{of} has no options; leave out {shown(unknown[0])}")
    if unknown:
        raise one_of(f"an option of {of}", unknown[0], known)
