"""The fields of one ticker from the columns of any table: what a value means is decided here for every door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.tabular.columns import Layout
from eventstudy.tabular.returns import levels
from eventstudy.types import PRICE_FIELDS, Bools, Dates, Floats

# Notes, with the number of rows that each concerns.
AVERAGES = "prices with a minus sign are averages of bid and ask without a trade, used without the sign"
CODED = "values that are codes of missing values are missing"
NO_DIVIDENDS = "there are no total returns (RET), so that returns are without dividends: those of RETX are used"
ADJUSTED = "there are no returns (RET), so that returns are without dividends: closes are adjusted by CFACPR"


class Fields(NamedTuple):
    """Dates in their order, the fields of :class:`eventstudy.bars.Bars`, and notes with their numbers of rows."""

    dates: Dates
    values: dict[str, Floats]
    notes: dict[str, int]


def fields_of(ticker: str, dates: Dates, columns: Mapping[str, Floats], layout: Layout) -> Fields:
    """Return the fields of a ticker; empty columns are left out, and rows from the newest to the oldest turned round.

    Stated returns are used before prices. Their level is the close where there is no other, and the adjusted close
    where there is. Without a column of closes, the adjusted close is the close. Without total returns, price returns
    are used, and without those the close is divided by its cumulative factor; both are without dividends, and noted.

    Raises
    ------
    BadPrices
        If a return is -1 or below.
    InputError
        If the returns look like per cent.
    """
    notes: dict[str, int] = {}
    values = {name: _coded(name, column, layout, notes) for name, column in columns.items()}
    values = {name: _unsigned(name, column, layout, notes) for name, column in values.items()}
    values = {name: column for name, column in values.items() if not _is_empty(column)}
    if len(dates) > 1 and dates[-1] < dates[0] and (np.diff(dates) < np.timedelta64(0, "s")).all():
        dates, values = dates[::-1].copy(), {name: column[::-1].copy() for name, column in values.items()}
    price_return, divisor = values.pop("price_return", None), values.pop("price_divisor", None)
    if not {"return", "adjusted"} & set(values):
        if price_return is not None:
            values["return"] = price_return
            notes[NO_DIVIDENDS] = int(np.isfinite(price_return).sum())
        elif divisor is not None and "close" in values:
            values["adjusted"] = values["close"] / np.where(divisor > 0, divisor, np.nan)
            notes[ADJUSTED] = int(np.isfinite(values["adjusted"]).sum())
    if "close" not in values and "adjusted" in values:
        values["close"] = values["adjusted"]
    if "return" in values:
        values |= levels(ticker, dates, values)
    if "close" not in values:
        values["close"] = np.full(len(dates), np.nan)
    return Fields(dates, values, notes)


def notes_of(noted: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, list[str]]]:
    """Return the notes on the rows of tickers as an entry of a provenance, each once, with all its tickers."""
    tickers_by_text: dict[str, list[str]] = {}
    for ticker, notes in noted.items():
        for text, n in notes.items():
            tickers_by_text.setdefault(text, []).append(f"{ticker} ({n})")
    texts = [f"{text}: {_some(named)}" for text, named in tickers_by_text.items()]
    return {"noticed": {"prices": texts}} if texts else {}


def _some(named: Sequence[str]) -> str:
    return ", ".join(named[:5]) + (f" and {len(named) - 5} more tickers" if len(named) > 5 else "")


def _is_empty(values: Floats) -> bool:
    """Return whether all values are missing; the first one of most columns is not."""
    return not (len(values) and values[0] == values[0]) and bool(np.isnan(values).all())


def _coded(name: str, values: Floats, layout: Layout, notes: dict[str, int]) -> Floats:
    """Return a column with its codes of missing values as NaN."""
    if name not in layout.codes:
        return values
    coded = np.isin(values, layout.codes[name])
    if coded.any():
        notes[CODED] = notes.get(CODED, 0) + int(coded.sum())
    return np.where(coded, np.nan, values)


def _unsigned(name: str, values: Floats, layout: Layout, notes: dict[str, int]) -> Floats:
    """Return prices without the sign that marks an average of bid and ask; 0 is no price."""
    if not layout.absolute or name not in PRICE_FIELDS:
        return values
    if name == "close" and (values < 0).any():
        notes[AVERAGES] = int((values < 0).sum())
    return np.where(values == 0.0, np.nan, np.abs(values))


def distinct(parts: Sequence[tuple[Dates, Bools]]) -> Dates:
    """Return the distinct dates of the rows of several sorted arrays (T,) that masks (T,) select, sorted.

    A mask over their range is faster than sorting them, and arrays whose dates are all known add nothing.

    Examples
    --------
    >>> friday, both = np.array(["2020-01-03"], "M8[D]"), np.array(["2020-01-02", "2020-01-03"], "M8[D]")
    >>> distinct([(friday, np.array([True])), (both, np.array([True, False]))]).astype(str)
    array(['2020-01-02', '2020-01-03'], dtype='<U28')
    """
    parts = [part for part in parts if len(part[0])]
    if len({dates.dtype for dates, _ in parts}) != 1:
        return np.unique(np.concatenate([dates[rows] for dates, rows in parts] or [np.array([], "datetime64[D]")]))
    numbers = [dates.view(np.int64) for dates, _ in parts]
    first, last = min(int(n[0]) for n in numbers), max(int(n[-1]) for n in numbers)
    if last - first > sum(map(len, numbers)):
        return np.unique(np.concatenate([dates[rows] for dates, rows in parts]))
    seen, known = np.zeros(last - first + 1, dtype=bool), set[int]()
    for (dates, rows), number in zip(parts, numbers, strict=True):
        if id(dates) not in known:  # securities of one table share their dates
            at = number - first
            seen[at[rows]] = True
            known |= {id(dates)} if seen[at].all() else set()
    return np.asarray((np.flatnonzero(seen) + first).view(parts[0][0].dtype))
