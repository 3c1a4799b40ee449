"""A table of characteristics of firms, such as their size, and what is known of it before a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, did_you_mean, shown
from eventstudy.tabular.frames import as_dates, as_pandas
from eventstudy.types import Dates, Floats, Ints

WHAT = "characteristics"
EVER = np.datetime64("0001-01-01")  # the date of what is known before every event


@dataclass(frozen=True)
class Characteristics:
    """The rows (R,) of a table that have all of ``names``, sorted by ticker and date.

    ``keys`` (R,) number tickers and dates in this order, ``codes`` the tickers; ``values`` is (R, K).
    """

    names: tuple[str, ...]
    codes: Mapping[str, int]
    keys: Ints
    values: Floats

    @classmethod
    def of(cls, frame: object, names: Sequence[str]) -> Characteristics:
        """Read a table with the columns ``ticker``, ``date`` if it has one, and ``names``."""
        table = as_pandas(frame, WHAT).reset_index(drop=True)
        _check_columns(table, names)
        code, tickers = pd.factorize(table["ticker"])
        _check_tickers(table, code, tickers)
        dated = "date" in table.columns
        dates = as_dates(pd.Index(table["date"]), WHAT) if dated else np.full(len(table), EVER)
        keys = _keys(code.astype(np.int64), dates.astype("datetime64[D]"))
        repeated = np.flatnonzero(pd.Series(keys).duplicated())
        if len(repeated):
            row = repeated[0]
            when = f" on {dates[row]}; keep one" if dated else ", and no column date; add the dates, or keep one"
            raise InputError(f"the {WHAT} have two rows of {table['ticker'].iloc[row]}{when}")
        values = np.column_stack([_numbers(table, name) for name in names])
        order = np.argsort(keys)
        order = order[np.isfinite(values[order]).all(axis=1)]
        return cls(tuple(names), {ticker: at for at, ticker in enumerate(tickers)}, keys[order], values[order])

    def before(self, tickers: Sequence[str], day: np.datetime64) -> Floats:
        """Return the last values dated before a day, (A, K); NaN for tickers without any."""
        out = np.full((len(tickers), len(self.names)), np.nan)
        code = np.array([self.codes.get(ticker, -1) for ticker in tickers], dtype=np.int64)
        at = np.searchsorted(self.keys, _keys(code, np.full(len(code), day, dtype="datetime64[D]"))) - 1
        known = np.flatnonzero((code >= 0) & (at >= 0))
        known = known[self.keys[at[known]] >> 32 == code[known]]
        out[known] = self.values[at[known]]
        return out


def _keys(code: Ints, dates: Dates) -> Ints:
    """Return numbers in the order of tickers, and of dates within a ticker."""
    return np.asarray((code << 32) + (1 << 31) + dates.astype(np.int64))


def _check_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise unless the table has each of the columns once, and some rows."""
    columns = [str(column) for column in table.columns]
    for name in ("ticker", *names):
        if columns.count(name) != 1:
            hint = did_you_mean(name, columns)
            raise InputError(
                f"the {WHAT} have {columns.count(name) or 'no'} column{'s' * (name in columns)} {shown(name)}; the"
                f" columns found are {', '.join(columns[:20]) or 'none'}{hint}"
            )
    if not len(table):
        raise InputError(f"the {WHAT} have no rows; give one or more for each firm")


def _check_tickers(table: pd.DataFrame, code: np.ndarray, tickers: pd.Index) -> None:
    """Raise unless the ticker of every row is text."""
    is_text = np.array([*(isinstance(ticker, str) for ticker in tickers), False])
    wrong = np.flatnonzero(~is_text[code])
    if len(wrong):
        raise InputError(
            f"ticker is {shown(table['ticker'].tolist()[wrong[0]])} in row {wrong[0] + 1} of the {WHAT}; give it as"
            " text, as the prices name it"
        )


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers, NaN where missing; raise if a cell is something else."""
    column = table[name]
    values = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    wrong = np.isinf(values) | (np.isnan(values) & column.notna().to_numpy()) | (column.dtype.kind == "b")
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{name} of {table['ticker'].iloc[row]} is {shown(column.tolist()[row])} in row {row + 1} of the {WHAT};"
            " give finite numbers, and nothing where none is known"
        )
    return values
