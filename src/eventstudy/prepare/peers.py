"""Which other securities an event is compared with: named ones, or all that nothing happened to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import key
from eventstudy.types import Bools, Dates, Ints

Given = str | Sequence[str] | Mapping[str, Sequence[str]] | None


class Treated(NamedTuple):
    """Firm, and first and last date of the event window, of every event that has a session, NaT else; each (N,)."""

    firm: np.ndarray
    first: Dates
    last: Dates


@dataclass(frozen=True)
class Pools:
    """The peers of each event by name, or None where all others on its calendar are; and whose the tickers are."""

    named: Sequence[tuple[str, ...]] | None
    firm_of: Mapping[str, str]
    treated: Treated
    prices: Prices
    benchmarks: frozenset[str]

    def reasons(self) -> np.ndarray:
        """Say of each event why its peers cannot be used; empty where they can."""
        out = np.full(len(self.treated.firm), "", dtype=object)
        for row, names in enumerate(self.named or ()):
            own = [name for name in names if self._firm(name) == self.treated.firm[row]]
            if own:
                out[row] = f"its peers hold the firm itself: {', '.join(own)}"
            elif not any(name in self.prices.bars for name in names):
                out[row] = (
                    f"there are no prices of its peers {', '.join(names)}" if names else "no peers are named for it"
                )
        return out

    def on(self, calendar: str | None, rows: Ints) -> tuple[str, ...]:
        """Give the tickers that the events of some rows may be compared with, sorted."""
        bars = self.prices.bars
        if self.named is not None:
            return tuple(sorted({name for row in rows for name in self.named[row] if name in bars}))
        here = (name for name in bars if key(bars[name].mic) == calendar and not name.startswith("^"))
        return tuple(sorted(name for name in here if name not in self.benchmarks and not name.endswith("=X")))

    def barred(self, rows: Ints, names: tuple[str, ...]) -> tuple[Ints, Ints]:
        """Give the pairs of an event (by its place in ``rows``) and a column of ``names`` that is no peer of it.

        Where peers are named: those of other events. Else the firm itself, and every security of a firm that has an
        event, be it used or lost, whose event window meets the event's.
        """
        if self.named is not None:
            column = {name: c for c, name in enumerate(names)}
            barred = np.ones((len(rows), len(names)), dtype=bool)
            for i, row in enumerate(rows):
                barred[i, [column[name] for name in self.named[row] if name in column]] = False
        else:
            labels, firm = np.unique(np.array([self._firm(name) for name in names], dtype=object), return_inverse=True)
            barred = self._met(rows, labels)[:, firm]
        event, at = np.nonzero(barred)
        return event.astype(np.int64), at.astype(np.int64)

    def _met(self, rows: Ints, labels: np.ndarray) -> Bools:
        """Say which firms (F,) have an event whose window meets that of each of some events, or are its own, (n, F)."""
        firm, first, last = (part[rows] for part in self.treated)
        met = np.asarray(labels == firm[:, None], dtype=bool)
        known = ~np.isnat(self.treated.first)
        for at, label in enumerate(labels):
            mine = known & (self.treated.firm == label)
            begun = np.searchsorted(np.sort(self.treated.first[mine]), last, side="right")
            met[:, at] |= begun > np.searchsorted(np.sort(self.treated.last[mine]), first, side="left")
        return met

    def _firm(self, ticker: str) -> str:
        return self.firm_of.get(ticker, ticker)


def pools(
    given: Given, frame: pd.DataFrame, prices: Prices, benchmark: str | Mapping[str, str] | None,
    firm_of: Mapping[str, str], treated: Treated,
) -> Pools:  # fmt: skip
    """Read which peers the events have.

    Parameters
    ----------
    given : str, sequence of str, mapping or None
        The name of an events column (tickers separated by ``;``), tickers, or a mapping from ticker to tickers; None
        takes every other security of the prices.
    frame : DataFrame
        ``Events.frame``.
    prices : Prices
    benchmark : str, mapping or None
        The study's, which are no peers but where they are named.
    firm_of : mapping from ticker to firm
        Of those whose firm is known by another name.
    treated : Treated
        All events.

    Raises
    ------
    InputError
        When it is none of these, or a ticker that is named for all events has no prices.
    """
    tickers = frame["ticker"].tolist()
    named: Sequence[tuple[str, ...]] | None = None
    if isinstance(given, str):
        if given not in frame.columns:
            raise InputError(f"peers is {given!r}, which is no column of the events; give tickers in a list")
        cells = frame[given].fillna("").astype(str)
        named = [tuple(filter(None, map(str.strip, cell.split(";")))) for cell in cells]
    elif isinstance(given, Mapping):
        listed = {name: _listed(names, f"peers of {name}") for name, names in given.items()}
        named = [listed.get(name, ()) for name in tickers]
    elif given is not None:
        whole = _listed(given, "peers")
        absent = [name for name in whole if name not in prices.bars]
        if absent:
            raise InputError(f"peers names {absent[0]!r}; there are prices of {', '.join(prices.bars)}")
        named = [whole] * len(tickers)
    return Pools(named, firm_of, treated, prices, _benchmarks(benchmark, frame))


def _listed(given: object, what: str) -> tuple[str, ...]:
    names = () if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"{what} is {given!r}; give tickers in a list, as in ['0700.HK', '3690.HK']")
    return names


def _benchmarks(given: str | Mapping[str, str] | None, frame: pd.DataFrame) -> frozenset[str]:
    if given is None:
        return frozenset()
    if isinstance(given, str):
        return frozenset(map(str, frame[given])) if given in frame.columns else frozenset([given])
    return frozenset(given.values())
