"""The labels of groups in a column of a table: which are one, which are missing, and what looks like a mistake."""

from __future__ import annotations

import itertools
from collections import Counter
from numbers import Number
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eventstudy.errors import InputError, shown

if TYPE_CHECKING:
    import pandas as pd

    from eventstudy.types import Ints

# What str() makes of a missing value, which no one names a group by; "None" and "NA" may be names.
WRITTEN_MISSING = ("nan", "NaN", "<NA>", "NaT")
LIKE_MISSING = ("none", "na", "n/a", "null", "nan")
EXACT = 2**53  # larger numbers are not exact as floats


class Labels(NamedTuple):
    """The groups of a column: ``codes`` (n,), -1 without a group; the value of each group; what to say about them."""

    codes: Ints
    values: list[object]
    notes: tuple[str, ...]


def labels_of(column: pd.Series) -> Labels:
    """Return the group of each row: blanks around a text are no difference, and its case is.

    Numbers of a column that are all whole are written as whole numbers, as pandas makes 1.0 of 1 beside a gap.

    Raises
    ------
    InputError
        If the column holds lists or the like, or values of two types have one text.

    Examples
    --------
    >>> import pandas as pd
    >>> labels_of(pd.Series(["b ", None, "a", "b"], name="sector"))[:2]
    (array([ 0, -1,  1,  0]), ['b', 'a'])
    >>> labels_of(pd.Series([2.0, None, 3.0]))[:2]
    (array([ 0, -1,  1]), [2, 3])
    """
    import pandas as pd

    values = cleaned(column).astype(object)
    known = np.flatnonzero(values.notna())
    used = pd.Series(_whole(values.iloc[known].tolist()), dtype=object)
    try:
        by_value = pd.factorize(used)[0]
    except TypeError:
        raise InputError(f"column {column.name!r} holds lists or the like; give texts or numbers") from None
    kinds = pd.factorize(np.array([_kind(value) for value in used], dtype=object))[0]
    codes = pd.factorize(by_value * (int(kinds.max(initial=0)) + 1) + kinds)[0]
    named = used.iloc[np.unique(codes, return_index=True)[1]].tolist()
    _check_types(column.name, named)
    out = np.full(len(column), -1, dtype=np.int64)
    out[known] = codes
    return Labels(out, named, (*_missing_notes(column, named), *_alike_notes(column.name, named)))


def cleaned(column: pd.Series) -> pd.Series:
    """Return a column with texts without blanks around them, and missing where they say nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> cleaned(pd.Series([" a", "nan", " ", 7], dtype=object)).tolist()
    ['a', None, None, 7]
    """
    if column.dtype.kind in "biufcmM":
        return column
    import pandas as pd

    values = column.astype(object)
    out = [_cleaned(value) for value in values]
    changed = any(value is not other for value, other in zip(values, out, strict=True))
    return pd.Series(out, column.index, dtype=object, name=column.name) if changed else column


def _cleaned(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    return None if not text or text in WRITTEN_MISSING else text


def _whole(values: list[object]) -> list[object]:
    """Return the values with whole numbers as integers, if all that are numbers are whole."""
    whole = [_as_integer(value) for value in values]
    if any(one is None and _kind(value) == "number" for one, value in zip(whole, values, strict=True)):
        return values
    return [value if one is None else one for one, value in zip(whole, values, strict=True)]


def _as_integer(value: object) -> int | None:
    """Return a whole number as an integer; None for anything else."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    number = float(value) if isinstance(value, float | np.floating) else np.nan
    return int(number) if number.is_integer() and abs(number) < EXACT else None


def _kind(value: object) -> str:
    """Return the kind of a value: True is no number, and 1 and 1.0 are the same one."""
    is_number = isinstance(value, Number) and not isinstance(value, bool | np.bool_)
    return "number" if is_number else type(value).__name__


def _check_types(name: object, values: list[object]) -> None:
    by_text: dict[str, object] = {}
    for value in values:
        other = by_text.setdefault(str(value), value)
        if other is not value:
            raise InputError(
                f"column {name!r} has {shown(other)} and {shown(value)}, of mixed types and with the same text; write"
                " all values as texts, or all as numbers"
            )


def _missing_notes(column: pd.Series, values: list[object]) -> tuple[str, ...]:
    """Say which texts were taken for missing values, and which could be meant as such and were not."""
    name = column.name
    texts = Counter(value.strip() for value in column.astype(object) if isinstance(value, str))
    notes = [
        f"{texts[text]} events have the text {shown(text)} in {name!r}, which is written for a missing value; they have"
        " no group"
        for text in WRITTEN_MISSING
        if texts[text]
    ]
    notes += [
        f"{shown(value)} is a group of {name!r}; leave the cells empty if it stands for a missing value"
        for value in values
        if isinstance(value, str) and value.lower() in LIKE_MISSING
    ]
    return tuple(notes)


def _alike_notes(name: object, values: list[object]) -> tuple[str, ...]:
    """Say which groups differ by case or blanks alone."""
    texts = sorted((value for value in values if isinstance(value, str)), key=_folded)
    alike = [list(group) for _, group in itertools.groupby(texts, key=_folded)]
    return tuple(
        f"the groups {' and '.join(map(shown, group))} of {name!r} differ only by case or blanks; write them alike if"
        " they are one"
        for group in alike
        if len(group) > 1
    )


def _folded(text: str) -> str:
    return "".join(text.casefold().split())
