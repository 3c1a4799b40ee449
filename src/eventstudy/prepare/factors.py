"""Factor returns by name, read from a data frame."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, shown
from eventstudy.tabular.columns import HEADERS, header_key
from eventstudy.tabular.frames import as_dates, as_pandas
from eventstudy.tabular.steps import LONGEST
from eventstudy.types import Bools, Dates, Floats

Factors = Mapping[str, tuple[Dates, Floats]]
# The library's names of factors, by those of other sources (WRDS) in lower case without separators.
KNOWN_NAMES = {
    "mktrf": "Mkt-RF", "smb": "SMB", "hml": "HML", "rmw": "RMW", "cma": "CMA", "rf": "RF", "umd": "Mom", "mom": "Mom",
}  # fmt: skip
PERCENT_CODES = (-99.99, -999.0)  # Kenneth French's codes for missing values, in per cent
CODES = (*PERCENT_CODES, -0.9999, -9.99)  # and divided by 100 with all else
# The median absolute value of a factor is at most 0.03 in decimals, monthly, and at least 0.2 in per cent, daily.
LARGE, ENOUGH = 0.1, 20
MANY = 1000  # rows that tell whether there is one a day


def factor_names(frame: pd.DataFrame) -> dict[str, object]:
    """Return the names by which a model may name the factors of a frame, with the column of each.

    A column has its own name, and the library's name of the same factor unless another column has that.

    Examples
    --------
    >>> factor_names(pd.DataFrame(columns=["mktrf", "umd", "oil"]))
    {'mktrf': 'mktrf', 'umd': 'umd', 'oil': 'oil', 'Mkt-RF': 'mktrf', 'Mom': 'umd'}
    """
    names: dict[str, object] = {str(column): column for column in frame.columns}
    if len(names) < len(frame.columns):
        repeated = next(column for column in frame.columns if list(map(str, frame.columns)).count(str(column)) > 1)
        raise InputError(f"factors have two columns {shown(repeated)}; keep one of them")
    known = [(_known_name(name), column) for name, column in names.items()]
    for name, column in known:
        if name not in ("", *map(str, frame.columns)):
            if name in names:
                raise InputError(f"the factors {names[name]!r} and {column!r} are both {name}; keep one of them")
            names[name] = column
    return names


def _known_name(name: str) -> str:
    return KNOWN_NAMES.get(re.sub(r"[\s._-]", "", name.lower()), "")


def factor_frame(factors: object) -> pd.DataFrame:
    """Return factors as a frame of pandas with the dates in its index, from a frame of any library.

    The dates are those of the index or, where the index has the numbers of rows, those of a column ``date`` or of
    another header that files of prices may have.

    Raises
    ------
    InputError
        If it is no data frame.

    Examples
    --------
    >>> factor_frame(pd.DataFrame({"date": [20210104], "mktrf": [0.01]})).index.tolist()
    [20210104]
    """
    frame = as_pandas(factors, "factors")
    if not isinstance(frame.index, pd.RangeIndex):
        return frame
    dates = [column for column in frame.columns if HEADERS.get(header_key(str(column))) == "date"]
    return frame.set_index(dates[0]) if len(dates) == 1 else frame


def read_factors(frame: pd.DataFrame | None) -> dict[str, tuple[Dates, Floats]]:
    """Read factor returns (decimal, dates by names) from a frame into a mapping from name to dates and values.

    An index with a time zone and times of day holds the starts of intraday bars. The codes of missing values of
    Kenneth French's library (-99.99, -999) are NaN, as in :func:`eventstudy.read_french`.

    Raises
    ------
    InputError
        If dates repeat or are not dates, two columns are one factor, or a column is not numeric, is infinite, or is in
        per cent.
    """
    if frame is None:
        return {}
    names = factor_names(frame)
    dates = _dates(frame)
    order = np.argsort(dates)
    again = np.flatnonzero(dates[order][1:] == dates[order][:-1])
    if len(again):
        raise InputError(f"factors have two rows for one date, {dates[order][again[0]]}; keep one row per date")
    columns = {column: _values(frame[column], name, dates)[order] for name, column in names.items()}
    return {name: (dates[order], columns[column]) for name, column in names.items()}


def _dates(frame: pd.DataFrame) -> Dates:
    """Return the dates of factors, or the starts of their bars in UTC."""
    if isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            "factors are not indexed by date: their index has numbers of rows; set the dates as index, as in"
            " df.set_index('date'), or name their column date"
        )
    dates = as_dates(frame.index, "factors")
    steps = np.diff(np.sort(dates[:MANY]))
    if np.datetime_data(dates.dtype)[0] == "s" and len(steps) and np.median(steps) > LONGEST:
        raise InputError(
            f"the factors have one row a day with a time of day, such as {dates[0]} UTC: dates that were converted to"
            f" another time zone ({frame.index.dtype}); convert them back to that of their exchange, as in"
            " df.tz_convert('America/New_York'), so that all are midnight, or keep the dates only"
        )
    return dates


def _values(column: pd.Series, name: str, dates: Dates) -> Floats:
    """Return a column as numbers, NaN where missing."""
    if column.dtype.kind in "bcmM":
        raise InputError(f"the factor {name!r} is of type {column.dtype}; give decimal returns")
    try:
        values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the factor {name!r} is not of decimal returns: {error}; give numbers, NaN if missing"
        ) from None
    values[_coded(values)] = np.nan
    infinite = np.isinf(values)
    if infinite.any():
        raise InputError(
            f"the factor {name!r} is infinite on {dates[np.argmax(infinite)]}; give NaN where it is missing"
        )
    size = np.abs(values[np.isfinite(values)])
    if _known_name(name) not in ("", "RF") and len(size) >= ENOUGH and np.median(size) > LARGE:
        raise InputError(
            f"the factor {name!r} has a median absolute return of {np.median(size):.2g}, too large for decimals: per"
            " cent? Divide the factors by 100, or read files of Kenneth French's library with es.read_french"
        )
    impossible = values <= -1.0
    if impossible.any() and _known_name(name) != "":
        at = int(np.argmax(impossible))
        raise InputError(
            f"the factor {name!r} is {values[at]:g} on {dates[at]}; a decimal return is above -1. If it stands for a"
            " missing value, give NaN"
        )
    return values


def _coded(values: Floats) -> Bools:
    """Return which values are codes of missing values, in per cent or as decimals that were computed from them."""
    coded: Bools = np.any([np.isclose(values, code, rtol=1e-9, atol=0.0) for code in CODES], axis=0)
    return coded


def _n_coded(column: pd.Series) -> int:
    return int(_coded(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)).sum())


def coded_notes(frame: pd.DataFrame | None) -> tuple[str, ...]:
    """Say which values of the factors are codes of missing values."""
    counts = {} if frame is None else {str(name): _n_coded(frame.iloc[:, at]) for at, name in enumerate(frame.columns)}
    named = ", ".join(f"{name} ({n})" for name, n in counts.items() if n)
    return (
        (f"values of the factors that are codes of missing values (-99.99, -999) are missing: {named}",)
        if named
        else ()
    )


def factor_on_dates(factor: tuple[Dates, Floats], dates: Dates) -> Floats:
    """Return a factor's values on the dates, NaN where it has none."""
    factor_dates, values = factor
    out = np.full(len(dates), np.nan)
    at = np.searchsorted(factor_dates, dates)
    inside = at < len(factor_dates)
    inside[inside] &= factor_dates[at[inside]] == dates[inside]
    out[inside] = values[at[inside]]
    return out


def reasons_outside_history(
    name: str, factor: tuple[Dates, Floats], session: Dates, first: Dates, last: Dates
) -> np.ndarray:
    """Return, for each event outside a factor's history, the reason as text; empty text for the others.

    An event is outside if its session is, or if all its windows reach beyond the history. A missing value within the
    history makes a missing day; it does not exclude the event.

    Parameters
    ----------
    name : str
    factor : dates and values
    session : datetime64 array (N,)
    first, last : datetime64 arrays (N, V)
        The first and last session of each event's windows.
    """
    reason = np.full(len(session), "", dtype=object)
    dates, values = factor
    known = dates[np.isfinite(values)]
    if not len(known):
        reason[:] = f"factor {name} has no value at all"
        return reason
    begin, end = known[[0, -1]]
    outside = ~((first >= begin) & (last <= end)).any(axis=1) & ~np.isnat(session)
    late = (last > end).any(axis=1)
    reason[outside & ~late] = f"factor {name} begins on {begin}, after the first day of its windows"
    reason[outside & late] = f"factor {name} ends on {end}, before the last day of its windows"
    reason[session > end] = f"factor {name} ends on {end}, before its session"
    reason[session < begin] = f"factor {name} begins on {begin}, after its session"
    return reason
